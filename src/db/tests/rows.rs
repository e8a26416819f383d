//! Rows for tests: every field differs, so that two swapped columns show.

use std::sync::Arc;

use crate::db::{
    AlertRow, AlertStateRow, GroupMemberRow, GroupRow, NotificationLogRow, OutboxRow, RouterState, RuleAlertRow,
    RuleAlertStateRow, RuleGroupRow, RulesState,
};

fn text(what: &str, n: i64) -> Arc<str> {
    format!("{what} {n:05} \"ü☃\"").into()
}

pub(super) fn rule_state(n: i64, value: f64) -> RuleAlertStateRow {
    RuleAlertStateRow {
        rule: text("rule", n),
        fingerprint: text("fingerprint", n),
        state: "firing".into(),
        active_since: n,
        fired_at: Some(n + 1),
        quiet_since: (n % 2 == 0).then_some(n + 2),
        resolved_at: None,
        value,
        annotations: text("annotations", n),
    }
}

pub(super) fn alert(n: i64) -> AlertRow {
    AlertRow { fingerprint: text("fingerprint", n), labels: text("labels", n) }
}

pub(super) fn alert_state(n: i64) -> AlertStateRow {
    AlertStateRow {
        fingerprint: text("fingerprint", n),
        starts_at: n,
        ends_at: i64::MAX - n,
        lease_ms: (n % 2 == 0).then_some(n + 2),
        ours: n % 2 == 1,
        updated_at: n + 3,
        annotations: text("annotations", n),
        generator_url: text("url", n),
    }
}

pub(super) fn group(n: i64) -> GroupRow {
    GroupRow {
        id: text("group", n),
        group_key: text("key", n),
        receiver: text("receiver", n),
        labels: text("labels", n),
        next_flush: -n,
        route_key: text("route", n),
        ordinal: n + 1,
    }
}

pub(super) fn member(of: i64, n: i64) -> GroupMemberRow {
    GroupMemberRow { group_id: text("group", of), fingerprint: text("fingerprint", n), orphan: n % 2 == 1 }
}

pub(super) fn log(n: i64) -> NotificationLogRow {
    NotificationLogRow {
        group_id: text("group", n),
        way: text("way", n),
        firing: text("firing", n),
        unsure: text("unsure", n),
        resolved: text("resolved", n),
        told: n + 1,
        written: n + 2,
        expires_at: n + 3,
        seq: n + 4,
        data: text("data", n),
    }
}

pub(super) fn outbox(n: i64) -> OutboxRow {
    OutboxRow {
        group_id: text("group", n),
        way: text("way", n),
        seq: n + 1,
        key: text("key", n),
        alerts: text("alerts", n),
        reason: text("reason", n),
        tick: n + 2,
    }
}

/// `n` rows of each table of `rules`.
pub(super) fn rules(n: i64) -> RulesState {
    RulesState {
        groups: (0..n).map(|n| RuleGroupRow { id: text("id", n), last_slot: n }).collect(),
        alerts: (0..n)
            .map(|n| RuleAlertRow {
                rule: text("rule", n),
                fingerprint: text("fingerprint", n),
                labels: text("labels", n),
            })
            .collect(),
        states: (0..n).map(|n| rule_state(n, n as f64 / 3.0)).collect(),
    }
}

/// `n` rows of each table of `router`.
pub(super) fn router(n: i64) -> RouterState {
    RouterState {
        alerts: (0..n).map(alert).collect(),
        alert_states: (0..n).map(alert_state).collect(),
        groups: (0..n).map(group).collect(),
        members: (0..n).map(|n| member(n / 3, n)).collect(),
        notification_log: (0..n).map(log).collect(),
        outbox: (0..n).map(outbox).collect(),
    }
}
