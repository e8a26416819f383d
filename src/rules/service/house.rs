//! A house for the service in tests: a source that answers by a script, a ledger in memory, and whoever is announced to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Service;
use super::ledger::{Ledger, LedgerError};
use super::rows::Stored;
use crate::metrics::Registry;
use crate::model::{Announce, AnnounceError, Clock, LabelSet, PostedAlert, Sample, TestClock, Timestamp};
use crate::rules::core::{AlertState, Change, HistoryEntry, RestoredAlert};
use crate::rules::{ParseOptions, RuleFile, Settings, Sources};
use crate::source::{Answer, Query, RangeAnswer, RangeQuery, Source, SourceError, SourceKind};
use crate::yaml::Findings;

/// What a source answers: an error, a hang, a defect, or samples.
pub(super) enum Reply {
    Samples(Vec<Sample>),
    Error,
    Hang,
    Panic,
}

pub(super) type Script = Box<dyn Fn(&Query) -> Reply + Send + Sync>;

pub(super) struct FakeSource {
    pub(super) name: String,
    pub(super) script: Mutex<Script>,
    pub(super) asked: Mutex<Vec<Query>>,
    pub(super) delay: Option<Duration>,
}

impl Source for FakeSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Prometheus
    }

    fn query_delay(&self) -> Option<Duration> {
        self.delay
    }

    fn instant<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Answer, SourceError>> {
        self.asked.lock().unwrap().push(query.clone());
        let reply = (self.script.lock().unwrap())(query);
        Box::pin(async move {
            match reply {
                Reply::Samples(samples) => Ok(Answer { samples, ..Answer::default() }),
                Reply::Error => Err(refused()),
                Reply::Hang => std::future::pending().await,
                Reply::Panic => panic!("a defect"),
            }
        })
    }

    fn range<'a>(&'a self, _: &'a RangeQuery) -> BoxFuture<'a, Result<RangeAnswer, SourceError>> {
        Box::pin(async { Err(refused()) })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async { Ok(()) })
    }
}

fn refused() -> SourceError {
    SourceError::Unreachable { detail: "connection refused".to_owned() }
}

/// All changes ever committed, and when.
#[derive(Default)]
pub(super) struct FakeLedger {
    changes: Mutex<Vec<Change>>,
    history: Mutex<Vec<HistoryEntry>>,
    pub(super) deposed: Mutex<bool>,
}

impl Ledger for FakeLedger {
    fn commit(&self, changes: Vec<Change>, history: Vec<HistoryEntry>) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            if *self.deposed.lock().unwrap() {
                return Err(LedgerError::Deposed);
            }
            self.changes.lock().unwrap().extend(changes);
            self.history.lock().unwrap().extend(history);
            Ok(())
        })
    }
}

impl FakeLedger {
    pub(super) fn stored(&self) -> Stored {
        let mut stored = Stored::default();
        let mut labels = HashMap::new();
        let mut states = HashMap::new();
        for change in self.changes.lock().unwrap().iter().cloned() {
            match change {
                Change::Slot { group, slot } => {
                    stored.last_slots.insert(group, slot);
                }
                Change::GroupRemoved { group } => {
                    stored.last_slots.remove(&group);
                }
                Change::Labels { rule, fingerprint, labels: set } => {
                    labels.insert((rule, fingerprint), set);
                }
                Change::State { rule, fingerprint, state, annotations, value } => {
                    states.insert((rule, fingerprint), (state, annotations, value));
                }
                Change::Removed { rule, fingerprint } => {
                    states.remove(&(rule.clone(), fingerprint));
                    labels.remove(&(rule, fingerprint));
                }
            }
        }
        for ((rule, fingerprint), (state, annotations, value)) in states {
            let labels = labels[&(rule.clone(), fingerprint)].clone();
            stored.alerts.entry(rule).or_default().push(RestoredAlert { labels, state, annotations, value });
        }
        stored
    }

    pub(super) fn states(&self) -> Vec<AlertState> {
        self.stored().alerts.into_values().flatten().map(|alert| alert.state).collect()
    }
}

#[derive(Default)]
pub(super) struct FakeRouter {
    pub(super) heard: Mutex<Vec<(Timestamp, PostedAlert)>>,
    pub(super) full: Mutex<bool>,
    clock: Mutex<Option<Arc<TestClock>>>,
}

impl Announce for FakeRouter {
    fn announce(&self, alerts: Vec<PostedAlert>) -> BoxFuture<'_, Result<(), AnnounceError>> {
        Box::pin(async move {
            if *self.full.lock().unwrap() {
                return Err(AnnounceError::Full);
            }
            let now = self.clock.lock().unwrap().as_ref().unwrap().now();
            self.heard.lock().unwrap().extend(alerts.into_iter().map(|alert| (now, alert)));
            Ok(())
        })
    }
}

impl FakeRouter {
    /// `SECOND firing|resolved NAME`, in the order heard; forgets them.
    pub(super) fn take(&self) -> Vec<String> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        heard
            .iter()
            .map(|(now, alert)| {
                let kind = if alert.ends_at.unwrap() > *now { "firing" } else { "resolved" };
                format!("{} {kind} {}", now.as_millis() / 1000, alert.labels.value("alertname"))
            })
            .collect()
    }
}

pub(super) struct House {
    pub(super) clock: Arc<TestClock>,
    pub(super) ledger: Arc<FakeLedger>,
    pub(super) router: Arc<FakeRouter>,
    pub(super) source: Arc<FakeSource>,
    pub(super) registry: Registry,
    pub(super) settings: Settings,
}

pub(super) fn up(value: f64) -> Sample {
    let labels = LabelSet::from_pairs([("__name__", "up"), ("instance", "a")]);
    Sample { labels, at: Timestamp::EPOCH, value }
}

pub(super) fn files(text: &str) -> Vec<RuleFile> {
    let mut findings = Findings::new("r.yml");
    let file = RuleFile::parse("r.yml", text, &ParseOptions::default(), &mut findings);
    vec![file.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))]
}

pub(super) fn source(name: &str) -> Arc<FakeSource> {
    Arc::new(FakeSource {
        name: name.to_owned(),
        script: Mutex::new(Box::new(|_| Reply::Samples(vec![up(1.0)]))),
        asked: Mutex::default(),
        delay: None,
    })
}

impl House {
    pub(super) fn new() -> Self {
        let clock = Arc::new(TestClock::new(Timestamp::EPOCH));
        let router = Arc::new(FakeRouter::default());
        *router.clock.lock().unwrap() = Some(clock.clone());
        House {
            clock,
            ledger: Arc::default(),
            router,
            source: source("metrics"),
            registry: Registry::new(),
            settings: Settings { evaluation_interval: Duration::from_secs(30), ..Settings::default() },
        }
    }

    pub(super) fn sources(&self) -> Sources {
        Sources::new([self.source.clone() as Arc<dyn Source>], None)
    }

    pub(super) async fn start(&mut self, text: &str) -> Service {
        self.registry = Registry::new();
        Service::start_on(
            &files(text),
            self.settings.clone(),
            self.sources(),
            self.clock.clone(),
            self.ledger.clone(),
            self.router.clone(),
            self.ledger.stored(),
            &self.registry,
        )
        .await
        .unwrap()
    }

    pub(super) async fn reload(&self, service: &Service, text: &str) {
        service.reload(&files(text), self.settings.clone(), self.sources()).await.unwrap();
    }

    pub(super) fn answer(&self, script: impl Fn(&Query) -> Reply + Send + Sync + 'static) {
        *self.source.script.lock().unwrap() = Box::new(script);
    }

    pub(super) fn asked(&self) -> usize {
        self.source.asked.lock().unwrap().len()
    }

    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let metric = family.get_metric().first()?;
        Some(metric.get_counter().get_value() + metric.get_gauge().get_value())
    }
}

pub(super) const RULE: &str = "groups:\n- name: g\n  rules:\n  - alert: Up\n    expr: up\n    for: 1m\n    labels: {sev: page}\n    annotations: {summary: '{{ $labels.instance }} is {{ $value }}'}\n";
