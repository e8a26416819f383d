//! `global` (contract alertmanager §1.3, §1.11).

use std::time::Duration;

use super::*;
use crate::http::{Secret, SecretSource};

fn globals(keys: &str) -> (Globals, Vec<String>) {
    let file = read(&format!("global:\n  {}\n", keys.replace('\n', "\n  ")));
    (file.globals, file.found)
}

#[test]
fn nothing_and_null_give_the_defaults() {
    assert_eq!(globals("").0, Globals::default());
    assert_eq!(read("receivers: []").globals, Globals::default());
    let defaults = Globals::default();
    assert_eq!(defaults.resolve_timeout, Duration::from_secs(300));
    assert_eq!(defaults.smtp.hello, "localhost");
    assert!(defaults.smtp.require_tls);
    assert_eq!(defaults.smtp.force_implicit_tls, None);
    let urls = [
        ("slack_app_url", Some("https://slack.com/api/chat.postMessage")),
        ("pagerduty_url", Some("https://events.pagerduty.com/v2/enqueue")),
        ("opsgenie_api_url", Some("https://api.opsgenie.com/")),
        ("victorops_api_url", Some("https://alert.victorops.com/integrations/generic/20131114/alert/")),
        ("wechat_api_url", Some("https://qyapi.weixin.qq.com/cgi-bin/")),
        ("telegram_api_url", Some("https://api.telegram.org")),
        ("webex_api_url", Some("https://webexapis.com/v1/messages")),
        ("rocketchat_api_url", Some("https://open.rocket.chat/")),
        ("jira_api_url", None),
    ];
    for (key, want) in urls {
        assert_eq!(defaults.url(key).map(crate::notify::config::HttpUrl::as_str), want, "{key}");
    }
}

#[test]
fn every_global_key_is_read() {
    let (globals, found) = globals(
        "resolve_timeout: 1h\n\
         http_config: {follow_redirects: no, authorization: {credentials_file: token}}\n\
         smtp_from: a@b\nsmtp_smarthost: '[::1]:25'\nsmtp_hello: ''\n\
         smtp_auth_username: u\nsmtp_auth_identity: i\nsmtp_auth_password: p\nsmtp_auth_secret_file: secrets/s\n\
         smtp_require_tls: off\nsmtp_tls_config: {ca_file: ca.pem}\nsmtp_force_implicit_tls: yes\n\
         slack_api_url: <secret>\nslack_app_url: http://s\npagerduty_url: http://p\n\
         opsgenie_api_url: http://o\nopsgenie_api_key: k\nvictorops_api_url: http://v\nvictorops_api_key_file: k\n\
         wechat_api_url: http://w\nwechat_api_secret: k\nwechat_api_corp_id: 010\n\
         telegram_api_url: http://t\ntelegram_bot_token: k\nwebex_api_url: http://x\n\
         rocketchat_api_url: http://r\nrocketchat_token: k\nrocketchat_token_id_file: k\n\
         mattermost_webhook_url: http://m\njira_api_url: http://j",
    );
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(globals.resolve_timeout, Duration::from_secs(3600));
    assert!(globals.http.has_authorization() && !globals.http.follow_redirects);
    let smtp = &globals.smtp;
    assert_eq!(smtp.smarthost.as_ref().unwrap().to_string(), "[::1]:25");
    assert_eq!((smtp.hello.as_str(), smtp.require_tls, smtp.force_implicit_tls), ("", false, Some(true)));
    assert_eq!(smtp.auth_password, Some(SecretSource::Inline(Secret::new("p"))));
    assert_eq!(smtp.auth_secret, Some(SecretSource::File("secrets/s".into())), "as written");
    assert_eq!(smtp.tls.ca, Some(SecretSource::File("ca.pem".into())), "as written");
    assert_eq!(globals.wechat_api_corp_id, "010", "text as it stands");
    for key in ["slack_api_url", "opsgenie_api_key", "victorops_api_key", "wechat_api_secret", "telegram_bot_token"] {
        assert!(globals.secret(key).is_some(), "{key}");
    }
    assert_eq!(globals.url("jira_api_url").unwrap().as_str(), "http://j");
}

#[test]
fn what_the_peer_refuses_is_refused() {
    let pair = |key: &str| {
        let values = if key.ends_with("_url") { "http://x" } else { "x" };
        let column = key.len() + "_file: ".len() + 3;
        (
            format!("{key}: {values}\n{key}_file: x"),
            format!("f:3:{column}: global: at most one of {key} and {key}_file may be given"),
        )
    };
    let pairs = [
        "slack_api_url",
        "slack_app_token",
        "opsgenie_api_key",
        "victorops_api_key",
        "wechat_api_secret",
        "telegram_bot_token",
        "rocketchat_token",
        "rocketchat_token_id",
        "mattermost_webhook_url",
        "smtp_auth_password",
        "smtp_auth_secret",
    ];
    let slack = "global: slack_app_token and slack_api_url (or their files) may not be given together\n  \
                 help: give the one that all Slack receivers are to use, and the other in receivers";
    let url = "expected a URL like https://host/path";
    let mut rows: Vec<(String, String)> = pairs.map(pair).into();
    let other = [
        ("slack_app_token: x\nslack_api_url: http://x", format!("f:3:18: {slack}")),
        ("slack_api_url_file: x\nslack_app_token: x", format!("f:3:20: {slack}")),
        ("slack_app_token_file: x\nslack_api_url_file: x", format!("f:3:23: {slack}")),
        ("resolve_timeout: ''", "f:2:20: global: resolve_timeout: empty duration string".to_owned()),
        ("resolve_timeout: 1.5h", "f:2:20: global: resolve_timeout: unknown unit \".\" in duration \"1.5h\"".to_owned()),
        ("smtp_smarthost: mx", "f:2:19: global: smtp_smarthost: address \"mx\" has no port".to_owned()),
        ("smtp_smarthost: 'mx:'", "f:2:19: global: smtp_smarthost: address \"mx:\" has an empty port".to_owned()),
        ("smtp_require_tls: 'no'", "f:2:21: global: smtp_require_tls: expected a boolean, found the string \"no\"".to_owned()),
        ("smtp_require_tls: 1", "f:2:21: global: smtp_require_tls: expected a boolean, found \"1\"".to_owned()),
        ("slack_api_url: ''", format!("f:2:18: global: slack_api_url: {url}")),
        ("slack_api_url: xoxb-hush", format!("f:2:18: global: slack_api_url: {url}")),
        ("pagerduty_url: <secret>", format!("f:2:18: global: pagerduty_url: {url}")),
        ("jira_api_url: ftp://x", format!("f:2:17: global: jira_api_url: unsupported scheme \"ftp\", {url}")),
        ("jira_api_url: http:///x", "f:2:17: global: jira_api_url: a URL without a host".to_owned()),
        ("smtp_from: [x]", "f:2:14: global: smtp_from: expected a string, found a list".to_owned()),
        ("smtp_hallo: x", "f:2:3: unknown key \"smtp_hallo\" in global\n  help: did you mean \"smtp_hello\"?".to_owned()),
        ("http_config: {bearer_token: x, basic_auth: {}}", "f:2:46: global: http_config: at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file may be given".to_owned()),
    ];
    rows.extend(other.map(|(keys, want)| (keys.to_owned(), want)));
    for (keys, want) in rows {
        assert_eq!(globals(&keys).1, [want], "{keys}");
    }
}

#[test]
fn an_app_token_goes_with_the_apps_own_url() {
    let own = "slack_app_token: x\nslack_api_url: https://slack.com/api/chat.postMessage";
    assert_eq!(globals(own).1, Vec::<String>::new());
    let moved = "slack_app_token: x\nslack_app_url: http://s/x\nslack_api_url: http://s/x";
    assert_eq!(globals(moved).1, Vec::<String>::new());
}

#[test]
fn an_empty_secret_is_none() {
    let (globals, found) = globals("smtp_auth_password: ''\nsmtp_auth_password_file: x\nopsgenie_api_key: ''");
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(globals.smtp.auth_password, Some(SecretSource::File("x".into())));
    assert_eq!(globals.secret("opsgenie_api_key"), None);
}

#[test]
fn null_is_zero_for_texts_and_booleans_and_the_default_for_durations() {
    let (globals, found) =
        globals("smtp_hello: ~\nsmtp_require_tls: ~\nresolve_timeout: ~\npagerduty_url: ~\nsmtp_smarthost: ~");
    assert_eq!(found, Vec::<String>::new());
    assert_eq!((globals.smtp.hello.as_str(), globals.smtp.require_tls), ("", false));
    assert_eq!(globals.resolve_timeout, Duration::from_secs(300));
    assert_eq!(globals.url("pagerduty_url"), None);
}

#[test]
fn a_secret_is_in_no_message_and_in_no_debug_text() {
    let (globals, found) = globals("slack_api_url: xoxb-hush\nopsgenie_api_key: hush\nsmtp_auth_password: hush");
    assert!(!format!("{globals:?} {found:?}").contains("hush"));
}
