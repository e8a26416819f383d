//! The task that owns the core: feeds it, commits what it decided, then acts on it. Everybody else holds a [`Router`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::db::{Batch, Change, Db, DbError, Durability, MetaRow};
use crate::model::{
    Alert, Announce, AnnounceError, Attempt, Clock, GroupKey, Integration, MatcherMode, PostedAlert, Timestamp,
    duration_millis,
};

use super::core::{
    Core, Event, Gate, GroupView, InvalidAlert, LabelLimits, Options, Order, Outcome, Restored, Step, admit,
};
use super::{Metrics, Route, RouterConfig};

/// Messages that may wait for the core; beyond it senders are refused.
const INBOX: usize = 4096;
/// Messages taken together into one step.
const BATCH: usize = 1024;
/// A wall clock that moved by more than this against the monotonic one has been stepped.
const STEP: i64 = 60_000;
/// How long a stop waits for attempts under way.
const DRAIN: Duration = Duration::from_secs(5);
/// Under which name the database keeps the configuration's digest.
const DIGEST: &str = "router_digest";

/// The ways out, by `<receiver>/<kind>/<index>`.
pub type Integrations = HashMap<Arc<str>, Arc<dyn Integration>>;

/// Settings of the service that a reload does not change.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub core: Options,
    pub attempt_timeout: Duration,
    pub labels: LabelLimits,
    pub mode: MatcherMode,
}

/// Nothing holds alerts back: silences, inhibition and mute times are not there yet.
struct Open;

impl Gate for Open {
    fn holds_back(&self, _: &Alert, _: Option<&Route>, _: Timestamp) -> Option<&'static str> {
        None
    }
}

enum Message {
    Post { alerts: Vec<Alert>, ack: oneshot::Sender<Accepted> },
    Reload { config: Arc<RouterConfig>, integrations: Integrations, ack: oneshot::Sender<()> },
    RulesReady,
    Alerts(oneshot::Sender<Vec<Arc<Alert>>>),
    Groups(oneshot::Sender<Vec<GroupView>>),
}

/// What became of posted alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Something in them was new.
    pub news: bool,
    /// Taken, but not durable: storage is degraded.
    pub degraded: bool,
    /// New alerts that were not taken, since there are as many as there may be.
    pub refused: usize,
}

/// What was posted: the texts of what was refused, and what became of the rest.
#[derive(Debug)]
pub struct Posted {
    pub invalid: Vec<InvalidAlert>,
    pub accepted: Accepted,
}

/// A handle to the router.
#[derive(Clone)]
pub struct Router {
    inbox: mpsc::Sender<Message>,
    config: Arc<RwLock<Arc<RouterConfig>>>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    metrics: Arc<Metrics>,
}

/// Why the router ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error(transparent)]
    Storage(#[from] DbError),
    #[error("the stored state cannot be taken up: {0}")]
    Unreadable(#[from] super::core::UnreadableRow),
}

impl Router {
    /// Judges the alerts, hands the good ones on, and returns once what is new in them is committed.
    ///
    /// # Errors
    /// The inbox is full, or the router is stopping.
    pub async fn post(&self, alerts: Vec<PostedAlert>, version: &str) -> Result<Posted, AnnounceError> {
        let now = self.clock.now();
        let resolve_timeout = self.config().resolve_timeout;
        let mut invalid = Vec::new();
        let mut admitted = Vec::with_capacity(alerts.len());
        for posted in alerts {
            match admit(posted, now, resolve_timeout, self.settings.mode, self.settings.labels) {
                Ok(alert) => {
                    self.metrics.received(&alert, version);
                    admitted.push(alert);
                }
                Err(reason) => invalid.push(reason),
            }
        }
        self.metrics.invalid(invalid.len(), version);
        if admitted.is_empty() {
            return Ok(Posted { invalid, accepted: Accepted { news: false, degraded: false, refused: 0 } });
        }
        let (ack, answer) = oneshot::channel();
        self.send(Message::Post { alerts: admitted, ack })?;
        let accepted = answer.await.map_err(|_| AnnounceError::Stopping)?;
        Ok(Posted { invalid, accepted })
    }

    /// Puts another configuration in force; returns once it is.
    ///
    /// # Errors
    /// The inbox is full, or the router is stopping.
    pub async fn reload(&self, config: Arc<RouterConfig>, integrations: Integrations) -> Result<(), AnnounceError> {
        let (ack, answer) = oneshot::channel();
        self.send(Message::Reload { config: config.clone(), integrations, ack })?;
        answer.await.map_err(|_| AnnounceError::Stopping)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Says that rules have evaluated once since the start.
    ///
    /// # Errors
    /// The inbox is full, or the router is stopping.
    pub fn rules_ready(&self) -> Result<(), AnnounceError> {
        self.send(Message::RulesReady)
    }

    pub fn config(&self) -> Arc<RouterConfig> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All alerts that have not ended.
    ///
    /// # Errors
    /// The inbox is full, or the router is stopping.
    pub async fn alerts(&self) -> Result<Vec<Arc<Alert>>, AnnounceError> {
        let (ack, answer) = oneshot::channel();
        self.send(Message::Alerts(ack))?;
        answer.await.map_err(|_| AnnounceError::Stopping)
    }

    /// All groups, with their outbox rows.
    ///
    /// # Errors
    /// The inbox is full, or the router is stopping.
    pub async fn groups(&self) -> Result<Vec<GroupView>, AnnounceError> {
        let (ack, answer) = oneshot::channel();
        self.send(Message::Groups(ack))?;
        answer.await.map_err(|_| AnnounceError::Stopping)
    }

    fn send(&self, message: Message) -> Result<(), AnnounceError> {
        self.inbox.try_send(message).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AnnounceError::Full,
            mpsc::error::TrySendError::Closed(_) => AnnounceError::Stopping,
        })
    }
}

impl Announce for Router {
    fn announce(&self, alerts: Vec<PostedAlert>) -> BoxFuture<'_, Result<(), AnnounceError>> {
        Box::pin(async move {
            let posted = self.post(alerts, "rules").await?;
            for reason in posted.invalid {
                tracing::warn!(error = %reason, "alert of a rule refused");
            }
            match posted.accepted.refused {
                0 => Ok(()),
                _ => Err(AnnounceError::Full),
            }
        })
    }
}

/// The owner of the core.
pub struct Service {
    core: Core,
    db: Db,
    clock: Arc<dyn Clock>,
    inbox: mpsc::Receiver<Message>,
    integrations: Integrations,
    deliveries: JoinSet<Event>,
    settings: Settings,
    metrics: Arc<Metrics>,
    /// Wall clock minus monotonic clock at the last look, in milliseconds.
    offset: i64,
}

impl Service {
    /// Brings the router back as it was and commits what the start changed. Nothing is sent before [`Service::run`].
    ///
    /// # Errors
    /// The stored state cannot be read, or belongs to another process.
    pub async fn start(
        config: Arc<RouterConfig>,
        integrations: Integrations,
        settings: Settings,
        db: Db,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<(Router, Service, Step), RouterError> {
        let state = db.load_router().await?;
        let digest = config.digest();
        let same_config = db.meta(DIGEST).await?.as_deref() == Some(&*digest);
        let now = clock.now();
        let Restored { core, step } =
            Core::restore(config.clone(), Arc::new(Open), settings.core, &state, same_config, now)?;
        let (sender, inbox) = mpsc::channel(INBOX);
        let router = Router {
            inbox: sender,
            config: Arc::new(RwLock::new(config)),
            clock: clock.clone(),
            settings,
            metrics: metrics.clone(),
        };
        let offset = offset(&*clock);
        let mut service =
            Service { core, db, clock, inbox, integrations, deliveries: JoinSet::new(), settings, metrics, offset };
        let mut step = step;
        step.changes.push(Change::PutMeta(MetaRow { name: DIGEST.into(), value: digest.into() }));
        service.commit(&mut step).await?;
        Ok((router, service, step))
    }

    /// Runs until `stop`, then takes what still waits, gives attempts under way a moment to end, and commits.
    ///
    /// # Errors
    /// The state belongs to another process now.
    pub async fn run(mut self, mut first: Step, stop: CancellationToken) -> Result<(), RouterError> {
        let mut wake_at = first.wake_at;
        // What the start changed is committed by `start`.
        self.act(&mut first, Durability::Durable);
        let mut batch = Vec::new();
        loop {
            let mut events = Vec::new();
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.drain().await,
                count = self.inbox.recv_many(&mut batch, BATCH) => if count == 0 { return self.drain().await },
                Some(ended) = self.deliveries.join_next() => events.extend(ended.ok()),
                () = self.clock.sleep_until(wake_at) => {}
            }
            while let Some(ended) = self.deliveries.try_join_next() {
                events.extend(ended.ok());
            }
            wake_at = self.step(events, &mut batch).await?;
        }
    }

    /// One turn: decide, commit, act, answer.
    async fn step(
        &mut self,
        mut events: Vec<Event>,
        batch: &mut Vec<Message>,
    ) -> Result<Option<Timestamp>, RouterError> {
        let mut acks = Vec::new();
        let mut done = Vec::new();
        let mut asked = Vec::new();
        let mut new_digest = None;
        events.extend(self.clock_step());
        for message in batch.drain(..) {
            match message {
                Message::Post { alerts, ack } => {
                    acks.push(ack);
                    events.push(Event::Update(alerts));
                }
                Message::Reload { config, integrations, ack } => {
                    new_digest = Some(config.digest());
                    self.integrations = integrations;
                    done.push(ack);
                    events.push(Event::Reload(config));
                }
                Message::RulesReady => events.push(Event::RulesReady),
                asks => asked.push(asks),
            }
        }
        let mut step = self.core.on(events, self.clock.now());
        if let Some(digest) = new_digest {
            step.changes.push(Change::PutMeta(MetaRow { name: DIGEST.into(), value: digest.into() }));
        }
        let durability = self.commit(&mut step).await?;
        self.act(&mut step, durability);
        answer(acks, &step, durability);
        for ack in done {
            let _ = ack.send(());
        }
        for ask in asked {
            match ask {
                Message::Alerts(answer) => drop(answer.send(self.core.alerts())),
                Message::Groups(answer) => drop(answer.send(self.core.groups())),
                Message::Post { .. } | Message::Reload { .. } | Message::RulesReady => {}
            }
        }
        Ok(step.wake_at)
    }

    async fn commit(&mut self, step: &mut Step) -> Result<Durability, RouterError> {
        self.metrics.show(&self.core.census(), self.clock.now(), self.inbox.len());
        for kind in step.rejected.drain(..) {
            self.metrics.rejected(kind);
        }
        let batch = Batch { changes: std::mem::take(&mut step.changes), history: std::mem::take(&mut step.history) };
        if batch.changes.is_empty() && batch.history.is_empty() {
            return Ok(if self.db.is_degraded() { Durability::Degraded } else { Durability::Durable });
        }
        Ok(self.db.commit(batch).await?)
    }

    /// Starts the attempts that were ordered.
    ///
    /// While storage is degraded they are sent from memory only if no other process can own the state; else they wait.
    fn act(&mut self, step: &mut Step, durability: Durability) {
        let may_send = durability == Durability::Durable || self.db.is_sole_owner();
        for order in step.orders.drain(..) {
            let Order { group, way, seq, timeout, notification } = order;
            let (kind, key) = (notification.integration.kind, notification.group_key.clone());
            let limit = timeout.unwrap_or(self.settings.attempt_timeout);
            let integration = self.integrations.get(&way).cloned();
            let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
            self.deliveries.spawn(async move {
                let started = clock.monotonic();
                let outcome = match integration {
                    _ if !may_send => Outcome::NoAnswer("storage is away, and its owner may have changed".to_owned()),
                    Some(integration) => attempt(integration, notification, limit).await,
                    None => Outcome::NoAnswer("the integration is gone".to_owned()),
                };
                metrics.attempted(kind, &outcome, clock.monotonic().saturating_sub(started));
                log_outcome(&key, &way, seq, &outcome);
                Event::Outcome { group, way, seq, outcome }
            });
        }
    }

    fn clock_step(&mut self) -> Option<Event> {
        let now = offset(&*self.clock);
        let moved = now - std::mem::replace(&mut self.offset, now);
        if moved.abs() <= STEP {
            // Slow drift is no step; it adds up to nothing that a timer would feel.
            return None;
        }
        tracing::warn!(moved_ms = moved, "the wall clock was stepped; timers move with it");
        Some(Event::ClockStep(moved))
    }

    async fn drain(&mut self) -> Result<(), RouterError> {
        self.inbox.close();
        let mut batch = Vec::new();
        while self.inbox.recv_many(&mut batch, BATCH).await > 0 {
            self.step_without_acting(Vec::new(), &mut batch).await?;
        }
        let deadline = tokio::time::sleep(DRAIN);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                () = &mut deadline => break,
                ended = self.deliveries.join_next() => match ended {
                    Some(ended) => { self.step_without_acting(ended.ok().into_iter().collect(), &mut batch).await?; }
                    None => break,
                }
            }
        }
        tracing::info!(attempts_cut_off = self.deliveries.len(), "router stopped");
        Ok(())
    }

    /// What is ordered while stopping stays in the outbox: the next start attempts it.
    async fn step_without_acting(&mut self, events: Vec<Event>, batch: &mut Vec<Message>) -> Result<(), RouterError> {
        let mut updates = Vec::new();
        let mut acks = Vec::new();
        for message in batch.drain(..) {
            if let Message::Post { alerts, ack } = message {
                acks.push(ack);
                updates.push(Event::Update(alerts));
            }
        }
        let mut step = self.core.on(events.into_iter().chain(updates), self.clock.now());
        let durability = self.commit(&mut step).await?;
        answer(acks, &step, durability);
        Ok(())
    }
}

fn answer(acks: Vec<oneshot::Sender<Accepted>>, step: &Step, durability: Durability) {
    let degraded = durability == Durability::Degraded;
    for (ack, received) in acks.into_iter().zip(&step.received) {
        // Whoever posted may have gone away; the alerts are taken all the same.
        let _ = ack.send(Accepted { news: received.news, degraded, refused: received.refused });
    }
}

fn offset(clock: &dyn Clock) -> i64 {
    clock.now().as_millis().saturating_sub(duration_millis(clock.monotonic()))
}

/// One attempt, in a task of its own so that a panic in an integration is an attempt without an answer and no more.
async fn attempt(
    integration: Arc<dyn Integration>,
    notification: crate::model::Notification,
    limit: Duration,
) -> Outcome {
    let work = tokio::spawn(async move { tokio::time::timeout(limit, integration.attempt(&notification)).await });
    match work.await {
        Ok(Ok(answer)) => Outcome::Answered(answer),
        Ok(Err(_)) => Outcome::NoAnswer(format!("no answer within {}", humantime::format_duration(limit))),
        Err(_) => Outcome::NoAnswer("the attempt's worker died".to_owned()),
    }
}

fn log_outcome(group: &GroupKey, way: &str, seq: u64, outcome: &Outcome) {
    let group = group.as_str();
    match outcome {
        Outcome::Answered(Attempt::Delivered { .. }) => {
            tracing::info!(integration = way, group, seq, "notification delivered");
        }
        Outcome::Answered(Attempt::Retry { failure, .. } | Attempt::Unanswered { failure }) => {
            tracing::warn!(integration = way, group, seq, error = %failure.detail, "notification failed, will retry");
        }
        Outcome::Answered(Attempt::Rejected { failure }) => {
            tracing::error!(integration = way, group, seq, error = %failure.detail, "notification rejected");
        }
        Outcome::NoAnswer(detail) => {
            tracing::warn!(integration = way, group, seq, error = %detail, "notification unanswered, will retry");
        }
    }
}
