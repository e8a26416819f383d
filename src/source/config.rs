//! An entry of `sources:` in belfry.yml.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::http::HttpConfig;
use crate::model::Clock;
use crate::yaml::{Findings, Node, Section, suggest};

use super::loki::Loki;
use super::prometheus::Prometheus;
use super::remote::Remote;
use super::tempo::Tempo;
use super::{Source, SourceError};

/// What lies behind a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// And all that speak its API: Mimir, Thanos, VictoriaMetrics.
    Prometheus,
    Loki,
    Tempo,
}

impl SourceKind {
    pub const ALL: [SourceKind; 3] = [SourceKind::Prometheus, SourceKind::Loki, SourceKind::Tempo];

    /// As `type` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceKind::Prometheus => "prometheus",
            SourceKind::Loki => "loki",
            SourceKind::Tempo => "tempo",
        }
    }
}

impl std::fmt::Display for SourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Kinds that will come.
const NOT_YET: [&str; 2] = ["elasticsearch", "opensearch"];

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_MAX_RESPONSE: u64 = 64 << 20;

/// A source as it is configured (semantics §6).
#[derive(Debug, Clone, PartialEq)]
pub struct SourceConfig {
    pub name: String,
    pub kind: SourceKind,
    /// The kind's API lies below its path; its query string, if any, goes with every request.
    pub url: Url,
    /// Rules that name no source ask this one.
    pub default: bool,
    /// `X-Scope-OrgID`
    pub tenant: Option<String>,
    pub query_delay: Option<Duration>,
    /// No query takes longer, whatever time it is given.
    pub timeout: Duration,
    /// In bytes, after decompression.
    pub max_response: u64,
    pub http: HttpConfig,
}

impl SourceConfig {
    /// Reads one entry. Relative paths start at `dir`.
    pub fn read(node: &Node, dir: &Path, findings: &mut Findings) -> Option<SourceConfig> {
        let mut section = Section::open(node, "source", findings)?;
        let name = section.text("name", findings).filter(|name| !name.is_empty());
        match &name {
            Some(name) => section.rename(format!("source {name:?}")),
            None => findings.error(section.position(), "source: name is missing"),
        }
        let kind = read_kind(&mut section, findings);
        let url = section.read("url", findings, address);
        if section.some("url").is_none() {
            findings.error(section.position(), format!("{}: url is missing", section.name()));
        }
        let default = section.boolean("default", findings).unwrap_or(false);
        let tenant = section.read("tenant", findings, tenant).filter(|tenant| !tenant.is_empty());
        let query_delay = section.read("query_delay", findings, duration);
        let timeout = section.read("timeout", findings, positive_duration).unwrap_or(DEFAULT_TIMEOUT);
        let max_response = section.read("max_response", findings, bytes).unwrap_or(DEFAULT_MAX_RESPONSE);
        let http = match section.some("http_config") {
            Some(node) => HttpConfig::read(node, &format!("{}: http_config", section.name()), dir, findings),
            None => Some(HttpConfig::default()),
        };
        section.finish(findings);
        Some(SourceConfig {
            name: name?,
            kind: kind?,
            url: url?,
            default,
            tenant,
            query_delay,
            timeout,
            max_response,
            http: http?,
        })
    }

    /// Makes the source. Asks nothing yet.
    ///
    /// # Errors
    /// The `http_config` cannot work, or a certificate cannot be read.
    pub fn build(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Source>, SourceError> {
        Ok(match self.kind {
            SourceKind::Prometheus => Arc::new(Remote::<Prometheus>::new(self, clock)?),
            SourceKind::Loki => Arc::new(Remote::<Loki>::new(self, clock)?),
            SourceKind::Tempo => Arc::new(Remote::<Tempo>::new(self, clock)?),
        })
    }
}

fn read_kind(section: &mut Section<'_>, findings: &mut Findings) -> Option<SourceKind> {
    let Some(node) = section.some("type") else {
        findings.error(section.position(), format!("{}: type is missing", section.name()));
        return None;
    };
    let text = section.text("type", findings)?;
    let found = SourceKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    if found.is_none() {
        let names = SourceKind::ALL.map(SourceKind::as_str);
        let message = match NOT_YET.contains(&text.as_str()) {
            true => format!("{}: type: {text} is not there yet", section.name()),
            false => format!("{}: type: unknown type {text:?}", section.name()),
        };
        let help = match suggest(&text, names) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("one of {}", names.join(", ")),
        };
        findings.error_with_help(node.position, message, help);
    }
    found
}

fn address(node: &Node) -> Result<Url, String> {
    let text = node.text()?;
    // The text may hold a password, so it is not repeated.
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("must begin with http:// or https:// and name a host".to_owned());
    }
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err("holds a user name or a password, which belong into http_config: basic_auth".to_owned()),
    }
}

fn tenant(node: &Node) -> Result<String, String> {
    let text = node.text()?;
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} cannot stand in a header")),
    }
}

/// As humantime writes it; `0` needs no unit.
fn duration(node: &Node) -> Result<Duration, String> {
    let text = node.text()?.trim();
    humantime::parse_duration(text).map_err(|error| format!("not a duration: {text:?} ({error})"))
}

fn positive_duration(node: &Node) -> Result<Duration, String> {
    match duration(node)? {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        duration => Ok(duration),
    }
}

/// `65536`, `64KiB`, `10MB`
fn bytes(node: &Node) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    let text = node.text()?.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let scale = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).map(|(_, scale)| *scale);
    let size = number.parse::<u64>().ok().zip(scale).and_then(|(number, scale)| number.checked_mul(scale));
    size.filter(|size| *size > 0)
        .ok_or_else(|| format!("not a size above 0: {text:?}, write it as 65536, 64KiB or 10MB"))
}

#[cfg(test)]
mod tests {
    use crate::yaml;

    use super::*;

    fn read(source: &str) -> (Option<SourceConfig>, Vec<String>) {
        let mut findings = Findings::new("f");
        let document = yaml::parse(source, &mut findings).unwrap();
        let config = SourceConfig::read(&document.root.unwrap(), Path::new("/etc/belfry"), &mut findings);
        (config, findings.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_entry_is_read_whole() {
        let (config, found) = read(
            "{name: logs, type: loki, url: 'https://loki:3100/prefix/', default: true, tenant: 'a|b', query_delay: 30s,\n\
             timeout: 1m 30s, max_response: 10MiB, http_config: {bearer_token_file: token}}",
        );
        assert_eq!(found, Vec::<String>::new());
        let config = config.unwrap();
        assert_eq!((config.name.as_str(), config.kind, config.default), ("logs", SourceKind::Loki, true));
        assert_eq!((config.tenant.as_deref(), config.query_delay), (Some("a|b"), Some(Duration::from_secs(30))));
        assert_eq!((config.timeout, config.max_response), (Duration::from_secs(90), 10 << 20));
        assert!(config.http.has_authorization());
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = read("{name: p, type: prometheus, url: 'http://p:9090'}").0.unwrap();
        assert_eq!((config.default, &config.tenant, config.query_delay), (false, &None, None));
        assert_eq!(
            (config.timeout, config.max_response, config.http),
            (DEFAULT_TIMEOUT, DEFAULT_MAX_RESPONSE, HttpConfig::default())
        );
    }

    #[test]
    fn what_is_wrong_is_found_where_it_stands() {
        let cases = [
            ("{type: loki, url: 'http://x'}", "f:1:1: source: name is missing"),
            ("{name: a, url: 'http://x'}", "f:1:1: source \"a\": type is missing"),
            ("{name: a, type: loki}", "f:1:1: source \"a\": url is missing"),
            (
                "{name: a, type: lokki, url: 'http://x'}",
                "f:1:17: source \"a\": type: unknown type \"lokki\"\n  help: did you mean \"loki\"?",
            ),
            (
                "{name: a, type: elasticsearch, url: 'http://x'}",
                "f:1:17: source \"a\": type: elasticsearch is not there yet\n  help: one of prometheus, loki, tempo",
            ),
            (
                "{name: a, type: loki, url: 'x:1'}",
                "f:1:28: source \"a\": url: must begin with http:// or https:// and name a host",
            ),
            (
                "{name: a, type: loki, url: 'http://u:p@x'}",
                "f:1:28: source \"a\": url: holds a user name or a password, which belong into http_config: basic_auth",
            ),
            (
                "{name: a, type: loki, url: 'http://x', timeout: 0s}",
                "f:1:49: source \"a\": timeout: must be more than 0",
            ),
            (
                "{name: a, type: loki, url: 'http://x', tenant: 'ä'}",
                "f:1:48: source \"a\": tenant: \"ä\" cannot stand in a header",
            ),
            (
                "{name: a, type: loki, url: 'http://x', max_response: lots}",
                "f:1:54: source \"a\": max_response: not a size above 0: \"lots\", write it as 65536, 64KiB or 10MB",
            ),
            (
                "{name: a, type: loki, url: 'http://x', http_config: {no_proxy: x}}",
                "f:1:64: source \"a\": http_config: no_proxy needs a proxy_url",
            ),
            (
                "{name: a, type: loki, url: 'http://x', tenent: b}",
                "f:1:40: unknown key \"tenent\" in source \"a\"\n  help: did you mean \"tenant\"?",
            ),
        ];
        for (source, want) in cases {
            assert_eq!(read(source).1, [want], "{source}");
        }
    }
}
