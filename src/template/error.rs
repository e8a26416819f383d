//! What is wrong with a template, in Go's words and with its place.

use std::fmt;

/// A template that cannot be parsed or rendered. Prints as Go's `text/template` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    pub text: String,
    /// From 1, in the text as it was written.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
}

impl TemplateError {
    pub(super) fn new(text: impl Into<String>, place: Option<(usize, usize)>) -> Self {
        TemplateError { text: text.into(), line: place.map(|(line, _)| line), column: place.map(|(_, column)| column) }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TemplateError {}
