//! Alerts: as they are handed to the router, and as it holds them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{LabelSet, Timestamp};

/// An alert as a rule announces it or an API receives it, before the router's intake has filled in what is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct PostedAlert {
    pub labels: LabelSet,
    /// Empty values stay.
    pub annotations: LabelSet,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// Empty if there is none.
    pub generator_url: Arc<str>,
    /// How long it fires without being heard of again when it has no end of its own; the router's `resolve_timeout` if
    /// `None`.
    pub lease: Option<Duration>,
}

/// An alert as the router holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub labels: LabelSet,
    pub annotations: LabelSet,
    pub starts_at: Timestamp,
    pub end: AlertEnd,
    /// When it was last heard of.
    pub updated_at: Timestamp,
    pub generator_url: Arc<str>,
}

/// How an alert ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertEnd {
    /// Fires until then unless it is heard of again.
    Lease {
        until: Timestamp,
        /// `until` minus the instant at which it was received: what a restart gives it again.
        lease: Duration,
        /// The end is the router's own, since it came without one (*timed out by us*).
        ours: bool,
    },
    /// It is over, and was so at `at`.
    Resolved {
        at: Timestamp,
        /// It ended because its lease, given by the router, ran out.
        ours: bool,
    },
}

impl Alert {
    /// When it ends or ended: never absent.
    pub fn ends_at(&self) -> Timestamp {
        match self.end {
            AlertEnd::Lease { until, .. } => until,
            AlertEnd::Resolved { at, .. } => at,
        }
    }

    /// Whether it is over at `now` (an end that is exactly `now` counts).
    pub fn is_resolved_at(&self, now: Timestamp) -> bool {
        self.ends_at() <= now
    }

    /// Whether the end is the router's own and not the sender's.
    pub fn is_timed_out_by_us(&self) -> bool {
        match self.end {
            AlertEnd::Lease { ours, .. } | AlertEnd::Resolved { ours, .. } => ours,
        }
    }
}

/// Whether an alert fires; what a notification says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertStatus {
    Firing,
    Resolved,
}

impl AlertStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            AlertStatus::Firing => "firing",
            AlertStatus::Resolved => "resolved",
        }
    }
}

impl std::fmt::Display for AlertStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The alerts could not be taken; whoever announces them tries again, since intake is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    #[error("the router's inbox is full")]
    Full,
    #[error("the router is stopping")]
    Stopping,
}

/// Where rules announce alerts: the own router, external Alertmanagers, or both.
pub trait Announce: Send + Sync {
    /// Completes once what is new in the alerts is committed (or storage is degraded).
    fn announce(&self, alerts: Vec<PostedAlert>) -> BoxFuture<'_, Result<(), AnnounceError>>;
}
