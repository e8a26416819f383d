//! A world for the core's tests: alerts by name, ways that answer at once or after a while, a store that holds what was
//! committed, and time that passes only here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::db::{Change, RouterState};
use crate::model::{
    Alert, AlertStatus, Attempt, Failure, FailureReason, LabelSet, MatcherMode, PostedAlert, Timestamp,
};
use crate::router::{Route, RouterConfig};

use super::{Core, Event, Gate, LabelLimits, Options, Order, Outcome, Step, admit};

/// Seconds of the tests' own clock.
pub fn at(secs: f64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + (secs * 1000.0).round() as i64)
}

pub fn secs(at: Timestamp) -> f64 {
    (at.as_millis() - 1_800_000_000_000) as f64 / 1000.0
}

/// Silences by alert name.
#[derive(Default)]
pub struct Silences(pub Mutex<HashSet<String>>);

impl Gate for Silences {
    fn holds_back(&self, alert: &Alert, _: Option<&Route>, _: Timestamp) -> Option<&'static str> {
        let silenced = self.0.lock().unwrap().contains(alert.labels.value("alertname"));
        silenced.then_some("silenced")
    }
}

/// What a way heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub at: Timestamp,
    pub way: String,
    pub group: String,
    pub key: String,
    pub reason: &'static str,
    pub firing: Vec<String>,
    pub resolved: Vec<String>,
    /// Everything that the key stands for.
    pub content: String,
}

/// What was committed, by table and key.
#[derive(Default)]
pub struct Store {
    pub state: BTreeMap<(u8, String), Change>,
}

impl Store {
    fn put(&mut self, change: Change) {
        let key = match &change {
            Change::PutAlert(row) => (0, row.fingerprint.to_string()),
            Change::PutAlertState(row) => (1, row.fingerprint.to_string()),
            Change::PutGroup(row) => (2, row.id.to_string()),
            Change::PutGroupMember(row) => (3, format!("{} {}", row.group_id, row.fingerprint)),
            Change::PutNotificationLog(row) => (4, format!("{} {}", row.group_id, row.way)),
            Change::PutOutbox(row) => (5, format!("{} {}", row.group_id, row.way)),
            Change::DeleteAlert { fingerprint } => {
                self.state.remove(&(0, fingerprint.to_string()));
                self.state.remove(&(1, fingerprint.to_string()));
                return;
            }
            Change::DeleteGroup { id } => {
                self.state.remove(&(2, id.to_string()));
                self.state.retain(|(table, key), _| *table != 3 || !key.starts_with(&format!("{id} ")));
                return;
            }
            Change::DeleteGroupMember { group_id, fingerprint } => {
                self.state.remove(&(3, format!("{group_id} {fingerprint}")));
                return;
            }
            Change::DeleteNotificationLog { group_id, way } => {
                self.state.remove(&(4, format!("{group_id} {way}")));
                return;
            }
            Change::DeleteOutbox { group_id, way } => {
                self.state.remove(&(5, format!("{group_id} {way}")));
                return;
            }
            other => panic!("the router does not write {other:?}"),
        };
        self.state.insert(key, change);
    }

    pub fn row_seq(&self, order: &Order) -> Option<(u64, String)> {
        match self.state.get(&(5, format!("{} {}", order.group.as_str(), order.way))) {
            Some(Change::PutOutbox(row)) => Some((row.seq.cast_unsigned(), row.key.to_string())),
            _ => None,
        }
    }

    pub fn load(&self) -> RouterState {
        let mut loaded = RouterState::default();
        for change in self.state.values().cloned() {
            match change {
                Change::PutAlert(row) => loaded.alerts.push(row),
                Change::PutAlertState(row) => loaded.alert_states.push(row),
                Change::PutGroup(row) => loaded.groups.push(row),
                Change::PutGroupMember(row) => loaded.members.push(row),
                Change::PutNotificationLog(row) => loaded.notification_log.push(row),
                Change::PutOutbox(row) => loaded.outbox.push(row),
                other => panic!("not stored: {other:?}"),
            }
        }
        loaded
    }
}

/// How a way answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Take,
    Fail,
    Reject,
    /// Hears it, and its answer is lost.
    HearAndLose,
    /// Neither hears nor answers.
    Lose,
}

pub struct World {
    pub core: Core,
    pub store: Store,
    pub silences: Arc<Silences>,
    pub now: Timestamp,
    pub wake_at: Timestamp,
    pub told: Vec<Told>,
    /// Attempts under way, and when each ends.
    pub under_way: Vec<(Timestamp, Order)>,
    pub answers: HashMap<String, Answer>,
    pub latency: Duration,
    pub config: Arc<RouterConfig>,
    pub history: Vec<crate::db::NewHistory>,
}

impl World {
    pub fn new(yaml: &str) -> Self {
        let config = config(yaml);
        let silences = Arc::new(Silences::default());
        let now = at(0.0);
        let core = Core::new(config.clone(), silences.clone(), Options::default(), now);
        World {
            core,
            store: Store::default(),
            silences,
            now,
            wake_at: now,
            told: Vec::new(),
            under_way: Vec::new(),
            answers: HashMap::new(),
            latency: Duration::ZERO,
            config,
            history: Vec::new(),
        }
    }

    pub fn post(&mut self, name: &str, start: Option<f64>, end: Option<f64>) {
        self.post_all(&[(name, start, end)]);
    }

    /// Alerts that one request brings.
    pub fn post_all(&mut self, alerts: &[(&str, Option<f64>, Option<f64>)]) {
        let alerts = alerts.iter().map(|(name, start, end)| {
            let posted = PostedAlert {
                labels: LabelSet::from_pairs([("alertname", *name), ("team", &name[..1])]),
                annotations: LabelSet::empty(),
                starts_at: start.map(at),
                ends_at: end.map(at),
                generator_url: "".into(),
                lease: None,
            };
            admit(posted, self.now, self.config.resolve_timeout, MatcherMode::default(), LabelLimits::default())
                .unwrap()
        });
        let alerts = alerts.collect();
        self.turn([Event::Update(alerts)]);
    }

    /// One call of the core: what it changed is committed, what it ordered begins.
    pub fn turn(&mut self, events: impl IntoIterator<Item = Event>) {
        let step = self.core.on(events, self.now);
        self.take(step);
    }

    pub fn take(&mut self, step: Step) {
        for change in step.changes {
            self.store.put(change);
        }
        self.history.extend(step.history);
        self.wake_at = step.wake_at.unwrap();
        for order in step.orders {
            let stored = self.store.row_seq(&order);
            let key = order.notification.idempotency_key.to_string();
            assert_eq!(stored, Some((order.seq, key)), "nothing leaves that is not committed");
            let twice = self.under_way.iter().any(|(_, other)| other.group == order.group && other.way == order.way);
            assert!(!twice, "one attempt at a time per group and way");
            self.under_way.push((self.now + self.latency, order));
        }
    }

    /// Lets time pass until `until`, everything at its instant.
    pub fn run_until(&mut self, until: Timestamp) {
        loop {
            let ending = self.under_way.iter().map(|(at, _)| *at).min();
            let next = ending.map_or(self.wake_at, |at| at.min(self.wake_at));
            if next > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(next);
            match self.under_way.iter().position(|(at, _)| *at <= self.now) {
                Some(index) => {
                    let (_, order) = self.under_way.remove(index);
                    self.end(order);
                }
                None => self.turn([]),
            }
        }
    }

    fn end(&mut self, order: Order) {
        let answer = self.answers.get(&*order.way).copied().unwrap_or(Answer::Take);
        if matches!(answer, Answer::Take | Answer::HearAndLose) {
            self.hear(&order);
        }
        let failure = Failure { reason: FailureReason::ServerError, detail: "500".to_owned() };
        let outcome = match answer {
            Answer::Take => Outcome::Answered(Attempt::Delivered { receiver_data: None }),
            Answer::Fail => Outcome::Answered(Attempt::Retry { after: None, failure }),
            Answer::Reject => Outcome::Answered(Attempt::Rejected { failure }),
            Answer::HearAndLose | Answer::Lose => Outcome::NoAnswer("lost".to_owned()),
        };
        let event = Event::Outcome { group: order.group, way: order.way, seq: order.seq, outcome };
        self.turn([event]);
    }

    pub fn hear(&mut self, order: &Order) {
        let notification = &order.notification;
        let names = |status| {
            let alerts = notification.alerts.iter().filter(|alert| alert.status == status);
            alerts.map(|alert| alert.alert.labels.value("alertname").to_owned()).collect::<Vec<_>>()
        };
        let (firing, resolved) = (names(AlertStatus::Firing), names(AlertStatus::Resolved));
        let content = format!(
            "{} {} {:?} {} {firing:?} {resolved:?}",
            order.group.as_str(),
            order.way,
            notification.reason,
            secs(notification.tick)
        );
        self.told.push(Told {
            at: self.now,
            way: order.way.to_string(),
            group: order.group.as_str().to_owned(),
            key: notification.idempotency_key.to_string(),
            reason: notification.reason.as_str(),
            firing,
            resolved,
            content,
        });
    }

    /// The process dies and starts again at once, or after a while.
    pub fn crash(&mut self, down: Duration) {
        self.under_way.clear();
        self.now = self.now + down;
        let state = self.store.load();
        let restored =
            Core::restore(self.config.clone(), self.silences.clone(), Options::default(), &state, true, self.now)
                .unwrap();
        self.core = restored.core;
        self.take(restored.step);
    }

    pub fn reload(&mut self, yaml: &str) {
        self.config = config(yaml);
        self.turn([Event::Reload(self.config.clone())]);
    }
}

/// Reads a router file's `route` and `receivers`. A receiver's name tells its ways: `quiet` takes no resolved.
pub fn config(yaml: &str) -> Arc<RouterConfig> {
    crate::router::config::for_tests(yaml)
}
