//! YAML to [`RouterConfig`]: every rule of contract alertmanager §1.4 and §1.11 that concerns routes, all findings at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    MatchOp, Matcher, MatcherMode, Receiver, is_classic_label_name, is_valid_label_name, matchers_text, parse_duration,
    parse_matchers,
};
use crate::yaml::{Findings, Node, Position, Section, suggest};

use super::{InhibitRule, RouterConfig, TimeInterval, inhibit, interval};
use crate::router::{GroupBy, Route, RouteId, RouteTree};

pub(super) const GROUP_WAIT: Duration = Duration::from_secs(30);
pub(super) const GROUP_INTERVAL: Duration = Duration::from_secs(5 * 60);
pub(super) const REPEAT_INTERVAL: Duration = Duration::from_secs(4 * 3600);

/// The top-level nodes that are the router's, `None` where absent.
#[derive(Debug, Clone, Copy)]
pub struct Sections<'a> {
    pub route: Option<&'a Node>,
    pub inhibit_rules: Option<&'a Node>,
    pub time_intervals: Option<&'a Node>,
    pub mute_time_intervals: Option<&'a Node>,
    /// Where a missing `route` is reported.
    pub at: Position,
}

/// Reads the router's sections against the receivers that there are. `None` if there is no route to go on with; whether
/// the whole is usable, `findings` say.
pub fn read(
    sections: &Sections<'_>,
    receivers: Vec<Receiver>,
    resolve_timeout: Duration,
    mode: MatcherMode,
    findings: &mut Findings,
) -> Option<RouterConfig> {
    let time_intervals = read_intervals(sections, findings);
    let inhibit_rules = read_inhibit_rules(sections.inhibit_rules, mode, findings);
    let Some(node) = sections.route.filter(|node| !node.is_null()) else {
        findings.error_with_help(sections.at, "no routes provided", "add a `route` with a `receiver`");
        return None;
    };
    let mut reader = Reader {
        receivers: &receivers,
        intervals: time_intervals.iter().map(|interval| interval.name.clone()).collect(),
        mode,
        routes: Vec::new(),
        siblings: Vec::new(),
        findings,
    };
    let root = Inherited {
        receiver: None,
        group_by: GroupBy::Labels(Vec::new()),
        group_wait: GROUP_WAIT,
        group_interval: GROUP_INTERVAL,
        repeat_interval: REPEAT_INTERVAL,
        labels: Vec::new(),
    };
    reader.route(node, &root, true);
    let Reader { routes, siblings, .. } = reader;
    // Matchers that could not be read would look alike.
    if !findings.has_errors() {
        warn_of_twins(&siblings, &routes, findings);
    }
    if routes.is_empty() {
        return None;
    }
    Some(RouterConfig { routes: RouteTree::new(routes), receivers, inhibit_rules, time_intervals, resolve_timeout })
}

/// What a child takes from its parent.
#[derive(Clone)]
struct Inherited {
    receiver: Option<Arc<str>>,
    group_by: GroupBy,
    group_wait: Duration,
    group_interval: Duration,
    repeat_interval: Duration,
    labels: Vec<(String, String)>,
}

struct Reader<'a> {
    receivers: &'a [Receiver],
    intervals: HashSet<Arc<str>>,
    mode: MatcherMode,
    routes: Vec<Route>,
    /// Lists of siblings with their places, to compare them with one another.
    siblings: Vec<Vec<(RouteId, Position)>>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn route(&mut self, node: &Node, parent: &Inherited, is_root: bool) -> Option<RouteId> {
        let findings = &mut *self.findings;
        let mut section = Section::open(node, "route", findings)?;
        let mut own = parent.clone();
        match section.some("receiver").map(|node| (node, node.text())) {
            // An empty name is no name: inherited, or missing at the root.
            None | Some((_, Ok(""))) if is_root => {
                self.findings.error_with_help(
                    node.position,
                    "root route must specify a default receiver",
                    "name one under `receiver`",
                );
            }
            None | Some((_, Ok(""))) => {}
            Some((named, Ok(name))) => own.receiver = self.receiver(name, named.position),
            Some((named, Err(message))) => self.findings.error(named.position, format!("route: receiver: {message}")),
        }
        if let Some(group_by) = self.group_by(&mut section) {
            own.group_by = group_by;
        }
        own.group_wait = self.interval(&mut section, "group_wait", false).unwrap_or(own.group_wait);
        own.group_interval = self.interval(&mut section, "group_interval", true).unwrap_or(own.group_interval);
        own.repeat_interval = self.interval(&mut section, "repeat_interval", true).unwrap_or(own.repeat_interval);
        self.labels(&mut section, &mut own.labels);
        let mut matchers = matchers(&mut section, "matchers", self.mode, self.findings);
        matchers.extend(legacy_matchers(&mut section, "match", "match_re", self.findings));
        matchers.sort();
        let continues = section.boolean("continue", self.findings).unwrap_or(false);
        let mute_time_intervals = self.interval_names(&mut section, "mute_time_intervals");
        let active_time_intervals = self.interval_names(&mut section, "active_time_intervals");
        if is_root {
            self.check_root(&mut section, &matchers, continues);
        }
        let id = RouteTree::id(self.routes.len());
        let position = self.routes.len();
        own.labels.sort();
        self.routes.push(Route {
            matchers,
            receiver: own.receiver.clone().unwrap_or_else(|| "".into()),
            group_by: own.group_by.clone(),
            group_wait: own.group_wait,
            group_interval: own.group_interval,
            repeat_interval: own.repeat_interval,
            continues,
            labels: own.labels.clone().into(),
            mute_time_intervals,
            active_time_intervals,
            route_key: "".into(),
            ordinal: 0,
            children: Vec::new(),
        });
        let nodes = section.read("routes", self.findings, Node::items).unwrap_or_default();
        let mut children = Vec::new();
        for child in nodes {
            if child.is_null() {
                self.findings.error_with_help(
                    child.position,
                    "a route must not be empty",
                    "remove the item, or write `{}`",
                );
                continue;
            }
            if let Some(id) = self.route(child, &own, false) {
                children.push((id, child.position));
            }
        }
        self.routes[position].children = children.iter().map(|(id, _)| *id).collect();
        self.siblings.push(children);
        section.finish(self.findings);
        Some(id)
    }

    fn receiver(&mut self, name: &str, at: Position) -> Option<Arc<str>> {
        if let Some(receiver) = self.receivers.iter().find(|receiver| &*receiver.name == name) {
            return Some(receiver.name.clone());
        }
        let message = format!("undefined receiver {name:?} used in route");
        match suggest(name, self.receivers.iter().map(|receiver| &*receiver.name)) {
            Some(near) => self.findings.error_with_help(at, message, format!("did you mean {near:?}?")),
            None => self.findings.error_with_help(at, message, "define it under `receivers`"),
        }
        None
    }

    fn group_by(&mut self, section: &mut Section<'_>) -> Option<GroupBy> {
        let items = section.read("group_by", self.findings, Node::items)?;
        let (mut names, mut all): (Vec<Arc<str>>, bool) = (Vec::new(), false);
        for item in items {
            match item.text() {
                Ok("...") => all = true,
                Ok(name) if !is_valid_label_name(name, self.mode) => {
                    self.findings.error(item.position, format!("invalid label name {name:?} in group_by list"));
                }
                Ok(name) if names.iter().any(|known| &**known == name) => {
                    self.findings.error(item.position, format!("duplicated label {name:?} in group_by list"));
                }
                Ok(name) => names.push(name.into()),
                Err(message) => self.findings.error(item.position, format!("route: group_by: {message}")),
            }
        }
        if all && !names.is_empty() {
            let at = items.first().map_or(section.position(), |item| item.position);
            self.findings.error_with_help(
                at,
                "cannot have wildcard group_by (`...`) and other labels at the same time",
                "`...` already groups by every label",
            );
        }
        Some(if all { GroupBy::All } else { GroupBy::Labels(names) })
    }

    fn interval(&mut self, section: &mut Section<'_>, key: &'static str, positive: bool) -> Option<Duration> {
        section.read(key, self.findings, |node| {
            let duration = parse_duration(node.text()?).map_err(|error| error.to_string())?;
            match positive && duration.is_zero() {
                true => Err(format!("{key} cannot be zero")),
                false => Ok(duration),
            }
        })
    }

    fn labels(&mut self, section: &mut Section<'_>, labels: &mut Vec<(String, String)>) {
        for (key, value) in section.read("labels", self.findings, Node::entries).unwrap_or_default() {
            match (key.text(), value.text()) {
                (Ok(name), Ok(value)) if is_valid_label_name(name, self.mode) => {
                    labels.retain(|(known, _)| known != name);
                    labels.push((name.to_owned(), value.to_owned()));
                }
                (Ok(name), Ok(_)) => {
                    self.findings.error(key.position, format!("invalid label name {name:?} in route labels"));
                }
                (_, Err(message)) | (Err(message), _) => {
                    self.findings.error(value.position, format!("route: labels: {message}"));
                }
            }
        }
    }

    fn interval_names(&mut self, section: &mut Section<'_>, key: &'static str) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        for item in section.read(key, self.findings, Node::items).unwrap_or_default() {
            match item.text() {
                Ok(name) if self.intervals.contains(name) => names.push(name.into()),
                Ok(name) => {
                    let message = format!("undefined time interval {name:?} used in route");
                    match suggest(name, self.intervals.iter().map(|known| &**known)) {
                        Some(near) => {
                            self.findings.error_with_help(item.position, message, format!("did you mean {near:?}?"));
                        }
                        None => {
                            self.findings.error_with_help(item.position, message, "define it under `time_intervals`");
                        }
                    }
                }
                Err(message) => self.findings.error(item.position, format!("route: {key}: {message}")),
            }
        }
        names
    }

    fn check_root(&mut self, section: &mut Section<'_>, matchers: &[Matcher], continues: bool) {
        let start = section.position();
        let mut place = |keys: &[&'static str]| {
            let node = keys.iter().find_map(|key| section.some(key));
            (
                node.map_or(start, |node| node.position),
                node.is_some_and(|node| node.items().is_ok_and(|all| !all.is_empty())),
            )
        };
        if !matchers.is_empty() {
            let (at, _) = place(&["matchers", "match", "match_re"]);
            let help = "every alert starts at the root; put the matchers on a route below it";
            self.findings.error_with_help(at, "root route must not have any matchers", help);
        }
        for (key, message) in [
            ("mute_time_intervals", "root route must not have any mute time intervals"),
            ("active_time_intervals", "root route must not have any active time intervals"),
        ] {
            let (at, any) = place(&[key]);
            if any {
                self.findings.error_with_help(at, message, "put them on a route below the root");
            }
        }
        if continues {
            let (at, _) = place(&["continue"]);
            self.findings.error_with_help(
                at,
                "cannot have continue in root route",
                "the root has no siblings to go on with",
            );
        }
    }
}

/// A list of matcher texts under a key.
pub(super) fn matchers(
    section: &mut Section<'_>,
    key: &'static str,
    mode: MatcherMode,
    findings: &mut Findings,
) -> Vec<Matcher> {
    let mut all = Vec::new();
    for item in section.read(key, findings, Node::items).unwrap_or_default() {
        let parsed = item.text().and_then(|text| parse_matchers(text, mode).map_err(|error| error.to_string()));
        match parsed {
            Ok(parsed) => {
                if let Some(warning) = parsed.warning {
                    findings.warning(item.position, warning);
                }
                all.extend(parsed.value);
            }
            Err(message) => findings.error(item.position, format!("{}: {key}: {message}", section.name())),
        }
    }
    all
}

/// The deprecated maps of names to values, and of names to regexes.
pub(super) fn legacy_matchers(
    section: &mut Section<'_>,
    equal: &'static str,
    regex: &'static str,
    findings: &mut Findings,
) -> Vec<Matcher> {
    let mut all = Vec::new();
    for (key, op) in [(equal, MatchOp::Equal), (regex, MatchOp::Regex)] {
        for (name, value) in section.read(key, findings, Node::entries).unwrap_or_default() {
            let place = format!("{}: {key}", section.name());
            let (Ok(label), Ok(text)) = (name.text(), value.text()) else {
                findings.error(value.position, format!("{place}: expected a string"));
                continue;
            };
            if !is_classic_label_name(label) {
                findings.error(name.position, format!("{place}: invalid label name {label:?}"));
                continue;
            }
            if op == MatchOp::Regex && value.is_null() {
                findings.error(value.position, format!("{place}: the regex of {label:?} must not be empty"));
                continue;
            }
            // The anchors that the peer adds show in keys that reach the wire.
            let text = if op == MatchOp::Regex { format!("^(?:{text})$") } else { text.to_owned() };
            match Matcher::new(label, op, text) {
                Ok(matcher) => all.push(matcher),
                Err(error) => findings.error(value.position, format!("{place}: {error}")),
            }
        }
    }
    all
}

fn read_intervals(sections: &Sections<'_>, findings: &mut Findings) -> Vec<TimeInterval> {
    let mut all: Vec<TimeInterval> = Vec::new();
    for (key, node) in
        [("mute_time_intervals", sections.mute_time_intervals), ("time_intervals", sections.time_intervals)]
    {
        let Some(node) = node else { continue };
        let items = match node.items() {
            Ok(items) => items,
            Err(message) => {
                findings.error(node.position, format!("{key}: {message}"));
                continue;
            }
        };
        for item in items {
            let Some((interval, at)) = interval::read(item, findings) else { continue };
            // A missing name is its own error, but two null items share the empty one, as in the peer.
            if (!interval.name.is_empty() || item.is_null()) && all.iter().any(|known| known.name == interval.name) {
                findings.error(at, format!("time interval {:?} is not unique", interval.name));
            }
            all.push(interval);
        }
    }
    all
}

fn read_inhibit_rules(node: Option<&Node>, mode: MatcherMode, findings: &mut Findings) -> Vec<InhibitRule> {
    let Some(node) = node else { return Vec::new() };
    match node.items() {
        Ok(items) => items
            .iter()
            .enumerate()
            // A null item never inhibits.
            .filter(|(_, item)| !item.is_null())
            .filter_map(|(index, item)| inhibit::read(item, index, mode, findings))
            .collect(),
        Err(message) => {
            findings.error(node.position, format!("inhibit_rules: {message}"));
            Vec::new()
        }
    }
}

/// Siblings with equal matchers and receiver both tell; to the peer the second is a duplicate of the first.
fn warn_of_twins(siblings: &[Vec<(RouteId, Position)>], routes: &[Route], findings: &mut Findings) {
    for list in siblings {
        let mut seen: HashMap<(String, Arc<str>), Position> = HashMap::new();
        for (id, at) in list {
            let Some(route) = routes.get(id.position()) else { continue };
            let key = (matchers_text(&route.matchers), route.receiver.clone());
            if let Some(first) = seen.get(&key) {
                findings.warning_with_help(
                    *at,
                    format!("this route has the matchers and the receiver of the one at {first}"),
                    "both tell their receiver; remove one, or let them differ",
                );
            } else {
                seen.insert(key, *at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupKey, LabelSet};
    use crate::yaml::parse;

    fn receiver(name: &str) -> Receiver {
        Receiver { name: name.into(), labels: LabelSet::from_pairs([("name", name)]), ways: Vec::new() }
    }

    fn load(yaml: &str) -> Result<RouterConfig, Vec<String>> {
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
        let receivers = vec![receiver("r"), receiver("team")];
        let config = read(&sections, receivers, Duration::from_secs(300), MatcherMode::default(), &mut findings);
        match findings.has_errors() {
            true => Err(findings.into_sorted().iter().map(ToString::to_string).collect()),
            false => Ok(config.unwrap()),
        }
    }

    #[test]
    fn what_the_peer_refuses_is_refused_where_it_stands() {
        let cases = [
            ("x: 1\n", "f:1:1: no routes provided\n  help: add a `route` with a `receiver`"),
            ("route:\n", "f:1:1: no routes provided\n  help: add a `route` with a `receiver`"),
            (
                "route: {group_wait: 1s}\n",
                "f:1:8: root route must specify a default receiver\n  help: name one under `receiver`",
            ),
            (
                "route: {receiver: ''}\n",
                "f:1:8: root route must specify a default receiver\n  help: name one under `receiver`",
            ),
            (
                "route: {receiver: tem}\n",
                "f:1:19: undefined receiver \"tem\" used in route\n  help: did you mean \"team\"?",
            ),
            (
                "route: {receiver: r, matchers: ['a=b']}\n",
                "f:1:32: root route must not have any matchers\n  help: every alert starts at the root; put the matchers on a route below it",
            ),
            (
                "route: {receiver: r, match: {a: b}}\n",
                "f:1:29: root route must not have any matchers\n  help: every alert starts at the root; put the matchers on a route below it",
            ),
            (
                "route: {receiver: r, continue: true}\n",
                "f:1:32: cannot have continue in root route\n  help: the root has no siblings to go on with",
            ),
            (
                "route: {receiver: r, mute_time_intervals: [a]}\ntime_intervals: [{name: a}]\n",
                "f:1:43: root route must not have any mute time intervals\n  help: put them on a route below the root",
            ),
            (
                "route: {receiver: r, active_time_intervals: [a]}\ntime_intervals: [{name: a}]\n",
                "f:1:45: root route must not have any active time intervals\n  help: put them on a route below the root",
            ),
            ("route: {receiver: r, group_by: [a, a]}\n", "f:1:36: duplicated label \"a\" in group_by list"),
            (
                "route: {receiver: r, group_by: [a, '...']}\n",
                "f:1:33: cannot have wildcard group_by (`...`) and other labels at the same time\n  help: `...` already groups by every label",
            ),
            (
                "route: {receiver: r, group_interval: 0s}\n",
                "f:1:38: route: group_interval: group_interval cannot be zero",
            ),
            (
                "route: {receiver: r, repeat_interval: 0}\n",
                "f:1:39: route: repeat_interval: repeat_interval cannot be zero",
            ),
            (
                "route: {receiver: r, group_wait: 1.5s}\n",
                "f:1:34: route: group_wait: unknown unit \".\" in duration \"1.5s\"",
            ),
            (
                "route: {receiver: r, routes: [~]}\n",
                "f:1:31: a route must not be empty\n  help: remove the item, or write `{}`",
            ),
            (
                "route: {receiver: r, routes: [{match_re: {a: }}]}\n",
                "f:1:44: route: match_re: the regex of \"a\" must not be empty",
            ),
            ("route: {receiver: r, routes: [{match: {a-b: c}}]}\n", "f:1:40: route: match: invalid label name \"a-b\""),
            (
                "route: {receiver: r, routes: [{matchers: ['a=~[']}]}\n",
                "f:1:43: route: matchers: error parsing regexp: missing closing ]: `[)$`",
            ),
            (
                "route: {receiver: r, routes: [{mute_time_intervals: [nights]}]}\ntime_intervals: [{name: night}]\n",
                "f:1:54: undefined time interval \"nights\" used in route\n  help: did you mean \"night\"?",
            ),
            (
                "route: {receiver: r}\ntime_intervals: [{name: a}]\nmute_time_intervals: [{name: a}]\n",
                "f:2:18: time interval \"a\" is not unique",
            ),
            ("route: {receiver: r}\ntime_intervals: [{time_intervals: []}]\n", "f:2:18: missing name in time interval"),
            (
                "route: {receiver: r, recever: x}\n",
                "f:1:22: unknown key \"recever\" in route\n  help: did you mean \"receiver\"?",
            ),
            (
                "route: {receiver: r}\ninhibit_rules: [{source_match_re: {a: }}]\n",
                "f:2:37: inhibition rule 1: source_match_re: the regex of \"a\" must not be empty",
            ),
        ];
        for (yaml, want) in cases {
            let found = load(yaml).expect_err(yaml);
            assert_eq!(found.first().map(String::as_str), Some(want), "{yaml}{found:#?}");
        }
    }

    #[test]
    fn children_inherit_and_override() {
        let config = load(
            "route:\n  receiver: r\n  group_by: ['...']\n  group_wait: 1s\n  labels: {a: '1', b: '2'}\n  routes:\n  - {match: {x: y}, group_by: [], labels: {b: '3'}, routes: [{receiver: team, group_by: [c]}]}\n",
        )
        .unwrap();
        let routes: Vec<&Route> = config.routes.iter().map(|(_, route)| route).collect();
        assert_eq!(routes[0].group_by, GroupBy::All);
        assert_eq!(routes[1].group_by, GroupBy::Labels(vec![]));
        assert_eq!(routes[2].group_by, GroupBy::Labels(vec!["c".into()]));
        assert_eq!((&*routes[1].receiver, &*routes[2].receiver), ("r", "team"));
        assert_eq!(routes[2].group_wait, Duration::from_secs(1));
        assert_eq!(&*routes[2].labels, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn keys_are_the_peers_to_the_byte() {
        let config = load(
            "route:\n  receiver: r\n  routes:\n  - {matchers: ['owner=\"team-A\"'], routes: [{match: {env: prod}}]}\n  - {match: {z: 'q\"'}, match_re: {owner: 'team.*'}}\n",
        )
        .unwrap();
        let keys: Vec<&str> = config.routes.iter().map(|(_, route)| &*route.route_key).collect();
        assert_eq!(
            keys,
            [
                "{}",
                r#"{}/{owner="team-A"}"#,
                r#"{}/{owner="team-A"}/{env="prod"}"#,
                r#"{}/{owner=~"^(?:team.*)$",z="q\""}"#
            ]
        );
        let key = GroupKey::new("{}", &LabelSet::from_pairs([("alertname", "Watchdog")]));
        assert_eq!(key.hash(), "2f204ce452a760f1f716259f2e6e08409e688af0a46214c2e6741de43d8edef9");
        let key = GroupKey::new(keys[1], &LabelSet::empty());
        assert_eq!(key.hash(), "949b6787c447cfcb7e7a1a8ea13f2f9993ee803da05a69ad70d6cfea0ce8fb22");
    }

    #[test]
    fn matching_goes_depth_first_and_stops_without_continue() {
        let mut yaml = "route:\n  receiver: r\n  routes:\n  - {matchers: ['a=1'], continue: true}\n  - {matchers: ['b=1'], routes: [{matchers: ['c=1']}, {matchers: ['c=~.+']}]}\n  - {matchers: ['b=~.+']}\n".to_owned();
        let shown = |config: &RouterConfig, pairs: &[(&str, &str)]| {
            let labels = LabelSet::from_pairs(pairs.iter().copied());
            let found = config.routes.matching(&labels);
            found.iter().map(|id| config.routes.get(*id).route_key.to_string()).collect::<Vec<_>>().join(" ")
        };
        let check = |config: &RouterConfig| {
            assert_eq!(shown(config, &[]), "{}");
            assert_eq!(shown(config, &[("a", "1")]), r#"{}/{a="1"}"#);
            assert_eq!(shown(config, &[("a", "1"), ("b", "1")]), r#"{}/{a="1"} {}/{b="1"}"#);
            assert_eq!(shown(config, &[("b", "1"), ("c", "2")]), r#"{}/{b="1"}/{c=~".+"}"#);
            assert_eq!(shown(config, &[("b", "2")]), r#"{}/{b=~".+"}"#);
        };
        check(&load(&yaml).unwrap());
        // The same beside a thousand others, which the index skips.
        for n in 0..1000 {
            yaml.push_str(&format!("  - {{matchers: ['host=h{n}']}}\n"));
        }
        let many = load(&yaml).unwrap();
        check(&many);
        assert_eq!(shown(&many, &[("host", "h999")]), r#"{}/{host="h999"}"#);
    }

    #[test]
    fn twins_are_warned_of_and_told_apart() {
        let yaml = "route: {receiver: r, routes: [{matchers: ['a=1']}, {matchers: ['a=1']}]}\n";
        let config = load(yaml).unwrap();
        let ordinals: Vec<usize> = config.routes.iter().map(|(_, route)| route.ordinal).collect();
        assert_eq!(ordinals, [0, 0, 1]);
    }
}
