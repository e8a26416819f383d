//! Keys of belfry.yml whose capability this version does not have: known, so that nothing is called a typing error, and
//! refused, so that nobody waits for what will not happen.

use crate::yaml::{Findings, Section, Value};

/// Refuses a key that is written with any value but nothing (null, an empty list, an empty mapping).
pub(super) fn refuse(section: &mut Section<'_>, key: &'static str, instead: &str, findings: &mut Findings) {
    let Some(node) = section.some(key) else { return };
    let empty = match &node.value {
        Value::Scalar(_) => false,
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
    };
    if !empty {
        findings.error_with_help(node.position, format!("{}: {key} is not supported yet", section.name()), instead);
    }
}
