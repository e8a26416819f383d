//! `inhibit_rules` (contract alertmanager §1.9).

use std::sync::Arc;

use crate::model::{Matcher, MatcherMode, is_valid_label_name};
use crate::yaml::{Findings, Node, Section};

use super::read::{legacy_matchers, matchers};

/// Alerts that match `target` are held back while one that matches `source` fires with the same `equal` labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InhibitRule {
    pub name: Option<Arc<str>>,
    /// Empty matches every alert.
    pub source: Vec<Matcher>,
    pub target: Vec<Matcher>,
    pub equal: Vec<Arc<str>>,
}

pub(super) fn read(node: &Node, index: usize, mode: MatcherMode, findings: &mut Findings) -> Option<InhibitRule> {
    let mut section = Section::open(node, format!("inhibition rule {}", index + 1), findings)?;
    let name = section.text("name", findings).filter(|name| !name.is_empty()).map(Into::into);
    let mut source = matchers(&mut section, "source_matchers", mode, findings);
    source.extend(legacy_matchers(&mut section, "source_match", "source_match_re", findings));
    let mut target = matchers(&mut section, "target_matchers", mode, findings);
    target.extend(legacy_matchers(&mut section, "target_match", "target_match_re", findings));
    source.sort();
    target.sort();
    let mut equal = Vec::new();
    if let Some(list) = section.read("equal", findings, Node::items) {
        for node in list {
            match node.text() {
                Ok(name) if is_valid_label_name(name, mode) => equal.push(name.into()),
                Ok(name) => {
                    findings.error(node.position, format!("{}: invalid label name {name:?} in equal", section.name()));
                }
                Err(message) => findings.error(node.position, format!("{}: equal: {message}", section.name())),
            }
        }
    }
    section.finish(findings);
    Some(InhibitRule { name, source, target, equal })
}
