//! Matchers: name, operator, value. A list of them is a conjunction (contract alertmanager §2).
//!
//! Two grammars are read: Alertmanager's newer one ([`utf8`]) and its classic one ([`classic`]); [`parse`] weighs them.

mod classic;
mod parse;
mod utf8;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{GoRegex, LabelSet, RegexError, go_quote};

pub use parse::{
    MatcherError, MatcherMode, Parsed, is_classic_label_name, is_valid_label_name, parse_matcher, parse_matchers,
};

/// In the order in which equal names and values are sorted.
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

    /// Whether it is `!=` or `!~`.
    pub const fn is_negative(self) -> bool {
        matches!(self, MatchOp::NotEqual | MatchOp::NotRegex)
    }

    /// Whether it is `=~` or `!~`.
    pub const fn is_regex(self) -> bool {
        matches!(self, MatchOp::Regex | MatchOp::NotRegex)
    }
}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A test of one label. Cheap to clone.
#[derive(Clone)]
pub struct Matcher {
    name: Arc<str>,
    value: Arc<str>,
    test: Test,
}

#[derive(Clone)]
enum Test {
    Equal,
    NotEqual,
    Regex(GoRegex),
    NotRegex(GoRegex),
}

impl Matcher {
    /// Regular expressions match whole values, `.` not matching a newline (contract alertmanager §2.5).
    ///
    /// # Errors
    /// A value that is no regular expression where the operator takes one.
    pub fn new(name: impl Into<Arc<str>>, op: MatchOp, value: impl Into<Arc<str>>) -> Result<Self, RegexError> {
        let value = value.into();
        let test = match op {
            MatchOp::Equal => Test::Equal,
            MatchOp::NotEqual => Test::NotEqual,
            MatchOp::Regex => Test::Regex(GoRegex::anchored(&value, false)?),
            MatchOp::NotRegex => Test::NotRegex(GoRegex::anchored(&value, false)?),
        };
        Ok(Matcher { name: name.into(), value, test })
    }

    /// `name="value"`, which cannot fail.
    pub fn equal(name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        Matcher { name: name.into(), value: value.into(), test: Test::Equal }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn op(&self) -> MatchOp {
        match self.test {
            Test::Equal => MatchOp::Equal,
            Test::NotEqual => MatchOp::NotEqual,
            Test::Regex(_) => MatchOp::Regex,
            Test::NotRegex(_) => MatchOp::NotRegex,
        }
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    /// A label that is missing equals the empty string.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matches_value(labels.value(&self.name))
    }

    pub fn matches_value(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal => *self.value == *value,
            Test::NotEqual => *self.value != *value,
            Test::Regex(regex) => regex.is_match(value),
            Test::NotRegex(regex) => !regex.is_match(value),
        }
    }

    /// As the API's `filter` matches (contract alertmanager §2.5): an empty value of the matcher asks whether the label is
    /// there at all.
    pub fn matches_filter(&self, labels: &LabelSet) -> bool {
        match (labels.get(&self.name), self.op().is_negative()) {
            (None, false) | (Some(_), true) if self.value.is_empty() => true,
            (value, _) => self.matches_value(value.unwrap_or("")),
        }
    }

    fn key(&self) -> (&str, &str, MatchOp) {
        (&self.name, &self.value, self.op())
    }
}

/// The text of a list: `{a="b",c="d"}`, in the order given.
pub fn matchers_text(matchers: &[Matcher]) -> String {
    let list: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    format!("{{{}}}", list.join(","))
}

/// White space, and what has a meaning in the newer grammar.
fn is_reserved(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '!' | '=' | '~' | ',' | '\\' | '"' | '\'' | '`')
}

/// `name<op>"value"`: only `\`, newline and `"` are escaped, unless the name needs quotes; then both are Go's.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.op();
        if self.name.contains(is_reserved) {
            return write!(f, "{}{op}{}", go_quote(&self.name), go_quote(&self.value));
        }
        let value = self.value.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
        write!(f, "{}{op}\"{value}\"", self.name)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Matcher {}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// By name, then value, then operator: the order in route keys.
impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(name: &str, op: MatchOp, value: &str) -> Matcher {
        Matcher::new(name, op, value).unwrap()
    }

    #[test]
    fn a_missing_label_equals_the_empty_string() {
        let labels = LabelSet::from_pairs([("job", "api"), ("empty", "")]);
        let cases = [
            ("foo", MatchOp::Equal, "", true),
            ("foo", MatchOp::NotEqual, "x", true),
            ("foo", MatchOp::Regex, ".*", true),
            ("foo", MatchOp::Regex, ".+", false),
            ("foo", MatchOp::NotRegex, "", false),
            ("job", MatchOp::Equal, "api", true),
            ("job", MatchOp::Regex, "ap", false),
            ("job", MatchOp::Regex, "ap.", true),
            ("job", MatchOp::NotRegex, "db|web", true),
            ("empty", MatchOp::Equal, "", true),
        ];
        for (name, op, value, want) in cases {
            assert_eq!(matcher(name, op, value).matches(&labels), want, "{name}{op}{value:?}");
        }
    }

    #[test]
    fn a_filter_with_an_empty_value_asks_for_presence() {
        let labels = LabelSet::from_pairs([("job", "api"), ("empty", "")]);
        let cases = [
            ("foo", MatchOp::Equal, "", true),
            ("foo", MatchOp::Regex, "", true),
            ("job", MatchOp::NotEqual, "", true),
            ("job", MatchOp::NotRegex, "", true),
            ("empty", MatchOp::NotEqual, "", true),
            ("empty", MatchOp::Equal, "", true),
            ("foo", MatchOp::NotEqual, "", false),
            ("job", MatchOp::Equal, "", false),
            ("foo", MatchOp::NotEqual, "x", true),
            ("foo", MatchOp::Regex, "x*", true),
        ];
        for (name, op, value, want) in cases {
            assert_eq!(matcher(name, op, value).matches_filter(&labels), want, "{name}{op}{value:?}");
        }
    }

    #[test]
    fn lists_sort_by_name_value_and_operator() {
        let mut list = vec![
            matcher("sp ace", MatchOp::Equal, "1"),
            matcher("a", MatchOp::Equal, "y"),
            matcher("é", MatchOp::Equal, "1"),
            matcher("a", MatchOp::NotRegex, "x"),
            matcher("env", MatchOp::Equal, "prod"),
            matcher("a", MatchOp::Equal, "x"),
            matcher("a", MatchOp::Regex, "b|c"),
        ];
        list.sort();
        assert_eq!(matchers_text(&list), r#"{a=~"b|c",a="x",a!~"x",a="y",env="prod","sp ace"="1",é="1"}"#);
    }

    #[test]
    fn the_text_form_escapes_as_the_peer_does() {
        let cases = [
            ("foo", "a\"b\\c\nd\te", "foo=\"a\\\"b\\\\c\\nd\te\""),
            ("foo bar", "a\tb", r#""foo bar"="a\tb""#),
            ("a=b", "", r#""a=b"="""#),
            ("-x-", "1", r#"-x-="1""#),
        ];
        for (name, value, want) in cases {
            assert_eq!(matcher(name, MatchOp::Equal, value).to_string(), want);
        }
    }

    #[test]
    fn a_newline_is_not_matched_by_a_dot() {
        let labels = LabelSet::from_pairs([("a", "x\ny")]);
        assert!(!matcher("a", MatchOp::Regex, ".*").matches(&labels));
        assert_eq!(
            Matcher::new("a", MatchOp::Regex, "(?=x)").unwrap_err().to_string(),
            "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
        );
    }
}
