//! Regular expressions in Go's syntax (RE2), as every peer's files hold them.
//!
//! A pattern is parsed by the rules of Go's `regexp/syntax` ([`parse`]), printed in the `regex` crate's own syntax
//! ([`print`]), and, where it is anchored, looked at for shapes that need no automaton at all ([`plan`]): an alternation
//! of ten thousand host names is one hash lookup, where the automaton takes two milliseconds.
//!
//! **Invariant:** what Go refuses is refused, with Go's text; what Go takes matches the same texts here.

mod class;
mod expand;
mod parse;
mod plan;
mod print;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

use parse::Parsed;
use plan::Plan;

/// Room for the largest alternations that real rule files hold; the default of 10 MB refuses 5,000 host names.
const SIZE_LIMIT: usize = 64 << 20;

/// Why a pattern is none: Go's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    #[error("error parsing regexp: {reason}: `{part}`")]
    Syntax {
        reason: &'static str,
        /// The part of the pattern that is wrong (the anchors that were put around it included).
        part: String,
    },
    #[error("error parsing regexp: expression too large")]
    TooLarge,
    /// The translation is at fault, not the pattern.
    #[error("error parsing regexp: {0}")]
    Untranslatable(String),
}

/// How much of a text has to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Anchoring {
    /// Some part of it.
    None,
    /// All of it, `.` not matching a newline: Alertmanager's matchers.
    Full,
    /// All of it, `.` matching everything: Prometheus' matchers.
    FullDotAll,
}

/// A compiled pattern in Go's syntax. Cheap to clone.
#[derive(Clone)]
pub struct GoRegex(Arc<Inner>);

struct Inner {
    pattern: String,
    anchoring: Anchoring,
    /// The same in the `regex` crate's syntax.
    translated: String,
    plan: Plan,
    /// Go's names of the groups; the translation has none, since Go allows names that the crate does not.
    names: Vec<(String, usize)>,
    /// For replacing, when the plan got by without an automaton.
    automaton: OnceLock<Option<Regex>>,
}

impl GoRegex {
    /// A pattern that matches somewhere in a text.
    ///
    /// # Errors
    /// What Go refuses, and what needs more than 64 MiB when compiled.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        Self::build(pattern, Anchoring::None)
    }

    /// A pattern that matches a whole text: `^(?:…)$`, or with `dot_all` Prometheus' `^(?s:…)$`.
    ///
    /// # Errors
    /// What Go refuses, and what needs more than 64 MiB when compiled.
    pub fn anchored(pattern: &str, dot_all: bool) -> Result<Self, RegexError> {
        Self::build(pattern, if dot_all { Anchoring::FullDotAll } else { Anchoring::Full })
    }

    fn build(pattern: &str, anchoring: Anchoring) -> Result<Self, RegexError> {
        // The anchors are parsed with the pattern, since Go does so: `a)|(?:b` is a fine matcher.
        let parsed = match anchoring {
            Anchoring::None => Parsed::new(pattern),
            Anchoring::Full => Parsed::new(&format!("^(?:{pattern})$")),
            Anchoring::FullDotAll => Parsed::new(&format!("^(?s:{pattern})$")),
        }?;
        let translated = print::print(&parsed.node);
        let plan = match anchoring {
            Anchoring::None => Plan::Automaton(compile(&translated)?),
            Anchoring::Full | Anchoring::FullDotAll => Plan::of(&parsed.node, &translated)?,
        };
        let inner = Inner {
            pattern: pattern.to_owned(),
            anchoring,
            translated,
            plan,
            names: parsed.names,
            automaton: OnceLock::new(),
        };
        Ok(GoRegex(Arc::new(inner)))
    }

    /// The pattern as it was given, without anchors.
    pub fn as_str(&self) -> &str {
        &self.0.pattern
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.0.plan.is_match(text)
    }

    /// Every match replaced by `replacement`, in which `$1`, `${1}`, `$name` and `${name}` stand for groups and `$$` for a
    /// dollar sign, as in Go's `ReplaceAllString`. A name that is no group is empty.
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        let Some(automaton) = self.automaton() else { return text.to_owned() };
        let expand = |groups: &regex::Captures<'_>| {
            let mut out = String::new();
            expand::expand(replacement, groups, &self.0.names, &mut out);
            out
        };
        automaton.replace_all(text, expand).into_owned()
    }

    /// `replacement` with the groups of the first match, or `None` if nothing matches (`label_replace`, relabelling).
    pub fn expand(&self, text: &str, replacement: &str) -> Option<String> {
        let groups = self.automaton()?.captures(text)?;
        let mut out = String::new();
        expand::expand(replacement, &groups, &self.0.names, &mut out);
        Some(out)
    }

    /// `None` only for a set of literals so large that no automaton of it fits [`SIZE_LIMIT`].
    fn automaton(&self) -> Option<&Regex> {
        match &self.0.plan {
            Plan::Automaton(automaton) => Some(automaton),
            _ => self.0.automaton.get_or_init(|| compile(&self.0.translated).ok()).as_ref(),
        }
    }
}

fn compile(translated: &str) -> Result<Regex, RegexError> {
    // Deeper than the parser lets a pattern nest, whatever the printing adds.
    let built = RegexBuilder::new(translated).size_limit(SIZE_LIMIT).nest_limit(4000).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => RegexError::TooLarge,
        other => RegexError::Untranslatable(other.to_string()),
    })
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.anchoring == other.0.anchoring && self.0.pattern == other.0.pattern
    }
}

impl Eq for GoRegex {}

impl Hash for GoRegex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.anchoring, &self.0.pattern).hash(state);
    }
}

impl fmt::Debug for GoRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoRegex").field(&self.0.pattern).finish()
    }
}

impl fmt::Display for GoRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.pattern)
    }
}

#[cfg(test)]
mod tests;
