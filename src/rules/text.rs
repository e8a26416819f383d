//! The texts of a rule, ready to be rendered: label values and annotations.

use std::sync::Arc;

use crate::template::RuleTemplate;

/// One value: as written, and parsed.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) raw: Arc<str>,
    pub(super) content: Content,
}

#[derive(Clone)]
pub(super) enum Content {
    /// There is nothing to expand.
    Literal,
    Template(Arc<RuleTemplate>),
    /// It does not parse, which only labels of a group get away with (contract prometheus §a): what stands in its place.
    Broken(String),
}

impl Text {
    pub(super) fn new(alert: &str, raw: &str) -> Self {
        let content = match raw.contains("{{") {
            false => Content::Literal,
            true => match RuleTemplate::parse(alert, raw) {
                Ok(template) => Content::Template(Arc::new(template)),
                Err(error) => Content::Broken(failure(&format!("error parsing template __alert_{alert}: {error}"))),
            },
        };
        Text { raw: raw.into(), content }
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(self.content, Content::Literal)
    }
}

/// What stands where a template failed (contract prometheus §c).
pub(super) fn failure(reason: &str) -> String {
    format!("<error expanding template: {reason}>")
}

/// By what was written.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.raw, f)
    }
}
