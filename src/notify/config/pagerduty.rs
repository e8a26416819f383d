//! `pagerduty_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

use super::HttpUrl;

/// One PagerDuty integration, completed from the globals. Texts are templates and may be empty.
#[derive(Debug, Clone, PartialEq)]
pub struct PagerDutyConfig {
    pub http: HttpConfig,
    pub key: PagerDutyKey,
    /// For the Events API v2 only.
    pub url: HttpUrl,
    pub client: String,
    pub client_url: String,
    pub description: String,
    /// Any nesting; strings are templates. Always has `firing`, `resolved`, `num_firing` and `num_resolved`.
    pub details: serde_json::Map<String, serde_json::Value>,
    pub images: Vec<PagerDutyImage>,
    pub links: Vec<PagerDutyLink>,
    pub source: String,
    /// Empty after rendering: `error`.
    pub severity: String,
    pub class: String,
    pub component: String,
    pub group: String,
}

/// The key decides the API. Its text (or the file's content) is a template.
#[derive(Debug, Clone, PartialEq)]
pub enum PagerDutyKey {
    /// Events API v1: `service_key`, which wins over a routing key.
    Service(SecretSource),
    /// Events API v2: `routing_key`.
    Routing(SecretSource),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerDutyImage {
    /// Empty after rendering: the image is left out.
    pub src: String,
    pub alt: String,
    pub href: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerDutyLink {
    /// Empty after rendering: the link is left out.
    pub href: String,
    pub text: String,
}
