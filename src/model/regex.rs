//! Regular expressions with Go's syntax and meaning, over the `regex` crate.
//!
//! The two dialects differ in 35 of 109 patterns tried: Go's classes are ASCII, a `{` that is no repetition is literal,
//! classes do not nest. A pattern is rewritten once and then matched by the crate; patterns that are really literals,
//! prefixes, suffixes or sets of literals never reach it, since its automaton gives up on large alternations.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

/// A pattern that Go would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}: `{fragment}`")]
pub struct RegexError {
    pub reason: String,
    pub fragment: String,
}

/// A compiled pattern; cheap to clone. Two are equal if their patterns are.
#[derive(Clone)]
pub struct GoRegex(Arc<Inner>);

struct Inner {
    pattern: String,
    anchored: bool,
    program: Program,
}

enum Program {
    Any,
    AnyButEmpty,
    Equals(String),
    OneOf(HashSet<String>),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Regex(Regex),
}

const SIZE_LIMIT: usize = 64 << 20;

impl GoRegex {
    /// Matches anywhere in a text, as Go's `regexp.Compile`.
    ///
    /// # Errors
    /// A pattern that Go refuses, or one of more than 64 MB once compiled.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let program = Program::Regex(compile(pattern, &translate(pattern)?, false)?);
        Ok(GoRegex(Arc::new(Inner { pattern: pattern.to_owned(), anchored: false, program })))
    }

    /// Matches whole texts; `dot_all` lets `.` match a newline (Prometheus does, Alertmanager does not).
    ///
    /// # Errors
    /// As [`GoRegex::new`].
    pub fn anchored(pattern: &str, dot_all: bool) -> Result<Self, RegexError> {
        let program = match shortcut(pattern, dot_all) {
            Some(program) => program,
            None => {
                let whole = format!("^(?:{})$", translate(pattern)?);
                Program::Regex(compile(pattern, &whole, dot_all)?)
            }
        };
        Ok(GoRegex(Arc::new(Inner { pattern: pattern.to_owned(), anchored: true, program })))
    }

    pub fn as_str(&self) -> &str {
        &self.0.pattern
    }

    pub fn is_match(&self, text: &str) -> bool {
        match &self.0.program {
            Program::Any => true,
            Program::AnyButEmpty => !text.is_empty(),
            Program::Equals(literal) => text == literal,
            Program::OneOf(set) => set.contains(text),
            Program::Prefix(prefix) => text.starts_with(prefix),
            Program::Suffix(suffix) => text.ends_with(suffix),
            Program::Contains(part) => text.contains(part),
            Program::Regex(regex) => regex.is_match(text),
        }
    }

    /// Replaces every match; `$1`, `${1}`, `$name` and `${name}` expand as Go's do (`$1x` is the group `1x`).
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        match &self.0.program {
            Program::Regex(regex) => regex.replace_all(text, replacement).into_owned(),
            _ => text.to_owned(),
        }
    }
}

impl PartialEq for GoRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.pattern == other.0.pattern && self.0.anchored == other.0.anchored
    }
}

impl Eq for GoRegex {}

impl fmt::Debug for GoRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.pattern)
    }
}

fn compile(pattern: &str, translated: &str, dot_all: bool) -> Result<Regex, RegexError> {
    RegexBuilder::new(translated).size_limit(SIZE_LIMIT).dot_matches_new_line(dot_all).build().map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "expression too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        RegexError { reason, fragment: pattern.to_owned() }
    })
}

/// What needs no automaton: literals, alternations of literals, and literals with `.*` before or after.
fn shortcut(pattern: &str, dot_all: bool) -> Option<Program> {
    let is_literal = |text: &str| !text.contains(|c: char| r"\.+*?()|[]{}^$".contains(c));
    if is_literal(pattern) {
        return Some(Program::Equals(pattern.to_owned()));
    }
    let inner = pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(pattern);
    if inner.split('|').all(is_literal) {
        return Some(Program::OneOf(inner.split('|').map(str::to_owned).collect()));
    }
    if !dot_all {
        return None;
    }
    match (pattern.strip_prefix(".*"), pattern.strip_suffix(".*")) {
        (Some(""), _) => Some(Program::Any),
        (Some(rest), Some(_)) => {
            let middle = rest.strip_suffix(".*")?;
            is_literal(middle).then(|| Program::Contains(middle.to_owned()))
        }
        (Some(suffix), None) if is_literal(suffix) => Some(Program::Suffix(suffix.to_owned())),
        (None, Some(prefix)) if is_literal(prefix) => Some(Program::Prefix(prefix.to_owned())),
        (None, None) if pattern == ".+" => Some(Program::AnyButEmpty),
        _ => None,
    }
}

/// Rewrites Go's syntax into the crate's.
fn translate(pattern: &str) -> Result<String, RegexError> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = Reader { text: pattern, pos: 0 };
    let mut repeated = false;
    while let Some(c) = at.next() {
        let was_repeated = std::mem::take(&mut repeated);
        match c {
            '\\' => at.escape(&mut out, false)?,
            '[' => at.class(&mut out)?,
            '{' => match at.repetition()? {
                Some(text) if was_repeated => return Err(at.error("invalid nested repetition operator", &text)),
                Some(text) => {
                    out.push_str(&text);
                    repeated = true;
                    if at.eat('?') {
                        out.push('?');
                    }
                }
                None => out.push_str("\\{"),
            },
            '}' => out.push_str("\\}"),
            '*' | '+' | '?' => {
                if was_repeated {
                    return Err(at.error("invalid nested repetition operator", &format!("{c}")));
                }
                out.push(c);
                repeated = true;
                if at.eat('?') {
                    out.push('?');
                }
            }
            '(' if at.rest().starts_with('?') => at.group(&mut out)?,
            _ => out.push(c),
        }
    }
    Ok(out)
}

struct Reader<'a> {
    text: &'a str,
    pos: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.pos..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.pos += wanted.len_utf8();
        }
        found
    }

    fn error(&self, reason: &str, fragment: &str) -> RegexError {
        RegexError { reason: reason.to_owned(), fragment: fragment.to_owned() }
    }

    /// `{n}`, `{n,}` or `{n,m}` after the `{`; `None` if it is a literal brace.
    fn repetition(&mut self) -> Result<Option<String>, RegexError> {
        let Some(end) = self.rest().find('}') else { return Ok(None) };
        let body = self.rest()[..end].to_owned();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let counts: Vec<&str> = body.split(',').collect();
        let shaped = match counts.as_slice() {
            [n] => digits(n),
            [n, m] => digits(n) && (m.is_empty() || digits(m)),
            _ => false,
        };
        if !shaped {
            return Ok(None);
        }
        let text = format!("{{{body}}}");
        let numbers: Vec<u32> =
            counts.iter().filter(|n| !n.is_empty()).map(|n| n.parse().unwrap_or(u32::MAX)).collect();
        if numbers.iter().any(|n| *n > 1000) || matches!(numbers.as_slice(), [n, m] if n > m) {
            return Err(self.error("invalid repeat count", &text));
        }
        self.pos += end + 1;
        Ok(Some(text))
    }

    /// `(?…` after the `(`: only Go's flags and named groups.
    fn group(&mut self, out: &mut String) -> Result<(), RegexError> {
        let rest = self.rest();
        let head = rest.find([':', ')', '>']).map_or(rest, |end| &rest[..=end]);
        let named =
            head.starts_with("?P<") || (head.starts_with("?<") && !head.starts_with("?<=") && !head.starts_with("?<!"));
        let flags = head[1..].trim_end_matches([':', ')']);
        let flagged = !named && flags.chars().all(|c| "imsU-".contains(c));
        if !named && !flagged {
            return Err(self.error("invalid or unsupported Perl syntax", &format!("({head}")));
        }
        out.push('(');
        out.push_str(head);
        self.pos += head.len();
        Ok(())
    }

    /// An escape after the backslash.
    fn escape(&mut self, out: &mut String, in_class: bool) -> Result<(), RegexError> {
        let Some(c) = self.next() else { return Err(self.error("trailing backslash at end of expression", "")) };
        match c {
            'd' => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
            'w' => out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
            's' => out.push_str(if in_class { r"\t\n\x0c\r " } else { r"[\t\n\x0c\r ]" }),
            'D' => out.push_str("[^0-9]"),
            'W' => out.push_str("[^0-9A-Za-z_]"),
            'S' => out.push_str(r"[^\t\n\x0c\r ]"),
            'b' if !in_class => out.push_str(r"(?-u:\b)"),
            'B' if !in_class => out.push_str(r"\B"),
            'A' | 'z' if !in_class => {
                out.push('\\');
                out.push(c);
            }
            'a' => out.push_str(r"\x07"),
            'f' | 't' | 'n' | 'r' | 'v' => {
                out.push('\\');
                out.push(c);
            }
            'Q' if !in_class => {
                let (literal, skip) = match self.rest().find("\\E") {
                    Some(end) => (self.rest()[..end].to_owned(), end + 2),
                    None => (self.rest().to_owned(), self.rest().len()),
                };
                out.push_str(&regex::escape(&literal));
                self.pos += skip;
            }
            'p' | 'P' => self.property(c, out)?,
            'x' => self.hex(out)?,
            '0'..='7' => self.octal(c, out)?,
            c if c.is_ascii_punctuation() => {
                // `\<` and `\>` are word boundaries to the crate and literals to Go.
                if !matches!(c, '<' | '>') {
                    out.push('\\');
                }
                out.push(c);
            }
            c => return Err(self.error("invalid escape sequence", &format!("\\{c}"))),
        }
        Ok(())
    }

    fn property(&mut self, kind: char, out: &mut String) -> Result<(), RegexError> {
        if !self.eat('{') {
            let Some(name) = self.next() else { return Err(self.error("invalid character class range", "\\p")) };
            out.push_str(&format!("\\{kind}{name}"));
            return Ok(());
        }
        let Some(end) = self.rest().find('}') else {
            return Err(self.error("invalid character class range", self.rest()));
        };
        let name = self.rest()[..end].to_owned();
        self.pos += end + 1;
        if name.contains(['=', ':']) {
            return Err(self.error("invalid character class range", &format!("\\{kind}{{{name}}}")));
        }
        let (negated, name) = match name.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, name.as_str()),
        };
        let kind = if negated == (kind == 'p') { 'P' } else { 'p' };
        out.push_str(&format!("\\{kind}{{{name}}}"));
        Ok(())
    }

    fn hex(&mut self, out: &mut String) -> Result<(), RegexError> {
        let digits = match self.eat('{') {
            true => {
                let Some(end) = self.rest().find('}') else {
                    return Err(self.error("invalid escape sequence", "\\x{"));
                };
                let digits = self.rest()[..end].to_owned();
                self.pos += end + 1;
                digits
            }
            false => self.rest().chars().take(2).collect(),
        };
        let shaped = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
        if !shaped || u32::from_str_radix(&digits, 16).map_or(true, |n| n > 0x10_ffff) {
            return Err(self.error("invalid escape sequence", &format!("\\x{digits}")));
        }
        if !self.text[..self.pos].ends_with('}') {
            if digits.len() < 2 {
                return Err(self.error("invalid escape sequence", &format!("\\x{digits}")));
            }
            self.pos += 2;
        }
        out.push_str(&format!("\\x{{{digits}}}"));
        Ok(())
    }

    /// `\123`; a single digit other than 0 would be a back reference, which Go refuses.
    fn octal(&mut self, first: char, out: &mut String) -> Result<(), RegexError> {
        let more: String = self.rest().chars().take(2).take_while(|c| ('0'..='7').contains(c)).collect();
        if first != '0' && more.is_empty() {
            return Err(self.error("invalid escape sequence", &format!("\\{first}")));
        }
        self.pos += more.len();
        let value = u32::from_str_radix(&format!("{first}{more}"), 8).unwrap_or(0);
        out.push_str(&format!("\\x{{{value:x}}}"));
        Ok(())
    }

    /// A class after the `[`: what nests or operates on sets to the crate is literal to Go.
    fn class(&mut self, out: &mut String) -> Result<(), RegexError> {
        let start = self.pos - 1;
        out.push('[');
        if self.eat('^') {
            out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err(self.error("missing closing ]", &self.text[start..]));
            };
            match c {
                ']' if !first => break,
                ']' => out.push_str("\\]"),
                '[' if self.rest().starts_with(':') => match self.rest().find(":]") {
                    Some(end) => {
                        out.push('[');
                        out.push_str(&self.rest()[..end + 2].to_owned());
                        self.pos += end + 2;
                    }
                    None => out.push_str("\\["),
                },
                '\\' => self.escape(out, true)?,
                '[' | '&' | '~' => {
                    out.push('\\');
                    out.push(c);
                }
                // The end of a range; two together are a set operator to the crate.
                '-' if self.eat('-') => out.push_str("-\\-"),
                '-' if first || self.rest().starts_with(']') => out.push_str("\\-"),
                c => out.push(c),
            }
            first = false;
        }
        out.push(']');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_matches_matches() {
        let cases = [
            (r"\d+", "٣", false),
            (r"\w+", "é", false),
            (r"\s", "\u{b}", false),
            ("{foo}", "{foo}", true),
            (".*{.*", "a{b", true),
            ("a{,5}", "a{,5}", true),
            ("[[a]", "[", true),
            ("[a&&b]", "&", true),
            (r"\Qa.b\E+", "a.bbb", true),
            (r"\101", "A", true),
            (r"\x41\x{42}", "AB", true),
            (r"\p{^Greek}", "a", true),
            (r"\p{Greek}", "β", true),
            (r"[\d-z]", "5", true),
            (r"\<a\>", "<a>", true),
            ("a{2,3}", "aaa", true),
            ("[]a]", "]", true),
            ("(?i)ABC", "abc", true),
            ("[[:alpha:]_]+", "a_b", true),
            ("a|b", "b", true),
            ("(a|b)", "ab", false),
            ("foo.*", "foo\n", false),
        ];
        for (pattern, text, want) in cases {
            assert_eq!(GoRegex::anchored(pattern, false).unwrap().is_match(text), want, "{pattern} {text}");
        }
        assert!(GoRegex::anchored("foo.*", true).unwrap().is_match("foo\nbar"));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in [
            "a**",
            "a???",
            "(?x)a",
            r"\u0041",
            r"\p{Script=Greek}",
            "a{1001}",
            "(?=a)",
            r"\1",
            "[a",
            "a)",
            r"\y",
            "[a--b]",
        ] {
            assert!(GoRegex::new(pattern).is_err(), "{pattern}");
        }
        assert_eq!(GoRegex::new("[").unwrap_err().to_string(), "error parsing regexp: missing closing ]: `[`");
    }

    #[test]
    fn shortcuts_and_automaton_agree() {
        let texts = ["", "a", "b", "ab", "xaby", "a\nb", "ab\n", "a|b"];
        for pattern in ["a", "a|b", "(a|b)", "a|", ".*", ".+", "a.*", ".*b", ".*ab.*"] {
            let quick = GoRegex::anchored(pattern, true).unwrap();
            let slow = Regex::new(&format!("^(?s:{pattern})$")).unwrap();
            for text in texts {
                assert_eq!(quick.is_match(text), slow.is_match(text), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn replacements_expand_as_gos() {
        let replace = |pattern: &str, text: &str, with: &str| GoRegex::new(pattern).unwrap().replace_all(text, with);
        assert_eq!(replace("b*", "abc", "-"), "-a-c-");
        assert_eq!(replace("(a)(b)", "ab", "${2}$1"), "ba");
        assert_eq!(replace("(a)", "a", "$1x"), "");
    }

    #[test]
    fn a_large_alternation_of_hosts_compiles_and_matches() {
        let hosts: Vec<String> = (0..10_000).map(|n| format!("host-{n}")).collect();
        let regex = GoRegex::anchored(&hosts.join("|"), true).unwrap();
        assert!(regex.is_match("host-9999") && !regex.is_match("host-10000"));
    }
}
