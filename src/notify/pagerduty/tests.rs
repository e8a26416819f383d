use serde_json::json;

use crate::http::{HttpConfig, SecretSource};
use crate::notify::config::{HttpUrl, PagerDutyImage, PagerDutyLink};
use crate::notify::testing::{Answer, Peer, context, detail, golden, golden_file, resolved_alert, verdict};

use super::*;

/// The defaults of contract alertmanager §1.7, and `routing_key: rk`.
fn config(peer: &Peer) -> PagerDutyConfig {
    let Value::Object(details) = json!({
        "firing": "{{ .Alerts.Firing | toJson }}",
        "resolved": "{{ .Alerts.Resolved | toJson }}",
        "num_firing": "{{ .Alerts.Firing | len }}",
        "num_resolved": "{{ .Alerts.Resolved | len }}",
    }) else {
        panic!()
    };
    PagerDutyConfig {
        http: HttpConfig::default(),
        key: PagerDutyKey::Routing(SecretSource::Inline(Secret::new("rk"))),
        url: HttpUrl::parse(&format!("{}/v2/enqueue", peer.url)).unwrap(),
        client: "{{ template \"pagerduty.default.client\" . }}".to_owned(),
        client_url: "{{ template \"pagerduty.default.clientURL\" . }}".to_owned(),
        description: "{{ template \"pagerduty.default.description\" . }}".to_owned(),
        details,
        images: Vec::new(),
        links: Vec::new(),
        source: "{{ template \"pagerduty.default.client\" . }}".to_owned(),
        severity: String::new(),
        class: String::new(),
        component: String::new(),
        group: String::new(),
    }
}

fn pagerduty(config: PagerDutyConfig, peer: &Peer) -> PagerDuty {
    let mut pagerduty = PagerDuty::new(config, None, context()).unwrap();
    pagerduty.events_v1 = format!("{}/v1/create_event.json", peer.url);
    pagerduty
}

async fn peer() -> Peer {
    Peer::start(Answer::of(202, r#"{"status":"success"}"#)).await
}

fn service_key() -> PagerDutyKey {
    PagerDutyKey::Service(SecretSource::Inline(Secret::new("sk")))
}

#[tokio::test]
async fn the_golden_event_is_posted_with_the_notifications_key() {
    let peer = peer().await;
    assert_eq!(pagerduty(config(&peer), &peer).attempt(&golden()).await, delivered());
    let request = peer.one();
    assert_eq!(request.body, golden_file("pagerduty.json"));
    assert_eq!(request.path, "/v2/enqueue");
    assert_eq!(request.header("idempotency-key"), "0123456789abcdef");
}

#[tokio::test]
async fn what_is_over_is_resolved_under_the_same_key() {
    let peer = peer().await;
    let mut notification = golden();
    notification.alerts = vec![resolved_alert()];
    assert_eq!(pagerduty(config(&peer), &peer).attempt(&notification).await, delivered());
    let body: Value = serde_json::from_str(&peer.one().body).unwrap();
    assert_eq!(body["event_action"], "resolve");
    assert_eq!(body["dedup_key"], golden().group_key.hash());
    assert_eq!(body["payload"]["custom_details"]["firing"], json!([]));
}

#[tokio::test]
async fn everything_that_can_be_set_is_sent_in_order() {
    let peer = peer().await;
    let mut config = config(&peer);
    config.details = Default::default();
    config.description = "d".repeat(1025);
    config.severity = "{{ .CommonLabels.severity }}".to_owned();
    (config.class, config.component, config.group) = ("c".to_owned(), "o".to_owned(), "g".to_owned());
    let image = |src: &str| PagerDutyImage { src: src.to_owned(), alt: "a".to_owned(), href: String::new() };
    config.images = vec![image("http://i"), image("{{ .GroupLabels.nothing }}")];
    let link = |href: &str| PagerDutyLink { href: href.to_owned(), text: "t".to_owned() };
    config.links = vec![link(""), link("http://l")];
    assert_eq!(pagerduty(config, &peer).attempt(&golden()).await, delivered());
    assert_eq!(
        peer.one().body,
        golden_file("pagerduty_all.json").replace("SUMMARY", &format!("{}…", "d".repeat(1023)))
    );
}

#[tokio::test]
async fn a_service_key_speaks_the_first_api() {
    let peer = peer().await;
    let mut config = config(&peer);
    config.key = service_key();
    config.details = Default::default();
    let pagerduty = pagerduty(config, &peer);
    assert_eq!(pagerduty.attempt(&golden()).await, delivered());
    let request = peer.one();
    assert_eq!(request.path, "/v1/create_event.json");
    assert_eq!(request.body, golden_file("pagerduty_v1.json"));

    let mut notification = golden();
    notification.alerts = vec![resolved_alert()];
    assert_eq!(pagerduty.attempt(&notification).await, delivered());
    assert_eq!(peer.one().body, golden_file("pagerduty_v1_resolve.json"));
}

#[tokio::test]
async fn details_that_are_too_long_are_left_out() {
    let peer = peer().await;
    for (key, path) in [(config(&peer).key, "/payload/custom_details"), (service_key(), "/details")] {
        let mut config = config(&peer);
        config.key = key;
        config.details.insert("long".to_owned(), "x".repeat(512_000).into());
        assert_eq!(pagerduty(config, &peer).attempt(&golden()).await, delivered());
        let body = peer.one().body;
        assert!(body.len() < 512_000);
        let body: Value = serde_json::from_str(&body).unwrap();
        let error = "Custom details have been removed because the original event exceeds the maximum size of 512KB";
        assert_eq!(body.pointer(path), Some(&json!({ "error": error })));
    }
}

#[tokio::test]
async fn each_answer_has_its_verdict() {
    let peer = peer().await;
    let cases = [
        (202, "delivered", "delivered"),
        (400, "rejected: clientError", "rejected: clientError"),
        (403, "rejected: authError", "retry: authError"),
        (429, "retry: rateLimited", "retry: rateLimited"),
        (500, "retry: serverError", "retry: serverError"),
    ];
    for (status, v2, v1) in cases {
        peer.answer_with(Answer::of(status, ""));
        assert_eq!(verdict(&pagerduty(config(&peer), &peer).attempt(&golden()).await), v2, "{status}");
        let config = PagerDutyConfig { key: service_key(), ..config(&peer) };
        assert_eq!(verdict(&pagerduty(config, &peer).attempt(&golden()).await), v1, "{status}");
    }
}

#[tokio::test]
async fn what_pagerduty_complains_of_is_told() {
    let peer = peer().await;
    peer.answer_with(Answer::of(
        400,
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["'x' is bad"]}"#,
    ));
    let attempt = pagerduty(config(&peer), &peer).attempt(&golden()).await;
    assert_eq!(detail(attempt), "unexpected status code 400: Event object is invalid: 'x' is bad");
}

#[tokio::test]
async fn an_empty_key_sends_nothing() {
    let peer = peer().await;
    let key = PagerDutyKey::Routing(SecretSource::Inline(Secret::new("{{ .GroupLabels.nothing }}")));
    let attempt = pagerduty(PagerDutyConfig { key, ..config(&peer) }, &peer).attempt(&golden()).await;
    assert_eq!(verdict(&attempt), "rejected: other");
    assert_eq!(detail(attempt), "routing_key: routing key cannot be empty");
    assert!(peer.received().is_empty());
}
