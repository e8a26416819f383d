//! `webhook_configs` (contract alertmanager §1.7).

use std::time::Duration;

use super::*;
use crate::http::{Secret, SecretSource};
use crate::notify::config::{Kind, WebhookConfig};

fn webhook(keys: &str) -> WebhookConfig {
    match accepted("", "webhook", keys).kind {
        Kind::Webhook(webhook) => *webhook,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_url_may_be_a_template_a_file_or_hidden() {
    for url in ["http://x", "{{ .CommonLabels.url }}", "ftp://{{ . }}", "<secret>"] {
        let keys = format!("url: '{url}'");
        assert_eq!(webhook(&keys).url, SecretSource::Inline(Secret::new(url)));
    }
    assert_eq!(webhook("url_file: hooks/x\nurl: ''").url, SecretSource::File("hooks/x".into()), "as written");
}

#[test]
fn payload_keeps_its_types() {
    let config =
        webhook("url: http://x\nmax_alerts: 010\npayload: {a: yes, b: [1.10, 010, '5'], c: '{{ . }}', 7: dropped}");
    assert_eq!(config.max_alerts, 8);
    assert_eq!(config.payload, Some(json!({"a": true, "b": [1.1, 8, "5"], "c": "{{ . }}"})));
    assert_eq!(webhook("url: http://x\npayload: ~").payload, None);
}

#[test]
fn a_timeout_of_zero_is_none() {
    let timeout = |text: &str| accepted("", "webhook", &format!("url: http://x\ntimeout: {text}")).timeout;
    assert_eq!((timeout("0"), timeout("0s"), timeout("~")), (None, None, None));
    assert_eq!(timeout("1.5m"), Some(Duration::from_secs(90)));
}

#[test]
fn what_the_peer_refuses_is_refused() {
    check_refused(
        "",
        "webhook",
        &[
            ("max_alerts: 1", "1:1: I: url or url_file is missing"),
            ("url: ''", "1:1: I: url or url_file is missing"),
            ("url: http://x\nurl_file: x", "2:11: I: at most one of url and url_file may be given"),
            ("url: 'hush://x'", "1:6: I: url: unsupported scheme \"hush\", expected a URL like https://host/path"),
            ("url: http:///x", "1:6: I: url: a URL without a host"),
            ("url: http://x\nmax_alerts: -1", "2:13: I: max_alerts: expected a number of at least 0, found -1"),
            ("url: http://x\nmax_alerts: '1'", "2:13: I: max_alerts: expected an integer, found the string \"1\""),
        ],
    );
}
