//! The delivery core: groups alerts, decides what to tell to whom and when, and keeps what is decided until it is
//! confirmed. Semantics §1 is its specification; names such as `L` (the log) and `P` (the outbox row) are that text's.
//!
//! Pure: takes events and the time, returns what to commit and what to attempt; it owns no task, reads no clock and draws
//! no random number. Whoever owns it commits [`Step::changes`] before acting on [`Step::attempts`].
//!
//! **Invariants** (proved by `property_tests`):
//! 1. At most one row and one attempt per group and way.
//! 2. The log changes only by a delivery, a rejection while uncertain, a clock step, a start, clean-up, when it is taken up
//!    again, and where resolved alerts leave it untold.
//! 3. Nothing is attempted that is not in the same or an earlier step's changes.
//! 4. A row ends as delivered, rejected, replaced by a higher number, or withdrawn with a reason.
//! 5. A key is made of committed facts and never used for anything else.
//! 6. A crash repeats at most the attempt that was under way, under the same key.
//! 7. An alert that fires and is not dropped at a flush is, for each way, in the log, in the row, in a rejected row's
//!    history, or a recheck stands.

mod decide;
mod delivery;
mod flush;
#[cfg(test)]
mod harness;
mod history;
mod intake;
mod members;
#[cfg(test)]
mod property_tests;
mod reload;
mod restore;
mod rows;
mod set;
mod state;
#[cfg(test)]
mod timeline_tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::db::{Change, NewHistory};
use crate::model::{Alert, Attempt, Fingerprint, Notification, Timestamp};
use crate::router::{Route, RouterConfig};

pub use intake::{InvalidAlert, LabelLimits, admit};
pub use restore::Restored;
pub use rows::UnreadableRow;
pub use state::GroupId;

use state::{Group, GroupIx, Stored, WayIx, WayState};

/// Why an alert is left out of what a way sees.
pub trait Gate: Send + Sync {
    /// The history's word for what holds the alert back at this tick (`inhibited`, `muted`, `silenced`), if anything does.
    fn holds_back(&self, alert: &Alert, route: Option<&Route>, tick: Timestamp) -> Option<&'static str>;
}

/// What can happen to the core.
#[derive(Debug)]
pub enum Event {
    /// Alerts that one request brought, already admitted.
    Update(Vec<Alert>),
    /// An attempt ended.
    Outcome { group: GroupId, way: Arc<str>, seq: u64, outcome: Outcome },
    /// Another configuration.
    Reload(Arc<RouterConfig>),
    /// Rules have evaluated once since the start: what they know has been announced.
    RulesReady,
    /// The wall clock moved by this many milliseconds against the monotonic one.
    ClockStep(i64),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Answered(Attempt),
    /// No answer in time, or the worker died: the way may have heard it.
    NoAnswer(String),
}

/// An attempt to be made, once the step is committed.
#[derive(Debug)]
pub struct Order {
    pub group: GroupId,
    pub way: Arc<str>,
    pub seq: u64,
    pub timeout: Option<Duration>,
    pub notification: Notification,
}

/// What one call decided.
#[derive(Debug, Default)]
pub struct Step {
    pub changes: Vec<Change>,
    pub history: Vec<NewHistory>,
    pub orders: Vec<Order>,
    /// For each `Update` of the call, in order.
    pub received: Vec<Received>,
    /// Rows rejected in this step, by integration kind.
    pub rejected: Vec<&'static str>,
    /// When the core wants to be called even if nothing happens.
    pub wake_at: Option<Timestamp>,
}

/// What became of one `Update`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Something in it was new, so its sender waits for the commit.
    pub news: bool,
    /// New alerts beyond the limit.
    pub refused: usize,
}

/// Settings that are not the router's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Attempts under way per integration.
    pub concurrency: usize,
    pub max_retry_after: Duration,
    /// How long a log is honoured after it was written, at most.
    pub retention: Duration,
    pub start_grace: Duration,
    /// Alerts that may be known at once.
    pub max_alerts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            concurrency: 8,
            max_retry_after: Duration::from_secs(600),
            retention: Duration::from_secs(120 * 3600),
            start_grace: Duration::from_secs(10),
            max_alerts: 1_000_000,
        }
    }
}

const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// Resolved alerts are known for this long after their end, so that their echoes are recognised.
const KEEP_RESOLVED: Duration = Duration::from_secs(30 * 60);
/// Annotations and the like go to the database at most this often when nothing else of the alert changes.
const WRITE_ALONG: Duration = Duration::from_secs(5 * 60);
/// Times that go back by less than this are taken for no move at all.
const CLAMP: Duration = Duration::from_secs(60);

/// See the module.
pub struct Core {
    config: Arc<RouterConfig>,
    gate: Arc<dyn Gate>,
    options: Options,
    now: Timestamp,
    alerts: HashMap<Fingerprint, Stored>,
    /// When leases may have ended, earliest first; an entry that came too early is put back.
    leases: BinaryHeap<Reverse<(Timestamp, Fingerprint)>>,
    groups: Vec<Option<Group>>,
    free: Vec<GroupIx>,
    by_id: HashMap<GroupId, GroupIx>,
    flushes: BTreeSet<(Timestamp, GroupIx)>,
    ways: Vec<WayState>,
    way_index: HashMap<Arc<str>, WayIx>,
    /// Flushes wait until then after a start, unless the rules are heard of before.
    hold_until: Option<Timestamp>,
    next_clean_up: Timestamp,
    /// Breaks ties among rows that wait for an attempt.
    queued: u64,
    out: Step,
}

impl Core {
    /// A core that knows nothing yet.
    pub fn new(config: Arc<RouterConfig>, gate: Arc<dyn Gate>, options: Options, now: Timestamp) -> Self {
        let mut core = Core {
            config: config.clone(),
            gate,
            options,
            now,
            alerts: HashMap::new(),
            leases: BinaryHeap::new(),
            groups: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            flushes: BTreeSet::new(),
            ways: Vec::new(),
            way_index: HashMap::new(),
            hold_until: None,
            next_clean_up: now + CLEAN_UP_INTERVAL,
            queued: 0,
            out: Step::default(),
        };
        core.adopt_ways(&config);
        core
    }

    pub fn config(&self) -> &Arc<RouterConfig> {
        &self.config
    }

    /// Handles all that happened and all that is due at `now`.
    pub fn on(&mut self, events: impl IntoIterator<Item = Event>, now: Timestamp) -> Step {
        let events: Vec<Event> = events.into_iter().collect();
        let stepped = events.iter().any(|event| matches!(event, Event::ClockStep(_)));
        if now >= self.now || stepped || self.now.since(now) >= CLAMP {
            self.now = now;
        }
        for event in events {
            match event {
                Event::Update(alerts) => {
                    let mut received = Received::default();
                    for alert in alerts {
                        match self.update(alert) {
                            Some(news) => received.news |= news,
                            None => received.refused += 1,
                        }
                    }
                    self.out.received.push(received);
                }
                Event::Outcome { group, way, seq, outcome } => self.outcome(&group, &way, seq, outcome),
                Event::Reload(config) => self.reload(config),
                Event::RulesReady => self.hold_until = None,
                Event::ClockStep(millis) => self.clock_step(millis),
            }
        }
        self.end_leases();
        self.flush_due();
        self.start_attempts();
        if self.now >= self.next_clean_up {
            self.clean_up();
            self.next_clean_up = self.now + CLEAN_UP_INTERVAL;
        }
        let mut step = std::mem::take(&mut self.out);
        step.wake_at = Some(self.next_deadline());
        step
    }

    fn next_deadline(&self) -> Timestamp {
        let mut next = self.next_clean_up;
        if let Some(Reverse((at, _))) = self.leases.peek() {
            next = next.min(*at);
        }
        if let Some((at, _)) = self.flushes.first() {
            next = next.min(self.hold_until.map_or(*at, |hold| hold.max(*at)));
        }
        for way in &self.ways {
            if !way.ready.is_empty() && way.in_flight < self.concurrency(way) {
                next = next.min(way.not_before);
            }
        }
        next
    }

    fn concurrency(&self, way: &WayState) -> usize {
        // A failing way is probed with one row at a time.
        if way.failures > 0 { 1 } else { self.options.concurrency }
    }

    fn group(&self, index: GroupIx) -> Option<&Group> {
        self.groups.get(index as usize).and_then(Option::as_ref)
    }

    fn group_mut(&mut self, index: GroupIx) -> Option<&mut Group> {
        self.groups.get_mut(index as usize).and_then(Option::as_mut)
    }

    /// All alerts that have not ended, in no order.
    pub fn alerts(&self) -> Vec<Arc<Alert>> {
        let now = self.now;
        self.alerts.values().filter(|stored| !stored.alert.is_resolved_at(now)).map(|s| s.alert.clone()).collect()
    }

    /// How many alerts, groups with members, and rows there are, and the tick of the oldest row.
    pub fn census(&self) -> Census {
        let mut census = Census { alerts: self.alerts.len(), ..Census::default() };
        for group in self.groups.iter().flatten() {
            census.groups += usize::from(group.next_flush.is_some());
            for row in group.pairs.iter().filter_map(|pair| pair.row.as_ref()) {
                census.rows += 1;
                census.oldest_row = Some(census.oldest_row.map_or(row.tick, |at: Timestamp| at.min(row.tick)));
            }
        }
        census
    }

    /// Every group that has members or an outbox row.
    pub fn groups(&self) -> Vec<GroupView> {
        let mut views: Vec<GroupView> = self
            .groups
            .iter()
            .flatten()
            .filter(|group| group.next_flush.is_some() || group.pairs.iter().any(|pair| pair.row.is_some()))
            .map(|group| self.view(group))
            .collect();
        views.sort_by(|a, b| (&a.group_key, &a.id).cmp(&(&b.group_key, &b.id)));
        views
    }

    fn view(&self, group: &Group) -> GroupView {
        let outbox = group.pairs.iter().filter_map(|pair| {
            let row = pair.row.as_ref()?;
            let way = &self.ways[pair.way];
            Some(OutboxView {
                integration: way.key.clone(),
                seq: row.seq,
                key: row.key.clone(),
                reason: row.reason.as_str(),
                attempts: row.attempts,
                not_before: way.not_before,
            })
        });
        GroupView {
            id: group.id.clone(),
            group_key: group.key.as_str().to_owned(),
            receiver: group.route.map(|route| self.config.routes.get(route).receiver.to_string()),
            members: group.members.len(),
            next_flush: group.next_flush,
            outbox: outbox.collect(),
        }
    }
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    pub alerts: usize,
    pub groups: usize,
    pub rows: usize,
    pub oldest_row: Option<Timestamp>,
}

/// A group as `GET /api/v1/debug/groups` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupView {
    pub id: GroupId,
    pub group_key: String,
    /// `None` if no route forms the group any more.
    pub receiver: Option<String>,
    pub members: usize,
    pub next_flush: Option<Timestamp>,
    pub outbox: Vec<OutboxView>,
}

/// An outbox row as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxView {
    pub integration: Arc<str>,
    pub seq: u64,
    pub key: Arc<str>,
    pub reason: &'static str,
    pub attempts: u32,
    pub not_before: Timestamp,
}
