//! The classic grammar (contract alertmanager §2.3): a list is split at commas, each part at its operator.

use super::{MatchOp, Matcher, MatcherError};

pub(super) fn parse_list(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let text = text.trim();
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    let mut parts = split(text);
    // Nothing at all, or one trailing comma.
    if parts.last().is_some_and(|last| last.trim().is_empty()) {
        parts.pop();
    }
    parts.into_iter().map(parse_one).collect()
}

/// At commas outside double quotes; a backslash escapes the next character.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

pub(super) fn parse_one(text: &str) -> Result<Matcher, MatcherError> {
    let bad = || MatcherError(format!("bad matcher format: {text}"));
    let trimmed = text.trim();
    let name_len =
        trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(name_len);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':') {
        return Err(bad());
    }
    let rest = rest.trim_start();
    let operators =
        [("=~", MatchOp::Regex), ("!~", MatchOp::NotRegex), ("!=", MatchOp::NotEqual), ("=", MatchOp::Equal)];
    let (op, value) =
        operators.iter().find_map(|(text, op)| rest.strip_prefix(text).map(|value| (*op, value))).ok_or_else(bad)?;
    let value = unescape(value.trim())?;
    Matcher::new(name, op, value).map_err(|error| MatcherError(error.to_string()))
}

fn unescape(raw: &str) -> Result<String, MatcherError> {
    let unescaped_quote = || MatcherError(format!("matcher value contains unescaped double quote: {raw}"));
    let (inner, quoted) = match raw.strip_prefix('"') {
        Some(rest) => (rest, true),
        None => (raw, false),
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    let mut closed = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.peek() {
                Some('"') => {
                    chars.next();
                    out.push('"');
                }
                Some('n') => {
                    chars.next();
                    out.push('\n');
                }
                Some('\\') => {
                    chars.next();
                    out.push('\\');
                }
                _ => out.push('\\'),
            },
            '"' if quoted && chars.peek().is_none() => closed = true,
            '"' => return Err(unescaped_quote()),
            c => out.push(c),
        }
    }
    if quoted && !closed {
        return Err(unescaped_quote());
    }
    Ok(out)
}
