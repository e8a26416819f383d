//! What contract prometheus §c says of each function, and of errors.

use super::*;

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::from_pairs(pairs.iter().copied())
}

fn answer(expr: &str) -> Result<Vec<Sample>, String> {
    let sample = |instance: &str, value| Sample {
        labels: labels(&[("__name__", "metric"), ("instance", instance), ("__value__", "text")]),
        at: Timestamp::EPOCH,
        value,
    };
    match expr {
        "none" => Ok(Vec::new()),
        "bad" => Err("1:4: parse error".to_owned()),
        _ => Ok(vec![sample("b", 21.0), sample("9", 2.0), sample("10", 11.0)]),
    }
}

fn render(text: &str, value: f64) -> String {
    let external = labels(&[("region", "eu")]);
    let context = RuleContext {
        external_labels: &external,
        external_url: "http://prom.example:9090/path/prefix",
        now: Timestamp::from_millis(1_435_065_584_128),
        query: &answer,
        limits: Limits::default(),
    };
    let sample = labels(&[("__name__", "up"), ("instance", "localhost:9090"), ("job", "node")]);
    RuleTemplate::parse("Down", text)
        .and_then(|template| template.render(&sample, value, &context))
        .unwrap_or_else(|error| error.to_string())
}

#[test]
fn variables_and_fields_are_those_of_the_sample() {
    let cases = [
        ("plain", "plain"),
        ("{{ $labels.instance }} {{ .Labels.job }} {{ $labels.__name__ }}", "localhost:9090 node up"),
        ("[{{ $labels.missing }}]", "[]"),
        ("{{ $externalLabels.region }} {{ $externalURL }}", "eu http://prom.example:9090/path/prefix"),
        ("{{ $labels }}", "map[__name__:up instance:localhost:9090 job:node]"),
        ("{{ range $k, $v := $externalLabels }}{{ $k }}={{ $v }}{{ end }}", "region=eu"),
        ("{{ if $labels.missing }}a{{ else }}b{{ end }}", "b"),
        ("{{ define \"x\" }}<{{ . }}>{{ end }}{{ template \"x\" $value }}", "<1.5>"),
        ("{{ (args 1 \"a\").arg1 }}{{ (args 1).arg7 }}", "a<no value>"),
    ];
    for (text, want) in cases {
        assert_eq!(render(text, 1.5), want, "{text}");
    }
}

#[test]
fn floats_print_shortest() {
    let cases = [
        (123_456.0, "123456"),
        (1_234_567.0, "1.234567e+06"),
        (1e6, "1e+06"),
        (0.0001, "0.0001"),
        (1e-5, "1e-05"),
        (0.5, "0.5"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ];
    for (value, want) in cases {
        assert_eq!(render("{{ $value }}", value), want);
        assert_eq!(render("{{ print $value }}", value), want);
    }
    assert_eq!(
        render("{{ printf \"%d %s %.2f\" $value $value $value }}", 1.5),
        "%!d(float64=1.5) %!s(float64=1.5) 1.50"
    );
    assert_eq!(render("{{ printf \"%d\" }} {{ printf \"x\" 4 }}", 1.5), "%!d(MISSING) x%!(EXTRA int=4)");
}

#[test]
fn functions_give_what_the_contract_says() {
    let cases = [
        ("{{ humanize \"1234567\" }} {{ humanize .12 }} {{ humanize 0.0 }}", "1.235M 120m 0"),
        ("{{ humanize1024 1048576 }}", "1Mi"),
        ("{{ humanizeDuration .1 }} {{ humanizeDuration .0001 }} {{ humanizeDuration 899.99 }}", "100ms 100us 14m 59s"),
        ("{{ humanizePercentage 0.1234567 }}", "12.35%"),
        ("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        (
            "{{ humanizeTimestamp \"-0.5\" }} {{ humanizeTimestamp 1e-9 }}",
            "1969-12-31 23:59:59.5 +0000 UTC 1970-01-01 00:00:00 +0000 UTC",
        ),
        (
            "{{ humanizeTimestamp 1234567 }} {{ humanizeTimestamp -90 }}",
            "1970-01-15 06:56:07 +0000 UTC 1969-12-31 23:58:30 +0000 UTC",
        ),
        ("{{ humanizeTimestamp \"NaN\" }} {{ humanizeTimestamp \"Inf\" }}", "NaN +Inf"),
        ("{{ toDuration 90.5 }} {{ toDuration 3600 }} {{ toDuration 0.001 }}", "1m30.5s 1h0m0s 1ms"),
        ("{{ (toDuration 90.5).Seconds }}", "90.5"),
        ("{{ toTime 1435065584.128 }} {{ (toTime 0).Year }}", "2015-06-23 13:19:44.128 +0000 UTC 1970"),
        ("{{ (toTime 90000).Format \"Jan 2 15:04\" }} {{ (toTime 5).UnixMilli }}", "Jan 2 01:00 5000"),
        ("{{ humanizeDuration ((toTime 100).Sub (toTime 10)) }}", "1m 30s"),
        ("{{ now }}", "1.435065584128e+09"),
        ("{{ parseDuration \"1h2m10ms\" }} {{ parseDuration \"-5m\" }}", "3720.01 -300"),
        (
            "{{ title \"foo-bar o'neil x_y 1ab\" }} {{ toUpper \"aé\" }} {{ toLower \"AÉ\" }}",
            "Foo-Bar O'neil X_y 1Ab AÉ aé",
        ),
        ("{{ match \"b+\" \"abbc\" }} {{ match \"^b\" \"abbc\" }}", "true false"),
        ("{{ reReplaceAll \"(b+)\" \"<$1>\" \"abbc\" }} {{ reReplaceAll \"b*\" \"-\" \"abc\" }}", "a<bb>c -a-c-"),
        (
            "{{ stripPort \"localhost:9090\" }} {{ stripPort \"host:\" }} {{ stripPort \"[2001:db8::1]:80\" }} {{ stripPort \"a:b:c\" }}",
            "localhost host 2001:db8::1 a:b:c",
        ),
        (
            "{{ stripDomain \"foo.example.com:12345\" }} {{ stripDomain \"foo.example.com\" }} {{ stripDomain \"192.0.2.1:80\" }} {{ stripDomain \"[2001:db8::1]:80\" }}",
            "foo:12345 foo 192.0.2.1:80 [2001:db8::1]:80",
        ),
        (
            "{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}",
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1",
        ),
        ("{{ pathPrefix }} {{ externalURL }}", "/path/prefix http://prom.example:9090/path/prefix"),
        ("{{ safeHtml \"<b>\" }} {{ urlQueryEscape \"a b&\" }}", "<b> a+b%26"),
        ("{{ print 1 2 \"a\" \"b\" 3 }}", "1 2ab3"),
    ];
    for (text, want) in cases {
        assert_eq!(render(text, 1.5), want, "{text}");
    }
}

#[test]
fn queries_are_answered_in_the_engines_order() {
    let cases = [
        ("{{ query \"metric\" | first | value }}", "21"),
        ("{{ with query \"metric\" }}{{ . | first | label \"instance\" }}{{ end }}", "b"),
        ("{{ query \"metric\" | first | strvalue }}", "text"),
        ("{{ (query \"metric\" | first).Labels.instance }}", "b"),
        ("{{ range query \"metric\" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}", "b:21 9:2 10:11 "),
        (
            "{{ range query \"metric\" | sortByLabel \"instance\" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}",
            "10:11 9:2 b:21 ",
        ),
        ("{{ if query \"none\" }}some{{ else }}none{{ end }} {{ len (query \"metric\") }}", "none 3"),
        (
            "{{ query \"none\" | first }}",
            "template: __alert_Down:1:130: executing \"__alert_Down\" at <first>: error calling first: first() called on vector with no elements",
        ),
        (
            "{{ query \"bad\" }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <query \"bad\">: error calling query: 1:4: parse error",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(render(text, 1.5), want, "{text}");
    }
    assert!(render("{{ range 11 }}{{ query \"metric\" }}{{ end }}", 0.0).contains("more than 10 queries"));
}

#[test]
fn errors_are_prometheus_own() {
    let cases = [
        (
            "{{ .Foo }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <.Foo>: can't evaluate field Foo in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }",
        ),
        (
            "{{ gt $value 5 }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <gt $value 5>: error calling gt: incompatible types for comparison: float64 and int",
        ),
        ("{{ gt $value 5.0 }}", "false"),
        (
            "{{ humanize \"abc\" }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <humanize \"abc\">: error calling humanize: strconv.ParseFloat: parsing \"abc\": invalid syntax",
        ),
        ("{{ nofunc }}", "template: __alert_Down:1: function \"nofunc\" not defined"),
        ("a\n{{ $foo }}", "template: __alert_Down:2: undefined variable \"$foo\""),
        (
            "a\n  {{ humanize true }}",
            "template: __alert_Down:2:5: executing \"__alert_Down\" at <humanize true>: error calling humanize: can't convert bool to float",
        ),
        (
            "{{ toDuration 5 | humanize }}",
            "template: __alert_Down:1:130: executing \"__alert_Down\" at <humanize>: error calling humanize: can't convert *time.Duration to float",
        ),
        (
            "{{ toTime \"NaN\" }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <toTime \"NaN\">: error calling toTime: NaN cannot be represented as a nanoseconds timestamp since it overflows int64",
        ),
        (
            "{{ match \"[\" \"x\" }}",
            "template: __alert_Down:1:115: executing \"__alert_Down\" at <match \"[\" \"x\">: error calling match: error parsing regexp: missing closing ]: `[`",
        ),
        (
            "{{ toUpper $value }}",
            "template: __alert_Down:1:123: executing \"__alert_Down\" at <$value>: wrong type for value; expected string; got float64",
        ),
        ("{{ end }}", "template: __alert_Down:1: unexpected {{end}}"),
        ("{{ if true }}", "template: __alert_Down:1: unexpected EOF"),
    ];
    for (text, want) in cases {
        assert_eq!(render(text, 1.5), want, "{text}");
    }
}

#[test]
fn places_are_those_of_the_text_as_it_was_written() {
    let place = |text: &str| {
        let error = RuleTemplate::parse("A", text).unwrap_err();
        (error.line, error.column)
    };
    assert_eq!(place("{{ nofunc }}"), (Some(1), Some(4)));
    assert_eq!(place("ä {{ nofunc }}"), (Some(1), Some(6)));
    assert_eq!(place("\n {{ $x }}"), (Some(2), Some(5)));
    assert_eq!(place("{{ template \"x\" }}"), (Some(1), Some(13)));
}
