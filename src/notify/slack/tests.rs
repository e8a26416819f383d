use crate::http::{HttpConfig, SecretSource};
use crate::notify::config::{HttpUrl, SlackConfirmation, SlackField};
use crate::notify::testing::{Answer, Peer, context, detail, golden, golden_file, resolved_alert, verdict};

use super::*;

/// The defaults of contract alertmanager §1.7, and `channel: '#ops'`.
fn config(url: String) -> SlackConfig {
    let builtin = |name: &str| format!("{{{{ template \"slack.default.{name}\" . }}}}");
    SlackConfig {
        http: HttpConfig::default(),
        target: SlackTarget::Webhook(SecretSource::Inline(Secret::new(url))),
        channel: "#ops".to_owned(),
        username: builtin("username"),
        color: builtin("color"),
        title: builtin("title"),
        title_link: builtin("titlelink"),
        pretext: builtin("pretext"),
        text: builtin("text"),
        message_text: String::new(),
        fields: Vec::new(),
        short_fields: false,
        footer: builtin("footer"),
        fallback: builtin("fallback"),
        callback_id: builtin("callbackid"),
        icon_emoji: builtin("iconemoji"),
        icon_url: builtin("iconurl"),
        image_url: String::new(),
        thumb_url: String::new(),
        link_names: false,
        mrkdwn_in: Vec::new(),
        actions: Vec::new(),
        update_message: false,
    }
}

fn slack(config: SlackConfig) -> Slack {
    Slack::new(config, None, context()).unwrap()
}

async fn ok_peer() -> Peer {
    Peer::start(Answer::of(200, "ok")).await
}

#[tokio::test]
async fn the_golden_body_is_posted_with_the_notifications_key() {
    let peer = ok_peer().await;
    assert_eq!(verdict(&slack(config(peer.url.clone())).attempt(&golden()).await), "delivered");
    let request = peer.one();
    assert_eq!(request.body, golden_file("slack.json"));
    assert_eq!(request.header("idempotency-key"), "0123456789abcdef");
    assert_eq!(request.header("authorization"), "");
}

#[tokio::test]
async fn what_is_over_is_good() {
    let peer = ok_peer().await;
    let mut notification = golden();
    notification.alerts = vec![resolved_alert()];
    assert_eq!(verdict(&slack(config(peer.url.clone())).attempt(&notification).await), "delivered");
    let body: serde_json::Value = serde_json::from_str(&peer.one().body).unwrap();
    assert_eq!(body["attachments"][0]["color"], "good");
}

#[tokio::test]
async fn everything_that_can_be_set_is_sent_in_order() {
    let peer = ok_peer().await;
    let mut config = config(peer.url.clone());
    config.message_text = "m".to_owned();
    config.link_names = true;
    config.icon_emoji = ":bell:".to_owned();
    config.icon_url = "http://icon".to_owned();
    config.image_url = "http://image".to_owned();
    config.thumb_url = "http://thumb".to_owned();
    config.title = "t".repeat(1025);
    config.title_link = "l".to_owned();
    config.fallback = "f".to_owned();
    config.pretext = "p".to_owned();
    config.mrkdwn_in = vec!["text".to_owned()];
    let field = |title: &str, short| SlackField { title: title.to_owned(), value: "v".to_owned(), short };
    config.fields = vec![field("a", None), field("b", Some(true))];
    config.actions = vec![SlackAction {
        kind: "button".to_owned(),
        text: "Go".to_owned(),
        url: String::new(),
        style: "primary".to_owned(),
        name: "n".to_owned(),
        value: "{{ .Status }}".to_owned(),
        confirm: Some(SlackConfirmation {
            text: "Sure?".to_owned(),
            title: String::new(),
            ok_text: "Yes".to_owned(),
            dismiss_text: String::new(),
        }),
    }];
    assert_eq!(verdict(&slack(config).attempt(&golden()).await), "delivered");
    assert_eq!(peer.one().body, golden_file("slack_all.json").replace("TITLE", &format!("{}…", "t".repeat(1023))));
}

#[tokio::test]
async fn each_answer_has_its_verdict() {
    let peer = ok_peer().await;
    let slack = slack(config(peer.url.clone()));
    let cases = [
        (Answer::of(200, "ok"), "delivered"),
        (Answer::json(r#"{"ok":true}"#), "delivered"),
        (Answer::of(200, "invalid_payload"), "rejected: clientError"),
        (Answer::json(r#"{"ok":false,"error":"not_in_channel"}"#), "rejected: clientError"),
        (Answer::json("<html>"), "retry: other"),
        (Answer::of(404, "no_service"), "rejected: clientError"),
        (Answer { status: 429, headers: &[("retry-after", "30")], body: String::new() }, "retry in 30s: rateLimited"),
        (Answer::of(500, "rollup_error"), "retry: serverError"),
    ];
    for (answer, want) in cases {
        peer.answer_with(answer.clone());
        assert_eq!(verdict(&slack.attempt(&golden()).await), want, "{answer:?}");
    }
}

#[tokio::test]
async fn an_app_is_posted_to_with_its_token() {
    let peer = Peer::start(Answer::json(r#"{"ok":true,"ts":"1.2","channel":"C1"}"#)).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "xoxb-1\n").unwrap();
    let target = SlackTarget::App {
        token: SecretSource::File(file.path().to_owned()),
        url: HttpUrl::parse(&format!("{}/api/chat.postMessage", peer.url)).unwrap(),
    };
    let config = SlackConfig { target, ..config(String::new()) };
    // Nothing is remembered of a message that is not to be updated.
    assert_eq!(slack(config).attempt(&golden()).await, Attempt::Delivered { receiver_data: None });
    assert_eq!(peer.one().header("authorization"), "Bearer xoxb-1");
}

#[tokio::test]
async fn a_groups_message_is_updated_until_the_group_starts_anew() {
    let peer = Peer::start(Answer::json(r#"{"ok":true,"ts":"1700.5","channel":"C1"}"#)).await;
    let config = SlackConfig { update_message: true, ..config(format!("{}/api/chat.postMessage", peer.url)) };
    let slack = slack(config);
    let mut notification = golden();
    notification.reason = NotificationReason::FirstNotification;
    let Attempt::Delivered { receiver_data: Some(data) } = slack.attempt(&notification).await else { panic!() };
    let text = |text: &str| DataValue::Text(text.to_owned());
    assert_eq!(data, ReceiverData::from([(CHANNEL_ID.to_owned(), text("C1")), (THREAD_TS.to_owned(), text("1700.5"))]));
    assert_eq!(peer.one().path, "/api/chat.postMessage");

    notification.reason = NotificationReason::NewAlertsAdded;
    notification.receiver_data = data;
    assert_eq!(verdict(&slack.attempt(&notification).await), "delivered");
    let request = peer.one();
    assert_eq!(request.path, "/api/chat.update");
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!((&body["channel"], &body["ts"]), (&"C1".into(), &"1700.5".into()));

    notification.reason = NotificationReason::FirstNotification;
    assert_eq!(verdict(&slack.attempt(&notification).await), "delivered");
    assert_eq!(peer.one().path, "/api/chat.postMessage");
}

#[tokio::test]
async fn a_broken_template_sends_nothing_and_says_where() {
    let peer = ok_peer().await;
    let config = SlackConfig { pretext: "{{ broken".to_owned(), ..config(peer.url.clone()) };
    let attempt = slack(config).attempt(&golden()).await;
    assert_eq!(verdict(&attempt), "rejected: other");
    assert!(detail(attempt).starts_with("pretext: template: "));
    assert!(peer.received().is_empty());
}

#[tokio::test]
async fn a_missing_secret_file_is_a_rejection() {
    let target = SlackTarget::Webhook(SecretSource::File("/nowhere/url".into()));
    let attempt = slack(SlackConfig { target, ..config(String::new()) }).attempt(&golden()).await;
    assert_eq!(verdict(&attempt), "rejected: other");
}
