//! The service on paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::house::{FakeSource, House, RULE, Reply, files, source, up};
use super::rows::Stored;
use super::{Service, ServiceError};
use crate::model::{Clock, LabelSet, Sample};
use crate::rules::core::AlertState;
use crate::rules::{Health, RuleState, Sources};
use crate::source::Source;

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The first evaluation falls into the first 30 seconds; so many have passed after `n` intervals.
fn after(intervals: u64) -> u64 {
    intervals * 30
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_evaluated_committed_and_announced() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Unknown);
    pass(after(1)).await;
    let groups = service.groups();
    let rule = &groups[0].rules[0];
    assert_eq!((rule.state, &rule.health, rule.samples), (RuleState::Pending, &Health::Ok, 1));
    assert_eq!(rule.alerts[0].labels, LabelSet::from_pairs([("alertname", "Up"), ("instance", "a"), ("sev", "page")]));
    assert_eq!(rule.alerts[0].annotations, LabelSet::from_pairs([("summary", "a is 1")]));
    assert_eq!(rule.annotations.value("summary"), "{{ $labels.instance }} is {{ $value }}");
    assert!(house.router.take().is_empty());
    pass(after(2)).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Firing);
    assert_eq!(house.router.take().len(), 1);
    assert!(matches!(house.ledger.states()[..], [AlertState::Firing { .. }]));
    let query = house.source.asked.lock().unwrap()[0].clone();
    assert_eq!(query.expr, "up");
    let slot = house.ledger.stored().last_slots.into_values().next().unwrap();
    assert_eq!(house.source.asked.lock().unwrap().last().unwrap().at, slot);
    for (name, value) in [
        ("prometheus_rule_evaluations_total", 3.0),
        ("prometheus_rule_evaluation_failures_total", 0.0),
        ("prometheus_rule_group_iterations_total", 3.0),
        ("prometheus_rule_group_iterations_missed_total", 0.0),
        ("prometheus_rule_group_interval_seconds", 30.0),
        ("prometheus_rule_group_rules", 1.0),
        ("prometheus_rule_group_last_evaluation_samples", 1.0),
        ("belfry_rules_unannounced_alerts", 0.0),
    ] {
        assert_eq!(house.metric(name), Some(value), "{name}");
    }
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_query_is_asked_behind_the_slot_by_one_offset_only() {
    for (group, delay, global, want) in
        [("query_offset: 1m", Some(5), 7, 60), ("limit: 0", Some(5), 7, 5), ("limit: 0", None, 7, 7)]
    {
        let mut house = House::new();
        house.source = Arc::new(FakeSource {
            delay: delay.map(Duration::from_secs),
            name: "metrics".to_owned(),
            script: Mutex::new(Box::new(|_| Reply::Samples(vec![]))),
            asked: Mutex::default(),
        });
        house.settings.query_offset = Duration::from_secs(global);
        let text = format!("groups:\n- name: g\n  {group}\n  rules:\n  - {{alert: A, expr: up, window: 5m}}\n");
        let service = house.start(&text).await;
        pass(after(1)).await;
        let query = house.source.asked.lock().unwrap()[0].clone();
        let slot = house.ledger.stored().last_slots.into_values().next().unwrap();
        assert_eq!((slot.since(query.at).as_secs(), query.window), (want, Some(Duration::from_secs(300))));
        service.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_source_resolves_nothing_and_shows_in_health() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(3)).await;
    house.answer(|_| Reply::Error);
    house.router.take();
    pass(after(20)).await;
    let groups = service.groups();
    let rule = &groups[0].rules[0];
    assert_eq!(
        (rule.state, rule.health.last_error()),
        (RuleState::Firing, Some("the source cannot be reached: connection refused"))
    );
    let heard = house.router.take();
    assert!(heard.len() >= 6 && heard.iter().all(|line| line.ends_with("firing Up")), "{heard:?}");
    assert!(house.metric("prometheus_rule_evaluation_failures_total") >= Some(20.0));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_a_failure_after_the_timeout_and_slots_are_missed() {
    let mut house = House::new();
    house.settings.timeout = Duration::from_secs(70);
    house.answer(|_| Reply::Hang);
    let service = house.start(RULE).await;
    pass(after(8)).await;
    let groups = service.groups();
    assert_eq!(groups[0].rules[0].health.last_error(), Some("no answer within 70 s"));
    assert!(house.metric("prometheus_rule_group_iterations_missed_total") >= Some(2.0));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_does_not_stop_the_rules_of_another() {
    let mut house = House::new();
    house.settings.concurrency = 4;
    house.settings.timeout = Duration::from_secs(300);
    let mut text = "groups:\n".to_owned();
    for group in 0..8 {
        text.push_str(&format!("- name: dead{group}\n  rules:\n  - {{alert: Dead, expr: up, source: dead}}\n"));
    }
    text.push_str("- name: live\n  rules:\n  - {alert: Live, expr: up, source: metrics}\n");
    let dead = source("dead");
    *dead.script.lock().unwrap() = Box::new(|_| Reply::Hang);
    let sources = Sources::new([house.source.clone() as Arc<dyn Source>, dead as Arc<dyn Source>], None);
    let service = Service::start_on(
        &files(&text),
        house.settings.clone(),
        sources,
        house.clock.clone(),
        house.ledger.clone(),
        house.router.clone(),
        Stored::default(),
        &house.registry,
    )
    .await
    .unwrap();
    pass(after(4)).await;
    assert_eq!(house.asked(), 4);
    assert!(house.router.take().iter().all(|line| line.ends_with("Live")));
    house.settings.concurrency = 1;
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn on_error_alert_fires_with_the_reason() {
    let mut house = House::new();
    house.answer(|_| Reply::Error);
    let text = RULE.replace("for: 1m", "on_error: alert").replace("page", "'{{ $labels.instance }}x'");
    let service = house.start(&text).await;
    pass(after(1)).await;
    let heard = house.router.heard.lock().unwrap()[0].1.clone();
    assert_eq!(heard.labels, LabelSet::from_pairs([("alertname", "Up"), ("belfry_reason", "error"), ("sev", "x")]));
    house.answer(|_| Reply::Samples(vec![]));
    house.router.take();
    pass(after(1)).await;
    assert!(house.router.take()[0].ends_with("resolved Up"));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn equal_label_sets_after_the_rules_labels_are_an_error_of_the_rule() {
    let mut house = House::new();
    house.answer(|_| {
        let other = LabelSet::from_pairs([("__name__", "other"), ("instance", "a")]);
        Reply::Samples(vec![up(1.0), Sample { labels: other, ..up(2.0) }])
    });
    let service = house.start(RULE).await;
    pass(after(1)).await;
    let groups = service.groups();
    assert_eq!(
        groups[0].rules[0].health.last_error(),
        Some("vector contains metrics with the same labelset after applying alert labels")
    );
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_template_is_text_in_its_place() {
    let mut house = House::new();
    let text = RULE.replace("for: 1m", "for: 0s").replace("is {{ $value }}", "{{ humanize \"abc\" }}");
    let service = house.start(&text).await;
    pass(after(1)).await;
    let summary = house.router.heard.lock().unwrap()[0].1.annotations.value("summary").to_owned();
    assert_eq!(
        summary,
        "<error expanding template: error executing template __alert_Up: template: __alert_Up:1:138: executing \"__alert_Up\" \
         at <humanize \"abc\">: error calling humanize: strconv.ParseFloat: parsing \"abc\": invalid syntax>"
    );
    assert_eq!(house.metric("belfry_rules_template_failures_total"), Some(1.0));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_only_a_labels_query_meets_does_not_change_the_label() {
    let mut house = House::new();
    let text = RULE.replace("for: 1m", "for: 0s").replace("page", "'{{ query \"q\" | len }}'");
    let service = house.start(&text).await;
    pass(after(1)).await;
    let before = house.ledger.states();
    assert_eq!(house.router.heard.lock().unwrap()[0].1.labels.value("sev"), "1");
    house.answer(|query| if query.expr == "q" { Reply::Error } else { Reply::Samples(vec![up(1.0)]) });
    pass(after(2)).await;
    let groups = service.groups();
    assert_eq!(
        groups[0].rules[0].health.last_error(),
        Some("a label's query failed: the source cannot be reached: connection refused")
    );
    assert_eq!(house.ledger.states(), before);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_announced_again_until_it_is() {
    let mut house = House::new();
    let service =
        house.start(&RULE.replace("for: 1m", "for: 0s").replace("- name: g", "- name: g\n  interval: 1h")).await;
    *house.router.full.lock().unwrap() = true;
    pass(3600).await;
    assert_eq!(house.metric("belfry_rules_unannounced_alerts"), Some(1.0));
    assert!(house.metric("belfry_rules_announce_failures_total") >= Some(1.0));
    *house.router.full.lock().unwrap() = false;
    pass(2).await;
    assert_eq!(house.router.take().len(), 1, "long before the next slot");
    assert_eq!(house.metric("belfry_rules_unannounced_alerts"), Some(0.0));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_announces_at_once_and_goes_on_as_before() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(4)).await;
    service.stop().await;
    let before = house.ledger.states();
    house.router.take();
    let asked = house.asked();
    let service = house.start(RULE).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(house.asked(), asked, "not evaluated yet");
    assert_eq!(house.router.take().len(), 1);
    pass(after(2)).await;
    assert_eq!(house.ledger.states(), before);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_an_evaluation_under_way() {
    let mut house = House::new();
    house.answer(|_| Reply::Hang);
    let service = house.start(RULE).await;
    pass(after(1)).await;
    let began = house.clock.now();
    service.stop().await;
    assert_eq!(house.clock.now(), began);
    assert!(matches!(
        service.reload(&files(RULE), house.settings.clone(), house.sources()).await,
        Err(ServiceError::Stopping)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_an_unchanged_group_alone_and_gives_it_the_new_source() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(2)).await;
    let (asked, old) = (house.asked(), house.source.clone());
    house.source = source("metrics");
    house.reload(&service, &format!("# the same\n{RULE}")).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Pending, "its view is the old one");
    pass(after(1)).await;
    assert_eq!((old.asked.lock().unwrap().len(), house.asked()), (asked, 1));
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Firing);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_of_a_changed_group_keeps_the_state_of_its_rules() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(3)).await;
    let before = house.ledger.states();
    house.reload(&service, &RULE.replace("expr: up", "expr: up > 0")).await;
    pass(after(2)).await;
    assert_eq!(house.ledger.states(), before);
    assert_eq!(&*service.groups()[0].rules[0].query, "up > 0");
    assert_eq!(house.metric("prometheus_rule_group_iterations_missed_total"), Some(0.0));
    assert_eq!(house.metric("prometheus_rule_group_iterations_total"), Some(5.0), "no slot was lost");
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_rule_is_forgotten_and_nobody_is_told() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(3)).await;
    house.router.take();
    house.reload(&service, "groups: []").await;
    pass(1).await;
    assert!(house.ledger.states().is_empty());
    assert!(house.ledger.stored().last_slots.is_empty());
    assert!(house.router.take().is_empty());
    assert!(service.groups().is_empty());
    assert_eq!(house.metric("prometheus_rule_group_rules"), None);
    // Back again, it starts anew, with its metrics.
    house.reload(&service, RULE).await;
    pass(after(1)).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Pending);
    assert_eq!(house.metric("prometheus_rule_group_rules"), Some(1.0));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn alerts_whose_rule_was_missing_at_the_start_come_back_with_it() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(3)).await;
    service.stop().await;
    let before = house.ledger.states();
    let service = house.start("groups: []").await;
    pass(300).await;
    house.router.take();
    house.reload(&service, RULE).await;
    pass(1).await;
    assert_eq!(house.ledger.states(), before);
    assert_eq!(house.router.take().len(), 1);
    service.stop().await;
    // Without its rule it is forgotten after an hour.
    let service = house.start("groups: []").await;
    pass(3601).await;
    assert!(house.ledger.states().is_empty());
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_to_an_unknown_source_changes_nothing() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    let error = service
        .reload(
            &files(&RULE.replace("expr: up", "expr: up\n    source: metric")),
            house.settings.clone(),
            house.sources(),
        )
        .await;
    let Err(ServiceError::Sources(found)) = error else { panic!("{error:?}") };
    assert_eq!(
        found[0].to_string(),
        "r.yml:6:13: group \"g\", \"Up\": unknown source \"metric\"\n  help: did you mean \"metrics\"?"
    );
    pass(after(1)).await;
    assert_eq!(house.asked(), 1);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_step_of_an_hour_ahead_does_not_make_anything_fire() {
    let mut house = House::new();
    let service = house.start(&RULE.replace("for: 1m", "for: 5m")).await;
    pass(after(2)).await;
    house.clock.step(3_600_000);
    pass(after(2)).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Pending);
    assert_eq!(house.metric("belfry_rules_clock_steps_total"), Some(1.0));
    assert!(house.metric("prometheus_rule_group_iterations_missed_total") >= Some(100.0));
    pass(after(9)).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Firing);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_by_an_hour_does_not_stop_evaluation() {
    let mut house = House::new();
    pass(7200).await;
    let service = house.start(RULE).await;
    pass(after(4)).await;
    let asked = house.asked();
    house.router.take();
    house.clock.step(-3_600_000);
    pass(after(6)).await;
    assert!(house.asked() >= asked + 5);
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Firing);
    assert!(house.router.take().len() >= 2);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_defect_in_an_iteration_costs_that_iteration_only() {
    let mut house = House::new();
    house.answer(|query| match query.at.as_millis() {
        ..30_000 => Reply::Panic,
        _ => Reply::Samples(vec![up(1.0)]),
    });
    let service = house.start(RULE).await;
    pass(after(2)).await;
    assert_eq!(house.metric("belfry_rules_panics_total"), Some(1.0));
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Pending);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_deposed_announces_nothing_and_says_so() {
    let mut house = House::new();
    let service = house.start(&RULE.replace("for: 1m", "for: 0s")).await;
    *house.ledger.deposed.lock().unwrap() = true;
    tokio::time::timeout(Duration::from_secs(60), service.deposed()).await.unwrap();
    assert!(house.router.take().is_empty());
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_calendar_group_is_evaluated_by_the_calendar() {
    let mut house = House::new();
    let text = RULE.replace("- name: g", "- name: g\n  schedule: {cron: '*/20 * * * *'}").replace("for: 1m", "for: 0s");
    let service = house.start(&text).await;
    pass(3601).await;
    let asked: Vec<i64> =
        house.source.asked.lock().unwrap().iter().map(|query| query.at.as_millis() / 60_000).collect();
    assert_eq!(asked, [20, 40, 60]);
    let (now, alert) = house.router.heard.lock().unwrap()[0].clone();
    assert_eq!(alert.ends_at.unwrap().since(now).as_secs(), 4 * 20 * 60);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_first_evaluations_learns_of_them() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    service.first_evaluations().await;
    assert_eq!(house.asked(), 1);
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_group_shows_its_alerts_until_its_successor_takes_over() {
    let mut house = House::new();
    let service = house.start(RULE).await;
    pass(after(3)).await;
    house.answer(|_| Reply::Hang);
    pass(after(1)).await;
    house.reload(&service, &RULE.replace("expr: up", "expr: up > 0")).await;
    assert_eq!(service.groups()[0].rules[0].state, RuleState::Firing);
    pass(after(1)).await;
    let groups = service.groups();
    assert_eq!((&*groups[0].rules[0].query, groups[0].rules[0].state), ("up > 0", RuleState::Firing));
    service.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_rule_does_not_hold_up_what_an_earlier_one_found() {
    let mut house = House::new();
    house.settings.timeout = Duration::from_secs(3600);
    house.answer(|query| if query.expr == "slow" { Reply::Hang } else { Reply::Samples(vec![up(1.0)]) });
    let service =
        house.start("groups:\n- name: g\n  rules:\n  - {alert: Fast, expr: up}\n  - {alert: Slow, expr: slow}\n").await;
    pass(after(1)).await;
    assert_eq!(house.router.take().len(), 1);
    service.stop().await;
}
