//! Another configuration, and a stepped clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{AlertStatus, Fingerprint, Timestamp};
use crate::router::{RouteId, RouterConfig};

use super::Core;
use super::state::{GroupId, GroupIx, Membership, WayIx, WayState};

impl Core {
    /// Ways of the new configuration live, the others do not; those that come back are returned.
    pub(super) fn adopt_ways(&mut self, config: &RouterConfig) -> Vec<WayIx> {
        let mut back = Vec::new();
        let mut living = HashSet::new();
        for way in config.receivers.iter().flat_map(|receiver| &receiver.ways) {
            let state = WayState::new(way.clone());
            let index = match self.way_index.get(&state.key) {
                Some(index) => {
                    let known = &mut self.ways[*index];
                    if !known.living {
                        back.push(*index);
                    }
                    known.way = way.clone();
                    known.living = true;
                    *index
                }
                None => {
                    self.way_index.insert(state.key.clone(), self.ways.len());
                    self.ways.push(state);
                    self.ways.len() - 1
                }
            };
            living.insert(index);
        }
        for (index, way) in self.ways.iter_mut().enumerate() {
            way.living = living.contains(&index);
        }
        back
    }

    /// Forms the groups anew. What ways were told and are owed stays by group and way; an alert that a way still holds
    /// open and that no route puts into its group any more stays there as an orphan, so that the way hears its end.
    pub(super) fn reload(&mut self, config: Arc<RouterConfig>) {
        self.config = config.clone();
        let back = self.adopt_ways(&config);
        self.record_reload();
        let mut formed = self.form(&config);
        let present: Vec<GroupIx> = self.by_id.values().copied().collect();
        for index in present {
            let Some(group) = self.group(index) else { continue };
            let ordinary = formed.remove(&group.id);
            self.reform(index, ordinary);
        }
        for (route, members) in formed.into_values() {
            for fingerprint in members {
                let Some(labels) = self.alerts.get(&fingerprint).map(|stored| stored.alert.labels.clone()) else {
                    continue;
                };
                self.join(fingerprint, &labels, route);
            }
        }
        for way in back {
            for index in self.by_id.values().copied().collect::<Vec<_>>() {
                self.take_up(index, Some(way));
            }
        }
        self.settle_removed_ways();
        self.withdraw_moved();
        for index in self.by_id.values().copied().collect::<Vec<_>>() {
            self.let_go(index);
        }
    }

    /// Which alerts the routes put where: all that fire, and resolved ones that still have something to tell.
    fn form(&self, config: &RouterConfig) -> HashMap<GroupId, (RouteId, Vec<Fingerprint>)> {
        let mut formed: HashMap<GroupId, (RouteId, Vec<Fingerprint>)> = HashMap::new();
        for (fingerprint, stored) in &self.alerts {
            if stored.status() == AlertStatus::Resolved && stored.groups.is_empty() {
                continue;
            }
            for id in config.routes.matching(&stored.alert.labels) {
                let route = config.routes.get(id);
                let labels = route.group_labels(&stored.alert.labels);
                let group = GroupId::new(&route.route_key, route.ordinal, &labels);
                formed.entry(group).or_insert_with(|| (id, Vec::new())).1.push(*fingerprint);
            }
        }
        formed
    }

    fn reform(&mut self, index: GroupIx, ordinary: Option<(RouteId, Vec<Fingerprint>)>) {
        let Some(group) = self.group(index) else { return };
        let members: Vec<Fingerprint> = group.members.keys().copied().collect();
        let (route, ordinary) = match ordinary {
            Some((route, members)) => (Some(route), members),
            None => (None, Vec::new()),
        };
        let kept: HashSet<Fingerprint> = ordinary.iter().copied().collect();
        let mut orphans = Vec::new();
        for fingerprint in members.iter().filter(|fingerprint| !kept.contains(fingerprint)) {
            let named = group.pairs.iter().any(|pair| {
                self.ways[pair.way].living && (pair.told_firing(*fingerprint) || pair.row_names(*fingerprint))
            });
            orphans.push((*fingerprint, named));
        }
        if let Some(group) = self.group_mut(index) {
            group.route = route;
        }
        for (fingerprint, named) in orphans {
            self.unjoin(index, fingerprint, named);
        }
        let Some(route) = route else { return };
        for fingerprint in &ordinary {
            let Some(labels) = self.alerts.get(fingerprint).map(|stored| stored.alert.labels.clone()) else { continue };
            self.join(*fingerprint, &labels, route);
        }
        // Its timer starts anew; what is old enough flushes at once, and the log prevents repeats.
        let wait = self.terms_of(index).group_wait;
        let waited = |fingerprint: &Fingerprint| {
            self.alerts.get(fingerprint).is_some_and(|stored| stored.alert.starts_at + wait <= self.now)
        };
        let due = if ordinary.iter().any(waited) { self.now } else { self.now + wait };
        self.schedule(index, due);
    }

    /// Takes a member out, or keeps it as an orphan.
    fn unjoin(&mut self, index: GroupIx, fingerprint: Fingerprint, as_orphan: bool) {
        let Some(group) = self.group_mut(index) else { return };
        if as_orphan {
            group.members.insert(fingerprint, Membership::Orphan);
            self.save_member(index, fingerprint, Membership::Orphan);
            return;
        }
        group.members.remove(&fingerprint);
        if let Some(stored) = self.alerts.get_mut(&fingerprint) {
            stored.groups.retain(|group| *group != index);
        }
        self.drop_member(index, fingerprint);
    }

    /// Rows of ways that are gone are withdrawn, but for those under way, which finish on the old configuration.
    pub(super) fn settle_removed_ways(&mut self) {
        self.withdraw_where("receiver removed", |core, index, way| {
            !core.ways[way].living && core.group(index).and_then(|group| group.pair(way)).is_some_and(|pair| !pair.busy)
        });
    }

    /// A row that only tells what another group of the same way now tells is withdrawn there.
    fn withdraw_moved(&mut self) {
        self.withdraw_where("moved", Core::has_moved);
    }

    fn withdraw_where(&mut self, reason: &'static str, which: impl Fn(&Core, GroupIx, WayIx) -> bool) {
        for index in self.by_id.values().copied().collect::<Vec<_>>() {
            let Some(group) = self.group(index) else { continue };
            let rows = group.pairs.iter().filter(|pair| pair.row.is_some());
            let ways: Vec<WayIx> = rows.map(|pair| pair.way).filter(|way| which(self, index, *way)).collect();
            let Some(mut group) = self.groups.get_mut(index as usize).and_then(Option::take) else { continue };
            for way in ways {
                self.withdraw(&mut group, index, way, reason);
            }
            self.groups[index as usize] = Some(group);
        }
    }

    fn has_moved(&self, index: GroupIx, way: WayIx) -> bool {
        let Some(group) = self.group(index) else { return false };
        let Some(pair) = group.pair(way) else { return false };
        let Some(row) = &pair.row else { return false };
        if pair.busy || row.uncertain {
            return false;
        }
        let native_here = self.native_ways(group).contains(&way);
        let orphaned =
            |fingerprint: Fingerprint| !native_here || group.members.get(&fingerprint) != Some(&Membership::Ordinary);
        let elsewhere = |fingerprint: Fingerprint| {
            self.alerts.get(&fingerprint).is_some_and(|stored| {
                stored.groups.iter().filter(|other| **other != index).any(|other| {
                    self.group(*other).is_some_and(|other| {
                        other.members.get(&fingerprint) == Some(&Membership::Ordinary)
                            && self.native_ways(other).contains(&way)
                    })
                })
            })
        };
        let untold: Vec<Fingerprint> =
            row.alerts.iter().map(|alert| alert.fingerprint).filter(|f| !pair.told_firing(*f)).collect();
        row.alerts.iter().all(|alert| orphaned(alert.fingerprint))
            && !untold.is_empty()
            && untold.into_iter().all(elsewhere)
            && !row.resolved.iter().any(|fingerprint| pair.told_firing(fingerprint))
    }

    /// Everything that is an instant of the wall clock moves along with it, so that nothing comes early or late and
    /// nothing resolves because of it (semantics §7).
    pub(super) fn clock_step(&mut self, millis: i64) {
        let moved = |at: Timestamp| at.plus_millis(millis);
        self.hold_until = self.hold_until.map(moved);
        self.next_clean_up = moved(self.next_clean_up);
        self.flushes = self.flushes.iter().map(|(at, index)| (moved(*at), *index)).collect();
        self.leases.clear();
        for way in &mut self.ways {
            way.not_before = moved(way.not_before);
        }
        for index in 0..self.groups.len() {
            let Some(mut group) = self.groups[index].take() else { continue };
            group.next_flush = group.next_flush.map(moved);
            for at in 0..group.pairs.len() {
                let Some(log) = &mut group.pairs[at].log else { continue };
                log.told = moved(log.told);
                log.written = moved(log.written);
                log.expires = moved(log.expires);
                let way = group.pairs[at].way;
                self.save_log(&group, way);
            }
            self.groups[index] = Some(group);
            let index = GroupIx::try_from(index).unwrap_or(GroupIx::MAX);
            self.save_group(index);
        }
        for fingerprint in self.alerts.keys().copied().collect::<Vec<_>>() {
            self.move_lease(fingerprint, millis);
        }
    }

    fn move_lease(&mut self, fingerprint: Fingerprint, millis: i64) {
        let Some(stored) = self.alerts.get_mut(&fingerprint) else { return };
        let crate::model::AlertEnd::Lease { until, lease, ours } = stored.alert.end else { return };
        let mut alert = crate::model::Alert::clone(&stored.alert);
        alert.end = crate::model::AlertEnd::Lease { until: until.plus_millis(millis), lease, ours };
        alert.updated_at = alert.updated_at.plus_millis(millis);
        stored.alert = Arc::new(alert);
        stored.armed = None;
        self.arm(fingerprint);
    }
}
