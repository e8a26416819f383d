//! Restarts: each known defect of Prometheus' restoration has a test that Belfry does not have it.

use super::bench::{Bench, at, candidate, samples, told};
use super::*;

#[test]
fn a_firing_alert_with_a_short_for_still_fires_after_a_restart() {
    let mut bench = Bench::new("for 2m");
    for seconds in [0, 30, 60, 90, 120] {
        bench.turn(seconds, "1");
    }
    bench.restart(at(140));
    assert_eq!(bench.state(), "firing 120");
    bench.turn(150, "1");
    assert_eq!(bench.state(), "firing 120");
}

#[test]
fn a_pending_alert_with_a_short_for_goes_on_waiting_after_a_restart() {
    let mut bench = Bench::new("for 2m");
    bench.turn(0, "1");
    bench.turn(30, "1");
    bench.restart(at(50));
    for seconds in [60, 90] {
        bench.turn(seconds, "1");
        assert_eq!(bench.state(), "pending 0");
    }
    bench.turn(120, "1");
    assert_eq!(bench.state(), "firing 120");
}

#[test]
fn keep_firing_for_goes_on_after_a_restart() {
    let mut bench = Bench::new("keep_firing_for 2m");
    bench.turn(0, "1");
    bench.turn(30, "-");
    bench.restart(at(50));
    for seconds in [60, 90, 120] {
        bench.turn(seconds, "-");
        assert_eq!(bench.state(), "firing 0 quiet 30");
    }
    bench.turn(150, "-");
    assert_eq!(bench.state(), "resolved 150");
}

#[test]
fn the_start_of_an_alert_is_the_same_after_a_restart() {
    let mut bench = Bench::new("for 30s");
    bench.turn(0, "1");
    bench.turn(30, "1");
    let announcements = bench.restart(at(40));
    assert_eq!(announcements[0].starts_at, Some(at(30)));
    bench.restart(at(5000));
    let announcements = bench.turn(5100, "1").announcements;
    assert_eq!(announcements[0].starts_at, Some(at(30)));
}

#[test]
fn a_resolve_that_was_not_delivered_before_a_restart_is_told_after_it() {
    let mut bench = Bench::new("");
    bench.turn(0, "1");
    bench.turn(30, "-");
    let announcements = bench.restart(at(50));
    assert_eq!(told(&announcements, at(50)), "r30");
    assert_eq!(announcements[0].starts_at, Some(at(0)));
}

#[test]
fn what_fires_is_told_at_the_start_before_the_first_evaluation() {
    let mut bench = Bench::new("resend_delay 10s");
    bench.turn(0, "1");
    assert_eq!(told(&bench.restart(at(100)), at(100)), "f220");
    assert_eq!(told(&bench.restart(at(110)), at(110)), "f230", "and at every start");
}

#[test]
fn a_group_that_a_reload_adds_takes_up_what_is_stored_of_it() {
    let mut bench = Bench::new("for 2m");
    for seconds in [0, 30] {
        bench.turn(seconds, "1");
    }
    // The file was missing at the start, and is there again at a reload 10 minutes later.
    bench.restart(at(630));
    bench.turn(660, "1");
    assert_eq!(bench.state(), "pending 600", "of which it had held 60 s, none of them while it was away");
    bench.turn(720, "1");
    assert_eq!(bench.state(), "firing 720");
}

#[test]
fn time_of_being_down_counts_neither_towards_for_nor_towards_keep_firing_for() {
    let mut bench = Bench::new("for 1m, keep_firing_for 2m");
    let both = |a: bool, b: bool| {
        let mut given = Vec::new();
        given.extend(a.then(|| candidate("a", 1.0)));
        given.extend(b.then(|| candidate("b", 1.0)));
        samples(given)
    };
    bench.evaluate(at(0), both(true, false));
    bench.evaluate(at(30), both(true, false));
    bench.evaluate(at(60), both(true, false));
    bench.evaluate(at(90), both(false, true));
    assert_eq!(bench.state(), "firing 60 quiet 90 & pending 90");
    bench.restart(at(3600));
    // Due was 120; the first evaluation is at 3630.
    let step = bench.evaluate(at(3630), both(false, true));
    assert_eq!(bench.state(), "firing 60 quiet 3600 & pending 3600");
    assert!(step.changes.len() >= 3, "the move is committed with the slot");
    bench.restart(at(3640));
    bench.evaluate(at(3660), both(false, true));
    assert_eq!(bench.state(), "firing 60 quiet 3600 & firing 3660");
}

#[test]
fn a_firing_alert_is_untouched_by_being_down() {
    let mut bench = Bench::new("for 1m");
    for seconds in [0, 30, 60] {
        bench.turn(seconds, "1");
    }
    bench.restart(at(86_400));
    bench.turn(86_430, "1");
    assert_eq!(bench.state(), "firing 60");
}

#[test]
fn what_belongs_to_no_rule_any_more_is_given_back() {
    let mut bench = Bench::new("");
    bench.turn(0, "1");
    let mut other = GroupCore::new(bench.core.id().clone(), Vec::new(), bench.terms.clone());
    let left = other.restore(bench.tables.restored(bench.interval));
    assert_eq!(left.values().map(Vec::len).sum::<usize>(), 1);
}
