//! A bench for cores: one rule, tables that its changes are applied to, and traces as text.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::*;
use crate::model::{Fingerprint, PostedAlert, parse_duration};

/// What is stored: the changes of all steps, applied.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) last_slot: Option<Timestamp>,
    labels: BTreeMap<(RuleId, Fingerprint), LabelSet>,
    states: BTreeMap<(RuleId, Fingerprint), (AlertState, LabelSet, f64)>,
}

impl Tables {
    pub(super) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Slot { slot, .. } => self.last_slot = Some(slot),
                Change::Labels { rule, fingerprint, labels } => {
                    self.labels.insert((rule, fingerprint), labels);
                }
                Change::State { rule, fingerprint, state, annotations, value } => {
                    assert!(self.labels.contains_key(&(rule.clone(), fingerprint)), "a state without labels");
                    self.states.insert((rule, fingerprint), (state, annotations, value));
                }
                Change::Removed { rule, fingerprint } => {
                    self.labels.remove(&(rule.clone(), fingerprint));
                    self.states.remove(&(rule, fingerprint));
                }
                Change::GroupRemoved { .. } => self.last_slot = None,
            }
        }
    }

    pub(super) fn restored(&self, interval: Duration) -> Restored {
        let mut alerts: HashMap<RuleId, Vec<RestoredAlert>> = HashMap::new();
        for (key, (state, annotations, value)) in &self.states {
            let alert = RestoredAlert {
                labels: self.labels[key].clone(),
                state: *state,
                annotations: annotations.clone(),
                value: *value,
            };
            alerts.entry(key.0.clone()).or_default().push(alert);
        }
        Restored { last_slot: self.last_slot, due: self.last_slot.map(|slot| slot + interval), alerts }
    }

    pub(super) fn states(&self) -> BTreeMap<String, AlertState> {
        self.states.iter().map(|(key, (state, ..))| (self.labels[key].to_string(), *state)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.states.is_empty()
    }
}

/// A group of one rule, `A`, evaluated every `interval`.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) core: GroupCore,
    pub(super) tables: Tables,
    pub(super) interval: Duration,
    pub(super) spec: RuleSpec,
    pub(super) terms: Terms,
    pub(super) history: Vec<HistoryEntry>,
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

pub(super) fn candidate(name: &str, value: f64) -> Candidate {
    Candidate {
        labels: LabelSet::from_pairs([("alertname", "A"), ("i", name)]),
        annotations: LabelSet::from_pairs([("value", value.to_string())]),
        value,
    }
}

pub(super) fn samples(candidates: Vec<Candidate>) -> Outcome {
    Outcome::Samples(Candidates::new(candidates).unwrap())
}

impl Bench {
    /// `rule` is like `for 1m, keep_firing_for 5m, limit 2, interval 30s, resend_delay 1m`; all of it may be left out.
    pub(super) fn new(rule: &str) -> Self {
        let id = RuleId::new("f", "g", "A", &LabelSet::empty(), 0);
        let zero = Duration::ZERO;
        let mut spec = RuleSpec { id, hold_for: zero, keep_firing_for: zero, limit: 0, generator_url: "url".into() };
        let mut terms = Terms { resend_delay: Duration::from_secs(60), external_labels: LabelSet::empty() };
        let mut interval = Duration::from_secs(30);
        for setting in rule.split(", ").filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once(' ').unwrap();
            match name {
                "for" => spec.hold_for = parse_duration(value).unwrap(),
                "keep_firing_for" => spec.keep_firing_for = parse_duration(value).unwrap(),
                "limit" => spec.limit = value.parse().unwrap(),
                "interval" => interval = parse_duration(value).unwrap(),
                "resend_delay" => terms.resend_delay = parse_duration(value).unwrap(),
                other => panic!("{other}"),
            }
        }
        let core = GroupCore::new(RuleGroupId::new("f", "g"), vec![spec.clone()], terms.clone());
        Bench { core, tables: Tables::default(), interval, spec, terms, history: Vec::new() }
    }

    pub(super) fn on(&mut self, event: Event, now: Timestamp) -> Step {
        let step = self.core.on(event, now);
        self.tables.apply(&step.changes);
        self.history.extend(step.history.iter().cloned());
        step
    }

    pub(super) fn evaluate(&mut self, slot: Timestamp, outcome: Outcome) -> Step {
        let interval = self.interval;
        self.on(Event::Evaluated { rule: 0, slot, interval, outcome }, slot)
    }

    /// Evaluates: `-` is no sample, `!` a failure, anything else the value of the alert.
    pub(super) fn turn(&mut self, seconds: i64, input: &str) -> Step {
        let outcome = match input {
            "-" => samples(Vec::new()),
            "!" => Outcome::Failed { instead: None },
            value => samples(vec![candidate("a", value.parse().unwrap())]),
        };
        self.evaluate(at(seconds), outcome)
    }

    /// A new process on the same tables; gives what it announces at once.
    pub(super) fn restart(&mut self, now: Timestamp) -> Vec<PostedAlert> {
        self.core = GroupCore::new(self.core.id().clone(), vec![self.spec.clone()], self.terms.clone());
        let left = self.core.restore(self.tables.restored(self.interval));
        assert!(left.is_empty());
        let interval = self.interval;
        self.on(Event::Started { interval }, now).announcements
    }

    /// A reload that changed the rule's durations or limit.
    pub(super) fn reload(&mut self, rule: &str) {
        self.spec = Bench::new(rule).spec;
        let new = GroupCore::new(self.core.id().clone(), vec![self.spec.clone()], self.terms.clone());
        let old = std::mem::replace(&mut self.core, new);
        let step = self.core.adopt(old, at(0));
        self.tables.apply(&step.changes);
    }

    /// The state of every alert, as `pending SINCE`, `firing SINCE[ quiet SINCE]` or `resolved SINCE`; of one, without
    /// its name.
    pub(super) fn state(&self) -> String {
        let seconds = |instant: Timestamp| instant.as_millis() / 1000;
        let shown: Vec<String> = self
            .core
            .alerts(0)
            .map(|(_, instance)| match instance.state {
                AlertState::Pending { active_since } => format!("pending {}", seconds(active_since)),
                AlertState::Firing { fired_at, quiet_since: None, .. } => format!("firing {}", seconds(fired_at)),
                AlertState::Firing { fired_at, quiet_since: Some(since), .. } => {
                    format!("firing {} quiet {}", seconds(fired_at), seconds(since))
                }
                AlertState::Resolved { resolved_at, .. } => format!("resolved {}", seconds(resolved_at)),
            })
            .collect();
        if shown.is_empty() { "none".to_owned() } else { shown.join(" & ") }
    }
}

/// `f300` for firing until 300, `r120` for resolved at 120.
pub(super) fn told(announcements: &[PostedAlert], now: Timestamp) -> String {
    let told: Vec<String> = announcements
        .iter()
        .map(|alert| {
            let ends_at = alert.ends_at.unwrap();
            let kind = if ends_at > now { 'f' } else { 'r' };
            format!("{kind}{}", ends_at.as_millis() / 1000)
        })
        .collect();
    told.join(" ")
}

/// Evaluates every interval from 0 on; `expected` has a line for each evaluation: `STATE[ > TOLD]`.
pub(super) fn check(rule: &str, inputs: &str, expected: &str) {
    let mut bench = Bench::new(rule);
    let step = bench.interval.as_secs() as i64;
    let mut found = String::new();
    for (index, input) in inputs.split_whitespace().enumerate() {
        let seconds = index as i64 * step;
        let announcements = bench.turn(seconds, input).announcements;
        let told = told(&announcements, at(seconds));
        let told = if told.is_empty() { told } else { format!(" > {told}") };
        found.push_str(&format!("{seconds}: {}{told}\n", bench.state()));
        assert_eq!(
            bench.tables.states().values().copied().collect::<Vec<_>>(),
            bench.core.alerts(0).map(|(_, i)| i.state).collect::<Vec<_>>()
        );
    }
    let want: String =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    assert_eq!(found, want, "\nfound:\n{found}");
}
