//! All kinds against a server that answers on cue.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use crate::model::{LabelSet, TestClock, Timestamp};
use crate::yaml::{self, Findings};

use super::*;

const GOOD: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1700000000,"1"]}]}}"#;
const GOOD_TRACES: &str = r#"{"series":[{"labels":[{"key":"a","value":{"stringValue":"b"}}],"value":1}]}"#;

/// One answer to come.
enum Cue {
    Say(u16, &'static str),
    With(u16, &'static str, Vec<(&'static str, &'static str)>),
    Bytes(Vec<u8>),
    Never,
}

/// A server with a list of cues; when they are used up it answers 418.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Server {
    async fn start(cues: Vec<Cue>) -> Server {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let cues = Arc::new(Mutex::new(VecDeque::from(cues)));
        let log = seen.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8_lossy(&body).into_owned();
            log.lock().unwrap().push(Seen { method, path: uri.to_string(), headers, body });
            let cue = cues.lock().unwrap().pop_front();
            async move { perform(cue).await }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Server { address, seen }
    }

    /// A source of this server, with more keys of its configuration.
    fn source(&self, kind: &str, more: &str) -> Arc<dyn Source> {
        source(&format!("http://{}/prefix/", self.address), kind, more)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn perform(cue: Option<Cue>) -> Response {
    match cue {
        Some(Cue::Say(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Cue::With(status, body, headers)) => {
            let mut answer = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            answer
        }
        Some(Cue::Bytes(bytes)) => ([(header::CONTENT_ENCODING, "gzip")], Body::from(bytes)).into_response(),
        Some(Cue::Never) => std::future::pending().await,
        None => StatusCode::IM_A_TEAPOT.into_response(),
    }
}

fn source(url: &str, kind: &str, more: &str) -> Arc<dyn Source> {
    let mut findings = Findings::new("f");
    let text = format!("{{name: s, type: {kind}, url: '{url}'{more}}}");
    let document = yaml::parse(&text, &mut findings).unwrap();
    let config = SourceConfig::read(&document.root.unwrap(), Path::new("/"), &mut findings);
    assert!(!findings.has_errors(), "{findings:?}");
    config.unwrap().build(Arc::new(TestClock::new(Timestamp::from_secs(1_700_000_000)))).unwrap()
}

fn query() -> Query {
    Query {
        expr: "up == 0".to_owned(),
        at: Timestamp::from_secs(1_700_000_000),
        window: Some(Duration::from_secs(300)),
        timeout: Duration::from_secs(20),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const KINDS: [(&str, &str); 3] = [("prometheus", GOOD), ("loki", GOOD), ("tempo", GOOD_TRACES)];

#[tokio::test]
async fn every_kind_asks_below_its_url_with_tenant_and_credentials() {
    for (kind, good) in KINDS {
        let server = Server::start(vec![Cue::Say(200, good)]).await;
        let more = ", tenant: 'team|b', query_delay: 30s, http_config: {authorization: {credentials: t}, http_headers: {X-A: {values: [v]}}}";
        let source = server.source(kind, more);
        assert_eq!(
            (source.name(), source.kind().as_str(), source.query_delay()),
            ("s", kind, Some(Duration::from_secs(30)))
        );
        let answer = source.instant(&query()).await.unwrap();
        assert_eq!(answer.samples.len(), 1, "{kind}");
        assert_eq!((&answer.samples[0].labels, answer.samples[0].value), (&LabelSet::from_pairs([("a", "b")]), 1.0));
        assert_eq!(answer.samples[0].at, query().at);
        let seen = server.seen().remove(0);
        for (name, value) in
            [("x-scope-orgid", "team|b"), ("authorization", "Bearer t"), ("x-a", "v"), ("accept-encoding", "gzip")]
        {
            assert_eq!(seen.headers[name], value, "{kind}");
        }
        let want = match kind {
            "prometheus" => ("POST", "/prefix/api/v1/query", "query=up+%3D%3D+0&time=1700000000.000&timeout=20000ms"),
            "loki" => (
                "POST",
                "/prefix/loki/api/v1/query",
                "query=up+%3D%3D+0&time=2023-11-14T22%3A13%3A20Z&direction=forward",
            ),
            _ => {
                ("GET", "/prefix/api/metrics/query?q=up+%3D%3D+0&start=1699999700000000000&end=1700000000000000000", "")
            }
        };
        assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.body.as_str()), want);
    }
}

#[tokio::test]
async fn every_kind_retries_what_may_pass() {
    for (kind, good) in KINDS {
        let server = Server::start(vec![Cue::Say(500, "no"), Cue::Say(429, "slow down"), Cue::Say(200, good)]).await;
        assert_eq!(server.source(kind, "").instant(&query()).await.unwrap().samples.len(), 1);
        assert_eq!(server.seen().len(), 3, "{kind}");
    }
}

#[tokio::test]
async fn a_source_that_is_gone_and_back_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let asked =
        tokio::spawn(async move { source(&format!("http://{address}"), "prometheus", "").instant(&query()).await });
    tokio::task::yield_now().await;
    let app = Router::new().fallback(|| async { GOOD });
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    assert_eq!(asked.await.unwrap().unwrap().samples.len(), 1);
}

#[tokio::test]
async fn a_source_that_is_down_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let short = Query { timeout: Duration::from_millis(300), ..query() };
    let error = source(&format!("http://{address}/s3cret"), "loki", "").instant(&short).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[tokio::test]
async fn retry_after_is_kept_and_ends_the_attempts_if_it_is_too_long() {
    let server = Server::start(vec![
        Cue::With(503, "later", vec![("retry-after", "1")]),
        Cue::With(429, "much later", vec![("retry-after", "3600")]),
        Cue::Say(200, GOOD),
    ])
    .await;
    let started = tokio::time::Instant::now();
    let error = server.source("prometheus", "").instant(&query()).await.unwrap_err();
    assert_eq!(error.to_string(), "the source answered with status 429: much later");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_retried_and_says_where_in_the_expression() {
    let prometheus =
        r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: x"}"#;
    let cases = [
        ("prometheus", 400, prometheus, "invalid parameter \"query\": 1:5: parse error: x", Some((1, 5))),
        ("prometheus", 422, r#"{"status":"error","errorType":"execution","error":"boom"}"#, "boom", None),
        (
            "loki",
            400,
            "parse error at line 1, col 7: syntax error\n",
            "parse error at line 1, col 7: syntax error",
            Some((1, 7)),
        ),
        ("loki", 400, r#"{"code":400,"status":"error","message":"too many"}"#, "too many", None),
        (
            "tempo",
            400,
            "invalid TraceQL query: parse error at line 2, col 3: x",
            "invalid TraceQL query: parse error at line 2, col 3: x",
            Some((2, 3)),
        ),
        ("loki", 401, "", "no reason given", None),
        ("prometheus", 302, "", "no reason given", None),
    ];
    for (kind, status, body, want, position) in cases {
        let server = Server::start(vec![Cue::Say(status, body)]).await;
        let error = server.source(kind, "").instant(&query()).await.unwrap_err();
        assert_eq!(error.expression_position(), position);
        let SourceError::Rejected { status: got, detail } = error else { panic!("{error:?}") };
        assert_eq!((got, detail.as_str()), (status, want));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_source_that_gave_up_on_an_expression_is_not_asked_again() {
    let body = r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    let server = Server::start(vec![Cue::Say(503, body)]).await;
    let error = server.source("prometheus", "").instant(&query()).await.unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { status: 503, .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_post_that_is_refused_becomes_a_get_and_stays_one() {
    let server = Server::start(vec![Cue::Say(405, ""), Cue::Say(200, GOOD), Cue::Say(200, GOOD)]).await;
    let source = server.source("prometheus", "");
    for _ in 0..2 {
        source.instant(&query()).await.unwrap();
    }
    let seen = server.seen();
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
    assert_eq!(seen[1].path, "/prefix/api/v1/query?query=up+%3D%3D+0&time=1700000000.000&timeout=20000ms");
}

#[tokio::test]
async fn the_query_and_the_source_both_limit_the_time() {
    for (kind, _) in KINDS {
        let server = Server::start(vec![Cue::Never, Cue::Never]).await;
        let short = Query { timeout: Duration::from_millis(50), ..query() };
        let error = server.source(kind, "").instant(&short).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within 50ms");
        let error = server.source(kind, ", timeout: 60ms").instant(&query()).await.unwrap_err();
        assert!(matches!(error, SourceError::Timeout { after } if after == Duration::from_millis(60)));
    }
}

#[tokio::test]
async fn answers_are_limited_after_decompression() {
    let many = GOOD.replace('[', &format!("[{}", " ".repeat(1 << 20)));
    let server = Server::start(vec![Cue::Bytes(gzip(many.as_bytes())), Cue::Bytes(gzip(many.as_bytes()))]).await;
    let error = server.source("loki", ", max_response: 64KiB").instant(&query()).await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: 65536 }), "{error:?}");
    assert_eq!(server.source("loki", "").instant(&query()).await.unwrap().samples.len(), 1);
}

#[tokio::test]
async fn connections_are_used_again() {
    let ports: Arc<Mutex<Vec<u16>>> = Arc::default();
    let log = ports.clone();
    let app = Router::new().fallback(move |from: axum::extract::ConnectInfo<SocketAddr>| {
        log.lock().unwrap().push(from.port());
        async { GOOD }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let source = source(&format!("http://{address}"), "prometheus", "");
    for _ in 0..3 {
        source.instant(&query()).await.unwrap();
    }
    let ports = ports.lock().unwrap().clone();
    assert!(ports.len() == 3 && ports.iter().all(|port| *port == ports[0]), "{ports:?}");
}

#[tokio::test]
async fn ranges_and_probes_are_asked_of_every_kind() {
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[60,"1"]]}]},"warnings":["w"]}"#;
    let traces = r#"{"series":[{"samples":[{"timestampMs":"60000","value":1}]}]}"#;
    let range = RangeQuery {
        expr: "up".to_owned(),
        start: Timestamp::from_secs(0),
        end: Timestamp::from_secs(60),
        step: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
    };
    for (kind, body, warnings) in [("prometheus", matrix, 1), ("loki", matrix, 1), ("tempo", traces, 0)] {
        let server = Server::start(vec![Cue::Say(200, body), Cue::Say(200, "{}"), Cue::Say(401, "who?")]).await;
        let source = server.source(kind, "");
        let answer = source.range(&range).await.unwrap();
        assert_eq!(answer.series[0].points, [(Timestamp::from_secs(60), 1.0)]);
        assert_eq!(answer.warnings.len(), warnings);
        source.probe().await.unwrap();
        assert_eq!(
            source.probe().await.unwrap_err().to_string(),
            "the source rejected the query with status 401: who?"
        );
    }
}

#[tokio::test]
async fn a_query_of_traces_without_a_window_is_not_sent() {
    let server = Server::start(vec![]).await;
    let error = server.source("tempo", "").instant(&Query { window: None, ..query() }).await.unwrap_err();
    assert!(matches!(error, SourceError::Query { .. }));
    assert!(server.seen().is_empty());
}
