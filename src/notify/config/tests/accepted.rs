//! Files that the peer accepts (contract alertmanager §1.11), and what they come to.

use super::*;

#[test]
fn files_that_lean_on_globals_are_accepted() {
    let rows = [
        ("mattermost_webhook_url: http://x", "mattermost", ""),
        ("mattermost_webhook_url_file: x", "mattermost", ""),
        ("opsgenie_api_key: x", "opsgenie", "responders: [{name: x, type: team}]"),
        ("opsgenie_api_key_file: x", "opsgenie", ""),
        ("rocketchat_token: x\nrocketchat_token_id: x", "rocketchat", ""),
        ("rocketchat_token_file: x\nrocketchat_token_id_file: x", "rocketchat", ""),
        ("slack_api_url_file: x", "slack", ""),
        ("slack_app_token: x", "slack", "channel: '#x'"),
        ("telegram_bot_token: x", "telegram", "chat_id: 1"),
        ("telegram_bot_token_file: x", "telegram", "chat_id: 1"),
        ("victorops_api_key: x", "victorops", "routing_key: x"),
        ("victorops_api_key_file: x", "victorops", "routing_key: x"),
        ("wechat_api_secret_file: x\nwechat_api_corp_id: x", "wechat", ""),
        ("", "sns", "topic_arn: arn:x\nsigv4: {region: x}"),
        ("smtp_from: x\nsmtp_smarthost: x:1", "email", "to: x"),
        ("smtp_from: x\nsmtp_smarthost: x:1\nsmtp_auth_password: x", "email", "to: x\nauth_password_file: y"),
        (
            "smtp_from: x\nsmtp_smarthost: x:1\nsmtp_hello: ''\nsmtp_auth_username: ''\nsmtp_auth_password: ''",
            "email",
            "to: x",
        ),
    ];
    for (globals, kind, keys) in rows {
        accepted(globals, kind, keys);
    }
}

#[test]
fn an_unused_pair_in_the_globals_is_refused_though_the_receiver_is_fine() {
    let rows = [
        ("telegram_bot_token: x\ntelegram_bot_token_file: x", "telegram", "chat_id: 1\nbot_token: y"),
        ("mattermost_webhook_url: http://x\nmattermost_webhook_url_file: x", "mattermost", "webhook_url: http://y"),
    ];
    for (globals, kind, keys) in rows {
        let found = found(globals, kind, keys);
        assert!(found.len() == 1 && found[0].contains("global: at most one of"), "{found:?}");
    }
}

#[test]
fn yaml_1_1_is_read_as_the_peer_reads_it() {
    let file = read(
        "global: &g\n  slack_api_url: http://x\n\
         receivers:\n\
         - name: on\n  slack_configs:\n  - &base {channel: off, link_names: On, text: 2026-01-02}\n  - {<<: *base, channel: 1.10}\n\
         ---\n[broken\n",
    );
    assert_eq!(file.found, Vec::<String>::new());
    assert_eq!(&*file.receivers[0].name, "on");
    let shown: Vec<Value> = file.receivers[0].integrations.iter().map(IntegrationConfig::shown).collect();
    let texts: Vec<_> = shown.iter().map(|slack| (&slack["channel"], &slack["link_names"], &slack["text"])).collect();
    let (date, on) = (json!("2026-01-02"), json!(true));
    assert_eq!(texts, [(&json!("off"), &on, &date), (&json!("1.10"), &on, &date)]);
}
