//! Flushes and decisions: what each way of a group sees, and what becomes of it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;

use crate::model::{AlertEnd, AlertStatus, Fingerprint, NotificationReason, Timestamp, duration_millis};

use super::Core;
use super::decide::{Ruling, Seen, Terms, rule, verdict};
use super::state::{Group, GroupIx, Membership, Pair, Row, RowAlert, Stored, WayIx};

/// A group's members in flush order, with what holds each back: the same for all of its ways.
pub(super) struct Picture {
    members: Vec<(Fingerprint, Membership, Option<&'static str>)>,
    native: Vec<WayIx>,
    tick: Timestamp,
}

impl Core {
    /// Flushes every group whose tick has come.
    pub(super) fn flush_due(&mut self) {
        if let Some(hold) = self.hold_until {
            if self.now < hold {
                return;
            }
            self.hold_until = None;
        }
        while let Some((due, index)) = self.flushes.first().copied() {
            if due > self.now {
                return;
            }
            self.flush(index, due);
        }
    }

    fn flush(&mut self, index: GroupIx, due: Timestamp) {
        let interval = self.terms_of(index).group_interval;
        // Ticks that passed meanwhile collapse into the last of them, so that the rhythm is the group's own.
        let step = duration_millis(interval).max(1);
        let tick = due.plus_millis(self.now.millis_since(due) / step * step);
        self.schedule(index, tick.plus_millis(step));
        if let Some(group) = self.group_mut(index) {
            group.flushed = true;
        }
        let Some(picture) = self.picture(index, tick) else { return };
        for way in self.ways_of(index, &picture.native) {
            self.look(index, way, &picture, true);
        }
        self.let_go(index);
    }

    /// The group's own ways, and those that still hold something of it open.
    fn ways_of(&self, index: GroupIx, native: &[WayIx]) -> Vec<WayIx> {
        let mut ways = native.to_vec();
        let Some(group) = self.group(index) else { return ways };
        let foreign = group.pairs.iter().filter(|pair| {
            let holds = pair.row.is_some() || pair.log.as_ref().is_some_and(|log| !log.firing.is_empty());
            holds && self.ways[pair.way].living && !native.contains(&pair.way)
        });
        ways.extend(foreign.map(|pair| pair.way));
        ways
    }

    pub(super) fn picture(&self, index: GroupIx, tick: Timestamp) -> Option<Picture> {
        let group = self.group(index)?;
        let route = group.route.map(|route| self.config.routes.get(route));
        let mut members: Vec<(&Stored, Fingerprint, Membership)> = group
            .members
            .iter()
            .filter_map(|(fingerprint, membership)| Some((self.alerts.get(fingerprint)?, *fingerprint, *membership)))
            .collect();
        members.sort_by(|a, b| flush_order(a.0, b.0));
        let members = members
            .into_iter()
            .map(|(stored, fingerprint, membership)| {
                (fingerprint, membership, self.gate.holds_back(&stored.alert, route, tick))
            })
            .collect();
        Some(Picture { members, native: self.native_ways(group), tick })
    }

    /// A flush's or a recheck's look at one way.
    fn look(&mut self, index: GroupIx, way: WayIx, picture: &Picture, flush: bool) {
        let Some(group) = self.group_mut(index) else { return };
        let pair = group.pair_mut(way);
        // Its own retry settles an uncertain row before the picture may change.
        if pair.busy || pair.row.as_ref().is_some_and(|row| row.uncertain) {
            pair.recheck = true;
            return;
        }
        self.decide(index, way, picture, flush);
    }

    /// A look at the present picture once what was under way is settled.
    pub(super) fn recheck(&mut self, index: GroupIx, way: WayIx) {
        let asked = self.group_mut(index).is_some_and(|group| std::mem::take(&mut group.pair_mut(way).recheck));
        if !asked {
            return;
        }
        if let Some(picture) = self.picture(index, self.now) {
            self.look(index, way, &picture, false);
        }
    }

    fn decide(&mut self, index: GroupIx, way: WayIx, picture: &Picture, flush: bool) {
        let intervals = self.terms_of(index);
        let takes_resolved = self.ways[way].way.send_resolved;
        let Some(mut group) = self.groups.get_mut(index as usize).and_then(Option::take) else { return };
        let pair = group.pair_mut(way);
        let seen = see(&self.alerts, pair, picture, picture.native.contains(&way));
        let terms = Terms { takes_resolved, repeat_interval: intervals.repeat_interval, tick: picture.tick, flush };
        let verdict = verdict(&seen, pair.log.as_ref(), terms);
        let ruling = rule(&seen, pair.log.as_ref(), pair.row.as_ref(), verdict);
        pair.settled
            .retain(|fingerprint| !seen.firing.contains(*fingerprint) && !seen.dropped_firing.contains(*fingerprint));
        pair.settled.extend(seen.dropped_resolved.iter());
        if verdict.is_none() {
            // While a row is kept that names it, more is to come.
            if matches!(ruling, Ruling::Nothing | Ruling::Withdraw(_)) {
                pair.settled.extend(seen.resolved.iter());
            }
            self.resolve_untold(&mut group, way, &seen);
        }
        self.record_gate(&group, way, &seen);
        match ruling {
            Ruling::Nothing => {}
            Ruling::Keep { recheck } => group.pair_mut(way).recheck |= recheck,
            Ruling::Send(reason) => self.put_row(&mut group, index, way, seen, reason, picture.tick),
            Ruling::Trim(alerts) => {
                let pair = group.pair_mut(way);
                pair.recheck = true;
                if let Some(row) = &pair.row {
                    let (reason, tick) = (row.reason, row.tick);
                    self.replace_row(&mut group, index, way, alerts, reason, tick);
                }
            }
            Ruling::Withdraw(reason) => self.withdraw(&mut group, index, way, reason),
        }
        self.groups[index as usize] = Some(group);
    }

    /// A way that takes no resolved is not told that these are over, so they leave what it was told as firing: their next
    /// firing is told.
    fn resolve_untold(&mut self, group: &mut Group, way: WayIx, seen: &Seen) {
        if self.ways[way].way.send_resolved {
            return;
        }
        let pair = group.pair_mut(way);
        let Some(log) = &mut pair.log else { return };
        let over = |fingerprint: &Fingerprint| !seen.resolved.contains(*fingerprint);
        if log.firing.retain(over) | log.unsure.retain(over) {
            self.save_log(group, way);
        }
    }

    fn put_row(
        &mut self,
        group: &mut Group,
        index: GroupIx,
        way: WayIx,
        seen: Seen,
        reason: NotificationReason,
        tick: Timestamp,
    ) {
        let pair = group.pair_mut(way);
        pair.recheck = false;
        pair.settled.retain(|fingerprint| !seen.resolved.contains(*fingerprint));
        if !self.ways[way].way.send_resolved
            && let Some(row) = &pair.row
        {
            let over: Vec<Fingerprint> =
                row.owes(pair.log.as_ref()).filter(|fingerprint| seen.resolved.contains(*fingerprint)).collect();
            self.record_over_before_told(group, way, &over);
        }
        self.replace_row(group, index, way, seen.alerts, reason, tick);
    }

    /// Commits a row, over the one that is there if there is one, and puts it in the way's queue.
    fn replace_row(
        &mut self,
        group: &mut Group,
        index: GroupIx,
        way: WayIx,
        alerts: Vec<RowAlert>,
        reason: NotificationReason,
        tick: Timestamp,
    ) {
        let way_key = self.ways[way].key.clone();
        let pair = group.pair_mut(way);
        let seq = pair.next_seq();
        let before = pair.row.take();
        let mut row = Row::new(&group.id, &way_key, seq, alerts, reason, tick);
        if let Some(before) = &before {
            row.attempts = before.attempts;
            row.last_tried = before.last_tried;
        }
        let last_tried = row.last_tried;
        group.pair_mut(way).row = Some(row);
        self.save_row(group, way);
        self.record_decided(group, way, before.is_some());
        if before.is_none() {
            self.enqueue(index, way, last_tried);
        }
    }

    pub(super) fn withdraw(&mut self, group: &mut Group, index: GroupIx, way: WayIx, reason: &'static str) {
        let pair = group.pair_mut(way);
        pair.recheck = false;
        let Some(row) = pair.row.take() else { return };
        self.ways[way].ready.retain(|(_, _, queued)| *queued != index);
        self.record_withdrawn(group, way, &row, reason);
        self.drop_row(group, way);
    }

    /// Puts a group's row in the way's queue, the least recently tried first.
    pub(super) fn enqueue(&mut self, index: GroupIx, way: WayIx, last_tried: Timestamp) {
        self.queued += 1;
        self.ways[way].ready.insert((last_tried, self.queued, index));
    }

    /// The timers of the group's route; of the root route if no route forms it any more.
    pub(super) fn terms_of(&self, index: GroupIx) -> Intervals {
        let route = self.group(index).and_then(|group| group.route).unwrap_or_else(|| self.config.routes.root());
        let route = self.config.routes.get(route);
        Intervals {
            group_wait: route.group_wait,
            group_interval: route.group_interval,
            repeat_interval: route.repeat_interval,
        }
    }
}

pub(super) struct Intervals {
    pub group_wait: Duration,
    pub group_interval: Duration,
    pub repeat_interval: Duration,
}

/// `S(W)` of semantics §1.
fn see(alerts: &HashMap<Fingerprint, Stored>, pair: &Pair, picture: &Picture, native: bool) -> Seen {
    let mut seen = Seen::default();
    for (fingerprint, membership, held_back) in &picture.members {
        let Some(stored) = alerts.get(fingerprint) else { continue };
        let orphan = !native || *membership == Membership::Orphan;
        let held = pair.holds_firing(*fingerprint);
        if orphan && !held {
            continue;
        }
        let status = stored.status();
        match held_back {
            // A resolved alert that the way knows as firing, or is owed, is never dropped: it would stay open there.
            Some(reason) if status == AlertStatus::Firing || !held => seen.drop_one(*fingerprint, status, reason),
            _ => seen.push(as_decided(*fingerprint, stored), orphan),
        }
    }
    seen
}

fn as_decided(fingerprint: Fingerprint, stored: &Stored) -> RowAlert {
    RowAlert {
        fingerprint,
        firing: stored.status() == AlertStatus::Firing,
        start: stored.alert.starts_at.as_millis(),
        end: match stored.alert.end {
            AlertEnd::Lease { .. } => None,
            AlertEnd::Resolved { at, .. } => Some(at.as_millis()),
        },
    }
}

/// By `job`, then `instance` (an alert that has the label goes first), then by label set (contract alertmanager §4.3).
fn flush_order(a: &Stored, b: &Stored) -> Ordering {
    let (a, b) = (&a.alert.labels, &b.alert.labels);
    for name in ["job", "instance"] {
        let by_label = match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if by_label != Ordering::Equal {
            return by_label;
        }
    }
    a.cmp(b)
}
