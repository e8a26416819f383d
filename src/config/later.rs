//! Keys of belfry.yml whose capability this version does not have: known, so that nothing is called a typing error, and
//! refused or warned of, so that nobody waits for what will not happen.

use crate::yaml::{Findings, Position, Section, Value};

/// Refuses a key that is written with any value but nothing (null, an empty list, an empty mapping).
pub(super) fn refuse(section: &mut Section<'_>, key: &'static str, instead: &str, findings: &mut Findings) {
    if let Some(position) = written(section, key) {
        findings.error_with_help(position, format!("{}: {key} is not supported yet", section.name()), instead);
    }
}

/// Warns of a key that is read, and changes nothing that could be missed until its capability comes.
pub(super) fn idle(section: &mut Section<'_>, key: &'static str, without: &str, findings: &mut Findings) {
    if let Some(position) = written(section, key) {
        findings.warning(position, format!("{}: {key} has no effect yet: {without}", section.name()));
    }
}

fn written(section: &mut Section<'_>, key: &'static str) -> Option<Position> {
    let node = section.some(key)?;
    let empty = match &node.value {
        Value::Scalar(_) => false,
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
    };
    (!empty).then_some(node.position)
}
