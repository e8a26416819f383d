//! How a request proves who it comes from: the mutually exclusive keys of `http_config`.

use std::path::Path;

use crate::yaml::{Findings, Node, Section, free_form};

use super::proxy::ProxyConfig;
use super::secret::given;
use super::{Secret, SecretSource, TlsConfig};

/// One of `basic_auth`, `authorization` (or the old bearer keys) and `oauth2` (contract alertmanager §1.6).
#[derive(Debug, Clone, PartialEq)]
pub enum Authorization {
    Basic {
        username: Option<SecretSource>,
        password: Option<SecretSource>,
    },
    /// `<scheme> <credentials>`
    Header {
        scheme: String,
        credentials: Option<SecretSource>,
    },
    OAuth2(Box<OAuth2>),
}

/// `oauth2` with the client credentials grant (RFC 6749 §4.4).
#[derive(Debug, Clone, PartialEq)]
pub struct OAuth2 {
    pub client_id: String,
    pub client_secret: Option<SecretSource>,
    pub token_url: Secret,
    pub scopes: Vec<String>,
    pub endpoint_params: Vec<(String, String)>,
    pub tls: TlsConfig,
    pub proxy: ProxyConfig,
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

impl Authorization {
    /// Takes all keys that authorize from an `http_config`; more than one of them is a finding at the second.
    pub(super) fn take(section: &mut Section<'_>, dir: &Path, findings: &mut Findings) -> Option<Authorization> {
        let basic_auth = section.some("basic_auth");
        let authorization = section.some("authorization");
        let oauth2 = section.some("oauth2");
        let bearer_nodes = [section.some("bearer_token"), section.some("bearer_token_file")];
        let bearer = bearer_nodes.map(|node| given(node, findings, section.name()));

        let keys = [basic_auth, authorization, oauth2, bearer[0].and(bearer_nodes[0]), bearer[1].and(bearer_nodes[1])];
        let mut present: Vec<&Node> = keys.into_iter().flatten().collect();
        present.sort_by_key(|node| node.position);
        if let [_, second, ..] = present.as_slice() {
            let message = format!(
                "{}: at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file may be given",
                section.name()
            );
            findings.error(second.position, message);
        }

        let name = |key: &str| format!("{}: {key}", section.name());
        if let Some(node) = basic_auth {
            return basic(node, name("basic_auth"), dir, findings);
        }
        if let Some(node) = authorization {
            return header(node, name("authorization"), dir, findings);
        }
        if let Some(node) = oauth2 {
            return OAuth2::read(node, name("oauth2"), dir, findings).map(|read| Authorization::OAuth2(Box::new(read)));
        }
        let credentials = match bearer {
            [Some(token), _] => SecretSource::Inline(Secret::new(token)),
            [None, Some(path)] => SecretSource::File(dir.join(path)),
            [None, None] => return None,
        };
        Some(Authorization::Header { scheme: "Bearer".to_owned(), credentials: Some(credentials) })
    }
}

fn basic(node: &Node, name: String, dir: &Path, findings: &mut Findings) -> Option<Authorization> {
    let mut section = Section::open(node, name, findings)?;
    let username = SecretSource::take(&mut section, ["username", "username_file", "username_ref"], dir, findings);
    let password = SecretSource::take(&mut section, ["password", "password_file", "password_ref"], dir, findings);
    section.finish(findings);
    Some(Authorization::Basic { username, password })
}

fn header(node: &Node, name: String, dir: &Path, findings: &mut Findings) -> Option<Authorization> {
    let mut section = Section::open(node, name, findings)?;
    let kind = section.some("type");
    let scheme =
        given(kind, findings, section.name()).map(str::trim).filter(|text| !text.is_empty()).unwrap_or("Bearer");
    if let (Some(kind), true) = (kind, scheme.eq_ignore_ascii_case("basic")) {
        let message = format!("{}: type: {scheme:?} needs a user name and a password", section.name());
        findings.error_with_help(kind.position, message, "use basic_auth");
    }
    let credentials =
        SecretSource::take(&mut section, ["credentials", "credentials_file", "credentials_ref"], dir, findings);
    section.finish(findings);
    Some(Authorization::Header { scheme: scheme.to_owned(), credentials })
}

impl OAuth2 {
    fn read(node: &Node, name: String, dir: &Path, findings: &mut Findings) -> Option<OAuth2> {
        let mut section = Section::open(node, name, findings)?;
        let client_id = section.text("client_id", findings).filter(|text| !text.is_empty());
        let token_url_node = section.some("token_url");
        let token_url = given(token_url_node, findings, section.name());
        let client_secret = SecretSource::take(
            &mut section,
            ["client_secret", "client_secret_file", "client_secret_ref"],
            dir,
            findings,
        );
        let scopes = section.read("scopes", findings, texts).unwrap_or_default();
        let endpoint_params = section.read("endpoint_params", findings, pairs).unwrap_or_default();
        let tls = match section.some("tls_config") {
            Some(node) => TlsConfig::read(node, &format!("{}: tls_config", section.name()), dir, findings)?,
            None => TlsConfig::default(),
        };
        let proxy = ProxyConfig::take(&mut section, findings);
        grant(&mut section, dir, findings);
        for (key, missing) in [("client_id", client_id.is_none()), ("token_url", token_url.is_none())] {
            if missing {
                findings.error(section.position(), format!("{}: {key} is missing", section.name()));
            }
        }
        if let (Some(node), Some(text)) = (token_url_node, token_url)
            && url::Url::parse(text).is_err()
        {
            // The peer finds out at the first send.
            findings
                .warning(node.position, format!("{}: token_url: not a URL, so no token can be had", section.name()));
        }
        section.finish(findings);
        let (client_id, token_url) = (client_id?, Secret::new(token_url?));
        Some(OAuth2 { client_id, client_secret, token_url, scopes, endpoint_params, tls, proxy })
    }
}

/// Reads the grant and all that only the JWT grant has: known, checked, but not to be had yet.
fn grant(section: &mut Section<'_>, dir: &Path, findings: &mut Findings) {
    let grant_type = section.some("grant_type");
    match (grant_type, given(grant_type, findings, section.name())) {
        (Some(node), Some(JWT_BEARER)) => {
            let message = format!("{}: grant_type: the JWT bearer grant is not there yet", section.name());
            findings.error_with_help(node.position, message, "use client_credentials");
        }
        (Some(node), Some(other)) if other != "client_credentials" => {
            let message = format!("{}: grant_type: unknown grant {other:?}", section.name());
            findings.error_with_help(node.position, message, format!("client_credentials or {JWT_BEARER}"));
        }
        _ => {}
    }
    let key = ["client_certificate_key", "client_certificate_key_file", "client_certificate_key_ref"];
    SecretSource::take(section, key, dir, findings);
    let algorithm = |node: &Node| match node.text()? {
        "" | "RS256" | "RS384" | "RS512" => Ok(()),
        other => Err(format!("{other:?} is none of RS256, RS384 and RS512")),
    };
    section.read("signature_algorithm", findings, algorithm);
    for key in ["client_certificate_key_id", "iss", "audience"] {
        section.text(key, findings);
    }
    section.read("claims", findings, |node| node.entries().map(|_| free_form(node)));
}

/// A list of texts.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, String> {
    node.items()?.iter().map(|item| item.text().map(str::to_owned)).collect()
}

/// A mapping of texts, in file order.
fn pairs(node: &Node) -> Result<Vec<(String, String)>, String> {
    node.entries()?.iter().map(|(key, value)| Ok((key.text()?.to_owned(), value.text()?.to_owned()))).collect()
}
