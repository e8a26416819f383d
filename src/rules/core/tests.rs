//! Traces: what the contract's tables say, line by line, and what is Belfry's own.

use super::bench::{Bench, at, candidate, check, samples, told};
use super::*;

#[test]
fn an_alert_waits_fires_resolves_and_starts_anew() {
    check(
        "for 60s",
        "1 1 1 1 - - - - 1 1 1",
        "0: pending 0
         30: pending 0
         60: firing 60 > f300
         90: firing 60
         120: resolved 120 > r120
         150: resolved 120
         180: resolved 120
         210: resolved 120 > r120
         240: pending 240
         270: pending 240
         300: firing 300 > f540",
    );
}

#[test]
fn keep_firing_for_bridges_a_gap() {
    check(
        "keep_firing_for 90s",
        "1 2 - - - - 3 - - - -",
        "0: firing 0 > f240
         30: firing 0
         60: firing 0 quiet 60
         90: firing 0 quiet 60 > f330
         120: firing 0 quiet 60
         150: resolved 150 > r150
         180: firing 180 > f420
         210: firing 180 quiet 210
         240: firing 180 quiet 210
         270: firing 180 quiet 210 > f510
         300: resolved 300 > r300",
    );
}

#[test]
fn a_gap_shorter_than_keep_firing_for_is_forgotten() {
    check(
        "keep_firing_for 90s",
        "1 - - 1 - - - -",
        "0: firing 0 > f240
         30: firing 0 quiet 30
         60: firing 0 quiet 30
         90: firing 0 > f330
         120: firing 0 quiet 120
         150: firing 0 quiet 120
         180: firing 0 quiet 120 > f420
         210: resolved 210 > r210",
    );
}

#[test]
fn a_kept_alert_keeps_its_last_value() {
    let mut bench = Bench::new("keep_firing_for 90s");
    for (seconds, input) in [(0, "1"), (30, "2"), (60, "-"), (90, "-")] {
        bench.turn(seconds, input);
    }
    let (_, instance) = bench.core.alerts(0).next().unwrap();
    assert_eq!((instance.value, instance.annotations.value("value")), (2.0, "2"));
}

#[test]
fn what_is_told_again_follows_the_resend_delay_strictly() {
    for (interval, cadence) in [(30, 90), (60, 120), (2, 62)] {
        let mut bench = Bench::new(&format!("interval {interval}s"));
        let sent: Vec<i64> = (0..400 / interval)
            .map(|n| n * interval)
            .filter(|now| !bench.turn(*now, "1").announcements.is_empty())
            .collect();
        let want: Vec<i64> = (0..).map(|n| n * cadence).take_while(|now| *now < 400 / interval * interval).collect();
        assert_eq!(sent, want, "interval {interval}");
    }
}

#[test]
fn a_resolved_alert_is_retained_for_fifteen_minutes_and_then_forgotten() {
    let mut bench = Bench::new("");
    bench.turn(0, "1");
    let mut last_told = 0;
    for seconds in (30..=930).step_by(30) {
        if !bench.turn(seconds, "-").announcements.is_empty() {
            last_told = seconds;
        }
        assert_eq!(bench.state(), "resolved 30");
    }
    assert_eq!(last_told, 930, "the last time is exactly at the end of its retention");
    bench.turn(960, "-");
    assert_eq!(bench.state(), "none");
    assert!(bench.tables.is_empty());
}

#[test]
fn an_alert_that_goes_while_pending_is_forgotten_untold() {
    check("for 60s", "1 1 - 1", "0: pending 0\n30: pending 0\n60: none\n90: pending 90");
    let mut bench = Bench::new("for 60s");
    bench.turn(0, "1");
    bench.turn(30, "-");
    let kinds: Vec<_> = bench.history.iter().map(|entry| (entry.kind, entry.episode)).collect();
    assert_eq!(kinds, [(HistoryKind::Pending, at(0)), (HistoryKind::Inactive, at(0))]);
    assert!(bench.tables.is_empty());
}

#[test]
fn a_for_of_zero_fires_at_once_and_never_shows_pending() {
    let mut bench = Bench::new("");
    bench.turn(0, "1");
    assert_eq!(bench.history.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [HistoryKind::Firing]);
}

#[test]
fn a_for_raised_by_a_reload_takes_a_firing_alert_back() {
    let mut bench = Bench::new("for 30s");
    for seconds in [0, 30, 60] {
        bench.turn(seconds, "1");
    }
    assert_eq!(bench.state(), "firing 30");
    bench.reload("for 2m");
    assert_eq!(bench.state(), "firing 30");
    assert!(bench.turn(90, "1").announcements.is_empty());
    assert_eq!(bench.state(), "pending 0");
    let step = bench.turn(120, "1");
    assert_eq!(bench.state(), "firing 120");
    assert_eq!(told(&step.announcements, at(120)), "f360");
    assert_eq!(bench.history.last().unwrap().episode, at(120));
}

#[test]
fn a_kept_alert_whose_for_was_raised_is_pending_and_then_gone() {
    let mut bench = Bench::new("keep_firing_for 5m");
    bench.turn(0, "1");
    bench.turn(30, "-");
    bench.reload("for 2m, keep_firing_for 5m");
    bench.turn(60, "-");
    assert_eq!(bench.state(), "pending 0");
    bench.turn(90, "-");
    assert_eq!(bench.state(), "none");
}

#[test]
fn a_failed_evaluation_changes_nothing_and_still_announces_what_fires() {
    check(
        "for 60s",
        "1 1 1 ! ! ! ! ! ! - ! 1",
        "0: pending 0
         30: pending 0
         60: firing 60 > f300
         90: firing 60
         120: firing 60
         150: firing 60 > f390
         180: firing 60
         210: firing 60
         240: firing 60 > f480
         270: resolved 270 > r270
         300: resolved 270
         330: pending 330",
    );
}

#[test]
fn a_failed_evaluation_neither_fires_nor_forgets_what_is_pending() {
    check("for 60s", "1 ! ! ! 1", "0: pending 0\n30: pending 0\n60: pending 0\n90: pending 0\n120: firing 120 > f360");
}

#[test]
fn on_error_alert_says_that_the_rule_is_blind_until_it_sees_again() {
    let mut bench = Bench::new("for 30s, keep_firing_for 5m");
    let blind = || Candidate {
        labels: LabelSet::from_pairs([("alertname", "A"), (REASON_LABEL, "error")]),
        annotations: LabelSet::empty(),
        value: f64::NAN,
    };
    let failed = || Outcome::Failed { instead: Some(blind()) };
    bench.turn(0, "1");
    bench.turn(30, "1");
    assert_eq!(bench.state(), "firing 30");
    bench.evaluate(at(60), failed());
    assert_eq!(bench.state(), "pending 60 & firing 30");
    let step = bench.evaluate(at(90), failed());
    assert_eq!(bench.state(), "firing 90 & firing 30");
    assert_eq!(told(&step.announcements, at(90)), "f330");
    let step = bench.turn(120, "1");
    assert_eq!(bench.state(), "resolved 120 & firing 30", "keep_firing_for does not keep it");
    assert_eq!(told(&step.announcements, at(120)), "r120 f360");
}

#[test]
fn two_samples_of_one_label_set_are_an_error() {
    let error = Candidates::new(vec![candidate("a", 1.0), candidate("b", 1.0), candidate("a", 2.0)]).unwrap_err();
    assert_eq!(error.to_string(), "vector contains metrics with the same labelset after applying alert labels");
}

#[test]
fn over_its_limit_a_rule_forgets_and_announces_nothing() {
    let mut bench = Bench::new("limit 1");
    bench.turn(0, "1");
    let step = bench.evaluate(at(30), samples(vec![candidate("a", 1.0), candidate("b", 1.0)]));
    assert_eq!(step.error.unwrap().to_string(), "exceeded limit of 1 with 2 alerts");
    assert_eq!(step.announcements, []);
    assert_eq!(bench.state(), "none");
    assert!(bench.tables.is_empty());
    assert_eq!(
        bench.history.last().map(|entry| (entry.kind, entry.reason)),
        Some((HistoryKind::Inactive, Some("limit")))
    );
}

#[test]
fn resolved_alerts_do_not_count_towards_the_limit() {
    let mut bench = Bench::new("limit 1");
    bench.turn(0, "1");
    let step = bench.evaluate(at(30), samples(vec![candidate("b", 1.0)]));
    assert_eq!(step.error, None);
    assert_eq!(bench.state(), "resolved 30 & firing 30");
}

#[test]
fn external_labels_are_added_where_absent_or_empty() {
    let mut bench = Bench::new("");
    bench.terms.external_labels = LabelSet::from_pairs([("cluster", "c1"), ("i", "other"), ("zone", "z")]);
    bench.core = GroupCore::new(bench.core.id().clone(), vec![bench.spec.clone()], bench.terms.clone());
    let labels = LabelSet::from_pairs([("alertname", "A"), ("i", "a"), ("zone", "")]);
    let step = bench.evaluate(at(0), samples(vec![Candidate { labels, annotations: LabelSet::empty(), value: 1.0 }]));
    let want = LabelSet::from_pairs([("alertname", "A"), ("cluster", "c1"), ("i", "a"), ("zone", "z")]);
    assert_eq!(step.announcements[0].labels, want);
    assert_eq!(bench.core.alerts(0).next().unwrap().0.get("cluster"), None, "they are not the alert's own");
}

#[test]
fn an_announcement_says_since_when_and_until_when() {
    let mut bench = Bench::new("for 30s, interval 2m");
    bench.turn(0, "1");
    let announcements = bench.turn(120, "1").announcements;
    let alert = &announcements[0];
    assert_eq!((alert.starts_at, alert.ends_at, alert.lease), (Some(at(120)), Some(at(120 + 480)), None));
    assert_eq!(&*alert.generator_url, "url");
    assert_eq!(alert.annotations, LabelSet::from_pairs([("value", "1")]));
}

#[test]
fn values_and_annotations_are_written_along_or_every_five_minutes() {
    let mut bench = Bench::new("for 1m");
    let mut writes = Vec::new();
    for turn in 0..25 {
        let step = bench.turn(turn * 30, &turn.to_string());
        if step.changes.iter().any(|change| matches!(change, Change::State { .. })) {
            writes.push(turn * 30);
        }
    }
    assert_eq!(writes, [0, 60, 360, 660]);
    let mut bench = Bench::new("");
    bench.turn(0, "1");
    assert_eq!(
        bench.turn(600, "1").changes,
        [Change::Slot { group: bench.core.id().clone(), slot: at(600) }],
        "nothing new"
    );
}

#[test]
fn the_labels_of_an_alert_are_written_once() {
    let mut bench = Bench::new("for 1m");
    let mut written = 0;
    for (turn, input) in ["1", "1", "1", "-", "1", "1", "1"].into_iter().enumerate() {
        let step = bench.turn(turn as i64 * 30, input);
        written += step.changes.iter().filter(|change| matches!(change, Change::Labels { .. })).count();
    }
    assert_eq!((bench.state().as_str(), written), ("firing 180", 1));
}

#[test]
fn a_pause_of_the_machine_does_not_count_towards_for() {
    let mut bench = Bench::new("for 2m, keep_firing_for 2m");
    bench.turn(0, "1");
    bench.turn(30, "1");
    bench.on(Event::Stepped { millis: 3_600_000 }, at(3660));
    assert_eq!(bench.state(), "pending 3600");
    bench.turn(3690, "1");
    assert_eq!(bench.state(), "pending 3600");
    bench.turn(3720, "1");
    bench.turn(3750, "-");
    assert_eq!(bench.state(), "firing 3720 quiet 3750");
    bench.on(Event::Stepped { millis: 600_000 }, at(4380));
    assert_eq!(bench.state(), "firing 3720 quiet 4350");
    assert_eq!(
        bench.tables.states().into_values().next(),
        bench.core.alerts(0).next().map(|(_, i)| i.state),
        "it is committed"
    );
}

#[test]
fn a_clock_set_back_resolves_nothing_and_is_told_in_time() {
    let mut bench = Bench::new("for 1m, keep_firing_for 1m");
    for seconds in [7200, 7230, 7260] {
        bench.turn(seconds, "1");
    }
    assert_eq!(bench.state(), "firing 7260");
    bench.on(Event::Stepped { millis: -3_600_000 }, at(3680));
    let mut told_at = Vec::new();
    for seconds in (3690..3900).step_by(30) {
        if !bench.turn(seconds, "1").announcements.is_empty() {
            told_at.push(seconds);
        }
        assert_eq!(bench.state(), "firing 7260");
    }
    assert_eq!(told_at, [3750, 3840]);
    bench.turn(3900, "-");
    bench.turn(3930, "-");
    assert_eq!(bench.state(), "firing 7260 quiet 3900");
    let step = bench.turn(3960, "-");
    assert_eq!(bench.state(), "resolved 3960");
    assert_eq!(step.announcements[0].starts_at, Some(at(3960)), "it cannot have started after its end");
}

#[test]
fn what_was_pending_in_a_future_that_was_taken_back_waits_from_now() {
    let mut bench = Bench::new("for 1m");
    bench.turn(7200, "1");
    bench.on(Event::Stepped { millis: -3_600_000 }, at(3620));
    bench.turn(3630, "1");
    assert_eq!(bench.state(), "pending 3630");
    bench.turn(3690, "1");
    assert_eq!(bench.state(), "firing 3690");
}

#[test]
fn a_resolve_in_the_future_of_a_clock_set_back_is_told_as_over() {
    let mut bench = Bench::new("");
    bench.turn(7200, "1");
    bench.turn(7230, "-");
    bench.on(Event::Stepped { millis: -3_600_000 }, at(3640));
    let interval = bench.interval;
    let step = bench.core.on(Event::Started { interval }, at(3650));
    assert_eq!(told(&step.announcements, at(3650)), "r3650");
}

#[test]
fn a_reload_keeps_the_alerts_of_rules_that_stay_and_forgets_the_others() {
    let group = RuleGroupId::new("f", "g");
    let spec = |name: &str, ordinal| RuleSpec {
        id: RuleId::new("f", "g", name, &LabelSet::empty(), ordinal),
        hold_for: Duration::ZERO,
        keep_firing_for: Duration::ZERO,
        limit: 0,
        generator_url: "".into(),
    };
    let terms = Bench::new("").terms;
    let mut old = GroupCore::new(group.clone(), vec![spec("A", 0), spec("A", 1), spec("B", 0)], terms.clone());
    for (rule, name) in [(0, "first"), (1, "second"), (2, "other")] {
        let outcome = samples(vec![candidate(name, 1.0)]);
        old.on(Event::Evaluated { rule, slot: at(0), interval: Duration::from_secs(30), outcome }, at(0));
    }
    let mut new = GroupCore::new(group.clone(), vec![spec("C", 0), spec("A", 0), spec("A", 1)], terms);
    let step = new.adopt(old, at(10));
    let names =
        |core: &GroupCore, rule| core.alerts(rule).map(|(labels, _)| labels.value("i").to_owned()).collect::<Vec<_>>();
    assert_eq!(
        [names(&new, 0), names(&new, 1), names(&new, 2)],
        [vec![], vec!["first".to_owned()], vec!["second".to_owned()]]
    );
    assert_eq!(step.announcements, []);
    assert!(matches!(&step.changes[..], [Change::Removed { .. }]));
    assert_eq!(
        step.history.iter().map(|entry| (entry.kind, entry.reason)).collect::<Vec<_>>(),
        [(HistoryKind::Inactive, Some("rule removed"))]
    );
    assert_eq!(new.last_slot(), Some(at(0)));
    let step = new.remove(at(20));
    assert_eq!(step.changes.last(), Some(&Change::GroupRemoved { group }));
    assert_eq!((step.changes.len(), step.announcements.len()), (3, 0));
}
