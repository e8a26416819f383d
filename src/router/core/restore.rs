//! A start: everything comes back as it was, and time that passed meanwhile resolves nothing (semantics §1 Start, §2).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::db::RouterState;
use crate::model::{Alert, AlertEnd, GroupKey, LabelSet, Timestamp};
use crate::router::{RouteId, RouterConfig};

use super::rows::{UnreadableRow, read_fingerprint, read_json, read_log, read_row};
use super::state::{Group, GroupId, GroupIx, Membership, Stored, WayState};
use super::{Core, Event, Gate, Options};

/// A core as it was, and what the start itself changed.
pub struct Restored {
    pub core: Core,
    pub step: super::Step,
}

impl Core {
    /// Brings back what was stored. With the configuration that it was stored under (`same_config`) groups and timers go
    /// on; under another one they are formed anew, as by a reload.
    ///
    /// # Errors
    /// A row that this program did not write.
    pub fn restore(
        config: Arc<RouterConfig>,
        gate: Arc<dyn Gate>,
        options: Options,
        state: &RouterState,
        same_config: bool,
        now: Timestamp,
    ) -> Result<Restored, UnreadableRow> {
        let mut core = Core::new(config.clone(), gate, options, now);
        core.hold_until = Some(now + options.start_grace);
        core.load_alerts(state, now)?;
        core.load_groups(state, now)?;
        core.load_pairs(state, now)?;
        // An attempt may have been under way when the process died after its receiver was removed.
        core.settle_removed_ways();
        let events = (!same_config).then_some(Event::Reload(config));
        let step = core.on(events, now);
        Ok(Restored { core, step })
    }

    fn load_alerts(&mut self, state: &RouterState, now: Timestamp) -> Result<(), UnreadableRow> {
        let mut labels: HashMap<&str, LabelSet> = HashMap::with_capacity(state.alerts.len());
        for row in &state.alerts {
            labels.insert(&row.fingerprint, read_json(&row.labels, "alert", &row.fingerprint)?);
        }
        for row in &state.alert_states {
            // Labels are written before or with the state; a state without them tells nobody anything.
            let Some(labels) = labels.remove(&*row.fingerprint) else { continue };
            let fingerprint = read_fingerprint(&row.fingerprint, "alert_state", &row.fingerprint)?;
            let end = match row.lease_ms {
                Some(millis) => {
                    let lease = Duration::from_millis(millis.max(0).unsigned_abs());
                    AlertEnd::Lease { until: now + lease, lease, ours: row.ours }
                }
                None => AlertEnd::Resolved { at: Timestamp::from_millis(row.ends_at), ours: row.ours },
            };
            let alert = Alert {
                labels,
                annotations: read_json(&row.annotations, "alert_state", &row.fingerprint)?,
                starts_at: Timestamp::from_millis(row.starts_at),
                end,
                updated_at: Timestamp::from_millis(row.updated_at),
                generator_url: row.generator_url.clone(),
            };
            let stored = Stored { alert: Arc::new(alert), groups: Vec::new(), armed: None, saved_at: now };
            self.alerts.insert(fingerprint, stored);
            self.arm(fingerprint);
        }
        Ok(())
    }

    fn load_groups(&mut self, state: &RouterState, now: Timestamp) -> Result<(), UnreadableRow> {
        let config = self.config.clone();
        let routes: HashMap<(&str, usize), RouteId> =
            config.routes.iter().map(|(id, route)| ((&*route.route_key, route.ordinal), id)).collect();
        for row in &state.groups {
            let ordinal = usize::try_from(row.ordinal).ok();
            let route = ordinal.and_then(|ordinal| routes.get(&(&*row.route_key, ordinal)).copied());
            let index = self.insert_group(Group {
                id: GroupId::from_stored(&row.id),
                key: GroupKey::stored(&row.group_key),
                labels: read_json(&row.labels, "alert_group", &row.id)?,
                route,
                members: HashMap::new(),
                next_flush: None,
                flushed: true,
                pairs: Vec::new(),
            });
            let terms = self.terms_of(index);
            let latest = now + terms.group_wait.max(terms.group_interval);
            let due = Timestamp::from_millis(row.next_flush).min(latest);
            if let Some(group) = self.group_mut(index) {
                group.next_flush = Some(due);
            }
            self.flushes.insert((due, index));
        }
        for row in &state.members {
            let Some(index) = self.by_id.get(&GroupId::from_stored(&row.group_id)).copied() else { continue };
            let fingerprint = read_fingerprint(&row.fingerprint, "group_member", &row.group_id)?;
            let Some(stored) = self.alerts.get_mut(&fingerprint) else { continue };
            stored.groups.push(index);
            let membership = if row.orphan { Membership::Orphan } else { Membership::Ordinary };
            if let Some(group) = self.group_mut(index) {
                group.members.insert(fingerprint, membership);
            }
        }
        Ok(())
    }

    fn load_pairs(&mut self, state: &RouterState, now: Timestamp) -> Result<(), UnreadableRow> {
        for stored in &state.notification_log {
            let mut log = read_log(stored)?;
            log.told = if log.told > now { now } else { log.told };
            log.written = if log.written > now { now } else { log.written };
            let (index, way) = self.place(&stored.group_id, &stored.way);
            if let Some(group) = self.group_mut(index) {
                group.pair_mut(way).log = Some(log);
            }
        }
        for stored in &state.outbox {
            let mut row = read_row(stored)?;
            // Whether the attempt that may have been under way was heard is not known: its own key settles it.
            row.uncertain = true;
            let (index, way) = self.place(&stored.group_id, &stored.way);
            if let Some(group) = self.group_mut(index) {
                group.pair_mut(way).row = Some(row);
            }
            self.enqueue(index, way, Timestamp::EPOCH);
        }
        Ok(())
    }

    /// The group and the way of a stored row, if need be as ones that the configuration does not have.
    fn place(&mut self, group: &str, way: &str) -> (GroupIx, usize) {
        let id = GroupId::from_stored(group);
        let index = match self.by_id.get(&id).copied() {
            Some(index) => index,
            None => self.insert_group(Group {
                key: GroupKey::stored(group),
                id,
                labels: LabelSet::empty(),
                route: None,
                members: HashMap::new(),
                next_flush: None,
                flushed: false,
                pairs: Vec::new(),
            }),
        };
        let way = match self.way_index.get(way).copied() {
            Some(way) => way,
            None => {
                let state = WayState::gone(way);
                self.way_index.insert(state.key.clone(), self.ways.len());
                self.ways.push(state);
                self.ways.len() - 1
            }
        };
        (index, way)
    }
}
