//! Random schedules of events, failures, crashes and reloads against the module's invariants and semantics §1's "what must
//! hold".

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::Event;
use super::harness::{Answer, World, secs};
use crate::db::HistoryKind;
use crate::model::Timestamp;

const NAMES: [&str; 4] = ["A1", "A2", "B1", "B2"];
const WAYS: [&str; 2] = ["loud/webhook/0", "quiet/webhook/0"];

const BOTH: &str = "
route:
  receiver: loud
  group_by: [team]
  group_wait: 5s
  group_interval: 20s
  repeat_interval: 1000s
  routes:
    - {receiver: quiet, matchers: ['team=B'], continue: true}
    - {receiver: loud}
receivers: [{name: loud}, {name: quiet}]
";
const WITHOUT_QUIET: &str = "
route: {receiver: loud, group_by: [team], group_wait: 5s, group_interval: 20s, repeat_interval: 1000s}
receivers: [{name: loud}]
";

#[derive(Debug, Clone)]
enum Act {
    Pass(u16),
    Fire(usize),
    End(usize),
    Silence(usize),
    Unsilence(usize),
    Answer(usize, Answer),
    Latency(u8),
    Crash(u8),
    Reload(bool),
    Step(i16),
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Take),
        1 => Just(Answer::Fail),
        1 => Just(Answer::Reject),
        1 => Just(Answer::HearAndLose),
        1 => Just(Answer::Lose),
    ]
}

fn acts(faults: bool) -> impl Strategy<Value = Vec<Act>> {
    let alert = 0..NAMES.len();
    let fault = u32::from(faults);
    let act = prop_oneof![
        6 => (1u16..60).prop_map(Act::Pass),
        5 => alert.clone().prop_map(Act::Fire),
        4 => alert.clone().prop_map(Act::End),
        fault => alert.clone().prop_map(Act::Silence),
        2 * fault => alert.prop_map(Act::Unsilence),
        2 => (0..WAYS.len(), answers()).prop_map(|(way, answer)| Act::Answer(way, answer)),
        1 => (0u8..30).prop_map(Act::Latency),
        1 => (0u8..60).prop_map(Act::Crash),
        fault => any::<bool>().prop_map(Act::Reload),
        fault => (-600i16..600).prop_map(Act::Step),
    ];
    prop::collection::vec(act, 1..60)
}

/// What the senders believe: which alerts fire, and since when.
#[derive(Default)]
struct Truth {
    firing: HashMap<usize, f64>,
}

fn perform(world: &mut World, truth: &mut Truth, act: &Act) {
    match act {
        Act::Pass(seconds) => {
            // Senders repeat what fires, so that no lease ends by itself.
            for _ in 0..*seconds {
                world.run_until(world.now + Duration::from_secs(1));
                heartbeat(world, truth);
            }
        }
        Act::Fire(alert) => {
            let now = secs(world.now);
            truth.firing.entry(*alert).or_insert(now);
            heartbeat(world, truth);
        }
        Act::End(alert) => {
            if let Some(start) = truth.firing.remove(alert) {
                let now = secs(world.now);
                // Time that a step took back must not end it before it began.
                world.post(NAMES[*alert], Some(start.min(now)), Some(now));
            }
        }
        Act::Silence(alert) => {
            world.silences.0.lock().unwrap().insert(NAMES[*alert].to_owned());
        }
        Act::Unsilence(alert) => {
            world.silences.0.lock().unwrap().remove(NAMES[*alert]);
        }
        Act::Answer(way, answer) => {
            world.answers.insert(WAYS[*way].to_owned(), *answer);
        }
        Act::Latency(seconds) => world.latency = Duration::from_secs(u64::from(*seconds)),
        Act::Crash(down) => {
            // What was under way may have been heard before the process died.
            let cut_off: Vec<_> = world.under_way.drain(..).collect();
            for (_, order) in cut_off.iter().filter(|(_, order)| order.seq % 2 == 0) {
                world.hear(order);
            }
            world.crash(Duration::from_secs(u64::from(*down)));
            world.turn([Event::RulesReady]);
            heartbeat(world, truth);
        }
        Act::Reload(both) => {
            let yaml = if *both { BOTH } else { WITHOUT_QUIET };
            world.reload(yaml);
        }
        Act::Step(seconds) => {
            let millis = i64::from(*seconds) * 1000;
            world.now = world.now.plus_millis(millis);
            for (at, _) in &mut world.under_way {
                *at = at.plus_millis(millis);
            }
            for start in truth.firing.values_mut() {
                *start = start.min(secs(world.now));
            }
            world.turn([Event::ClockStep(millis)]);
        }
    }
}

fn heartbeat(world: &mut World, truth: &Truth) {
    let alerts: Vec<(&str, Option<f64>, Option<f64>)> =
        truth.firing.iter().map(|(alert, start)| (NAMES[*alert], Some(*start), None)).collect();
    if !alerts.is_empty() {
        world.post_all(&alerts);
    }
}

/// A key stands for one content.
fn keys_are_honest(world: &World) {
    let mut contents: HashMap<&str, &str> = HashMap::new();
    for told in &world.told {
        let known = contents.entry(&told.key).or_insert(&told.content);
        assert_eq!(*known, told.content, "one key, two notifications");
    }
}

/// What a way believes to fire from what it heard, in any group, keys once.
fn believed(world: &World, way: &str) -> HashSet<String> {
    let mut firing: HashSet<(String, String)> = HashSet::new();
    let mut seen = HashSet::new();
    for told in world.told.iter().filter(|told| told.way == way) {
        if seen.insert(told.key.clone()) {
            firing.extend(told.firing.iter().map(|name| (told.group.clone(), name.clone())));
            for name in &told.resolved {
                firing.remove(&(told.group.clone(), name.clone()));
            }
        }
    }
    firing.into_iter().map(|(_, name)| name).collect()
}

fn calm(world: &mut World, truth: &mut Truth) {
    world.answers.clear();
    world.latency = Duration::ZERO;
    world.silences.0.lock().unwrap().clear();
    world.reload(BOTH);
    // Longer than the longest backoff and several intervals.
    perform(world, truth, &Act::Pass(300));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// After any schedule and then quiet, every way that takes resolved believes what is true, and every way knows of every
    /// alert that fires.
    #[test]
    fn once_it_is_quiet_every_way_knows_what_is_true(acts in acts(true)) {
        let mut world = World::new(BOTH);
        let mut truth = Truth::default();
        for act in &acts {
            perform(&mut world, &mut truth, act);
        }
        calm(&mut world, &mut truth);
        keys_are_honest(&world);
        let firing: HashSet<String> = truth.firing.keys().map(|alert| NAMES[*alert].to_owned()).collect();
        let loud = believed(&world, "loud/webhook/0");
        prop_assert!(loud.is_superset(&firing), "loud knows of {:?}, and {:?} fires", loud, firing);
        // A resolve that was rejected three times is taken as told.
        let gave_up = world.history.iter().any(|entry| entry.kind == HistoryKind::GaveUp);
        prop_assert!(gave_up || loud == firing, "loud still believes {:?}, and {:?} fires", loud, firing);
        let quiet = believed(&world, "quiet/webhook/0");
        for name in firing.iter().filter(|name| name.starts_with('B')) {
            prop_assert!(quiet.contains(name), "quiet was never told of {}", name);
        }
        prop_assert_eq!(world.core.census().rows, 0, "nothing is left undelivered");
    }

    /// Without rejections, silences, steps and reloads, nothing is told twice but what a lost answer or a crash repeats,
    /// which carries the same key.
    #[test]
    fn what_is_repeated_carries_the_same_key(acts in acts(false)) {
        let mut world = World::new(BOTH);
        let mut truth = Truth::default();
        for act in acts.iter().filter(|act| !matches!(act, Act::Answer(_, Answer::Reject))) {
            perform(&mut world, &mut truth, act);
        }
        calm(&mut world, &mut truth);
        keys_are_honest(&world);
        // A way that takes no resolved is told an alert again when it fires again.
        for way in &WAYS[..1] {
            let mut known: Option<(Vec<String>, Vec<String>, Timestamp)> = None;
            let mut seen = HashSet::new();
            for told in world.told.iter().filter(|told| told.way == *way) {
                if !seen.insert(told.key.clone()) {
                    continue;
                }
                let now = (told.firing.clone(), told.resolved.clone(), told.at);
                if let Some(known) = &known {
                    let same = known.0 == now.0 && known.1 == now.1 && !now.0.is_empty();
                    let repeats = told.reason == "repeat interval elapsed";
                    let team = |names: &[String]| names.first().map(|name| name[..1].to_owned());
                    prop_assert!(
                        !same || repeats || team(&known.0) != team(&now.0) || told.reason == "first notification",
                        "told twice under two keys: {:?}", told
                    );
                }
                known = Some(now);
            }
        }
    }
}
