//! A server that takes what is posted to it and answers as it is told: a webhook, Slack, PagerDuty.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub struct Caught {
    pub path: String,
    pub key: String,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    caught: Vec<Caught>,
    status: u16,
}

pub struct Catcher {
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    /// Its server ends with it.
    _runtime: tokio::runtime::Runtime,
}

impl Catcher {
    pub fn start() -> Catcher {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Mutex::new(Shared { caught: Vec::new(), status: 200 }));
        let app = axum::Router::new().fallback(take).with_state(shared.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, app).await });
        Catcher { address, shared, _runtime: runtime }
    }

    /// What is answered from now on.
    pub fn answer(&self, status: u16) {
        self.shared.lock().unwrap().status = status;
    }

    pub fn caught(&self) -> Vec<Caught> {
        self.shared.lock().unwrap().caught.clone()
    }

    /// An Alertmanager configuration that tells everything to this catcher's webhook.
    pub fn webhook_router(&self) -> String {
        format!(
            "route: {{receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 300ms, repeat_interval: 1h}}\nreceivers:\n- name: hook\n  webhook_configs: [{{url: 'http://{}/webhook'}}]\n",
            self.address
        )
    }
}

async fn take(
    State(shared): State<Arc<Mutex<Shared>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut shared = shared.lock().unwrap();
    let status = StatusCode::from_u16(shared.status).unwrap();
    if status.is_success() {
        shared.caught.push(Caught { path: uri.path().to_owned(), key, body });
    }
    (status, "ok")
}

impl Caught {
    /// Names of the alerts with this status, in the order of the body.
    pub fn names(&self, status: &str) -> Vec<String> {
        let alerts = self.body["alerts"].as_array().cloned().unwrap_or_default();
        let matching = alerts.iter().filter(|alert| alert["status"] == status);
        matching.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    }
}
