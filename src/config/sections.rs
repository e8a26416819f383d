//! The small sections of belfry.yml: `global`, `evaluation`, `delivery`, `webhooks`, `web`, `external_urls`, `log`.

use std::time::Duration;

use url::Url;

use super::{later, scalar};
use crate::http::Secret;
use crate::model::LabelSet;
use crate::yaml::{Findings, Node, Section};

/// `global`: what rules take where they say nothing themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalConfig {
    pub evaluation_interval: Duration,
    pub query_offset: Duration,
    /// Added to every alert where absent.
    pub external_labels: LabelSet,
    /// How soon an unchanged firing alert is announced again.
    pub resend_delay: Duration,
}

impl Default for GlobalConfig {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        GlobalConfig {
            evaluation_interval: minute,
            query_offset: Duration::ZERO,
            external_labels: LabelSet::empty(),
            resend_delay: minute,
        }
    }
}

impl GlobalConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut global = GlobalConfig::default();
        let Some(mut section) = Section::open(node, "global", findings) else { return global };
        let interval = section.read("evaluation_interval", findings, scalar::positive_duration);
        set(&mut global.evaluation_interval, interval);
        set(&mut global.query_offset, section.read("query_offset", findings, scalar::duration));
        set(&mut global.resend_delay, section.read("resend_delay", findings, scalar::duration));
        if let Some(node) = section.some("external_labels") {
            global.external_labels = external_labels(node, findings);
        }
        section.finish(findings);
        global
    }
}

/// Any non-empty name but `__name__`; a label without a value is no label.
fn external_labels(node: &Node, findings: &mut Findings) -> LabelSet {
    let entries = match node.entries() {
        Ok(entries) => entries,
        Err(message) => {
            findings.error(node.position, format!("global: external_labels: {message}"));
            return LabelSet::empty();
        }
    };
    let mut pairs = Vec::new();
    for (name_node, value_node) in entries {
        let name = name_node.text().unwrap_or_default();
        if name.is_empty() || name == "__name__" {
            findings.error(name_node.position, format!("global: external_labels: invalid label name: {name:?}"));
            continue;
        }
        match value_node.text() {
            Ok("") => {}
            Ok(value) => pairs.push((name, value)),
            Err(message) => {
                findings.error(value_node.position, format!("global: external_labels: {name}: {message}"));
            }
        }
    }
    LabelSet::from_pairs(pairs)
}

/// `evaluation`: how rules are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationConfig {
    /// How long one query of a rule may take.
    pub timeout: Duration,
    /// Queries of rules at once.
    pub concurrency: usize,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        EvaluationConfig { timeout: Duration::from_secs(30), concurrency: 16 }
    }
}

impl EvaluationConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut evaluation = EvaluationConfig::default();
        let Some(mut section) = Section::open(node, "evaluation", findings) else { return evaluation };
        set(&mut evaluation.timeout, section.read("timeout", findings, scalar::positive_duration));
        set(&mut evaluation.concurrency, section.read("concurrency", findings, scalar::count));
        section.finish(findings);
        evaluation
    }
}

/// `delivery`: how notifications are sent (semantics "The delivery core").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// How long one attempt may take where its integration sets no `timeout`.
    pub attempt_timeout: Duration,
    /// Attempts at once for one integration.
    pub concurrency: usize,
    /// The longest wait that a peer can ask for.
    pub max_retry_after: Duration,
    /// How long a start waits for the first evaluation before overdue groups flush.
    pub start_grace: Duration,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        DeliveryConfig {
            attempt_timeout: Duration::from_secs(60),
            concurrency: 8,
            max_retry_after: Duration::from_secs(600),
            start_grace: Duration::from_secs(10),
        }
    }
}

impl DeliveryConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut delivery = DeliveryConfig::default();
        let Some(mut section) = Section::open(node, "delivery", findings) else { return delivery };
        set(&mut delivery.attempt_timeout, section.read("attempt_timeout", findings, scalar::positive_duration));
        set(&mut delivery.concurrency, section.read("concurrency", findings, scalar::count));
        set(&mut delivery.max_retry_after, section.read("max_retry_after", findings, scalar::duration));
        set(&mut delivery.start_grace, section.read("start_grace", findings, scalar::duration));
        section.finish(findings);
        delivery
    }
}

/// `webhooks`: alerts taken in from other Alertmanagers and Grafana.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhooksConfig {
    /// The lease of an alert that came without an end (semantics "Leases and restarts").
    pub resolve_timeout: Duration,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        WebhooksConfig { resolve_timeout: Duration::from_secs(86_400) }
    }
}

impl WebhooksConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut webhooks = WebhooksConfig::default();
        let Some(mut section) = Section::open(node, "webhooks", findings) else { return webhooks };
        set(&mut webhooks.resolve_timeout, section.read("resolve_timeout", findings, scalar::positive_duration));
        section.finish(findings);
        webhooks
    }
}

/// `web`: who may use the HTTP surface.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WebConfig {
    /// If there are any, a request must carry one of them.
    pub bearer_tokens: Vec<Secret>,
}

impl WebConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut web = WebConfig::default();
        let Some(mut section) = Section::open(node, "web", findings) else { return web };
        for token in section.read("bearer_tokens", findings, Node::items).unwrap_or_default() {
            match token.text().map(str::trim) {
                // An empty one would let in whoever sends an empty header.
                Ok("") => findings.error(token.position, "web: bearer_tokens: a token must not be empty"),
                Ok(text) => web.bearer_tokens.push(Secret::new(text)),
                Err(message) => findings.error(token.position, format!("web: bearer_tokens: {message}")),
            }
        }
        let instead = "use bearer_tokens, or put a proxy that speaks TLS in front";
        later::refuse(&mut section, "config_file", instead, findings);
        section.finish(findings);
        web
    }
}

/// `external_urls`: where people find what an alert speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExternalUrls {
    pub grafana: Option<Url>,
    pub kibana: Option<Url>,
    pub tempo: Option<Url>,
    pub jaeger: Option<Url>,
}

impl ExternalUrls {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut urls = ExternalUrls::default();
        let Some(mut section) = Section::open(node, "external_urls", findings) else { return urls };
        urls.grafana = section.read("grafana", findings, scalar::web_address);
        urls.kibana = section.read("kibana", findings, scalar::web_address);
        urls.tempo = section.read("tempo", findings, scalar::web_address);
        urls.jaeger = section.read("jaeger", findings, scalar::web_address);
        section.finish(findings);
        urls
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `key=value` pairs, one line an event.
    #[default]
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// `log`: what Belfry writes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogConfig {
    pub level: LogLevel,
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut log = LogConfig::default();
        let Some(mut section) = Section::open(node, "log", findings) else { return log };
        set(&mut log.level, section.read("level", findings, |node| node.text()?.parse()));
        set(&mut log.format, section.read("format", findings, |node| node.text()?.parse()));
        section.finish(findings);
        log
    }
}

impl LogLevel {
    /// The words for the levels, as the file and the command line have them.
    pub const NAMES: [(&'static str, LogLevel); 5] = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
}

impl std::str::FromStr for LogLevel {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        scalar::word(word, &LogLevel::NAMES)
    }
}

impl std::str::FromStr for LogFormat {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        scalar::word(word, &LogFormat::NAMES)
    }
}

impl LogFormat {
    /// The words for the formats, as the file and the command line have them.
    pub const NAMES: [(&'static str, LogFormat); 2] = [("logfmt", LogFormat::Logfmt), ("json", LogFormat::Json)];
}

/// What was read takes the default's place.
fn set<T>(place: &mut T, read: Option<T>) {
    if let Some(value) = read {
        *place = value;
    }
}
