//! The alert state machine: one core for each group of rules (contract prometheus §b; semantics of a failed evaluation and
//! of restarts are Belfry's own).
//!
//! Pure: it is handed events and the time, and gives back a [`Step`]. It owns no task, asks no source, reads no clock, and
//! knows nothing of how its changes are stored.
//!
//! **Invariants:** what a core holds is what its changes say, so replaying them gives the same core (annotations and values
//! up to five minutes old, announcements made again); a firing alert turns resolved only by a good evaluation without it.

mod announce;
mod rule;
mod state;
mod step;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{LabelSet, Timestamp};
use crate::rules::{RuleGroupId, RuleId};
use rule::{At, RuleCore};

pub use announce::Terms;
pub use rule::{Instance, REASON_LABEL, RuleSpec};
pub use state::AlertState;
pub use step::{Candidate, Candidates, Change, Event, HistoryEntry, HistoryKind, Outcome, RuleError, Step};

/// The alerts of one group.
#[derive(Debug)]
pub struct GroupCore {
    id: RuleGroupId,
    terms: Terms,
    rules: Vec<RuleCore>,
    last_slot: Option<Timestamp>,
    /// When the next evaluation was due when Belfry went down, until one has taken place.
    due: Option<Timestamp>,
}

/// What was stored of a group.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    pub last_slot: Option<Timestamp>,
    /// The slot that would have been next. What waits does not count the time from then to the first evaluation.
    pub due: Option<Timestamp>,
    pub alerts: HashMap<RuleId, Vec<RestoredAlert>>,
}

/// What was stored of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoredAlert {
    pub labels: LabelSet,
    pub state: AlertState,
    pub annotations: LabelSet,
    pub value: f64,
}

impl GroupCore {
    /// Rules in file order; an [`Event::Evaluated`] names them by index.
    pub fn new(id: RuleGroupId, rules: Vec<RuleSpec>, terms: Terms) -> Self {
        GroupCore { id, terms, rules: rules.into_iter().map(RuleCore::new).collect(), last_slot: None, due: None }
    }

    /// Takes up what was stored, exactly. What belongs to no rule of the group is given back.
    pub fn restore(&mut self, mut restored: Restored) -> HashMap<RuleId, Vec<RestoredAlert>> {
        (self.last_slot, self.due) = (restored.last_slot, restored.due);
        for rule in &mut self.rules {
            rule.restore(restored.alerts.remove(&rule.spec.id).unwrap_or_default());
        }
        restored.alerts
    }

    /// Takes over from the core of the same group before a reload: rules are the same by identity. Nothing is announced for
    /// alerts of rules that are gone.
    pub fn adopt(&mut self, old: GroupCore, now: Timestamp) -> Step {
        let mut step = Step::default();
        (self.last_slot, self.due) = (old.last_slot, old.due);
        let mut left: HashMap<RuleId, RuleCore> = HashMap::new();
        left.extend(old.rules.into_iter().map(|rule| (rule.spec.id.clone(), rule)));
        for rule in &mut self.rules {
            if let Some(old) = left.remove(&rule.spec.id) {
                rule.instances = old.instances;
            }
        }
        let mut gone: Vec<RuleCore> = left.into_values().collect();
        gone.sort_by(|a, b| a.spec.id.cmp(&b.spec.id));
        for mut rule in gone {
            rule.forget_all("rule removed", now, &mut step);
        }
        step
    }

    /// Takes up alerts that are stored and belonged to no rule since Belfry was down: `away` is what they do not count. What
    /// belongs to no rule of the group is left alone.
    pub fn take_up(
        &mut self,
        alerts: &mut HashMap<RuleId, Vec<RestoredAlert>>,
        away: Duration,
        now: Timestamp,
    ) -> Step {
        let mut step = Step::default();
        for rule in &mut self.rules {
            if let Some(alerts) = alerts.remove(&rule.spec.id).filter(|_| rule.instances.is_empty()) {
                rule.restore(alerts);
                rule.delay(away, now, &mut step);
            }
        }
        step
    }

    /// The group is no more: forgets everything, announces nothing.
    pub fn remove(mut self, now: Timestamp) -> Step {
        let mut step = Step::default();
        for rule in &mut self.rules {
            rule.forget_all("rule removed", now, &mut step);
        }
        step.changes.push(Change::GroupRemoved { group: self.id });
        step
    }

    /// Decides what an event leads to. `now` is the wall clock, which only ends and history are measured by.
    pub fn on(&mut self, event: Event, now: Timestamp) -> Step {
        let mut step = Step::default();
        match event {
            Event::Started { interval } => {
                for rule in &mut self.rules {
                    rule.announce(|_| true, now, interval, now, &self.terms, &mut step);
                }
            }
            Event::Evaluated { rule, slot, interval, outcome } => {
                self.enter(slot, &mut step);
                if let Some(rule) = self.rules.get_mut(rule) {
                    rule.evaluated(outcome, At { slot, interval, now }, &self.terms, &mut step);
                }
            }
            Event::Stepped { millis } => {
                self.due = self.due.map(|due| due.plus_millis(millis.max(0)));
                for rule in &mut self.rules {
                    rule.clock_stepped(millis, now, &mut step);
                }
            }
        }
        step
    }

    /// The first evaluation at a slot says so, and ends a time of being down: from then on what waits has not counted it.
    fn enter(&mut self, slot: Timestamp, step: &mut Step) {
        if self.last_slot == Some(slot) && self.due.is_none() {
            return;
        }
        self.last_slot = Some(slot);
        step.changes.push(Change::Slot { group: self.id.clone(), slot });
        if let Some(due) = self.due.take() {
            for rule in &mut self.rules {
                rule.delay(slot.since(due), slot, step);
            }
        }
    }

    #[cfg(test)]
    fn id(&self) -> &RuleGroupId {
        &self.id
    }

    /// The slot of the last evaluation.
    pub fn last_slot(&self) -> Option<Timestamp> {
        self.last_slot
    }

    /// The alerts of the rule at this index, with their labels, in the order of these.
    pub fn alerts(&self, rule: usize) -> impl Iterator<Item = (&LabelSet, &Instance)> {
        self.rules.get(rule).into_iter().flat_map(|rule| rule.instances.iter())
    }
}
