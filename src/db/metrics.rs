//! The room's metrics.

use crate::metrics::{self, Histogram, IntCounter, IntGauge, Registry};

const COMMIT_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) commits: IntCounter,
    pub(super) commit_failures: IntCounter,
    pub(super) commit_seconds: Histogram,
    pub(super) degraded: IntGauge,
    pub(super) unsaved_changes: IntGauge,
    pub(super) inbox_length: IntGauge,
    pub(super) history_rows: IntGauge,
    pub(super) history_dropped: IntCounter,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Self {
        Metrics {
            commits: metrics::counter(registry, "belfry_storage_commits_total", "Transactions committed."),
            commit_failures: metrics::counter(
                registry,
                "belfry_storage_commit_failures_total",
                "Attempts at a transaction that failed; each is retried.",
            ),
            commit_seconds: metrics::histogram(
                registry,
                "belfry_storage_commit_seconds",
                "How long a transaction took, from its first statement to its commit.",
                &COMMIT_SECONDS,
            ),
            degraded: metrics::int_gauge(
                registry,
                "belfry_storage_degraded",
                "1 while storage fails and decisions go on without being durable.",
            ),
            unsaved_changes: metrics::int_gauge(
                registry,
                "belfry_storage_unsaved_changes",
                "Rows whose last change is not durable yet.",
            ),
            inbox_length: metrics::int_gauge(
                registry,
                "belfry_storage_inbox_length",
                "Batches that wait for the writer.",
            ),
            history_rows: metrics::int_gauge(registry, "belfry_history_rows", "Rows of history kept."),
            history_dropped: metrics::counter(
                registry,
                "belfry_storage_history_dropped_total",
                "Rows of history dropped unsaved while storage was degraded.",
            ),
        }
    }
}
