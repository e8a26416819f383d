//! `pagerduty_configs` (contract alertmanager §1.7).

use super::*;
use crate::http::{Secret, SecretSource};
use crate::notify::config::{Kind, PagerDutyConfig, PagerDutyKey};

fn pagerduty(keys: &str) -> PagerDutyConfig {
    match accepted("", "pagerduty", keys).kind {
        Kind::PagerDuty(pagerduty) => *pagerduty,
        other => panic!("{other:?}"),
    }
}

#[test]
fn defaults_are_filled_in() {
    let config = pagerduty("routing_key: k");
    assert_eq!(config.key, PagerDutyKey::Routing(SecretSource::Inline(Secret::new("k"))));
    assert_eq!(config.url.as_str(), "https://events.pagerduty.com/v2/enqueue");
    assert_eq!(config.client, r#"{{ template "pagerduty.default.client" . }}"#);
    assert_eq!(config.client_url, r#"{{ template "pagerduty.default.clientURL" . }}"#);
    assert_eq!(config.source, config.client);
    assert_eq!(config.severity, "");
    let details: Vec<_> = config.details.keys().map(String::as_str).collect();
    assert_eq!(details, ["firing", "num_firing", "num_resolved", "resolved"]);
}

#[test]
fn details_keep_their_types_and_the_users_own() {
    let config = pagerduty(
        "service_key_file: f\ndetails: {firing: none, 1: [yes, {a: {b: '{{ .x }}', 2: dropped}}], num_firing: ~}\n\
         client: c\nsource: s\nimages: [{src: a, alt: b}, ~]\nlinks: [{href: h, text: t}]",
    );
    assert_eq!(config.key, PagerDutyKey::Service(SecretSource::File("f".into())));
    assert_eq!(config.source, "s");
    assert_eq!(
        Value::Object(config.details),
        json!({
            "1": [true, {"a": {"b": "{{ .x }}"}}],
            "firing": "none",
            "num_firing": null,
            "num_resolved": "{{ .Alerts.Resolved | len }}",
            "resolved": "{{ .Alerts.Resolved | toJson }}",
        })
    );
    assert_eq!((config.images.len(), config.links[0].href.as_str()), (2, "h"));
}

#[test]
fn a_service_key_wins() {
    let found = found("", "pagerduty", "service_key: s\nrouting_key: r");
    assert_eq!(found, ["2:14: warning: I: the routing key has no effect beside a service key"]);
}

#[test]
fn what_the_peer_refuses_is_refused() {
    let missing = "1:1: I: routing_key is missing\n  help: set routing_key (Events API v2) or service_key (v1), or a file with one";
    check_refused(
        "",
        "pagerduty",
        &[
            ("class: x", missing),
            ("routing_key: ''\nservice_key: ''", missing),
            (
                "routing_key: x\nrouting_key_file: x",
                "2:19: I: at most one of routing_key and routing_key_file may be given",
            ),
            (
                "service_key: x\nservice_key_file: x",
                "2:19: I: at most one of service_key and service_key_file may be given",
            ),
            ("routing_key: x\nurl: x", "2:6: I: url: expected a URL like https://host/path"),
            ("routing_key: x\ndetails: [x]", "2:10: I: details: expected a mapping, found a list"),
            ("routing_key: x\nimages: [{source: x}]", "2:11: unknown key \"source\" in I: images[0]"),
        ],
    );
    let found = found("pagerduty_url: ~", "pagerduty", "routing_key: x");
    assert_eq!(found, ["1:1: I: url is missing\n  help: set it here, or pagerduty_url in global"]);
}
