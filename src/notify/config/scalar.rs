//! The scalar types of contract alertmanager §1.1 that only receivers and globals have.
//!
//! **Invariant:** no message holds any part of a text that may be a secret.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::model::parse_go_duration;
use crate::yaml::{Node, Scalar, Style, Value, free_form};

/// What stands in place of a secret wherever the configuration is shown. As a secret URL it is accepted, so that a shown
/// configuration loads again.
pub(super) const SHOWN_SECRET: &str = "<secret>";

/// An absolute `http` or `https` URL with a host, as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Arc<str>);

impl HttpUrl {
    /// # Errors
    /// The text is no such URL. The message does not repeat it.
    pub fn parse(text: &str) -> Result<HttpUrl, String> {
        const HELP: &str = "expected a URL like https://host/path";
        if text.chars().any(char::is_control) {
            return Err("a URL has no control characters".to_owned());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(HELP.to_owned());
        };
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(match scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
                true => format!("unsupported scheme {scheme:?}, {HELP}"),
                false => HELP.to_owned(),
            });
        }
        // The library below takes `http:///x` and `http:\\x` for the host `x`, as browsers do.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err("a URL without a host".to_owned());
        }
        if authority.contains('\\') {
            return Err("a URL with an unusable host".to_owned());
        }
        match Url::parse(text) {
            Ok(_) => Ok(HttpUrl(text.into())),
            Err(error) => Err(format!("no usable URL: {error}")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same with a path that ends in `/`, for the APIs whose paths are appended.
    pub(super) fn with_trailing_slash(&self) -> HttpUrl {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        let (path, rest) = self.0.split_at(end);
        match path.ends_with('/') {
            true => self.clone(),
            false => HttpUrl(format!("{path}/{rest}").into()),
        }
    }

    /// As it is shown: without a password.
    pub(super) fn shown(&self) -> String {
        without_password(&self.0)
    }
}

/// A URL with its password, if it has one, made unreadable.
pub(super) fn without_password(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // Fails only on URLs without a host, which have no password either.
            let _ = url.set_password(Some("xxxxx"));
            url.into()
        }
        _ => text.to_owned(),
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// `host:25`, `:25`, `[::1]:25`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Without brackets; may be empty.
    pub host: String,
    /// A number, or a service's name; never empty.
    pub port: String,
}

impl HostPort {
    /// `None` for the empty text, which leaves the address unset.
    pub(super) fn parse(text: &str) -> Result<Option<HostPort>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let Some((host, port)) = text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) else {
            return Err(format!("address {text:?} has no port"));
        };
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match inner {
            Some(inner) if !inner.contains(['[', ']']) => inner,
            None if host.contains(':') => {
                return Err(format!("address {text:?} has too many colons, write [host]:port"));
            }
            None if !host.contains(['[', ']']) => host,
            _ => return Err(format!("address {text:?} has unmatched brackets")),
        };
        match port.is_empty() {
            true => Err(format!("address {text:?} has an empty port")),
            false => Ok(Some(HostPort { host: host.to_owned(), port: port.to_owned() })),
        }
    }
}

/// With brackets around a host that has colons.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A Go duration in a `timeout` key: there a bare integer counts nanoseconds, which hardly anybody means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoTimeout {
    Duration(Duration),
    Nanoseconds(u64),
}

pub(super) fn go_timeout(node: &Node) -> Result<GoTimeout, String> {
    if node.is_null() {
        return Ok(GoTimeout::Duration(Duration::ZERO));
    }
    match node.integer() {
        Ok(0) => Ok(GoTimeout::Duration(Duration::ZERO)),
        Ok(count) => u64::try_from(count)
            .map(GoTimeout::Nanoseconds)
            .map_err(|_| format!("expected a duration such as 10s, found {count}")),
        Err(_) => go_duration(node).map(GoTimeout::Duration),
    }
}

/// A Go duration; null is zero.
pub(super) fn go_duration(node: &Node) -> Result<Duration, String> {
    match node.is_null() {
        true => Ok(Duration::ZERO),
        false => parse_go_duration(node.text()?).map_err(|error| error.to_string()),
    }
}

/// Go's own text: `0s`, `500ms`, `1.5s`, `1m30s`, `1h0m0s`.
pub(super) fn format_go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let decimal = |scale: u128, unit: &str| {
        let (whole, rest) = (nanos / scale, nanos % scale);
        if rest == 0 {
            return format!("{whole}{unit}");
        }
        let digits = scale.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        format!("{whole}.{}{unit}", fraction.trim_end_matches('0'))
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => decimal(1, "ns"),
        1_000..1_000_000 => decimal(1_000, "µs"),
        1_000_000..1_000_000_000 => decimal(1_000_000, "ms"),
        _ => {
            let (hours, minutes) = (duration.as_secs() / 3600, duration.as_secs() / 60);
            let below =
                Duration::from_secs(duration.as_secs() % 60) + Duration::from_nanos(u64::from(duration.subsec_nanos()));
            let fraction = format!("{:09}", below.subsec_nanos());
            let seconds = match fraction.trim_end_matches('0') {
                "" => format!("{}s", below.as_secs()),
                digits => format!("{}.{digits}s", below.as_secs()),
            };
            match (hours, minutes) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{}m{seconds}", minutes % 60),
            }
        }
    }
}

/// A free-form value (contract alertmanager §8.7): below the first mapping, keys that are no strings are dropped.
pub(super) fn payload(node: &Node) -> serde_json::Value {
    use serde_json::Value as Json;
    match &node.value {
        Value::Sequence(items) => Json::Array(items.iter().map(payload).collect()),
        Value::Mapping(entries) => Json::Object(
            entries
                .iter()
                .filter(|(key, _)| free_form(key).is_string())
                .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), payload(value)))
                .collect(),
        ),
        Value::Scalar(_) => free_form(node),
    }
}

/// Every text of a free-form value that may be a template: string values, and string keys.
pub(super) fn strings_in<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    match &node.value {
        Value::Scalar(Scalar { style: Style::Plain, .. }) if !free_form(node).is_string() => {}
        Value::Scalar(_) => found.push(node),
        Value::Sequence(items) => items.iter().for_each(|item| strings_in(item, found)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                strings_in(key, found);
                strings_in(value, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Findings, parse};

    #[test]
    fn urls_are_taken_and_refused_as_the_peer_does() {
        for good in ["http://x", "HTTPS://x/y?z#w", "http://user:pw@[::1]:80/", "http://a_b.c/%20"] {
            assert_eq!(HttpUrl::parse(good).unwrap().as_str(), good);
        }
        let expected = "expected a URL like https://host/path";
        let bad = [
            ("", expected.to_owned()),
            ("example.com", expected.to_owned()),
            ("http:example.com", expected.to_owned()),
            ("xoxb-1-secret://x", expected.to_owned()),
            ("ftp://x", format!("unsupported scheme \"ftp\", {expected}")),
            ("http://", "a URL without a host".to_owned()),
            ("http:///x", "a URL without a host".to_owned()),
            ("http://u@/x", "a URL without a host".to_owned()),
            ("http://:80/", "a URL without a host".to_owned()),
            ("http://x\\y/", "a URL with an unusable host".to_owned()),
            ("http://x/\n", "a URL has no control characters".to_owned()),
            ("http://x:y/", "no usable URL: invalid port number".to_owned()),
        ];
        for (text, want) in bad {
            assert_eq!(HttpUrl::parse(text), Err(want), "{text:?}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let url = HttpUrl::parse("https://u:pw@x/y").unwrap();
        assert_eq!(
            format!("{url} {url:?} {}", url.shown()),
            "https://u:xxxxx@x/y https://u:xxxxx@x/y https://u:xxxxx@x/y"
        );
        assert_eq!(HttpUrl::parse("https://x").unwrap().shown(), "https://x");
    }

    #[test]
    fn a_slash_ends_the_path_not_the_query() {
        let cases = [("http://x", "http://x/"), ("http://x/", "http://x/"), ("http://x/y?z=/", "http://x/y/?z=/")];
        for (text, want) in cases {
            assert_eq!(HttpUrl::parse(text).unwrap().with_trailing_slash().as_str(), want);
        }
    }

    #[test]
    fn addresses_are_split_as_go_splits_them() {
        let good =
            [("mx:25", "mx", "25", "mx:25"), (":25", "", "25", ":25"), ("[::1]:smtp", "::1", "smtp", "[::1]:smtp")];
        for (text, host, port, shown) in good {
            let address = HostPort::parse(text).unwrap().unwrap();
            assert_eq!((address.host.as_str(), address.port.as_str()), (host, port));
            assert_eq!(address.to_string(), shown);
        }
        assert_eq!(HostPort::parse(""), Ok(None));
        let bad = [
            ("mx", "address \"mx\" has no port"),
            ("[::1]", "address \"[::1]\" has no port"),
            ("mx:", "address \"mx:\" has an empty port"),
            ("::1:25", "address \"::1:25\" has too many colons, write [host]:port"),
            ("[x:25", "address \"[x:25\" has unmatched brackets"),
        ];
        for (text, want) in bad {
            assert_eq!(HostPort::parse(text), Err(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_print_as_go_prints_them() {
        let cases = [
            ("0", "0s"),
            ("500ms", "500ms"),
            ("1500us", "1.5ms"),
            ("7ns", "7ns"),
            ("1.5s", "1.5s"),
            ("1m", "1m0s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("26h30m", "26h30m0s"),
            ("1m0.25s", "1m0.25s"),
        ];
        for (text, want) in cases {
            assert_eq!(format_go_duration(parse_go_duration(text).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn free_form_values_drop_keys_that_are_no_strings() {
        let document = parse("a: {1: x, '2': w, yes: z, k: [~, on, '{{ . }}']}", &mut Findings::new("f")).unwrap();
        let root = document.root.unwrap();
        assert_eq!(payload(&root).to_string(), r#"{"a":{"2":"w","k":[null,true,"{{ . }}"]}}"#);
        let mut found = Vec::new();
        strings_in(&root, &mut found);
        let found: Vec<_> = found.iter().map(|node| node.text().unwrap()).collect();
        assert_eq!(found, ["a", "x", "2", "w", "z", "k", "{{ . }}"]);
    }
}
