//! The shown configuration (contract alertmanager §1.12): only keys that the peer's own loader knows, defaults filled in,
//! secrets as `<secret>`. What is empty by default and is empty is left out.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::http::{
    Authorization, HeaderConfig, HttpConfig, OAuth2, ProxyConfig, Secret, SecretSource, TlsConfig, TlsVersion,
};

use super::scalar::{SHOWN_SECRET, without_password};

/// A section being shown.
#[derive(Default)]
pub(super) struct Shown(Map<String, Value>);

impl Shown {
    pub fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Unless it is empty.
    pub fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, text);
        }
    }

    /// A text that is not empty by default is shown when it is.
    pub fn texts<const N: usize>(&mut self, texts: [(&str, &str); N]) {
        for (key, text) in texts {
            self.put(key, text);
        }
    }

    /// Under the key itself, or under its `_file` twin.
    pub fn secret(&mut self, key: &str, source: Option<&SecretSource>) {
        match source {
            Some(SecretSource::Inline(_)) => self.put(key, SHOWN_SECRET),
            Some(SecretSource::File(path)) => self.put(&format!("{key}_file"), path_text(path)),
            None => {}
        }
    }

    pub fn list(&mut self, key: &str, list: Vec<Value>) {
        if !list.is_empty() {
            self.put(key, list);
        }
    }

    pub fn http(&mut self, http: &HttpConfig) {
        self.put("http_config", http_config(http));
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// An object of those texts that are not empty.
pub(super) fn object<const N: usize>(texts: [(&str, &str); N]) -> Value {
    let mut shown = Shown::default();
    for (key, text) in texts {
        shown.text(key, text);
    }
    shown.into_value()
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn http_config(http: &HttpConfig) -> Value {
    let mut shown = Shown::default();
    match &http.authorization {
        None => {}
        Some(Authorization::Basic { username, password }) => {
            let mut basic = Shown::default();
            match username {
                // A user name is no secret.
                Some(SecretSource::Inline(name)) => basic.put("username", name.expose()),
                other => basic.secret("username", other.as_ref()),
            }
            basic.secret("password", password.as_ref());
            shown.put("basic_auth", basic.into_value());
        }
        Some(Authorization::Header { scheme, credentials }) => {
            let mut authorization = Shown::default();
            authorization.put("type", scheme.as_str());
            authorization.secret("credentials", credentials.as_ref());
            shown.put("authorization", authorization.into_value());
        }
        Some(Authorization::OAuth2(config)) => shown.put("oauth2", oauth2(config)),
    }
    if http.tls != TlsConfig::default() {
        shown.put("tls_config", tls_config(&http.tls));
    }
    shown.put("follow_redirects", http.follow_redirects);
    shown.put("enable_http2", http.enable_http2);
    put_proxy(&mut shown, &http.proxy);
    if !http.headers.is_empty() {
        let headers: Map<String, Value> =
            http.headers.iter().map(|header| (header.name.clone(), http_header(header))).collect();
        shown.put("http_headers", headers);
    }
    shown.into_value()
}

fn oauth2(config: &OAuth2) -> Value {
    let mut shown = Shown::default();
    shown.put("client_id", config.client_id.as_str());
    shown.secret("client_secret", config.client_secret.as_ref());
    shown.put("token_url", without_password(config.token_url.expose()));
    shown.list("scopes", config.scopes.iter().map(|scope| json!(scope)).collect());
    if !config.endpoint_params.is_empty() {
        let params: Map<String, Value> =
            config.endpoint_params.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        shown.put("endpoint_params", params);
    }
    if config.tls != TlsConfig::default() {
        shown.put("tls_config", tls_config(&config.tls));
    }
    put_proxy(&mut shown, &config.proxy);
    shown.into_value()
}

fn put_proxy(shown: &mut Shown, proxy: &ProxyConfig) {
    let headers = match proxy {
        ProxyConfig::None => return,
        ProxyConfig::Environment { connect_headers } => {
            shown.put("proxy_from_environment", true);
            connect_headers
        }
        ProxyConfig::Url { url, no_proxy, connect_headers } => {
            shown.put("proxy_url", without_password(url.expose()));
            shown.text("no_proxy", no_proxy.as_deref().unwrap_or_default());
            connect_headers
        }
    };
    if !headers.is_empty() {
        let headers: Map<String, Value> =
            headers.iter().map(|(name, values)| (name.clone(), json!(hidden(values)))).collect();
        shown.put("proxy_connect_header", headers);
    }
}

fn http_header(header: &HeaderConfig) -> Value {
    let mut shown = Shown::default();
    shown.list("values", header.values.iter().map(|value| json!(value)).collect());
    shown.list("secrets", hidden(&header.secrets));
    shown.list("files", header.files.iter().map(|path| json!(path_text(path))).collect());
    shown.into_value()
}

fn hidden(secrets: &[Secret]) -> Vec<Value> {
    secrets.iter().map(|_| json!(SHOWN_SECRET)).collect()
}

pub(super) fn tls_config(tls: &TlsConfig) -> Value {
    let mut shown = Shown::default();
    let mut certificate = |key: &str, source: Option<&SecretSource>| match source {
        // A certificate is no secret.
        Some(SecretSource::Inline(pem)) => shown.put(key, pem.expose()),
        other => shown.secret(key, other),
    };
    certificate("ca", tls.ca.as_ref());
    if let Some(identity) = &tls.identity {
        certificate("cert", Some(&identity.certificate));
        shown.secret("key", Some(&identity.key));
    }
    shown.text("server_name", tls.server_name.as_deref().unwrap_or_default());
    shown.put("insecure_skip_verify", tls.insecure_skip_verify);
    for (key, version) in [("min_version", tls.min_version), ("max_version", tls.max_version)] {
        if let Some(version) = version {
            shown.put(key, tls_version(version));
        }
    }
    shown.into_value()
}

fn tls_version(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "TLS10",
        TlsVersion::Tls11 => "TLS11",
        TlsVersion::Tls12 => "TLS12",
        TlsVersion::Tls13 => "TLS13",
    }
}
