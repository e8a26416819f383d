//! The kinds that cannot be sent yet (contract alertmanager §1.8).

use super::*;

/// The shown values of keys that a kind has beside `http_config` and `send_resolved`, without what is named.
fn values(globals: &str, kind: &str, keys: &str, without: &[&str]) -> Value {
    let mut shown = shown(globals, kind, keys);
    let map = shown.as_object_mut().unwrap();
    map.retain(|key, _| !["http_config", "send_resolved"].contains(&key.as_str()) && !without.contains(&key.as_str()));
    shown
}

fn named(name: &str) -> String {
    format!("{{{{ template \"{name}\" . }}}}")
}

#[test]
fn discord() {
    assert_eq!(
        values("", "discord", "webhook_url: http://x\nusername: 1.10", &[]),
        json!({
            "webhook_url": "<secret>", "username": "1.10", "content": named("discord.default.content"),
            "title": named("discord.default.title"), "message": named("discord.default.message"),
        })
    );
    url_source_is_exactly_one("discord");
}

#[test]
fn msteams_and_its_successor() {
    assert_eq!(
        values("", "msteams", "webhook_url_file: f\ntitle: ''", &[]),
        json!({
            "webhook_url_file": "f", "title": "", "summary": named("msteams.default.summary"),
            "text": named("msteams.default.text"),
        })
    );
    assert_eq!(
        values("", "msteamsv2", "webhook_url: <secret>", &[]),
        json!({
            "webhook_url": "<secret>", "title": named("msteamsv2.default.title"), "text": named("msteamsv2.default.text"),
        })
    );
    url_source_is_exactly_one("msteams");
    url_source_is_exactly_one("msteamsv2");
}

fn url_source_is_exactly_one(kind: &str) {
    check_refused(
        "",
        kind,
        &[
            ("send_resolved: y", "1:1: I: webhook_url or webhook_url_file is missing"),
            (
                "webhook_url: http://x\nwebhook_url_file: x",
                "2:19: I: at most one of webhook_url and webhook_url_file may be given",
            ),
            ("webhook_url: x", "1:14: I: webhook_url: expected a URL like https://host/path"),
        ],
    );
}

#[test]
fn only_the_successor_of_msteams_inherits_the_proxy() {
    let globals = "http_config: {proxy_url: http://p:1, enable_http2: no}";
    let keys = "webhook_url: http://x\nhttp_config: {follow_redirects: no}";
    let own = json!({"follow_redirects": false, "enable_http2": true});
    assert_eq!(shown(globals, "msteams", keys)["http_config"], own);
    let proxied = json!({"follow_redirects": false, "enable_http2": true, "proxy_url": "http://p:1"});
    assert_eq!(shown(globals, "msteamsv2", keys)["http_config"], proxied);
    let keys = "webhook_url: http://x\nhttp_config: {proxy_url: http://q:1}";
    assert_eq!(shown(globals, "msteamsv2", keys)["http_config"]["proxy_url"], "http://q:1");
}

#[test]
fn opsgenie() {
    let keys = "api_url: http://x/y?z=1\ndetails: {a: 1, b: '{{ . }}'}\nupdate_alerts: yes\n\
                responders: [{id: a, type: TEAM}, {username: b, type: '{{ .t }}'}]";
    assert_eq!(
        values("opsgenie_api_key: k", "opsgenie", keys, &["message", "description", "source"]),
        json!({
            "api_key": "<secret>", "api_url": "http://x/y/?z=1", "details": {"a": "1", "b": "{{ . }}"}, "update_alerts": true,
            "responders": [{"id": "a", "type": "TEAM"}, {"username": "b", "type": "{{ .t }}"}],
        })
    );
    assert_eq!(values("opsgenie_api_key: k", "opsgenie", "api_key_file: f", &[])["api_key_file"], "f");
    let types = "one of team, teams, user, escalation, schedule, or a template";
    check_refused(
        "opsgenie_api_key: k",
        "opsgenie",
        &[
            ("api_key: x\napi_key_file: x", "2:15: I: at most one of api_key and api_key_file may be given"),
            ("teams: x", "1:1: unknown key \"teams\" in I"),
            (
                "responders: [{type: team}]",
                "1:14: I: responders[0]: id, name or username is missing\n  help: set one of them",
            ),
            ("responders: [{id: x}]", &format!("1:14: I: responders[0]: type is missing\n  help: {types}")),
            (
                "responders: [{id: x, type: group}]",
                &format!("1:28: I: responders[0]: type: unknown \"group\"\n  help: {types}"),
            ),
            ("responders: [~]", "1:14: I: responders[0] is empty"),
        ],
    );
    assert_eq!(
        found("", "opsgenie", "message: x"),
        ["1:1: I: api_key or api_key_file is missing\n  help: set one of them here, or opsgenie_api_key in global"]
    );
}

#[test]
fn wechat() {
    let globals = "wechat_api_secret_file: f\nwechat_api_corp_id: c\nwechat_api_url: http://w";
    assert_eq!(
        values(globals, "wechat", "message_type: ''", &["message", "to_user", "to_party", "to_tag", "agent_id"]),
        json!({"api_secret_file": "f", "corp_id": "c", "api_url": "http://w/", "message_type": "text"})
    );
    assert_eq!(values(globals, "wechat", "corp_id: d\nmessage_type: markdown", &[])["corp_id"], "d");
    check_refused(
        globals,
        "wechat",
        &[
            (
                "api_secret: x\napi_secret_file: x",
                "2:18: I: at most one of api_secret and api_secret_file may be given",
            ),
            ("message_type: html", "1:15: I: message_type: unknown \"html\"\n  help: one of \"text\", \"markdown\""),
        ],
    );
    assert_eq!(
        found("wechat_api_secret: x", "wechat", "to_user: x"),
        ["1:1: I: corp_id is missing\n  help: set it here, or wechat_api_corp_id in global"]
    );
    assert_eq!(
        found("wechat_api_corp_id: x", "wechat", "to_user: x"),
        [
            "1:1: I: api_secret or api_secret_file is missing\n  help: set one of them here, or wechat_api_secret in global"
        ]
    );
}

#[test]
fn pushover() {
    let keys = "user_key: u\ntoken_file: t\nretry: 1m30s\nttl: 0.5h\nhtml: yes";
    assert_eq!(
        values("", "pushover", keys, &["title", "message", "url"]),
        json!({
            "user_key": "<secret>", "token_file": "t", "retry": "1m30s", "expire": "1h0m0s", "ttl": "30m0s",
            "priority": "{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}", "html": true, "monospace": false,
        })
    );
    check_refused(
        "",
        "pushover",
        &[
            ("token: x", "1:1: I: user_key or user_key_file is missing"),
            ("user_key: x", "1:1: I: token or token_file is missing"),
            (
                "token: x\nuser_key: x\nuser_key_file: x",
                "3:16: I: at most one of user_key and user_key_file may be given",
            ),
            ("user_key: x\ntoken: x\ntoken_file: x", "3:13: I: at most one of token and token_file may be given"),
            ("user_key: x\ntoken: x\nhtml: y\nmonospace: y", "4:12: I: at most one of html and monospace may be set"),
            ("user_key: x\ntoken: x\nretry: 60", "3:8: I: retry: not a valid duration string: \"60\""),
            ("user_key: x\ntoken: x\nexpire: 1d", "3:9: I: expire: unknown unit \"d\" in duration \"1d\""),
        ],
    );
}

#[test]
fn victorops() {
    let globals = "victorops_api_key: k\nvictorops_api_url: http://v/x";
    let keys = "routing_key: r\ncustom_fields: {a: b}";
    assert_eq!(
        values(globals, "victorops", keys, &["state_message", "entity_display_name", "monitoring_tool"]),
        json!({
            "api_key": "<secret>", "api_url": "http://v/x/", "routing_key": "r", "message_type": "CRITICAL",
            "custom_fields": {"a": "b"},
        })
    );
    check_refused(
        globals,
        "victorops",
        &[
            ("message_type: x", "1:1: I: routing_key is missing"),
            (
                "routing_key: x\napi_key: x\napi_key_file: x",
                "3:15: I: at most one of api_key and api_key_file may be given",
            ),
        ],
    );
    for (index, fixed) in [
        "routing_key",
        "message_type",
        "state_message",
        "entity_display_name",
        "monitoring_tool",
        "entity_id",
        "entity_state",
    ]
    .iter()
    .enumerate()
    {
        let keys = format!("routing_key: x\ncustom_fields: {{{}{fixed}: x}}", " ".repeat(index));
        let want = format!("2:{}: I: custom_fields: {fixed} is a field that is always sent", 17 + index);
        assert_eq!(found(globals, "victorops", &keys), [want]);
    }
    assert_eq!(
        found("", "victorops", "routing_key: x"),
        ["1:1: I: api_key or api_key_file is missing\n  help: set one of them here, or victorops_api_key in global"]
    );
}

#[test]
fn sns() {
    let keys = "topic_arn: t\nsigv4: {region: r, access_key: a, secret_key: s, role_arn: o, external_id: e}\nattributes: {a: b}\nuse_aws_http_client: y";
    assert_eq!(
        values("", "sns", keys, &["subject", "message"]),
        json!({
            "topic_arn": "t", "attributes": {"a": "b"}, "use_aws_http_client": true,
            "sigv4": {
                "region": "r", "access_key": "a", "secret_key": "<secret>", "role_arn": "o", "external_id": "e",
                "use_fips_sts_endpoint": false,
            },
        })
    );
    let one = "I: at most one of topic_arn, phone_number and target_arn may be given";
    check_refused(
        "",
        "sns",
        &[
            ("subject: x", "1:1: I: topic_arn, phone_number or target_arn is missing\n  help: set one of them"),
            ("topic_arn: x\nphone_number: 1", &format!("2:15: {one}")),
            ("topic_arn: x\ntarget_arn: x", &format!("2:13: {one}")),
            ("topic_arn: x\ntarget_arn: x\nphone_number: 1", &format!("2:13: {one}")),
            ("topic_arn: x\nsigv4: {access_key: x}", "2:21: I: sigv4: an access_key needs a secret_key"),
            ("topic_arn: x\nsigv4: {secret_key: x}", "2:21: I: sigv4: a secret_key needs an access_key"),
            ("topic_arn: x\nsigv4: {external_id: x}", "2:22: I: sigv4: an external_id needs a role_arn"),
        ],
    );
}

#[test]
fn telegram() {
    let keys = "chat_id: -100_1\nmessage_thread_id: 7\nparse_mode: ''";
    assert_eq!(
        values("telegram_bot_token_file: f", "telegram", keys, &["message"]),
        json!({
            "api_url": "https://api.telegram.org", "bot_token_file": "f", "chat_id": -1001, "message_thread_id": 7,
            "parse_mode": "", "disable_notifications": false,
        })
    );
    assert_eq!(values("", "telegram", "bot_token: x\nchat_id: 0\nchat_id_file: f", &[])["parse_mode"], "HTML");
    check_refused(
        "telegram_bot_token: x",
        "telegram",
        &[
            ("message: x", "1:1: I: chat_id or chat_id_file is missing"),
            ("chat_id: 0", "1:1: I: chat_id or chat_id_file is missing"),
            ("chat_id: '@x'", "1:10: I: chat_id: expected an integer, found the string \"@x\""),
            ("chat_id: 1\nchat_id_file: x", "2:15: I: at most one of chat_id and chat_id_file may be given"),
            (
                "chat_id: 1\nbot_token: x\nbot_token_file: x",
                "3:17: I: at most one of bot_token and bot_token_file may be given",
            ),
            (
                "chat_id: 1\nparse_mode: html",
                "2:13: I: parse_mode: unknown \"html\"\n  help: one of \"HTML\", \"Markdown\", \"MarkdownV2\", \"\"",
            ),
        ],
    );
    assert_eq!(
        found("", "telegram", "chat_id: 1"),
        [
            "1:1: I: bot_token or bot_token_file is missing\n  help: set one of them here, or telegram_bot_token in global"
        ]
    );
}

#[test]
fn webex() {
    let keys = "room_id: r\nhttp_config: {authorization: {credentials: hush}}";
    let shown = shown("webex_api_url: http://w", "webex", keys);
    assert_eq!((&shown["api_url"], &shown["room_id"]), (&json!("http://w"), &json!("r")));
    assert_eq!(shown["http_config"]["authorization"], json!({"type": "Bearer", "credentials": "<secret>"}));
    let authorization =
        "1:1: I: http_config.authorization is missing\n  help: the global http_config does not count here";
    check_refused(
        "http_config: {authorization: {credentials: x}}",
        "webex",
        &[
            ("http_config: {authorization: {credentials: x}}", "1:1: I: room_id is missing"),
            ("room_id: r", authorization),
            ("room_id: r\nhttp_config: {basic_auth: {username: x}}", authorization),
        ],
    );
}

#[test]
fn jira() {
    let keys = "project: p\nissue_type: t\nsummary: s\ndescription: {enable_update: no}\nlabels: [a, '{{ .b }}']\n\
                reopen_duration: 36h\nfields: {10001: {value: x}, yes: on}";
    assert_eq!(
        values("jira_api_url: http://j", "jira", keys, &["priority"]),
        json!({
            "api_url": "http://j", "api_type": "auto", "project": "p", "issue_type": "t", "labels": ["a", "{{ .b }}"],
            "summary": {"template": "s"}, "description": {"template": named("jira.default.description"), "enable_update": false},
            "reopen_duration": "1d12h", "fields": {"10001": {"value": "x"}, "yes": true},
        })
    );
    check_refused(
        "jira_api_url: http://j",
        "jira",
        &[
            ("issue_type: x", "1:1: I: project is missing"),
            ("project: x", "1:1: I: issue_type is missing"),
            (
                "project: x\nissue_type: x\napi_type: ''",
                "3:11: I: api_type: unknown \"\"\n  help: one of \"auto\", \"cloud\", \"datacenter\"",
            ),
            (
                "project: x\nissue_type: x\napi_type: server",
                "3:11: I: api_type: unknown \"server\"\n  help: one of \"auto\", \"cloud\", \"datacenter\"",
            ),
            ("project: x\nissue_type: x\nreopen_duration: ''", "3:18: I: reopen_duration: empty duration string"),
            ("project: x\nissue_type: x\nsummary: {text: x}", "3:11: unknown key \"text\" in I: summary"),
            ("project: x\nissue_type: x\nsummary: [x]", "3:10: I: summary: expected a string, found a list"),
        ],
    );
    assert_eq!(
        found("", "jira", "project: x\nissue_type: x"),
        ["1:1: I: api_url is missing\n  help: set it here, or jira_api_url in global"]
    );
}

#[test]
fn rocketchat() {
    let globals = "rocketchat_token: t\nrocketchat_token_id_file: i";
    let keys = "channel: c\nfields: [{title: a, short: y}]\nactions: [{type: button, imageurl: i, iswebview: y, msginchatwindow: n}]";
    let without = ["color", "title", "title_link", "text", "emoji", "icon_url"];
    assert_eq!(
        values(globals, "rocketchat", keys, &without),
        json!({
            "api_url": "https://open.rocket.chat/", "token": "<secret>", "token_id_file": "i", "channel": "c",
            "fields": [{"title": "a", "short": true}], "short_fields": false, "link_names": false,
            "actions": [{"type": "button", "imageurl": "i", "iswebview": true, "msginchatwindow": false}],
        })
    );
    check_refused(
        globals,
        "rocketchat",
        &[
            ("token: x\ntoken_file: x", "2:13: I: at most one of token and token_file may be given"),
            ("token_id: x\ntoken_id_file: x", "2:16: I: at most one of token_id and token_id_file may be given"),
            (
                "actions: [{image_url: x}]",
                "1:12: unknown key \"image_url\" in I: actions[0]\n  help: did you mean \"imageurl\"?",
            ),
        ],
    );
    let missing = |key: &str| {
        format!("1:1: I: {key} or {key}_file is missing\n  help: set one of them here, or rocketchat_{key} in global")
    };
    assert_eq!(found("", "rocketchat", "token: x"), [missing("token_id")]);
    assert_eq!(found("", "rocketchat", "token_id: x"), [missing("token")]);
}

#[test]
fn mattermost() {
    let globals = "mattermost_webhook_url_file: f";
    let keys = "fields: [{title: a, value: b}]\nattachments: [{text: x, fields: [{title: c, value: d, short: n}]}]\n\
                props: {card: c}\npriority: {priority: urgent, requested_ack: y}\nauthor_name: a";
    let without = ["username", "color", "text", "title", "title_link", "fallback"];
    assert_eq!(
        values(globals, "mattermost", keys, &without),
        json!({
            "webhook_url_file": "f", "author_name": "a", "fields": [{"title": "a", "value": "b"}], "props": {"card": "c"},
            "attachments": [{"text": "x", "fields": [{"title": "c", "value": "d", "short": false}]}],
            "priority": {"priority": "urgent", "requested_ack": true, "persistent_notifications": false},
        })
    );
    check_refused(
        globals,
        "mattermost",
        &[
            (
                "webhook_url: http://x\nwebhook_url_file: x",
                "2:19: I: at most one of webhook_url and webhook_url_file may be given",
            ),
            ("fields: [{title: a}]", "1:10: I: fields[0]: value is missing"),
            ("attachments: [{fields: [{value: a}]}]", "1:25: I: attachments[0]: fields[0]: title is missing"),
        ],
    );
    assert_eq!(
        found("", "mattermost", "channel: x"),
        [
            "1:1: I: webhook_url or webhook_url_file is missing\n  help: set one of them here, or mattermost_webhook_url in global"
        ]
    );
}

#[test]
fn incidentio() {
    assert_eq!(
        values("", "incidentio", "url: http://u:pw@x\nalert_source_token: t\nmax_alerts: 3\ntimeout: 5s", &[]),
        json!({"url": "http://u:xxxxx@x/", "alert_source_token": "<secret>", "max_alerts": 3, "timeout": "5s"})
    );
    let globals = "http_config: {enable_http2: no}";
    assert_eq!(
        shown(globals, "incidentio", "url_file: f").get("http_config"),
        None,
        "with it, it would not load again"
    );
    accepted("", "incidentio", "url_file: f\nhttp_config: {authorization: {credentials: x}}");
    check_refused(
        "",
        "incidentio",
        &[
            ("alert_source_token: x", "1:1: I: url or url_file is missing"),
            ("url: http://x\nurl_file: x", "2:11: I: at most one of url and url_file may be given"),
            ("url: <secret>", "1:6: I: url: expected a URL like https://host/path"),
            (
                "url: http://x\nalert_source_token: x\nalert_source_token_file: x",
                "3:26: I: at most one of alert_source_token and alert_source_token_file may be given",
            ),
            (
                "url: http://x\nalert_source_token_file: x\nhttp_config: {authorization: {credentials: x}}",
                "3:14: I: a token does not go with http_config.authorization",
            ),
            (
                "url: http://x\nhttp_config: {}",
                "1:1: I: alert_source_token is missing\n  help: set it, alert_source_token_file or http_config.authorization",
            ),
        ],
    );
}
