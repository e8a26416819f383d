//! The client against servers that answer on cue.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response as Answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What a server was sent.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A server on a port of its own.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(answer: impl Fn(&Seen) -> Answer + Clone + Send + Sync + 'static) -> Server {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = seen.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let request =
                Seen { method, path: uri.to_string(), headers, body: String::from_utf8_lossy(&body).into_owned() };
            log.lock().unwrap().push(request.clone());
            let answer = answer(&request);
            async move { answer }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Server { address, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn client(config: &HttpConfig) -> Client {
    Client::new(config, ClientOptions { max_response: 1000, ..ClientOptions::default() }).unwrap()
}

fn with(authorization: Authorization) -> HttpConfig {
    HttpConfig { authorization: Some(authorization), ..HttpConfig::default() }
}

fn inline(text: &str) -> SecretSource {
    SecretSource::Inline(Secret::new(text))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_built() {
    let server = Server::start(|_| (StatusCode::CREATED, "ok").into_response()).await;
    let request = Request::post(&server.url("/p?a=1"))
        .query("b", "x y&")
        .header("X-Scope-OrgID", "team")
        .form(vec![("query".to_owned(), "up == 0".to_owned())]);
    let answer = client(&HttpConfig::default()).send(request).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (201, b"ok".as_slice()));
    let seen = server.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.body.as_str()),
        ("POST", "/p?a=1&b=x+y%26", "query=up+%3D%3D+0")
    );
    assert_eq!(seen.header("x-scope-orgid"), "team");
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(seen.header("user-agent"), concat!("Belfry/", env!("CARGO_PKG_VERSION")));
    assert_eq!(seen.header("accept-encoding"), "gzip");
}

#[tokio::test]
async fn credentials_are_sent_and_secret_files_are_read_at_every_send() {
    let server = Server::start(|_| "ok".into_response()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let file =
        with(Authorization::Header { scheme: "Token".to_owned(), credentials: Some(SecretSource::File(path.clone())) });
    let basic = with(Authorization::Basic { username: Some(inline("user")), password: Some(inline("p:w")) });
    let from_file = client(&file);
    from_file.send(Request::get(&server.url("/"))).await.unwrap();
    std::fs::write(&path, "two").unwrap();
    from_file.send(Request::get(&server.url("/"))).await.unwrap();
    from_file.send(Request::get(&server.url("/")).bearer(&Secret::new("own"))).await.unwrap();
    client(&basic).send(Request::get(&server.url("/"))).await.unwrap();
    let in_url = format!("http://u%40x:pw@{}/", server.address);
    client(&HttpConfig::default()).send(Request::get(&in_url)).await.unwrap();
    let sent: Vec<String> = server.seen().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(sent, ["Token one", "Token two", "Bearer own", "Basic dXNlcjpwOnc=", "Basic dUB4OnB3"]);

    std::fs::remove_file(&path).unwrap();
    let error = from_file.send(Request::get(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::SecretFile { path: named, .. } if *named == path));
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn configured_headers_are_added_to_those_of_the_request() {
    let server = Server::start(|_| "ok".into_response()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h");
    std::fs::write(&path, "c").unwrap();
    let header = HeaderConfig {
        name: "X-A".to_owned(),
        values: vec!["a".to_owned()],
        secrets: vec![Secret::new("b")],
        files: vec![path],
    };
    let config = HttpConfig { headers: vec![header], ..HttpConfig::default() };
    client(&config).send(Request::get(&server.url("/")).header("X-A", "own")).await.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!(seen.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["own", "a", "b", "c"]);
}

#[tokio::test]
async fn the_limit_counts_after_decompression_and_spares_refusals() {
    let server = Server::start(|seen| {
        let status = if seen.path == "/refused" { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        let body = match seen.path.as_str() {
            "/bomb" | "/refused" => gzip(&vec![b'a'; 1 << 20]),
            _ => gzip(&[b'a'; 1000]),
        };
        (status, [(header::CONTENT_ENCODING, "gzip")], Body::from(body)).into_response()
    })
    .await;
    let client = client(&HttpConfig::default());
    assert_eq!(client.send(Request::get(&server.url("/fits"))).await.unwrap().body, vec![b'a'; 1000]);
    let error = client.send(Request::get(&server.url("/bomb"))).await.unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { limit: 1000 }), "{error}");
    let refused = client.send(Request::get(&server.url("/refused"))).await.unwrap();
    assert_eq!((refused.status, refused.body.len()), (502, 1000));
}

/// A server that answers the head and then a byte now and then, for ever.
async fn drip() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await;
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    address
}

#[tokio::test]
async fn the_deadline_is_for_the_whole_exchange() {
    let url = format!("http://{}/?token=s3cret", drip().await);
    let request = Request::get(&url).timeout(Duration::from_millis(50));
    let error = client(&HttpConfig::default()).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout), "{error}");
}

#[tokio::test]
async fn errors_show_no_part_of_a_url() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let unspoken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = unspoken.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = unspoken.accept().await {
            let _ = stream.write_all(b"SSH-2.0 \r\n\r\n").await;
        }
    });
    let client = client(&HttpConfig::default());
    for url in [
        format!("http://{closed}/s3cret?token=s3cret"),
        format!("http://{address}/s3cret?token=s3cret"),
        format!("https://user:s3cret@{address}/s3cret"),
        "https://no-such-host.invalid/s3cret".to_owned(),
        "s3cret".to_owned(),
        "ftp://s3cret/".to_owned(),
    ] {
        let error = client.send(Request::get(&url)).await.unwrap_err();
        let shown = format!("{error} {error:?} {client:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("/s"), "{shown}");
    }
    let refused = client.send(Request::get(&format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(refused, HttpError::Connect { .. }) && refused.is_retryable(), "{refused}");
}

#[tokio::test]
async fn redirects_are_followed_only_as_far_as_secrets_may_go() {
    let target = Server::start(|_| "there".into_response()).await;
    let away = target.url("/end");
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/away" => Redirect::temporary(&away).into_response(),
        "/loop" => Redirect::temporary("/loop").into_response(),
        "/near" => Redirect::temporary("/end").into_response(),
        _ => "here".into_response(),
    })
    .await;
    let token = with(Authorization::Header { scheme: "Bearer".to_owned(), credentials: Some(inline("t")) });
    let follows = client(&token);
    let near = follows.send(Request::post(&server.url("/near")).json_bytes(b"{}".to_vec())).await.unwrap();
    assert_eq!(near.body, b"here");
    assert_eq!((server.seen()[1].body.as_str(), server.seen()[1].header("authorization")), ("{}", "Bearer t"));
    assert_eq!(follows.send(Request::get(&server.url("/away"))).await.unwrap().body, b"there");
    assert_eq!(target.seen()[0].header("authorization"), "");
    let error = follows.send(Request::get(&server.url("/loop"))).await.unwrap_err();
    assert_eq!(error.to_string(), "too many redirects");

    let stays = client(&HttpConfig { follow_redirects: false, ..token });
    assert_eq!(stays.send(Request::get(&server.url("/near"))).await.unwrap().status, 307);

    let key = HeaderConfig { name: "X-Key".to_owned(), values: vec![], secrets: vec![Secret::new("k")], files: vec![] };
    let keyed = client(&HttpConfig { headers: vec![key], ..HttpConfig::default() });
    assert_eq!(keyed.send(Request::get(&server.url("/near"))).await.unwrap().body, b"here");
    keyed.send(Request::get(&server.url("/away"))).await.unwrap_err();
    assert_eq!(target.seen().len(), 1);
}

#[tokio::test]
async fn a_proxy_sees_the_whole_url_and_its_own_credentials() {
    let proxy = Server::start(|_| "proxied".into_response()).await;
    let config = ProxyConfig::Url {
        url: Secret::new(format!("http://u:p@{}", proxy.address)),
        no_proxy: None,
        connect_headers: vec![],
    };
    let client = client(&HttpConfig { proxy: config, ..HttpConfig::default() });
    let answer = client.send(Request::get("http://example.invalid/x")).await.unwrap();
    assert_eq!(answer.body, b"proxied");
    let seen = proxy.seen().remove(0);
    assert_eq!((seen.path.as_str(), seen.header("proxy-authorization")), ("http://example.invalid/x", "Basic dTpw"));
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_never_passed_over() {
    let config = ProxyConfig::Url { url: Secret::new("gopher://x"), no_proxy: None, connect_headers: vec![] };
    let made = Client::new(&HttpConfig { proxy: config, ..HttpConfig::default() }, ClientOptions::default());
    assert!(matches!(made.unwrap_err(), HttpError::Config { .. }));
}

fn oauth2(server: &Server) -> OAuth2 {
    OAuth2 {
        client_id: "id".to_owned(),
        client_secret: Some(inline("sec ret")),
        token_url: Secret::new(server.url("/token")),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        endpoint_params: vec![("audience".to_owned(), "x".to_owned())],
        tls: TlsConfig::default(),
        proxy: ProxyConfig::None,
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_after_it_was_refused() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.header("authorization")) {
        ("/token", "Basic aWQ6c2VjK3JldA==") => {
            r#"{"access_token":"t1","token_type":"bearer","expires_in":3600}"#.into_response()
        }
        ("/refuses", _) => StatusCode::UNAUTHORIZED.into_response(),
        (_, "Bearer t1") => "ok".into_response(),
        _ => StatusCode::IM_A_TEAPOT.into_response(),
    })
    .await;
    let client = client(&with(Authorization::OAuth2(Box::new(oauth2(&server)))));
    for (path, status) in [("/", 200), ("/", 200), ("/refuses", 401), ("/", 200)] {
        assert_eq!(client.send(Request::get(&server.url(path))).await.unwrap().status, status);
    }
    let seen = server.seen();
    let fetches: Vec<&Seen> = seen.iter().filter(|seen| seen.path == "/token").collect();
    assert_eq!(fetches.len(), 2);
    assert_eq!(fetches[0].body, "grant_type=client_credentials&scope=a+b&audience=x");
}

#[tokio::test]
async fn a_token_that_expires_at_once_is_fetched_for_every_request_and_the_style_is_learnt() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.body.contains("client_secret=sec+ret")) {
        ("/token", true) => r#"{"access_token":"t1","expires_in":"5"}"#.into_response(),
        ("/token", false) => StatusCode::BAD_REQUEST.into_response(),
        _ => "ok".into_response(),
    })
    .await;
    let client = client(&with(Authorization::OAuth2(Box::new(oauth2(&server)))));
    for _ in 0..2 {
        client.send(Request::get(&server.url("/"))).await.unwrap();
    }
    let paths: Vec<String> = server.seen().iter().map(|seen| seen.path.clone()).collect();
    assert_eq!(paths, ["/token", "/token", "/", "/token", "/"]);
}

#[tokio::test]
async fn a_refused_token_names_the_code_and_nothing_else() {
    let server = Server::start(|_| {
        (StatusCode::BAD_REQUEST, r#"{"error":"invalid_client","error_description":"sec ret"}"#).into_response()
    })
    .await;
    let client = client(&with(Authorization::OAuth2(Box::new(oauth2(&server)))));
    let error = client.send(Request::get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.to_string(), "no access token: the authorization server answered 400: invalid_client");
    assert!(!error.is_retryable());
}

mod mutual_tls {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig, ServerConnection};

    use super::*;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// Certificate and key in PEM form.
    fn issue(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
    }

    /// Answers one request per connection over TLS, to holders of the authority's certificates only.
    async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> SocketAddr {
        let (certificate, key) = issue(authority, name);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, config) = (stream.unwrap(), config.clone());
                std::thread::spawn(move || {
                    let mut connection = ServerConnection::new(config).unwrap();
                    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
                    let mut buffer = [0; 1024];
                    if std::io::Read::read(&mut tls, &mut buffer).is_ok_and(|read| read > 0) {
                        let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
                        connection.send_close_notify();
                        let _ = connection.complete_io(&mut stream);
                    }
                });
            }
        });
        address
    }

    async fn get(tls: TlsConfig, url: &str) -> Result<Response, HttpError> {
        client(&HttpConfig { tls, ..HttpConfig::default() }).send(Request::get(url)).await
    }

    #[tokio::test]
    async fn certificates_prove_both_sides() {
        let authority = authority();
        let address = serve(&authority, "localhost").await;
        let (certificate, key) = issue(&authority, "client");
        let identity = Some(Identity { certificate: inline(&certificate), key: inline(&key) });
        let good = TlsConfig { ca: Some(inline(&authority.pem())), identity, ..TlsConfig::default() };
        let by_name = format!("https://localhost:{}/", address.port());
        let by_address = format!("https://{address}/");

        assert_eq!(get(good.clone(), &by_name).await.unwrap().body, b"ok");
        let named = TlsConfig { server_name: Some("localhost".to_owned()), ..good.clone() };
        assert_eq!(get(named, &by_address).await.unwrap().body, b"ok");
        let careless = TlsConfig { ca: None, insecure_skip_verify: true, ..good.clone() };
        assert_eq!(get(careless, &by_address).await.unwrap().body, b"ok");
        for max_version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            assert!(get(TlsConfig { max_version: Some(max_version), ..good.clone() }, &by_name).await.is_ok());
        }

        let bad = [
            (TlsConfig { ca: None, ..good.clone() }, &by_name),
            (TlsConfig { identity: None, ..good.clone() }, &by_name),
            (good.clone(), &by_address),
            (TlsConfig { server_name: Some("other".to_owned()), ..good.clone() }, &by_name),
        ];
        for (tls, url) in bad {
            let error = get(tls, url).await.unwrap_err();
            assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_rotated_certificate_is_used_without_a_reload() {
        let (old, new) = (authority(), authority());
        let address = serve(&new, "localhost").await;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let write = |authority: &CertifiedIssuer<'static, KeyPair>| {
            let (certificate, key) = issue(authority, "client");
            std::fs::write(path("ca"), authority.pem()).unwrap();
            std::fs::write(path("cert"), certificate).unwrap();
            std::fs::write(path("key"), key).unwrap();
        };
        write(&old);
        let identity =
            Some(Identity { certificate: SecretSource::File(path("cert")), key: SecretSource::File(path("key")) });
        let tls = TlsConfig { ca: Some(SecretSource::File(path("ca"))), identity, ..TlsConfig::default() };
        let client = client(&HttpConfig { tls, ..HttpConfig::default() });
        let url = format!("https://localhost:{}/", address.port());
        client.send(Request::get(&url)).await.unwrap_err();
        write(&new);
        assert_eq!(client.send(Request::get(&url)).await.unwrap().body, b"ok");
    }

    #[test]
    fn what_cannot_work_is_found_when_the_client_is_made() {
        let cases = [
            (TlsConfig { ca: Some(inline("x")), ..TlsConfig::default() }, "ca holds no certificate in PEM form"),
            (
                TlsConfig {
                    identity: Some(Identity { certificate: inline("x"), key: inline("y") }),
                    ..TlsConfig::default()
                },
                "cert holds no certificate in PEM form",
            ),
            (
                TlsConfig { max_version: Some(TlsVersion::Tls11), ..TlsConfig::default() },
                "max_version allows only versions of TLS older than 1.2, which are not spoken",
            ),
        ];
        for (tls, want) in cases {
            let made = Client::new(&HttpConfig { tls, ..HttpConfig::default() }, ClientOptions::default());
            assert_eq!(made.unwrap_err().to_string(), want);
        }
    }
}
