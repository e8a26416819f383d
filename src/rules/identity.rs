//! What a group and a rule are called for as long as they are the same ones: across evaluations, reloads and restarts.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::model::{LabelSet, sha256_hex};

/// A group: its file and name. Opaque; the text is its primary key, and short whatever the names are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleGroupId(Arc<str>);

/// A rule: its file, group, name, labels as written, and which one it is among those that are equal in all of these. An
/// edited expression or duration leaves it the same rule. Opaque; the text is its primary key, and short whatever the names
/// are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

impl RuleGroupId {
    /// `file` is relative to the folder of `belfry.yml`, so that another working directory changes nothing.
    pub fn new(file: &str, group: &str) -> Self {
        RuleGroupId(digest(&[file, group]).into())
    }

    /// An identity that was stored.
    pub fn from_text(text: &str) -> Self {
        RuleGroupId(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RuleId {
    pub fn new(file: &str, group: &str, name: &str, labels: &LabelSet, ordinal: usize) -> Self {
        let ordinal = ordinal.to_string();
        let mut parts = vec![file, group, name, &ordinal];
        parts.extend(labels.iter().flat_map(|(name, value)| [name, value]));
        RuleId(digest(&parts).into())
    }

    /// An identity that was stored.
    pub fn from_text(text: &str) -> Self {
        RuleId(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Of parts with their lengths, so that no character can move from one to the next unseen.
fn digest(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(&format!("{}:{part}", part.len()));
    }
    let mut hex = sha256_hex(text.as_bytes());
    hex.truncate(32);
    hex
}

/// Counts equal rules of one group in file order.
#[derive(Debug, Default)]
pub(super) struct Ordinals(HashMap<(Arc<str>, LabelSet), usize>);

impl Ordinals {
    pub(super) fn next(&mut self, name: &Arc<str>, labels: &LabelSet) -> usize {
        let count = self.0.entry((name.clone(), labels.clone())).or_default();
        *count += 1;
        *count - 1
    }
}

macro_rules! shown_as_text {
    ($($name:ident),*) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        })*
    };
}
shown_as_text!(RuleGroupId, RuleId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_the_same_one_by_all_five_of_its_marks() {
        let labels = LabelSet::from_pairs([("a", "b")]);
        let id = |file, group, name, labels: &LabelSet, ordinal| RuleId::new(file, group, name, labels, ordinal);
        let one = id("f", "g", "n", &labels, 0);
        assert_eq!(one, id("f", "g", "n", &labels, 0));
        for other in [
            id("F", "g", "n", &labels, 0),
            id("f", "G", "n", &labels, 0),
            id("f", "g", "N", &labels, 0),
            id("f", "g", "n", &LabelSet::empty(), 0),
            id("f", "g", "n", &labels, 1),
            id("f", "g;n", "", &labels, 0),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn texts_are_stable_since_they_are_stored() {
        let id = RuleId::new("rules/a.yml", "g", "Down", &LabelSet::from_pairs([("sev", "page")]), 0);
        assert_eq!(id.as_str(), "1a94685e9e7b7b98401e300303819f51");
        assert_eq!(RuleGroupId::new("rules/a.yml", "g").as_str(), "85879f9a12abd5754fb158afece4b218");
    }

    #[test]
    fn equal_rules_are_counted() {
        let mut ordinals = Ordinals::default();
        let (name, labels) = (Arc::from("A"), LabelSet::empty());
        assert_eq!([ordinals.next(&name, &labels), ordinals.next(&name, &labels)], [0, 1]);
        assert_eq!(ordinals.next(&Arc::from("B"), &labels), 0);
    }
}
