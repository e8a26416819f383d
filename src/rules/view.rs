//! What the API shows of rules (contract prometheus §f): a snapshot that each iteration of a group leaves.

use std::sync::Arc;
use std::time::Duration;

use super::core::{AlertState, GroupCore};
use super::plan::{GroupPlan, RulePlan};
use super::text::Text;
use super::{RuleGroupId, RuleId};
use crate::model::{Fingerprint, LabelSet, Timestamp};

/// A group as of its last iteration.
#[derive(Debug, Clone)]
pub struct GroupView {
    pub id: RuleGroupId,
    pub file: Arc<str>,
    pub name: Arc<str>,
    /// Of a calendar schedule, the time from one slot to the next.
    pub interval: Duration,
    /// Zero is no limit.
    pub limit: usize,
    /// How long the last iteration took.
    pub evaluation_time: Duration,
    /// The wall clock when the last iteration began.
    pub last_evaluation: Option<Timestamp>,
    /// Alert rules, in file order.
    pub rules: Vec<RuleView>,
}

/// An alert rule as of its group's last iteration.
#[derive(Debug, Clone)]
pub struct RuleView {
    pub id: RuleId,
    pub name: Arc<str>,
    pub query: Arc<str>,
    /// `for`.
    pub duration: Duration,
    pub keep_firing_for: Duration,
    /// Unexpanded.
    pub labels: LabelSet,
    /// Unexpanded.
    pub annotations: LabelSet,
    /// `None` is the default source.
    pub source: Option<Arc<str>>,
    pub state: RuleState,
    pub health: Health,
    pub evaluation_time: Duration,
    /// The wall clock when the last evaluation began.
    pub last_evaluation: Option<Timestamp>,
    /// Samples that the last good evaluation gave.
    pub samples: usize,
    /// Pending and firing ones.
    pub alerts: Vec<AlertView>,
}

/// The most severe state of a rule's alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleState {
    /// Not evaluated yet.
    Unknown,
    Inactive,
    Pending,
    Firing,
}

impl RuleState {
    pub const fn as_str(self) -> &'static str {
        match self {
            RuleState::Unknown => "unknown",
            RuleState::Inactive => "inactive",
            RuleState::Pending => "pending",
            RuleState::Firing => "firing",
        }
    }
}

/// How the last evaluation of a rule went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Health {
    #[default]
    Unknown,
    Ok,
    Err(Arc<str>),
}

impl Health {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Ok => "ok",
            Health::Err(_) => "err",
        }
    }

    pub fn last_error(&self) -> Option<&str> {
        match self {
            Health::Err(error) => Some(error),
            Health::Unknown | Health::Ok => None,
        }
    }
}

/// A pending or firing alert. Its labels are its own: no external ones.
#[derive(Debug, Clone)]
pub struct AlertView {
    pub fingerprint: Fingerprint,
    pub labels: LabelSet,
    pub annotations: LabelSet,
    pub firing: bool,
    pub active_at: Timestamp,
    pub fired_at: Option<Timestamp>,
    pub keep_firing_since: Option<Timestamp>,
    pub value: f64,
}

/// What an evaluation leaves beside its alerts.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleStatus {
    pub(super) health: Health,
    pub(super) evaluation_time: Duration,
    pub(super) last_evaluation: Option<Timestamp>,
    pub(super) samples: usize,
}

/// What an iteration leaves beside its rules.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupStatus {
    pub(super) evaluation_time: Duration,
    pub(super) last_evaluation: Option<Timestamp>,
    /// The last slot of this very schedule that was evaluated.
    pub(super) last_slot: Option<Timestamp>,
    /// By index of the rule.
    pub(super) rules: Vec<RuleStatus>,
}

impl GroupView {
    pub(super) fn new(plan: &GroupPlan, core: &GroupCore, status: &GroupStatus, now: Timestamp) -> Self {
        let rules = plan.rules.iter().zip(&status.rules).enumerate();
        GroupView {
            id: plan.id.clone(),
            file: plan.file.clone(),
            name: plan.name.clone(),
            interval: plan.schedule.interval_at(core.last_slot().unwrap_or(now)),
            limit: plan.limit,
            evaluation_time: status.evaluation_time,
            last_evaluation: status.last_evaluation,
            rules: rules.map(|(index, (rule, status))| RuleView::new(rule, core, index, status)).collect(),
        }
    }
}

impl RuleView {
    fn new(rule: &RulePlan, core: &GroupCore, index: usize, status: &RuleStatus) -> Self {
        let alerts: Vec<AlertView> = core
            .alerts(index)
            .filter_map(|(labels, instance)| {
                let (firing, active_at, fired_at, keep_firing_since) = match instance.state {
                    AlertState::Pending { active_since } => (false, active_since, None, None),
                    AlertState::Firing { active_since, fired_at, quiet_since } => {
                        (true, active_since, Some(fired_at), quiet_since)
                    }
                    AlertState::Resolved { .. } => return None,
                };
                Some(AlertView {
                    fingerprint: instance.fingerprint,
                    labels: labels.clone(),
                    annotations: instance.annotations.clone(),
                    firing,
                    active_at,
                    fired_at,
                    keep_firing_since,
                    value: instance.value,
                })
            })
            .collect();
        let evaluated = if status.health == Health::Unknown { RuleState::Unknown } else { RuleState::Inactive };
        let state = alerts
            .iter()
            .map(|alert| if alert.firing { RuleState::Firing } else { RuleState::Pending })
            .max()
            .unwrap_or(evaluated);
        RuleView {
            id: rule.id.clone(),
            name: rule.name.clone(),
            query: rule.expr.clone(),
            duration: rule.hold_for,
            keep_firing_for: rule.keep_firing_for,
            labels: raw(&rule.labels),
            annotations: raw(&rule.annotations),
            source: rule.source.clone(),
            state,
            health: status.health.clone(),
            evaluation_time: status.evaluation_time,
            last_evaluation: status.last_evaluation,
            samples: status.samples,
            alerts,
        }
    }
}

fn raw(texts: &[(Arc<str>, Text)]) -> LabelSet {
    texts.iter().map(|(name, text)| (name, &text.raw)).collect()
}
