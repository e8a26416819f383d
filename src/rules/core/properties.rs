//! Properties over random evaluations and restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::bench::{Bench, at, candidate, samples};
use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// One evaluation: which alerts it gives, or `None` for a failure.
type Input = Option<[bool; 3]>;

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let given = prop::collection::vec(prop::bool::weighted(0.6), 3).prop_map(|given| [given[0], given[1], given[2]]);
    prop::collection::vec(prop_oneof![6 => given.prop_map(Some), 1 => Just(None)], 1..60)
}

fn rules() -> impl Strategy<Value = String> {
    (0u32..5, 0u32..5).prop_map(|(hold, keep)| format!("for {}s, keep_firing_for {}s", hold * 45, keep * 45))
}

fn outcome(input: Input) -> Outcome {
    match input {
        None => Outcome::Failed { instead: None },
        Some(given) => {
            samples(NAMES.iter().zip(given).filter(|(_, given)| *given).map(|(name, _)| candidate(name, 1.0)).collect())
        }
    }
}

fn states(bench: &Bench) -> BTreeMap<String, AlertState> {
    bench.core.alerts(0).map(|(labels, instance)| (labels.to_string(), instance.state)).collect()
}

/// Of those that are active: whether they fire.
fn active(bench: &Bench) -> BTreeMap<String, bool> {
    states(bench)
        .into_iter()
        .filter(|(_, state)| state.is_active())
        .map(|(name, state)| (name, state.is_firing()))
        .collect()
}

proptest! {
    #[test]
    fn a_restart_at_any_point_equals_no_restart(rule in rules(), inputs in inputs(), restarts in prop::collection::vec(any::<bool>(), 60)) {
        let (mut steady, mut restarted) = (Bench::new(&rule), Bench::new(&rule));
        for (index, input) in inputs.into_iter().enumerate() {
            let seconds = index as i64 * 30;
            if restarts[index] {
                restarted.restart(at(seconds - 10));
            }
            steady.evaluate(at(seconds), outcome(input));
            restarted.evaluate(at(seconds), outcome(input));
            prop_assert_eq!(states(&steady), states(&restarted));
            prop_assert_eq!(steady.tables.states(), restarted.tables.states());
        }
        prop_assert_eq!(steady.history, restarted.history);
    }

    #[test]
    fn being_down_only_moves_what_waits(rule in rules(), inputs in inputs(), downs in prop::collection::vec(prop_oneof![4 => Just(0i64), 1 => 1i64..100], 60)) {
        let (mut steady, mut interrupted) = (Bench::new(&rule), Bench::new(&rule));
        let mut moved = 0;
        for (index, input) in inputs.into_iter().enumerate() {
            if downs[index] > 0 {
                moved += downs[index] * 30;
                interrupted.restart(at(index as i64 * 30 + moved - 10));
            }
            steady.evaluate(at(index as i64 * 30), outcome(input));
            interrupted.evaluate(at(index as i64 * 30 + moved), outcome(input));
            prop_assert_eq!(active(&steady), active(&interrupted));
        }
    }

    #[test]
    fn what_is_stored_is_what_is_held(rule in rules(), inputs in inputs(), steps in prop::collection::vec(prop_oneof![4 => Just(0i64), 1 => -7200i64..7200], 60)) {
        let mut bench = Bench::new(&rule);
        let mut now = 100_000;
        for (index, input) in inputs.into_iter().enumerate() {
            if steps[index] != 0 {
                now += steps[index];
                bench.on(Event::Stepped { millis: steps[index] * 1000 }, at(now));
            }
            now += 30;
            bench.evaluate(at(now), outcome(input));
            prop_assert_eq!(bench.tables.states(), states(&bench));
        }
    }

    #[test]
    fn only_a_good_evaluation_without_it_resolves_an_alert(rule in rules(), inputs in inputs(), steps in prop::collection::vec(prop_oneof![3 => Just(0i64), 1 => -7200i64..7200], 60)) {
        let mut bench = Bench::new(&rule);
        let mut now = 100_000;
        for (index, input) in inputs.into_iter().enumerate() {
            let before = active(&bench);
            bench.on(Event::Stepped { millis: steps[index] * 1000 }, at(now + steps[index]));
            now += steps[index] + 30;
            prop_assert_eq!(&active(&bench), &before);
            bench.evaluate(at(now), outcome(input));
            let after = active(&bench);
            for (name, fires) in before {
                let absent = input.is_some_and(|given| !NAMES.iter().zip(given).any(|(n, given)| given && candidate(n, 1.0).labels.to_string() == name));
                prop_assert!(absent || after.contains_key(&name), "{name} went");
                prop_assert!(absent || !fires || after[&name], "{name} stopped firing");
            }
        }
    }

    #[test]
    fn a_firing_alert_is_told_before_its_lease_ends(rule in rules(), inputs in inputs()) {
        let mut bench = Bench::new(&rule);
        let mut leases: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (index, input) in inputs.into_iter().enumerate() {
            let now = at(index as i64 * 30);
            let announcements = bench.evaluate(now, outcome(input)).announcements;
            for alert in announcements {
                leases.insert(alert.labels.to_string(), alert.ends_at.unwrap());
            }
            for (name, state) in states(&bench) {
                match state {
                    AlertState::Pending { .. } => {}
                    AlertState::Firing { .. } => prop_assert!(leases[&name] > now + Duration::from_secs(60)),
                    AlertState::Resolved { resolved_at, .. } => prop_assert_eq!(leases[&name], resolved_at),
                }
            }
        }
    }
}
