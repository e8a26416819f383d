//! `http_config`, whole.

use std::path::Path;

use crate::yaml::{Findings, Node, Section};

use super::{Authorization, HeaderConfig, ProxyConfig, TlsConfig};

/// How requests of one kind are made (contract alertmanager §1.6).
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConfig {
    pub authorization: Option<Authorization>,
    pub tls: TlsConfig,
    pub follow_redirects: bool,
    pub enable_http2: bool,
    pub proxy: ProxyConfig,
    pub headers: Vec<HeaderConfig>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            authorization: None,
            tls: TlsConfig::default(),
            follow_redirects: true,
            enable_http2: true,
            proxy: ProxyConfig::None,
            headers: Vec::new(),
        }
    }
}

impl HttpConfig {
    /// Reads a section that findings call `what`; null gives the defaults. Relative paths start at `dir`.
    pub fn read(node: &Node, what: &str, dir: &Path, findings: &mut Findings) -> Option<HttpConfig> {
        let mut section = Section::open(node, what, findings)?;
        let authorization = Authorization::take(&mut section, dir, findings);
        let tls = match section.some("tls_config") {
            Some(node) => TlsConfig::read(node, &format!("{what}: tls_config"), dir, findings),
            None => Some(TlsConfig::default()),
        };
        let follow_redirects = section.boolean("follow_redirects", findings).unwrap_or(true);
        let enable_http2 = section.boolean("enable_http2", findings).unwrap_or(true);
        let proxy = ProxyConfig::take(&mut section, findings);
        let headers = match section.some("http_headers") {
            Some(node) => HeaderConfig::read_all(node, &format!("{what}: http_headers"), dir, findings),
            None => Vec::new(),
        };
        section.finish(findings);
        Some(HttpConfig { authorization, tls: tls?, follow_redirects, enable_http2, proxy, headers })
    }

    /// Whether an `authorization` or a bearer key is given (Slack's app token would take their place).
    pub fn has_authorization(&self) -> bool {
        matches!(self.authorization, Some(Authorization::Header { .. }))
    }
}

#[cfg(test)]
mod tests {
    use crate::http::{Secret, SecretSource, TlsVersion};
    use crate::yaml;

    use super::*;

    fn read(source: &str) -> (Option<HttpConfig>, Vec<String>) {
        let mut findings = Findings::new("f");
        let document = yaml::parse(source, &mut findings).unwrap();
        let config = HttpConfig::read(&document.root.unwrap(), "http_config", Path::new("/etc/belfry"), &mut findings);
        (config, findings.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_whole_http_config_is_read() {
        let (config, found) = read(
            "authorization: {type: Token, credentials_file: secrets/token}\n\
             follow_redirects: no\n\
             enable_http2: false\n\
             proxy_url: http://user:pw@proxy:3128\n\
             no_proxy: localhost,10.0.0.0/8\n\
             proxy_connect_header: {X-Via: [a, b]}\n\
             http_headers:\n  X-Team: {values: [core], secrets: [s3], files: [h]}\n\
             tls_config: {ca_file: ca.pem, cert_file: /abs/c.pem, key_file: k.pem, server_name: x, min_version: TLS12, max_version: TLS13}\n",
        );
        assert_eq!(found, Vec::<String>::new());
        let config = config.unwrap();
        assert!(config.has_authorization());
        let want = Authorization::Header {
            scheme: "Token".to_owned(),
            credentials: Some(SecretSource::File("/etc/belfry/secrets/token".into())),
        };
        assert_eq!(config.authorization, Some(want));
        assert_eq!((config.follow_redirects, config.enable_http2), (false, false));
        assert!(
            matches!(&config.proxy, ProxyConfig::Url { no_proxy: Some(_), connect_headers, .. } if connect_headers[0].1.len() == 2)
        );
        let header = &config.headers[0];
        assert_eq!((header.name.as_str(), header.secrets.len()), ("X-Team", 1));
        assert_eq!(header.files, [Path::new("/etc/belfry/h")]);
        assert_eq!(config.tls.ca, Some(SecretSource::File("/etc/belfry/ca.pem".into())));
        assert_eq!(config.tls.identity.as_ref().unwrap().certificate, SecretSource::File("/abs/c.pem".into()));
        assert_eq!(config.tls.min_version, Some(TlsVersion::Tls12));
        let shown = format!("{config:?}");
        for secret in ["pw", "s3"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn null_and_nothing_give_the_defaults() {
        assert_eq!(read("~").0, Some(HttpConfig::default()));
        assert_eq!(
            read("{basic_auth: , tls_config: , http_headers: , proxy_url: '', no_proxy: ''}"),
            (Some(HttpConfig::default()), vec![])
        );
    }

    #[test]
    fn bearer_keys_become_an_authorization() {
        let want = |credentials| Authorization::Header { scheme: "Bearer".to_owned(), credentials: Some(credentials) };
        assert_eq!(
            read("bearer_token: t").0.unwrap().authorization,
            Some(want(SecretSource::Inline(Secret::new("t"))))
        );
        assert_eq!(
            read("bearer_token_file: t").0.unwrap().authorization,
            Some(want(SecretSource::File("/etc/belfry/t".into())))
        );
        assert!(!read("basic_auth: {username: a}").0.unwrap().has_authorization());
    }

    #[test]
    fn what_the_peer_rejects_is_rejected_where_it_stands() {
        let one_of =
            "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file may be given";
        let cases = [
            ("basic_auth: {username: a}\nbearer_token: b", format!("f:2:15: http_config: {one_of}")),
            ("authorization: {credentials: b}\nbasic_auth: {username: a}", format!("f:2:13: http_config: {one_of}")),
            ("bearer_token: b\nbearer_token_file: b", format!("f:2:20: http_config: {one_of}")),
            ("basic_auth: {}\noauth2: {client_id: a, token_url: http://x}", format!("f:2:9: http_config: {one_of}")),
            (
                "basic_auth: {username: a, username_file: b}",
                "f:1:42: http_config: basic_auth: at most one of username, username_file and username_ref may be given".to_owned(),
            ),
            (
                "basic_auth: {password: a, password_file: b}",
                "f:1:42: http_config: basic_auth: at most one of password, password_file and password_ref may be given".to_owned(),
            ),
            (
                "basic_auth: {username_ref: a}",
                "f:1:28: http_config: basic_auth: username_ref: there is no secret manager to take it from\n  help: use username_file".to_owned(),
            ),
            (
                "authorization: {type: ' BASIC '}",
                "f:1:23: http_config: authorization: type: \"BASIC\" needs a user name and a password\n  help: use basic_auth".to_owned(),
            ),
            ("oauth2: {token_url: http://x}", "f:1:9: http_config: oauth2: client_id is missing".to_owned()),
            ("oauth2: {client_id: x}", "f:1:9: http_config: oauth2: token_url is missing".to_owned()),
            (
                "oauth2: {client_id: x, token_url: http://x, signature_algorithm: HS256}",
                "f:1:66: http_config: oauth2: signature_algorithm: \"HS256\" is none of RS256, RS384 and RS512".to_owned(),
            ),
            ("no_proxy: x", "f:1:11: http_config: no_proxy needs a proxy_url".to_owned()),
            (
                "proxy_from_environment: true\nproxy_url: http://p",
                "f:1:25: http_config: proxy_from_environment does not go with proxy_url".to_owned(),
            ),
            (
                "proxy_from_environment: true\nno_proxy: x",
                "f:1:25: http_config: proxy_from_environment does not go with no_proxy".to_owned(),
            ),
            (
                "proxy_connect_header: {a: [b]}",
                "f:1:23: http_config: proxy_connect_header needs a proxy_url or proxy_from_environment".to_owned(),
            ),
            (
                "http_headers: {user-agent: {values: [x]}}",
                "f:1:16: http_config: http_headers: the header \"user-agent\" is set by other means".to_owned(),
            ),
            (
                "http_headers: {X-Amz-Date: {values: [x]}}",
                "f:1:16: http_config: http_headers: the header \"X-Amz-Date\" is set by other means".to_owned(),
            ),
            ("proxy_url: 'http://['", "f:1:12: http_config: proxy_url: not a URL".to_owned()),
            ("proxy_url: http://p
no_proxy: [x]", "f:2:11: http_config: expected a string, found a list".to_owned()),
            ("tls_config: {cert_file: a}", "f:1:13: http_config: tls_config: a certificate needs a key".to_owned()),
            ("tls_config: {key: a}", "f:1:13: http_config: tls_config: a key needs a certificate".to_owned()),
            ("tls_config: {ca: a, ca_file: b}", "f:1:30: http_config: tls_config: at most one of ca, ca_file and ca_ref may be given".to_owned()),
            (
                "tls_config: {min_version: TLS13, max_version: TLS12}",
                "f:1:47: http_config: tls_config: max_version is below min_version".to_owned(),
            ),
            (
                "tls_config: {min_version: SSL3}",
                "f:1:27: http_config: tls_config: min_version: \"SSL3\" is none of TLS10, TLS11, TLS12 and TLS13".to_owned(),
            ),
            ("follow_redirects: 'yes'", "f:1:19: http_config: follow_redirects: expected a boolean, found the string \"yes\"".to_owned()),
            ("folow_redirects: yes", "f:1:1: unknown key \"folow_redirects\" in http_config\n  help: did you mean \"follow_redirects\"?".to_owned()),
        ];
        for (source, want) in cases {
            assert_eq!(read(source).1, [want], "{source}");
        }
    }

    #[test]
    fn neighbours_of_reserved_headers_pass() {
        assert_eq!(
            read("http_headers: {X-Prometheus-Other: {values: [x]}, X-Amz-Other: {values: [x]}}").1,
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_the_peer_loads_and_cannot_send_is_a_warning() {
        let cases = [
            (
                "http_headers: {'a b': {values: [x]}}",
                "f:1:16: warning: http_config: http_headers: \"a b\" is no header name, so nothing can be sent",
            ),
            (
                "http_headers: {a: {secrets: [\"x\\ny\"]}}",
                "f:1:19: warning: http_config: http_headers: a value of \"a\" cannot stand in a header, so nothing can be sent",
            ),
            (
                "oauth2: {client_id: a, token_url: x}",
                "f:1:35: warning: http_config: oauth2: token_url: not a URL, so no token can be had",
            ),
            (
                "proxy_url: gopher://x",
                "f:1:12: warning: http_config: proxy_url: not the URL of a proxy, so nothing can be sent\n  help: http, https, socks5 and socks5h are spoken",
            ),
        ];
        for (source, want) in cases {
            assert_eq!(read(source).1, [want], "{source}");
        }
    }

    #[test]
    fn old_tls_versions_are_read_with_a_warning() {
        let (config, found) = read("tls_config: {min_version: TLS10}");
        assert_eq!(config.unwrap().tls.min_version, Some(TlsVersion::Tls10));
        assert_eq!(
            found,
            ["f:1:27: warning: http_config: tls_config: min_version: TLS 1.2 is the oldest that is spoken"]
        );
        assert_eq!(
            read("tls_config: {max_version: TLS11}").1,
            [
                "f:1:27: warning: http_config: tls_config: max_version: TLS 1.2 is the oldest that is spoken, so no connection will come about"
            ]
        );
    }
}
