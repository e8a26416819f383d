//! What loads but is worth a word.

use std::collections::HashMap;

use super::{RuleGroup, RuleKind};
use crate::model::go_quote;
use crate::yaml::Findings;

/// Rules with the name and labels of an earlier one (promtool's `duplicate-rules`): their series or alerts are one and
/// the same, so the later one hides the earlier.
pub(super) fn duplicates(groups: &[RuleGroup], findings: &mut Findings) {
    let mut seen = HashMap::new();
    for group in groups {
        for rule in &group.rules {
            let position = rule.position;
            match seen.get(&(&rule.name, &rule.labels)) {
                None => {
                    seen.insert((&rule.name, &rule.labels), position);
                }
                Some(first) => findings.warning_with_help(
                    position,
                    format!(
                        "group {}: {} has the name and labels of the rule at {first}",
                        go_quote(&group.name),
                        go_quote(&rule.name)
                    ),
                    "give them different names or labels",
                ),
            }
        }
    }
}

/// Recording rules are read, and left out when the file is served: their results would have nowhere to go.
pub(super) fn recordings(groups: &[RuleGroup], findings: &mut Findings) {
    for group in groups {
        for rule in group.rules.iter().filter(|rule| matches!(rule.kind, RuleKind::Record)) {
            let (group, name) = (go_quote(&group.name), go_quote(&rule.name));
            findings.warning(
                rule.position,
                format!("group {group}: recording rule {name} has no store to write to yet and is left out"),
            );
        }
    }
}
