//! The golden group of contract alertmanager §8.11, the functions of §8.3, the texts of §8.4 and §8.5.

use std::sync::Arc;

use crate::model::{
    Alert, AlertEnd, AlertStatus, GroupKey, IntegrationId, LabelSet, Notification, NotificationReason, NotifiedAlert,
    ReceiverData, Timestamp,
};

use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339_lenient(text).unwrap()
}

fn alert(labels: Pairs<'_>, annotations: Pairs<'_>, url: &str, start: &str, end: Option<&str>) -> NotifiedAlert {
    let (starts_at, ends_at) = (at(start), end.map(at));
    NotifiedAlert {
        alert: Arc::new(Alert {
            labels: LabelSet::from_pairs(labels.iter().copied()),
            annotations: LabelSet::from_pairs(annotations.iter().copied()),
            starts_at,
            end: AlertEnd::Resolved { at: ends_at.unwrap_or(starts_at), ours: false },
            updated_at: starts_at,
            generator_url: Arc::from(url),
        }),
        status: if end.is_some() { AlertStatus::Resolved } else { AlertStatus::Firing },
        starts_at,
        ends_at,
    }
}

fn notification(group: Pairs<'_>, route: Pairs<'_>, alerts: Vec<NotifiedAlert>) -> Notification {
    let group_labels = LabelSet::from_pairs(group.iter().copied());
    Notification {
        integration: IntegrationId { receiver: Arc::from("team.x"), kind: "webhook", index: 0 },
        group_key: GroupKey::new("{}", &group_labels),
        group_labels,
        route_labels: route.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        reason: NotificationReason::SomeAlertsResolved,
        alerts,
        tick: at("2026-01-02T03:10:00Z"),
        idempotency_key: Arc::from("key"),
        receiver_data: ReceiverData::new(),
    }
}

fn golden_alerts() -> Vec<NotifiedAlert> {
    let labels = |instance| {
        [
            ("alertname", "HighCPU"),
            ("cluster", "eu1"),
            ("instance", instance),
            ("job", "node"),
            ("severity", "critical"),
        ]
    };
    vec![
        alert(
            &labels("a:9100"),
            &[("description", "CPU <95%> & \"rising\""), ("runbook", "http://rb/1")],
            "http://prom/graph?g0.expr=up%3D%3D0&g0.tab=1",
            "2026-01-02T03:04:05.678Z",
            None,
        ),
        alert(
            &labels("b:9100"),
            &[("runbook", "http://rb/1")],
            "http://prom/b",
            "2026-01-02T03:00:00Z",
            Some("2026-01-02T03:10:00Z"),
        ),
    ]
}

fn golden_group(alerts: Vec<NotifiedAlert>) -> Notification {
    let group = [("alertname", "HighCPU"), ("cluster", "eu1")];
    notification(&group, &[("owner", "ops-{{ .GroupLabels.cluster }}")], alerts)
}

fn data(notification: &Notification) -> Data {
    Data::new(notification, "http://am.example:9093/", &Templates::builtin())
}

fn golden() -> Data {
    data(&golden_group(golden_alerts()))
}

fn render(text: &str, data: &Data) -> String {
    Templates::builtin().render_text(text, data).unwrap_or_else(|error| error.to_string())
}

fn named(name: &str, data: &Data) -> String {
    render(&format!("{{{{ template \"{name}\" . }}}}"), data)
}

#[test]
fn the_golden_group_is_shown_as_the_peer_shows_it() {
    let url = "http://am.example:9093/#/alerts?receiver=team%5C.x";
    let both = golden();
    let cases = [
        ("__subject", "[FIRING:1] HighCPU eu1 (node critical)"),
        ("__alertmanager", "Alertmanager"),
        ("__alertmanagerURL", url),
        ("__description", ""),
        ("email.default.subject", "[FIRING:1] HighCPU eu1 (node critical)"),
        ("slack.default.color", "danger"),
        ("slack.default.username", "Alertmanager"),
        ("slack.default.titlelink", url),
        ("slack.default.text", ""),
        ("pagerduty.default.client", "Alertmanager"),
        ("pagerduty.default.clientURL", url),
    ];
    for (name, want) in cases {
        assert_eq!(named(name, &both), want, "{name}");
    }
    let fallback = format!("[FIRING:1] HighCPU eu1 (node critical) | {url}");
    assert_eq!(named("slack.default.fallback", &both), fallback);
    let [firing, resolved] = <[_; 2]>::try_from(golden_alerts()).unwrap();
    let only_firing = data(&golden_group(vec![firing]));
    assert_eq!(named("__subject", &only_firing), "[FIRING:1] HighCPU eu1 (a:9100 node critical)");
    let only_resolved = data(&golden_group(vec![resolved]));
    assert_eq!(named("__subject", &only_resolved), "[RESOLVED] HighCPU eu1 (b:9100 node critical)");
    assert_eq!(named("slack.default.color", &only_resolved), "good");
    let instances = "Labels:\n - alertname = HighCPU\n - cluster = eu1\n - instance = b:9100\n - job = node\n - severity = critical\nAnnotations:\n - runbook = http://rb/1\nSource: http://prom/b\n";
    assert_eq!(render("{{ template \"pagerduty.default.instances\" .Alerts.Resolved }}", &both), instances);
}

#[test]
fn subjects_have_the_blanks_of_the_peer() {
    let one = |labels: Pairs<'_>| vec![alert(labels, &[], "U", "2026-01-02T03:04:05Z", None)];
    let hi = [("alertname", "Hi")];
    assert_eq!(named("__subject", &data(&notification(&hi, &[], one(&hi)))), "[FIRING:1] Hi ");
    let more = [("alertname", "Hi"), ("a", "a<b"), ("severity", "critical")];
    assert_eq!(named("__subject", &data(&notification(&hi, &[], one(&more)))), "[FIRING:1] Hi (a<b critical)");
    let resolved = vec![alert(&hi, &[], "U", "2026-01-02T03:04:05Z", Some("2026-01-02T03:05:00Z"))];
    assert_eq!(named("__subject", &data(&notification(&[], &[], resolved))), "[RESOLVED]  (Hi)");
}

/// The table at the end of contract alertmanager §8.5.
#[test]
fn lists_have_the_white_space_of_the_peer() {
    let hi = [("alertname", "Hi")];
    let firing = || alert(&hi, &[("s", "t")], "U", "2026-01-02T03:04:05Z", None);
    let resolved = || alert(&hi, &[], "U", "2026-01-02T03:00:00Z", Some("2026-01-02T03:10:00Z"));
    let group = |alerts| data(&notification(&hi, &[], alerts));
    let list_firing = "Labels:\n - alertname = Hi\nAnnotations:\n - s = t\nSource: U\n";
    let list_resolved = "Labels:\n - alertname = Hi\nAnnotations:\nSource: U\n";
    let both = group(vec![firing(), resolved()]);
    assert_eq!(
        named("opsgenie.default.description", &both),
        format!("\nAlerts Firing:\n{list_firing}\nAlerts Resolved:\n{list_resolved}")
    );
    assert_eq!(
        named("opsgenie.default.description", &group(vec![firing()])),
        format!("t\nAlerts Firing:\n{list_firing}\n")
    );
    assert_eq!(
        named("opsgenie.default.description", &group(vec![resolved()])),
        format!("\n\nAlerts Resolved:\n{list_resolved}")
    );
    assert_eq!(
        named("pushover.default.message", &both),
        format!("\n\nAlerts Firing:\n{list_firing}\n\n\nAlerts Resolved:\n{list_resolved}\n\n")
    );
    assert_eq!(
        named("telegram.default.message", &group(vec![firing()])),
        format!("\n\nAlerts Firing:\n{list_firing}\n\n\n")
    );
    let bare = alert(&hi, &[], "U", "2026-01-02T03:04:05Z", None);
    assert_eq!(
        named("msteams.default.text", &group(vec![bare])),
        "\n\n# Alerts Firing:\n\nLabels:\n  - alertname = Hi\n\nAnnotations:\n\nSource: U\n\n\n\n\n"
    );
}

#[test]
fn the_email_shows_what_the_contract_lists_and_escapes_it() {
    let html = Templates::builtin().render_html("{{ template \"email.default.html\" . }}", &golden()).unwrap();
    let without_tags = regex::Regex::new("<[^>]*>").unwrap().replace_all(&html, "\n").into_owned();
    let mut lines = without_tags.lines().map(str::trim).filter(|line| !line.is_empty());
    let shown = [
        "[FIRING:1] HighCPU eu1 (node critical)",
        "2 alerts for alertname=HighCPU cluster=eu1",
        "View in Alertmanager",
        "[1] Firing",
        "Labels",
        "alertname = HighCPU",
        "Annotations",
        "description = CPU &lt;95%&gt; &amp; &#34;rising&#34;",
        "Source",
        "[1] Resolved",
        "instance = b:9100",
        "Sent by Alertmanager",
    ];
    for want in shown {
        assert!(lines.any(|line| line == want), "{want:?} in its turn in\n{html}");
    }
    for part in [
        "#E6522C",
        "href=\"http://am.example:9093/#/alerts?receiver=team%5C.x\"",
        "href=\"http://prom/graph?g0.expr=up%3D%3D0&amp;g0.tab=1\"",
        "href=\"http://am.example:9093\"",
    ] {
        assert!(html.contains(part), "{part} in\n{html}");
    }
    let [_, resolved] = <[_; 2]>::try_from(golden_alerts()).unwrap();
    let green = data(&golden_group(vec![resolved]));
    let html = Templates::builtin().render_html("{{ template \"email.default.html\" . }}", &green).unwrap();
    assert!(!html.contains("#E6522C") && html.contains("1 alert for"), "{html}");
}

#[test]
fn the_data_is_that_of_the_contract() {
    let cases = [
        ("{{ .Receiver }} {{ .Status }} {{ .NotificationReason }}", r"team\.x firing some alerts resolved"),
        ("{{ .ExternalURL }} {{ len .Alerts }} {{ len .Alerts.Firing }}", "http://am.example:9093 2 1"),
        (
            "{{ .GroupLabels }}|{{ .CommonAnnotations }}|{{ .RouteLabels }}",
            "alertname=HighCPU, cluster=eu1|runbook=http://rb/1|owner=ops-eu1",
        ),
        (
            "{{ .CommonLabels.SortedPairs.Names }} {{ .CommonLabels.Values.Join \"/\" }}",
            "[alertname cluster job severity] HighCPU/eu1/node/critical",
        ),
        ("{{ (.CommonLabels.Remove .GroupLabels.Names).Names }}", "[job severity]"),
        ("{{ .CommonLabels.missing }}|{{ .GroupLabels.SortedPairs }}", "|alertname=HighCPU, cluster=eu1"),
        (
            "{{ range .GroupLabels.SortedPairs }}{{ . }}{{ .Name }}={{ .Value }};{{ end }}",
            "{alertname HighCPU}alertname=HighCPU;{cluster eu1}cluster=eu1;",
        ),
        (
            "{{ with index .Alerts 1 }}{{ .StartsAt }} {{ .EndsAt.Format \"15:04\" }} {{ .Fingerprint }} {{ .GeneratorURL }}{{ end }}",
            "2026-01-02 03:00:00 +0000 UTC 03:10 959d909e76ad614d http://prom/b",
        ),
        ("{{ (index .Alerts 0).EndsAt }} {{ (index .Alerts 0).EndsAt.IsZero }}", "0001-01-01 00:00:00 +0000 UTC true"),
        ("{{ range $k, $v := .GroupLabels }}{{ $k }}:{{ $v }} {{ end }}", "alertname:HighCPU cluster:eu1 "),
        (
            "{{ printf \"%s|%v\" .GroupLabels .GroupLabels.SortedPairs }}",
            "alertname=HighCPU, cluster=eu1|alertname=HighCPU, cluster=eu1",
        ),
        ("{{ .Foo }}", "template: :1:3: executing \"\" at <.Foo>: can't evaluate field Foo in type *template.Data"),
        (
            "{{ range .Alerts }}{{ .Nope }}{{ end }}",
            "template: :1:22: executing \"\" at <.Nope>: can't evaluate field Nope in type template.Alert",
        ),
        (
            "{{ match \"[\" \"x\" }}",
            "template: :1:3: executing \"\" at <match \"[\" \"x\">: error calling match: error parsing regexp: missing closing ]: `[`",
        ),
        ("{{ foo }}", "template: :1: function \"foo\" not defined"),
        (
            "{{ template \"__subject\" 5 }}",
            "template: default.tmpl:5:13: executing \"__subject\" at <.Alerts.Firing>: can't evaluate field Alerts in type int",
        ),
    ];
    let golden = golden();
    for (text, want) in cases {
        assert_eq!(render(text, &golden), want, "{text}");
    }
}

#[test]
fn functions_give_what_the_contract_says() {
    let cases = [
        ("{{ toUpper \"straße\" }} {{ toLower \"ABC\" }} {{ title \"foo-bar HELLO\" }}", "STRAßE abc Foo-Bar Hello"),
        (
            "{{ trimSpace \"  a b \" }}|{{ join \",\" (stringSlice \"a\" \"b\") }}|{{ (stringSlice \"a\" \"b\").Join \"+\" }}",
            "a b|a,b|a+b",
        ),
        ("{{ match \"b+\" \"abc\" }} {{ reReplaceAll \"(?P<x>b)\" \"<${x}>$1x.\" \"abc\" }}", "true a<b>.c"),
        (
            "{{ list 1 \"a\" }} {{ append (list 1) 2 3 }} {{ dict \"a\" 1 \"b\" \"c\" }} {{ (dict \"a\" 1).b }}",
            "[1 a] [1 2 3] map[a:1 b:c] <no value>",
        ),
        (
            "{{ dict \"b\" (list 1 true nil) \"a\" \"<&>\" | toJson }}",
            "{\"a\":\"\\u003c\\u0026\\u003e\",\"b\":[1,true,null]}",
        ),
        (
            "{{ .GroupLabels | toJson }} {{ .GroupLabels.Names | toJson }}",
            "{\"alertname\":\"HighCPU\",\"cluster\":\"eu1\"} [\"alertname\",\"cluster\"]",
        ),
        ("{{ base64encode \"a?>~\" }} {{ base64decode \"YT8-fg==\" }}", "YT8-fg== a?>~"),
        (
            "{{ urlUnescape \"a+b%26\" }} {{ \"a b\" | urlquery }} {{ safeHtml \"<b>\" }}{{ safeUrl \"x:y\" }}",
            "a b& a+b <b>x:y",
        ),
        ("{{ routeLabels \"owner\" }}|{{ routeLabels \"none\" }}", "ops-eu1|"),
        ("{{ (index .Alerts 0).StartsAt | tz \"Europe/Berlin\" | date \"15:04 MST\" }}", "04:04 CET"),
        (
            "{{ toDate \"2006-01-02\" \"2026-03-04\" }} {{ toDate \"2006\" \"x\" }}",
            "2026-03-04 00:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC",
        ),
        (
            "{{ now }} {{ since (index .Alerts 1).StartsAt }} {{ (since (index .Alerts 1).StartsAt).Seconds }}",
            "2026-01-02 03:10:00 +0000 UTC 10m0s 600",
        ),
        (
            "{{ humanizeDuration 90 }} {{ humanizeDuration \"0.1235\" }} {{ humanizeDuration (since (index .Alerts 1).StartsAt) }}",
            "1m 30s 123.5ms 10m 0s",
        ),
        (
            "{{ join \",\" (list \"a\") }}",
            "template: :1:18: executing \"\" at <\"a\">: wrong type for value; expected []string; got []interface {}",
        ),
        (
            "{{ dict \"a\" }}",
            "template: :1:3: executing \"\" at <dict \"a\">: error calling dict: dict needs an even number of arguments",
        ),
        (
            "{{ tz \"Mars\" now }}",
            "template: :1:3: executing \"\" at <tz \"Mars\" now>: error calling tz: unknown time zone Mars",
        ),
        (
            "{{ base64decode \"a\" }}",
            "template: :1:3: executing \"\" at <base64decode \"a\">: error calling base64decode: illegal base64 data at input byte 1",
        ),
        (
            "{{ humanizeDuration \"1m\" }}",
            "template: :1:3: executing \"\" at <humanizeDuration \"1m\">: error calling humanizeDuration: strconv.ParseFloat: parsing \"1m\": invalid syntax",
        ),
        ("{{ humanize 5 }}", "template: :1: function \"humanize\" not defined"),
    ];
    let golden = golden();
    for (text, want) in cases {
        assert_eq!(render(text, &golden), want, "{text}");
    }
}

/// The alerts of the webhook body of contract alertmanager §8.11.
#[test]
fn alerts_as_json_are_those_of_the_webhook() {
    let want = r#"[{"status":"firing","labels":{"alertname":"HighCPU","cluster":"eu1","instance":"a:9100","job":"node","severity":"critical"},"annotations":{"description":"CPU \u003c95%\u003e \u0026 \"rising\"","runbook":"http://rb/1"},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/graph?g0.expr=up%3D%3D0\u0026g0.tab=1","fingerprint":"8455fba34a37e872"},{"status":"resolved","labels":{"alertname":"HighCPU","cluster":"eu1","instance":"b:9100","job":"node","severity":"critical"},"annotations":{"runbook":"http://rb/1"},"startsAt":"2026-01-02T03:00:00Z","endsAt":"2026-01-02T03:10:00Z","generatorURL":"http://prom/b","fingerprint":"959d909e76ad614d"}]"#;
    assert_eq!(render("{{ .Alerts | toJson }}", &golden()), want);
    let whole = render("{{ . | toJson }}", &golden());
    assert!(whole.starts_with(r#"{"receiver":"team\\.x","status":"firing","alerts":[{"status""#), "{whole}");
    assert!(whole.ends_with(r#""notification_reason":"some alerts resolved","groupLabels":{"alertname":"HighCPU","cluster":"eu1"},"commonLabels":{"alertname":"HighCPU","cluster":"eu1","job":"node","severity":"critical"},"commonAnnotations":{"runbook":"http://rb/1"},"routeLabels":{"owner":"ops-eu1"},"externalURL":"http://am.example:9093"}"#), "{whole}");
}

/// The vectors of contract alertmanager §8.7.
#[test]
fn payload_texts_become_the_values_that_they_spell() {
    let given = serde_json::json!({
        "alerts": "{{ .Alerts.Firing | toJson }}",
        "count": "{{ len .Alerts }}",
        "{{ .Status }}": "true",
        "empty": "",
        "decimal": "1.10",
        "yes": 7,
        "nested": [{"a": "010"}, "1_000", "  5 ", "x: y", "2026-01-02", "\"5\"", null, false, "{ broken", "[1, \"{{ .Status }}\"]"],
    });
    let rendered = Templates::builtin().render_value(&given, &golden()).unwrap();
    assert_eq!(rendered["alerts"][0]["labels"]["instance"], "a:9100");
    assert_eq!(rendered["count"], 2);
    assert_eq!(rendered["firing"], true);
    assert_eq!(rendered["empty"], serde_json::Value::Null);
    assert_eq!(rendered["decimal"], 1.1);
    // A key is a key, whatever it spells.
    assert_eq!(rendered["yes"], 7);
    let nested = serde_json::json!([
        {"a": 8}, 1000, 5, {"x": true}, "2026-01-02", "\"5\"", null, false, "{ broken", [1, "firing"]
    ]);
    assert_eq!(rendered["nested"], nested);
    let error = Templates::builtin().render_value(&serde_json::json!({"a": ["{{ .Nope }}"]}), &golden()).unwrap_err();
    assert!(error.to_string().contains("<.Nope>"));
}

#[test]
fn route_labels_may_need_each_other_but_not_themselves() {
    let route = [
        ("a", "{{ routeLabels \"b\" }}!"),
        ("b", "{{ .NotificationReason }}-{{ .GroupLabels.cluster }}"),
        ("c", "{{ routeLabels \"d\" }}"),
        ("d", "{{ routeLabels \"c\" }}"),
        ("e", "{{ .Nope }}"),
        ("f", "plain"),
    ];
    let data = data(&notification(&[("cluster", "eu1")], &route, golden_alerts()));
    assert_eq!(
        data.route_labels(),
        &LabelSet::from_pairs([("a", "unknown-eu1!"), ("b", "unknown-eu1"), ("f", "plain")])
    );
    let long: Vec<(String, String)> = (0..2000)
        .map(|index| (format!("l{index:04}"), format!("{{{{ routeLabels \"l{:04}\" }}}}", index + 1)))
        .chain([("l2000".to_owned(), "{{ .Status }}".to_owned())])
        .collect();
    let rendered = Templates::builtin().render_route_labels(&long, &data);
    assert_eq!((rendered.len(), rendered.value("l0000")), (2001, "firing"));
    let labels = route.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let error = data::RouteLabels::new(&data, &labels).render("c").unwrap_err();
    assert!(error.contains("route labels need each other: c -> d -> c"), "{error}");
}

#[test]
fn files_replace_what_is_built_in() {
    let file = |path: &str, text: &str| TemplateFile { path: path.to_owned(), text: text.to_owned() };
    let files = [
        file(
            "conf/a.tmpl",
            "{{ define \"__subject\" }}mine{{ end }}{{ define \"own\" }}<{{ .Status }}>{{ end }}outside",
        ),
        file("conf/b.tmpl", "{{ define \"own\" }}({{ .Status }}){{ end }}"),
    ];
    let templates = Templates::load(&files).map_err(|errors| errors[0].1.to_string()).unwrap();
    let text = "{{ template \"slack.default.title\" . }} {{ template \"own\" . }} {{ template \"a.tmpl\" . }}";
    assert_eq!(templates.render_text(text, &golden()).unwrap(), "mine (firing) outside");
    let html = "<b>{{ template \"own\" . }}</b>{{ template \"email.default.html\" . }}";
    let html = templates.render_html(html, &golden()).unwrap();
    assert!(html.starts_with("<b>(firing)</b>") && html.contains("<title>mine</title>"));
    let broken = [file("x/ok.tmpl", "fine"), file("x/bad.tmpl", "a\n  {{ if }}")];
    let errors = Templates::load(&broken).unwrap_err();
    let (path, error) = &errors[0];
    assert_eq!((errors.len(), path.as_str()), (1, "x/bad.tmpl"));
    assert_eq!((error.line, error.to_string().as_str()), (Some(2), "template: bad.tmpl:2: missing value for if"));
}

#[test]
fn what_is_wrong_with_a_text_is_known_at_load() {
    let templates = Templates::builtin();
    let check = |text: &str| templates.check_text(text).err().map(|error| error.to_string());
    assert_eq!(check("{{ template \"email.default.html\" . }}"), None);
    assert_eq!(
        check("{{ template \"nope\" . }}").unwrap(),
        "template: :1:12: executing \"\" at <{{template \"nope\" .}}>: template \"nope\" not defined"
    );
    assert_eq!(check("{{ .Anything }}"), None);
    assert_eq!(check("a{{ end }}").unwrap(), "template: :1: unexpected {{end}}");
    let html = templates.check_html("{{ if .Alerts }}<a href=\"{{ end }}x").unwrap_err();
    assert!(html.to_string().contains("branches end in different contexts"), "{html}");
    templates.check_html("{{ template \"email.default.html\" . }}").unwrap();
}

#[test]
fn every_built_in_definition_renders_in_both_modes() {
    let golden = golden();
    let texts = ["default.tmpl", "email.tmpl", "other.tmpl"].map(|file| {
        std::fs::read_to_string(format!("{}/src/template/builtin/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    });
    let names = texts.iter().flat_map(|text| {
        text.match_indices("{{ define \"").map(|(at, found)| {
            let rest = &text[at + found.len()..];
            &rest[..rest.find('"').unwrap()]
        })
    });
    let mut count = 0;
    for name in names {
        count += 1;
        let argument = if name.starts_with("__text") || name.contains("instances") || name == "__jira_priority" {
            ".Alerts"
        } else if name == "__email_alert" {
            "(index .Alerts 0)"
        } else {
            "."
        };
        let text = format!("{{{{ template \"{name}\" {argument} }}}}");
        Templates::builtin().render_text(&text, &golden).unwrap_or_else(|error| panic!("{name}: {error}"));
        Templates::builtin().render_html(&text, &golden).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(count > 60, "{count}");
    assert_eq!(named("jira.default.priority", &golden), "High");
}

#[test]
fn a_thousand_alerts_fit_in_the_limits() {
    let many: Vec<NotifiedAlert> = (0..500).flat_map(|_| golden_alerts()).collect();
    let data = data(&golden_group(many));
    let html = Templates::builtin().render_html("{{ template \"email.default.html\" . }}", &data).unwrap();
    assert!(html.contains("1000 alerts for") && html.matches("CPU &lt;95%&gt;").count() == 500);
    let text = render("{{ template \"__text_alert_list\" .Alerts }}{{ .Alerts | toJson }}", &data);
    assert_eq!(text.matches("instance = b:9100").count(), 500);
}
