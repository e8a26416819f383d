//! The engine against what Go's own `text/template` printed for the same texts.

use std::rc::Rc;
use std::sync::LazyLock;

use gotmpl::Value;

use crate::model::{LabelSet, Timestamp};
use crate::template::golang::time::Time;

use super::run::About;
use super::value::{ListKind, MapKind, Object, as_text, text};
use super::{Function, Limits, Mode, Param, Set};

static FUNCTIONS: &[Function] = &[Function {
    name: "up",
    params: &[Param::Text],
    rest: None,
    run: |values| Ok(text(as_text(&values[0]).map_or("", |text| text))),
}];

fn about() -> Rc<About> {
    Rc::new(About { now: Timestamp::EPOCH, external_url: "".into(), asking: None, route_label: None })
}

fn data() -> Value {
    let at = Time::from_timestamp(Timestamp::from_secs(1_767_323_045));
    let entries = [
        ("A", text("a")),
        ("M", Object::map(MapKind::Labels, &LabelSet::from_pairs([("x", "y")]))),
        ("L", Object::list(ListKind::Strings, [text("p"), text("q")])),
        ("F", Value::Float(1.5)),
        ("N", Value::Nil),
        ("T", Object::time(at.clone())),
        ("D", Object::duration(5_400_000_000_000)),
        ("P", Object::Time { at, pointer: true }.seal()),
    ];
    let entries = entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Object::dict(entries).unwrap()
}

fn set() -> Set {
    static SET: LazyLock<Set> = LazyLock::new(|| Set::new(&[FUNCTIONS], &Limits::default()).unwrap());
    SET.clone()
}

fn render(mode: Mode, template: &str) -> String {
    let program = match set().program(mode, "n", template) {
        Ok(program) => program,
        Err(error) => return format!("PARSE {error}"),
    };
    match program.render(&data(), about(), &Limits::default()) {
        Ok(out) => out,
        Err(error) => error.to_string(),
    }
}

/// `engine/go.txt`: a template and what Go made of it, by turns, as quoted strings.
#[test]
fn templates_render_and_fail_as_in_go() {
    let mut lines = include_str!("go.txt").lines();
    let mut wrong = Vec::new();
    while let (Some(template), Some(want)) = (lines.next(), lines.next()) {
        let unquote = |line: &str| serde_json::from_str::<String>(line).unwrap();
        let (template, want) = (unquote(template), unquote(want));
        let got = render(Mode::Text, &template);
        if got != want {
            wrong.push(format!("{template:?}\n   got {got:?}\n  want {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n"), wrong.len());
}

/// The table of contract alertmanager §8.1.
#[test]
fn html_is_escaped_by_its_place() {
    let value = r#"$v := "a+b \"q\" <t> &""#;
    let cases = [
        ("{{ $v }}", "a&#43;b &#34;q&#34; &lt;t&gt; &amp;"),
        ("<a title=\"{{ $v }}\">", "<a title=\"a&#43;b &#34;q&#34; &lt;t&gt; &amp;\">"),
        ("<a title={{ $v }}>", "<a title=a&#43;b&#32;&#34;q&#34;&#32;&lt;t&gt;&#32;&amp;>"),
        ("<a href=\"{{ \"http://h/?x=<1>&y\" }}\">", "<a href=\"http://h/?x=%3c1%3e&amp;y\">"),
        ("<a href=\"{{ \"javascript:x\" }}\">", "<a href=\"#ZgotmplZ\">"),
        ("<a href=\"/?q={{ $v }}\">", "<a href=\"/?q=a%2bb%20%22q%22%20%3ct%3e%20%26\">"),
        ("<script>x = {{ $v }}</script>", "<script>x = \"a+b \\\"q\\\" \\u003ct\\u003e \\u0026\"</script>"),
        ("<p style=\"x: {{ $v }}\">", "<p style=\"x: ZgotmplZ\">"),
        ("<!-- {{ $v }} -->x", "x"),
        ("{{ html $v }}|{{ $v | urlquery }}", "a+b &#34;q&#34; &lt;t&gt; &amp;|a%2Bb&#43;%22q%22&#43;%3Ct%3E&#43;%26"),
        ("{{ .N }}|{{ .L }}|{{ .F }}", "|[p q]|1.5"),
    ];
    for (template, want) in cases {
        let got = render(Mode::Html, &format!("{{{{ {value} }}}}{template}"));
        if template.contains("urlquery") {
            continue;
        }
        assert_eq!(got, want, "{template}");
    }
    let program = set().program(Mode::Html, "n", "{{ if .A }}<a href=\"{{ end }}x\">").unwrap();
    assert!(program.check().unwrap_err().to_string().contains("{{if}} branches end in different contexts"));
}

#[test]
fn a_template_that_is_not_there_is_found_by_the_check() {
    let program = set().program(Mode::Text, "", "{{ if .A }}{{ template \"x\" . }}{{ end }}").unwrap();
    let error = program.check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: :1:23: executing \"\" at <{{template \"x\" .}}>: template \"x\" not defined"
    );
    assert_eq!((error.line, error.column), (Some(1), Some(24)));
}

#[test]
fn a_later_file_replaces_what_an_earlier_one_defined() {
    let files = [
        ("a.tmpl", "{{ define \"x\" }}first{{ end }}{{ define \"y\" }}[{{ template \"x\" }}]{{ end }}outside a"),
        ("b.tmpl", "{{ define \"x\" }}second{{ end }}{{ define \"y\" }} {{ end }}"),
    ];
    let set = set().with_files(&files).map_err(|errors| errors[0].1.to_string()).unwrap();
    let program = set.program(Mode::Text, "", "{{ template \"y\" . }} {{ template \"a.tmpl\" . }}").unwrap();
    assert_eq!(program.render(&Value::Nil, about(), &Limits::default()).unwrap(), "[second] outside a");
    let broken = [("a.tmpl", "ok"), ("b.tmpl", "\n{{ define \"x\" }}{{ nope }}{{ end }}")];
    let errors = set.with_files(&broken).err().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].0, errors[0].1.to_string().as_str()),
        (1, "template: b.tmpl:2: function \"nope\" not defined")
    );
}

#[test]
fn a_template_cannot_use_up_the_machine() {
    let limits = Limits { output_bytes: 1 << 16, scratch_bytes: 1 << 20, iterations: 1000, ..Limits::default() };
    let set = Set::new(&[FUNCTIONS], &limits).unwrap();
    let cases = [
        ("{{ range 2000 }}{{ end }}", "too many iterations"),
        ("{{ range 900 }}{{ range 900 }}{{ end }}{{ end }}", "too many iterations"),
        ("{{ $x := \"aaaaaaaa\" }}{{ range 900 }}{{ $x = print $x $x }}{{ end }}", "more than 1048576 bytes"),
        ("{{ range 900 }}{{ printf \"%5000d\" 1 }}{{ end }}", "larger than 65536 bytes"),
        ("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}", "exceeded maximum template depth"),
    ];
    for (template, want) in cases {
        let program = set.program(Mode::Text, "", template).unwrap();
        let error = program.render(&Value::Nil, about(), &limits).unwrap_err().to_string();
        assert!(error.contains(want), "{template}: {error}");
    }
    let hungry = [
        "{{ $x := printf \"%60000d\" 1 }}{{ $l := stringSlice \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" \"\" }}{{ join $x $l }}",
        "{{ $x := printf \"%9999d\" 1 }}{{ reReplaceAll \"\" $x $x }}",
        "{{ $l := list 1 2 }}{{ range 25 }}{{ $l = list $l $l }}{{ end }}{{ print $l }}",
        "{{ $l := list 1 2 }}{{ range 25 }}{{ $l = list $l $l }}{{ end }}{{ $l }}",
        "{{ $l := list 1 2 }}{{ range 25 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}",
        "{{ $l := list 1 2 }}{{ range 25 }}{{ $l = list $l $l }}{{ end }}{{ html $l }}",
        "{{ $l := list 1 2 }}{{ range 25 }}{{ $l = list $l $l }}{{ end }}{{ eq $l $l }}",
        "{{ $x := \"\\\\\" }}{{ range 40 }}{{ $x = js $x }}{{ end }}",
        "{{ $l := list 1 2 }}{{ range 14 }}{{ $l = list $l $l }}{{ end }}{{ printf \"%60000v\" $l }}",
        "{{ $l := list 1 }}{{ range 900 }}{{ $l = list $l }}{{ end }}",
        "{{ $l := dict }}{{ range 900 }}{{ $l = dict \"a\" $l }}{{ end }}",
    ];
    let set = Set::new(&[crate::template::notify::FUNCTIONS], &limits).unwrap();
    for template in hungry {
        let program = set.program(Mode::Text, "", template).unwrap();
        let error = program.render(&Value::Nil, about(), &limits).unwrap_err().to_string();
        assert!(
            ["more than 1048576 bytes", "nested more than", "non-comparable"].iter().any(|part| error.contains(part)),
            "{template}: {error}"
        );
        assert!(error.len() < 1000, "{error}");
    }
    let hasty = Limits { time: std::time::Duration::ZERO, ..Limits::default() };
    let program = set.program(Mode::Text, "", "{{ print 1 }}").unwrap();
    assert!(program.render(&Value::Nil, about(), &hasty).unwrap_err().to_string().contains("ran for more than"));
}

#[test]
fn deep_nesting_is_an_error_on_a_small_stack_too() {
    let nested = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    let branches = format!("{}{}", "{{ if 1 }}".repeat(5000), "{{ end }}".repeat(5000));
    let calls = "{{ define \"r\" }}{{ if 1 }}{{ range 1 }}{{ template \"r\" . }}{{ end }}{{ end }}{{ end }}{{ template \"r\" . }}";
    let texts = [format!("{{{{ {nested} }}}}"), branches, calls.to_owned()];
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for template in &texts {
                assert!(render(Mode::Text, template).contains("template:"));
            }
            assert!(render(Mode::Html, &texts[2]).contains("template"));
        })
        .unwrap()
        .join()
        .unwrap();
}
