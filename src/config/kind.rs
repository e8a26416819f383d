//! What kind of file a text is, by its top-level keys (semantics "The surface", `belfry check`).

use std::fmt;

use crate::yaml::{Document, Node, Value};

/// The kinds of files that `belfry check` knows; `--as` names them by [`FileKind::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// belfry.yml.
    Belfry,
    /// Alert and recording rules.
    Rules,
    /// Unit tests of rules.
    RuleTests,
    /// Routes and receivers.
    Router,
}

impl FileKind {
    pub const ALL: [FileKind; 4] = [FileKind::Belfry, FileKind::Rules, FileKind::RuleTests, FileKind::Router];

    pub fn name(self) -> &'static str {
        match self {
            FileKind::Belfry => "belfry",
            FileKind::Rules => "rules",
            FileKind::RuleTests => "tests",
            FileKind::Router => "router",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        FileKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// By the top-level keys, the first kind that has one: `groups` are rules, `tests` rule tests, `route` or `receivers`
    /// a router, and `listen`, `storage`, `sources` or `router` belfry.yml. Anything else, an empty file too, is taken
    /// for rules.
    pub fn detect(document: &Document) -> Self {
        let keys = top_level_keys(document.root.as_ref());
        let has = |wanted: &[&str]| keys.iter().any(|key| wanted.contains(key));
        // A rule test names its rule files and groups inside `tests`, so the order of the first two does not matter.
        if has(&["groups"]) {
            FileKind::Rules
        } else if has(&["tests"]) {
            FileKind::RuleTests
        } else if has(&["route", "receivers"]) {
            FileKind::Router
        } else if has(&["listen", "storage", "sources", "router"]) {
            FileKind::Belfry
        } else {
            FileKind::Rules
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn top_level_keys(root: Option<&Node>) -> Vec<&str> {
    match root.map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.iter().filter_map(|(key, _)| key.text().ok()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Findings, parse};

    #[test]
    fn a_file_is_known_by_its_top_level_keys() {
        let cases = [
            ("groups: []", FileKind::Rules),
            ("rule_files: [a.yml]\ntests: []", FileKind::RuleTests),
            ("route: {receiver: x}", FileKind::Router),
            ("global: {}\nreceivers: []", FileKind::Router),
            ("listen: :9095", FileKind::Belfry),
            ("storage: {}\nrule_files: []", FileKind::Belfry),
            ("sources: []", FileKind::Belfry),
            ("router: am.yml", FileKind::Belfry),
            ("rule_files: [a.yml]", FileKind::Rules),
            ("", FileKind::Rules),
            ("# nothing\n", FileKind::Rules),
            ("- groups\n", FileKind::Rules),
            ("x: {route: 1}", FileKind::Rules),
        ];
        for (text, want) in cases {
            let document = parse(text, &mut Findings::new("f")).unwrap();
            assert_eq!(FileKind::detect(&document), want, "{text:?}");
        }
    }

    #[test]
    fn kinds_are_found_again_by_their_names() {
        for kind in FileKind::ALL {
            assert_eq!(FileKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(FileKind::from_name("alertmanager"), None);
    }
}
