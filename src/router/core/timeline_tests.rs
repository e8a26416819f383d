//! The worked timelines of contract alertmanager §4.4, but where semantics §1 wins.

use std::time::Duration;

use super::harness::{Answer, World, at, secs};

fn yaml(settings: &str) -> String {
    format!("route: {{receiver: r, {settings}}}\nreceivers: [{{name: r}}]\n")
}

/// What was told, as `second: firing alerts !resolved alerts (reason)`.
fn told(world: &World) -> Vec<String> {
    let told = world.told.iter().map(|told| {
        let resolved: Vec<String> = told.resolved.iter().map(|name| format!("!{name}")).collect();
        let all: Vec<String> = told.firing.iter().cloned().chain(resolved).collect();
        format!("{}: {} ({})", secs(told.at), all.join(" "), told.reason)
    });
    told.collect()
}

/// An input: when it is posted, name, start and end.
type Input<'a> = (f64, &'a str, Option<f64>, Option<f64>);

fn check(settings: &str, inputs: &[Input<'_>], until: f64, want: &[&str]) {
    let mut world = World::new(&yaml(settings));
    for (when, name, start, end) in inputs {
        world.run_until(at(*when));
        world.post(name, *start, *end);
    }
    world.run_until(at(until));
    assert_eq!(told(&world), want, "{settings}");
}

#[test]
fn a_firing_alert_repeats_and_then_resolves() {
    check(
        "group_wait: 1s, group_interval: 1s, repeat_interval: 1ms",
        &[(1.0, "A", Some(1.0), None), (3.5, "A", Some(1.0), Some(3.0))],
        10.0,
        &["2: A (first notification)", "3: A (repeat interval elapsed)", "4: !A (all alerts resolved)"],
    );
}

#[test]
fn one_group_gathers_what_comes_and_repeats_all_of_it() {
    let three = [(3.3, "C", Some(3.3), None), (3.3, "D", Some(3.3), None), (3.3, "E", Some(3.3), None)];
    let inputs = [&[(1.1, "A", Some(1.1), None), (1.7, "B", Some(1.7), None)][..], &three[..]].concat();
    check(
        "group_wait: 1s, group_interval: 1s, repeat_interval: 4900ms",
        &inputs,
        9.5,
        &[
            "2.1: A B (first notification)",
            "4.1: A B C D E (new alerts added)",
            "9.1: A B C D E (repeat interval elapsed)",
        ],
    );
}

#[test]
fn an_alert_without_an_end_resolves_when_its_lease_ends() {
    let mut world = World::new(
        "global: {resolve_timeout: 10s}\nroute: {receiver: r, group_wait: 1s, group_interval: 5s}\nreceivers: [{name: r}]\n",
    );
    world.run_until(at(1.0));
    world.post("A", None, None);
    world.run_until(at(20.0));
    assert_eq!(told(&world), ["2: A (first notification)", "12: !A (all alerts resolved)"]);
}

#[test]
fn an_old_alert_does_not_wait_and_those_of_its_request_go_with_it() {
    let mut world = World::new(&yaml("group_wait: 3s, group_interval: 5s"));
    world.post_all(&[("A", Some(-10.0), None), ("B", Some(-10.0), None)]);
    world.run_until(at(1.0));
    world.post("C", Some(-10.0), None);
    world.run_until(at(6.0));
    assert_eq!(told(&world), ["0: A B (first notification)", "5: A B C (new alerts added)"]);
}

#[test]
fn a_later_alert_never_moves_the_timer() {
    let inputs = [(0.0, "A", Some(0.0), None), (1.0, "B", Some(-10.0), None)];
    check("group_wait: 3s, group_interval: 5s", &inputs, 4.0, &["3: A B (first notification)"]);
}

#[test]
fn what_resolves_before_the_first_flush_goes_along_but_causes_nothing() {
    let settings = "group_wait: 3s, group_interval: 5s";
    let both = [(0.0, "A", Some(0.0), None), (0.0, "B", Some(0.0), None), (1.0, "A", Some(0.0), Some(1.0))];
    check(settings, &both, 4.0, &["3: B !A (first notification)"]);
    check(settings, &[(0.0, "A", Some(0.0), None), (1.0, "A", Some(0.0), Some(1.0))], 20.0, &[]);
    check(settings, &[(0.0, "A", Some(0.0), Some(0.0))], 20.0, &[]);
    let late = [(0.0, "A", Some(0.0), None), (4.0, "B", Some(4.0), None), (5.0, "B", Some(4.0), Some(5.0))];
    check(settings, &late, 9.0, &["3: A (first notification)", "8: A !B (some alerts resolved)"]);
}

#[test]
fn a_way_that_takes_no_resolved_is_told_the_next_firing_as_the_first() {
    let mut world =
        World::new("route: {receiver: quiet, group_wait: 1s, group_interval: 1s}\nreceivers: [{name: quiet}]\n");
    world.post("A", Some(0.0), None);
    world.run_until(at(3.0));
    world.post("A", Some(0.0), Some(3.0));
    world.run_until(at(6.0));
    world.post("A", Some(6.0), None);
    world.run_until(at(10.0));
    assert_eq!(told(&world), ["1: A (first notification)", "7: A (first notification)"]);
}

#[test]
fn what_resolves_under_a_silence_is_told_as_resolved_and_its_next_firing_is_told() {
    let mut world = World::new(&yaml("group_wait: 0s, group_interval: 1s"));
    world.post("A", Some(0.0), None);
    world.run_until(at(2.0));
    world.silences.0.lock().unwrap().insert("A".to_owned());
    world.run_until(at(3.5));
    world.post("A", Some(0.0), Some(3.5));
    world.run_until(at(6.5));
    world.silences.0.lock().unwrap().clear();
    world.run_until(at(8.0));
    world.post("A", Some(8.0), None);
    world.run_until(at(12.0));
    assert_eq!(told(&world), ["0: A (first notification)", "4: !A (all alerts resolved)", "8: A (first notification)"]);
}

#[test]
fn at_the_end_of_a_silence_what_was_told_before_it_is_not_told_again() {
    let mut world = World::new(&yaml("group_wait: 0s, group_interval: 1s"));
    world.post("A", Some(0.0), None);
    world.run_until(at(2.0));
    world.silences.0.lock().unwrap().insert("A".to_owned());
    world.run_until(at(5.0));
    world.silences.0.lock().unwrap().clear();
    world.run_until(at(9.0));
    assert_eq!(told(&world), ["0: A (first notification)"]);
}

#[test]
fn repeats_keep_the_rhythm_of_the_group() {
    check(
        "group_wait: 0s, group_interval: 1s, repeat_interval: 2s",
        &[(0.0, "A", Some(0.0), None)],
        9.5,
        &[
            "0: A (first notification)",
            "3: A (repeat interval elapsed)",
            "6: A (repeat interval elapsed)",
            "9: A (repeat interval elapsed)",
        ],
    );
}

#[test]
fn a_target_that_fails_hears_once_it_is_back_and_once_only() {
    let mut world = World::new(&yaml("group_wait: 0s, group_interval: 4s"));
    world.answers.insert("r/webhook/0".to_owned(), Answer::Fail);
    world.post("A", Some(0.0), None);
    world.run_until(at(3600.0));
    assert_eq!(told(&world), Vec::<String>::new());
    world.post("A", Some(0.0), None);
    world.answers.clear();
    world.run_until(at(3700.0));
    assert_eq!(world.told.len(), 1);
    assert_eq!(world.told[0].firing, ["A"]);
}

#[test]
fn a_restart_keeps_timers_and_tells_nothing_twice() {
    let mut world = World::new(&yaml("group_wait: 1s, group_interval: 6s"));
    world.post("A", Some(0.0), None);
    world.run_until(at(2.0));
    world.crash(Duration::from_secs(1));
    world.turn([super::Event::RulesReady]);
    world.run_until(at(4.0));
    world.post("B", Some(4.0), None);
    world.run_until(at(8.0));
    assert_eq!(told(&world), ["1: A (first notification)", "7: A B (new alerts added)"]);
}

#[test]
fn an_attempt_cut_off_by_a_crash_is_repeated_under_its_own_key() {
    let mut world = World::new(&yaml("group_wait: 0s, group_interval: 6s"));
    world.latency = Duration::from_secs(1);
    world.post("A", Some(0.0), None);
    let order = &world.under_way[0].1;
    let key = order.notification.idempotency_key.to_string();
    world.crash(Duration::ZERO);
    world.run_until(at(3.0));
    assert_eq!(world.told.iter().map(|told| told.key.as_str()).collect::<Vec<_>>(), [key]);
}

#[test]
fn a_reload_forms_groups_anew_and_the_log_prevents_repeats() {
    let settings = yaml("group_wait: 1s, group_interval: 6s");
    let mut world = World::new(&settings);
    world.run_until(at(1.0));
    world.post("A", Some(1.0), None);
    world.run_until(at(3.0));
    world.reload(&settings);
    world.run_until(at(4.0));
    world.post("B", Some(4.0), None);
    world.run_until(at(12.0));
    assert_eq!(told(&world), ["2: A (first notification)", "9: A B (new alerts added)"]);
}

#[test]
fn an_alert_whose_route_is_gone_is_still_ended_where_it_was_told() {
    let before = "route:\n  receiver: r\n  group_wait: 0s\n  group_interval: 1s\n  routes: [{receiver: s, matchers: ['team=A']}]\nreceivers: [{name: r}, {name: s}]\n";
    let after = "route: {receiver: r, group_wait: 0s, group_interval: 1s}\nreceivers: [{name: r}, {name: s}]\n";
    let mut world = World::new(before);
    world.post("A", Some(0.0), None);
    world.run_until(at(2.0));
    world.reload(after);
    world.run_until(at(4.0));
    world.post("A", Some(0.0), Some(4.0));
    world.run_until(at(9.0));
    let heard: Vec<String> =
        world.told.iter().map(|told| format!("{} {} {:?}", secs(told.at), told.way, told.resolved)).collect();
    assert_eq!(heard, ["0 s/webhook/0 []", "2 r/webhook/0 []", "5 r/webhook/0 [\"A\"]", "5 s/webhook/0 [\"A\"]"]);
}

#[test]
fn a_stepped_clock_resolves_nothing_and_keeps_the_rhythm() {
    let mut world = World::new(&yaml("group_wait: 0s, group_interval: 60s"));
    world.post("A", Some(0.0), Some(200.0));
    world.run_until(at(10.0));
    world.now = world.now + Duration::from_secs(3600);
    world.turn([super::Event::ClockStep(3_600_000)]);
    world.run_until(at(3700.0));
    assert_eq!(told(&world), ["0: A (first notification)"]);
    world.run_until(at(3900.0));
    assert_eq!(told(&world).last().unwrap(), "3840: !A (all alerts resolved)");
}
