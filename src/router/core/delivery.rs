//! Attempts and their outcomes: one at a time per group and way, a failing way probed with one row.

use std::sync::Arc;
use std::time::Duration;

use crate::db::HistoryKind;
use crate::model::{
    AlertStatus, Attempt, Failure, Notification, NotificationReason, NotifiedAlert, ReceiverData, Timestamp,
    duration_millis,
};

use super::state::{Group, GroupId, GroupIx, Log, Row, WayIx};
use super::{Core, Order, Outcome};

/// Waits grow from the first by half each time, up to the last (contract alertmanager §5.4).
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(60);
/// How often a resolve may be rejected before it is taken as told.
const REJECTED_RESOLVES: u32 = 3;

impl Core {
    /// Begins what may begin now.
    pub(super) fn start_attempts(&mut self) {
        for way in 0..self.ways.len() {
            loop {
                let state = &self.ways[way];
                if state.in_flight >= self.concurrency(state) || state.not_before > self.now {
                    break;
                }
                let Some((_, _, index)) = self.ways[way].ready.pop_first() else { break };
                self.start(index, way);
            }
        }
    }

    fn start(&mut self, index: GroupIx, way: WayIx) {
        let now = self.now;
        let takes_resolved = self.ways[way].way.send_resolved;
        let Some(mut group) = self.groups.get_mut(index as usize).and_then(Option::take) else { return };
        let pair = group.pair_mut(way);
        let Some(row) = &mut pair.row else {
            self.groups[index as usize] = Some(group);
            return;
        };
        if !takes_resolved && row.firing.is_empty() {
            // Nothing is left to send, which counts as delivered.
            self.delivered(&mut group, way, None, false);
            self.groups[index as usize] = Some(group);
            self.recheck(index, way);
            self.let_go(index);
            return;
        }
        row.attempts += 1;
        row.last_tried = now;
        pair.busy = true;
        let seq = row.seq;
        let order = Order {
            group: group.id.clone(),
            way: self.ways[way].key.clone(),
            seq,
            timeout: self.ways[way].way.timeout,
            notification: self.notification(&group, way),
        };
        self.ways[way].in_flight += 1;
        self.groups[index as usize] = Some(group);
        self.out.orders.push(order);
    }

    /// The row as it is told: decided statuses and times, newest annotations.
    fn notification(&self, group: &Group, way: WayIx) -> Notification {
        let state = &self.ways[way];
        let pair = group.pair(way);
        let row = pair.and_then(|pair| pair.row.as_ref());
        let route = group.route.map(|route| self.config.routes.get(route));
        let alerts = row.iter().flat_map(|row| &row.alerts).filter(|alert| alert.firing || state.way.send_resolved);
        let alerts = alerts.filter_map(|decided| {
            let stored = self.alerts.get(&decided.fingerprint)?;
            Some(NotifiedAlert {
                alert: stored.alert.clone(),
                status: if decided.firing { AlertStatus::Firing } else { AlertStatus::Resolved },
                starts_at: Timestamp::from_millis(decided.start),
                ends_at: decided.end.map(Timestamp::from_millis),
            })
        });
        let reason = row.map_or(NotificationReason::FirstNotification, |row| row.reason);
        Notification {
            integration: state.way.id.clone(),
            group_key: group.key.clone(),
            group_labels: group.labels.clone(),
            route_labels: route.map_or_else(|| Arc::from([]), |route| route.labels.clone()),
            reason,
            alerts: alerts.collect(),
            tick: row.map_or(self.now, |row| row.tick),
            idempotency_key: row.map_or_else(|| "".into(), |row| row.key.clone()),
            receiver_data: carried_data(pair.and_then(|pair| pair.log.as_ref()), reason),
        }
    }

    /// An attempt ended.
    pub(super) fn outcome(&mut self, id: &GroupId, way: &str, seq: u64, outcome: Outcome) {
        let (Some(index), Some(way)) = (self.by_id.get(id).copied(), self.way_index.get(way).copied()) else { return };
        let Some(mut group) = self.groups.get_mut(index as usize).and_then(Option::take) else { return };
        let pair = group.pair_mut(way);
        let expected = pair.busy && pair.row.as_ref().is_some_and(|row| row.seq == seq);
        if expected {
            pair.busy = false;
            let state = &mut self.ways[way];
            state.in_flight = state.in_flight.saturating_sub(1);
            match outcome {
                Outcome::Answered(Attempt::Delivered { receiver_data }) => {
                    self.delivered(&mut group, way, receiver_data, true);
                }
                Outcome::Answered(Attempt::Retry { after, failure }) => {
                    self.retry(&mut group, index, way, after, failure.detail);
                }
                Outcome::Answered(Attempt::Unanswered { failure }) => {
                    self.unanswered(&mut group, index, way, failure.detail);
                }
                Outcome::Answered(Attempt::Rejected { failure }) => self.rejected(&mut group, way, failure),
                Outcome::NoAnswer(detail) => self.unanswered(&mut group, index, way, detail),
            }
            if !self.ways[way].living {
                self.withdraw(&mut group, index, way, "receiver removed");
            }
        }
        self.groups[index as usize] = Some(group);
        self.recheck(index, way);
        self.let_go(index);
    }

    pub(super) fn delivered(&mut self, group: &mut Group, way: WayIx, data: Option<ReceiverData>, sent: bool) {
        let Some(row) = group.pair_mut(way).row.take() else { return };
        if sent {
            self.ways[way].failures = 0;
            self.ways[way].not_before = Timestamp::EPOCH;
        }
        self.record_outcome(group, way, &row, HistoryKind::Delivered, None);
        self.note_told(group, way, &row, data);
        group.pair_mut(way).rejected_resolves = 0;
        self.drop_row(group, way);
    }

    /// `L := P`, but what the way was told as firing and the row does not name (it was dropped while firing) stays so.
    fn note_told(&mut self, group: &mut Group, way: WayIx, row: &Row, data: Option<ReceiverData>) {
        let now = self.now;
        let intervals = self.intervals_of(group);
        let kept = |seq_of: Option<&Log>| carried_data(seq_of, row.reason);
        let pair = group.pair_mut(way);
        let before = pair.log.take();
        let (mut firing, mut unsure) = (row.firing.clone(), Default::default());
        if let Some(log) = &before {
            firing.extend(log.firing.iter().filter(|fingerprint| !row.names(*fingerprint)));
            unsure = log.unsure.clone();
            unsure.retain(|fingerprint| !row.names(*fingerprint));
        }
        let stale = row.tick > now || now.since(row.tick) > intervals.1;
        let lifetime = self.options.retention.min(intervals.2 * 2);
        // One that fires again meanwhile, or ended anew, has more to tell.
        let told_end = row.alerts.iter().filter(|told| {
            self.alerts.get(&told.fingerprint).is_some_and(|stored| match stored.alert.end {
                crate::model::AlertEnd::Resolved { at, .. } => told.end == Some(at.as_millis()),
                crate::model::AlertEnd::Lease { .. } => false,
            })
        });
        pair.settled.extend(told_end.map(|told| told.fingerprint));
        pair.log = Some(Log {
            firing,
            unsure,
            resolved: row.resolved.clone(),
            told: if stale { now } else { row.tick },
            written: now,
            expires: now + lifetime,
            seq: row.seq,
            data: data.unwrap_or_else(|| kept(before.as_ref())),
        });
        self.save_log(group, way);
    }

    fn retry(&mut self, group: &mut Group, index: GroupIx, way: WayIx, after: Option<Duration>, detail: String) {
        let Some(row) = group.pair_mut(way).row.clone() else { return };
        let now = self.now;
        let wait = backoff(self.ways[way].failures, &row.key);
        let wait = wait.max(after.unwrap_or_default().min(self.options.max_retry_after));
        let state = &mut self.ways[way];
        state.failures = state.failures.saturating_add(1);
        state.not_before = state.not_before.max(now + wait);
        self.record_outcome(group, way, &row, HistoryKind::AttemptFailed, Some(&detail));
        self.enqueue(index, way, row.last_tried);
    }

    /// The way may have heard it: its own retry, under the same key, settles that before the picture may change.
    fn unanswered(&mut self, group: &mut Group, index: GroupIx, way: WayIx, detail: String) {
        if let Some(row) = &mut group.pair_mut(way).row {
            row.uncertain = true;
        }
        self.retry(group, index, way, None, detail);
    }

    fn rejected(&mut self, group: &mut Group, way: WayIx, failure: Failure) {
        let pair = group.pair_mut(way);
        pair.recheck = false;
        let Some(row) = pair.row.take() else { return };
        let resolves =
            matches!(row.reason, NotificationReason::AllAlertsResolved | NotificationReason::SomeAlertsResolved);
        pair.rejected_resolves = if resolves { pair.rejected_resolves + 1 } else { 0 };
        let gives_up = pair.rejected_resolves >= REJECTED_RESOLVES;
        self.out.rejected.push(self.ways[way].way.id.kind);
        self.record_outcome(group, way, &row, HistoryKind::Rejected, Some(&failure.detail));
        if gives_up {
            group.pair_mut(way).rejected_resolves = 0;
            self.record_outcome(group, way, &row, HistoryKind::GaveUp, None);
            self.give_up(group, way, &row);
        } else if row.uncertain {
            self.note_unsure(group, way, &row);
        }
        self.drop_row(group, way);
    }

    /// The resolved of a row that is rejected again and again are taken as told; of what fires in it nothing is, so that
    /// what was unsure stays so.
    fn give_up(&mut self, group: &mut Group, way: WayIx, row: &Row) {
        let before = group.pair(way).and_then(|pair| pair.log.clone());
        self.note_told(group, way, row, None);
        let Some(log) = &mut group.pair_mut(way).log else { return };
        let was = |set: fn(&Log) -> &super::set::FingerprintSet, fingerprint| {
            before.as_ref().is_some_and(|log| set(log).contains(fingerprint))
        };
        log.firing.retain(|fingerprint| was(|log| &log.firing, *fingerprint));
        log.unsure.extend(row.firing.iter().filter(|fingerprint| was(|log| &log.unsure, *fingerprint)));
        self.save_log(group, way);
    }

    /// The way may have heard what it then rejected: told again if it fires, ended if it is over.
    fn note_unsure(&mut self, group: &mut Group, way: WayIx, row: &Row) {
        let now = self.now;
        let lifetime = self.options.retention.min(self.intervals_of(group).2 * 2);
        let pair = group.pair_mut(way);
        let log = pair.log.get_or_insert_with(|| Log {
            firing: Default::default(),
            unsure: Default::default(),
            resolved: Default::default(),
            told: row.tick,
            written: now,
            expires: now + lifetime,
            seq: row.seq,
            data: ReceiverData::new(),
        });
        for fingerprint in row.firing.iter() {
            if log.firing.insert(fingerprint) {
                log.unsure.insert(fingerprint);
            }
        }
        for fingerprint in row.resolved.iter() {
            if log.firing.contains(fingerprint) {
                log.unsure.insert(fingerprint);
            }
        }
        self.save_log(group, way);
    }

    fn intervals_of(&self, group: &Group) -> (Duration, Duration, Duration) {
        let route = self.config.routes.get(group.route.unwrap_or_else(|| self.config.routes.root()));
        (route.group_wait, route.group_interval, route.repeat_interval)
    }
}

/// What the integration remembers is emptied by a first notification, and otherwise carried over.
fn carried_data(log: Option<&Log>, reason: NotificationReason) -> ReceiverData {
    match (log, reason) {
        (Some(log), reason) if reason != NotificationReason::FirstNotification => log.data.clone(),
        _ => ReceiverData::new(),
    }
}

/// 0.5 s × 1.5ⁿ, at most a minute, moved by up to half of it either way. What makes it differ is drawn from the row's key,
/// so that a replay waits the same.
fn backoff(failures: u32, key: &str) -> Duration {
    let base = FIRST_WAIT.mul_f64(1.5_f64.powi(failures.min(20).cast_signed())).min(LAST_WAIT);
    let seed = key.bytes().fold(u64::from(failures), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(7)
    });
    let millis = duration_millis(base).unsigned_abs().max(1);
    Duration::from_millis(millis / 2 + seed % millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        for failures in 0..40 {
            let base = (500.0 * 1.5_f64.powi(failures)).min(60_000.0);
            for key in ["a", "b", "some longer key"] {
                let wait = backoff(failures.unsigned_abs(), key).as_millis() as f64;
                assert!(wait >= base * 0.49 && wait <= base * 1.51, "{failures}: {wait} of {base}");
            }
        }
    }
}
