//! The router's metrics: Alertmanager's names where they apply, `belfry_*` beside them.

use std::time::Duration;

use crate::metrics::{
    HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry, counter_vec, histogram_vec, int_gauge, int_gauge_vec,
};
use crate::model::{Alert, AlertEnd, Attempt, FailureReason, Timestamp};

use super::RouterConfig;
use super::core::{Census, Outcome};

/// See the module.
pub struct Metrics {
    received: IntCounterVec,
    invalid: IntCounterVec,
    alerts: IntGauge,
    groups: IntGauge,
    notifications: IntCounterVec,
    failed: IntCounterVec,
    requests: IntCounterVec,
    requests_failed: IntCounterVec,
    latency: HistogramVec,
    receivers: IntGauge,
    integrations: IntGaugeVec,
    inhibition_rules: IntGauge,
    outbox_rows: IntGauge,
    outbox_oldest: IntGauge,
    outbox_rejected: IntCounterVec,
    inbox: IntGauge,
}

impl Metrics {
    pub fn new(registry: &Registry) -> Self {
        Metrics {
            received: counter_vec(
                registry,
                "alertmanager_alerts_received_total",
                "Alerts received, by status and by the interface that they came through.",
                &["status", "version"],
            ),
            invalid: counter_vec(
                registry,
                "alertmanager_alerts_invalid_total",
                "Alerts refused as invalid, by the interface that they came through.",
                &["version"],
            ),
            alerts: int_gauge(registry, "belfry_alerts", "Alerts known to the router, resolved ones included."),
            groups: int_gauge(registry, "alertmanager_dispatcher_aggregation_groups", "Groups that have members."),
            notifications: counter_vec(
                registry,
                "alertmanager_notifications_total",
                "Notifications attempted, by integration.",
                &["integration"],
            ),
            failed: counter_vec(
                registry,
                "alertmanager_notifications_failed_total",
                "Attempts at notifications that failed, by integration and reason.",
                &["integration", "reason"],
            ),
            requests: counter_vec(
                registry,
                "alertmanager_notification_requests_total",
                "Requests made for notifications, by integration.",
                &["integration"],
            ),
            requests_failed: counter_vec(
                registry,
                "alertmanager_notification_requests_failed_total",
                "Requests for notifications that failed, by integration.",
                &["integration"],
            ),
            latency: histogram_vec(
                registry,
                "alertmanager_notification_latency_seconds",
                "How long attempts took, by integration.",
                &["integration"],
                &[1.0, 5.0, 10.0, 15.0, 20.0],
            ),
            receivers: int_gauge(registry, "alertmanager_receivers", "Receivers configured."),
            integrations: int_gauge_vec(
                registry,
                "alertmanager_integrations",
                "Integrations configured, by kind.",
                &["integration"],
            ),
            inhibition_rules: int_gauge(registry, "alertmanager_inhibition_rules", "Inhibition rules configured."),
            outbox_rows: int_gauge(registry, "belfry_outbox_rows", "Notifications decided and not yet confirmed."),
            outbox_oldest: int_gauge(
                registry,
                "belfry_outbox_oldest_seconds",
                "Age of the oldest notification that is not yet confirmed.",
            ),
            outbox_rejected: counter_vec(
                registry,
                "belfry_outbox_rejected_total",
                "Notifications that their integration will never take, by integration.",
                &["integration"],
            ),
            inbox: int_gauge(registry, "belfry_inbox_length", "Messages that wait for the router."),
        }
    }

    /// Every series of the configured kinds exists from the start.
    pub fn configure(&self, config: &RouterConfig) {
        self.receivers.set(config.receivers.len().try_into().unwrap_or(i64::MAX));
        self.inhibition_rules.set(config.inhibit_rules.len().try_into().unwrap_or(i64::MAX));
        self.integrations.reset();
        for way in config.receivers.iter().flat_map(|receiver| &receiver.ways) {
            let kind = way.id.kind;
            self.integrations.with_label_values(&[kind]).inc();
            self.notifications.with_label_values(&[kind]);
            self.requests.with_label_values(&[kind]);
            self.requests_failed.with_label_values(&[kind]);
            self.outbox_rejected.with_label_values(&[kind]);
            self.latency.with_label_values(&[kind]);
            for reason in FailureReason::ALL {
                self.failed.with_label_values(&[kind, reason.as_str()]);
            }
        }
    }

    pub(super) fn received(&self, alert: &Alert, version: &str) {
        let status = match alert.end {
            AlertEnd::Lease { .. } => "firing",
            AlertEnd::Resolved { .. } => "resolved",
        };
        self.received.with_label_values(&[status, version]).inc();
    }

    pub(super) fn invalid(&self, count: usize, version: &str) {
        self.invalid.with_label_values(&[version]).inc_by(count as u64);
    }

    pub(super) fn rejected(&self, kind: &str) {
        self.outbox_rejected.with_label_values(&[kind]).inc();
    }

    pub(super) fn show(&self, census: &Census, now: Timestamp, inbox: usize) {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.alerts.set(whole(census.alerts));
        self.groups.set(whole(census.groups));
        self.outbox_rows.set(whole(census.rows));
        let oldest = census.oldest_row.map_or(0, |tick| now.since(tick).as_secs().cast_signed());
        self.outbox_oldest.set(oldest);
        self.inbox.set(whole(inbox));
    }

    pub(super) fn attempted(&self, kind: &str, outcome: &Outcome, took: Duration) {
        self.notifications.with_label_values(&[kind]).inc();
        self.requests.with_label_values(&[kind]).inc();
        self.latency.with_label_values(&[kind]).observe(took.as_secs_f64());
        let reason = match outcome {
            Outcome::Answered(Attempt::Delivered { .. }) => return,
            Outcome::Answered(
                Attempt::Retry { failure, .. } | Attempt::Unanswered { failure } | Attempt::Rejected { failure },
            ) => failure.reason,
            Outcome::NoAnswer(_) => FailureReason::ContextDeadlineExceeded,
        };
        self.requests_failed.with_label_values(&[kind]).inc();
        self.failed.with_label_values(&[kind, reason.as_str()]).inc();
    }
}
