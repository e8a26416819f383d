//! The HTTP surface: Alertmanager's API v2, Prometheus' v1, incoming webhooks, health, metrics.
//!
//! Reads through handles, never the cores themselves; filtering and JSON happen here. Every request has a limit on its
//! body and its time, and there is a limit on how many are under way.

mod alerts;
mod debug;
mod health;
mod prometheus;
mod status;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::db::Db;
use crate::metrics::{HistogramVec, IntCounter, IntGauge, Registry, counter, histogram_vec, int_gauge};
use crate::model::{Clock, Timestamp};
use crate::router::Router;
use crate::rules::GroupView;

/// Puts the files on disk in force; the error is what is wrong with them, as it is printed.
pub type Reload = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A snapshot of all rule groups.
pub type RulesView = Arc<dyn Fn() -> Vec<Arc<GroupView>> + Send + Sync>;

/// What the handlers share.
pub struct App {
    pub router: Router,
    pub rules: RulesView,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub registry: Registry,
    pub reload: Reload,
    pub ready: AtomicBool,
    pub started: Timestamp,
    /// The effective router configuration as YAML, secrets hidden.
    pub shown_config: Box<dyn Fn() -> String + Send + Sync>,
    pub limits: Limits,
    pub metrics: HttpMetrics,
    /// Tokens of which a request must bear one; none means that no request must.
    pub bearer_tokens: Vec<crate::http::Secret>,
}

/// What requests may weigh.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub body: usize,
    /// Requests under way at once.
    pub concurrency: usize,
    pub timeout: Duration,
    /// The lease of a webhook's alert without an end.
    pub webhook_lease: Duration,
}

/// Metrics of the surface itself.
pub struct HttpMetrics {
    duration: HistogramVec,
    in_flight: IntGauge,
    refused: IntCounter,
    truncated: IntCounter,
    permits: Semaphore,
}

impl HttpMetrics {
    pub fn new(registry: &Registry, concurrency: usize) -> Self {
        HttpMetrics {
            duration: histogram_vec(
                registry,
                "alertmanager_http_request_duration_seconds",
                "How long requests took, by handler, method and code.",
                &["handler", "method", "code"],
                &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
            ),
            in_flight: int_gauge(registry, "belfry_http_requests_in_flight", "Requests under way."),
            refused: counter(
                registry,
                "belfry_http_concurrency_limit_exceeded_total",
                "Requests refused because too many were under way.",
            ),
            truncated: counter(
                registry,
                "belfry_webhook_truncated_alerts_total",
                "Alerts that senders of webhooks left out of their bodies.",
            ),
            permits: Semaphore::new(concurrency),
        }
    }
}

type Shared = Arc<App>;

/// All routes.
pub fn routes(app: Arc<App>) -> axum::Router {
    let body = DefaultBodyLimit::max(app.limits.body);
    axum::Router::new()
        .route("/api/v2/alerts", post(alerts::post_alerts))
        .route("/api/v2/status", get(status::status))
        .route("/api/v2/receivers", get(status::receivers))
        .route("/api/v1/rules", get(prometheus::rules))
        .route("/api/v1/alerts", get(prometheus::alerts))
        .route("/api/v1/history", get(debug::history))
        .route("/api/v1/debug/groups", get(debug::groups))
        .route("/api/v1/webhooks/alertmanager", post(webhook::alertmanager))
        .route("/-/reload", post(health::reload))
        .layer(middleware::from_fn_with_state(app.clone(), authorize))
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(not_found)
        .layer(body)
        .layer(middleware::from_fn_with_state(app.clone(), bounded))
        .with_state(app)
}

impl App {
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }
}

/// Limits the time of a request and how many are under way, and measures both.
async fn bounded(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.metrics.permits.try_acquire() else {
        app.metrics.refused.inc();
        return busy("too many requests under way");
    };
    let handler = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().as_str().to_ascii_lowercase();
    app.metrics.in_flight.inc();
    let started = app.clock.monotonic();
    let response = match tokio::time::timeout(app.limits.timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => busy("the request took too long"),
    };
    app.metrics.in_flight.dec();
    let took = app.clock.monotonic().saturating_sub(started);
    let code = response.status().as_u16().to_string();
    app.metrics.duration.with_label_values(&[&handler, &method, &code]).observe(took.as_secs_f64());
    response
}

async fn authorize(State(app): State<Shared>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let offered = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let offered = offered.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let allowed = app.bearer_tokens.is_empty()
        || app.bearer_tokens.iter().any(|token| equal_in_constant_time(token.expose(), offered));
    if allowed {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))], "unauthorized\n")
        .into_response()
}

/// Compares hashes, so that the time taken tells nothing of the token.
fn equal_in_constant_time(a: &str, b: &str) -> bool {
    crate::model::sha256_hex(a.as_bytes()) == crate::model::sha256_hex(b.as_bytes())
}

fn busy(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from_static("5"))], format!("{why}\n"))
        .into_response()
}

async fn not_found(request: Request) -> Response {
    let path = request.uri().path();
    match path.strip_prefix("/api/v2") {
        Some(rest) => {
            let message = format!("path /api/v2{rest} was not found");
            coded(StatusCode::NOT_FOUND, 404, &message)
        }
        None => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}

/// An error that came before the operation: `{"code": N, "message": "…"}` (contract alertmanager §7.1).
fn coded(status: StatusCode, code: u32, message: &str) -> Response {
    let body = serde_json::json!({"code": code, "message": message}).to_string();
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// An error of an operation: a bare JSON string (contract alertmanager §7.1).
fn told(status: StatusCode, message: &str) -> Response {
    let body = format!("{}\n", serde_json::Value::from(message));
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// A JSON answer of Alertmanager's API.
fn json_v2(value: &serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, format!("{value}\n")).into_response()
}
