//! `webhook_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

use super::Globals;
use super::reader::{Form, Reader};
use super::shown::Shown;

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

impl WebhookConfig {
    pub(super) fn read(reader: &mut Reader<'_, '_>, globals: &Globals) -> Option<WebhookConfig> {
        let http = reader.http_config().unwrap_or_else(|| globals.http.clone());
        let url = reader.required_credential(["url", "url_file"], Form::SecretTemplateUrl, None, "");
        let (max_alerts, payload) = (reader.unsigned("max_alerts"), reader.payload("payload"));
        Some(WebhookConfig { http, url: url?, max_alerts, payload })
    }

    pub(super) fn show(&self, shown: &mut Shown) {
        shown.http(&self.http);
        shown.secret("url", Some(&self.url));
        shown.put("max_alerts", self.max_alerts);
        if let Some(payload) = &self.payload {
            shown.put("payload", payload.clone());
        }
    }
}
