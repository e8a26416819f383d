//! The service: a task for each group, taken up from storage, replaced by reloads.

mod clock_watch;
mod evaluate;
mod group;
mod ledger;
mod permits;
mod rows;

#[cfg(test)]
mod house;
#[cfg(test)]
mod paused_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::db::{Db, DbError};
use crate::metrics::Registry;
use crate::model::{Announce, Clock, Timestamp};
use crate::rules::core::{Change, GroupCore, Restored, RestoredAlert, Step};
use crate::rules::file::{RuleFile, RuleKind};
use crate::rules::metrics::{GroupMetrics, Metrics};
use crate::rules::plan::{GroupPlan, Settings, plan};
use crate::rules::view::{GroupStatus, GroupView, RuleStatus};
use crate::rules::{RuleGroupId, RuleId, Sources};
use crate::yaml::Diagnostic;
use clock_watch::ClockWatch;
use group::{Environment, Finished, Group, Shared};
use ledger::Ledger;
use permits::Permits;
use rows::Stored;

/// What belongs to no rule is kept this long after a start, should a reload bring its rule back.
const PARKED_FOR: Duration = Duration::from_secs(3600);

/// How long a stop waits for groups to let go.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What rules need of the world.
#[derive(Clone)]
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub db: Db,
    pub announce: Arc<dyn Announce>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Rules name sources that are not there; nothing was started or changed.
    #[error("{} rules have no source", .0.len())]
    Sources(Vec<Diagnostic>),
    #[error("the stored alerts of rules cannot be read")]
    Load(#[source] DbError),
    #[error("rules are stopping")]
    Stopping,
}

/// All groups of rules, running.
pub struct Service {
    shared: Arc<Shared>,
    groups: tokio::sync::Mutex<Groups>,
    views: RwLock<Vec<watch::Receiver<Arc<GroupView>>>>,
    parked: Arc<Mutex<Parked>>,
}

#[derive(Default)]
struct Groups {
    running: BTreeMap<RuleGroupId, Running>,
    /// Groups that a reload took away and that are still forgetting their alerts.
    leaving: HashMap<RuleGroupId, JoinHandle<()>>,
}

struct Running {
    plan: Arc<GroupPlan>,
    finish: CancellationToken,
    task: JoinHandle<Finished>,
    view: watch::Receiver<Arc<GroupView>>,
}

/// Stored alerts of no rule.
#[derive(Default)]
struct Parked {
    alerts: HashMap<RuleId, Vec<RestoredAlert>>,
    groups: Vec<RuleGroupId>,
    /// When Belfry was last seen evaluating before it started.
    away_since: Timestamp,
}

/// Whom a group comes after.
enum Before {
    Nobody,
    /// The same group, as it was before a reload, and what is shown of it until it has finished.
    Same(JoinHandle<Finished>, Arc<GroupView>),
    /// The same group, which a reload had taken away.
    Left(JoinHandle<()>),
}

impl Service {
    /// Takes up what is stored and starts every group. Each announces what fires and what it retains before it evaluates.
    ///
    /// # Errors
    /// If a rule's source is not there, or storage cannot be read.
    pub async fn start(
        files: &[RuleFile],
        settings: Settings,
        sources: Sources,
        outside: Outside,
        registry: &Registry,
    ) -> Result<Service, ServiceError> {
        let stored = Stored::from_rows(outside.db.load_rules().await.map_err(ServiceError::Load)?);
        let (clock, announce) = (outside.clock, outside.announce);
        Service::start_on(files, settings, sources, clock, Arc::new(outside.db), announce, stored, registry).await
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of `start`, for tests that bring their own ledger")]
    async fn start_on(
        files: &[RuleFile],
        settings: Settings,
        sources: Sources,
        clock: Arc<dyn Clock>,
        ledger: Arc<dyn Ledger>,
        announce: Arc<dyn Announce>,
        mut stored: Stored,
        registry: &Registry,
    ) -> Result<Service, ServiceError> {
        let settings = Arc::new(settings);
        let plans = plan(files, &settings, &sources).map_err(ServiceError::Sources)?;
        warn_of_recordings(files);
        let metrics = Metrics::new(registry);
        let permits = Permits::new(settings.concurrency, &sources, &metrics);
        let now = clock.now();
        let shared = Arc::new(Shared {
            clock,
            ledger,
            announce,
            metrics,
            environment: RwLock::new(Arc::new(Environment { sources, permits })),
            abort: CancellationToken::new(),
            deposed: CancellationToken::new(),
        });
        let away_since = stored.last_slots.values().max().copied().unwrap_or(now).min(now);
        let mut groups = Groups::default();
        for plan in plans {
            let began = shared.clock.monotonic();
            let mut core = GroupCore::new(plan.id.clone(), plan.specs(), plan.terms());
            let last_slot = stored.last_slots.remove(&plan.id);
            let due = last_slot.map(|slot| slot + plan.schedule.interval_at(slot));
            stored.alerts = core.restore(Restored { last_slot, due, alerts: stored.alerts });
            let metrics = shared.metrics.group(plan.metric_label());
            metrics.restored(shared.clock.monotonic().saturating_sub(began).as_secs_f64());
            groups.running.insert(plan.id.clone(), launch(&shared, plan, core, Before::Nobody, Step::default()));
        }
        let restored: usize = groups.running.values().map(|running| alerts_in(&running.view)).sum();
        let left: usize = stored.alerts.values().map(Vec::len).sum();
        tracing::info!(groups = groups.running.len(), alerts = restored, alerts_without_rule = left, "rules started");
        let parked = Parked { alerts: stored.alerts, groups: stored.last_slots.into_keys().collect(), away_since };
        let service = Service {
            shared,
            views: RwLock::new(groups.views()),
            groups: tokio::sync::Mutex::new(groups),
            parked: Arc::new(Mutex::new(parked)),
        };
        service.forget_parked_later();
        Ok(service)
    }

    /// Runs other files or settings from now on. Groups that are the same run on untouched; a changed one finishes its
    /// iteration and hands its alerts to its successor; a removed one forgets its alerts, and nobody is told.
    ///
    /// # Errors
    /// As for [`Service::start`]; everything then stays as it was.
    pub async fn reload(&self, files: &[RuleFile], settings: Settings, sources: Sources) -> Result<(), ServiceError> {
        let settings = Arc::new(settings);
        let plans = plan(files, &settings, &sources).map_err(ServiceError::Sources)?;
        let mut groups = self.groups.lock().await;
        if self.shared.abort.is_cancelled() {
            return Err(ServiceError::Stopping);
        }
        warn_of_recordings(files);
        let permits = Permits::new(settings.concurrency, &sources, &self.shared.metrics);
        let environment = Arc::new(Environment { sources, permits });
        *self.shared.environment.write().unwrap_or_else(PoisonError::into_inner) = environment;

        let (mut same, mut changed) = (0_usize, 0_usize);
        groups.leaving.retain(|_, task| !task.is_finished());
        let mut before = std::mem::take(&mut groups.running);
        for plan in plans {
            let id = plan.id.clone();
            let running = match before.remove(&id) {
                Some(running) if *running.plan == plan => {
                    same += 1;
                    running
                }
                Some(running) => {
                    changed += 1;
                    running.finish.cancel();
                    let shown = running.view.borrow().clone();
                    self.succeed(plan, Before::Same(running.task, shown))
                }
                None => self.succeed(plan, groups.leaving.remove(&id).map_or(Before::Nobody, Before::Left)),
            };
            groups.running.insert(id, running);
        }
        let added = groups.running.len() - same - changed;
        tracing::info!(same, changed, added, removed = before.len(), "rules reloaded");
        for (id, running) in before {
            running.finish.cancel();
            groups.leaving.insert(id, tokio::spawn(leave(self.shared.clone(), running)));
        }
        *self.views.write().unwrap_or_else(PoisonError::into_inner) = groups.views();
        Ok(())
    }

    /// Every group as of its last iteration, by file and name.
    pub fn groups(&self) -> Vec<Arc<GroupView>> {
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        let mut groups: Vec<Arc<GroupView>> = views.iter().map(|view| view.borrow().clone()).collect();
        groups.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
        groups
    }

    /// Completes once every group that runs now has evaluated since it started here.
    pub async fn first_evaluations(&self) {
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner).clone();
        for mut view in views {
            // One that ends will not evaluate any more.
            let _ = view.wait_for(|view| view.last_evaluation.is_some()).await;
        }
    }

    /// Completes when somebody else has taken over the state: the process must end its services.
    pub async fn deposed(&self) {
        self.shared.deposed.cancelled().await;
    }

    /// Ends every group, an evaluation that is under way included, in bounded time. Nothing is announced because of it.
    pub async fn stop(&self) {
        tracing::info!("rules stop");
        self.shared.abort.cancel();
        let mut groups = self.groups.lock().await;
        let deadline = tokio::time::Instant::now() + STOP_WITHIN;
        for running in std::mem::take(&mut groups.running).into_values() {
            let handle = running.task.abort_handle();
            if tokio::time::timeout_at(deadline, running.task).await.is_err() {
                handle.abort();
                tracing::warn!(file = %running.plan.file, group = %running.plan.name, "a rule group did not end in time");
            }
        }
        for (_, task) in groups.leaving.drain() {
            // What it has not forgotten belongs to no rule at the next start.
            if tokio::time::timeout_at(deadline, task).await.is_err() {
                tracing::warn!("a removed rule group did not end in time");
            }
        }
    }

    /// Starts a group that a reload made or changed.
    fn succeed(&self, plan: GroupPlan, before: Before) -> Running {
        let mut core = GroupCore::new(plan.id.clone(), plan.specs(), plan.terms());
        let mut first = Step::default();
        // A group that has a past of its own takes that up; alerts whose rule was missing at the start wait here.
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut alerts: HashMap<RuleId, Vec<RestoredAlert>> = HashMap::new();
        for rule in &plan.rules {
            alerts.extend(parked.alerts.remove_entry(&rule.id));
        }
        parked.groups.retain(|group| *group != plan.id);
        if !alerts.is_empty() {
            let now = self.shared.clock.now();
            first = core.take_up(&mut alerts, now.since(parked.away_since), now);
        }
        launch(&self.shared, plan, core, before, first)
    }

    /// Forgets what belongs to no rule, once it is unlikely that its rule comes back.
    fn forget_parked_later(&self) {
        let (shared, parked) = (self.shared.clone(), self.parked.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = shared.abort.cancelled() => return,
                () = tokio::time::sleep(PARKED_FOR) => {}
            }
            let gone = std::mem::take(&mut *parked.lock().unwrap_or_else(PoisonError::into_inner));
            let alerts = gone.alerts.into_iter().flat_map(|(rule, alerts)| {
                alerts.into_iter().map(move |alert| (rule.clone(), alert.labels.fingerprint()))
            });
            let removed = alerts.map(|(rule, fingerprint)| Change::Removed { rule, fingerprint });
            let groups = gone.groups.into_iter().map(|group| Change::GroupRemoved { group });
            let mut step = Step { changes: removed.chain(groups).collect(), ..Step::default() };
            let _ = shared.commit(&mut step).await;
        });
    }
}

/// A service that is dropped has been stopped, or belongs to a test that ended early.
impl Drop for Service {
    fn drop(&mut self) {
        self.shared.abort.cancel();
    }
}

impl Groups {
    fn views(&self) -> Vec<watch::Receiver<Arc<GroupView>>> {
        self.running.values().map(|running| running.view.clone()).collect()
    }
}

/// Pending and firing alerts.
fn alerts_in(view: &watch::Receiver<Arc<GroupView>>) -> usize {
    view.borrow().rules.iter().map(|rule| rule.alerts.len()).sum()
}

/// Starts the task of a group, after whoever was there before.
fn launch(shared: &Arc<Shared>, plan: GroupPlan, core: GroupCore, before: Before, first: Step) -> Running {
    let plan = Arc::new(plan);
    let finish = CancellationToken::new();
    let status = GroupStatus { rules: vec![RuleStatus::default(); plan.rules.len()], ..GroupStatus::default() };
    let now = shared.clock.now();
    let shown = match &before {
        Before::Same(_, shown) => shown.clone(),
        Before::Nobody | Before::Left(_) => Arc::new(GroupView::new(&plan, &core, &status, now)),
    };
    let (view, seen) = watch::channel(shown);
    let mut group = Group {
        shared: shared.clone(),
        plan: plan.clone(),
        core,
        status,
        unannounced: BTreeMap::new(),
        view,
        metrics: metrics_of(shared, &plan),
        clock_watch: ClockWatch::new(&*shared.clock),
        finish: finish.clone(),
        counted: (0, 0),
    };
    let task = tokio::spawn(async move {
        match before {
            Before::Nobody => group.run(first).await,
            Before::Left(left) => {
                // Its last commit must not forget what this one takes up.
                let _ = left.await;
                group.metrics = metrics_of(&group.shared, &group.plan);
                group.run(first).await
            }
            Before::Same(old, _) => match old.await {
                Ok(old) => group.run_after(old, first).await,
                Err(error) => {
                    tracing::error!(%error, "a rule group ended in a defect, its alerts start anew");
                    group.run(first).await
                }
            },
        }
    });
    Running { plan, finish, task, view: seen }
}

fn metrics_of(shared: &Shared, plan: &GroupPlan) -> GroupMetrics {
    let metrics = shared.metrics.group(plan.metric_label());
    metrics.interval.set(plan.schedule.interval_at(shared.clock.now()).as_secs_f64());
    metrics.rules.set(plan.rules.len() as f64);
    metrics
}

/// A group that a reload took away.
async fn leave(shared: Arc<Shared>, running: Running) {
    let label = running.plan.metric_label();
    if let Ok(old) = running.task.await {
        let mut step = old.core.remove(shared.clock.now());
        if !shared.abort.is_cancelled() {
            let _ = shared.commit(&mut step).await;
        }
    }
    shared.metrics.group(label).remove();
}

fn warn_of_recordings(files: &[RuleFile]) {
    for file in files {
        for group in &file.groups {
            let count = group.rules.iter().filter(|rule| matches!(rule.kind, RuleKind::Record)).count();
            if count > 0 {
                tracing::warn!(file = %file.path, group = %group.name, rules = count, "recording rules are left out: no store to write to yet");
            }
        }
    }
}
