//! What is to be evaluated: rule files with all defaults filled in and every text parsed.
//!
//! Two plans are equal if running one is running the other: a reload leaves such a group alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::core::{RuleSpec, Terms};
use super::file::{OnError, RuleFile, RuleGroup, RuleKind, Timing};
use super::identity::Ordinals;
use super::text::Text;
use super::{RuleGroupId, RuleId, Schedule, Slots, Sources};
use crate::model::{LabelSet, go_quote};
use crate::yaml::{Diagnostic, Findings, suggest};

/// What `belfry.yml` says about evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub evaluation_interval: Duration,
    /// For groups without one whose source has none either.
    pub query_offset: Duration,
    pub resend_delay: Duration,
    /// Of one rule's query, and of the rendering of its templates.
    pub timeout: Duration,
    /// Queries at a time.
    pub concurrency: usize,
    pub external_labels: LabelSet,
    pub external_url: Arc<str>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            evaluation_interval: Duration::from_secs(60),
            query_offset: Duration::ZERO,
            resend_delay: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            concurrency: 16,
            external_labels: LabelSet::empty(),
            external_url: "http://localhost:9095".into(),
        }
    }
}

/// One group, complete.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupPlan {
    pub(super) id: RuleGroupId,
    pub(super) file: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) schedule: Schedule,
    /// The group's own.
    pub(super) query_offset: Option<Duration>,
    pub(super) limit: usize,
    pub(super) rules: Vec<Arc<RulePlan>>,
    pub(super) settings: Arc<Settings>,
}

/// One alert rule, complete.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RulePlan {
    pub(super) id: RuleId,
    pub(super) name: Arc<str>,
    pub(super) expr: Arc<str>,
    pub(super) hold_for: Duration,
    pub(super) keep_firing_for: Duration,
    pub(super) labels: Vec<(Arc<str>, Text)>,
    pub(super) annotations: Vec<(Arc<str>, Text)>,
    /// `None` is the default source.
    pub(super) source: Option<Arc<str>>,
    pub(super) window: Option<Duration>,
    pub(super) on_error: OnError,
}

/// Every group of every file.
///
/// # Errors
/// Rules that name a source that is not there, where they do.
pub(super) fn plan(
    files: &[RuleFile],
    settings: &Arc<Settings>,
    sources: &Sources,
) -> Result<Vec<GroupPlan>, Vec<Diagnostic>> {
    check_sources(files, sources)?;
    let mut plans: Vec<GroupPlan> =
        files.iter().flat_map(|file| file.groups.iter().map(|group| GroupPlan::new(file, group, settings))).collect();
    // A file that two patterns match is still one file.
    let mut seen = HashSet::new();
    plans.retain(|plan| seen.insert(plan.id.clone()));
    Ok(plans)
}

/// Finds rules whose source is not there.
///
/// # Errors
/// All of them, where they stand.
pub fn check_sources(files: &[RuleFile], sources: &Sources) -> Result<(), Vec<Diagnostic>> {
    let mut all = Vec::new();
    for file in files {
        let mut findings = Findings::new(file.path.clone());
        for (group, rule) in file.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule))) {
            let name = rule.source.as_ref().map(|source| &*source.name);
            if sources.get(name).is_some() || matches!(rule.kind, RuleKind::Record) {
                continue;
            }
            let place = format!("group {}, {}", go_quote(&group.name), go_quote(&rule.name));
            match &rule.source {
                None => findings.error_with_help(
                    rule.position,
                    format!("{place}: there is no default source"),
                    "name a source, or mark one of `sources` as `default: true`",
                ),
                Some(source) => {
                    let message = format!("{place}: unknown source {}", go_quote(&source.name));
                    match suggest(&source.name, sources.names()) {
                        Some(near) => {
                            findings.error_with_help(source.position, message, format!("did you mean {near:?}?"));
                        }
                        None => findings.error(source.position, message),
                    }
                }
            }
        }
        all.extend(findings.into_sorted());
    }
    if all.is_empty() { Ok(()) } else { Err(all) }
}

impl GroupPlan {
    fn new(file: &RuleFile, group: &RuleGroup, settings: &Arc<Settings>) -> Self {
        let every = |interval| Schedule::Every(Slots::new(&file.path, &group.name, interval));
        let schedule = match &group.timing {
            Timing::Default => every(settings.evaluation_interval),
            Timing::Every(interval) => every(*interval),
            Timing::Cron(cron) => Schedule::Cron(cron.clone()),
        };
        let mut ordinals = Ordinals::default();
        let mut rules = Vec::with_capacity(group.rules.len());
        for rule in &group.rules {
            // Recording rules count as well, so that an id does not change on the day that they are evaluated too.
            let ordinal = ordinals.next(&rule.name, &rule.labels);
            let RuleKind::Alert(alert) = &rule.kind else { continue };
            let texts = |labels: &LabelSet| -> Vec<(Arc<str>, Text)> {
                labels.iter().map(|(name, text)| (name.into(), Text::new(&rule.name, text))).collect()
            };
            rules.push(Arc::new(RulePlan {
                id: RuleId::new(&file.path, &group.name, &rule.name, &rule.labels, ordinal),
                name: rule.name.clone(),
                expr: rule.expr.text().clone(),
                hold_for: alert.hold_for,
                keep_firing_for: alert.keep_firing_for,
                labels: texts(&rule.labels),
                annotations: texts(&alert.annotations),
                source: rule.source.as_ref().map(|source| source.name.clone()),
                window: rule.window,
                on_error: alert.on_error,
            }));
        }
        GroupPlan {
            id: RuleGroupId::new(&file.path, &group.name),
            file: file.path.clone(),
            name: group.name.clone(),
            schedule,
            query_offset: group.query_offset,
            limit: group.limit,
            rules,
            settings: settings.clone(),
        }
    }

    pub(super) fn specs(&self) -> Vec<RuleSpec> {
        let spec = |rule: &Arc<RulePlan>| RuleSpec {
            id: rule.id.clone(),
            hold_for: rule.hold_for,
            keep_firing_for: rule.keep_firing_for,
            limit: self.limit,
            generator_url: generator_url(&self.settings.external_url, &rule.expr),
        };
        self.rules.iter().map(spec).collect()
    }

    pub(super) fn terms(&self) -> Terms {
        Terms { resend_delay: self.settings.resend_delay, external_labels: self.settings.external_labels.clone() }
    }

    /// `FILE;GROUP`, as metrics name it.
    pub(super) fn metric_label(&self) -> String {
        format!("{};{}", self.file, self.name)
    }
}

impl RulePlan {
    pub(super) fn has_templates(&self) -> bool {
        self.labels.iter().chain(&self.annotations).any(|(_, text)| !text.is_literal())
    }
}

/// Where the expression can be looked at (contract prometheus §b, Sending).
fn generator_url(external_url: &str, expr: &str) -> Arc<str> {
    let query: String = url::form_urlencoded::byte_serialize(expr.as_bytes()).collect();
    // Go leaves a tilde as it is and escapes an asterisk; the form encoding does the opposite.
    let query = query.replace("%7E", "~").replace('*', "%2A");
    format!("{}/graph?g0.expr={query}&g0.tab=1", external_url.trim_end_matches('/')).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ParseOptions;

    fn file(text: &str) -> RuleFile {
        let mut findings = Findings::new("x");
        RuleFile::parse("r.yml", text, &ParseOptions::default(), &mut findings).unwrap()
    }

    fn plans(text: &str) -> Vec<GroupPlan> {
        let sources = Sources::default();
        let file = file(text);
        let _ = check_sources(std::slice::from_ref(&file), &sources);
        file.groups.iter().map(|group| GroupPlan::new(&file, group, &Arc::new(Settings::default()))).collect()
    }

    #[test]
    fn the_generator_url_is_escaped_as_go_does() {
        assert_eq!(
            &*generator_url("http://h:9090/pre", "m{i=\"a\"} > 0"),
            "http://h:9090/pre/graph?g0.expr=m%7Bi%3D%22a%22%7D+%3E+0&g0.tab=1"
        );
        assert_eq!(&*generator_url("http://h/", "a*~b-c_d.e"), "http://h/graph?g0.expr=a%2A~b-c_d.e&g0.tab=1");
    }

    #[test]
    fn places_do_not_make_a_plan_another_one() {
        let one = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: b}}\n";
        let same = "# a comment\ngroups:\n- name: g\n  rules:\n  - alert: A\n    labels: {a: b}\n    expr: ' up '\n";
        assert_eq!(plans(one), plans(same));
        for (from, to) in [
            ("expr: up", "expr: down"),
            ("a: b", "a: c"),
            ("name: g", "name: h"),
            ("A,", "A, for: 1m,"),
            ("A,", "A, source: s,"),
        ] {
            assert_ne!(plans(one), plans(&one.replace(from, to)), "{to}");
        }
    }

    #[test]
    fn an_edited_expression_leaves_a_rule_the_same_one() {
        let one = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: {a: b}}\n  - {alert: A, expr: up, labels: {a: b}}\n";
        let ids = |text: &str| plans(text)[0].rules.iter().map(|rule| rule.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(one), ids(&one.replace("expr: up", "expr: down")));
        assert_ne!(ids(one)[0], ids(one)[1]);
        assert_ne!(ids(one)[0], ids(&one.replace("a: b", "a: c"))[0]);
    }

    #[test]
    fn recording_rules_are_left_out() {
        let plans = plans("groups:\n- name: g\n  rules:\n  - {record: a, expr: up}\n  - {alert: A, expr: up}\n");
        assert_eq!(plans[0].rules.iter().map(|rule| rule.name.to_string()).collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn a_source_that_is_not_there_is_found_where_it_is_named() {
        let text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, source: s}\n  - {alert: B, expr: up}\n";
        let found = check_sources(&[file(text)], &Sources::default()).unwrap_err();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "r.yml:4:34: group \"g\", \"A\": unknown source \"s\"",
                "r.yml:5:13: group \"g\", \"B\": there is no default source\n  help: name a source, or mark one of `sources` as `default: true`"
            ]
        );
    }
}
