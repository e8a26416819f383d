//! `global` (contract alertmanager §1.3): what integrations are completed from.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::http::{HttpConfig, SecretSource, TlsConfig};
use crate::model::format_duration;
use crate::yaml::{Findings, Position, Section};

use super::reader::{Credential, Form, Reader};
use super::scalar::{HostPort, HttpUrl};
use super::shown::{Shown, http_config, tls_config};

/// The section `global`.
#[derive(Debug, Clone, PartialEq)]
pub struct Globals {
    pub resolve_timeout: Duration,
    pub http: HttpConfig,
    pub smtp: SmtpGlobals,
    pub wechat_api_corp_id: String,
    /// By key.
    urls: BTreeMap<&'static str, HttpUrl>,
    /// By key, without `_file`.
    secrets: BTreeMap<&'static str, SecretSource>,
}

/// The keys `smtp_*`.
#[derive(Debug, Clone, PartialEq)]
pub struct SmtpGlobals {
    /// Empty: none.
    pub from: String,
    pub smarthost: Option<HostPort>,
    pub hello: String,
    pub auth_username: String,
    pub auth_identity: String,
    pub auth_password: Option<SecretSource>,
    pub auth_secret: Option<SecretSource>,
    pub require_tls: bool,
    pub tls: TlsConfig,
    pub force_implicit_tls: Option<bool>,
}

/// Keys that hold a URL, and their defaults.
const URLS: [(&str, &str); 9] = [
    ("slack_app_url", "https://slack.com/api/chat.postMessage"),
    ("pagerduty_url", "https://events.pagerduty.com/v2/enqueue"),
    ("opsgenie_api_url", "https://api.opsgenie.com/"),
    ("victorops_api_url", "https://alert.victorops.com/integrations/generic/20131114/alert/"),
    ("wechat_api_url", "https://qyapi.weixin.qq.com/cgi-bin/"),
    ("telegram_api_url", "https://api.telegram.org"),
    ("webex_api_url", "https://webexapis.com/v1/messages"),
    ("rocketchat_api_url", "https://open.rocket.chat/"),
    ("jira_api_url", ""),
];

/// Keys that hold a secret, or a file with one.
const SECRETS: [([&str; 2], Form); 9] = [
    (["slack_api_url", "slack_api_url_file"], Form::SecretUrl),
    (["slack_app_token", "slack_app_token_file"], Form::Secret),
    (["opsgenie_api_key", "opsgenie_api_key_file"], Form::Secret),
    (["victorops_api_key", "victorops_api_key_file"], Form::Secret),
    (["wechat_api_secret", "wechat_api_secret_file"], Form::Secret),
    (["telegram_bot_token", "telegram_bot_token_file"], Form::Secret),
    (["rocketchat_token", "rocketchat_token_file"], Form::Secret),
    (["rocketchat_token_id", "rocketchat_token_id_file"], Form::Secret),
    (["mattermost_webhook_url", "mattermost_webhook_url_file"], Form::SecretUrl),
];

impl Default for Globals {
    fn default() -> Self {
        let default = |(key, text): &(&'static str, &str)| Some((*key, HttpUrl::parse(text).ok()?));
        Globals {
            resolve_timeout: Duration::from_secs(300),
            http: HttpConfig::default(),
            smtp: SmtpGlobals::default(),
            wechat_api_corp_id: String::new(),
            urls: URLS.iter().filter_map(default).collect(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Default for SmtpGlobals {
    fn default() -> Self {
        SmtpGlobals {
            from: String::new(),
            smarthost: None,
            hello: "localhost".to_owned(),
            auth_username: String::new(),
            auth_identity: String::new(),
            auth_password: None,
            auth_secret: None,
            require_tls: true,
            tls: TlsConfig::default(),
            force_implicit_tls: None,
        }
    }
}

impl Globals {
    /// Takes every key of the section. Paths in `http_config` start at `dir`, all others are used as written.
    pub fn read(section: &mut Section<'_>, dir: &Path, findings: &mut Findings) -> Globals {
        let defaults = Globals::default();
        let reader = &mut Reader::new(section, dir, findings);
        let resolve_timeout = reader.duration("resolve_timeout", defaults.resolve_timeout);
        let http = reader.http_config().unwrap_or_default();
        let smtp = SmtpGlobals::read(reader);
        let mut urls = defaults.urls;
        for (key, _) in URLS {
            // Null takes the default away: then integrations need a URL of their own.
            if reader.section.take(key).is_some_and(|node| node.is_null()) {
                urls.remove(key);
            }
            urls.extend(reader.url(key).map(|url| (key, url)));
        }
        let mut secrets = BTreeMap::new();
        for (keys, form) in SECRETS {
            secrets.extend(reader.credential(keys, form).map(|given| (keys[0], given)));
        }
        refuse_two_ways_to_slack(reader, &secrets, &urls);
        Globals {
            resolve_timeout,
            http,
            smtp,
            wechat_api_corp_id: reader.text("wechat_api_corp_id", ""),
            urls,
            secrets: secrets.into_iter().map(|(key, given)| (key, given.source)).collect(),
        }
    }

    /// The URL under a key such as `pagerduty_url`.
    pub fn url(&self, key: &str) -> Option<&HttpUrl> {
        self.urls.get(key)
    }

    /// The secret under a key such as `slack_app_token`, or the file under the key with `_file`.
    pub fn secret(&self, key: &str) -> Option<&SecretSource> {
        self.secrets.get(key)
    }

    /// The section as it is in effect (contract alertmanager §1.12).
    pub fn shown(&self) -> serde_json::Value {
        let mut shown = Shown::default();
        shown.put("resolve_timeout", format_duration(self.resolve_timeout));
        shown.put("http_config", http_config(&self.http));
        self.smtp.show(&mut shown);
        for (key, url) in &self.urls {
            shown.put(key, url.shown());
        }
        for (key, source) in &self.secrets {
            shown.secret(key, Some(source));
        }
        // Beside a token only this one URL may stand. It is no secret, and hidden it would not load again.
        let app_url = self.url("slack_app_url");
        if self.secret("slack_app_token").is_some()
            && let (Some(SecretSource::Inline(url)), Some(app_url)) = (self.secret("slack_api_url"), app_url)
            && url.expose() == app_url.as_str()
        {
            shown.put("slack_api_url", app_url.shown());
        }
        shown.text("wechat_api_corp_id", &self.wechat_api_corp_id);
        shown.into_value()
    }
}

/// An app's token and a webhook exclude each other, but for an old work-around where the webhook is the app's URL.
fn refuse_two_ways_to_slack(
    reader: &mut Reader<'_, '_>,
    secrets: &BTreeMap<&'static str, Credential>,
    urls: &BTreeMap<&'static str, HttpUrl>,
) {
    let (Some(token), Some(webhook)) = (secrets.get("slack_app_token"), secrets.get("slack_api_url")) else { return };
    let is_app_url = match (&webhook.source, urls.get("slack_app_url")) {
        (SecretSource::Inline(url), Some(app_url)) => url.expose() == app_url.as_str(),
        _ => false,
    };
    if !is_app_url {
        let at: Position = token.position.max(webhook.position);
        let message = "slack_app_token and slack_api_url (or their files) may not be given together";
        reader.error_with_help(
            at,
            message,
            "give the one that all Slack receivers are to use, and the other in receivers",
        );
    }
}

impl SmtpGlobals {
    fn read(reader: &mut Reader<'_, '_>) -> SmtpGlobals {
        let defaults = SmtpGlobals::default();
        let secret =
            |reader: &mut Reader<'_, '_>, keys| reader.credential(keys, Form::Secret).map(|given| given.source);
        SmtpGlobals {
            from: reader.text("smtp_from", ""),
            smarthost: reader.host_port("smtp_smarthost"),
            hello: reader.text("smtp_hello", &defaults.hello),
            auth_username: reader.text("smtp_auth_username", ""),
            auth_identity: reader.text("smtp_auth_identity", ""),
            auth_password: secret(reader, ["smtp_auth_password", "smtp_auth_password_file"]),
            auth_secret: secret(reader, ["smtp_auth_secret", "smtp_auth_secret_file"]),
            require_tls: reader.boolean("smtp_require_tls", defaults.require_tls),
            tls: reader.mail_tls_config("smtp_tls_config").unwrap_or_default(),
            force_implicit_tls: reader.optional_boolean("smtp_force_implicit_tls"),
        }
    }

    fn show(&self, shown: &mut Shown) {
        shown.text("smtp_from", &self.from);
        if let Some(smarthost) = &self.smarthost {
            shown.put("smtp_smarthost", smarthost.to_string());
        }
        shown.put("smtp_hello", self.hello.as_str());
        shown.text("smtp_auth_username", &self.auth_username);
        shown.text("smtp_auth_identity", &self.auth_identity);
        shown.secret("smtp_auth_password", self.auth_password.as_ref());
        shown.secret("smtp_auth_secret", self.auth_secret.as_ref());
        shown.put("smtp_require_tls", self.require_tls);
        if self.tls != TlsConfig::default() {
            shown.put("smtp_tls_config", tls_config(&self.tls));
        }
        if let Some(force) = self.force_implicit_tls {
            shown.put("smtp_force_implicit_tls", force);
        }
    }
}
