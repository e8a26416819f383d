use serde_json::json;

use crate::http::{HttpConfig, SecretSource};
use crate::notify::testing::{Answer, Peer, context, detail, golden, golden_file, verdict};

use super::*;

fn config(url: String) -> WebhookConfig {
    WebhookConfig {
        http: HttpConfig::default(),
        url: SecretSource::Inline(Secret::new(url)),
        max_alerts: 0,
        payload: None,
    }
}

fn webhook(config: WebhookConfig) -> Webhook {
    Webhook::new(config, None, context()).unwrap()
}

#[tokio::test]
async fn the_golden_body_is_posted_with_the_notifications_key() {
    let peer = Peer::start(Answer::of(200, "")).await;
    let attempt = webhook(config(format!("{}/hook", peer.url))).attempt(&golden()).await;
    assert_eq!(attempt, delivered());
    let request = peer.one();
    assert_eq!(request.body, golden_file("webhook.json"));
    assert_eq!(request.path, "/hook");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("idempotency-key"), "0123456789abcdef");
    assert!(request.header("user-agent").starts_with("Belfry/"));
}

#[tokio::test]
async fn each_answer_has_its_verdict() {
    let peer = Peer::start(Answer::default()).await;
    let webhook = webhook(config(peer.url.clone()));
    let cases = [
        (200, "delivered"),
        (204, "delivered"),
        (400, "rejected: clientError"),
        (403, "rejected: authError"),
        (408, "retry: clientError"),
        (429, "retry in 7s: rateLimited"),
        (500, "retry: serverError"),
        (503, "retry in 7s: serverError"),
    ];
    for (status, want) in cases {
        let headers: &[_] = if matches!(status, 429 | 503) { &[("retry-after", "7")] } else { &[] };
        peer.answer_with(Answer { status, headers, body: String::new() });
        assert_eq!(verdict(&webhook.attempt(&golden()).await), want, "{status}");
    }
}

#[tokio::test]
async fn a_long_answer_to_what_was_taken_is_no_failure() {
    let peer = Peer::start(Answer::of(200, &"x".repeat(2 << 20))).await;
    assert_eq!(webhook(config(peer.url.clone())).attempt(&golden()).await, delivered());
}

#[tokio::test]
async fn a_peer_that_is_slow_or_away_is_tried_again() {
    let peer = Peer::start(Answer::default()).await;
    peer.fall_silent();
    let timeout = Some(Duration::from_millis(50));
    let slow = Webhook::new(config(peer.url.clone()), timeout, context()).unwrap().attempt(&golden()).await;
    assert_eq!(verdict(&slow), "retry: other");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-token", listener.local_addr().unwrap());
    drop(listener);
    let away = webhook(config(url)).attempt(&golden()).await;
    assert_eq!(verdict(&away), "retry: other");
    assert!(!detail(away).contains("secret-token"));
}

#[tokio::test]
async fn what_cannot_work_sends_nothing() {
    let peer = Peer::start(Answer::of(200, "")).await;
    let broken_payload =
        WebhookConfig { payload: Some(json!({"a": "{{ broken"})), ..config(format!("{}/x", peer.url)) };
    let missing_file = WebhookConfig { url: SecretSource::File("/nowhere/url".into()), ..config(String::new()) };
    let cases = [config("{{ broken".to_owned()), config("not a url".to_owned()), broken_payload, missing_file];
    for config in cases {
        let attempt = webhook(config.clone()).attempt(&golden()).await;
        assert_eq!(verdict(&attempt), "rejected: other", "{config:?}");
    }
    assert!(peer.received().is_empty());
}

#[tokio::test]
async fn the_url_is_a_template_that_may_lie_in_a_file() {
    let peer = Peer::start(Answer::of(200, "")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}/{{{{ .GroupLabels.cluster }}}}\n", peer.url)).unwrap();
    let config = WebhookConfig { url: SecretSource::File(file.path().to_owned()), ..config(String::new()) };
    assert_eq!(webhook(config).attempt(&golden()).await, delivered());
    assert_eq!(peer.one().path, "/eu1");
}

#[tokio::test]
async fn a_payload_replaces_the_body() {
    let peer = Peer::start(Answer::of(200, "")).await;
    let payload = json!({
        "z": "{{ .Status }}",
        "count": "{{ len .Alerts }}",
        "{{ .GroupLabels.cluster }}": ["{{ .CommonLabels.severity }}", 5, true, null],
        "first": "{{ (index .Alerts 0).Labels | toJson }}",
        "html": "<{{ .Receiver }}>",
    });
    let config = WebhookConfig { payload: Some(payload), ..config(peer.url.clone()) };
    assert_eq!(webhook(config).attempt(&golden()).await, delivered());
    let first = r#"{"alertname":"HighCPU","cluster":"eu1","instance":"a:9100","job":"node","severity":"critical"}"#;
    let want = format!(
        "{{\"count\":2,\"eu1\":[\"critical\",5,true,null],\"first\":{first},\"html\":\"\\u003cteam\\\\.x\\u003e\",\"z\":\"firing\"}}\n"
    );
    assert_eq!(peer.one().body, want);
}

#[tokio::test]
async fn at_most_max_alerts_are_listed() {
    let peer = Peer::start(Answer::of(200, "")).await;
    let config = WebhookConfig { max_alerts: 1, ..config(peer.url.clone()) };
    assert_eq!(webhook(config).attempt(&golden()).await, delivered());
    let body: serde_json::Value = serde_json::from_str(&peer.one().body).unwrap();
    assert_eq!(body["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(body["truncatedAlerts"], 1);
    assert_eq!(body["commonLabels"].get("instance"), None);
}
