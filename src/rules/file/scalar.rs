//! Reading single values with findings in the words of contract prometheus §a.

use std::time::Duration;

use crate::model::{format_duration, parse_duration};
use crate::yaml::{Findings, Position, Section};

/// A duration in Prometheus' form, and where it stands.
pub(super) fn duration(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<(Duration, Position)> {
    let node = section.some(key)?;
    let read = node.text().and_then(|text| parse_duration(text).map_err(|error| error.to_string()));
    match read {
        Ok(duration) => Some((duration, node.position)),
        Err(message) => {
            findings.error(node.position, format!("{}: {message}", section.name()));
            None
        }
    }
}

/// A duration that must be more than nothing.
pub(super) fn positive_duration(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<Duration> {
    let (duration, position) = duration(section, key, findings)?;
    if duration.is_zero() {
        let zero = format_duration(duration);
        findings.error(position, format!("{}: {key} must be greater than {zero}", section.name()));
        return None;
    }
    Some(duration)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    choices: &[(&str, T)],
    findings: &mut Findings,
) -> Option<(T, Position)> {
    let node = section.some(key)?;
    let text = node.text();
    if let Some((_, value)) = choices.iter().find(|(word, _)| text == Ok(word)) {
        return Some((*value, node.position));
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let found = text.map_or_else(|message| message, |text| format!("found {}", crate::model::go_quote(text)));
    findings.error(node.position, format!("{}: {key} must be one of {}: {found}", section.name(), words.join(", ")));
    None
}

/// Keys that have a meaning which is not built yet: refused where they stand, so that nobody relies on them.
pub(super) fn not_yet(section: &mut Section<'_>, keys: &[&'static str], findings: &mut Findings) {
    for key in keys {
        if let Some(node) = section.some(key) {
            findings.error(node.position, not_yet_message(section.name(), key));
        }
    }
}

pub(super) fn not_yet_message(place: &str, what: &str) -> String {
    format!("{place}: `{what}` is not supported yet")
}
