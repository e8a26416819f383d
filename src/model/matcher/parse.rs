//! Which of the two matcher grammars counts (contract alertmanager §2.1), and which label names are valid (§2.4).

use super::super::RegexError;
use super::{Matcher, classic, matchers_text, utf8};

/// Why a text is no matcher, or no list of matchers; the texts are the peer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    #[error("unexpected open or close brace: {0}")]
    Brace(String),
    #[error("bad matcher format: {0}")]
    Format(String),
    #[error("matcher value contains unescaped double quote: {0}")]
    UnescapedQuote(String),
    #[error(transparent)]
    Regex(#[from] RegexError),
    #[error("failed to create matcher: {0}")]
    Utf8Regex(#[source] RegexError),
    /// Columns count characters from 0, the end is exclusive.
    #[error("{start}:{end}: {what}")]
    Syntax { start: usize, end: usize, what: String },
    #[error("end of input: {0}")]
    EndOfInput(&'static str),
    #[error("no matchers")]
    None,
    #[error("expected 1 matcher, found {0}")]
    Several(usize),
}

impl MatcherError {
    /// The same with what was expected in that place.
    pub(super) fn because(self, reason: &str) -> Self {
        match self {
            MatcherError::Syntax { start, end, what } => {
                MatcherError::Syntax { start, end, what: format!("{what}: {reason}") }
            }
            other => other,
        }
    }
}

/// How matchers and label names are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MatcherMode {
    /// Both grammars, the classic one where they differ.
    #[default]
    Fallback,
    Utf8,
    Classic,
}

/// A value, and what its author should know about the text that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<T> {
    pub value: T,
    pub warning: Option<String>,
}

/// A list of matchers, with braces around it or without, sorted.
///
/// # Errors
/// A text that the mode's grammar refuses; in fallback mode, one that both refuse, with the classic grammar's reason.
pub fn parse_matchers(text: &str, mode: MatcherMode) -> Result<Parsed<Vec<Matcher>>, MatcherError> {
    let sorted = |mut list: Vec<Matcher>| {
        list.sort();
        list
    };
    let utf8 = || utf8::parse_list(text).map(sorted);
    let classic = || classic::parse_list(text).map(sorted);
    match mode {
        MatcherMode::Utf8 => utf8().map(plain),
        MatcherMode::Classic => classic().map(plain),
        MatcherMode::Fallback => weigh(text, utf8(), classic(), |list| {
            let text = matchers_text(list);
            text[1..text.len() - 1].to_owned()
        }),
    }
}

/// Exactly one matcher (the API's `filter`, arguments of commands).
///
/// # Errors
/// As [`parse_matchers`], and braces outside classic mode. The classic grammar takes all of the text as one matcher.
pub fn parse_matcher(text: &str, mode: MatcherMode) -> Result<Parsed<Matcher>, MatcherError> {
    if mode == MatcherMode::Classic {
        return classic::parse_one(text).map(plain);
    }
    if text.starts_with('{') || text.ends_with('}') {
        return Err(MatcherError::Brace(text.to_owned()));
    }
    let utf8 = utf8::parse_list(text).and_then(|mut list| match list.len() {
        1 => Ok(list.remove(0)),
        0 => Err(MatcherError::None),
        several => Err(MatcherError::Several(several)),
    });
    match mode {
        MatcherMode::Utf8 => utf8.map(plain),
        _ => weigh(text, utf8, classic::parse_one(text), Matcher::to_string),
    }
}

fn plain<T>(value: T) -> Parsed<T> {
    Parsed { value, warning: None }
}

fn weigh<T: PartialEq>(
    text: &str,
    utf8: Result<T, MatcherError>,
    classic: Result<T, MatcherError>,
    show: impl Fn(&T) -> String,
) -> Result<Parsed<T>, MatcherError> {
    match (utf8, classic) {
        (Ok(utf8), Ok(classic)) if utf8 == classic => Ok(plain(utf8)),
        (Ok(utf8), Err(_)) => Ok(plain(utf8)),
        (Err(_), Err(classic)) => Err(classic),
        (Ok(utf8), Ok(classic)) => {
            let warning = format!(
                "the two matcher grammars disagree on `{text}`: it is read as `{}`, in UTF-8 strict mode it would be `{}`",
                show(&classic),
                show(&utf8)
            );
            Ok(Parsed { value: classic, warning: Some(warning) })
        }
        (Err(error), Ok(classic)) => {
            let suggestion = show(&classic);
            let warning = format!("`{text}` is read by the classic grammar only ({error}); write `{suggestion}`");
            Ok(Parsed { value: classic, warning: Some(warning) })
        }
    }
}

/// Whether a label may be named so: in classic mode by the classic rule, else any text that is not empty.
pub fn is_valid_label_name(name: &str, mode: MatcherMode) -> bool {
    match mode {
        MatcherMode::Classic => is_classic_label_name(name),
        MatcherMode::Fallback | MatcherMode::Utf8 => !name.is_empty(),
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub fn is_classic_label_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str, mode: MatcherMode) -> String {
        match parse_matchers(text, mode) {
            Ok(parsed) => show(matchers_text(&parsed.value), parsed.warning),
            Err(error) => error.to_string(),
        }
    }

    fn one(text: &str, mode: MatcherMode) -> String {
        match parse_matcher(text, mode) {
            Ok(parsed) => show(parsed.value.to_string(), parsed.warning),
            Err(error) => error.to_string(),
        }
    }

    /// A `!` marks a warning.
    fn show(text: String, warning: Option<String>) -> String {
        if warning.is_some() { format!("! {text}") } else { text }
    }

    const OPERATOR: &str = "expected an operator such as '=', '!=', '=~' or '!~'";

    #[test]
    fn the_table_of_the_contract_holds_for_one_matcher() {
        // Input, fallback, strict.
        let cases = [
            ("foo==bar", r#"! foo="=bar""#, "4:5: unexpected =: expected label value"),
            ("foo=bar=baz", r#"! foo="bar=baz""#, "7:8: unexpected =: expected a comma or close brace"),
            ("foo='bar'", r#"! foo="'bar'""#, "4:5: ': invalid input: expected label value"),
            ("foo=a{b", r#"! foo="a{b""#, "5:6: unexpected {: expected a comma or close brace"),
            ("foo=http://x/?z=1", r#"! foo="http://x/?z=1""#, "15:16: unexpected =: expected a comma or close brace"),
            ("foo=bar baz", r#"! foo="bar baz""#, "8:11: unexpected baz: expected a comma or close brace"),
            ("foo=~~x", r#"! foo=~"~x""#, "5:6: ~: invalid input: expected label value"),
            (r#"foo="\d+""#, r#"! foo="\\d+""#, r#"4:9: "\d+": invalid input"#),
            (r"foo=\\", r#"! foo="\\""#, r"4:5: \: invalid input: expected label value"),
            (r"foo=bar\n", r#"! foo="bar\n""#, r"7:8: \: invalid input: expected a comma or close brace"),
            (r#"foo="a\tb""#, r#"! foo="a\\tb""#, "foo=\"a\tb\""),
            (r#"foo="\u00e9""#, r#"! foo="\\u00e9""#, r#"foo="é""#),
            (r#""foo bar"=x"#, r#""foo bar"="x""#, r#""foo bar"="x""#),
            ("é=x", r#"é="x""#, r#"é="x""#),
            ("1a=x", r#"1a="x""#, r#"1a="x""#),
            (r#""foo"="\101\x41""#, r#"foo="AA""#, r#"foo="AA""#),
            ("foo=bar", r#"foo="bar""#, r#"foo="bar""#),
            ("a=b,c=d", r#"! a="b,c=d""#, "expected 1 matcher, found 2"),
            ("a=b,", r#"! a="b,""#, r#"a="b""#),
            ("", "bad matcher format: ", "no matchers"),
            (" ", "bad matcher format:  ", "no matchers"),
            ("foo!bar", "bad matcher format: foo!bar", &format!("3:4: !: expected one of '=~': {OPERATOR}")),
            ("foo=!bar\\n", r#"! foo="!bar\n""#, "4:5: !: expected one of '=~': expected label value"),
        ];
        for (input, fallback, strict) in cases {
            assert_eq!(one(input, MatcherMode::Fallback), fallback, "{input}");
            assert_eq!(one(input, MatcherMode::Utf8), strict, "{input}");
        }
    }

    #[test]
    fn what_neither_grammar_takes_is_refused_in_the_classic_ones_words() {
        let cases = [
            ("foo bar=x", "bad matcher format: foo bar=x"),
            ("foo", "bad matcher format: foo"),
            ("=x", "bad matcher format: =x"),
            ("foo!bar", "bad matcher format: foo!bar"),
            (r#"foo="a"b""#, r#"matcher value contains unescaped double quote: "a"b""#),
        ];
        for (input, want) in cases {
            assert_eq!(one(input, MatcherMode::Fallback), want);
            assert_eq!(list(input, MatcherMode::Fallback), want);
        }
    }

    #[test]
    fn one_matcher_has_no_braces() {
        for input in ["{a=b}", "a=b}", "a=x{2}"] {
            for mode in [MatcherMode::Fallback, MatcherMode::Utf8] {
                assert_eq!(one(input, mode), format!("unexpected open or close brace: {input}"));
            }
        }
        assert_eq!(one("{a=b}", MatcherMode::Classic), "bad matcher format: {a=b}");
        assert_eq!(one("a=b}", MatcherMode::Classic), r#"a="b}""#);
        assert_eq!(one("a=x{2}", MatcherMode::Classic), r#"a="x{2}""#);
    }

    #[test]
    fn the_table_of_the_contract_holds_for_lists() {
        let cases = [
            ("{foo=bar", r#"! {foo="bar"}"#, "0:8: end of input: expected close brace"),
            ("foo=bar}", r#"! {foo="bar"}"#, "0:8: }: expected opening brace"),
            ("{foo=bar}}", r#"! {foo="bar}"}"#, "9:10: }: expected end of input"),
            ("foo=a{2}", r#"! {foo="a{2"}"#, "5:6: unexpected {: expected a comma or close brace"),
            (",", "bad matcher format: ", "0:1: unexpected ,: expected label name"),
            ("{,}", "bad matcher format: ", "1:2: unexpected ,: expected label name"),
            ("a=b,,", "bad matcher format: ", "4:5: unexpected ,: expected a matcher or close brace after comma"),
            ("{}", "{}", "{}"),
            (" ", "{}", "{}"),
            ("a=b,", r#"{a="b"}"#, r#"{a="b"}"#),
            (
                "{foo=!bar,bar=$baz\\n}",
                r#"! {bar="$baz\n",foo="!bar"}"#,
                "5:6: !: expected one of '=~': expected label value",
            ),
            ("{foo🙂=bar,bar=baz🙂}", r#"{bar="baz🙂",foo🙂="bar"}"#, r#"{bar="baz🙂",foo🙂="bar"}"#),
            ("b=1,a=2", r#"{a="2",b="1"}"#, r#"{a="2",b="1"}"#),
        ];
        for (input, fallback, strict) in cases {
            assert_eq!(list(input, MatcherMode::Fallback), fallback, "{input}");
            assert_eq!(list(input, MatcherMode::Utf8), strict, "{input}");
        }
    }

    #[test]
    fn warnings_say_what_to_write() {
        let warning = parse_matchers("foo=bar baz", MatcherMode::Fallback).unwrap().warning.unwrap();
        assert_eq!(
            warning,
            "`foo=bar baz` is read by the classic grammar only (8:11: unexpected baz: expected a comma or close brace); write `foo=\"bar baz\"`"
        );
        let warning = parse_matcher(r#"foo="\u00e9""#, MatcherMode::Fallback).unwrap().warning.unwrap();
        assert_eq!(
            warning,
            r#"the two matcher grammars disagree on `foo="\u00e9"`: it is read as `foo="\\u00e9"`, in UTF-8 strict mode it would be `foo="é"`"#
        );
    }

    #[test]
    fn label_names_are_valid_by_mode() {
        let cases = [
            ("foo", true, true),
            ("_foo1", true, true),
            ("", false, false),
            ("0foo", true, false),
            ("foo🙂", true, false),
            ("a:b", true, false),
        ];
        for (name, utf8, classic) in cases {
            assert_eq!(is_valid_label_name(name, MatcherMode::Fallback), utf8, "{name}");
            assert_eq!(is_valid_label_name(name, MatcherMode::Utf8), utf8, "{name}");
            assert_eq!(is_valid_label_name(name, MatcherMode::Classic), classic, "{name}");
            assert_eq!(is_classic_label_name(name), classic, "{name}");
        }
    }

    proptest::proptest! {
        /// What a matcher prints is read as the same matcher by both grammars, or by the newer one if its name asks for it.
        #[test]
        fn parse_after_print_is_identity(name in "[a-z_][a-z0-9_]{0,5}", value in "[^\t\r\x0b\x0c]{0,12}") {
            let matcher = Matcher::equal(name, value);
            let text = matcher.to_string();
            for mode in [MatcherMode::Fallback, MatcherMode::Utf8, MatcherMode::Classic] {
                let parsed = parse_matcher(&text, mode).unwrap();
                proptest::prop_assert_eq!(&parsed.value, &matcher);
                proptest::prop_assert_eq!(parsed.warning, None);
            }
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in r#"[{}ab=!~,"\\ é'\n]{0,16}"#) {
            for mode in [MatcherMode::Fallback, MatcherMode::Utf8, MatcherMode::Classic] {
                let _ = parse_matcher(&text, mode);
                let _ = parse_matchers(&text, mode);
            }
        }
    }
}
