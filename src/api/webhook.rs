//! `POST /api/v1/webhooks/alertmanager`: Alertmanager's webhook (version 4) and Grafana's superset of it become alerts.
//!
//! Each alert keeps its own labels, annotations, start, end and generator URL, so its fingerprint here is its fingerprint
//! there. A firing one has a zero end and is repeated only every `repeat_interval`: it holds a lease of
//! `webhooks.resolve_timeout` (semantics §2). Fields of the group (receiver, common labels, truncation) are not copied.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::model::{LabelSet, PostedAlert, Timestamp};

use super::{Shared, alerts, coded};

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    alerts: Vec<WebhookAlert>,
    #[serde(default)]
    truncated_alerts: u64,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookAlert {
    #[serde(default)]
    status: String,
    labels: LabelSet,
    #[serde(default)]
    annotations: LabelSet,
    #[serde(default)]
    starts_at: String,
    #[serde(default)]
    ends_at: String,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
}

pub(super) async fn alertmanager(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = alerts::wrong_content_type(&headers) {
        return refused;
    }
    let body: Body = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(error) => return coded(StatusCode::BAD_REQUEST, 400, &format!("webhook body: {error}")),
    };
    if body.truncated_alerts > 0 {
        app.metrics.truncated.inc_by(body.truncated_alerts);
        tracing::warn!(truncated = body.truncated_alerts, "a webhook left alerts out; raise max_alerts at its sender");
    }
    let now = app.clock.now();
    let lease = app.limits.webhook_lease;
    let posted = body.alerts.into_iter().map(|alert| mapped(alert, now, lease)).collect();
    alerts::answer(app.router.post(posted, "webhook").await)
}

fn mapped(alert: WebhookAlert, now: Timestamp, lease: std::time::Duration) -> PostedAlert {
    let time = |text: &str| Timestamp::parse_rfc3339_lenient(text).filter(|at| at.as_millis() > 0);
    let ends_at = time(&alert.ends_at);
    let ends_at = match alert.status.as_str() {
        // Grafana sends a future end with a resolved alert if clocks differ; it is over all the same.
        "resolved" => Some(ends_at.unwrap_or(now).min(now)),
        _ => ends_at.filter(|at| *at > now),
    };
    let starts_at = time(&alert.starts_at).map(|at| ends_at.map_or(at, |end| at.min(end)));
    PostedAlert {
        labels: alert.labels,
        annotations: alert.annotations,
        starts_at,
        ends_at,
        generator_url: alert.generator_url.into(),
        lease: Some(lease),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: &str) -> PostedAlert {
        mapped(
            serde_json::from_str(json).unwrap(),
            Timestamp::from_secs(1_800_000_000),
            std::time::Duration::from_secs(86_400),
        )
    }

    #[test]
    fn a_zero_end_is_a_lease_and_a_resolved_alert_is_over() {
        let firing = map(
            r#"{"status":"firing","labels":{"a":"b"},"startsAt":"2026-01-02T03:04:05Z","endsAt":"0001-01-01T00:00:00Z"}"#,
        );
        assert_eq!((firing.ends_at, firing.lease), (None, Some(std::time::Duration::from_secs(86_400))));
        let over = map(
            r#"{"status":"resolved","labels":{"a":"b"},"startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:00:00Z"}"#,
        );
        assert_eq!(over.ends_at.map(Timestamp::to_rfc3339).as_deref(), Some("2026-01-02T04:00:00Z"));
        let ahead = map(r#"{"status":"resolved","labels":{"a":"b"},"endsAt":"2037-01-02T04:00:00Z"}"#);
        assert_eq!(ahead.ends_at, Some(Timestamp::from_secs(1_800_000_000)));
    }

    #[test]
    fn grafanas_superset_is_taken() {
        let body = r#"{"receiver":"r","status":"firing","orgId":1,"title":"t","state":"alerting","message":"m","version":"1",
            "groupKey":"k","truncatedAlerts":0,"alerts":[{"status":"firing","labels":{"alertname":"A"},"annotations":{},
            "startsAt":"2026-01-02T03:04:05.123456789Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://g/1",
            "fingerprint":"x","silenceURL":"http://g/s","dashboardURL":"","panelURL":"","values":{"B":22}}]}"#;
        assert_eq!(serde_json::from_str::<Body>(body).unwrap().alerts.len(), 1);
    }
}
