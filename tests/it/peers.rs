//! Real peers: Prometheus, Alertmanager and amtool.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::catcher::Catcher;
use crate::daemon::{Daemon, belfry_yml, client, eventually};

/// Whether the program is there; without it a test is passed over, or fails where peers are required.
pub fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("BELFRY_REQUIRE_PEERS").as_deref(), Ok("1"), "{program} is not installed");
        eprintln!("passed over: {program} is not installed");
    }
    found
}

/// A process that ends with the test.
pub struct Peer(pub Child);

impl Peer {
    pub fn start(program: &str, arguments: &[String]) -> Peer {
        Peer(Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn answers(url: &str) -> Option<()> {
    client().get(url).send().ok()?.status().is_success().then_some(())
}

fn prometheus(dir: &Path, port: u16) -> Peer {
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: missing\n  static_configs: [{{targets: ['127.0.0.1:9']}}]\n- job_name: self\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    std::fs::write(dir.join("prometheus.yml"), config).unwrap();
    let peer = Peer::start(
        "prometheus",
        &[
            format!("--config.file={}", dir.join("prometheus.yml").display()),
            format!("--storage.tsdb.path={}", dir.join("tsdb").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ],
    );
    eventually("a ready Prometheus", || answers(&format!("http://127.0.0.1:{port}/-/ready")));
    peer
}

#[test]
fn a_rule_over_a_real_prometheus_is_told_and_survives_its_outage() {
    if !have("prometheus") {
        return;
    }
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let port = free_port();
    let peer = prometheus(dir.path(), port);
    std::fs::write(
        dir.path().join("rules.yml"),
        "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: TargetDown\n    expr: up == 0\n    labels: {severity: page}\n    annotations: {summary: '{{ $labels.job }} is {{ $value }}'}\n",
    )
    .unwrap();
    let belfry = belfry_yml(&format!(
        "sources: [{{name: prom, type: prometheus, url: 'http://127.0.0.1:{port}'}}]\nrule_files: [rules.yml]\n"
    ));
    let daemon = Daemon::start(dir.path(), &belfry, &catcher.webhook_router());
    let firing = eventually("a firing notification", || catcher.caught().into_iter().next());
    let alert = &firing.body["alerts"][0];
    assert_eq!(alert["labels"]["severity"], "page");
    assert_eq!(alert["annotations"]["summary"], "missing is 0");
    assert!(alert["generatorURL"].as_str().unwrap().ends_with("/graph?g0.expr=up+%3D%3D+0&g0.tab=1"), "{alert}");
    let rules = daemon.json("/api/v1/rules");
    assert_eq!(rules["data"]["groups"][0]["rules"][0]["state"], "firing", "{rules}");
    assert_eq!(rules["data"]["groups"][0]["file"], "rules.yml");

    drop(peer);
    eventually("a rule whose health tells of the outage", || {
        let rules = daemon.json("/api/v1/rules");
        let rule = &rules["data"]["groups"][0]["rules"][0];
        (rule["health"] == "err" && rule["state"] == "firing").then_some(())
    });
    let _peer = prometheus(dir.path(), port);
    eventually("a rule that is well again", || {
        (daemon.json("/api/v1/rules")["data"]["groups"][0]["rules"][0]["health"] == "ok").then_some(())
    });
    assert!(catcher.caught().iter().all(|caught| caught.names("resolved").is_empty()), "an outage resolves nothing");
}

#[test]
fn amtool_adds_alerts_and_reads_the_shown_configuration() {
    if !have("amtool") {
        return;
    }
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let url = format!("--alertmanager.url={}", daemon.url(""));
    let amtool = |arguments: &[&str]| {
        let output = Command::new("amtool").arg(&url).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    };
    amtool(&["alert", "add", "alertname=Added", "severity=page"]);
    let firing = eventually("a firing notification", || catcher.caught().into_iter().next());
    assert_eq!(firing.names("firing"), ["Added"]);
    assert!(amtool(&["config", "show"]).contains("hook"));
}

#[test]
fn a_real_alertmanager_sends_its_webhooks_on() {
    if !have("prometheus-alertmanager") {
        return;
    }
    let (dir, catcher) = (tempfile::tempdir().unwrap(), Catcher::start());
    let daemon = Daemon::start(dir.path(), &belfry_yml(""), &catcher.webhook_router());
    let config = format!(
        "route: {{receiver: belfry, group_wait: 100ms, group_interval: 1s}}\nreceivers:\n- name: belfry\n  webhook_configs: [{{url: '{}'}}]\n",
        daemon.url("/api/v1/webhooks/alertmanager")
    );
    std::fs::write(dir.path().join("peer.yml"), config).unwrap();
    let port = free_port();
    let _peer = Peer::start(
        "prometheus-alertmanager",
        &[
            format!("--config.file={}", dir.path().join("peer.yml").display()),
            format!("--storage.path={}", dir.path().join("peer").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ],
    );
    eventually("a ready Alertmanager", || answers(&format!("http://127.0.0.1:{port}/-/ready")));
    let posted = client()
        .post(format!("http://127.0.0.1:{port}/api/v2/alerts"))
        .header("content-type", "application/json")
        .body(r#"[{"labels":{"alertname":"Watchdog"}}]"#)
        .send()
        .unwrap();
    assert!(posted.status().is_success());
    let firing = eventually("a firing notification", || catcher.caught().into_iter().next());
    assert_eq!(firing.body["alerts"][0]["fingerprint"], "003b0a0f7d3fa569");
}
