//! The task of one group: sleeps to its slot, evaluates its rules in order, commits, and then announces.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::clock_watch::ClockWatch;
use super::evaluate::{Evaluated, Evaluation};
use super::ledger::{Ledger, LedgerError};
use super::permits::Permits;
use crate::model::{Announce, Clock, LabelSet, PostedAlert, Timestamp};
use crate::rules::core::{Change, Event, GroupCore, Step};
use crate::rules::metrics::{GroupMetrics, Metrics};
use crate::rules::plan::GroupPlan;
use crate::rules::view::{GroupStatus, GroupView, Health, RuleStatus};
use crate::rules::{RuleId, Schedule, Sources, Turn};

/// How often a waiting group looks at the clocks, and tries again to announce what was not taken.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whoever does not take announcements within this is asked again later; evaluation goes on.
const ANNOUNCE_TIMEOUT: Duration = Duration::from_secs(10);

/// What all groups share.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) metrics: Metrics,
    /// Replaced by a reload; a group sees it with its next iteration.
    pub(super) environment: RwLock<Arc<Environment>>,
    /// Ends every group at once, in the middle of an iteration too.
    pub(super) abort: CancellationToken,
    /// The state belongs to somebody else now.
    pub(super) deposed: CancellationToken,
}

/// Whom rules ask.
pub(super) struct Environment {
    pub(super) sources: Sources,
    pub(super) permits: Permits,
}

impl Shared {
    pub(super) fn environment(&self) -> Arc<Environment> {
        self.environment.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits; from a failure nothing may follow.
    pub(super) async fn commit(&self, step: &mut Step) -> ControlFlow<()> {
        let (changes, history) = (std::mem::take(&mut step.changes), std::mem::take(&mut step.history));
        if changes.is_empty() && history.is_empty() {
            return ControlFlow::Continue(());
        }
        match self.ledger.commit(changes, history).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                if matches!(error, LedgerError::Deposed) {
                    self.deposed.cancel();
                    self.abort.cancel();
                }
                tracing::error!(%error, "state of rules not committed, the group ends");
                ControlFlow::Break(())
            }
        }
    }
}

/// A running group.
pub(super) struct Group {
    pub(super) shared: Arc<Shared>,
    pub(super) plan: Arc<GroupPlan>,
    pub(super) core: GroupCore,
    pub(super) status: GroupStatus,
    /// What was not taken yet, the newest of each alert.
    pub(super) unannounced: BTreeMap<LabelSet, PostedAlert>,
    pub(super) view: watch::Sender<Arc<GroupView>>,
    pub(super) metrics: GroupMetrics,
    pub(super) clock_watch: ClockWatch,
    /// Ends the group once its iteration is over.
    pub(super) finish: CancellationToken,
    /// Pending and firing alerts that are counted.
    pub(super) counted: (i64, i64),
}

/// What a group leaves to its successor.
pub(super) struct Finished {
    pub(super) core: GroupCore,
    pub(super) schedule: Schedule,
    pub(super) statuses: HashMap<RuleId, RuleStatus>,
    pub(super) unannounced: BTreeMap<LabelSet, PostedAlert>,
}

/// Why a wait is over.
enum Waited {
    Reached,
    Ended,
    Stepped(i64),
}

impl Group {
    /// Runs until it is to finish, or all are to end.
    pub(super) async fn run(mut self, mut first: Step) -> Finished {
        self.publish();
        let now = self.shared.clock.now();
        let interval = self.plan.schedule.interval_at(now);
        first.append(self.core.on(Event::Started { interval }, now));
        if self.release(first).await.is_continue() {
            self.turns().await;
        }
        self.count_alerts((0, 0));
        self.shared.metrics.unannounced.sub(count(self.unannounced.len()));
        let rules = self.plan.rules.iter().map(|rule| rule.id.clone());
        Finished {
            core: self.core,
            schedule: self.plan.schedule.clone(),
            statuses: rules.zip(self.status.rules).collect(),
            unannounced: self.unannounced,
        }
    }

    /// Takes over from the same group as it was before a reload.
    pub(super) async fn run_after(mut self, mut old: Finished, mut first: Step) -> Finished {
        let last_slot = old.core.last_slot();
        first.append(self.core.adopt(old.core, self.shared.clock.now()));
        for (rule, status) in self.plan.rules.iter().zip(&mut self.status.rules) {
            if let Some(old) = old.statuses.remove(&rule.id) {
                *status = old;
            }
        }
        self.shared.metrics.unannounced.add(count(old.unannounced.len()));
        self.unannounced = old.unannounced;
        // With the same rhythm no slot is lost in between; with another one, slots of the past are none of its own.
        self.status.last_slot = last_slot.filter(|_| old.schedule == self.plan.schedule);
        self.run(first).await
    }

    async fn turns(&mut self) {
        let mut turn = self.next_turn();
        loop {
            // A schedule that has come to its end waits for a reload.
            match self.wait(turn.map_or(Timestamp::MAX, |turn| turn.slot)).await {
                Waited::Ended => return,
                Waited::Stepped(millis) => {
                    if self.clock_stepped(millis).await.is_break() {
                        return;
                    }
                    turn = self.next_turn();
                    continue;
                }
                Waited::Reached => {}
            }
            let Some(reached) = turn else { return };
            // A defect in one iteration costs that iteration, not the group.
            match AssertUnwindSafe(self.iterate(reached)).catch_unwind().await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(_) => {
                    self.shared.metrics.panics.inc();
                    tracing::error!(file = %self.plan.file, group = %self.plan.name, "an iteration ended in a defect");
                }
            }
            turn = self.plan.schedule.turn_after(reached.slot, self.shared.clock.now());
        }
    }

    /// The turn after the last evaluation of this very schedule, or the first slot to come.
    fn next_turn(&self) -> Option<Turn> {
        let now = self.shared.clock.now();
        match self.status.last_slot.filter(|slot| *slot <= now) {
            Some(last) => self.plan.schedule.turn_after(last, now),
            None => self.plan.schedule.next_after(now).map(|slot| Turn { slot, missed: 0 }),
        }
    }

    async fn wait(&mut self, slot: Timestamp) -> Waited {
        let shared = self.shared.clone();
        loop {
            if let Some(millis) = self.clock_watch.look(&*shared.clock) {
                return Waited::Stepped(millis);
            }
            if self.finish.is_cancelled() || shared.abort.is_cancelled() {
                return Waited::Ended;
            }
            if shared.clock.now() >= slot {
                return Waited::Reached;
            }
            tokio::select! {
                biased;
                () = shared.abort.cancelled() => {}
                () = self.finish.cancelled() => {}
                () = shared.clock.sleep_until(Some(slot)) => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if !self.unannounced.is_empty() {
                self.tell(Vec::new()).await;
            }
        }
    }

    async fn clock_stepped(&mut self, millis: i64) -> ControlFlow<()> {
        let now = self.shared.clock.now();
        tracing::warn!(file = %self.plan.file, group = %self.plan.name, step_ms = millis, "the wall clock was set or the machine paused");
        self.shared.metrics.clock_steps.inc();
        let step = self.core.on(Event::Stepped { millis }, now);
        self.release(step).await
    }

    async fn iterate(&mut self, turn: Turn) -> ControlFlow<()> {
        let shared = self.shared.clone();
        let (began_at, began) = (shared.clock.now(), shared.clock.monotonic());
        self.metrics.missed.inc_by(turn.missed);
        self.metrics.iterations.inc_by(turn.missed.saturating_add(1));
        if turn.missed > 0 {
            tracing::warn!(file = %self.plan.file, group = %self.plan.name, missed = turn.missed, "iterations missed");
        }
        self.status.last_slot = Some(turn.slot);
        let environment = shared.environment();
        let interval = self.plan.schedule.interval_at(turn.slot);
        let mut waiting = Step::default();
        let mut rule_time = Duration::ZERO;
        for index in 0..self.plan.rules.len() {
            let (rule_began_at, rule_began) = (shared.clock.now(), shared.clock.monotonic());
            let evaluated = tokio::select! {
                biased;
                () = shared.abort.cancelled() => return ControlFlow::Break(()),
                evaluated = self.evaluate(index, turn.slot, &environment) => evaluated,
            };
            let outcome = evaluated.outcome.clone();
            let step =
                self.core.on(Event::Evaluated { rule: index, slot: turn.slot, interval, outcome }, shared.clock.now());
            let took = shared.clock.monotonic().saturating_sub(rule_began);
            rule_time += took;
            self.note(index, &evaluated, &step, rule_began_at, took);
            waiting.append(step);
            // A later rule may take long: what this one has found waits for nobody.
            if has_news(&waiting) {
                self.release(std::mem::take(&mut waiting)).await?;
            }
        }
        self.release(waiting).await?;
        let took = shared.clock.monotonic().saturating_sub(began);
        (self.status.evaluation_time, self.status.last_evaluation) = (took, Some(began_at));
        self.metrics.last_duration.set(took.as_secs_f64());
        self.metrics.last_rule_duration_sum.set(rule_time.as_secs_f64());
        self.metrics.last_evaluation.set(began_at.as_secs_f64());
        self.metrics.last_samples.set(self.status.rules.iter().map(|rule| rule.samples as f64).sum());
        self.metrics.interval.set(interval.as_secs_f64());
        shared.metrics.group_duration.observe(took.as_secs_f64());
        self.publish();
        ControlFlow::Continue(())
    }

    async fn evaluate(&self, index: usize, slot: Timestamp, environment: &Environment) -> Evaluated {
        let rule = &self.plan.rules[index];
        let Some(source) = environment.sources.get(rule.source.as_deref()) else {
            return Evaluated::without_source(rule.source.as_deref());
        };
        let offset = self.plan.query_offset.or(source.query_delay()).unwrap_or(self.plan.settings.query_offset);
        let evaluation = Evaluation {
            rule: rule.clone(),
            source: source.clone(),
            settings: self.plan.settings.clone(),
            slot,
            offset,
        };
        evaluation.run(&environment.permits).await
    }

    /// Health, metrics and log of one evaluation.
    fn note(&mut self, index: usize, evaluated: &Evaluated, step: &Step, began_at: Timestamp, took: Duration) {
        let rule = &self.plan.rules[index];
        let error = step.error.as_ref().map(ToString::to_string).or_else(|| evaluated.error.clone());
        self.metrics.evaluations.inc();
        self.shared.metrics.evaluation_duration.observe(took.as_secs_f64());
        self.shared.metrics.template_failures.inc_by(evaluated.template_failures as u64);
        for warning in &evaluated.warnings {
            tracing::debug!(group = %self.plan.name, rule = %rule.name, %warning, "a source warned");
        }
        let status = &mut self.status.rules[index];
        let samples = if error.is_none() { evaluated.samples } else { 0 };
        let health = match error {
            None => Health::Ok,
            Some(error) => {
                self.metrics.failures.inc();
                let is_news = status.health.last_error() != Some(&error);
                if is_news {
                    tracing::warn!(file = %self.plan.file, group = %self.plan.name, rule = %rule.name, %error, "evaluation failed");
                }
                Health::Err(error.into())
            }
        };
        *status = RuleStatus { health, evaluation_time: took, last_evaluation: Some(began_at), samples };
    }

    /// Commits, then announces.
    async fn release(&mut self, mut step: Step) -> ControlFlow<()> {
        self.shared.commit(&mut step).await?;
        if !step.announcements.is_empty() {
            self.tell(step.announcements).await;
        }
        ControlFlow::Continue(())
    }

    /// Announces these and whatever was not taken before; what is not taken now is kept for later.
    async fn tell(&mut self, announcements: Vec<PostedAlert>) {
        let before = self.unannounced.len();
        self.unannounced.extend(announcements.into_iter().map(|alert| (alert.labels.clone(), alert)));
        let all: Vec<PostedAlert> = self.unannounced.values().cloned().collect();
        let error = tokio::select! {
            taken = self.shared.announce.announce(all) => taken.err().map(|error| error.to_string()),
            () = tokio::time::sleep(ANNOUNCE_TIMEOUT) => Some(format!("not taken within {} s", ANNOUNCE_TIMEOUT.as_secs())),
            // The next start announces it.
            () = self.shared.abort.cancelled() => Some("stopping".to_owned()),
        };
        match error {
            None => self.unannounced.clear(),
            Some(error) => {
                self.shared.metrics.announce_failures.inc();
                // Said once, not every second.
                if before == 0 {
                    tracing::warn!(file = %self.plan.file, group = %self.plan.name, %error, "alerts not announced, will retry");
                }
            }
        }
        self.shared.metrics.unannounced.add(count(self.unannounced.len()) - count(before));
    }

    fn publish(&mut self) {
        let view = GroupView::new(&self.plan, &self.core, &self.status, self.shared.clock.now());
        let alerts = || view.rules.iter().flat_map(|rule| &rule.alerts);
        let firing = alerts().filter(|alert| alert.firing).count();
        self.count_alerts((count(alerts().count() - firing), count(firing)));
        self.view.send_replace(Arc::new(view));
    }

    fn count_alerts(&mut self, now: (i64, i64)) {
        self.shared.metrics.alerts_changed(now.0 - self.counted.0, now.1 - self.counted.1);
        self.counted = now;
    }
}

/// Whether a step holds more than the slot that it was made at.
fn has_news(step: &Step) -> bool {
    let is_slot = |change: &Change| matches!(change, Change::Slot { .. });
    !step.announcements.is_empty() || !step.history.is_empty() || !step.changes.iter().all(is_slot)
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
