//! The golden group of contract alertmanager §8.11, for the tests of this room.

use std::sync::Arc;

use crate::model::{
    Alert, AlertEnd, AlertStatus, GroupKey, IntegrationId, LabelSet, Notification, NotificationReason, NotifiedAlert,
    ReceiverData, Timestamp,
};

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
            annotations: LabelSet::from_pairs([
                ("description", "CPU <95%> & \"rising\""),
                ("runbook", "http://rb/1"),
            ]),
            starts_at,
            end: AlertEnd::Lease {
                until: at("2026-01-02T03:20:00Z"),
                lease: std::time::Duration::from_secs(300),
                ours: true,
            },
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
