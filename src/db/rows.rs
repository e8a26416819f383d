//! The rows, as plain structs: one a table, fields named and ordered as its columns. All times are milliseconds since the
//! epoch; lists and label sets are JSON that this room does not read.
//!
//! Keys are part of an index: Postgres refuses those over some 2,600 bytes, so owners derive them by hashing.

use std::sync::Arc;

/// When a rule group was last evaluated; written with each iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleGroupRow {
    pub id: Arc<str>,
    pub last_slot: i64,
}

/// An alert of a rule: what never changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAlertRow {
    pub rule: Arc<str>,
    pub fingerprint: Arc<str>,
    /// JSON.
    pub labels: Arc<str>,
}

/// An alert of a rule: its state.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleAlertStateRow {
    pub rule: Arc<str>,
    pub fingerprint: Arc<str>,
    /// `pending`, `firing` or `resolved`.
    pub state: Arc<str>,
    pub active_since: i64,
    pub fired_at: Option<i64>,
    pub quiet_since: Option<i64>,
    pub resolved_at: Option<i64>,
    /// Kept as text, since SQLite turns NaN into NULL.
    pub value: f64,
    /// JSON.
    pub annotations: Arc<str>,
}

/// An alert as the router holds it: what never changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    pub fingerprint: Arc<str>,
    /// JSON.
    pub labels: Arc<str>,
}

/// An alert as the router holds it: its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertStateRow {
    pub fingerprint: Arc<str>,
    pub starts_at: i64,
    pub ends_at: i64,
    /// `None` once it is resolved.
    pub lease_ms: Option<i64>,
    /// Whether the end is the router's own.
    pub ours: bool,
    pub updated_at: i64,
    /// JSON.
    pub annotations: Arc<str>,
    pub generator_url: Arc<str>,
}

/// A group of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    pub id: Arc<str>,
    pub group_key: Arc<str>,
    pub receiver: Arc<str>,
    /// JSON.
    pub labels: Arc<str>,
    pub next_flush: i64,
    pub route_key: Arc<str>,
    pub ordinal: i64,
}

/// An alert's membership of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMemberRow {
    pub group_id: Arc<str>,
    pub fingerprint: Arc<str>,
    pub orphan: bool,
}

/// What a way out is known to have been told of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationLogRow {
    pub group_id: Arc<str>,
    pub way: Arc<str>,
    /// A JSON array of fingerprints, as are the next two.
    pub firing: Arc<str>,
    pub unsure: Arc<str>,
    pub resolved: Arc<str>,
    pub told: i64,
    pub written: i64,
    pub expires_at: i64,
    pub seq: i64,
    /// What the integration keeps, as JSON.
    pub data: Arc<str>,
}

/// A notification that is decided and not yet confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub group_id: Arc<str>,
    pub way: Arc<str>,
    pub seq: i64,
    pub key: Arc<str>,
    /// JSON.
    pub alerts: Arc<str>,
    pub reason: Arc<str>,
    pub tick: i64,
}

/// A named value that is part of no other state. `min_binary` and `owner` are the room's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaRow {
    pub name: Arc<str>,
    pub value: Arc<str>,
}
