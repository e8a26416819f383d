//! A routing file as teams write them: what it gathers, what its children inherit, and what is found wrong with it.

use std::time::Duration;

use super::*;
use crate::model::{LabelSet, MatcherMode, format_duration};
use crate::yaml::{Findings, Section, parse};

/// The configuration and everything that was found, with receivers named `r`, `db`, `web` and `night`.
fn load(yaml: &str, mode: MatcherMode) -> (Option<RouterConfig>, Vec<String>) {
    let mut findings = Findings::new("f");
    let document = parse(yaml, &mut findings).unwrap();
    let root = document.root.unwrap();
    let mut section = Section::open(&root, "f", &mut findings).unwrap();
    let sections = Sections {
        route: section.take("route"),
        inhibit_rules: section.take("inhibit_rules"),
        time_intervals: section.take("time_intervals"),
        mute_time_intervals: section.take("mute_time_intervals"),
        at: section.position(),
    };
    let receivers = ["r", "db", "web", "night"].map(|name| Receiver {
        name: name.into(),
        labels: LabelSet::from_pairs([("name", name)]),
        ways: Vec::new(),
    });
    let config = read(&sections, receivers.into(), Duration::from_secs(300), mode, &mut findings);
    (config, findings.into_sorted().iter().map(ToString::to_string).collect())
}

fn good(yaml: &str) -> RouterConfig {
    let (config, found) = load(yaml, MatcherMode::default());
    assert_eq!(found, Vec::<String>::new());
    config.unwrap()
}

const TEAMS: &str = r#"
route:
  receiver: r
  group_by: [alertname]
  routes:
  - matchers: ['{team="db"}', '{level!="info"}']
    receiver: db
    labels: {queue: db, owner: '{{ .GroupLabels.team }}'}
    routes:
    - matchers: ['{env="test"}', '{host!~".*-old"}']
      group_by: ['...']
    - matchers: ['{env="prod"}']
      group_wait: 1m
      labels: {queue: db-prod}
      continue: true
    - matchers: [env=~"pro.*", job=~".*"]
      receiver: night
      group_wait: 0s
      group_interval: 2m
      repeat_interval: 1h
      group_by: [job]
  - match_re: {team: 'web|shop'}
    group_by: [host, zone]
    group_wait: 2m
    receiver: web
  - match: {group: role}
    group_by: []
    routes:
    - match: {env: test}
      receiver: web
      routes:
      - match: {wait: long}
        group_wait: 3m
"#;

/// Receiver, grouping, timers and route labels of each route that an alert reaches, and its key.
fn reached(config: &RouterConfig, labels: &[(&str, &str)]) -> Vec<String> {
    let labels = LabelSet::from_pairs(labels.iter().copied());
    let show = |id: &crate::router::RouteId| {
        let route = config.routes.get(*id);
        let group_by = match &route.group_by {
            GroupBy::All => "...".to_owned(),
            GroupBy::Labels(names) => names.join(","),
        };
        let timers = [route.group_wait, route.group_interval, route.repeat_interval].map(format_duration).join(" ");
        let labels: Vec<String> = route.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} [{group_by}] {timers} ({}) {}", route.receiver, labels.join(" "), route.route_key)
    };
    config.routes.matching(&labels).iter().map(show).collect()
}

#[test]
fn an_alert_reaches_the_deepest_routes_with_all_that_they_inherit() {
    let config = good(TEAMS);
    let db = "owner={{ .GroupLabels.team }} queue=db";
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Pairs<'_>, Vec<String>); 9] = [
        (&[], vec!["r [alertname] 30s 5m 4h () {}".into()]),
        (&[("team", "db"), ("level", "info")], vec!["r [alertname] 30s 5m 4h () {}".into()]),
        (&[("team", "db")], vec![format!(r#"db [alertname] 30s 5m 4h ({db}) {{}}/{{level!="info",team="db"}}"#)]),
        (
            &[("team", "db"), ("env", "test")],
            vec![format!(
                r#"db [...] 30s 5m 4h ({db}) {{}}/{{level!="info",team="db"}}/{{env="test",host!~".*-old"}}"#
            )],
        ),
        (
            &[("team", "db"), ("env", "prod")],
            vec![
                format!(r#"db [alertname] 1m 5m 4h ({db}-prod) {{}}/{{level!="info",team="db"}}/{{env="prod"}}"#),
                format!(r#"night [job] 0s 2m 1h ({db}) {{}}/{{level!="info",team="db"}}/{{env=~"pro.*",job=~".*"}}"#),
            ],
        ),
        (&[("team", "shop")], vec![r#"web [host,zone] 2m 5m 4h () {}/{team=~"^(?:web|shop)$"}"#.into()]),
        (&[("group", "role")], vec![r#"r [] 30s 5m 4h () {}/{group="role"}"#.into()]),
        (&[("group", "role"), ("env", "test")], vec![r#"web [] 30s 5m 4h () {}/{group="role"}/{env="test"}"#.into()]),
        (
            &[("group", "role"), ("env", "test"), ("wait", "long")],
            vec![r#"web [] 3m 5m 4h () {}/{group="role"}/{env="test"}/{wait="long"}"#.into()],
        ),
    ];
    for (labels, want) in cases {
        assert_eq!(reached(&config, labels), want, "{labels:?}");
    }
}

#[test]
fn an_empty_receiver_and_null_keys_inherit() {
    let config = good(
        "route:\n  receiver: r\n  group_by: ['...']\n  routes:\n  - {receiver: '', match: {a: b}, group_by: , group_wait: , labels: , routes: }\n",
    );
    assert_eq!(reached(&config, &[("a", "b")]), [r#"r [...] 30s 5m 4h () {}/{a="b"}"#]);
}

#[test]
fn group_labels_are_those_that_the_alert_has() {
    let config = good(TEAMS);
    let labels = LabelSet::from_pairs([("alertname", "Down"), ("job", "api")]);
    let root = config.routes.get(config.routes.root());
    assert_eq!(root.group_labels(&labels), LabelSet::from_pairs([("alertname", "Down")]));
    assert_eq!(root.group_labels(&LabelSet::from_pairs([("job", "api")])), LabelSet::empty());
    let (_, all) = config.routes.iter().find(|(_, route)| route.group_by == GroupBy::All).unwrap();
    assert_eq!(all.group_labels(&labels), labels);
}

#[test]
fn everything_wrong_is_found_at_once_and_in_its_place() {
    let yaml = "\
route:
  group_by: [a, a]
  continue: true
  routes:
  - receiver: webb
    matchers: ['a=~(', 'b c d']
    group_interval: 0s
  -
  - match: {x-y: z}
    active_time_intervals: [nigt]
    grop_by: [a]
inhibit_rules:
- source_matchers: ['a=~[']
  target_match: {x-y: z}
  equal: ['']
  nam: x
time_intervals:
- name: night
  time_intervals: [{weekdays: [someday]}]
- name: night
";
    let (_, found) = load(yaml, MatcherMode::default());
    let places: Vec<&str> = found.iter().map(|text| text.split(": ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "f:2:3", "f:2:17", "f:3:13", "f:5:15", "f:6:16", "f:6:24", "f:7:21", "f:8:4", "f:9:13", "f:10:29",
            "f:11:5", "f:13:21", "f:14:18", "f:15:11", "f:16:3", "f:19:32", "f:20:3",
        ],
        "{found:#?}"
    );
}

#[test]
fn names_are_judged_by_the_mode() {
    let yaml = "route: {receiver: r, group_by: [-x-], labels: {é: '1'}}\ninhibit_rules: [{equal: ['a b']}]\n";
    assert_eq!(load(yaml, MatcherMode::Fallback).1, Vec::<String>::new());
    assert_eq!(
        load(yaml, MatcherMode::Classic).1,
        [
            "f:1:33: invalid label name \"-x-\" in group_by list",
            "f:1:48: invalid label name \"é\" in route labels",
            "f:2:26: inhibition rule 1: invalid label name \"a b\" in equal",
        ]
    );
}

#[test]
fn readings_that_will_change_and_twins_are_warnings() {
    let yaml =
        "route:\n  receiver: r\n  routes:\n  - {matchers: ['a=b c']}\n  - {matchers: [x=y]}\n  - {match: {x: y}}\n";
    let (config, found) = load(yaml, MatcherMode::default());
    assert!(config.is_some());
    assert_eq!(
        found,
        [
            "f:4:17: warning: `a=b c` is read by the classic grammar only (4:5: unexpected c: expected a comma or close brace); write `a=\"b c\"`",
            "f:6:5: warning: this route has the matchers and the receiver of the one at 5:5\n  help: both tell their receiver; remove one, or let them differ",
        ]
    );
}

#[test]
fn two_null_time_intervals_share_the_empty_name() {
    let one = "route: {receiver: r}\ntime_intervals: [~]\n";
    assert!(load(one, MatcherMode::default()).1.iter().all(|text| text.contains("warning")));
    let two = "route: {receiver: r}\ntime_intervals: [~]\nmute_time_intervals: [~]\n";
    assert_eq!(load(two, MatcherMode::default()).1, ["f:2:18: time interval \"\" is not unique"]);
}

#[test]
fn the_digest_follows_what_shapes_groups() {
    let base = good(TEAMS).digest();
    assert_eq!(
        base,
        good(&TEAMS.replace("{level!=\"info\"}", "level != info")).digest(),
        "another spelling of the same"
    );
    for (from, to) in [
        ("group_wait: 1m", "group_wait: 2m"),
        ("group_by: [job]", "group_by: [job, host]"),
        ("receiver: night", "receiver: web"),
        ("continue: true", "continue: false"),
        ("queue: db-prod", "queue: prod"),
        ("env=\"prod\"", "env=\"live\""),
    ] {
        assert_ne!(base, good(&TEAMS.replace(from, to)).digest(), "{from} to {to}");
    }
}

proptest::proptest! {
    /// The index must not change which routes match, nor their order.
    #[test]
    fn an_indexed_list_of_siblings_matches_as_a_plain_scan_does(
        siblings in proptest::collection::vec(("[ab]", "=|!=|=~|!~", "[xyz]?", proptest::bool::ANY), 16..40),
        alert in proptest::collection::vec(("[ab]", "[xyz]"), 0..3),
    ) {
        let mut yaml = "route:\n  receiver: r\n  routes:\n".to_owned();
        for (name, op, value, continues) in &siblings {
            yaml.push_str(&format!("  - {{matchers: ['{name}{op}\"{value}\"'], continue: {continues}}}\n"));
        }
        let config = load(&yaml, MatcherMode::default()).0.unwrap();
        let labels = LabelSet::from_pairs(alert);
        let root = config.routes.get(config.routes.root());
        let mut scanned = Vec::new();
        for id in &root.children {
            let route = config.routes.get(*id);
            if route.matchers.iter().all(|matcher| matcher.matches(&labels)) {
                scanned.push(*id);
                if !route.continues {
                    break;
                }
            }
        }
        if scanned.is_empty() {
            scanned.push(config.routes.root());
        }
        proptest::prop_assert_eq!(config.routes.matching(&labels), scanned);
    }
}
