//! Health, readiness, reload, and the exposition of Belfry's own metrics.

use std::sync::atomic::Ordering;

use ::prometheus::{Encoder, TextEncoder};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Shared;

pub(super) async fn healthy() -> &'static str {
    "OK"
}

/// 200 once state is restored and the listeners are bound; never depends on a source or a receiver.
pub(super) async fn ready(State(app): State<Shared>) -> Response {
    match app.ready.load(Ordering::Acquire) {
        true => "OK".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

/// All or nothing: a bad file keeps the old configuration running and says why.
pub(super) async fn reload(State(app): State<Shared>) -> Response {
    match (app.reload)().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {why}\n")).into_response(),
    }
}

pub(super) async fn metrics(State(app): State<Shared>) -> Response {
    let mut body = Vec::new();
    let encoder = TextEncoder::new();
    if let Err(error) = encoder.encode(&app.registry.gather(), &mut body) {
        return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
