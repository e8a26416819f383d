//! What belfry.yml means, and what is said of a wrong one.

use std::path::Path;
use std::time::Duration;

use crate::config::*;
use crate::db::Location;
use crate::yaml::{Diagnostic, Findings, parse};

fn read(text: &str) -> (Option<BelfryConfig>, Vec<String>) {
    let mut findings = Findings::new("belfry.yml");
    let document = parse(text, &mut findings).unwrap();
    let config = BelfryConfig::read(&document, Path::new("/etc/belfry"), &mut findings);
    (config, findings.into_sorted().iter().map(Diagnostic::to_string).collect())
}

fn good(text: &str) -> BelfryConfig {
    let (config, found) = read(text);
    assert_eq!(found, Vec::<String>::new());
    config.unwrap()
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in ["", "# nothing\n", "storage:\nglobal:\nlog:\nsources:\nrule_files:\nrouter:\n"] {
        let config = good(text);
        assert_eq!(config.listen.to_string(), "127.0.0.1:9095");
        assert_eq!(config.storage.location, Location::Directory("/etc/belfry/data".into()));
        assert_eq!(config.storage.history_retention, Duration::from_secs(30 * 86_400));
        assert_eq!(config.storage.degraded_after, Duration::from_secs(5));
        assert_eq!(config.global, GlobalConfig::default());
        assert_eq!(config.evaluation, EvaluationConfig { timeout: Duration::from_secs(30), concurrency: 16 });
        assert!(config.sources.is_empty() && config.rule_files.is_empty() && config.router.is_none());
        assert_eq!(config.limits, LimitsConfig::default());
        assert_eq!(config.limits.body, 67_108_864);
        assert_eq!(config.webhooks.resolve_timeout, Duration::from_secs(86_400));
        assert_eq!(config.link_base(), "http://localhost:9095");
        assert_eq!(config.log, LogConfig { level: LogLevel::Info, format: LogFormat::Logfmt });
    }
}

#[test]
fn every_key_is_read() {
    let (config, found) = read(include_str!("../testdata/full.good.yml"));
    let config = config.unwrap();
    assert_eq!(
        found,
        [
            "belfry.yml:20:25: warning: limits: query_samples has no effect yet: sources bound their own queries",
            "belfry.yml:22:16: warning: configuration: external_urls has no effect yet: nothing links there",
        ]
    );
    assert_eq!(config.listen.bind(), ("0.0.0.0", 9100));
    assert_eq!(config.storage.location, Location::Directory("/etc/belfry/state".into()));
    assert_eq!(config.storage.history_retention, Duration::from_secs(7 * 86_400));
    assert_eq!(config.storage.degraded_after, Duration::from_secs(2));
    assert_eq!(config.global.evaluation_interval, Duration::from_secs(30));
    assert_eq!(config.global.query_offset, Duration::from_secs(5));
    assert_eq!(config.global.external_labels.to_string(), r#"{cluster="eu-1", replica="010"}"#);
    assert_eq!(config.global.resend_delay, Duration::from_secs(120));
    assert_eq!(config.evaluation, EvaluationConfig { timeout: Duration::from_secs(10), concurrency: 4 });
    let patterns: Vec<&str> = config.rule_files.iter().map(|rule| rule.pattern.as_str()).collect();
    assert_eq!(patterns, ["rules/*.yml", "/etc/belfry/more.yml"]);
    assert!(
        matches!(&config.router, Some(RouterPlace::File { path, .. }) if path == Path::new("/etc/belfry/alertmanager.yml"))
    );
    let tokens: Vec<&str> = config.web.bearer_tokens.iter().map(|token| token.expose()).collect();
    assert_eq!(tokens, ["open-sesame", "12345"]);
    assert_eq!(config.webhooks.resolve_timeout, Duration::from_secs(12 * 3600));
    let delivery = DeliveryConfig {
        attempt_timeout: Duration::from_secs(20),
        concurrency: 2,
        max_retry_after: Duration::from_secs(300),
        start_grace: Duration::ZERO,
    };
    assert_eq!(config.delivery, delivery);
    let limits = LimitsConfig {
        body: 1 << 20,
        alerts: 1000,
        labels: 32,
        label_name: 256,
        label_value: 4096,
        query_samples: 1000,
        query_timeout: Duration::from_secs(60),
        query_concurrency: 3,
    };
    assert_eq!(config.limits, limits);
    assert_eq!(config.link_base(), "https://belfry.example/b");
    assert_eq!(config.external_urls.grafana.unwrap().as_str(), "https://grafana.example/");
    assert_eq!(config.external_urls.jaeger.unwrap().as_str(), "http://jaeger:16686/");
    assert_eq!(config.log, LogConfig { level: LogLevel::Debug, format: LogFormat::Json });
}

#[test]
fn the_external_url_follows_the_port() {
    assert_eq!(good("listen: :8080").link_base(), "http://localhost:8080");
}

/// Each bad file stands beside the exact text of its findings.
#[test]
fn wrong_files_are_told_apart_to_the_column() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/testdata");
    let mut seen = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".bad.yml") else { continue };
        let (_, found) = read(&std::fs::read_to_string(&path).unwrap());
        let found = format!("{}\n", found.join("\n"));
        let golden = dir.join(format!("{stem}.bad.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&golden).unwrap_or_default(), "{name}");
        assert!(!found.contains("hunter2"), "{name} tells a secret");
        seen += 1;
    }
    assert!(seen >= 6);
}

#[test]
fn a_second_document_is_a_warning() {
    let (config, found) = read("listen: :1\n---\nlisten: :2\n");
    assert_eq!(config.unwrap().listen.port(), 1);
    assert!(found[0].starts_with("belfry.yml:2:"), "{found:?}");
    assert!(found[0].contains("warning: only the first document is read"), "{found:?}");
}

#[test]
fn secrets_do_not_show_in_debug() {
    let config = good(
        "storage: {url: 'postgres://belfry:hunter2@db/belfry'}\n\
         web: {bearer_tokens: [hunter2]}\n\
         router: {receivers: [{name: x, webhook_configs: [{url: 'http://hunter2'}]}]}\n",
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}
