//! The router's part of an Alertmanager configuration: `route`, `inhibit_rules`, time intervals (contract alertmanager
//! §1.4, §1.9, §1.10). Receivers are read by `notify`; here they are only names and ways.

mod inhibit;
mod interval;
mod read;

use std::sync::Arc;
use std::time::Duration;

use crate::model::Receiver;

use super::{GroupBy, RouteTree};

pub use inhibit::InhibitRule;
pub use interval::{TimeInterval, Window};
pub use read::{Sections, read};

/// All that shapes groups and what becomes of them.
#[derive(Debug, Clone)]
pub struct RouterConfig {
    pub routes: RouteTree,
    pub receivers: Vec<Receiver>,
    pub inhibit_rules: Vec<InhibitRule>,
    pub time_intervals: Vec<TimeInterval>,
    pub resolve_timeout: Duration,
}

impl RouterConfig {
    /// Tells whether stored groups and timers still fit: a hash of everything that forms groups and ways.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for (_, route) in self.routes.iter() {
            let group_by = match &route.group_by {
                GroupBy::All => "...".to_owned(),
                GroupBy::Labels(names) => format!("{names:?}"),
            };
            text.push_str(&format!(
                "route {} {} {} {group_by} {:?} {:?} {:?} {} {:?} {:?} {:?}\n",
                route.route_key,
                route.ordinal,
                route.receiver,
                route.group_wait,
                route.group_interval,
                route.repeat_interval,
                route.continues,
                route.labels,
                route.mute_time_intervals,
                route.active_time_intervals,
            ));
        }
        for receiver in &self.receivers {
            for way in &receiver.ways {
                text.push_str(&format!("way {} {} {:?}\n", way.id, way.send_resolved, way.timeout));
            }
        }
        crate::model::sha256_hex(text.as_bytes())
    }

    /// Keeps and shows alerts and tells nobody: what runs without a router file.
    pub fn silent() -> Self {
        let nobody: Arc<str> = "nobody".into();
        let route = super::Route {
            matchers: Vec::new(),
            receiver: nobody.clone(),
            group_by: GroupBy::Labels(Vec::new()),
            group_wait: read::GROUP_WAIT,
            group_interval: read::GROUP_INTERVAL,
            repeat_interval: read::REPEAT_INTERVAL,
            continues: false,
            labels: Arc::from([]),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            route_key: "{}".into(),
            ordinal: 0,
            children: Vec::new(),
        };
        let labels = crate::model::LabelSet::from_pairs([("name", "nobody")]);
        RouterConfig {
            routes: RouteTree::new(vec![route]),
            receivers: vec![Receiver { name: nobody, labels, ways: Vec::new() }],
            inhibit_rules: Vec::new(),
            time_intervals: Vec::new(),
            resolve_timeout: Duration::from_secs(300),
        }
    }
}

/// Reads a whole router text for the core's tests: every receiver has one webhook; `quiet` takes no resolved.
#[cfg(test)]
pub(super) fn for_tests(text: &str) -> Arc<RouterConfig> {
    use crate::model::{IntegrationId, LabelSet, MatcherMode, Way, parse_duration};
    use crate::yaml::{Findings, Section, parse};

    let mut findings = Findings::new("test.yml");
    let document = parse(text, &mut findings).unwrap();
    let root = document.root.unwrap();
    let mut section = Section::open(&root, "test", &mut findings).unwrap();
    let mut receivers = Vec::new();
    for node in section.take("receivers").unwrap().items().unwrap() {
        let mut receiver = Section::open(node, "receiver", &mut findings).unwrap();
        let name: Arc<str> = receiver.text("name", &mut findings).unwrap().into();
        let id = IntegrationId { receiver: name.clone(), kind: "webhook", index: 0 };
        let way = Way { id, send_resolved: &*name != "quiet", timeout: None };
        receivers.push(Receiver { labels: LabelSet::from_pairs([("name", &name)]), name, ways: vec![way] });
    }
    let resolve_timeout = section.some("global").and_then(|global| {
        let mut global = Section::open(global, "global", &mut findings)?;
        parse_duration(&global.text("resolve_timeout", &mut findings)?).ok()
    });
    let sections = Sections {
        route: section.take("route"),
        inhibit_rules: section.take("inhibit_rules"),
        time_intervals: section.take("time_intervals"),
        mute_time_intervals: section.take("mute_time_intervals"),
        at: section.position(),
    };
    let timeout = resolve_timeout.unwrap_or(Duration::from_secs(300));
    let config = read(&sections, receivers, timeout, MatcherMode::default(), &mut findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    Arc::new(config.unwrap_or_else(|| panic!("{found:#?}")))
}

#[cfg(test)]
mod tests;
