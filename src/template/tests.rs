//! The golden group of contract alertmanager §8.11, and the rules' texts of contract prometheus §c.
use std::sync::Arc;

use super::*;
use crate::model::*;

fn alert(pairs: &[(&str, &str)], notes: &[(&str, &str)], url: &str, start: i64, end: Option<i64>) -> NotifiedAlert {
    let starts_at = Timestamp::from_millis(start);
    let at = Timestamp::from_millis(end.unwrap_or(start + 1));
    let alert = Alert {
        labels: LabelSet::from_pairs(pairs.iter().copied()),
        annotations: LabelSet::from_pairs(notes.iter().copied()),
        starts_at,
        end: AlertEnd::Resolved { at, ours: false },
        updated_at: starts_at,
        generator_url: url.into(),
    };
    let status = if end.is_some() { AlertStatus::Resolved } else { AlertStatus::Firing };
    NotifiedAlert { alert: Arc::new(alert), status, starts_at, ends_at: end.map(Timestamp::from_millis) }
}

fn golden() -> Notification {
    let shared = [("alertname", "HighCPU"), ("cluster", "eu1"), ("job", "node"), ("severity", "critical")];
    let with = |instance| [&shared[..], &[("instance", instance)]].concat();
    let group = LabelSet::from_pairs([("alertname", "HighCPU"), ("cluster", "eu1")]);
    let start = Timestamp::parse_rfc3339_lenient("2026-01-02T03:04:05.678Z").unwrap().as_millis();
    let other = Timestamp::parse_rfc3339_lenient("2026-01-02T03:00:00Z").unwrap().as_millis();
    Notification {
        integration: IntegrationId { receiver: "team.x".into(), kind: "webhook", index: 0 },
        group_key: GroupKey::new("{}", &group),
        group_labels: group,
        route_labels: [("owner".to_owned(), "ops-{{ .GroupLabels.cluster }}".to_owned())].into(),
        reason: NotificationReason::SomeAlertsResolved,
        alerts: vec![
            alert(
                &with("a:9100"),
                &[("description", "CPU <95%> & \"rising\""), ("runbook", "http://rb/1")],
                "http://prom/graph?g0.expr=up%3D%3D0&g0.tab=1",
                start,
                None,
            ),
            alert(&with("b:9100"), &[("runbook", "http://rb/1")], "http://prom/b", other, Some(other + 600_000)),
        ],
        tick: Timestamp::from_millis(start),
        idempotency_key: "k".into(),
        receiver_data: ReceiverData::new(),
    }
}

fn rendered(text: &str) -> String {
    let templates = Templates::builtin();
    let data = Data::new(&golden(), "http://am.example:9093", &templates);
    templates.render_text(text, &data).unwrap_or_else(|error| error.to_string())
}

#[test]
fn the_golden_group_renders_as_recorded() {
    let cases = [
        (r#"{{ template "slack.default.title" . }}"#, "[FIRING:1] HighCPU eu1 (node critical)"),
        (r#"{{ template "slack.default.titlelink" . }}"#, "http://am.example:9093/#/alerts?receiver=team%5C.x"),
        (
            r#"{{ template "slack.default.fallback" . }}"#,
            "[FIRING:1] HighCPU eu1 (node critical) | http://am.example:9093/#/alerts?receiver=team%5C.x",
        ),
        (r#"{{ template "slack.default.color" . }}"#, "danger"),
        ("{{ .RouteLabels }} {{ routeLabels \"owner\" }}", "owner=ops-eu1 ops-eu1"),
        ("{{ .CommonLabels }}", "alertname=HighCPU, cluster=eu1, job=node, severity=critical"),
        (
            "{{ printf \"%s\" .GroupLabels }}|{{ .GroupLabels.SortedPairs }}",
            "alertname=HighCPU, cluster=eu1|alertname=HighCPU, cluster=eu1",
        ),
        ("{{ .Receiver }} {{ .NotificationReason }} {{ .CommonLabels.nope }}.", r"team\.x some alerts resolved ."),
        ("{{ (index .Alerts 0).StartsAt }}", "2026-01-02 03:04:05.678 +0000 UTC"),
        ("{{ (index .Alerts 0).EndsAt }}", "0001-01-01 00:00:00 +0000 UTC"),
        ("{{ range $i, $a := .Alerts }}{{ $i }}{{ $a.Labels.instance }} {{ end }}", "0a:9100 1b:9100 "),
        ("{{ .GroupLabels.Values | join \",\" }}{{ (dict \"a\" 1).b }}", "HighCPU,eu1<no value>"),
        (
            "{{ title \"HELLO wORLD foo-bar foo_bar foo.bar foo:bar foo/bar foo@bar don't 3rd a1b2 3x4y _a 1.b ßa ǆ bΣ\" }}",
            "Hello World Foo-Bar Foo_bar Foo.bar Foo:bar Foo/Bar Foo@Bar Don't 3Rd A1b2 3X4y _A 1.B Ssa ǅ Bς",
        ),
        ("{{ toUpper \"straße\" }} {{ toLower \"İ\" }}", "STRAßE i"),
        (
            "{{ humanizeDuration 60.7 }} {{ humanizeDuration 0.9999999 }} {{ humanizeDuration 1e9 }}",
            "1m 0s 1000ms 11574d 1h 46m 40s",
        ),
        ("{{ (index .Alerts 1).EndsAt.Format \"15:04 Jan _2\" }}", "03:10 Jan  2"),
    ];
    for (text, want) in cases {
        assert_eq!(rendered(text), want, "{text}");
    }
    let json = rendered("{{ .Alerts.Firing | toJson }}");
    assert_eq!(
        json,
        r#"[{"annotations":{"description":"CPU \u003c95%\u003e \u0026 \"rising\"","runbook":"http://rb/1"},"endsAt":"0001-01-01T00:00:00Z","fingerprint":"8455fba34a37e872","generatorURL":"http://prom/graph?g0.expr=up%3D%3D0\u0026g0.tab=1","labels":{"alertname":"HighCPU","cluster":"eu1","instance":"a:9100","job":"node","severity":"critical"},"startsAt":"2026-01-02T03:04:05.678Z","status":"firing"}]"#
    );
    let list = rendered(r#"{{ template "pagerduty.default.instances" .Alerts.Resolved }}"#);
    assert_eq!(
        list,
        "Labels:\n - alertname = HighCPU\n - cluster = eu1\n - instance = b:9100\n - job = node\n - severity = critical\nAnnotations:\n - runbook = http://rb/1\nSource: http://prom/b\n"
    );
}

#[test]
fn the_built_in_email_escapes_what_it_shows() {
    let templates = Templates::builtin();
    let data = Data::new(&golden(), "http://am.example:9093", &templates);
    let html = templates.render_html(r#"{{ template "email.default.html" . }}"#, &data).unwrap();
    for part in [
        "2 alerts for alertname=HighCPU cluster=eu1",
        "View in Alertmanager",
        "[1] Firing",
        "alertname = HighCPU",
        "description = CPU &lt;95%&gt; &amp; &#34;rising&#34;",
        "[1] Resolved",
        "#E6522C",
        "receiver=team%5C.x",
        "g0.expr=up%3D%3D0&amp;g0.tab=1",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    templates.check_html(r#"{{ template "email.default.html" . }}"#).unwrap();
}

#[test]
fn errors_are_gos_and_known_at_load() {
    let templates = Templates::builtin();
    let check = |text: &str| templates.check_text(text).map_or_else(|error| error.to_string(), |()| "fine".to_owned());
    assert_eq!(check("{{ foo }}"), "template: :1: function \"foo\" not defined");
    assert_eq!(check("{{ $x }}"), "template: :1: undefined variable \"$x\"");
    assert_eq!(check("{{ template \"no\" . }}"), "template: :1: template \"no\" not defined");
    assert_eq!(check("a{{ end }}b"), "template: :1: unexpected {{end}}");
    assert_ne!(check("{{ if .x }}b"), "fine");
    assert_ne!(check("{{ define \"x\" }}b"), "fine");
    let failed = rendered(r#"{{ match "[" "x" }}"#);
    assert!(
        failed.starts_with(r#"template: :1:3: executing "" at <match "[" "x">: error calling match: error parsing"#),
        "{failed}"
    );
    assert!(rendered("{{ .Nope }}").ends_with("at <.Nope>: can't evaluate field Nope in type *template.Data"));
    assert!(
        rendered("{{ $x := \"0123456789\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}")
            .contains("too large")
    );
}

#[test]
fn payload_strings_become_the_values_that_they_spell() {
    let templates = Templates::builtin();
    let data = Data::new(&golden(), "http://am.example:9093", &templates);
    let given = serde_json::json!({"n": "{{ len .Alerts }}", "e": "", "t": "  5 ", "yes": "yes", "s": "\"5\"", "o": "010", "keep": 3,
        "l": "{{ .GroupLabels | toJson }}", "d": "2026-01-02", "{{ .Status }}": "x"});
    let want = serde_json::json!({"n": 2, "e": null, "t": 5, "true": true, "s": "\"5\"", "o": 8, "keep": 3,
        "l": {"alertname": "HighCPU", "cluster": "eu1"}, "d": "2026-01-02", "firing": "x"});
    let mut got = templates.render_value(&given, &data).unwrap();
    let yes = got.as_object_mut().unwrap().remove("yes").unwrap();
    got["true"] = yes;
    assert_eq!(got, want);
}

#[test]
fn rules_texts_print_as_recorded() {
    let labels = LabelSet::from_pairs([("job", "node")]);
    let none = LabelSet::empty();
    let query =
        |_: &str| Ok(vec![Sample { labels: LabelSet::from_pairs([("a", "1")]), at: Timestamp::EPOCH, value: 2.5 }]);
    let context = RuleContext {
        external_labels: &none,
        external_url: "http://x/p/",
        now: Timestamp::from_secs(1),
        query: &query,
        limits: Limits::default(),
    };
    let run = |text: &str, value: f64| {
        RuleTemplate::parse("A", text)
            .and_then(|t| t.render(&labels, value, &context))
            .unwrap_or_else(|e| e.to_string())
    };
    let cases = [
        ("{{ $labels.job }}{{ $labels.x }} {{ $labels }}", 1.0, "node map[job:node]"),
        ("{{ $value }}", 1_234_567.0, "1.234567e+06"),
        ("{{ $value }}", 123_456.0, "123456"),
        ("{{ humanize $value }}", 1_234_567.0, "1.235M"),
        ("{{ $value | humanizePercentage }}", 0.123_456_7, "12.35%"),
        ("{{ humanizeDuration .Value }}", 899.99, "14m 59s"),
        ("{{ humanizeDuration \"-0.5\" }}", 0.0, "-500ms"),
        ("{{ humanize1024 1048576 }} {{ humanize 0.99999 }}", 0.0, "1Mi 1000m"),
        ("{{ humanizeTimestamp 1435065584.128 }}", 0.0, "2015-06-23 13:19:44.128 +0000 UTC"),
        (
            "{{ with query \"up\" }}{{ . | first | value }}{{ (first .).Labels.a }}{{ label \"a\" (first .) }}{{ end }}",
            0.0,
            "2.511",
        ),
        ("{{ printf \"%.2f %s\" $value \"x\" }}", 1.5, "1.50 x"),
        (
            "{{ gt $value 5 }}",
            6.0,
            "template: __alert_A:1:115: executing \"__alert_A\" at <gt $value 5>: error calling gt: incompatible types for comparison: float64 and int",
        ),
        (
            "{{ humanize \"abc\" }}",
            0.0,
            "template: __alert_A:1:115: executing \"__alert_A\" at <humanize \"abc\">: error calling humanize: strconv.ParseFloat: parsing \"abc\": invalid syntax",
        ),
        ("{{ nofunc }}", 0.0, "template: __alert_A:1: function \"nofunc\" not defined"),
        ("{{ toDuration 90.5 }} {{ toDuration 0.001 }} {{ now }}", 0.0, "1m30.5s 1ms 1"),
        (
            "{{ stripPort \"host:\" }} {{ stripDomain \"foo.example.com:12345\" }} {{ pathPrefix }}",
            0.0,
            "host foo:12345 /p",
        ),
        ("{{ title \"aa bb CC\" }}", 0.0, "Aa Bb CC"),
        ("{{ title \"foo-bar o'neil x_y 1ab\" }}", 0.0, "Foo-Bar O'neil X_y 1Ab"),
        ("{{ range sortByLabel \"a\" (query \"x\") }}{{ .Value }}{{ end }}{{ (args 1 2).arg1 }}", 0.0, "2.52"),
    ];
    for (text, value, want) in cases {
        assert_eq!(run(text, value), want, "{text}");
    }
    assert!(run("{{ .Foo }}", 0.0).starts_with(
        "template: __alert_A:1:115: executing \"__alert_A\" at <.Foo>: can't evaluate field Foo in type struct { Labels"
    ));
}
