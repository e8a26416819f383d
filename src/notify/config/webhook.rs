//! `webhook_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

/// One webhook, completed from the globals.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookConfig {
    pub http: HttpConfig,
    /// Its text (or the file's content) is a template.
    pub url: SecretSource,
    /// 0: all.
    pub max_alerts: u64,
    /// Replaces the body (contract alertmanager §8.7); strings and keys are templates.
    pub payload: Option<serde_json::Value>,
}
