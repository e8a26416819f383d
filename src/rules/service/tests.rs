//! The service on real time, at intervals of milliseconds; every wait is for an event and has a deadline.

use std::time::Duration;

use super::Outside;
use super::house::{House, RULE, Reply, files, up};
use crate::db::{Db, HistoryFilter, Location, StorageConfig};
use crate::metrics::Registry;
use crate::model::{Clock, LabelSet};
use crate::rules::core::AlertState;
use crate::rules::{RuleState, Service};

/// A house whose groups are evaluated a hundred times a second.
fn house() -> House {
    let mut house = House::new();
    house.settings.evaluation_interval = Duration::from_millis(10);
    house
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within 20 s: {what}");
}

fn state(service: &Service) -> RuleState {
    service.groups()[0].rules[0].state
}

fn at_once() -> String {
    RULE.replace("for: 1m", "for: 0s")
}

#[tokio::test]
async fn an_alert_is_committed_and_then_announced() {
    let mut house = house();
    let service = house.start(&at_once()).await;
    until("it is announced", || !house.router.heard.lock().unwrap().is_empty()).await;
    assert!(matches!(house.ledger.states()[..], [AlertState::Firing { .. }]));
    let alert = house.router.heard.lock().unwrap()[0].1.clone();
    assert_eq!(alert.labels, LabelSet::from_pairs([("alertname", "Up"), ("instance", "a"), ("sev", "page")]));
    assert_eq!(alert.annotations, LabelSet::from_pairs([("summary", "a is 1")]));
    until("it is shown", || state(&service) == RuleState::Firing).await;
    house.answer(|_| Reply::Samples(vec![]));
    until("it is resolved", || house.router.take().iter().any(|line| line.contains("resolved"))).await;
    service.stop().await;
}

#[tokio::test]
async fn an_outage_resolves_nothing() {
    let mut house = house();
    let service = house.start(&at_once()).await;
    until("it fires", || state(&service) == RuleState::Firing).await;
    house.answer(|_| Reply::Error);
    let asked = house.asked();
    until("it is asked again", || house.asked() > asked + 5).await;
    assert_eq!(state(&service), RuleState::Firing);
    assert_eq!(service.groups()[0].rules[0].health.as_str(), "err");
    service.stop().await;
}

#[tokio::test]
async fn a_restart_announces_before_it_evaluates() {
    let mut house = house();
    let service = house.start(&at_once()).await;
    until("it fires", || state(&service) == RuleState::Firing).await;
    service.stop().await;
    house.router.take();
    let (before, asked) = (house.ledger.states(), house.asked());
    house.settings.evaluation_interval = Duration::from_secs(3600);
    let service = house.start(&at_once()).await;
    until("it is announced", || house.router.take().iter().any(|line| line.ends_with("firing Up"))).await;
    assert_eq!((house.ledger.states(), house.asked()), (before, asked));
    service.stop().await;
}

#[tokio::test]
async fn a_reload_keeps_what_stays_and_forgets_what_goes() {
    let mut house = house();
    let service = house.start(&at_once()).await;
    until("it fires", || state(&service) == RuleState::Firing).await;
    let before = house.ledger.states();
    house.reload(&service, &at_once().replace("expr: up", "expr: up > 0")).await;
    until("the new expression is asked", || {
        house.source.asked.lock().unwrap().iter().any(|query| query.expr == "up > 0")
    })
    .await;
    assert_eq!(house.ledger.states(), before);
    house.reload(&service, "groups: []").await;
    until("it is forgotten", || house.ledger.states().is_empty()).await;
    assert!(service.groups().is_empty());
    assert!(house.router.take().iter().all(|line| line.ends_with("firing Up")));
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_taken_is_announced_again() {
    let mut house = house();
    *house.router.full.lock().unwrap() = true;
    let service = house.start(&at_once()).await;
    until("it is refused", || house.metric("belfry_rules_unannounced_alerts") == Some(1.0)).await;
    *house.router.full.lock().unwrap() = false;
    until("it is taken", || house.metric("belfry_rules_unannounced_alerts") == Some(0.0)).await;
    assert_eq!(house.router.take().len(), 1);
    service.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_source() {
    let mut house = house();
    house.settings.timeout = Duration::from_secs(3600);
    house.answer(|_| Reply::Hang);
    let service = house.start(RULE).await;
    until("it is asked", || house.asked() > 0).await;
    let began = house.clock.monotonic();
    service.stop().await;
    assert!(house.clock.monotonic() - began < Duration::from_secs(5));
}

#[tokio::test]
async fn a_defect_costs_an_iteration_and_being_deposed_costs_everything() {
    let mut house = house();
    house.answer(|_| Reply::Panic);
    let service = house.start(&at_once()).await;
    until("two iterations have failed", || house.metric("belfry_rules_panics_total") >= Some(2.0)).await;
    *house.ledger.deposed.lock().unwrap() = true;
    house.answer(|_| Reply::Samples(vec![up(1.0)]));
    assert!(tokio::time::timeout(Duration::from_secs(20), service.deposed()).await.is_ok());
    assert!(house.router.take().is_empty());
    service.stop().await;
}

#[tokio::test]
async fn alerts_survive_in_the_database() {
    let house = house();
    let folder = tempfile::tempdir().unwrap();
    let storage = StorageConfig::new(Location::Directory(folder.path().to_owned()));
    let mut starts = Vec::new();
    for life in 0..2 {
        let registry = Registry::new();
        let db = Db::open(&storage, house.clock.clone(), &registry).await.unwrap();
        let outside = Outside { clock: house.clock.clone(), db: db.clone(), announce: house.router.clone() };
        let rule = files(&at_once());
        let service = Service::start(&rule, house.settings.clone(), house.sources(), outside, &registry).await.unwrap();
        until("it is announced", || !house.router.heard.lock().unwrap().is_empty()).await;
        starts.push(house.router.heard.lock().unwrap()[0].1.starts_at);
        until("it is evaluated", || state(&service) == RuleState::Firing).await;
        service.stop().await;
        let history = db.history(&HistoryFilter::default()).await.unwrap();
        assert_eq!(history.iter().map(|row| &*row.kind).collect::<Vec<_>>(), ["firing"], "life {life}");
        db.close().await.unwrap();
        house.router.take();
    }
    assert_eq!(starts[0], starts[1]);
}
