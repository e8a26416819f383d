//! The files that `rule_files` names: found, read, and their sources looked up.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::belfry::{BelfryConfig, RulePattern};
use super::glob::{glob, is_literal};
use super::load::read_text;
use super::paths;
use crate::rules::{ParseOptions, Rule, RuleFile, RuleKind};
use crate::yaml::{Diagnostic, Findings, Position, suggest};

/// Reads all of them. What is wrong with the patterns goes to `findings`, what is wrong in the files to `others`; a file
/// with an error is left out.
pub(super) fn read(
    config: &BelfryConfig,
    dir: &Path,
    findings: &mut Findings,
    others: &mut Vec<Diagnostic>,
) -> Vec<RuleFile> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for pattern in &config.rule_files {
        for path in matched(pattern, dir, findings) {
            let identity = paths::identity(dir, &path);
            if !seen.insert(identity.clone()) {
                continue;
            }
            match read_text(&dir.join(&path)) {
                Ok(text) => files.extend(one(&identity, &text, config, dir, others)),
                Err(reason) => {
                    let message = format!("rule_files: {}: {reason}", paths::shown(dir, &identity));
                    findings.error(pattern.position, message);
                }
            }
        }
    }
    let anything = files.iter().flat_map(|file| &file.groups).flat_map(|group| &group.rules).any(asks);
    if let (true, true, Some(first)) = (anything, config.sources.is_empty(), config.rule_files.first()) {
        let message = "rule_files: there are rules, but no source that they could ask";
        findings.error_with_help(first.position, message, "name a Prometheus in sources");
    }
    files
}

fn matched(pattern: &RulePattern, dir: &Path, findings: &mut Findings) -> Vec<PathBuf> {
    if is_literal(&pattern.pattern) {
        // A file that is named must be there: reading it says why it cannot be read.
        return vec![PathBuf::from(&pattern.pattern)];
    }
    match glob(dir, &pattern.pattern) {
        Ok(paths) => {
            if paths.is_empty() {
                let message = format!("rule_files: no file matches {:?}", pattern.pattern);
                findings.warning(pattern.position, message);
            }
            paths
        }
        Err(error) => {
            findings.error(pattern.position, format!("rule_files: {:?}: {error}", pattern.pattern));
            Vec::new()
        }
    }
}

/// One file. Its findings are shown under the path that a user would type, its identity stays relative to belfry.yml.
fn one(
    identity: &str,
    text: &str,
    config: &BelfryConfig,
    dir: &Path,
    others: &mut Vec<Diagnostic>,
) -> Option<RuleFile> {
    let mut findings = Findings::new(identity);
    let file = RuleFile::parse(identity, text, &ParseOptions::default(), &mut findings);
    if let Some(file) = &file {
        check_sources(file, config, &mut findings);
    }
    let failed = findings.has_errors();
    let shown: std::sync::Arc<str> = paths::shown(dir, identity).into();
    others.extend(findings.into_sorted().into_iter().map(|finding| Diagnostic { file: shown.clone(), ..finding }));
    file.filter(|_| !failed)
}

/// Recording rules are left out, so they need nobody to ask (semantics "Rules").
fn asks(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Alert(_))
}

/// A rule asks a source that there is: the one that it or its group names, else the default one.
pub(super) fn check_sources(file: &RuleFile, config: &BelfryConfig, findings: &mut Findings) {
    // A group's `source` is found with each of its rules.
    let mut told: HashSet<Position> = HashSet::new();
    for group in &file.groups {
        for rule in group.rules.iter().filter(|rule| asks(rule)) {
            if let Some((position, message, help)) = source_fault(rule, config)
                && told.insert(position)
            {
                findings.error_with_help(
                    position,
                    format!("group {:?}, rule {:?}: {message}", group.name, rule.name),
                    help,
                );
            }
        }
    }
}

fn source_fault(rule: &Rule, config: &BelfryConfig) -> Option<(Position, String, String)> {
    let names = || config.sources.iter().map(|source| source.name.as_str());
    match &rule.source {
        Some(source) if names().any(|name| name == &*source.name) => None,
        Some(source) => {
            let help = match suggest(&source.name, names()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "add it to sources in belfry.yml".to_owned(),
            };
            Some((source.position, format!("unknown source {:?}", source.name), help))
        }
        None if config.sources.len() > 1 && config.default_source().is_none() => {
            let help = "set source, or mark one as `default: true` in belfry.yml".to_owned();
            Some((
                rule.position,
                format!("names no source, and none of the {} is the default", config.sources.len()),
                help,
            ))
        }
        None => None,
    }
}
