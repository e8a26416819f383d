//! SIGKILL at random moments: nothing is lost, and what is repeated carries the same key.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::catcher::Catcher;
use crate::daemon::{Daemon, PATIENCE, alert_body, belfry_yml, eventually, rfc3339};

const ALERTS: usize = 12;

/// An alert as its sender sees it: since when it fires, if it does, and how often it has fired.
#[derive(Clone, Default)]
struct Sent {
    since: Option<String>,
    ended: Option<(String, String)>,
}

/// Posts what is believed, as a sender that repeats itself does; whether all of it was acknowledged.
fn announce(daemon: &Daemon, sent: &[Sent]) -> bool {
    sent.iter().enumerate().all(|(index, sent)| {
        let name = format!("A{index}");
        let body = match (&sent.since, &sent.ended) {
            (Some(since), _) => alert_body(&name, since, None),
            (None, Some((since, until))) => alert_body(&name, since, Some(until)),
            (None, None) => return true,
        };
        daemon.try_post("/api/v2/alerts", &body) == Some(200)
    })
}

#[test]
fn kills_lose_nothing_and_repeat_only_under_the_same_key() {
    let kills: usize = std::env::var("BELFRY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let seed: u64 = std::env::var("BELFRY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed);
    println!("seed {seed}, {kills} kills (BELFRY_SEED, BELFRY_KILLS)");
    let mut random = StdRng::seed_from_u64(seed);
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let mut daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let mut sent = vec![Sent::default(); ALERTS];
    for _ in 0..kills {
        let until = Instant::now() + Duration::from_millis(random.random_range(50..1500));
        while Instant::now() < until {
            let index = random.random_range(0..ALERTS);
            sent[index] = match sent[index].since.take() {
                None => Sent { since: Some(rfc3339(0)), ended: None },
                Some(since) => Sent { since: None, ended: Some((since, rfc3339(0))) },
            };
            // A sender that is not answered tries again, here with the next round.
            announce(&daemon, &sent);
        }
        daemon.kill();
        daemon = Daemon::run(dir.path());
        announce(&daemon, &sent);
    }
    eventually("everything acknowledged", || announce(&daemon, &sent).then_some(()));
    let firing: HashSet<String> = sent
        .iter()
        .enumerate()
        .filter(|(_, sent)| sent.since.is_some())
        .map(|(index, _)| format!("A{index}"))
        .collect();
    let believed = eventually_equal(&catcher, &daemon, &sent, &firing);
    assert_eq!(believed, firing);

    let mut bodies: HashMap<String, String> = HashMap::new();
    for caught in catcher.caught() {
        let body = caught.body["alerts"].to_string();
        let known = bodies.entry(caught.key.clone()).or_insert_with(|| body.clone());
        assert_eq!(*known, body, "one key, two notifications");
    }
    assert!(daemon.stop().success());
}

/// What the receiver believes, once it is what is true; or what it believes when patience is over.
fn eventually_equal(catcher: &Catcher, daemon: &Daemon, sent: &[Sent], truth: &HashSet<String>) -> HashSet<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        announce(daemon, sent);
        let mut believed = HashSet::new();
        for caught in catcher.caught() {
            believed.extend(caught.names("firing"));
            for name in caught.names("resolved") {
                believed.remove(&name);
            }
        }
        if believed == *truth || Instant::now() > deadline {
            return believed;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
