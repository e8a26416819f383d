//! Rule files: Prometheus' and the Loki ruler's format, with Belfry's own keys beside it (contract prometheus §a).
//!
//! What the peer loads loads here and what it refuses is refused, but every finding says where it stands, and all of them
//! come at once. Reads text only: it opens no file and asks no source.

mod expression;
mod group;
mod lint;
mod options;
mod rule;
mod scalar;
mod template;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use crate::yaml::{self, Document, Findings, Section};

pub use expression::{Expression, ExpressionFault};
pub use group::{RuleGroup, Timing};
pub use options::{ExpressionCheck, NameScheme, ParseOptions};
pub use rule::{AlertRule, OnError, Rule, RuleKind, SourceName};

/// One rule file, read and found good.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// As it stands in identities, APIs and findings: relative to the folder of `belfry.yml`.
    pub path: Arc<str>,
    pub groups: Vec<RuleGroup>,
}

impl RuleFile {
    /// Reads a file's text. All that is wrong with it goes to `findings`, under the name `path`; `None` if any of that is
    /// an error. Warnings leave the file usable: a second document, rules that equal an earlier one, recording rules.
    pub fn parse(path: &str, text: &str, options: &ParseOptions<'_>, findings: &mut Findings) -> Option<RuleFile> {
        let mut own = Findings::new(path);
        let file = read(path, text, options, &mut own);
        let good = !own.has_errors();
        findings.extend(own.into_sorted());
        file.filter(|_| good)
    }
}

fn read(path: &str, text: &str, options: &ParseOptions<'_>, findings: &mut Findings) -> Option<RuleFile> {
    let document = yaml::parse(text, findings)?;
    if let Some(second) = document.second {
        findings.warning_with_help(
            second,
            "only the first document of a rule file is read",
            "move the groups of the others into it, or into files of their own",
        );
    }
    let path: Arc<str> = path.into();
    let Some(root) = &document.root else { return Some(RuleFile { path, groups: Vec::new() }) };
    let mut section = Section::open(root, "rule file", findings)?;
    let items = section.read("groups", findings, |node| node.items()).unwrap_or_default();
    scalar::not_yet(&mut section, &["namespace"], findings);
    options.finish(section, findings);

    let reader = Reader { document: &document, options };
    let mut names = HashSet::new();
    let mut groups = Vec::with_capacity(items.len());
    for node in items {
        let Some(group) = RuleGroup::read(node, &reader, findings) else { continue };
        if !names.insert(group.name.clone()) {
            let name = crate::model::go_quote(&group.name);
            findings.error(group.position, format!("groupname: {name} is repeated in the same file"));
        }
        groups.push(group);
    }
    lint::duplicates(&groups, findings);
    lint::recordings(&groups, findings);
    Some(RuleFile { path, groups })
}

/// What the readers of groups and rules share.
struct Reader<'a> {
    document: &'a Document,
    options: &'a ParseOptions<'a>,
}
