//! Matchers on labels, in both syntaxes that Alertmanager reads (contract alertmanager §2).

mod classic;
mod utf8;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{GoRegex, LabelSet, RegexError, go_quote};

/// `=` `!=` `=~` `!~`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    Equal,
    NotEqual,
    Regex,
    NotRegex,
}

impl MatchOp {
    pub const fn as_str(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        }
    }
}

/// One condition on one label. A label that is missing equals the empty string.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: Arc<str>,
    op: MatchOp,
    value: Arc<str>,
    regex: Option<GoRegex>,
}

impl Matcher {
    /// # Errors
    /// A regex that Go refuses.
    pub fn new(name: impl Into<Arc<str>>, op: MatchOp, value: impl Into<Arc<str>>) -> Result<Self, RegexError> {
        let (name, value) = (name.into(), value.into());
        let regex = match op {
            MatchOp::Regex | MatchOp::NotRegex => Some(GoRegex::anchored(&value, false)?),
            MatchOp::Equal | MatchOp::NotEqual => None,
        };
        Ok(Matcher { name, op, value, regex })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn op(&self) -> MatchOp {
        self.op
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matches_value(labels.value(&self.name))
    }

    pub fn matches_value(&self, value: &str) -> bool {
        match (self.op, &self.regex) {
            (MatchOp::Equal, _) => value == &*self.value,
            (MatchOp::NotEqual, _) => value != &*self.value,
            (MatchOp::Regex, regex) => regex.as_ref().is_some_and(|regex| regex.is_match(value)),
            (MatchOp::NotRegex, regex) => !regex.as_ref().is_some_and(|regex| regex.is_match(value)),
        }
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Matcher {}

/// By name, then value, then operator.
impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.name, &self.value, self.op).cmp(&(&other.name, &other.value, other.op))
    }
}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.chars().any(|c| is_reserved(c) || c.is_whitespace()) {
            return write!(f, "{}{}{}", go_quote(&self.name), self.op.as_str(), go_quote(&self.value));
        }
        write!(f, "{}{}\"", self.name, self.op.as_str())?;
        for c in self.value.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' => f.write_str("\\\"")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

fn is_reserved(c: char) -> bool {
    "{}!=~,\\\"'`".contains(c)
}

/// Which syntax is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MatcherMode {
    /// Both parsers, the classic one deciding where they differ.
    #[default]
    Fallback,
    Utf8,
    Classic,
}

/// What was read, and what to say about how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    pub value: T,
    pub warning: Option<String>,
}

/// Why a text is no matcher; the texts are the peer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MatcherError(pub String);

/// Reads a list of matchers, braced or not (configuration files).
///
/// # Errors
/// The classic parser's text in fallback mode.
pub fn parse_matchers(text: &str, mode: MatcherMode) -> Result<Parsed<Vec<Matcher>>, MatcherError> {
    let mut parsed = decide(text, mode, utf8::parse_list(text), || classic::parse_list(text))?;
    parsed.value.sort();
    Ok(parsed)
}

/// Reads one matcher (API filters, command lines).
///
/// # Errors
/// As [`parse_matchers`]; and input that begins or ends with a brace.
pub fn parse_matcher(text: &str, mode: MatcherMode) -> Result<Parsed<Matcher>, MatcherError> {
    if mode != MatcherMode::Classic && (text.starts_with('{') || text.ends_with('}')) {
        return Err(MatcherError(format!("unexpected open or close brace: {text}")));
    }
    let one = utf8::parse_list(text).and_then(|mut list| match (list.len(), list.pop()) {
        (1, Some(matcher)) => Ok(matcher),
        (0, _) => Err(MatcherError("no matchers".to_owned())),
        (count, _) => Err(MatcherError(format!("expected 1 matcher, found {count}"))),
    });
    decide(text, mode, one, || classic::parse_one(text))
}

fn decide<T: PartialEq + fmt::Debug>(
    text: &str,
    mode: MatcherMode,
    utf8: Result<T, MatcherError>,
    classic: impl FnOnce() -> Result<T, MatcherError>,
) -> Result<Parsed<T>, MatcherError> {
    let quiet = |value| Parsed { value, warning: None };
    match mode {
        MatcherMode::Utf8 => utf8.map(quiet),
        MatcherMode::Classic => classic().map(quiet),
        MatcherMode::Fallback => match (utf8, classic()) {
            (Ok(new), Ok(old)) if new == old => Ok(quiet(new)),
            (Ok(_), Ok(old)) => Ok(Parsed {
                value: old,
                warning: Some(format!("matcher {text:?} means something else to newer versions: quote its value")),
            }),
            (Ok(new), Err(_)) => Ok(quiet(new)),
            (Err(_), Ok(old)) => Ok(Parsed {
                value: old,
                warning: Some(format!(
                    "matcher {text:?} will not be read by newer versions: put its value in double quotes and escape backslashes"
                )),
            }),
            (Err(_), Err(error)) => Err(error),
        },
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub fn is_classic_label_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Classic names in classic mode, else anything but nothing.
pub fn is_valid_label_name(name: &str, mode: MatcherMode) -> bool {
    match mode {
        MatcherMode::Classic => is_classic_label_name(name),
        MatcherMode::Fallback | MatcherMode::Utf8 => !name.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, mode: MatcherMode) -> String {
        match parse_matcher(text, mode) {
            Ok(parsed) => parsed.value.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    fn list(text: &str, mode: MatcherMode) -> String {
        match parse_matchers(text, mode) {
            Ok(parsed) => parsed.value.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(_) => "error".to_owned(),
        }
    }

    #[test]
    fn one_matcher_reads_as_the_peer_reads_it() {
        let cases = [
            ("foo==bar", r#"foo="=bar""#),
            ("foo=bar=baz", r#"foo="bar=baz""#),
            ("foo='bar'", r#"foo="'bar'""#),
            ("foo=a{b", r#"foo="a{b""#),
            ("foo=http://x/?z=1", r#"foo="http://x/?z=1""#),
            ("foo=bar baz", r#"foo="bar baz""#),
            ("foo=~~x", r#"foo=~"~x""#),
            (r#"foo="\d+""#, r#"foo="\\d+""#),
            (r"foo=\\", r#"foo="\\""#),
            (r"foo=bar\n", r#"foo="bar\n""#),
            (r#"foo="a\tb""#, r#"foo="a\\tb""#),
            (r#""foo bar"=x"#, r#""foo bar"="x""#),
            ("é=x", r#"é="x""#),
            ("1a=x", r#"1a="x""#),
            (r#""foo"="\101\x41""#, r#"foo="AA""#),
            ("foo bar=x", "error: bad matcher format: foo bar=x"),
            ("foo", "error: bad matcher format: foo"),
            ("=x", "error: bad matcher format: =x"),
            (r#"foo="a"b""#, r#"error: matcher value contains unescaped double quote: "a"b""#),
            ("a=b,c=d", r#"a="b,c=d""#),
            ("a=b,", r#"a="b,""#),
            ("", "error: bad matcher format: "),
            ("{a=b}", "error: unexpected open or close brace: {a=b}"),
            ("a=x{2}", "error: unexpected open or close brace: a=x{2}"),
            ("foo=~[", "error: error parsing regexp: missing closing ]: `[`"),
        ];
        for (text, want) in cases {
            assert_eq!(one(text, MatcherMode::Fallback), want, "{text}");
        }
        let strict = [
            ("foo==bar", "error: 4:5: unexpected =: expected label value"),
            (r#"foo="\d+""#, r#"error: 4:9: "\d+": invalid input"#),
            ("a=b,c=d", "error: expected 1 matcher, found 2"),
            ("a=b,", r#"a="b""#),
            ("", "error: no matchers"),
            (r#"foo="\u00e9""#, r#"foo="é""#),
        ];
        for (text, want) in strict {
            assert_eq!(one(text, MatcherMode::Utf8), want, "{text}");
        }
        assert_eq!(one("a=x{2}", MatcherMode::Classic), r#"a="x{2}""#);
    }

    #[test]
    fn lists_read_as_the_peer_reads_them() {
        let cases = [
            ("{foo=bar", r#"foo="bar""#),
            ("foo=bar}", r#"foo="bar""#),
            ("{foo=bar}}", r#"foo="bar}""#),
            ("foo=a{2}", r#"foo="a{2""#),
            (",", "error"),
            ("{,}", "error"),
            ("a=b,,", "error"),
            ("{}", ""),
            (" ", ""),
            ("a=b,", r#"a="b""#),
            (r#"{b=~"x,y", a!="z"}"#, r#"a!="z" b=~"x,y""#),
            ("foo=", r#"foo="""#),
        ];
        for (text, want) in cases {
            assert_eq!(list(text, MatcherMode::Fallback), want, "{text:?}");
        }
        for text in ["{foo=bar", "foo=bar}", "{foo=bar}}", "foo=", ",", "{,}"] {
            assert_eq!(list(text, MatcherMode::Utf8), "error", "{text}");
        }
    }

    #[test]
    fn a_missing_label_is_the_empty_string() {
        let labels = LabelSet::from_pairs([("a", "b")]);
        for (text, want) in
            [("x=", true), ("x!=y", true), ("x=~.*", true), ("x=~.+", false), ("a=b", true), ("a!~b|c", false)]
        {
            let matcher = parse_matcher(text, MatcherMode::Fallback).unwrap().value;
            assert_eq!(matcher.matches(&labels), want, "{text}");
        }
    }
}
