//! One rule's alerts, moved on by one evaluation after another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::announce::Told;
use super::state::Holds;
use super::{
    AlertState, Candidate, Candidates, Change, HistoryEntry, HistoryKind, Outcome, RestoredAlert, RuleError, Step,
    Terms,
};
use crate::model::{Fingerprint, LabelSet, Timestamp};
use crate::rules::RuleId;

/// The label that marks an alert about the rule itself: `error` or `no_data`.
pub const REASON_LABEL: &str = "belfry_reason";

/// How long what is only written along may wait.
const WRITE_ALONG_AFTER: Duration = Duration::from_secs(5 * 60);

/// What the state machine must know of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSpec {
    pub id: RuleId,
    pub hold_for: Duration,
    pub keep_firing_for: Duration,
    /// The most pending and firing alerts; zero is no limit.
    pub limit: usize,
    pub generator_url: Arc<str>,
}

/// One alert of a rule; its labels are the key that it is kept under.
#[derive(Debug, Clone)]
pub struct Instance {
    pub fingerprint: Fingerprint,
    pub state: AlertState,
    pub annotations: LabelSet,
    pub value: f64,
    pub(super) told: Option<Told>,
    /// When annotations and value were last written.
    pub(super) written_at: Option<Timestamp>,
    /// They have changed since.
    pub(super) unwritten: bool,
}

/// When one evaluation takes place.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) slot: Timestamp,
    pub(super) interval: Duration,
    pub(super) now: Timestamp,
}

#[derive(Debug)]
pub(super) struct RuleCore {
    pub(super) spec: RuleSpec,
    pub(super) instances: BTreeMap<LabelSet, Instance>,
}

impl RuleCore {
    pub(super) fn new(spec: RuleSpec) -> Self {
        RuleCore { spec, instances: BTreeMap::new() }
    }

    pub(super) fn restore(&mut self, alerts: Vec<RestoredAlert>) {
        for alert in alerts {
            let instance = Instance {
                fingerprint: alert.labels.fingerprint(),
                state: alert.state,
                annotations: alert.annotations,
                value: alert.value,
                told: None,
                written_at: None,
                unwritten: false,
            };
            self.instances.insert(alert.labels, instance);
        }
    }

    pub(super) fn evaluated(&mut self, outcome: Outcome, at: At, terms: &Terms, step: &mut Step) {
        match outcome {
            Outcome::Samples(candidates) => match self.moved(candidates, at) {
                Ok(moves) => self.apply(moves, at, step),
                Err(error) => {
                    self.forget_all("limit", at.now, step);
                    step.error = Some(error);
                    return;
                }
            },
            Outcome::Failed { instead: None } => {}
            Outcome::Failed { instead: Some(candidate) } => {
                let moved = self.present(candidate, at);
                self.apply(vec![moved], at, step);
            }
        }
        let due = |instance: &Instance| instance.is_due(at.slot, terms);
        self.announce(due, at.slot, at.interval, at.now, terms, step);
    }

    /// Announces those that `which` picks; the announcements count from `from`.
    pub(super) fn announce(
        &mut self,
        which: impl Fn(&Instance) -> bool,
        from: Timestamp,
        interval: Duration,
        now: Timestamp,
        terms: &Terms,
        step: &mut Step,
    ) {
        for (labels, instance) in self.instances.iter_mut().filter(|(_, instance)| which(instance)) {
            step.announcements.extend(instance.announce(labels, &self.spec.generator_url, from, interval, now, terms));
        }
    }

    /// Where every alert goes; nothing is changed yet.
    fn moved(&self, candidates: Candidates, at: At) -> Result<Vec<Move>, RuleError> {
        let mut moves: Vec<Move> =
            candidates.into_inner().into_iter().map(|candidate| self.present(candidate, at)).collect();
        let given: std::collections::HashSet<LabelSet> = moves.iter().map(|moved| moved.labels.clone()).collect();
        for (labels, instance) in self.instances.iter().filter(|(labels, _)| !given.contains(*labels)) {
            let holds = match labels.get(REASON_LABEL) {
                None => self.holds(),
                // A good evaluation ends what said that there was none.
                Some(_) => Holds { keep_firing_for: Duration::ZERO, ..self.holds() },
            };
            moves.push(Move { labels: labels.clone(), after: instance.state.absent(at.slot, holds), fresh: None });
        }
        let found = moves.iter().filter(|moved| moved.after.is_some_and(AlertState::is_active)).count();
        match self.spec.limit {
            limit if limit > 0 && found > limit => Err(RuleError::LimitExceeded { limit, found }),
            _ => Ok(moves),
        }
    }

    fn present(&self, candidate: Candidate, at: At) -> Move {
        let before = self.instances.get(&candidate.labels).map(|instance| instance.state);
        Move {
            after: Some(AlertState::present(before, at.slot, self.holds())),
            labels: candidate.labels,
            fresh: Some((candidate.annotations, candidate.value)),
        }
    }

    fn holds(&self) -> Holds {
        Holds { hold_for: self.spec.hold_for, keep_firing_for: self.spec.keep_firing_for }
    }

    fn apply(&mut self, moves: Vec<Move>, at: At, step: &mut Step) {
        for Move { labels, after, fresh } in moves {
            let rule = self.spec.id.clone();
            let Some(after) = after else {
                if let Some(gone) = self.instances.remove(&labels) {
                    gone.forgotten(&rule, labels, None, at.now, step);
                }
                continue;
            };
            let before = self.instances.get(&labels).map(|instance| instance.state);
            let instance = self.instances.entry(labels.clone()).or_insert_with(|| {
                let fingerprint = labels.fingerprint();
                step.changes.push(Change::Labels { rule: rule.clone(), fingerprint, labels: labels.clone() });
                Instance::new(fingerprint, after)
            });
            instance.state = after;
            if let Some((annotations, value)) = fresh {
                instance.unwritten |=
                    instance.annotations != annotations || instance.value.to_bits() != value.to_bits();
                (instance.annotations, instance.value) = (annotations, value);
            }
            // A new episode, or one that has not fired after all, was never told of.
            let same_episode = before.is_some_and(|before| before.episode() == after.episode());
            if !same_episode || matches!(after, AlertState::Pending { .. }) {
                instance.told = None;
            }
            if before != Some(after) || instance.is_stale(at.slot) {
                step.changes.push(instance.written(&rule, at.slot));
            }
            if let Some((kind, reason)) = history_of(before, after) {
                step.history.push(instance.history(&rule, labels, kind, reason, at.now));
            }
        }
    }

    pub(super) fn forget_all(&mut self, reason: &'static str, now: Timestamp, step: &mut Step) {
        for (labels, gone) in std::mem::take(&mut self.instances) {
            gone.forgotten(&self.spec.id, labels, Some(reason), now, step);
        }
    }

    /// Moves what waits by `by`, and writes what has moved.
    pub(super) fn delay(&mut self, by: Duration, at: Timestamp, step: &mut Step) {
        for instance in self.instances.values_mut() {
            let before = instance.state;
            instance.state = before.delayed(by);
            if instance.state != before {
                step.changes.push(instance.written(&self.spec.id, at));
            }
        }
    }

    /// The clock went by `millis` of its own.
    pub(super) fn clock_stepped(&mut self, millis: i64, at: Timestamp, step: &mut Step) {
        for instance in self.instances.values_mut() {
            instance.told_stepped(millis);
        }
        self.delay(Duration::from_millis(millis.max(0).unsigned_abs()), at, step);
    }
}

/// One alert on its way.
struct Move {
    labels: LabelSet,
    /// `None`: forgotten.
    after: Option<AlertState>,
    /// Annotations and value, if the evaluation gave any.
    fresh: Option<(LabelSet, f64)>,
}

/// What history says of a move, if anything.
fn history_of(before: Option<AlertState>, after: AlertState) -> Option<(HistoryKind, Option<&'static str>)> {
    use AlertState::{Firing, Pending, Resolved};
    match (before, after) {
        (Some(Firing { .. }), Firing { .. })
        | (Some(Pending { .. }), Pending { .. })
        | (Some(Resolved { .. }), Resolved { .. }) => None,
        (Some(Firing { .. }), Pending { .. }) => Some((HistoryKind::Pending, Some("for was raised"))),
        (_, Pending { .. }) => Some((HistoryKind::Pending, None)),
        (_, Firing { .. }) => Some((HistoryKind::Firing, None)),
        (_, Resolved { .. }) => Some((HistoryKind::Resolved, None)),
    }
}

impl Instance {
    fn new(fingerprint: Fingerprint, state: AlertState) -> Self {
        Instance {
            fingerprint,
            state,
            annotations: LabelSet::empty(),
            value: 0.0,
            told: None,
            written_at: None,
            unwritten: false,
        }
    }

    fn is_stale(&self, at: Timestamp) -> bool {
        self.unwritten && self.written_at.is_none_or(|written| at.since(written) >= WRITE_ALONG_AFTER)
    }

    fn forgotten(
        &self,
        rule: &RuleId,
        labels: LabelSet,
        reason: Option<&'static str>,
        now: Timestamp,
        step: &mut Step,
    ) {
        step.changes.push(Change::Removed { rule: rule.clone(), fingerprint: self.fingerprint });
        // The end of a resolved one is in the history already.
        if self.state.is_active() {
            step.history.push(self.history(rule, labels, HistoryKind::Inactive, reason, now));
        }
    }

    fn history(
        &self,
        rule: &RuleId,
        labels: LabelSet,
        kind: HistoryKind,
        reason: Option<&'static str>,
        now: Timestamp,
    ) -> HistoryEntry {
        HistoryEntry {
            at: now,
            kind,
            rule: rule.clone(),
            fingerprint: self.fingerprint,
            episode: self.state.episode(),
            labels,
            value: self.value,
            reason,
        }
    }

    /// The change that writes it as it is now.
    fn written(&mut self, rule: &RuleId, at: Timestamp) -> Change {
        (self.written_at, self.unwritten) = (Some(at), false);
        Change::State {
            rule: rule.clone(),
            fingerprint: self.fingerprint,
            state: self.state,
            annotations: self.annotations.clone(),
            value: self.value,
        }
    }
}
