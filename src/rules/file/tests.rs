//! What rule files give, and the corpus in `tests/rules`: good files load, bad ones have exactly the findings beside them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::model::LabelSet;
use crate::yaml::Diagnostic;

fn parse_with(text: &str, options: &ParseOptions<'_>) -> (Option<RuleFile>, Vec<String>) {
    let mut findings = Findings::new("other.yml");
    let file = RuleFile::parse("r.yml", text, options, &mut findings);
    (file, findings.into_sorted().iter().map(Diagnostic::to_string).collect())
}

fn parse(text: &str) -> (Option<RuleFile>, Vec<String>) {
    parse_with(text, &ParseOptions::default())
}

fn good(text: &str) -> RuleFile {
    let (file, findings) = parse(text);
    file.unwrap_or_else(|| panic!("{findings:#?}"))
}

fn corpus(suffix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().is_some_and(|path| path.ends_with(suffix)));
    paths.sort();
    paths
}

fn findings_of(path: &Path) -> (Option<RuleFile>, String) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut findings = Findings::new(name);
    let file = RuleFile::parse(name, &text, &ParseOptions::default(), &mut findings);
    let printed = findings.into_sorted().iter().map(|finding| format!("{finding}\n")).collect();
    (file, printed)
}

#[test]
fn every_bad_file_has_exactly_the_findings_beside_it() {
    let paths = corpus(".bad.yml");
    assert!(paths.len() >= 30, "{} bad files", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let (file, found) = findings_of(&path);
        let expected = path.with_extension("txt");
        if std::env::var_os("BELFRY_ACCEPT").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let want = std::fs::read_to_string(&expected).unwrap_or_default();
        if file.is_some() || found != want {
            wrong.push(format!("{}\nfound:\n{found}expected:\n{want}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_good_file_loads_without_a_finding() {
    let paths = corpus(".good.yml");
    assert!(paths.len() >= 5, "{} good files", paths.len());
    for path in paths {
        let (file, found) = findings_of(&path);
        assert!(file.is_some() && found.is_empty(), "{}:\n{found}", path.display());
    }
}

#[test]
fn an_empty_file_has_no_groups() {
    for text in ["", "# nothing\n", "---\n", "groups:\n", "groups: []\n", "~\n", "{}"] {
        assert_eq!(good(text).groups.len(), 0, "{text:?}");
    }
}

#[test]
fn group_labels_stand_under_the_rules_own() {
    let file = good(
        "groups:\n- name: g\n  labels: {team: infra, sev: low, empty: }\n  rules:\n  - {alert: A, expr: up, labels: {sev: yes, n: 1.50, x: 0x1F}}\n",
    );
    let want = LabelSet::from_pairs([("team", "infra"), ("sev", "yes"), ("n", "1.50"), ("x", "0x1F"), ("empty", "")]);
    assert_eq!(file.groups[0].rules[0].labels, want);
}

#[test]
fn settings_of_a_group_are_the_default_of_its_rules() {
    let file = good(
        "groups:\n- name: g\n  source: logs\n  window: 5m\n  on_error: alert\n  eval_delay: 30s\n  rules:\n  - {alert: A, expr: up}\n  - {alert: B, expr: up, source: metrics, window: 1h, on_error: keep}\n",
    );
    assert_eq!(file.groups[0].query_offset, Some(Duration::from_secs(30)));
    let settings: Vec<_> = file.groups[0]
        .rules
        .iter()
        .map(|rule| {
            let RuleKind::Alert(alert) = &rule.kind else { panic!("{rule:?}") };
            (rule.source.as_ref().map(|source| source.name.to_string()), rule.window, alert.on_error)
        })
        .collect();
    assert_eq!(
        settings,
        [
            (Some("logs".to_owned()), Some(Duration::from_secs(300)), OnError::Alert),
            (Some("metrics".to_owned()), Some(Duration::from_secs(3600)), OnError::Keep)
        ]
    );
}

#[test]
fn an_interval_of_zero_is_the_default_and_an_offset_of_zero_is_not() {
    let file = good("groups:\n- {name: g, interval: 0s, query_offset: 0s, limit: -1}\n- {name: h, interval: 5m}\n");
    assert_eq!(file.groups[0].timing, Timing::Default);
    assert_eq!(file.groups[0].query_offset, Some(Duration::ZERO));
    assert_eq!(file.groups[0].limit, 0);
    assert_eq!(file.groups[1].timing, Timing::Every(Duration::from_secs(300)));
    assert_eq!(file.groups[1].query_offset, None);
}

#[test]
fn a_schedule_is_read_in_its_zone() {
    let file = good("groups:\n- name: g\n  schedule: {cron: 0 9 * * mon-fri, time_zone: Europe/Berlin}\n");
    let Timing::Cron(cron) = &file.groups[0].timing else { panic!("{:?}", file.groups[0].timing) };
    assert_eq!(cron.to_string(), "0 9 * * mon-fri Europe/Berlin");
}

#[test]
fn expressions_are_trimmed_and_know_where_they_stand() {
    let file = good(
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      sum(\n        rat(x)\n      )\n  - {alert: B, expr: 1}\n",
    );
    let expr = &file.groups[0].rules[0].expr;
    assert_eq!(&**expr.text(), "sum(\n  rat(x)\n)");
    let offset = expr.text().find("rat").unwrap();
    assert_eq!(expr.position_at(offset).to_string(), "7:9");
    assert_eq!(&**file.groups[0].rules[1].expr.text(), "1");
}

#[test]
fn a_fault_inside_an_expression_is_found_in_the_file() {
    let check = |text: &str, source: Option<&str>| match text.find("rat(") {
        Some(offset) => Err(ExpressionFault {
            offset,
            message: format!("unknown function `rat` for {source:?}"),
            help: Some("did you mean `rate`?".to_owned()),
        }),
        None => Ok(()),
    };
    let options = ParseOptions { check_expression: Some(&check), ..Default::default() };
    let text = "groups:\n- name: g\n  source: s\n  rules:\n  - alert: A\n    expr: 'up >  rat(x)'\n";
    let (file, findings) = parse_with(text, &options);
    assert!(file.is_none());
    assert_eq!(
        findings,
        [
            "r.yml:6:18: group \"g\", rule 1, \"A\": unknown function `rat` for Some(\"s\")\n  help: did you mean `rate`?"
        ]
    );
}

#[test]
fn legacy_names_are_refused_only_under_the_legacy_scheme() {
    let text = "groups:\n- name: g\n  rules:\n  - {record: a-b, expr: up, labels: {x.y: z}}\n";
    assert!(parse(text).0.is_some());
    let options = ParseOptions { names: NameScheme::Legacy, ..Default::default() };
    let (_, mut findings) = parse_with(text, &options);
    findings.retain(|finding| !finding.contains("warning"));
    assert_eq!(
        findings,
        [
            "r.yml:4:14: group \"g\", rule 1, \"a-b\": invalid recording rule name: a-b",
            "r.yml:4:38: group \"g\", rule 1, \"a-b\": invalid label name: x.y"
        ]
    );
}

#[test]
fn unknown_keys_can_be_passed_over() {
    let options = ParseOptions { ignore_unknown_keys: true, ..Default::default() };
    let text = "a: 1\ngroups:\n- name: g\n  b: 2\n  rules: [{alert: A, expr: up, c: 3}]\n";
    assert!(parse_with(text, &options).0.is_some());
    assert_eq!(parse(text).1.len(), 3);
}

#[test]
fn warnings_leave_a_file_usable() {
    let text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up}\n  - {alert: A, expr: down}\n  - {record: a:b, expr: up}\n---\n[broken\n";
    let (file, findings) = parse(text);
    assert_eq!(file.unwrap().groups[0].rules.len(), 3);
    assert_eq!(
        findings,
        [
            "r.yml:5:13: warning: group \"g\": \"A\" has the name and labels of the rule at 4:13\n  help: give them different names or labels",
            "r.yml:6:14: warning: group \"g\": recording rule \"a:b\" has no store to write to yet and is left out",
            "r.yml:7:1: warning: only the first document of a rule file is read\n  help: move the groups of the others into it, or into files of their own",
        ]
    );
}

#[test]
fn the_same_group_name_may_stand_in_two_files() {
    let text = "groups: [{name: g}]";
    let mut findings = Findings::new("x");
    for path in ["a.yml", "b.yml"] {
        assert!(RuleFile::parse(path, text, &ParseOptions::default(), &mut findings).is_some());
    }
    assert!(!findings.has_errors());
}
