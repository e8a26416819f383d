//! README's tour: the files of `examples/prometheus` beside a real Prometheus and a real SMTP server, told to a webhook,
//! Slack, PagerDuty and by mail, first as firing and then as resolved. Only ports and waits are changed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::catcher::Catcher;
use crate::daemon::{Daemon, eventually};
use crate::peers::{Peer, answers, free_port, have};

/// Debian's Python, which has Debian's SMTP server.
const PYTHON: &str = "/usr/bin/python3";

/// Copies a file of the example with replacements, each of which must be there.
fn copy(name: &str, to: &Path, replacements: &[(&str, &str)]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prometheus").join(name);
    let mut text = std::fs::read_to_string(from).unwrap();
    for (old, new) in replacements {
        assert!(text.contains(old), "{name} has no {old}");
        text = text.replace(old, new);
    }
    let target = to.join(name);
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    std::fs::write(target, text).unwrap();
}

/// A target that Prometheus can scrape, until it is dropped.
fn come_up(port: u16) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", port))).unwrap();
    let app = axum::Router::new().fallback(|| async { "up_again 1\n" });
    runtime.spawn(async move { axum::serve(listener, app).await });
    runtime
}

/// A mail server, and what it has printed so far.
fn mail_server(port: u16) -> (Peer, Arc<Mutex<String>>) {
    let mut child = Command::new(PYTHON)
        .args(["-u", "-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let printed = Arc::new(Mutex::new(String::new()));
    let (lines, sink) = (BufReader::new(child.stdout.take().unwrap()), printed.clone());
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            let mut sink = sink.lock().unwrap();
            sink.push_str(&line);
            sink.push('\n');
        }
    });
    (Peer(child), printed)
}

#[test]
fn the_tour_of_the_readme_holds() {
    let smtp = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    if !have("prometheus") || !smtp.is_ok_and(|status| status.success()) {
        assert_ne!(std::env::var("BELFRY_REQUIRE_PEERS").as_deref(), Ok("1"), "aiosmtpd is not installed");
        eprintln!("passed over: Prometheus or aiosmtpd is not installed");
        return;
    }
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let hooks = format!("http://{}", catcher.address);
    let missing = TcpListener::bind("127.0.0.1:0").unwrap();
    let (scraper, mail, target) = (free_port(), free_port(), missing.local_addr().unwrap().port());
    drop(missing);
    let at = |port: u16| format!("127.0.0.1:{port}");
    copy("belfry.yml", dir.path(), &[("127.0.0.1:9095", "127.0.0.1:0"), ("127.0.0.1:9090", &at(scraper))]);
    let waits = [("group_wait: 5s", "group_wait: 500ms"), ("group_interval: 30s", "group_interval: 1s")];
    let places = [("http://127.0.0.1:9876", hooks.as_str()), ("127.0.0.1:1025", &at(mail))];
    copy("alertmanager.yml", dir.path(), &[waits, places].concat());
    copy("rules/example.yml", dir.path(), &[("for: 15s", "for: 1s"), ("interval: 5s", "interval: 1s")]);
    let scrapes = [("127.0.0.1:9090", at(scraper)), ("127.0.0.1:9\"", format!("{}\"", at(target)))];
    let scrapes: Vec<(&str, &str)> = scrapes.iter().map(|(old, new)| (*old, new.as_str())).collect();
    copy("prometheus.yml", dir.path(), &[scrapes, vec![("scrape_interval: 5s", "scrape_interval: 1s")]].concat());

    let (_mail, mails) = mail_server(mail);
    let _prometheus = Peer::start(
        "prometheus",
        &[
            format!("--config.file={}", dir.path().join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", dir.path().join("tsdb").display()),
            format!("--web.listen-address={}", at(scraper)),
        ],
    );
    eventually("a ready Prometheus", || answers(&format!("http://{}/-/ready", at(scraper))));
    let _daemon = Daemon::run(dir.path());

    let told = |event: &str, status: &str| {
        let caught = catcher.caught();
        let missing = |alert: &serde_json::Value| alert["labels"]["job"] == "missing" && alert["status"] == status;
        let webhook = caught.iter().any(|caught| {
            caught.path == "/webhook"
                && caught.body["alerts"].as_array().is_some_and(|alerts| alerts.iter().any(missing))
        });
        let subject = format!(
            "[{}",
            if status == "firing" { "FIRING:1] TargetDown missing" } else { "RESOLVED] TargetDown missing" }
        );
        let slack = caught.iter().any(|caught| {
            caught.path == "/slack"
                && caught.body["attachments"][0]["title"].as_str().is_some_and(|title| title.starts_with(&subject))
        });
        let pagerduty = caught.iter().any(|caught| {
            caught.path == "/pagerduty"
                && caught.body["event_action"] == event
                && caught.body["payload"]["summary"].as_str().is_some_and(|summary| summary.starts_with(&subject))
        });
        let mailed = mails.lock().unwrap().contains(&format!("Subject: {subject}"));
        (webhook && slack && pagerduty && mailed).then_some(())
    };
    eventually("TargetDown, told to all four as firing", || told("trigger", "firing"));
    let _target = come_up(target);
    eventually("TargetDown, told to all four as resolved", || told("resolve", "resolved"));
}
