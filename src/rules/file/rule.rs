//! One rule of a group.

use std::sync::Arc;
use std::time::Duration;

use super::template::{self, TemplateFault};
use super::{Expression, Reader, scalar};
use crate::model::{LabelSet, go_quote};
use crate::yaml::{Findings, Node, Position, Section};

/// Keys that are understood later.
const NOT_YET: [&str; 6] = ["evidence", "queries", "dashboard", "runbook", "debug", "update_entries_limit"];

/// A rule that was read and found good.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The value of `alert` or `record`.
    pub name: Arc<str>,
    /// Of the name.
    pub position: Position,
    pub expr: Expression,
    /// The group's labels under the rule's own, as written: for an alert rule the values are templates.
    pub labels: LabelSet,
    /// `None` is the default source.
    pub source: Option<SourceName>,
    pub window: Option<Duration>,
    pub kind: RuleKind,
}

#[derive(Debug, Clone)]
pub enum RuleKind {
    Record,
    Alert(AlertRule),
}

/// What only rules that alert have.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// `for`: how long the expression must hold before the alert fires.
    pub hold_for: Duration,
    /// How long the alert goes on firing once the expression no longer holds.
    pub keep_firing_for: Duration,
    /// Templates, as written.
    pub annotations: LabelSet,
    pub on_error: OnError,
}

/// What a failed evaluation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnError {
    /// Changes nothing; what fires goes on being announced.
    #[default]
    Keep,
    /// The same, and one alert of its own says that the rule is blind.
    Alert,
}

/// A source named by a rule or its group, and where.
#[derive(Debug, Clone)]
pub struct SourceName {
    pub name: Arc<str>,
    pub position: Position,
}

/// By name: where it stands does not matter.
impl PartialEq for SourceName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What stands on a group or on a rule, where the rule wins.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    source: Option<SourceName>,
    window: Option<Duration>,
    on_error: Option<(OnError, Position)>,
}

/// What a rule takes over from its group.
pub(super) struct Defaults {
    pub(super) labels: LabelSet,
    pub(super) settings: Settings,
}

impl Settings {
    pub(super) fn read(section: &mut Section<'_>, findings: &mut Findings) -> Self {
        let source = section.some("source").map(|node| node.position).and_then(|position| {
            let name: Arc<str> = section.text("source", findings)?.into();
            Some(SourceName { name, position })
        });
        let window = scalar::positive_duration(section, "window", findings);
        let choices = [("keep", OnError::Keep), ("alert", OnError::Alert)];
        let on_error = scalar::choice(section, "on_error", &choices, findings);
        let no_data =
            scalar::choice(section, "no_data", &[("ok", "ok"), ("alert", "alert"), ("keep", "keep")], findings);
        if let Some((choice @ ("alert" | "keep"), position)) = no_data {
            findings.error(position, scalar::not_yet_message(section.name(), &format!("no_data: {choice}")));
        }
        Settings { source, window, on_error }
    }

    fn over(self, under: &Settings) -> Settings {
        Settings {
            source: self.source.or_else(|| under.source.clone()),
            window: self.window.or(under.window),
            on_error: self.on_error.or(under.on_error),
        }
    }
}

impl Rule {
    /// `None` if there is no rule to speak of, which is then a finding.
    pub(super) fn read(
        node: &Node,
        place: &str,
        defaults: &Defaults,
        reader: &Reader<'_>,
        findings: &mut Findings,
    ) -> Option<Rule> {
        let mut section = Section::open(node, place, findings)?;
        // What is there but is no text is a finding of its own, and no reason for another.
        let attempted =
            ["record", "alert"].into_iter().any(|key| section.some(key).is_some_and(|node| node.text().is_err()));
        let record = name(&mut section, "record", findings);
        let alert = name(&mut section, "alert", findings);
        let shown = alert.as_ref().or(record.as_ref()).map_or("", |name| &name.text);
        section.rename(format!("{place}, {}", go_quote(shown)));
        let named = match (&record, &alert) {
            (Some(record), Some(alert)) => {
                let last = record.position.max(alert.position);
                findings.error(last, format!("{}: only one of 'record' and 'alert' must be set", section.name()));
                None
            }
            (None, None) if attempted => None,
            (None, None) => {
                findings
                    .error(section.position(), format!("{}: one of 'record' or 'alert' must be set", section.name()));
                None
            }
            (Some(name), None) | (None, Some(name)) => Some(name),
        };

        let own = Settings::read(&mut section, findings);
        let expr_node = section.some("expr");
        let expr_text = section.text("expr", findings);
        let hold_for = scalar::duration(&mut section, "for", findings);
        let keep_firing_for = scalar::duration(&mut section, "keep_firing_for", findings);
        let annotations_node = section.some("annotations");
        if let Some(record) = &record {
            let filled = annotations_node.filter(|node| node.entries().is_ok_and(|entries| !entries.is_empty()));
            let refused = [
                ("for", hold_for.filter(|(duration, _)| !duration.is_zero()).map(|(_, position)| position)),
                (
                    "keep_firing_for",
                    keep_firing_for.filter(|(duration, _)| !duration.is_zero()).map(|(_, position)| position),
                ),
                ("annotations", filled.map(|node| node.position)),
                ("on_error", own.on_error.map(|(_, position)| position)),
            ];
            for (field, position) in refused {
                if let Some(position) = position {
                    findings.error(position, format!("{}: invalid field '{field}' in recording rule", section.name()));
                }
            }
            check_record(record, section.name(), reader, findings);
        }
        let templates = alert.as_ref().map(|alert| alert.text.as_str());
        let labels = pairs(&mut section, Field::Label, templates, reader, findings);
        let annotations = pairs(&mut section, Field::Annotation, templates, reader, findings);
        scalar::not_yet(&mut section, &NOT_YET, findings);
        let settings = own.over(&defaults.settings);
        let expr = match (expr_node, expr_text) {
            (Some(node), Some(text)) if !text.trim().is_empty() => {
                let expr = Expression::new(reader.document, node, &text);
                check_expression(&expr, settings.source.as_ref(), section.name(), reader, findings);
                Some(expr)
            }
            // A list or a mapping is a finding already.
            (Some(_), None) => None,
            (node, _) => {
                let position = node.map_or(section.position(), |node| node.position);
                findings.error(position, format!("{}: field 'expr' must be set in rule", section.name()));
                None
            }
        };
        reader.options.finish(section, findings);

        let named = named?;
        let kind = match alert {
            None => RuleKind::Record,
            Some(_) => RuleKind::Alert(AlertRule {
                hold_for: hold_for.map(|(duration, _)| duration).unwrap_or_default(),
                keep_firing_for: keep_firing_for.map(|(duration, _)| duration).unwrap_or_default(),
                annotations,
                on_error: settings.on_error.map(|(choice, _)| choice).unwrap_or_default(),
            }),
        };
        Some(Rule {
            name: named.text.as_str().into(),
            position: named.position,
            expr: expr?,
            labels: defaults.labels.iter().chain(labels.iter()).collect(),
            source: settings.source,
            window: settings.window,
            kind,
        })
    }
}

#[derive(Clone)]
struct Name {
    text: String,
    position: Position,
}

fn name(section: &mut Section<'_>, key: &'static str, findings: &mut Findings) -> Option<Name> {
    let position = section.some(key)?.position;
    section.text(key, findings).filter(|text| !text.is_empty()).map(|text| Name { text, position })
}

fn check_record(record: &Name, place: &str, reader: &Reader<'_>, findings: &mut Findings) {
    let text = &record.text;
    if !reader.options.names.is_metric_name(text) {
        findings.error(record.position, format!("{place}: invalid recording rule name: {text}"));
    }
    if text.contains(['{', '}']) {
        let message = format!("{place}: braces present in the recording rule name; should it be in expr?: {text}");
        findings.error(record.position, message);
    }
}

fn check_expression(
    expr: &Expression,
    source: Option<&SourceName>,
    place: &str,
    reader: &Reader<'_>,
    findings: &mut Findings,
) {
    let Some(check) = reader.options.check_expression else { return };
    if let Err(fault) = check(expr.text(), source.map(|source| &*source.name)) {
        let (at, message) = (expr.position_at(fault.offset), format!("{place}: {}", fault.message));
        match fault.help {
            Some(help) => findings.error_with_help(at, message, help),
            None => findings.error(at, message),
        }
    }
}

/// The two maps of names to texts.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Label,
    Annotation,
}

impl Field {
    const fn key(self) -> &'static str {
        match self {
            Field::Label => "labels",
            Field::Annotation => "annotations",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Field::Label => "label",
            Field::Annotation => "annotation",
        }
    }
}

/// A group's labels. The peer does not look whether they parse as templates, so neither do we.
pub(super) fn label_texts(section: &mut Section<'_>, reader: &Reader<'_>, findings: &mut Findings) -> LabelSet {
    pairs(section, Field::Label, None, reader, findings)
}

/// `labels` or `annotations`; with the name of an alert, every value must parse as a template.
fn pairs(
    section: &mut Section<'_>,
    field: Field,
    alert: Option<&str>,
    reader: &Reader<'_>,
    findings: &mut Findings,
) -> LabelSet {
    let entries = section.read(field.key(), findings, |node| node.entries()).unwrap_or_default();
    let (place, word) = (section.name(), field.word());
    let mut read: Vec<(&str, &str)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let Ok(name) = key.text() else { continue };
        if !reader.options.names.is_label_name(name) || (field == Field::Label && name == "__name__") {
            findings.error(key.position, format!("{place}: invalid {word} name: {name}"));
        }
        let quoted = go_quote(name);
        match value.text() {
            Err(message) => findings.error(value.position, format!("{place}: {word} {quoted}: {message}")),
            Ok(text) => {
                if let Some(Err(fault)) = alert.map(|alert| template::check(alert, text)) {
                    let at = template_position(reader, value, text, &fault);
                    findings.error(at, format!("{place}: {word} {quoted}: {}", fault.message));
                }
                read.push((name, text));
            }
        }
    }
    LabelSet::from_pairs(read)
}

/// The line that a template's error names, in the file.
fn template_position(reader: &Reader<'_>, node: &Node, text: &str, fault: &TemplateFault) -> Position {
    let lines_before = fault.line.unwrap_or(1).saturating_sub(1);
    let offset = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    reader.document.position_in(node, offset)
}
