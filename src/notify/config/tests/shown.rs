//! The shown configuration (contract alertmanager §1.12).

use super::*;

/// Every kind, with secrets of every sort.
const EVERYTHING: &str = r#"
global:
  resolve_timeout: 300s
  http_config:
    basic_auth: {username: user, password: hush}
    tls_config: {ca: pem, cert: pem, key: hush, server_name: x, min_version: TLS12}
    proxy_url: http://user:hush@proxy:3128
    no_proxy: localhost
    proxy_connect_header: {X-A: [hush]}
    http_headers: {X-B: {values: [a], secrets: [hush], files: [b]}}
  smtp_from: a@b
  smtp_smarthost: mx:25
  smtp_auth_username: u
  smtp_auth_password: hush
  smtp_auth_secret_file: s
  smtp_tls_config: {insecure_skip_verify: yes}
  smtp_force_implicit_tls: no
  slack_app_token: hush
  slack_api_url: https://slack.com/api/chat.postMessage
  opsgenie_api_key: hush
  victorops_api_key: hush
  wechat_api_secret: hush
  wechat_api_corp_id: corp
  telegram_bot_token: hush
  rocketchat_token: hush
  rocketchat_token_id: hush
  mattermost_webhook_url: https://hush
  jira_api_url: https://jira
receivers:
- name: hole
- name: all
  labels: {owner: core}
  email_configs:
  - {to: a@b, headers: {reply-to: x}, threading: {enabled: yes, thread_by_date: daily}, text: t}
  - {to: a@b, auth_password: hush, tls_config: {ca_file: ca.pem}, html: ''}
  slack_configs:
  - {channel: a, http_config: {}, fields: [{title: a, value: b, short: y}], actions: [{type: a, text: b, name: c, confirm: {text: d}}]}
  - {api_url: 'https://hooks/hush', mrkdwn_in: [text], title: ''}
  - {api_url: 'https://slack.com/api/chat.postMessage', update_message: yes, http_config: {authorization: {credentials: hush}}}
  - {app_token_file: t, app_url: https://slack.example, http_config: {}, timeout: 90s}
  - {api_url_file: f, http_config: {bearer_token_file: b}}
  pagerduty_configs:
  - {routing_key: hush, images: [{src: a}, ~], links: [{href: a, text: b}], details: {a: {b: 1}, firing: ~}}
  - {service_key: hush, http_config: {oauth2: {client_id: a, client_secret: hush, token_url: https://t, scopes: [a], endpoint_params: {b: c}}}}
  webhook_configs:
  - {url: 'https://hush/{{ . }}', payload: {a: [1, yes, '5']}, max_alerts: 3, timeout: 1.5s}
  - {url_file: f, http_config: {proxy_from_environment: yes}}
  opsgenie_configs: [{responders: [{id: a, type: team}], details: {a: b}}]
  wechat_configs: [{}]
  pushover_configs: [{user_key: hush, token: hush, retry: 90s, html: y}]
  victorops_configs: [{routing_key: a, custom_fields: {a: b}}]
  sns_configs: [{topic_arn: a, sigv4: {access_key: a, secret_key: hush}, attributes: {a: b}}]
  telegram_configs: [{chat_id: 1, parse_mode: ''}]
  discord_configs: [{webhook_url: 'https://hush'}]
  webex_configs: [{room_id: a, http_config: {authorization: {type: Token, credentials: hush}}}]
  msteams_configs: [{webhook_url: 'https://hush'}]
  msteamsv2_configs: [{webhook_url_file: f, http_config: {}}]
  jira_configs: [{project: a, issue_type: b, summary: {enable_update: n}, fields: {a: [1]}, labels: [a], reopen_duration: 36h}]
  rocketchat_configs: [{actions: [{type: a, iswebview: y}], fields: [{title: a}]}]
  mattermost_configs: [{priority: {priority: a}, props: {card: b}, attachments: [{fields: [{title: a, value: b}]}]}]
  incidentio_configs: [{url: 'https://x', alert_source_token: hush}]
"#;

#[test]
fn what_is_shown_loads_again_and_is_then_shown_alike() {
    let file = read(EVERYTHING);
    assert_eq!(file.found, Vec::<String>::new());
    assert_eq!(file.receivers[1].integrations.len(), 25);
    let once = shown_again(&file);
    let again = read(&once);
    assert_eq!(again.found, Vec::<String>::new(), "{once}");
    assert_eq!(shown_again(&again), once);
}

#[test]
fn nothing_shown_or_printed_holds_a_secret() {
    let file = read(EVERYTHING);
    let once = shown_again(&file);
    for line in once.lines() {
        assert!(!line.contains("hush"), "{line}");
    }
    let debug = format!("{:?} {:?}", file.globals, file.receivers);
    assert!(!debug.contains("hush"), "{debug}");
}

#[test]
fn an_app_tokens_url_and_authorization_are_derived_and_not_shown() {
    let slack = shown("slack_app_token: x", "slack", "channel: a");
    assert_eq!(slack["app_token"], "<secret>");
    assert_eq!(slack["app_url"], "https://slack.com/api/chat.postMessage");
    assert_eq!((slack.get("api_url"), slack["http_config"].get("authorization")), (None, None));
}

#[test]
fn the_defaults_of_global_are_shown() {
    let shown = Globals::default().shown();
    assert_eq!(shown["resolve_timeout"], "5m");
    assert_eq!(shown["smtp_hello"], "localhost");
    assert_eq!(shown["smtp_require_tls"], true);
    assert_eq!(shown["telegram_api_url"], "https://api.telegram.org");
    assert_eq!(shown["http_config"], json!({"follow_redirects": true, "enable_http2": true}));
    assert_eq!(shown.get("jira_api_url"), None);
}

#[test]
fn a_receiver_is_shown_completed() {
    let globals = "smtp_from: f@x\nsmtp_smarthost: mx:25\nsmtp_auth_password: p";
    assert_eq!(
        shown(globals, "email", "to: t@x"),
        json!({
            "to": "t@x", "from": "f@x", "smarthost": "mx:25", "hello": "localhost", "auth_password": "<secret>",
            "html": "{{ template \"email.default.html\" . }}", "require_tls": true, "send_resolved": false,
            "headers": {"Subject": "{{ template \"email.default.subject\" . }}", "To": "t@x", "From": "f@x"},
        })
    );
    assert_eq!(
        shown("", "webhook", "url: http://x\ntimeout: 90s"),
        json!({
            "url": "<secret>", "max_alerts": 0, "timeout": "1m30s", "send_resolved": true,
            "http_config": {"follow_redirects": true, "enable_http2": true},
        })
    );
}

#[test]
fn a_reading_without_receivers_shows_their_names_only() {
    let file = read("receivers: [{name: a, labels: {b: c}}]");
    assert_eq!(file.receivers[0].shown(), json!({"name": "a", "labels": {"b": "c", "name": "a"}}));
}
