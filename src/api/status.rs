//! `GET /api/v2/status` and `/receivers`: what amtool asks first.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::{Shared, json_v2};

/// amtool compares major and minor with its own and warns on anything else, so this is the peer's, not Belfry's.
const PEER_VERSION: &str = "0.34.0";

pub(super) async fn status(State(app): State<Shared>) -> Response {
    json_v2(&json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": (app.shown_config)()},
        "uptime": app.started.to_rfc3339_millis(),
        "versionInfo": {
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "",
            "revision": format!("belfry {}", env!("CARGO_PKG_VERSION")),
            "version": PEER_VERSION,
        },
    }))
}

pub(super) async fn receivers(State(app): State<Shared>) -> Response {
    let config = app.router.config();
    let list = config.receivers.iter().map(|receiver| json!({"labels": receiver.labels, "name": *receiver.name}));
    json_v2(&list.collect())
}
