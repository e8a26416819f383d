//! `receivers` (contract alertmanager §1.5, §1.11).

use std::time::Duration;

use super::*;

#[test]
fn a_receiver_may_be_a_black_hole_and_may_have_several_ways_of_one_kind() {
    let file = read(
        "receivers:\n\
         - name: hole\n\
         - {name: both, labels: {owner: core, ünder: 1}, slack_configs: ~, webhook_configs: [{url: http://x, timeout: 5s}, {url: http://y, send_resolved: no}]}\n",
    );
    assert_eq!(file.found, Vec::<String>::new());
    let [hole, both] = [0, 1].map(|index| file.receivers[index].receiver());
    assert_eq!((&*hole.name, hole.ways.len(), hole.labels.to_string()), ("hole", 0, "{name=\"hole\"}".to_owned()));
    assert_eq!(both.labels.to_string(), "{name=\"both\", owner=\"core\", ünder=\"1\"}");
    let ways: Vec<_> = both.ways.iter().map(|way| (way.id.to_string(), way.send_resolved, way.timeout)).collect();
    let second = Duration::from_secs(5);
    assert_eq!(ways, [("both/webhook/0".to_owned(), true, Some(second)), ("both/webhook/1".to_owned(), false, None)]);
    assert_eq!(file.receivers[1].integrations[1].position.to_string(), "3:115");
}

#[test]
fn send_resolved_is_off_for_mail_and_some_chats() {
    let globals = "smtp_from: a@b\nsmtp_smarthost: mx:25\nslack_api_url: http://x\nwechat_api_secret: x\nwechat_api_corp_id: x\n\
                   rocketchat_token: x\nrocketchat_token_id: x\nopsgenie_api_key: x";
    let cases = [
        ("email", "to: a@b", false),
        ("slack", "", false),
        ("wechat", "", false),
        ("rocketchat", "", false),
        ("webhook", "url: http://x", true),
        ("pagerduty", "routing_key: x", true),
        ("opsgenie", "", true),
        ("discord", "webhook_url: http://x", true),
    ];
    for (kind, keys, want) in cases {
        assert_eq!(accepted(globals, kind, keys).send_resolved, want, "{kind}");
    }
    assert!(accepted(globals, "slack", "send_resolved: on").send_resolved);
    assert!(!accepted(globals, "opsgenie", "send_resolved: ~").send_resolved, "null is false");
}

#[test]
fn what_the_peer_refuses_is_refused() {
    let rows = [
        ("[{slack_configs: []}]", "f:1:13: receivers[0]: name is missing"),
        ("[{name: ''}]", "f:1:13: receivers[0]: name is missing"),
        ("[{name: [x]}]", "f:1:20: receivers[0]: name: expected a string, found a list"),
        (
            "[{name: a}, {name: b}, {name: a}]",
            "f:1:42: receiver \"a\": the name is not unique\n  help: the first of that name is at 1:20",
        ),
        (
            "[{name: a, labels: {x: y, name: b}}]",
            "f:1:44: receiver \"a\": labels: name must be the receiver's own, found \"b\"\n  help: leave it out: it is always there",
        ),
        ("[{name: a, labels: [x]}]", "f:1:31: receiver \"a\": labels: expected a mapping, found a list"),
        (
            "[{name: a, slack_config: []}]",
            "f:1:23: unknown key \"slack_config\" in receiver \"a\"\n  help: did you mean \"slack_configs\"?",
        ),
        ("[{name: a, slack_configs: {}}]", "f:1:38: receiver \"a\": slack_configs: expected a list, found a mapping"),
        (
            "[{name: a, slack_configs: [x]}]",
            "f:1:39: receiver \"a\": slack_configs[0]: expected a mapping, found \"x\"",
        ),
        ("[x]", "f:1:13: receivers[0]: expected a mapping, found \"x\""),
        ("{name: x}", "f:1:12: receivers: expected a list, found a mapping"),
    ];
    for (receivers, want) in rows {
        assert_eq!(read(&format!("receivers: {receivers}\n")).found, [want], "{receivers}");
    }
    assert_eq!(read("receivers: [{name: a, labels: {name: a}}]").found, Vec::<String>::new());
    assert_eq!(read("receivers: ~").found, Vec::<String>::new());
}

#[test]
fn a_null_integration_is_refused_for_every_kind_whatever_the_globals_hold() {
    for list in KindList::all() {
        let source = format!(
            "receivers: [{{name: r, {}: [~]}}]\nglobal: {{slack_api_url: http://x, opsgenie_api_key: x}}",
            list.section
        );
        let column = 26 + list.section.len();
        let want = format!(
            "f:1:{column}: receiver \"r\": {}[0]: missing {} config\n  help: write its keys, or remove the item",
            list.section, list.kind
        );
        assert_eq!(read(&source).found, [want]);
    }
}

#[test]
fn a_null_receiver_is_passed_over() {
    let file = read("receivers:\n-\n- name: a\n");
    assert_eq!(file.found, ["f:2:2: warning: receivers[0] is empty: nothing can use it"]);
    assert_eq!(file.receivers.len(), 1);
}

#[test]
fn an_unknown_key_is_found_in_every_kind() {
    for list in KindList::all() {
        let source = format!("receivers: [{{name: r, {}: [{{send_resolve: y}}]}}]", list.section);
        let want = format!(
            "unknown key \"send_resolve\" in receiver \"r\": {}[0]\n  help: did you mean \"send_resolved\"?",
            list.section
        );
        assert!(read(&source).found.iter().any(|found| found.contains(&want)), "{}", list.section);
    }
}

#[test]
fn all_findings_come_at_once() {
    let file = read(
        "receivers:\n- name: a\n  email_configs: [{}]\n  webhook_configs: [{url: x, max_alerts: -1}]\n- {}\nglobal: {smtp_from: [x]}\n",
    );
    let lines: Vec<&str> = file.found.iter().map(|found| found.split_once(": ").unwrap().0).collect();
    assert_eq!(lines, ["f:3:19", "f:3:19", "f:3:19", "f:4:27", "f:4:42", "f:5:3", "f:6:21"]);
}

#[test]
fn templates_are_listed_with_their_places() {
    let integration =
        accepted("", "webhook", "url: 'http://x/{{ .Receiver }}'\npayload: {'{{ .k }}': ['{{ .v }}', plain]}");
    let listed: Vec<_> =
        integration.templates.iter().map(|t| (t.position.to_string(), t.what.as_str(), t.text.expose())).collect();
    let what = "receiver \"r\": webhook_configs[0]: ";
    assert_eq!(
        listed,
        [
            ("4:10".to_owned(), &*format!("{what}url"), "http://x/{{ .Receiver }}"),
            ("5:15".to_owned(), &*format!("{what}payload"), "{{ .k }}"),
            ("5:28".to_owned(), &*format!("{what}payload"), "{{ .v }}"),
        ]
    );
    let mail = accepted(
        "smtp_from: a\nsmtp_smarthost: a:1",
        "email",
        "to: '{{ .t }}'\nhtml: '{{ .h }}'\nheaders: {X: '{{ .x }}'}",
    );
    let listed: Vec<_> = mail.templates.iter().map(|t| (t.text.expose(), t.html)).collect();
    assert_eq!(listed, [("{{ .t }}", false), ("{{ .x }}", false), ("{{ .h }}", true)]);
}
