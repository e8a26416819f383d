//! The UTF-8 grammar (contract alertmanager §2.2). Columns in errors count characters.

use super::{MatchOp, Matcher, MatcherError, is_reserved};

pub(super) fn parse_list(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut lexer = Lexer { chars: text.chars().collect(), pos: 0 };
    let mut list = Vec::new();
    let braced = lexer.peek()?.kind == Kind::Open;
    if braced {
        lexer.next()?;
    }
    loop {
        let token = lexer.peek()?;
        match token.kind {
            Kind::End | Kind::Close => break,
            Kind::Name => list.push(lexer.matcher()?),
            _ => return Err(token.unexpected("expected label name")),
        }
        let token = lexer.peek()?;
        match token.kind {
            Kind::Comma => {
                lexer.next()?;
            }
            Kind::End | Kind::Close => break,
            _ => return Err(token.unexpected("expected a comma or close brace")),
        }
    }
    let token = lexer.next()?;
    match (braced, token.kind) {
        (true, Kind::Close) => match lexer.next()? {
            Token { kind: Kind::End, .. } => Ok(list),
            rest => Err(rest.unexpected("expected end of input")),
        },
        (true, _) => Err(token.unexpected("expected close brace")),
        (false, Kind::End) => Ok(list),
        (false, _) => Err(token.unexpected("expected opening brace")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    Op(MatchOp),
    /// A quoted or unquoted word.
    Name,
    End,
}

struct Token {
    kind: Kind,
    start: usize,
    end: usize,
    raw: String,
    value: String,
}

impl Token {
    fn unexpected(&self, wanted: &str) -> MatcherError {
        MatcherError(match self.kind {
            Kind::End => format!("end of input: {wanted}"),
            _ => format!("{}:{}: unexpected {}: {wanted}", self.start, self.end, self.raw),
        })
    }
}

struct Lexer {
    chars: Vec<char>,
    pos: usize,
}

impl Lexer {
    fn peek(&mut self) -> Result<Token, MatcherError> {
        let pos = self.pos;
        let token = self.next();
        self.pos = pos;
        token
    }

    fn next(&mut self) -> Result<Token, MatcherError> {
        while self.chars.get(self.pos).is_some_and(|c| c.is_whitespace()) {
            self.pos += 1;
        }
        let start = self.pos;
        let at = |ahead: usize| self.chars.get(start + ahead).copied();
        let (kind, len) = match (at(0), at(1)) {
            (None, _) => (Kind::End, 0),
            (Some('{'), _) => (Kind::Open, 1),
            (Some('}'), _) => (Kind::Close, 1),
            (Some(','), _) => (Kind::Comma, 1),
            (Some('='), Some('~')) => (Kind::Op(MatchOp::Regex), 2),
            (Some('='), _) => (Kind::Op(MatchOp::Equal), 1),
            (Some('!'), Some('=')) => (Kind::Op(MatchOp::NotEqual), 2),
            (Some('!'), Some('~')) => (Kind::Op(MatchOp::NotRegex), 2),
            (Some('"'), _) => return self.quoted(),
            (Some(c), _) if is_reserved(c) => {
                return Err(MatcherError(format!("{start}:{}: {c}: invalid input", start + 1)));
            }
            (Some(_), _) => {
                let rest = &self.chars[start..];
                let len = rest.iter().position(|c| is_reserved(*c) || c.is_whitespace()).unwrap_or(rest.len());
                (Kind::Name, len)
            }
        };
        self.pos = start + len;
        let raw: String = self.chars[start..self.pos].iter().collect();
        Ok(Token { kind, start, end: self.pos, value: raw.clone(), raw })
    }

    fn quoted(&mut self) -> Result<Token, MatcherError> {
        let start = self.pos;
        let mut end = start + 1;
        loop {
            match self.chars.get(end) {
                None => {
                    let raw: String = self.chars[start..].iter().collect();
                    return Err(MatcherError(format!("{start}:{end}: {raw}: missing end \"")));
                }
                Some('\\') => end += 2,
                Some('"') => break,
                Some(_) => end += 1,
            }
        }
        end += 1;
        self.pos = end;
        let raw: String = self.chars[start..end].iter().collect();
        let Some(value) = go_unquote(&self.chars[start + 1..end - 1]) else {
            return Err(MatcherError(format!("{start}:{end}: {raw}: invalid input")));
        };
        Ok(Token { kind: Kind::Name, start, end, raw, value })
    }

    fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        let name = self.next()?;
        let op = self.next()?;
        let Kind::Op(operator) = op.kind else {
            return Err(op.unexpected("expected an operator such as '=', '!=', '=~' or '!~'"));
        };
        let value = self.next()?;
        if value.kind != Kind::Name {
            return Err(value.unexpected("expected label value"));
        }
        Matcher::new(name.value, operator, value.value)
            .map_err(|error| MatcherError(format!("failed to create matcher: {error}")))
    }
}

/// Go's string escapes; the result must be valid UTF-8.
fn go_unquote(chars: &[char]) -> Option<String> {
    let mut bytes = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        if c == '\n' {
            return None;
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let kind = *chars.get(at)?;
        at += 1;
        let simple = match kind {
            'n' => Some(b'\n'),
            't' => Some(b'\t'),
            'r' => Some(b'\r'),
            '\\' => Some(b'\\'),
            '"' => Some(b'"'),
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'v' => Some(11),
            _ => None,
        };
        if let Some(byte) = simple {
            bytes.push(byte);
            continue;
        }
        let (radix, len, from) = match kind {
            'x' => (16, 2, at),
            'u' => (16, 4, at),
            'U' => (16, 8, at),
            '0'..='7' => (8, 3, at - 1),
            _ => return None,
        };
        let digits: String = chars.get(from..from + len)?.iter().collect();
        at = from + len;
        let number = u32::from_str_radix(&digits, radix).ok()?;
        match kind {
            'u' | 'U' => bytes.extend_from_slice(char::from_u32(number)?.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => bytes.push(u8::try_from(number).ok()?),
        }
    }
    String::from_utf8(bytes).ok()
}
