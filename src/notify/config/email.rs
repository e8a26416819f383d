//! `email_configs` (contract alertmanager §1.7).

use std::collections::BTreeMap;

use crate::http::{SecretSource, TlsConfig};

use super::Globals;
use super::reader::{Form, Reader};
use super::scalar::HostPort;
use super::shown::{Shown, tls_config};

const DEFAULT_HTML: &str = r#"{{ template "email.default.html" . }}"#;
const DEFAULT_SUBJECT: &str = r#"{{ template "email.default.subject" . }}"#;

/// One email integration, completed from the globals. Texts marked T are templates.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailConfig {
    /// T; a comma-separated list of addresses.
    pub to: String,
    /// T; one address.
    pub from: String,
    pub smarthost: HostPort,
    /// The name for EHLO; empty: none is set by hand.
    pub hello: String,
    /// Empty: no authentication.
    pub auth_username: String,
    pub auth_identity: String,
    /// For PLAIN and LOGIN.
    pub auth_password: Option<SecretSource>,
    /// For CRAM-MD5.
    pub auth_secret: Option<SecretSource>,
    /// Canonical names and T values; always has `Subject`, `To` and `From`.
    pub headers: BTreeMap<String, String>,
    /// T; empty: no HTML part.
    pub html: String,
    /// T; empty: no text part.
    pub text: String,
    /// STARTTLS or nothing, where TLS is not implicit.
    pub require_tls: bool,
    pub tls: TlsConfig,
    /// Unset: by the port, see [`EmailConfig::implicit_tls`].
    pub force_implicit_tls: Option<bool>,
    pub threading: Option<Threading>,
}

/// What messages of a group are gathered under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threading {
    /// One thread a group: `thread_by_date: none`.
    Group,
    /// One thread a group and local day: `thread_by_date: daily`.
    GroupAndDay,
}

impl EmailConfig {
    pub(super) fn read(reader: &mut Reader<'_, '_>, globals: &Globals) -> Option<EmailConfig> {
        let smtp = &globals.smtp;
        let to = reader.template("to", "");
        if to.is_empty() {
            reader.missing("to", "");
        }
        let from = Some(reader.template("from", "")).filter(|from| !from.is_empty());
        let from = from.unwrap_or_else(|| smtp.from.clone());
        if from.is_empty() {
            reader.missing("from", "set it here, or smtp_from in global");
        }
        let has_smarthost = reader.section.some("smarthost").is_some_and(|node| node.text() != Ok(""));
        let smarthost = reader.host_port("smarthost").or_else(|| smtp.smarthost.clone());
        if smarthost.is_none() && !has_smarthost {
            reader.missing("smarthost", "set it here, or smtp_smarthost in global");
        }
        let mut or_global = |key, global: &str| match reader.text(key, "") {
            text if text.is_empty() => global.to_owned(),
            text => text,
        };
        let hello = or_global("hello", &smtp.hello);
        let auth_username = or_global("auth_username", &smtp.auth_username);
        let auth_identity = or_global("auth_identity", &smtp.auth_identity);
        let password = file_first(reader, ["auth_password", "auth_password_file"]);
        let secret = file_first(reader, ["auth_secret", "auth_secret_file"]);
        let headers = headers(reader, &to, &from);
        Some(EmailConfig {
            to,
            from,
            smarthost: smarthost?,
            hello,
            auth_username,
            auth_identity,
            auth_password: password.or_else(|| smtp.auth_password.clone()),
            auth_secret: secret.or_else(|| smtp.auth_secret.clone()),
            threading: threading(reader, &headers),
            headers,
            html: reader.html_template("html", DEFAULT_HTML),
            text: reader.template("text", ""),
            require_tls: reader.optional_boolean("require_tls").unwrap_or(smtp.require_tls),
            tls: reader.mail_tls_config("tls_config").unwrap_or_else(|| smtp.tls.clone()),
            force_implicit_tls: reader.optional_boolean("force_implicit_tls").or(smtp.force_implicit_tls),
        })
    }

    pub(super) fn show(&self, shown: &mut Shown) {
        shown.texts([("to", &self.to), ("from", &self.from), ("hello", &self.hello), ("html", &self.html)]);
        shown.put("smarthost", self.smarthost.to_string());
        shown.text("auth_username", &self.auth_username);
        shown.text("auth_identity", &self.auth_identity);
        shown.secret("auth_password", self.auth_password.as_ref());
        shown.secret("auth_secret", self.auth_secret.as_ref());
        shown.put("headers", serde_json::json!(self.headers));
        shown.text("text", &self.text);
        shown.put("require_tls", self.require_tls);
        if self.tls != TlsConfig::default() {
            shown.put("tls_config", tls_config(&self.tls));
        }
        if let Some(force) = self.force_implicit_tls {
            shown.put("force_implicit_tls", force);
        }
        if let Some(threading) = self.threading {
            let by_date = match threading {
                Threading::Group => "none",
                Threading::GroupAndDay => "daily",
            };
            shown.put("threading", serde_json::json!({"enabled": true, "thread_by_date": by_date}));
        }
    }

    /// Whether the connection starts with TLS (contract alertmanager §8.6, connect).
    pub fn implicit_tls(&self) -> bool {
        self.force_implicit_tls.unwrap_or(self.smarthost.port == "465")
    }
}

/// Unlike elsewhere both may be given here, and the file wins.
fn file_first(reader: &mut Reader<'_, '_>, keys: [&'static str; 2]) -> Option<SecretSource> {
    let (inline, file) = reader.credentials(keys, Form::Secret);
    if let (Some(inline), Some(_)) = (&inline, &file) {
        reader.warning(inline.position, &format!("{} has no effect beside {}", keys[0], keys[1]));
    }
    file.or(inline).map(|given| given.source)
}

fn headers(reader: &mut Reader<'_, '_>, to: &str, from: &str) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in reader.template_map("headers") {
        headers.insert(canonical(&name), value);
    }
    let mut seen = BTreeMap::new();
    for (key, _) in reader.entries("headers") {
        let name = canonical(key.text().unwrap_or_default());
        if let Some(first) = seen.insert(name.clone(), key.position) {
            let help = format!("the first is at {first}; names of headers are the same in any case");
            reader.error_with_help(key.position, &format!("headers: duplicate header {name:?}"), &help);
        }
    }
    for (name, default) in [("Subject", DEFAULT_SUBJECT), ("To", to), ("From", from)] {
        headers.entry(name.to_owned()).or_insert_with(|| default.to_owned());
    }
    headers
}

/// A header's name as Go writes it: `reply-to` is `Reply-To`. What is no name stays as it is.
fn canonical(name: &str) -> String {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.chars().all(is_token) {
        return name.to_owned();
    }
    let mut upper = true;
    let fix = |c: char| {
        let fixed = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        upper = c == '-';
        fixed
    };
    name.chars().map(fix).collect()
}

fn threading(reader: &mut Reader<'_, '_>, headers: &BTreeMap<String, String>) -> Option<Threading> {
    reader.object("threading", |threading| {
        let (enabled, by_date) = (threading.boolean("enabled", false), threading.text("thread_by_date", ""));
        if !enabled {
            return None;
        }
        for name in ["References", "In-Reply-To"] {
            if headers.contains_key(name) {
                let at = threading.position_of("enabled");
                threading.error(at, &format!("enabled does not go with a header {name} of your own"));
            }
        }
        match by_date.as_str() {
            "none" => Some(Threading::Group),
            "daily" => Some(Threading::GroupAndDay),
            _ => {
                let at = threading.position_of("thread_by_date");
                threading.error(at, "thread_by_date must be none or daily");
                None
            }
        }
    })?
}
