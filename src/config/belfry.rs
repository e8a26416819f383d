//! belfry.yml, read from its text (semantics "belfry.yml"): every key has a default, an unknown one is a finding.
//!
//! Pure: the files that it names are read by [`super::load`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use url::Url;

use super::address::ListenAddress;
use super::limits::LimitsConfig;
use super::sections::{
    DeliveryConfig, EvaluationConfig, ExternalUrls, GlobalConfig, LogConfig, WebConfig, WebhooksConfig,
};
use super::{later, paths, scalar, sources, storage};
use crate::db::StorageConfig;
use crate::source::SourceConfig;
use crate::yaml::{Document, Findings, Node, Position, Section, Value};

/// What belfry.yml says. Paths are already joined to its folder.
#[derive(Debug, Clone)]
pub struct BelfryConfig {
    pub listen: ListenAddress,
    pub storage: StorageConfig,
    pub global: GlobalConfig,
    pub evaluation: EvaluationConfig,
    /// Unique names; at most one is the default.
    pub sources: Vec<SourceConfig>,
    pub rule_files: Vec<RulePattern>,
    /// `None`: alerts are kept and shown, nobody is told.
    pub router: Option<RouterPlace>,
    pub delivery: DeliveryConfig,
    pub limits: LimitsConfig,
    pub webhooks: WebhooksConfig,
    pub web: WebConfig,
    /// Where people find this Belfry; what links in notifications start with.
    pub external_url: Url,
    pub external_urls: ExternalUrls,
    pub log: LogConfig,
}

/// A pattern of `rule_files`, relative to belfry.yml's folder as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePattern {
    pub pattern: String,
    pub position: Position,
}

/// Where the router's configuration stands.
#[derive(Clone)]
pub enum RouterPlace {
    File { path: PathBuf, position: Position },
    Inline(Node),
}

/// An inline router may hold secrets.
impl fmt::Debug for RouterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouterPlace::File { path, .. } => f.debug_tuple("File").field(path).finish(),
            RouterPlace::Inline(node) => f.debug_tuple("Inline").field(&node.position).finish(),
        }
    }
}

impl BelfryConfig {
    /// What holds without a file, seen from the folder `dir`.
    pub fn defaults(dir: &Path) -> Self {
        let listen = ListenAddress::default();
        BelfryConfig {
            storage: storage::defaults(dir),
            global: GlobalConfig::default(),
            evaluation: EvaluationConfig::default(),
            sources: Vec::new(),
            rule_files: Vec::new(),
            router: None,
            delivery: DeliveryConfig::default(),
            limits: LimitsConfig::default(),
            webhooks: WebhooksConfig::default(),
            web: WebConfig::default(),
            external_url: local_address(&listen),
            external_urls: ExternalUrls::default(),
            log: LogConfig::default(),
            listen,
        }
    }

    /// Reads a document; an empty one is [`BelfryConfig::defaults`]. Where a key is wrong its default stands in, so that
    /// all findings come at once: whoever uses the value looks at the findings first. `None` if it is no mapping.
    pub fn read(document: &Document, dir: &Path, findings: &mut Findings) -> Option<Self> {
        let mut config = BelfryConfig::defaults(dir);
        if let Some(position) = document.second {
            findings.warning_with_help(
                position,
                "only the first document is read",
                "remove the `---` and what follows",
            );
        }
        let Some(root) = &document.root else { return Some(config) };
        let mut section = Section::open(root, "configuration", findings)?;
        if let Some(listen) = section.read("listen", findings, |node| ListenAddress::parse(node.text()?)) {
            config.listen = listen;
        }
        if let Some(node) = section.some("storage") {
            config.storage = storage::read(node, dir, findings);
        }
        config.global = part(&mut section, "global", GlobalConfig::read, findings);
        config.evaluation = part(&mut section, "evaluation", EvaluationConfig::read, findings);
        if let Some(nodes) = section.read("sources", findings, Node::items) {
            config.sources = sources::read(nodes, dir, findings);
        }
        config.rule_files = rule_files(&mut section, findings);
        config.router = router(&mut section, dir, findings);
        config.delivery = part(&mut section, "delivery", DeliveryConfig::read, findings);
        config.limits = part(&mut section, "limits", LimitsConfig::read, findings);
        config.webhooks = part(&mut section, "webhooks", WebhooksConfig::read, findings);
        config.web = part(&mut section, "web", WebConfig::read, findings);
        let external_url = section.read("external_url", findings, scalar::web_address);
        config.external_url = external_url.unwrap_or_else(|| local_address(&config.listen));
        config.external_urls = part(&mut section, "external_urls", ExternalUrls::read, findings);
        later::idle(&mut section, "external_urls", "nothing links there", findings);
        config.log = part(&mut section, "log", LogConfig::read, findings);
        for (key, instead) in [
            ("scrape_configs", "let a Prometheus scrape, and name it in sources"),
            ("otlp", "let a collector write to a Prometheus, and name it in sources"),
            ("remote_write", "leave it out"),
            ("alertmanagers", "set router, Belfry notifies by itself"),
        ] {
            later::refuse(&mut section, key, instead, findings);
        }
        section.finish(findings);
        Some(config)
    }

    /// The external URL as links and templates have it: without a slash at its end.
    pub fn link_base(&self) -> &str {
        self.external_url.as_str().trim_end_matches('/')
    }

    /// The source of a rule that names none: the one marked as the default, or the only one.
    pub fn default_source(&self) -> Option<&SourceConfig> {
        match self.sources.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|source| source.default),
        }
    }
}

fn part<T: Default>(
    section: &mut Section<'_>,
    key: &'static str,
    read: fn(&Node, &mut Findings) -> T,
    findings: &mut Findings,
) -> T {
    section.some(key).map(|node| read(node, findings)).unwrap_or_default()
}

fn rule_files(section: &mut Section<'_>, findings: &mut Findings) -> Vec<RulePattern> {
    let mut patterns = Vec::new();
    for node in section.read("rule_files", findings, Node::items).unwrap_or_default() {
        match node.text() {
            Ok("") => findings.error(node.position, "rule_files: a pattern must not be empty"),
            Ok(name) if name.starts_with("builtin:") => findings.error_with_help(
                node.position,
                format!("rule_files: the rule pack {name:?} is not supported yet"),
                "name files",
            ),
            Ok(pattern) => {
                patterns.push(RulePattern { pattern: pattern.to_owned(), position: node.position });
            }
            Err(message) => findings.error(node.position, format!("rule_files: {message}")),
        }
    }
    patterns
}

fn router(section: &mut Section<'_>, dir: &Path, findings: &mut Findings) -> Option<RouterPlace> {
    let node = section.some("router")?;
    match &node.value {
        Value::Mapping(_) => Some(RouterPlace::Inline(node.clone())),
        Value::Scalar(scalar) if !scalar.text.is_empty() => {
            Some(RouterPlace::File { path: paths::resolve(dir, &scalar.text), position: node.position })
        }
        Value::Scalar(_) | Value::Sequence(_) => {
            let message = "router: expected a file's path, or routes and receivers themselves";
            findings.error(node.position, message);
            None
        }
    }
}

/// This machine on the port listened on.
fn local_address(listen: &ListenAddress) -> Url {
    #[expect(clippy::expect_used, reason = "a constant address, parsed by a test")]
    static LOCAL: LazyLock<Url> = LazyLock::new(|| Url::parse("http://localhost:9095").expect("the address is valid"));
    let mut url = LOCAL.clone();
    // Refused only for addresses without a host, and this one has one.
    let _ = url.set_port(Some(listen.port()));
    url
}
