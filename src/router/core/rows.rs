//! The core's state as rows of the database, and back.

use crate::db::{AlertRow, AlertStateRow, Change, GroupMemberRow, GroupRow, NotificationLogRow, OutboxRow};
use crate::model::{AlertEnd, Fingerprint, NotificationReason, Timestamp};

use super::Core;
use super::intake::stored_lease;
use super::set::FingerprintSet;
use super::state::{Group, GroupId, GroupIx, Log, Membership, Row, RowAlert, WayIx, WayState};

impl Core {
    pub(super) fn save_labels(&mut self, fingerprint: Fingerprint) {
        let Some(stored) = self.alerts.get(&fingerprint) else { return };
        let row = AlertRow { fingerprint: fingerprint.to_string().into(), labels: json(&stored.alert.labels) };
        self.out.changes.push(Change::PutAlert(row));
    }

    pub(super) fn save_state(&mut self, fingerprint: Fingerprint) {
        let now = self.now;
        let Some(stored) = self.alerts.get_mut(&fingerprint) else { return };
        stored.saved_at = now;
        let alert = &stored.alert;
        let (lease_ms, ours) = match alert.end {
            AlertEnd::Lease { lease, ours, .. } => (Some(stored_lease(lease)), ours),
            AlertEnd::Resolved { ours, .. } => (None, ours),
        };
        let row = AlertStateRow {
            fingerprint: fingerprint.to_string().into(),
            starts_at: alert.starts_at.as_millis(),
            ends_at: alert.ends_at().as_millis(),
            lease_ms,
            ours,
            updated_at: alert.updated_at.as_millis(),
            annotations: json(&alert.annotations),
            generator_url: alert.generator_url.clone(),
        };
        self.out.changes.push(Change::PutAlertState(row));
    }

    pub(super) fn forget_alert(&mut self, fingerprint: Fingerprint) {
        self.out.changes.push(Change::DeleteAlert { fingerprint: fingerprint.to_string().into() });
    }

    pub(super) fn save_group(&mut self, index: GroupIx) {
        let Some(group) = self.group(index) else { return };
        let Some(next_flush) = group.next_flush else { return };
        let route = group.route.map(|route| self.config.routes.get(route));
        let row = GroupRow {
            id: group.id.as_str().into(),
            group_key: group.key.as_str().into(),
            receiver: route.map_or_else(|| "".into(), |route| route.receiver.clone()),
            labels: json(&group.labels),
            next_flush: next_flush.as_millis(),
            route_key: route.map_or_else(|| "".into(), |route| route.route_key.clone()),
            ordinal: route.map_or(-1, |route| i64::try_from(route.ordinal).unwrap_or(i64::MAX)),
        };
        self.out.changes.push(Change::PutGroup(row));
    }

    pub(super) fn forget_group(&mut self, id: &GroupId) {
        self.out.changes.push(Change::DeleteGroup { id: id.as_str().into() });
    }

    pub(super) fn save_member(&mut self, index: GroupIx, fingerprint: Fingerprint, membership: Membership) {
        let Some(group) = self.group(index) else { return };
        let row = GroupMemberRow {
            group_id: group.id.as_str().into(),
            fingerprint: fingerprint.to_string().into(),
            orphan: membership == Membership::Orphan,
        };
        self.out.changes.push(Change::PutGroupMember(row));
    }

    pub(super) fn drop_member(&mut self, index: GroupIx, fingerprint: Fingerprint) {
        let Some(group) = self.group(index) else { return };
        let change = Change::DeleteGroupMember {
            group_id: group.id.as_str().into(),
            fingerprint: fingerprint.to_string().into(),
        };
        self.out.changes.push(change);
    }

    pub(super) fn save_log(&mut self, group: &Group, way: WayIx) {
        let Some(log) = group.pair(way).and_then(|pair| pair.log.as_ref()) else { return };
        self.out.changes.push(put_log(&group.id, &self.ways[way], log));
    }

    pub(super) fn save_row(&mut self, group: &Group, way: WayIx) {
        let Some(row) = group.pair(way).and_then(|pair| pair.row.as_ref()) else { return };
        let stored = OutboxRow {
            group_id: group.id.as_str().into(),
            way: self.ways[way].key.clone(),
            seq: row.seq.cast_signed(),
            key: row.key.clone(),
            alerts: json(&row.alerts),
            reason: row.reason.as_str().into(),
            tick: row.tick.as_millis(),
        };
        self.out.changes.push(Change::PutOutbox(stored));
    }

    pub(super) fn drop_row(&mut self, group: &Group, way: WayIx) {
        let change = Change::DeleteOutbox { group_id: group.id.as_str().into(), way: self.ways[way].key.clone() };
        self.out.changes.push(change);
    }
}

pub(super) fn put_log(group: &GroupId, way: &WayState, log: &Log) -> Change {
    Change::PutNotificationLog(NotificationLogRow {
        group_id: group.as_str().into(),
        way: way.key.clone(),
        firing: names(&log.firing),
        unsure: names(&log.unsure),
        resolved: names(&log.resolved),
        told: log.told.as_millis(),
        written: log.written.as_millis(),
        expires_at: log.expires.as_millis(),
        seq: log.seq.cast_signed(),
        data: json(&log.data),
    })
}

pub(super) fn delete_log(group: &GroupId, way: &WayState) -> Change {
    Change::DeleteNotificationLog { group_id: group.as_str().into(), way: way.key.clone() }
}

/// Maps of strings and lists of plain structs have a JSON form; nothing else is passed here.
fn json<T: serde::Serialize>(value: &T) -> std::sync::Arc<str> {
    serde_json::to_string(value).unwrap_or_default().into()
}

fn names(set: &FingerprintSet) -> std::sync::Arc<str> {
    let names: Vec<String> = set.iter().map(|fingerprint| fingerprint.to_string()).collect();
    json(&names)
}

/// A row that cannot be read: the database was written by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} row of {key:?} cannot be read: {what}")]
pub struct UnreadableRow {
    pub table: &'static str,
    pub key: String,
    pub what: String,
}

pub(super) fn read_set(text: &str, table: &'static str, key: &str) -> Result<FingerprintSet, UnreadableRow> {
    let list: Vec<String> = read_json(text, table, key)?;
    list.iter().map(|name| read_fingerprint(name, table, key)).collect()
}

pub(super) fn read_fingerprint(text: &str, table: &'static str, key: &str) -> Result<Fingerprint, UnreadableRow> {
    u64::from_str_radix(text, 16).map(Fingerprint::from_u64).map_err(|error| UnreadableRow {
        table,
        key: key.to_owned(),
        what: error.to_string(),
    })
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(
    text: &str,
    table: &'static str,
    key: &str,
) -> Result<T, UnreadableRow> {
    serde_json::from_str(text).map_err(|error| UnreadableRow { table, key: key.to_owned(), what: error.to_string() })
}

pub(super) fn read_log(row: &NotificationLogRow) -> Result<Log, UnreadableRow> {
    let (table, key) = ("notification_log", &*row.group_id);
    Ok(Log {
        firing: read_set(&row.firing, table, key)?,
        unsure: read_set(&row.unsure, table, key)?,
        resolved: read_set(&row.resolved, table, key)?,
        told: Timestamp::from_millis(row.told),
        written: Timestamp::from_millis(row.written),
        expires: Timestamp::from_millis(row.expires_at),
        seq: row.seq.cast_unsigned(),
        data: read_json(&row.data, table, key)?,
    })
}

pub(super) fn read_row(row: &OutboxRow) -> Result<Row, UnreadableRow> {
    let (table, key) = ("outbox", &*row.group_id);
    let alerts: Vec<RowAlert> = read_json(&row.alerts, table, key)?;
    let reason = NotificationReason::parse(&row.reason).ok_or_else(|| UnreadableRow {
        table,
        key: key.to_owned(),
        what: format!("unknown reason {:?}", row.reason),
    })?;
    Ok(Row::stored(row.seq.cast_unsigned(), row.key.clone(), alerts, reason, Timestamp::from_millis(row.tick)))
}
