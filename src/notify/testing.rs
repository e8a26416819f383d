//! For the tests of this room: the golden group of contract alertmanager §8.11, and a peer that answers as it is told.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};

use crate::model::{
    Alert, AlertEnd, AlertStatus, Attempt, GroupKey, IntegrationId, LabelSet, Notification, NotificationReason,
    NotifiedAlert, ReceiverData, SystemClock, Timestamp,
};
use crate::template::Templates;
use crate::yaml::{Findings, parse};

use super::config::{Globals, IntegrationConfig, read_receivers};
use super::render::Context;

pub(super) const EXTERNAL_URL: &str = "http://am.example:9093/";

/// The text of `tests/golden/notify/<name>`.
pub(super) fn golden_file(name: &str) -> String {
    let path = format!("{}/tests/golden/notify/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Receiver `team.x`: alert *a* fires, *b* has resolved.
pub(super) fn golden() -> Notification {
    let group_labels = LabelSet::from_pairs([("alertname", "HighCPU"), ("cluster", "eu1")]);
    Notification {
        integration: IntegrationId { receiver: Arc::from("team.x"), kind: "webhook", index: 0 },
        group_key: GroupKey::new("{}", &group_labels),
        group_labels,
        route_labels: Arc::from([("owner".to_owned(), "ops-{{ .GroupLabels.cluster }}".to_owned())]),
        reason: NotificationReason::SomeAlertsResolved,
        alerts: vec![firing_alert(), resolved_alert()],
        tick: at("2026-01-02T03:10:00Z"),
        idempotency_key: Arc::from("0123456789abcdef"),
        receiver_data: ReceiverData::new(),
    }
}

pub(super) fn firing_alert() -> NotifiedAlert {
    let starts_at = at("2026-01-02T03:04:05.678Z");
    NotifiedAlert {
        alert: Arc::new(Alert {
            labels: labels("a:9100"),
            annotations: LabelSet::from_pairs([("description", "CPU <95%> & \"rising\""), ("runbook", "http://rb/1")]),
            starts_at,
            end: AlertEnd::Lease { until: at("2026-01-02T03:20:00Z"), lease: Duration::from_secs(300), ours: true },
            updated_at: at("2026-01-02T03:09:00Z"),
            generator_url: Arc::from("http://prom/graph?g0.expr=up%3D%3D0&g0.tab=1"),
        }),
        status: AlertStatus::Firing,
        starts_at,
        ends_at: None,
    }
}

pub(super) fn resolved_alert() -> NotifiedAlert {
    let starts_at = at("2026-01-02T03:00:00Z");
    let ends_at = at("2026-01-02T03:10:00Z");
    NotifiedAlert {
        alert: Arc::new(Alert {
            labels: labels("b:9100"),
            annotations: LabelSet::from_pairs([("runbook", "http://rb/1")]),
            starts_at,
            end: AlertEnd::Resolved { at: ends_at, ours: false },
            updated_at: ends_at,
            generator_url: Arc::from("http://prom/b"),
        }),
        status: AlertStatus::Resolved,
        starts_at,
        ends_at: Some(ends_at),
    }
}

fn labels(instance: &str) -> LabelSet {
    LabelSet::from_pairs([
        ("alertname", "HighCPU"),
        ("cluster", "eu1"),
        ("instance", instance),
        ("job", "node"),
        ("severity", "critical"),
    ])
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339_lenient(text).unwrap()
}

/// What a list of receivers, found to be in order, has for integrations.
pub(super) fn integrations(source: &str) -> Vec<IntegrationConfig> {
    let mut findings = Findings::new("f");
    let document = parse(source, &mut findings).unwrap();
    let receivers = read_receivers(&document.root.unwrap(), &Globals::default(), Path::new("/"), &mut findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
    receivers.into_iter().flat_map(|receiver| receiver.integrations).collect()
}

pub(super) fn context() -> Context {
    let external_url = Arc::from(EXTERNAL_URL.trim_end_matches('/'));
    Context { templates: Templates::builtin(), external_url, clock: Arc::new(SystemClock::new()) }
}

/// An answer of the peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: String,
}

impl Answer {
    pub(super) fn of(status: u16, body: &str) -> Self {
        Answer { status, headers: &[], body: body.to_owned() }
    }

    pub(super) fn json(body: &str) -> Self {
        Answer { status: 200, headers: &[("content-type", "application/json")], body: body.to_owned() }
    }
}

/// What the peer was sent.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A peer that gives one answer to everything, until it is told another.
pub(super) struct Peer {
    /// Without a path.
    pub(super) url: String,
    answer: Arc<Mutex<Option<Answer>>>,
    received: Arc<Mutex<Vec<Received>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Peer {
    pub(super) async fn start(answer: Answer) -> Self {
        let answer = Arc::new(Mutex::new(Some(answer)));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (told, heard) = (answer.clone(), received.clone());
        let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            heard.lock().unwrap().push(Received { path: uri.to_string(), headers, body });
            let answer = told.lock().unwrap().clone();
            async move {
                let Some(answer) = answer else { return std::future::pending().await };
                let mut headers = HeaderMap::new();
                for (name, value) in answer.headers {
                    headers.insert(*name, value.parse().unwrap());
                }
                (StatusCode::from_u16(answer.status).unwrap(), headers, answer.body)
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Peer { url, answer, received, server }
    }

    pub(super) fn answer_with(&self, answer: Answer) {
        *self.answer.lock().unwrap() = Some(answer);
    }

    pub(super) fn fall_silent(&self) {
        *self.answer.lock().unwrap() = None;
    }

    /// All that came so far, and forgets it.
    pub(super) fn received(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// The one request that came.
    pub(super) fn one(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A verdict in a word, with the peer's hint and the reason.
pub(super) fn verdict(attempt: &Attempt) -> String {
    let after = |after: &Option<Duration>| after.map_or(String::new(), |after| format!(" in {}s", after.as_secs()));
    match attempt {
        Attempt::Delivered { .. } => "delivered".to_owned(),
        Attempt::Unanswered { failure } => format!("retry: {}", failure.reason.as_str()),
        Attempt::Retry { after: hint, failure } => format!("retry{}: {}", after(hint), failure.reason.as_str()),
        Attempt::Rejected { failure } => format!("rejected: {}", failure.reason.as_str()),
    }
}

pub(super) fn detail(attempt: Attempt) -> String {
    match attempt {
        Attempt::Retry { failure, .. } | Attempt::Unanswered { failure } | Attempt::Rejected { failure } => {
            failure.detail
        }
        Attempt::Delivered { .. } => String::new(),
    }
}
