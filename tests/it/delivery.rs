//! A signal becomes a notification, and comes back as resolved.

use crate::catcher::Catcher;
use crate::daemon::{Daemon, belfry_yml, eventually, rfc3339};

#[test]
fn a_posted_alert_is_told_as_firing_and_then_as_resolved() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let start = rfc3339(-60);
    assert_eq!(daemon.alert("Down", &start, None), (200, String::new()));
    let firing = eventually("a firing notification", || catcher.caught().into_iter().next());
    assert_eq!((firing.path.as_str(), firing.names("firing")), ("/webhook", vec!["Down".to_owned()]));
    assert_eq!(firing.body["groupKey"], "{}:{alertname=\"Down\"}");
    assert_eq!(firing.body["notification_reason"], "first notification");
    assert!(!firing.key.is_empty());

    daemon.alert("Down", &start, Some(&rfc3339(0)));
    let resolved = eventually("a resolved notification", || catcher.caught().into_iter().nth(1));
    assert_eq!(resolved.names("resolved"), ["Down"]);
    assert_ne!(resolved.key, firing.key);

    let kinds: Vec<String> = eventually("the history of a delivery", || {
        let history = daemon.json("/api/v1/history");
        let kinds: Vec<String> =
            history["data"].as_array()?.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect();
        (kinds.iter().filter(|kind| *kind == "delivered").count() == 2).then_some(kinds)
    });
    for kind in ["start", "received", "decided", "delivered"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind} is missing in {kinds:?}");
    }
    assert!(daemon.stop().success());
}

#[test]
fn a_receiver_that_fails_hears_everything_once_it_is_back() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    catcher.answer(500);
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let start = rfc3339(-60);
    for name in ["A", "B", "C"] {
        daemon.alert(name, &start, None);
    }
    eventually("three rows in the outbox with attempts", || {
        let groups = daemon.json("/api/v1/debug/groups");
        let tried = groups["data"].as_array()?.iter().filter(|group| !group["outbox"].as_array().unwrap().is_empty());
        (tried.count() == 3).then_some(())
    });
    catcher.answer(200);
    eventually("all three", || {
        let mut names: Vec<String> = catcher.caught().iter().flat_map(|caught| caught.names("firing")).collect();
        names.sort();
        (names == ["A", "B", "C"]).then_some(())
    });
    eventually("an empty outbox", || {
        let metrics = daemon.get("/metrics").1;
        metrics.contains("\nbelfry_outbox_rows 0\n").then_some(())
    });
}

#[test]
fn a_restart_changes_nothing() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let start = rfc3339(-60);
    daemon.alert("Down", &start, None);
    eventually("a firing notification", || catcher.caught().into_iter().next());
    let key = daemon.json("/api/v1/debug/groups")["data"][0]["groupKey"].clone();
    assert!(daemon.stop().success());

    let daemon = Daemon::run(dir.path());
    assert_eq!(daemon.json("/api/v1/debug/groups")["data"][0]["groupKey"], key);
    daemon.alert("Down", &start, None);
    daemon.alert("Down", &start, Some(&rfc3339(0)));
    let resolved = eventually("a resolved notification", || catcher.caught().into_iter().nth(1));
    assert_eq!(resolved.names("resolved"), ["Down"], "the firing one is not told again");
}

#[test]
fn a_webhook_of_alertmanager_becomes_alerts_with_the_same_fingerprints() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let body = r#"{"receiver":"belfry","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Watchdog"},
        "annotations":{},"startsAt":"2026-01-02T03:04:05Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"",
        "fingerprint":"003b0a0f7d3fa569"}],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},
        "externalURL":"http://am","version":"4","groupKey":"{}:{}","truncatedAlerts":0}"#;
    assert_eq!(daemon.post("/api/v1/webhooks/alertmanager", body).0, 200);
    let firing = eventually("a firing notification", || catcher.caught().into_iter().next());
    assert_eq!(firing.body["alerts"][0]["fingerprint"], "003b0a0f7d3fa569");
    let over = body.replace("\"status\":\"firing\"", "\"status\":\"resolved\"").replace("0001-01-01", "2026-01-02");
    let over = over.replace("T00:00:00Z\",\"gen", "T04:00:00Z\",\"gen");
    assert_eq!(daemon.post("/api/v1/webhooks/alertmanager", &over).0, 200);
    let resolved = eventually("a resolved notification", || catcher.caught().into_iter().nth(1));
    assert_eq!(resolved.names("resolved"), ["Watchdog"]);
}
