//! The check of a template where it stands.

use crate::template::RuleTemplate;

/// Why a value is no template.
pub(super) struct TemplateFault {
    /// In the value, from 1.
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// Parses `text` as Prometheus would for the alert `alert`; executes nothing.
pub(super) fn check(alert: &str, text: &str) -> Result<(), TemplateFault> {
    match RuleTemplate::parse(alert, text) {
        Ok(_) => Ok(()),
        Err(error) => Err(TemplateFault { line: error.line, message: error.to_string() }),
    }
}
