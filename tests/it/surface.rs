//! Health, reload, and what the peers' clients ask.

use crate::catcher::Catcher;
use crate::daemon::{Daemon, belfry_yml, eventually, rfc3339};

#[test]
fn a_bad_reload_keeps_the_old_configuration_and_says_why() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    std::fs::write(dir.path().join("alertmanager.yml"), "route: {receiver: hok}\nreceivers: [{name: hook}]\n").unwrap();
    let (status, text) = daemon.post("/-/reload", "");
    assert_eq!(status, 500);
    assert!(text.contains("alertmanager.yml:1:19: undefined receiver \"hok\" used in route"), "{text}");
    assert!(daemon.get("/metrics").1.contains("\nalertmanager_config_last_reload_successful 0\n"));
    daemon.alert("Down", &rfc3339(-60), None);
    eventually("a notification by the old configuration", || catcher.caught().into_iter().next());

    let other = catcher.webhook_router().replace("/webhook", "/other");
    std::fs::write(dir.path().join("alertmanager.yml"), other).unwrap();
    daemon.signal("-HUP");
    eventually("a good reload", || {
        daemon.get("/metrics").1.contains("\nalertmanager_config_last_reload_successful 1\n").then_some(())
    });
    daemon.alert("Up", &rfc3339(-60), None);
    let told = eventually("a notification by the new configuration", || catcher.caught().into_iter().nth(1));
    assert_eq!((told.path.as_str(), told.names("firing")), ("/other", vec!["Up".to_owned()]));
}

#[test]
fn what_is_asked_is_answered_as_the_peers_answer() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    assert_eq!(daemon.get("/-/healthy"), (200, "OK".to_owned()));
    assert_eq!(daemon.get("/-/ready"), (200, "OK".to_owned()));
    assert_eq!(daemon.json("/api/v2/receivers").to_string(), r#"[{"labels":{"name":"hook"},"name":"hook"}]"#);
    let status = daemon.json("/api/v2/status");
    assert_eq!(status["versionInfo"]["version"], "0.34.0");
    let shown = status["config"]["original"].as_str().unwrap();
    assert!(shown.contains("<secret>") && !shown.contains("/webhook"), "{shown}");
    assert_eq!(daemon.json("/api/v1/rules")["data"]["groups"], serde_json::json!([]));
    assert_eq!(daemon.json("/api/v1/alerts")["data"]["alerts"], serde_json::json!([]));
    assert_eq!(
        daemon.get("/api/v2/nope"),
        (404, r#"{"code":404,"message":"path /api/v2/nope was not found"}"#.to_owned())
    );
    let (status, text) = daemon.post("/api/v2/alerts", r#"[{"labels":{"a":""}}]"#);
    assert_eq!((status, text.as_str()), (400, "\"at least one label pair required\"\n"));
    let (status, text) = daemon.post("/api/v2/alerts", "");
    assert_eq!((status, text.as_str()), (422, r#"{"code":602,"message":"alerts in body is required"}"#));
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let _first = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_belfry"))
        .args(["serve", "--config"])
        .arg(dir.path().join("belfry.yml"))
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
}
