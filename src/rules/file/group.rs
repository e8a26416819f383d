//! One group of a rule file.

use std::sync::Arc;
use std::time::Duration;

use super::rule::{self, Defaults, Rule};
use super::{Reader, scalar};
use crate::model::{LabelSet, go_quote};
use crate::rules::Cron;
use crate::yaml::{Findings, Node, Position, Section, suggest};

/// Keys of vmalert's groups and of Belfry's own that are understood later.
const NOT_YET: [&str; 11] = [
    "eval_offset",
    "eval_alignment",
    "concurrency",
    "type",
    "params",
    "headers",
    "notifier_headers",
    "debug",
    "evidence",
    "dashboard",
    "runbook",
];

/// One name for the same setting each (semantics: never added up, two at once an error).
const OFFSETS: [&str; 3] = ["query_offset", "eval_delay", "query_delay"];

/// A group: rules that are evaluated one after another at the same slots.
#[derive(Debug, Clone)]
pub struct RuleGroup {
    pub name: Arc<str>,
    /// Of the name.
    pub position: Position,
    pub timing: Timing,
    /// `None`: the source's own, else the global one. An explicit zero overrides both.
    pub query_offset: Option<Duration>,
    /// The most series or alerts that one rule may give; zero is no limit.
    pub limit: usize,
    pub rules: Vec<Rule>,
}

/// When a group is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum Timing {
    /// Every `global.evaluation_interval`.
    Default,
    Every(Duration),
    Cron(Cron),
}

impl RuleGroup {
    /// `None` if the node is no mapping or has no name, which is then a finding.
    pub(super) fn read(node: &Node, reader: &Reader<'_>, findings: &mut Findings) -> Option<RuleGroup> {
        let mut section = Section::open(node, "group", findings)?;
        let name_node = section.some("name");
        let position = name_node.map_or(section.position(), |node| node.position);
        let name = section.text("name", findings).unwrap_or_default();
        if name.is_empty() {
            findings.error(position, "Groupname must not be empty");
        }
        section.rename(format!("group {}", go_quote(&name)));

        let timing = timing(&mut section, reader, findings);
        let query_offset = query_offset(&mut section, findings);
        let limit = section.read("limit", findings, Node::integer).unwrap_or(0);
        let labels = rule::label_texts(&mut section, reader, findings);
        let defaults = Defaults::read(&mut section, labels, findings);
        let items = section.read("rules", findings, |node| node.items()).unwrap_or_default();
        scalar::not_yet(&mut section, &NOT_YET, findings);
        let place = section.name().to_owned();
        reader.options.finish(section, findings);

        let rules = items
            .iter()
            .enumerate()
            .filter_map(|(index, node)| {
                Rule::read(node, &format!("{place}, rule {}", index + 1), &defaults, reader, findings)
            })
            .collect();
        if name.is_empty() {
            return None;
        }
        let limit = usize::try_from(limit).unwrap_or(0);
        Some(RuleGroup { name: name.into(), position, timing, query_offset, limit, rules })
    }
}

/// `interval` or `schedule`, not both.
fn timing(section: &mut Section<'_>, reader: &Reader<'_>, findings: &mut Findings) -> Timing {
    let interval = scalar::duration(section, "interval", findings);
    let schedule = section.some("schedule");
    match (interval, schedule) {
        (Some(_), Some(node)) => {
            let place = section.name();
            findings.error_with_help(
                node.position,
                format!("{place}: `schedule` and `interval` cannot both be set"),
                "keep the one that you mean",
            );
            Timing::Default
        }
        (None, Some(node)) => {
            let name = format!("{}: schedule", section.name());
            cron(node, name, reader, findings).map_or(Timing::Default, Timing::Cron)
        }
        (Some((interval, _)), None) if !interval.is_zero() => Timing::Every(interval),
        _ => Timing::Default,
    }
}

/// `{cron: "0 9 * * mon-fri", time_zone: Europe/Berlin}`.
fn cron(node: &Node, name: String, reader: &Reader<'_>, findings: &mut Findings) -> Option<Cron> {
    let mut section = Section::open(node, name, findings)?;
    let place = section.name().to_owned();
    let zone = section.some("time_zone").map(|node| (node, node.text()));
    let zone = match zone {
        None => Some(chrono_tz::UTC),
        Some((node, text)) => match text.as_ref().map(|text| text.parse()) {
            Ok(Ok(zone)) => Some(zone),
            _ => {
                let text = text.unwrap_or_default();
                let message = format!("{place}: unknown time zone {}", go_quote(text));
                match suggest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
                    Some(near) => findings.error_with_help(node.position, message, format!("did you mean {near:?}?")),
                    None => findings.error(node.position, message),
                }
                None
            }
        },
    };
    let expression = section.some("cron");
    if expression.is_none() {
        findings.error(section.position(), format!("{place}: field 'cron' must be set"));
    }
    reader.options.finish(section, findings);
    let (expression, zone) = (expression?, zone?);
    match expression.text().and_then(|text| Cron::parse(text, zone).map_err(|error| error.to_string())) {
        Ok(cron) => Some(cron),
        Err(message) => {
            findings.error(expression.position, format!("{place}: {message}"));
            None
        }
    }
}

fn query_offset(section: &mut Section<'_>, findings: &mut Findings) -> Option<Duration> {
    let mut chosen: Option<(&str, Duration)> = None;
    for key in OFFSETS {
        let Some((duration, position)) = scalar::duration(section, key, findings) else { continue };
        match chosen {
            None => chosen = Some((key, duration)),
            Some((first, _)) => findings.error_with_help(
                position,
                format!("{}: `{first}` and `{key}` are one setting under two names", section.name()),
                format!("keep `{first}`"),
            ),
        }
    }
    chosen.map(|(_, duration)| duration)
}

impl Defaults {
    fn read(section: &mut Section<'_>, labels: LabelSet, findings: &mut Findings) -> Self {
        Defaults { labels, settings: rule::Settings::read(section, findings) }
    }
}
