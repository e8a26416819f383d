//! Which proxy a request goes through.

use reqwest::header::HeaderMap;

use url::{ParseError, Url};

use crate::yaml::{Findings, Node, Section};

use super::auth::texts;
use super::secret::given;
use super::{HttpError, Secret};

/// `proxy_url`, `no_proxy`, `proxy_from_environment`, `proxy_connect_header` (contract alertmanager §1.6).
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ProxyConfig {
    #[default]
    None,
    /// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in either case.
    Environment { connect_headers: Vec<(String, Vec<Secret>)> },
    /// The URL may hold user information.
    Url { url: Secret, no_proxy: Option<String>, connect_headers: Vec<(String, Vec<Secret>)> },
}

impl ProxyConfig {
    pub(super) fn take(section: &mut Section<'_>, findings: &mut Findings) -> ProxyConfig {
        let url_node = section.some("proxy_url");
        let url = given(url_node, findings, section.name());
        let no_proxy_node = section.some("no_proxy");
        let no_proxy = given(no_proxy_node, findings, section.name());
        let environment_node = section.some("proxy_from_environment");
        let from_environment = section.boolean("proxy_from_environment", findings).unwrap_or(false);
        let headers_node = section.some("proxy_connect_header");
        let connect_headers = section.read("proxy_connect_header", findings, connect_headers).unwrap_or_default();

        let mut refuse = |node: Option<&Node>, message: &str| {
            let at = node.map_or(section.position(), |node| node.position);
            findings.error(at, format!("{}: {message}", section.name()));
        };
        if from_environment && url.is_some() {
            refuse(environment_node, "proxy_from_environment does not go with proxy_url");
        }
        if from_environment && no_proxy.is_some() {
            refuse(environment_node, "proxy_from_environment does not go with no_proxy");
        }
        if no_proxy.is_some() && url.is_none() && !from_environment {
            refuse(no_proxy_node, "no_proxy needs a proxy_url");
        }
        if !connect_headers.is_empty() && url.is_none() && !from_environment {
            refuse(headers_node, "proxy_connect_header needs a proxy_url or proxy_from_environment");
        }
        // What is no URL at all is refused; one of a scheme that no proxy speaks loads, as it does at the peer.
        let parses = |url: &str| matches!(Url::parse(url), Ok(_) | Err(ParseError::RelativeUrlWithoutBase));
        if url.is_some_and(|url| !parses(url)) {
            refuse(url_node, "proxy_url: not a URL");
        } else if let (Some(node), Some(url)) = (url_node, url)
            && !is_spoken(url)
        {
            let message = format!("{}: proxy_url: not the URL of a proxy, so nothing can be sent", section.name());
            findings.warning_with_help(node.position, message, "http, https, socks5 and socks5h are spoken");
        }

        match url {
            Some(url) => {
                ProxyConfig::Url { url: Secret::new(url), no_proxy: no_proxy.map(str::to_owned), connect_headers }
            }
            None if from_environment => ProxyConfig::Environment { connect_headers },
            None => ProxyConfig::None,
        }
    }

    /// The proxies to give to a client; none means a direct connection.
    pub(super) fn proxies(&self) -> Result<Vec<reqwest::Proxy>, HttpError> {
        let unusable = |_| HttpError::config("the proxy's URL is unusable");
        match self {
            // The client library would pass over such a proxy and connect directly.
            ProxyConfig::Url { url, .. } if !is_spoken(url.expose()) => Err(HttpError::config(
                "proxy_url is not the URL of a proxy: http, https, socks5 and socks5h are spoken",
            )),
            ProxyConfig::None => Ok(Vec::new()),
            ProxyConfig::Url { url, no_proxy, connect_headers } => {
                let skipped = no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
                let proxy = reqwest::Proxy::all(url.expose()).map_err(unusable)?.no_proxy(skipped);
                Ok(vec![proxy.headers(header_map(connect_headers)?)])
            }
            ProxyConfig::Environment { connect_headers } => {
                let headers = header_map(connect_headers)?;
                let mut proxies = Vec::new();
                if let Some(url) = variable("HTTP_PROXY") {
                    proxies.push(reqwest::Proxy::http(url).map_err(unusable)?);
                }
                if let Some(url) = variable("HTTPS_PROXY") {
                    proxies.push(reqwest::Proxy::https(url).map_err(unusable)?);
                }
                let skip =
                    |proxy: reqwest::Proxy| proxy.no_proxy(reqwest::NoProxy::from_env()).headers(headers.clone());
                Ok(proxies.into_iter().map(skip).collect())
            }
        }
    }
}

/// Whether a client can go through it: `host:port` alone means HTTP.
fn is_spoken(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme);
    let spoken = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    spoken.iter().any(|known| known.eq_ignore_ascii_case(scheme)) && reqwest::Proxy::all(url).is_ok()
}

/// An environment variable in upper or lower case, unless it is empty.
fn variable(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    [name, &lower].into_iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty())
}

fn connect_headers(node: &Node) -> Result<Vec<(String, Vec<Secret>)>, String> {
    let mut headers = Vec::new();
    for (key, value) in node.entries()? {
        let name = key.text()?.to_owned();
        headers.push((name, texts(value)?.into_iter().map(Secret::new).collect()));
    }
    Ok(headers)
}

fn header_map(headers: &[(String, Vec<Secret>)]) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::new();
    for (name, values) in headers {
        for value in values {
            let (name, value) = super::headers::header(name, value.expose())?;
            map.append(name, value);
        }
    }
    Ok(map)
}
