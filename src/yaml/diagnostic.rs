//! What every check prints: where, what, and what to do.

use std::fmt;
use std::sync::Arc;

/// Whether a finding stops a file from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// A place in a file: line and column count from 1, columns in characters. `0:0` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub file: Arc<str>,
    #[serde(flatten)]
    pub position: Position,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.position)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All findings about one file, gathered while it is read.
#[derive(Debug, Clone)]
pub struct Findings {
    file: Arc<str>,
    list: Vec<Diagnostic>,
}

impl Findings {
    pub fn new(file: impl Into<Arc<str>>) -> Self {
        Findings { file: file.into(), list: Vec::new() }
    }

    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    pub fn error(&mut self, at: Position, message: impl Into<String>) {
        self.push(Severity::Error, at, message.into(), None);
    }

    pub fn error_with_help(&mut self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, at, message.into(), Some(help.into()));
    }

    pub fn warning(&mut self, at: Position, message: impl Into<String>) {
        self.push(Severity::Warning, at, message.into(), None);
    }

    pub fn warning_with_help(&mut self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, at, message.into(), Some(help.into()));
    }

    fn push(&mut self, severity: Severity, position: Position, message: String, help: Option<String>) {
        self.list.push(Diagnostic { severity, file: self.file.clone(), position, message, help });
    }

    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Takes over the findings of another file (or of a part of this one read apart).
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(other);
    }

    /// In file order, errors before warnings at the same place.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (&a.file, a.position, a.severity).cmp(&(&b.file, b.position, b.severity)));
        self.list
    }
}

/// The candidate nearest to `wrong`, if one is near enough to be what was meant.
pub fn suggest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(wrong, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(wrong.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_what_and_what_to_do() {
        let mut findings = Findings::new("rules/checkout.yml");
        findings.warning(Position { line: 20, column: 1 }, "late");
        findings.error_with_help(Position { line: 14, column: 11 }, "unknown function `rat`", "did you mean `rate`?");
        let printed: Vec<String> = findings.into_sorted().iter().map(Diagnostic::to_string).collect();
        assert_eq!(
            printed,
            [
                "rules/checkout.yml:14:11: unknown function `rat`\n  help: did you mean `rate`?",
                "rules/checkout.yml:20:1: warning: late"
            ]
        );
    }

    #[test]
    fn suggestions_are_near() {
        assert_eq!(suggest("recieved", ["receiver", "received", "route"]), Some("received"));
        assert_eq!(suggest("xyz", ["receiver", "route"]), None);
    }
}
