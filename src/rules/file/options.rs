//! What a caller may choose about reading rule files.

use super::ExpressionFault;
use crate::yaml::{Findings, Section};

/// Checks the syntax of an expression, given its text and the name of its source (`None` is the default one).
pub type ExpressionCheck<'a> = &'a dyn Fn(&str, Option<&str>) -> Result<(), ExpressionFault>;

/// Which names of labels and metrics are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameScheme {
    /// Anything that is not empty.
    #[default]
    Utf8,
    /// `[a-zA-Z_][a-zA-Z0-9_]*` for labels, the same with `:` for metrics.
    Legacy,
}

/// How to read a rule file. The default is how `serve` reads it.
#[derive(Clone, Copy, Default)]
pub struct ParseOptions<'a> {
    /// Pass over keys that are unknown (`--ignore-unknown-fields`).
    pub ignore_unknown_keys: bool,
    pub names: NameScheme,
    /// Without one, an expression is any text that is not blank.
    pub check_expression: Option<ExpressionCheck<'a>>,
}

impl ParseOptions<'_> {
    pub(super) fn finish(&self, section: Section<'_>, findings: &mut Findings) {
        if !self.ignore_unknown_keys {
            section.finish(findings);
        }
    }
}

impl NameScheme {
    /// Whether this may be the name of a label or an annotation.
    pub fn is_label_name(self, name: &str) -> bool {
        self.is_name(name, false)
    }

    /// Whether this may be the name of a metric.
    pub fn is_metric_name(self, name: &str) -> bool {
        self.is_name(name, true)
    }

    fn is_name(self, name: &str, colons: bool) -> bool {
        match self {
            NameScheme::Utf8 => !name.is_empty(),
            NameScheme::Legacy => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
                !name.is_empty() && name.chars().all(allowed) && !name.starts_with(|c: char| c.is_ascii_digit())
            }
        }
    }
}
