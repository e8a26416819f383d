//! `pagerduty_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

use super::Globals;
use super::reader::{Form, Reader};
use super::scalar::HttpUrl;
use super::shown::{self, Shown};

/// Details that are told unless the user has something else under these keys.
const DEFAULT_DETAILS: [(&str, &str); 4] = [
    ("firing", "{{ .Alerts.Firing | toJson }}"),
    ("resolved", "{{ .Alerts.Resolved | toJson }}"),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
];

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

impl PagerDutyConfig {
    pub(super) fn read(reader: &mut Reader<'_, '_>, globals: &Globals) -> Option<PagerDutyConfig> {
        let http = reader.http_config().unwrap_or_else(|| globals.http.clone());
        let key = key(reader);
        let has_url = reader.section.some("url").is_some();
        let url = reader.url("url").or_else(|| globals.url("pagerduty_url").cloned());
        if url.is_none() && !has_url {
            reader.missing("url", "set it here, or pagerduty_url in global");
        }
        let client = reader.template("client", r#"{{ template "pagerduty.default.client" . }}"#);
        let client_url = reader.template("client_url", r#"{{ template "pagerduty.default.clientURL" . }}"#);
        let description = reader.template("description", r#"{{ template "pagerduty.default.description" . }}"#);
        let mut details = reader.payload_map("details");
        for (name, default) in DEFAULT_DETAILS {
            details.entry(name).or_insert_with(|| default.into());
        }
        let images = reader.objects_or_null("images", |image| PagerDutyImage {
            src: image.template("src", ""),
            alt: image.template("alt", ""),
            href: image.template("href", ""),
        });
        let links = reader.objects_or_null("links", |link| PagerDutyLink {
            href: link.template("href", ""),
            text: link.template("text", ""),
        });
        let source = match reader.template("source", "") {
            source if source.is_empty() => client.clone(),
            source => source,
        };
        let severity = reader.template("severity", "");
        let class = reader.template("class", "");
        let component = reader.template("component", "");
        let group = reader.template("group", "");
        Some(PagerDutyConfig {
            http,
            key: key?,
            url: url?,
            client,
            client_url,
            description,
            details,
            images,
            links,
            source,
            severity,
            class,
            component,
            group,
        })
    }

    pub(super) fn show(&self, shown: &mut Shown) {
        shown.http(&self.http);
        match &self.key {
            PagerDutyKey::Service(source) => shown.secret("service_key", Some(source)),
            PagerDutyKey::Routing(source) => shown.secret("routing_key", Some(source)),
        }
        shown.put("url", self.url.shown());
        shown.texts([("client", &self.client), ("client_url", &self.client_url), ("description", &self.description)]);
        shown.put("details", self.details.clone());
        let image =
            |image: &PagerDutyImage| shown::object([("src", &image.src), ("alt", &image.alt), ("href", &image.href)]);
        shown.list("images", self.images.iter().map(image).collect());
        let link = |link: &PagerDutyLink| shown::object([("href", &link.href), ("text", &link.text)]);
        shown.list("links", self.links.iter().map(link).collect());
        shown.text("source", &self.source);
        shown.text("severity", &self.severity);
        shown.text("class", &self.class);
        shown.text("component", &self.component);
        shown.text("group", &self.group);
    }
}

fn key(reader: &mut Reader<'_, '_>) -> Option<PagerDutyKey> {
    let service = reader.credential(["service_key", "service_key_file"], Form::SecretTemplate);
    let routing = reader.credential(["routing_key", "routing_key_file"], Form::SecretTemplate);
    match (service, routing) {
        (Some(service), routing) => {
            if let Some(unused) = routing {
                reader.warning(unused.position, "the routing key has no effect beside a service key");
            }
            Some(PagerDutyKey::Service(service.source))
        }
        (None, Some(routing)) => Some(PagerDutyKey::Routing(routing.source)),
        (None, None) => {
            reader.missing("routing_key", "set routing_key (Events API v2) or service_key (v1), or a file with one");
            None
        }
    }
}
