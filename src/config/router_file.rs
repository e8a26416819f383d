//! The router's file (Alertmanager's own, or the same inline): receivers, routes and templates, read together.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::glob::glob;
use super::load::read_text;
use super::telemetry;
use crate::model::{MatcherMode, format_duration};
use crate::notify::config::{Globals, Kind, ReceiverConfig, read_receivers};
use crate::router::config::{Sections, read as read_router};
use crate::router::{GroupBy, RouteId, RouterConfig};
use crate::template::{TemplateFile, Templates};
use crate::yaml::{Document, Findings, Node, Position, Section, free_form};

/// What a router's file says, ready to be run.
#[derive(Debug, Clone)]
pub struct RouterFile {
    pub receivers: Vec<ReceiverConfig>,
    pub router: Arc<RouterConfig>,
    pub templates: Templates,
    /// The effective configuration as YAML that Alertmanager's own loader takes, secrets hidden.
    pub shown: String,
}

/// Whether a receiver in use that cannot be sent to is an error, or only worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Check,
    Serve,
}

/// Reads a whole file. `None` if there is no route to go on with.
pub fn read_document(document: &Document, dir: &Path, purpose: Purpose, findings: &mut Findings) -> Option<RouterFile> {
    if let Some(second) = document.second {
        findings.warning(second, "only the first document of a file is read");
    }
    let Some(root) = &document.root else {
        findings.error_with_help(
            Position { line: 1, column: 1 },
            "no routes provided",
            "add a `route` with a `receiver`",
        );
        return None;
    };
    read(root, dir, purpose, findings)
}

/// Reads the mapping itself, which may also stand inline in belfry.yml.
pub(super) fn read(root: &Node, dir: &Path, purpose: Purpose, findings: &mut Findings) -> Option<RouterFile> {
    let mut section = Section::open(root, "the router's file", findings)?;
    let globals = match section.some("global") {
        Some(node) => {
            let mut global = Section::open(node, "global", findings)?;
            let globals = Globals::read(&mut global, dir, findings);
            global.finish(findings);
            globals
        }
        None => Globals::default(),
    };
    let receivers =
        section.take("receivers").map_or_else(Vec::new, |node| read_receivers(node, &globals, dir, findings));
    let sections = Sections {
        route: section.take("route"),
        inhibit_rules: section.some("inhibit_rules"),
        time_intervals: section.some("time_intervals"),
        mute_time_intervals: section.some("mute_time_intervals"),
        at: section.position(),
    };
    let known = receivers.iter().map(ReceiverConfig::receiver).collect();
    let router = read_router(&sections, known, globals.resolve_timeout, MatcherMode::default(), findings);
    let templates = read_templates(&mut section, dir, findings);
    telemetry::read(&mut section, dir, findings);
    section.finish(findings);
    let router = router?;
    judge_ways(&receivers, &router, purpose, findings);
    judge_texts(&receivers, &templates.0, findings);
    warn_of_what_waits(&sections, findings);
    let shown = show(&globals, &receivers, &router, &sections, templates.1);
    Some(RouterFile { receivers, router: Arc::new(router), templates: templates.0, shown })
}

fn read_templates(section: &mut Section<'_>, dir: &Path, findings: &mut Findings) -> (Templates, Vec<String>) {
    let items = section.read("templates", findings, Node::items).unwrap_or_default();
    let mut files = Vec::new();
    let mut patterns = Vec::new();
    for item in items {
        let pattern = match item.text() {
            Ok(pattern) => pattern,
            Err(message) => {
                findings.error(item.position, format!("templates: {message}"));
                continue;
            }
        };
        patterns.push(pattern.to_owned());
        match glob(dir, pattern) {
            Ok(paths) => {
                for path in paths {
                    match read_text(&dir.join(&path)) {
                        Ok(text) => files
                            .push((TemplateFile { path: path.to_string_lossy().into_owned(), text }, item.position)),
                        Err(reason) => {
                            findings.error(item.position, format!("templates: {}: {reason}", path.display()));
                        }
                    }
                }
            }
            Err(error) => findings.error(item.position, format!("templates: {pattern:?}: {error}")),
        }
    }
    let at: std::collections::HashMap<String, Position> =
        files.iter().map(|(file, at)| (file.path.clone(), *at)).collect();
    let files: Vec<TemplateFile> = files.into_iter().map(|(file, _)| file).collect();
    match Templates::load(&files) {
        Ok(templates) => (templates, patterns),
        Err(errors) => {
            for (path, error) in errors {
                let at = at.get(&path).copied().unwrap_or_default();
                findings.error(at, format!("templates: {path}: {error}"));
            }
            (Templates::builtin(), patterns)
        }
    }
}

/// An integration in use that cannot be sent to yet must never lose a notification without a word.
fn judge_ways(receivers: &[ReceiverConfig], router: &RouterConfig, purpose: Purpose, findings: &mut Findings) {
    let used: HashSet<&str> = router.routes.iter().map(|(_, route)| &*route.receiver).collect();
    for receiver in receivers.iter().filter(|receiver| used.contains(&*receiver.name)) {
        for integration in &receiver.integrations {
            if !matches!(integration.kind, Kind::Other(_)) {
                continue;
            }
            let kind = integration.id.kind;
            let message = format!("receiver {:?}: {kind} notifications cannot be sent yet", receiver.name);
            let help = "email, slack, pagerduty and webhook can be; remove this one or leave its receiver unused";
            match purpose {
                Purpose::Serve => findings.error_with_help(integration.position, message, help),
                Purpose::Check => findings.warning_with_help(integration.position, message, help),
            }
        }
    }
}

/// A text that is no template fails each of its sends; the peer loads it all the same, so it is worth a word.
fn judge_texts(receivers: &[ReceiverConfig], templates: &Templates, findings: &mut Findings) {
    let integrations = receivers.iter().flat_map(|receiver| &receiver.integrations);
    for written in integrations.flat_map(|integration| &integration.templates) {
        let text = written.text.expose();
        let checked = if written.html { templates.check_html(text) } else { templates.check_text(text) };
        if let Err(error) = checked {
            let message = format!("{}: {error}", written.what);
            findings.warning_with_help(written.position, message, "notifications that need it will be rejected");
        }
    }
}

/// Parsed and not applied yet: whoever relies on them must be told.
fn warn_of_what_waits(sections: &Sections<'_>, findings: &mut Findings) {
    for (key, node) in [
        ("inhibit_rules", sections.inhibit_rules),
        ("time_intervals", sections.time_intervals),
        ("mute_time_intervals", sections.mute_time_intervals),
    ] {
        let Some(node) = node.filter(|node| node.items().is_ok_and(|items| !items.is_empty())) else { continue };
        findings.warning_with_help(
            node.position,
            format!("{key} are read, but hold nothing back yet"),
            "alerts that they would hold back are told",
        );
    }
}

fn show(
    globals: &Globals,
    receivers: &[ReceiverConfig],
    router: &RouterConfig,
    sections: &Sections<'_>,
    templates: Vec<String>,
) -> String {
    let mut all = Map::new();
    all.insert("global".to_owned(), globals.shown());
    all.insert("route".to_owned(), show_route(router, router.routes.root()));
    for (key, node) in [
        ("inhibit_rules", sections.inhibit_rules),
        ("time_intervals", sections.time_intervals),
        ("mute_time_intervals", sections.mute_time_intervals),
    ] {
        if let Some(node) = node {
            all.insert(key.to_owned(), free_form(node));
        }
    }
    all.insert("receivers".to_owned(), receivers.iter().map(ReceiverConfig::shown).collect());
    all.insert("templates".to_owned(), templates.into());
    crate::yaml::write(&all).unwrap_or_default()
}

fn show_route(router: &RouterConfig, id: RouteId) -> Value {
    let route = router.routes.get(id);
    let group_by: Vec<&str> = match &route.group_by {
        GroupBy::All => vec!["..."],
        GroupBy::Labels(names) => names.iter().map(|name| &**name).collect(),
    };
    let mut shown = Map::new();
    shown.insert("receiver".to_owned(), (*route.receiver).into());
    if !group_by.is_empty() {
        shown.insert("group_by".to_owned(), json!(group_by));
    }
    let matchers: Vec<String> = route.matchers.iter().map(ToString::to_string).collect();
    if !matchers.is_empty() {
        shown.insert("matchers".to_owned(), json!(matchers));
    }
    if id != router.routes.root() {
        shown.insert("continue".to_owned(), route.continues.into());
    }
    for (key, names) in
        [("mute_time_intervals", &route.mute_time_intervals), ("active_time_intervals", &route.active_time_intervals)]
    {
        if !names.is_empty() {
            shown.insert(key.to_owned(), json!(names.iter().map(|name| &**name).collect::<Vec<_>>()));
        }
    }
    shown.insert("group_wait".to_owned(), format_duration(route.group_wait).into());
    shown.insert("group_interval".to_owned(), format_duration(route.group_interval).into());
    shown.insert("repeat_interval".to_owned(), format_duration(route.repeat_interval).into());
    if !route.children.is_empty() {
        shown.insert("routes".to_owned(), route.children.iter().map(|child| show_route(router, *child)).collect());
    }
    Value::Object(shown)
}
