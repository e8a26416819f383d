//! What the core writes into the event history (semantics §4–5): every decision leaves its row.

use crate::db::{HistoryKind, NewHistory};
use crate::model::{AlertStatus, Fingerprint, Timestamp};

use super::Core;
use super::decide::Seen;
use super::state::{Group, Row, WayIx};

impl Core {
    fn record(&mut self, entry: NewHistory) {
        self.out.history.push(entry);
    }

    fn entry(&self, kind: HistoryKind) -> NewHistory {
        NewHistory::new(self.now.as_millis(), kind)
    }

    fn row_entry(&self, kind: HistoryKind, group: &Group, way: WayIx, row: &Row) -> NewHistory {
        NewHistory {
            group_key: Some(group.key.as_str().into()),
            integration: Some(self.ways[way].key.clone()),
            row_seq: Some(row.seq.cast_signed()),
            reason: Some(row.reason.as_str().into()),
            ..self.entry(kind)
        }
    }

    pub(super) fn record_received(&mut self, fingerprint: Fingerprint) {
        let Some(stored) = self.alerts.get(&fingerprint) else { return };
        let entry = NewHistory {
            fingerprint: Some(fingerprint.to_string().into()),
            episode: Some(stored.alert.starts_at.as_millis()),
            reason: Some(stored.status().as_str().into()),
            ..self.entry(HistoryKind::Received)
        };
        self.record(entry);
    }

    pub(super) fn record_expired(&mut self, fingerprint: Fingerprint, at: Timestamp) {
        let Some(stored) = self.alerts.get(&fingerprint) else { return };
        let entry = NewHistory {
            fingerprint: Some(fingerprint.to_string().into()),
            episode: Some(stored.alert.starts_at.as_millis()),
            detail: Some(format!("lease ended at {at}").into()),
            ..self.entry(HistoryKind::Expired)
        };
        self.record(entry);
    }

    pub(super) fn record_decided(&mut self, group: &Group, way: WayIx, replaces: bool) {
        let Some(row) = group.pair(way).and_then(|pair| pair.row.as_ref()) else { return };
        let kind = if replaces { HistoryKind::Replaced } else { HistoryKind::Decided };
        let entry = NewHistory { detail: Some(named(row).into()), ..self.row_entry(kind, group, way, row) };
        self.record(entry);
    }

    pub(super) fn record_withdrawn(&mut self, group: &Group, way: WayIx, row: &Row, reason: &'static str) {
        let entry = NewHistory {
            reason: Some(reason.into()),
            detail: Some(named(row).into()),
            ..self.row_entry(HistoryKind::Withdrawn, group, way, row)
        };
        self.record(entry);
    }

    pub(super) fn record_outcome(
        &mut self,
        group: &Group,
        way: WayIx,
        row: &Row,
        kind: HistoryKind,
        failure: Option<&str>,
    ) {
        let detail = failure.map_or_else(|| named(row), str::to_owned);
        let entry = NewHistory { detail: Some(detail.into()), ..self.row_entry(kind, group, way, row) };
        self.record(entry);
    }

    pub(super) fn record_over_before_told(&mut self, group: &Group, way: WayIx, over: &[Fingerprint]) {
        for fingerprint in over {
            let entry = NewHistory {
                fingerprint: Some(fingerprint.to_string().into()),
                group_key: Some(group.key.as_str().into()),
                integration: Some(self.ways[way].key.clone()),
                ..self.entry(HistoryKind::OverBeforeTold)
            };
            self.record(entry);
        }
    }

    /// A firing alert that a way was not told of, because something holds it back.
    pub(super) fn record_gate(&mut self, group: &Group, way: WayIx, seen: &Seen) {
        let Some(reason) = seen.drop_reason else { return };
        let untold = |fingerprint: &Fingerprint| group.pair(way).is_none_or(|pair| !pair.told_firing(*fingerprint));
        let entries: Vec<NewHistory> = seen
            .dropped_firing
            .iter()
            .filter(untold)
            .map(|fingerprint| NewHistory {
                fingerprint: Some(fingerprint.to_string().into()),
                group_key: Some(group.key.as_str().into()),
                integration: Some(self.ways[way].key.clone()),
                reason: Some(reason.into()),
                ..self.entry(HistoryKind::Silenced)
            })
            .collect();
        self.out.history.extend(entries);
    }

    pub(super) fn record_reload(&mut self) {
        let entry = self.entry(HistoryKind::Reload);
        self.record(entry);
    }
}

/// The alerts of a row, so that they can be found by fingerprint.
fn named(row: &Row) -> String {
    let list = |status: AlertStatus| {
        let set = if status == AlertStatus::Firing { &row.firing } else { &row.resolved };
        let names: Vec<String> = set.iter().map(|fingerprint| fingerprint.to_string()).collect();
        format!("{status}: {}", names.join(" "))
    };
    match (row.firing.is_empty(), row.resolved.is_empty()) {
        (false, true) => list(AlertStatus::Firing),
        (true, false) => list(AlertStatus::Resolved),
        _ => format!("{}; {}", list(AlertStatus::Firing), list(AlertStatus::Resolved)),
    }
}
