//! Alertmanager's newer matcher grammar (contract alertmanager §2.2): any UTF-8 in names, quoted or not.

use super::parse::MatcherError;
use super::{MatchOp, Matcher, is_reserved};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenBrace,
    CloseBrace,
    Comma,
    Operator(MatchOp),
    Quoted,
    Unquoted,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    start: usize,
    end: usize,
}

/// Columns count characters from 0; ends are exclusive.
struct Lexer<'a> {
    input: &'a str,
    rest: &'a str,
    column: usize,
}

const NO_NAME: &str = "expected label name";
const NO_OPERATOR: &str = "expected an operator such as '=', '!=', '=~' or '!~'";
const NO_VALUE: &str = "expected label value";
const NO_END: &str = "expected a comma or close brace";
const NO_NEXT: &str = "expected a matcher or close brace after comma";

/// All matchers of a list, with braces around it or without.
pub(super) fn parse_list(input: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut lexer = Lexer { input, rest: input, column: 0 };
    let mut matchers = Vec::new();
    let braced = matches!(lexer.peek()?, Some(Token { kind: Kind::OpenBrace, .. }));
    if braced {
        lexer.next()?;
    }
    if !matches!(lexer.peek()?, None | Some(Token { kind: Kind::CloseBrace, .. })) {
        loop {
            matchers.push(lexer.matcher()?);
            match lexer.expect(NO_END, |kind| matches!(kind, Kind::Comma | Kind::CloseBrace), true)? {
                Some(Token { kind: Kind::Comma, .. }) => {}
                _ => break,
            }
            lexer.next()?;
            match lexer.expect(
                NO_NEXT,
                |kind| matches!(kind, Kind::CloseBrace | Kind::Unquoted | Kind::Quoted),
                true,
            )? {
                Some(Token { kind: Kind::Unquoted | Kind::Quoted, .. }) => {}
                _ => break,
            }
        }
    }
    let closes = matches!(lexer.peek()?, Some(Token { kind: Kind::CloseBrace, .. }));
    match (braced, closes) {
        (true, true) => drop(lexer.next()?),
        (true, false) => return Err(at(0, lexer.column, "end of input: expected close brace")),
        (false, true) => {
            lexer.next()?;
            return Err(at(0, lexer.column, "}: expected opening brace"));
        }
        (false, false) => {}
    }
    match lexer.next().map_err(|error| error.because("expected end of input"))? {
        None => Ok(matchers),
        Some(token) => Err(at(token.start, token.end, format!("{}: expected end of input", token.text))),
    }
}

fn at(start: usize, end: usize, what: impl Into<String>) -> MatcherError {
    MatcherError::Syntax { start, end, what: what.into() }
}

impl<'a> Lexer<'a> {
    fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        let text = |kind| matches!(kind, Kind::Quoted | Kind::Unquoted);
        let name = self.require(NO_NAME, text)?.unquoted()?;
        let operator = self.require(NO_OPERATOR, |kind| matches!(kind, Kind::Operator(_)))?;
        let value = self.require(NO_VALUE, text)?.unquoted()?;
        let op = match operator.kind {
            Kind::Operator(op) => op,
            _ => MatchOp::Equal,
        };
        Matcher::new(name, op, value).map_err(MatcherError::Utf8Regex)
    }

    /// The next token, which must be there and be wanted.
    fn require(&mut self, reason: &'static str, wanted: impl Fn(Kind) -> bool) -> Result<Token<'a>, MatcherError> {
        match self.expect(reason, wanted, false)? {
            Some(token) => {
                self.next()?;
                Ok(token)
            }
            None => Err(MatcherError::EndOfInput(reason)),
        }
    }

    /// The next token without taking it; it must be wanted, or the end of the input where that `may_end`.
    fn expect(
        &mut self,
        reason: &'static str,
        wanted: impl Fn(Kind) -> bool,
        may_end: bool,
    ) -> Result<Option<Token<'a>>, MatcherError> {
        match self.peek().map_err(|error| error.because(reason))? {
            None if may_end => Ok(None),
            None => Err(MatcherError::EndOfInput(reason)),
            Some(token) if wanted(token.kind) => Ok(Some(token)),
            Some(token) => Err(at(token.start, token.end, format!("unexpected {}: {reason}", token.text))),
        }
    }

    fn peek(&self) -> Result<Option<Token<'a>>, MatcherError> {
        Lexer { ..*self }.next()
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, MatcherError> {
        while let Some(c) = self.rest.chars().next().filter(|c| c.is_whitespace()) {
            self.skip(c.len_utf8(), 1);
        }
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let start = self.column;
        let token = match first {
            '{' => self.token(Kind::OpenBrace, 1),
            '}' => self.token(Kind::CloseBrace, 1),
            ',' => self.token(Kind::Comma, 1),
            '=' if self.rest.starts_with("=~") => self.token(Kind::Operator(MatchOp::Regex), 2),
            '=' => self.token(Kind::Operator(MatchOp::Equal), 1),
            '!' => match self.rest.as_bytes().get(1) {
                Some(b'=') => self.token(Kind::Operator(MatchOp::NotEqual), 2),
                Some(b'~') => self.token(Kind::Operator(MatchOp::NotRegex), 2),
                Some(_) => return Err(at(start, start + 1, "!: expected one of '=~'")),
                None => return Err(at(start, start + 1, "unexpected end of input, expected one of '=~'")),
            },
            '"' => match closing_quote(self.rest) {
                Some(length) => self.token(Kind::Quoted, length),
                None => {
                    let end = start + self.rest.chars().count();
                    return Err(at(start, end, format!("{}: missing end \"", self.rest)));
                }
            },
            c if is_reserved(c) => return Err(at(start, start + 1, format!("{c}: invalid input"))),
            _ => {
                let length = self.rest.find(is_reserved).unwrap_or(self.rest.len());
                self.token(Kind::Unquoted, length)
            }
        };
        Ok(Some(token))
    }

    fn token(&mut self, kind: Kind, length: usize) -> Token<'a> {
        let text = &self.rest[..length];
        let start = self.column;
        self.skip(length, text.chars().count());
        debug_assert!(self.input.ends_with(self.rest));
        Token { kind, text, start, end: self.column }
    }

    fn skip(&mut self, bytes: usize, columns: usize) {
        self.rest = &self.rest[bytes..];
        self.column += columns;
    }
}

/// Length up to and with the quote that closes the one at the start.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

impl Token<'_> {
    fn unquoted(&self) -> Result<String, MatcherError> {
        if self.kind == Kind::Unquoted {
            return Ok(self.text.to_owned());
        }
        unquote(&self.text[1..self.text.len() - 1])
            .ok_or_else(|| at(self.start, self.end, format!("{}: invalid input", self.text)))
    }
}

/// What a Go string literal's inside means; `None` if it is none, or not UTF-8.
fn unquote(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let mut plain = |c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        match c {
            '\n' => return None,
            '\\' => {}
            _ => {
                plain(c);
                continue;
            }
        }
        match chars.next()? {
            'a' => plain('\x07'),
            'b' => plain('\x08'),
            'f' => plain('\x0c'),
            'n' => plain('\n'),
            'r' => plain('\r'),
            't' => plain('\t'),
            'v' => plain('\x0b'),
            '\\' => plain('\\'),
            '"' => plain('"'),
            'u' => plain(char::from_u32(digits(&mut chars, 4, 16, 0)?)?),
            'U' => plain(char::from_u32(digits(&mut chars, 8, 16, 0)?)?),
            // A byte, which may be a part of a character.
            'x' => bytes.push(u8::try_from(digits(&mut chars, 2, 16, 0)?).ok()?),
            first => {
                let first = first.to_digit(8)?;
                bytes.push(u8::try_from(digits(&mut chars, 2, 8, first)?).ok()?);
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn digits(chars: &mut std::str::Chars<'_>, count: usize, radix: u32, first: u32) -> Option<u32> {
    let mut value = first;
    for _ in 0..count {
        value = value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::matchers_text;
    use super::*;

    fn text(input: &str) -> String {
        match parse_list(input) {
            Ok(matchers) => matchers_text(&matchers),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lists_are_read_with_braces_or_without() {
        let cases = [
            ("", "{}"),
            (" ", "{}"),
            ("{}", "{}"),
            ("{foo=bar}", r#"{foo="bar"}"#),
            ("{foo=bar,}", r#"{foo="bar"}"#),
            (" { foo = bar , x !~ y } ", r#"{foo="bar",x!~"y"}"#),
            ("foo!=bar,", r#"{foo!="bar"}"#),
            ("foo=~[a-z]+", r#"{foo=~"[a-z]+"}"#),
            ("{foo=🙂bar}", r#"{foo="🙂bar"}"#),
            (r#"{"foo"="\xf0\x9f\x99\x82"}"#, r#"{foo="🙂"}"#),
            (r#"{"foo"="\U0001f642\u00e9\101"}"#, r#"{foo="🙂éA"}"#),
            (r#"{"foo"=~"\\d+"}"#, r#"{foo=~"\\d+"}"#),
            (r#""foo"="\"bar\\""#, r#"{foo="\"bar\\"}"#),
            (r#"foo="""#, r#"{foo=""}"#),
            (r#"foo="{a,b}""#, r#"{foo="{a,b}"}"#),
        ];
        for (input, want) in cases {
            assert_eq!(text(input), want, "{input}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            (",", "0:1: unexpected ,: expected label name"),
            ("{,}", "1:2: unexpected ,: expected label name"),
            ("{", "0:1: end of input: expected close brace"),
            ("}", "0:1: }: expected opening brace"),
            ("foo=bar}", "0:8: }: expected opening brace"),
            ("{foo=bar", "0:8: end of input: expected close brace"),
            ("{foo=bar}}", "9:10: }: expected end of input"),
            (r#"{foo=:"bar"}"#, r#"6:11: unexpected "bar": expected a comma or close brace"#),
            (r#"{foo="bar\w"}"#, r#"5:12: "bar\w": invalid input"#),
            (r#"{"foo"=~"\d+"}"#, r#"8:13: "\d+": invalid input"#),
            (r"{foo=bar\n}", r"8:9: \: invalid input: expected a comma or close brace"),
            (r#"{"foo"="\xf0\x9f"}"#, r#"7:17: "\xf0\x9f": invalid input"#),
            ("é=é=x", "3:4: unexpected =: expected a comma or close brace"),
            ("foo==bar", "4:5: unexpected =: expected label value"),
            ("foo=", "end of input: expected label value"),
            ("foo", "end of input: expected an operator such as '=', '!=', '=~' or '!~'"),
            ("foo!bar", "3:4: !: expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'"),
            (
                "foo!",
                "3:4: unexpected end of input, expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'",
            ),
            ("foo=\"bar", "4:8: \"bar: missing end \": expected label value"),
            ("a=b,,", "4:5: unexpected ,: expected a matcher or close brace after comma"),
            ("'", "0:1: ': invalid input"),
            ("foo=~\"(\"", "failed to create matcher: error parsing regexp: missing closing ): `^(?:()$`"),
        ];
        for (input, want) in cases {
            assert_eq!(text(input), want, "{input}");
        }
    }
}
