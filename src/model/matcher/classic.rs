//! Alertmanager's classic matcher grammar (contract alertmanager §2.3): tolerant of almost anything in a value.

use super::parse::MatcherError;
use super::{MatchOp, Matcher};

/// All matchers of a list; a brace at either end is dropped, whether or not there is one at the other.
pub(super) fn parse_list(input: &str) -> Result<Vec<Matcher>, MatcherError> {
    let input = input.strip_prefix('{').unwrap_or(input);
    let input = input.strip_suffix('}').unwrap_or(input);
    split(input).into_iter().map(parse_one).collect()
}

/// Parts between the commas that are outside double quotes; what follows the last comma only if it is not blank.
fn split(input: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut start = 0;
    for (index, byte) in input.bytes().enumerate() {
        match byte {
            b',' if !quoted => {
                parts.push(&input[start..index]);
                start = index + 1;
            }
            // A comma within quotes leaves an escape pending, as in the peer.
            b',' => {}
            b'"' if escaped => escaped = false,
            b'"' => quoted = !quoted,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    let last = input[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

/// One matcher, which is all of the input: braces and commas are part of its value.
pub(super) fn parse_one(input: &str) -> Result<Matcher, MatcherError> {
    let bad = || MatcherError::Format(input.to_owned());
    let rest = input.trim_start_matches(is_blank);
    let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    let rest = rest.trim_start_matches(is_blank);
    let operators = [MatchOp::Regex, MatchOp::Equal, MatchOp::NotEqual, MatchOp::NotRegex];
    let found = operators.into_iter().find_map(|op| Some((op, rest.strip_prefix(op.as_str())?)));
    let (op, value) = found.ok_or_else(bad)?;
    let value = value.trim_matches(is_blank);
    let value = unescape(value).ok_or_else(|| MatcherError::UnescapedQuote(value.to_owned()))?;
    Ok(Matcher::new(name, op, value)?)
}

/// `None` if there is a double quote that is neither escaped nor one of a pair around the whole.
fn unescape(value: &str) -> Option<String> {
    let (mut expects_quote, body) = match value.strip_prefix('"') {
        Some(body) => (true, body),
        None => (false, value),
    };
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(c @ ('"' | '\\')) => out.push(c),
                // No escape after all; nor is a backslash at the very end.
                other => {
                    out.push('\\');
                    out.extend(other);
                }
            },
            '"' if expects_quote && chars.as_str().is_empty() => expects_quote = false,
            '"' => return None,
            _ => out.push(c),
        }
    }
    (!expects_quote).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::super::matchers_text;
    use super::*;

    #[test]
    fn lists_are_split_outside_quotes() {
        let cases = [
            ("{foo=bar, dings != bums, }", r#"{foo="bar",dings!="bums"}"#),
            (
                r#"{quote="She said: \"Hi, ladies! That's gender-neutral…\""}"#,
                r#"{quote="She said: \"Hi, ladies! That's gender-neutral…\""}"#,
            ),
            (r#"statuscode=~"5..""#, r#"{statuscode=~"5.."}"#),
            ("job=a,b:c=", r#"{job="a",b:c=""}"#),
            ("foo=bar\\", r#"{foo="bar\\"}"#),
            ("foo=\\d\\n", r#"{foo="\\d\n"}"#),
            ("{foo='a\nb'}", r#"{foo="'a\nb'"}"#),
            ("", "{}"),
            (" , ", "bad matcher format:  "),
            ("a=b,,", "bad matcher format: "),
            (r#"foo="a"b""#, r#"matcher value contains unescaped double quote: "a"b""#),
            (r#"foo="a"#, r#"matcher value contains unescaped double quote: "a"#),
            (r#"foo=""#, r#"matcher value contains unescaped double quote: ""#),
            (r#"foo=a""#, r#"matcher value contains unescaped double quote: a""#),
            (r#"foo="a\""#, r#"matcher value contains unescaped double quote: "a\""#),
            ("1a=x", "bad matcher format: 1a=x"),
            ("foo=~(", "error parsing regexp: missing closing ): `^(?:()$`"),
        ];
        for (input, want) in cases {
            let got = parse_list(input).map_or_else(|error| error.to_string(), |list| matchers_text(&list));
            assert_eq!(got, want, "{input}");
        }
    }
}
