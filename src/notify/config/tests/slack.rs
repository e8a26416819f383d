//! `slack_configs` (contract alertmanager §1.7).

use super::*;
use crate::http::{Secret, SecretSource};
use crate::notify::config::{Kind, SlackConfig, SlackTarget};

fn slack(globals: &str, keys: &str) -> SlackConfig {
    match accepted(globals, "slack", keys).kind {
        Kind::Slack(slack) => *slack,
        other => panic!("{other:?}"),
    }
}

/// `webhook <text or path>` or `app <text or path> <URL>`
fn target(globals: &str, keys: &str) -> String {
    let name = |source: &SecretSource| match source {
        SecretSource::Inline(secret) => secret.expose().to_owned(),
        SecretSource::File(path) => path.display().to_string(),
    };
    match slack(globals, keys).target {
        SlackTarget::Webhook(source) => format!("webhook {}", name(&source)),
        SlackTarget::App { token, url } => format!("app {} {url}", name(&token)),
    }
}

const AUTHORIZED: &str = "http_config: {authorization: {credentials: x}}";

#[test]
fn credentials_are_chosen_in_the_peers_order() {
    let app_url = "https://slack.com/api/chat.postMessage";
    let both = &format!("slack_app_token: t\nslack_api_url: {app_url}");
    let app = &format!("app t {app_url}");
    let webhook = &format!("webhook {app_url}");
    let rows = [
        ("slack_api_url: http://g", "", "webhook http://g"),
        ("slack_api_url_file: g", "", "webhook g"),
        ("slack_api_url: http://g", "api_url: http://l", "webhook http://l"),
        ("slack_api_url: http://g", "api_url_file: l", "webhook l"),
        ("slack_api_url: http://g", "app_token: l\napp_url: http://a", "app l http://a"),
        ("slack_app_token: t", "", app),
        ("slack_app_token_file: t", "app_url: http://a", "app t http://a"),
        ("slack_app_token: t", "api_url: http://l", "webhook http://l"),
        ("slack_app_token: t", &format!("api_url_file: l\n{AUTHORIZED}"), "webhook l"),
        (both, "", app),
        (both, AUTHORIZED, webhook),
        ("slack_api_url: http://g", AUTHORIZED, "webhook http://g"),
    ];
    for (globals, keys, want) in rows {
        assert_eq!(target(globals, keys), want, "{globals} + {keys}");
    }
    let found = found("slack_app_token: t", "slack", "api_url_file: l");
    assert_eq!(found, ["1:15: warning: I: api_url_file has no effect: slack_app_token in global comes before it"]);
}

#[test]
fn texts_have_their_templates() {
    let slack = slack(
        "",
        "api_url: http://x\nchannel: on\ntitle: ''\nmrkdwn_in: [text]\nshort_fields: yes\n\
         fields: [{title: a, value: 1.10}, {title: a, value: b, short: no}]\n\
         actions: [{type: button, text: t, url: u, name: n, value: v, confirm: {text: x}}, {type: b, text: t, name: n, confirm: {text: x, ok_text: y}}]",
    );
    assert_eq!((slack.channel.as_str(), slack.title.as_str()), ("on", ""));
    assert_eq!(slack.title_link, r#"{{ template "slack.default.titlelink" . }}"#);
    assert_eq!(slack.callback_id, r#"{{ template "slack.default.callbackid" . }}"#);
    assert_eq!(slack.markdown_in(), ["text"]);
    let fields: Vec<_> = slack.fields.iter().map(|field| (field.value.as_str(), field.short)).collect();
    assert_eq!(fields, [("1.10", None), ("b", Some(false))]);
    let [link, button] = slack.actions.as_slice() else { panic!("{:?}", slack.actions) };
    assert_eq!((link.url.as_str(), link.name.as_str(), link.value.as_str(), &link.confirm), ("u", "", "", &None));
    assert_eq!((button.name.as_str(), button.confirm.as_ref().unwrap().ok_text.as_str()), ("n", "y"));
    let plain = self::slack("", "api_url: http://x");
    assert_eq!(plain.markdown_in(), ["fallback", "pretext", "text"]);
    assert!(!plain.update_message && !plain.link_names && !plain.short_fields);
}

#[test]
fn http_config_replaces_the_global_one_whole() {
    let globals = "http_config: {proxy_url: http://p, follow_redirects: no}";
    assert!(!slack(globals, "api_url: http://x").http.follow_redirects);
    let own = slack(globals, "api_url: http://x\nhttp_config: {enable_http2: no}").http;
    assert!(own.follow_redirects && !own.enable_http2);
    assert_eq!(own.proxy, crate::http::ProxyConfig::None);
    assert!(!slack(globals, "api_url: http://x\nhttp_config: ~").http.follow_redirects, "null is as good as absent");
}

#[test]
fn updates_need_the_one_url_that_has_them() {
    let slack =
        slack("", &format!("update_message: yes\napi_url: https://slack.com/api/chat.postMessage\n{AUTHORIZED}"));
    assert!(slack.update_message);
    let url = SecretSource::Inline(Secret::new("https://slack.com/api/chat.postMessage"));
    assert_eq!(slack.target, SlackTarget::Webhook(url));
}

#[test]
fn what_the_peer_refuses_is_refused() {
    let update = "I: update_message works with one URL only\n  help: set api_url to https://slack.com/api/chat.postMessage, \
                  and a token in http_config.authorization";
    let four = "I: api_url or api_url_file do not go with app_token or app_token_file\n  help: give one of the four";
    let authorization = "I: an app token does not go with http_config.authorization\n  help: leave one of the two out";
    check_refused(
        "",
        "slack",
        &[
            (
                "channel: x",
                "1:1: I: a URL or an app token is missing\n  help: set api_url or app_token here, or slack_api_url or \
                 slack_app_token in global",
            ),
            (
                "app_token: ''",
                "1:1: I: a URL or an app token is missing\n  help: set api_url or app_token here, or slack_api_url or \
                 slack_app_token in global",
            ),
            ("api_url: http://x\napi_url_file: x", "2:15: I: at most one of api_url and api_url_file may be given"),
            ("app_token: x\napp_token_file: x", "2:17: I: at most one of app_token and app_token_file may be given"),
            ("api_url: http://x\napp_token: x", &format!("2:12: {four}")),
            ("app_token_file: x\napi_url_file: x", &format!("2:15: {four}")),
            (&format!("app_token: x\n{AUTHORIZED}"), &format!("1:12: {authorization}")),
            ("app_token: x\nhttp_config: {bearer_token: x}", &format!("1:12: {authorization}")),
            ("api_url: ''", "1:10: I: api_url: expected a URL like https://host/path"),
            ("api_url: hooks.slack.com/x", "1:10: I: api_url: expected a URL like https://host/path"),
            ("app_token: x\napp_url: <secret>", "2:10: I: app_url: expected a URL like https://host/path"),
            ("update_message: yes\napi_url: http://x", &format!("1:17: {update}")),
            ("update_message: yes\napp_token: x", &format!("1:17: {update}")),
            ("api_url: http://x\nfields: [{title: a}]", "2:10: I: fields[0]: value is missing"),
            ("api_url: http://x\nfields: [{value: a, title: ''}]", "2:10: I: fields[0]: title is missing"),
            ("api_url: http://x\nfields: [~]", "2:10: I: fields[0] is empty"),
            ("api_url: http://x\nactions: [{text: a, url: b}]", "2:11: I: actions[0]: type is missing"),
            ("api_url: http://x\nactions: [{type: a, url: b}]", "2:11: I: actions[0]: text is missing"),
            ("api_url: http://x\nactions: [{type: a, text: b}]", "2:11: I: actions[0]: url or name is missing"),
            (
                "api_url: http://x\nactions: [{type: a, text: b, name: c, confirm: {title: d}}]",
                "2:48: I: actions[0]: confirm: text is missing",
            ),
            (
                "api_url: http://x\ntimeout: 5",
                "2:10: warning: I: timeout: a bare number counts nanoseconds\n  help: write 5s if seconds are meant",
            ),
            ("api_url: http://x\ntimeout: 1d", "2:10: I: timeout: unknown unit \"d\" in duration \"1d\""),
            ("api_url: http://x\ntimeout: -1s", "2:10: I: timeout: not a valid duration string: \"-1s\""),
            ("api_url: http://x\nmrkdwn_in: text", "2:12: I: mrkdwn_in: expected a list, found \"text\""),
            (
                "api_url: http://x\nfields: [{title: a, value: b, shirt: c}]",
                "2:31: unknown key \"shirt\" in I: fields[0]\n  help: did you mean \"short\"?",
            ),
        ],
    );
    let global_file = found("slack_api_url_file: x", "slack", "update_message: yes");
    assert_eq!(global_file, [format!("1:17: {update}")]);
    let globals = "slack_app_token: t\nhttp_config: {authorization: {credentials: x}}";
    assert_eq!(found(globals, "slack", "channel: x"), [format!("1:1: {authorization}")]);
    let nowhere = found("slack_app_url: ~", "slack", "app_token: x");
    assert_eq!(nowhere, ["1:1: I: app_url is missing\n  help: set it here, or slack_app_url in global"]);
}
