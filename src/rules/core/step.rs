//! What a step of a core gives: facts to commit, history, and alerts to announce; and what goes into one.

use std::collections::HashSet;
use std::time::Duration;

use super::AlertState;
use crate::model::{Fingerprint, LabelSet, PostedAlert, Timestamp};
use crate::rules::{RuleGroupId, RuleId};

/// What happens to a group.
#[derive(Debug, Clone)]
pub enum Event {
    /// It starts or starts again: everything that fires or is retained is told before the first evaluation.
    Started {
        /// The time to the next slot, which leases are measured by.
        interval: Duration,
    },
    /// The rule at this index was evaluated at `slot`.
    Evaluated { rule: usize, slot: Timestamp, interval: Duration, outcome: Outcome },
    /// The wall clock went its own way by so many milliseconds, or the machine slept.
    Stepped { millis: i64 },
}

/// One alert that an evaluation gave: final labels and annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub labels: LabelSet,
    pub annotations: LabelSet,
    pub value: f64,
}

/// All alerts of one evaluation. **Invariant:** no two have the same labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates(Vec<Candidate>);

impl Candidates {
    /// # Errors
    /// Two of them have the same labels.
    pub fn new(candidates: Vec<Candidate>) -> Result<Self, RuleError> {
        let mut seen = HashSet::with_capacity(candidates.len());
        match candidates.iter().all(|candidate| seen.insert(&candidate.labels)) {
            true => Ok(Candidates(candidates)),
            false => Err(RuleError::DuplicateLabels),
        }
    }

    pub(super) fn into_inner(self) -> Vec<Candidate> {
        self.0
    }
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Samples(Candidates),
    /// It failed. With `on_error: alert`, `instead` is the alert that says so.
    Failed {
        instead: Option<Candidate>,
    },
}

/// Why a rule's evaluation counts as failed although its source answered (texts of contract prometheus §b).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("vector contains metrics with the same labelset after applying alert labels")]
    DuplicateLabels,
    #[error("exceeded limit of {limit} with {found} alerts")]
    LimitExceeded { limit: usize, found: usize },
}

/// The effects of a step, in order: commit changes and history in one transaction, then announce.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    pub changes: Vec<Change>,
    pub history: Vec<HistoryEntry>,
    pub announcements: Vec<PostedAlert>,
    /// The rule's own fault, if the step found one.
    pub error: Option<RuleError>,
}

impl Step {
    /// Takes over the effects of a later step.
    pub fn append(&mut self, mut later: Step) {
        self.changes.append(&mut later.changes);
        self.history.append(&mut later.history);
        self.announcements.append(&mut later.announcements);
        self.error = later.error.or(self.error.take());
    }
}

/// One fact to commit. The fingerprint stands for labels that a [`Change::Labels`] has told.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The group was evaluated at this slot.
    Slot {
        group: RuleGroupId,
        slot: Timestamp,
    },
    /// There is an alert of these labels. Told once, with its first state.
    Labels {
        rule: RuleId,
        fingerprint: Fingerprint,
        labels: LabelSet,
    },
    State {
        rule: RuleId,
        fingerprint: Fingerprint,
        state: AlertState,
        annotations: LabelSet,
        value: f64,
    },
    /// The alert is forgotten, its labels too.
    Removed {
        rule: RuleId,
        fingerprint: Fingerprint,
    },
    /// The group is no more.
    GroupRemoved {
        group: RuleGroupId,
    },
}

/// What explain and reports are built on.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub at: Timestamp,
    pub kind: HistoryKind,
    pub rule: RuleId,
    pub fingerprint: Fingerprint,
    /// When the episode that it belongs to fired, or began to hold.
    pub episode: Timestamp,
    pub labels: LabelSet,
    pub value: f64,
    pub reason: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryKind {
    Pending,
    Firing,
    Resolved,
    /// It went without having fired, or was dropped.
    Inactive,
}
