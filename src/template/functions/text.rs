//! Functions on text that both flavours have.

use std::sync::Arc;

use gotmpl::{SafeKind, Value};

use super::{Table, exactly, string};
use crate::model::GoRegex;
use crate::template::number::{self, number};
use crate::template::print::show;
use crate::template::run::{self, Flavor};
use crate::template::value::text;

pub(super) const TABLE: Table = &[
    ("toUpper", |args| {
        exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(a.chars().map(upper).collect::<String>()))
    }),
    ("toLower", |args| {
        exactly::<1>(args).and_then(|[a]| string(a)).map(|a| text(a.chars().map(lower).collect::<String>()))
    }),
    ("title", |args| {
        let [title] = exactly::<1>(args)?;
        let title = string(title)?;
        // Rules leave the rest of a word as it is.
        Ok(text(title_case(title, run::flavor() == Flavor::Notification)))
    }),
    ("match", |args| {
        let [pattern, subject] = exactly::<2>(args)?;
        let regex = GoRegex::new(string(pattern)?).map_err(|error| error.to_string())?;
        Ok(Value::Bool(regex.is_match(string(subject)?)))
    }),
    ("reReplaceAll", |args| {
        let [pattern, replacement, subject] = exactly::<3>(args)?;
        let regex = GoRegex::new(string(pattern)?).map_err(|error| error.to_string())?;
        let replaced = regex.replace_all(string(subject)?, string(replacement)?);
        run::check_size(replaced.len())?;
        Ok(text(replaced))
    }),
    ("humanizeDuration", |args| {
        exactly::<1>(args).and_then(|[a]| number(a)).map(|a| text(number::humanize_duration(a)))
    }),
    ("safeHtml", |args| {
        let [content] = exactly::<1>(args)?;
        match run::flavor() {
            Flavor::Rule => string(content).map(text),
            Flavor::Notification => Ok(safe(content, SafeKind::Html)),
        }
    }),
];

pub(super) fn safe(content: &Value, kind: SafeKind) -> Value {
    Value::Safe { kind, s: Arc::from(show(content)) }
}

/// One character to one, as Go's `unicode.ToUpper`: `ß` stays.
fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

/// As Go's `unicode.ToLower`: `İ` becomes `i`.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Words' first letters large, the rest small if `lowering` (contracts alertmanager §8.3, prometheus §c).
fn title_case(title: &str, lowering: bool) -> String {
    let chars: Vec<char> = title.chars().collect();
    let mut out = String::with_capacity(title.len());
    let mut inside = false;
    for (at, &c) in chars.iter().enumerate() {
        let next_letter = chars.get(at + 1).is_some_and(|next| next.is_alphabetic());
        let letter_before = at > 0 && chars[at - 1].is_alphabetic();
        match c {
            _ if c.is_alphabetic() && !inside => {
                inside = true;
                titled(c, &mut out);
            }
            'Σ' | 'σ' if lowering && letter_before && !next_letter => out.push('ς'),
            _ if lowering && c.is_alphabetic() => out.extend(c.to_lowercase()),
            _ if c.is_alphabetic() => out.push(c),
            _ => {
                let joins = c.is_numeric() || c == '_' || (".:'’".contains(c) && letter_before && next_letter);
                inside &= joins;
                out.push(c);
            }
        }
    }
    out
}

fn titled(c: char, out: &mut String) {
    match c {
        'ǆ' | 'Ǆ' | 'ǅ' => out.push('ǅ'),
        'ǉ' | 'Ǉ' | 'ǈ' => out.push('ǈ'),
        'ǌ' | 'Ǌ' | 'ǋ' => out.push('ǋ'),
        'ǳ' | 'Ǳ' | 'ǲ' => out.push('ǲ'),
        _ => {
            let mut all = c.to_uppercase();
            out.extend(all.next());
            out.extend(all.flat_map(char::to_lowercase));
        }
    }
}
