//! Character classes and escapes of Go's syntax.

use super::RegexError;
use super::parse::{before, error};

/// A set of characters: `[…]`, `\d`, `\p{Greek}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Class {
    pub(super) items: Vec<Item>,
    pub(super) negated: bool,
    pub(super) fold: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// Inclusive.
    Range(char, char),
    /// All but these.
    Not(&'static [(char, char)]),
    /// A general category or script, in the `regex` crate's words: `gc=Lu`, `sc=Greek`.
    Property { name: String, negated: bool },
}

impl Class {
    pub(super) fn nothing() -> Self {
        Class { items: Vec::new(), negated: false, fold: false }
    }

    /// Its characters, if they are few and plain enough to be listed.
    pub(super) fn members(&self, limit: usize) -> Option<Vec<char>> {
        if self.negated || self.fold {
            return None;
        }
        let mut members = Vec::new();
        for item in &self.items {
            let Item::Range(low, high) = item else { return None };
            for c in *low..=*high {
                if members.len() == limit {
                    return None;
                }
                members.push(c);
            }
        }
        Some(members)
    }
}

const DIGIT: &[(char, char)] = &[('0', '9')];
/// Without the vertical tab.
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

fn posix(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => DIGIT,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

fn add(items: &mut Vec<Item>, ranges: &'static [(char, char)], negated: bool) {
    if negated {
        items.push(Item::Not(ranges));
    } else {
        items.extend(ranges.iter().map(|(low, high)| Item::Range(*low, *high)));
    }
}

/// `[…]`, from its bracket on.
pub(super) fn bracketed(start: &str, fold: bool) -> Result<(Class, &str), RegexError> {
    let mut rest = &start[1..];
    let negated = rest.starts_with('^');
    if negated {
        rest = &rest[1..];
    }
    let mut items = Vec::new();
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if let Some(after) = named(rest, &mut items)? {
            rest = after;
            continue;
        }
        if let Some(after) = escape_into(rest, &mut items)? {
            rest = after;
            continue;
        }
        let range = rest;
        let (low, after) = class_char(rest, start)?;
        rest = after;
        let mut high = low;
        if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
            (high, rest) = class_char(&rest[1..], start)?;
            if high < low {
                return error("invalid character class range", before(range, rest));
            }
        }
        items.extend(range_of(low, high));
    }
    Ok((Class { items, negated, fold }, &rest[1..]))
}

/// Code points as characters: halves of surrogate pairs are in no text.
fn range_of(low: u32, high: u32) -> Option<Item> {
    let low = char::from_u32(low).unwrap_or('\u{e000}');
    let high = char::from_u32(high).unwrap_or('\u{d7ff}');
    (low <= high).then_some(Item::Range(low, high))
}

fn class_char<'a>(rest: &'a str, class: &str) -> Result<(u32, &'a str), RegexError> {
    match rest.chars().next() {
        None => error("missing closing ]", class),
        Some('\\') => escaped_char(rest),
        Some(c) => Ok((c.into(), &rest[c.len_utf8()..])),
    }
}

/// `[:alpha:]`, `[:^alpha:]` inside brackets.
fn named<'a>(rest: &'a str, items: &mut Vec<Item>) -> Result<Option<&'a str>, RegexError> {
    let Some(inner) = rest.strip_prefix("[:") else { return Ok(None) };
    let Some(end) = inner.find(":]") else { return Ok(None) };
    let (name, after) = (&inner[..end], &inner[end + 2..]);
    let (negated, plain) = match name.strip_prefix('^') {
        Some(plain) => (true, plain),
        None => (false, name),
    };
    match posix(plain) {
        Some(ranges) => add(items, ranges, negated),
        None => return error("invalid character class range", before(rest, after)),
    }
    Ok(Some(after))
}

/// A class escape that stands on its own: `\d`, `\pL`.
pub(super) fn escaped(rest: &str, fold: bool) -> Result<Option<(Class, &str)>, RegexError> {
    let mut items = Vec::new();
    let after = escape_into(rest, &mut items)?;
    Ok(after.map(|after| (Class { items, negated: false, fold }, after)))
}

fn escape_into<'a>(rest: &'a str, items: &mut Vec<Item>) -> Result<Option<&'a str>, RegexError> {
    if !rest.starts_with('\\') || rest.len() < 2 {
        return Ok(None);
    }
    let (ranges, negated) = match rest.as_bytes()[1] {
        b'd' => (DIGIT, false),
        b'D' => (DIGIT, true),
        b's' => (SPACE, false),
        b'S' => (SPACE, true),
        b'w' => (WORD, false),
        b'W' => (WORD, true),
        b'p' | b'P' => return property(rest, items).map(Some),
        _ => return Ok(None),
    };
    add(items, ranges, negated);
    Ok(Some(&rest[2..]))
}

/// `\pL`, `\p{Greek}`, `\P{…}`, `\p{^…}`.
fn property<'a>(rest: &'a str, items: &mut Vec<Item>) -> Result<&'a str, RegexError> {
    let mut negated = rest.as_bytes()[1] == b'P';
    let (name, after) = match rest[2..].chars().next() {
        Some('{') => match rest.find('}') {
            Some(end) => (&rest[3..end], &rest[end + 1..]),
            None => return error("invalid character class range", rest),
        },
        Some(c) => rest[2..].split_at(c.len_utf8()),
        None => return error("invalid character class range", rest),
    };
    let plain = match name.strip_prefix('^') {
        Some(plain) => {
            negated = !negated;
            plain
        }
        None => name,
    };
    // Only categories and scripts: Go knows no other properties. The crate is the judge of their names.
    let shaped =
        !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b' ' | b'-'));
    let known = ["gc", "sc"]
        .into_iter()
        .map(|key| format!("{key}={plain}"))
        .find(|name| shaped && regex::Regex::new(&format!("\\p{{{name}}}")).is_ok());
    match known {
        Some(name) => items.push(Item::Property { name, negated }),
        None => return error("invalid character class range", before(rest, after)),
    }
    Ok(after)
}

/// One escaped character, as a code point (which may be half of a surrogate pair).
pub(super) fn escaped_char(start: &str) -> Result<(u32, &str), RegexError> {
    let Some(c) = start[1..].chars().next() else { return error("trailing backslash at end of expression", "") };
    let mut rest = &start[1 + c.len_utf8()..];
    let digit = |text: &str, radix| text.chars().next().and_then(|c| c.to_digit(radix));
    match c {
        // A single digit is a back-reference, which RE2 has not.
        '1'..='7' if digit(rest, 8).is_none() => {}
        '0'..='7' => {
            let mut code = u32::from(c) - u32::from('0');
            for _ in 0..2 {
                let Some(next) = digit(rest, 8) else { break };
                code = code * 8 + next;
                rest = &rest[1..];
            }
            return Ok((code, rest));
        }
        'x' => return hexadecimal(start, rest),
        'a' => return Ok((0x07, rest)),
        'f' => return Ok((0x0c, rest)),
        'n' => return Ok((0x0a, rest)),
        'r' => return Ok((0x0d, rest)),
        't' => return Ok((0x09, rest)),
        'v' => return Ok((0x0b, rest)),
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => return Ok((c.into(), rest)),
        _ => {}
    }
    error("invalid escape sequence", before(start, rest))
}

/// `\xhh` and `\x{h…}`; `rest` follows the `x`.
fn hexadecimal<'a>(start: &'a str, rest: &'a str) -> Result<(u32, &'a str), RegexError> {
    let braced = rest.starts_with('{');
    let mut code: u32 = 0;
    let mut digits = 0;
    let mut chars = rest[usize::from(braced)..].chars();
    loop {
        if !braced && digits == 2 {
            return Ok((code, chars.as_str()));
        }
        match chars.next() {
            Some('}') if braced && digits > 0 => return Ok((code, chars.as_str())),
            Some(c) => match c.to_digit(16).map(|digit| code * 16 + digit) {
                Some(next) if next <= u32::from(char::MAX) => code = next,
                _ => return error("invalid escape sequence", before(start, chars.as_str())),
            },
            None => return error("invalid escape sequence", start),
        }
        digits += 1;
    }
}
