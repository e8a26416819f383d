//! Who is in which group: updates, leases that end, joining and leaving.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::model::{Alert, AlertEnd, AlertStatus, Fingerprint, GroupKey, LabelSet, Timestamp};
use crate::router::RouteId;

use super::intake::{is_echo, is_news, merge, stored_lease};
use super::state::{Group, GroupId, GroupIx, Membership, Stored, WayState};
use super::{Core, KEEP_RESOLVED, WRITE_ALONG};

impl Core {
    /// Takes one alert in; whether it brought news. `None` if it is new and there are as many as there may be.
    pub(super) fn update(&mut self, mut arriving: Alert) -> Option<bool> {
        let fingerprint = arriving.labels.fingerprint();
        let now = self.now;
        let at_limit = self.alerts.len() >= self.options.max_alerts;
        let Some(stored) = self.alerts.get_mut(&fingerprint) else {
            if at_limit {
                return None;
            }
            let stored = Stored { alert: Arc::new(arriving), groups: Vec::new(), armed: None, saved_at: now };
            self.alerts.insert(fingerprint, stored);
            self.save_labels(fingerprint);
            self.arrived(fingerprint);
            return Some(true);
        };
        if stored.alert.labels != arriving.labels {
            // Two label sets with one fingerprint: the one that is known keeps it, the other is refused, loudly.
            tracing::error!(%fingerprint, "alert refused: another alert has the same fingerprint");
            return Some(false);
        }
        // What arrives later is the younger, even if the clock was set back a little in between.
        arriving.updated_at = arriving.updated_at.max(stored.alert.updated_at);
        let was = stored.status();
        let mut merged = merge(&stored.alert, arriving, now);
        if is_echo(&stored.alert, &merged) {
            return Some(false);
        }
        let news = is_news(&stored.alert, &merged);
        let lease = |alert: &Alert| match alert.end {
            AlertEnd::Lease { lease, .. } => stored_lease(lease),
            AlertEnd::Resolved { .. } => 0,
        };
        let worded_anew =
            stored.alert.annotations != merged.annotations || stored.alert.generator_url != merged.generator_url;
        let along =
            lease(&stored.alert) != lease(&merged) || (worded_anew && now.since(stored.saved_at) >= WRITE_ALONG);
        // What did not change is kept as it is, so that a heartbeat leaves no second copy of the text.
        merged.labels = stored.alert.labels.clone();
        if !worded_anew {
            merged.annotations = stored.alert.annotations.clone();
            merged.generator_url = stored.alert.generator_url.clone();
        }
        match Arc::get_mut(&mut stored.alert) {
            Some(alert) => *alert = merged,
            None => stored.alert = Arc::new(merged),
        }
        let fires_again = was == AlertStatus::Resolved && stored.status() == AlertStatus::Firing;
        if news {
            if fires_again {
                for index in stored.groups.clone() {
                    self.unsettle(index, fingerprint);
                }
            }
            self.arrived(fingerprint);
        } else {
            self.arm(fingerprint);
            if along {
                self.save_state(fingerprint);
            }
        }
        Some(news)
    }

    /// News of an alert: committed, recorded, and put where routes want it.
    fn arrived(&mut self, fingerprint: Fingerprint) {
        self.arm(fingerprint);
        self.save_state(fingerprint);
        self.record_received(fingerprint);
        let Some(stored) = self.alerts.get(&fingerprint) else { return };
        let labels = stored.alert.labels.clone();
        for route in self.config.clone().routes.matching(&labels) {
            self.join(fingerprint, &labels, route);
        }
    }

    fn unsettle(&mut self, index: GroupIx, fingerprint: Fingerprint) {
        if let Some(group) = self.group_mut(index) {
            for pair in &mut group.pairs {
                pair.settled.remove(fingerprint);
            }
        }
    }

    pub(super) fn join(&mut self, fingerprint: Fingerprint, labels: &LabelSet, route: RouteId) {
        let index = self.group_of(labels, route);
        let now = self.now;
        let wait = self.config.routes.get(route).group_wait;
        let Some(starts_at) = self.alerts.get(&fingerprint).map(|stored| stored.alert.starts_at) else { return };
        let Some(group) = self.group_mut(index) else { return };
        if group.members.insert(fingerprint, Membership::Ordinary) == Some(Membership::Ordinary) {
            return;
        }
        let made_anew = group.next_flush.is_none();
        if made_anew {
            let due = if starts_at + wait <= now { now } else { now + wait };
            self.schedule(index, due);
            self.take_up(index, None);
        }
        if let Some(stored) = self.alerts.get_mut(&fingerprint)
            && !stored.groups.contains(&index)
        {
            stored.groups.push(index);
        }
        self.save_member(index, fingerprint, Membership::Ordinary);
    }

    /// The group of this route and these labels, made if need be.
    fn group_of(&mut self, labels: &LabelSet, route_id: RouteId) -> GroupIx {
        let config = self.config.clone();
        let route = config.routes.get(route_id);
        let group_labels = route.group_labels(labels);
        let id = GroupId::new(&route.route_key, route.ordinal, &group_labels);
        if let Some(index) = self.by_id.get(&id).copied() {
            if let Some(group) = self.group_mut(index) {
                group.route = Some(route_id);
            }
            return index;
        }
        self.insert_group(Group {
            key: GroupKey::new(&route.route_key, &group_labels),
            id,
            labels: group_labels,
            route: Some(route_id),
            members: Default::default(),
            next_flush: None,
            flushed: false,
            pairs: Vec::new(),
        })
    }

    pub(super) fn insert_group(&mut self, group: Group) -> GroupIx {
        let id = group.id.clone();
        let index = match self.free.pop() {
            Some(index) => {
                self.groups[index as usize] = Some(group);
                index
            }
            None => {
                self.groups.push(Some(group));
                // Far fewer groups than 2^32 fit any memory.
                GroupIx::try_from(self.groups.len() - 1).unwrap_or(GroupIx::MAX)
            }
        };
        self.by_id.insert(id, index);
        index
    }

    /// Sets a group's next flush.
    pub(super) fn schedule(&mut self, index: GroupIx, due: Timestamp) {
        let Some(group) = self.group_mut(index) else { return };
        let before = group.next_flush.replace(due);
        if let Some(before) = before {
            self.flushes.remove(&(before, index));
        }
        self.flushes.insert((due, index));
        self.save_group(index);
    }

    /// A log is taken up again when its group is made anew or its way comes back: it then holds as firing only what has
    /// fired without a break since it was written.
    pub(super) fn take_up(&mut self, index: GroupIx, only: Option<usize>) {
        let Some(mut group) = self.groups.get_mut(index as usize).and_then(Option::take) else { return };
        for pair in group.pairs.iter_mut().filter(|pair| only.is_none_or(|way| pair.way == way)) {
            let Some(log) = &mut pair.log else { continue };
            let written = log.written;
            let holds = |fingerprint: &Fingerprint| {
                self.alerts
                    .get(fingerprint)
                    .is_some_and(|stored| stored.status() == AlertStatus::Firing && stored.alert.starts_at <= written)
            };
            let changed = log.firing.retain(holds) | log.unsure.retain(holds);
            if changed {
                let way = &self.ways[pair.way];
                self.out.changes.push(super::rows::put_log(&group.id, way, log));
            }
        }
        self.groups[index as usize] = Some(group);
    }

    /// Makes sure that the end of the alert's lease is looked at in time.
    pub(super) fn arm(&mut self, fingerprint: Fingerprint) {
        let Some(stored) = self.alerts.get_mut(&fingerprint) else { return };
        let AlertEnd::Lease { until, .. } = stored.alert.end else { return };
        if stored.armed.is_none_or(|at| at > until) {
            stored.armed = Some(until);
            self.leases.push(Reverse((until, fingerprint)));
        }
    }

    /// The end of a lease is an event: it is committed as resolved before any decision sees it.
    pub(super) fn end_leases(&mut self) {
        while let Some(Reverse((at, fingerprint))) = self.leases.peek().copied() {
            if at > self.now {
                return;
            }
            self.leases.pop();
            let Some(stored) = self.alerts.get_mut(&fingerprint) else { continue };
            if stored.armed != Some(at) {
                continue;
            }
            stored.armed = None;
            let AlertEnd::Lease { until, ours, .. } = stored.alert.end else { continue };
            if until > self.now {
                self.arm(fingerprint);
                continue;
            }
            let mut alert = Alert::clone(&stored.alert);
            alert.end = AlertEnd::Resolved { at: until, ours };
            stored.alert = Arc::new(alert);
            self.save_state(fingerprint);
            self.record_expired(fingerprint, until);
        }
    }

    /// Lets go of members that have nothing more to tell, and of the group if it has none left.
    pub(super) fn let_go(&mut self, index: GroupIx) {
        let Some(group) = self.group(index) else { return };
        let native = self.native_ways(group);
        let gone: Vec<Fingerprint> = group
            .members
            .iter()
            .filter(|(fingerprint, membership)| self.may_leave(group, &native, **fingerprint, **membership))
            .map(|(fingerprint, _)| *fingerprint)
            .collect();
        for fingerprint in gone {
            self.leave(index, fingerprint);
        }
        self.close_if_empty(index);
    }

    fn may_leave(&self, group: &Group, native: &[usize], fingerprint: Fingerprint, membership: Membership) -> bool {
        let Some(stored) = self.alerts.get(&fingerprint) else { return true };
        let living = |pair: &&super::state::Pair| self.ways[pair.way].living;
        if stored.status() == AlertStatus::Firing {
            return membership == Membership::Orphan && !group.is_named(fingerprint, &self.ways);
        }
        if group.pairs.iter().any(|pair| pair.row_names(fingerprint)) {
            return false;
        }
        let heard_out = |pair: &super::state::Pair| {
            pair.settled.contains(fingerprint)
                || ((membership == Membership::Orphan || !native.contains(&pair.way)) && !pair.told_firing(fingerprint))
        };
        let all_native_decided = membership == Membership::Orphan
            || native.iter().all(|way| group.pair(*way).is_some_and(|pair| pair.settled.contains(fingerprint)));
        group.flushed && all_native_decided && group.pairs.iter().filter(living).all(heard_out)
    }

    fn leave(&mut self, index: GroupIx, fingerprint: Fingerprint) {
        let Some(group) = self.group_mut(index) else { return };
        group.members.remove(&fingerprint);
        for pair in &mut group.pairs {
            pair.settled.remove(fingerprint);
        }
        if let Some(stored) = self.alerts.get_mut(&fingerprint) {
            stored.groups.retain(|group| *group != index);
        }
        self.drop_member(index, fingerprint);
    }

    /// A group without members goes; what its ways were told stays until clean-up.
    pub(super) fn close_if_empty(&mut self, index: GroupIx) {
        let Some(group) = self.group_mut(index) else { return };
        if !group.members.is_empty() {
            return;
        }
        group.flushed = false;
        let due = group.next_flush.take();
        let id = group.id.clone();
        let remembered = group.pairs.iter().any(|pair| pair.log.is_some() || pair.row.is_some() || pair.busy);
        if let Some(due) = due {
            self.flushes.remove(&(due, index));
            self.forget_group(&id);
        }
        if !remembered {
            self.groups[index as usize] = None;
            self.by_id.remove(&id);
            self.free.push(index);
        }
    }

    /// Ways of the receiver that the group's route names.
    pub(super) fn native_ways(&self, group: &Group) -> Vec<usize> {
        let Some(route) = group.route else { return Vec::new() };
        let receiver = &self.config.routes.get(route).receiver;
        let Some(receiver) = self.config.receivers.iter().find(|known| known.name == *receiver) else {
            return Vec::new();
        };
        receiver
            .ways
            .iter()
            .filter_map(|way| self.way_index.get(way.id.to_string().as_str()).copied())
            .filter(|way| self.ways[*way].living)
            .collect()
    }

    /// Logs past their time, and resolved alerts that nobody holds.
    pub(super) fn clean_up(&mut self) {
        let now = self.now;
        let Core { groups, ways, out, .. } = self;
        let mut empty = Vec::new();
        for (index, slot) in groups.iter_mut().enumerate() {
            let Some(group) = slot else { continue };
            if group.next_flush.is_some() {
                continue;
            }
            for pair in &mut group.pairs {
                let over = pair.log.as_ref().is_some_and(|log| log.expires <= now);
                if over && pair.row.is_none() && !pair.busy {
                    pair.log = None;
                    let way: &WayState = &ways[pair.way];
                    out.changes.push(super::rows::delete_log(&group.id, way));
                }
            }
            group.pairs.retain(|pair| pair.log.is_some() || pair.row.is_some() || pair.busy);
            if group.pairs.is_empty() {
                empty.push(GroupIx::try_from(index).unwrap_or(GroupIx::MAX));
            }
        }
        for index in empty {
            self.close_if_empty(index);
        }
        let over: Vec<Fingerprint> = self
            .alerts
            .iter()
            .filter(|(_, stored)| {
                stored.groups.is_empty()
                    && stored.status() == AlertStatus::Resolved
                    && stored.alert.ends_at() + KEEP_RESOLVED < now
            })
            .map(|(fingerprint, _)| *fingerprint)
            .collect();
        for fingerprint in over {
            self.alerts.remove(&fingerprint);
            self.forget_alert(fingerprint);
        }
    }
}
