//! Address lists as Go's `net/mail` reads them (RFC 5322 §3.4): `Ops <ops@example.org>, b@example.org`. Only the
//! addresses themselves are kept, since the envelope has no use for names.

/// Why a text is no address list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("no address in the list")]
    Empty,
    #[error("expected exactly one address, found {0}")]
    NotOne(usize),
    #[error("expected {wanted} at character {at}")]
    Expected { wanted: &'static str, at: usize },
}

/// The addresses of a comma-separated list. Empty items are passed over; groups give their members.
///
/// # Errors
/// A malformed item, or no address at all.
pub(super) fn parse_list(text: &str) -> Result<Vec<String>, AddressError> {
    let mut parser = Parser { chars: text.chars().collect(), at: 0 };
    let mut addresses = Vec::new();
    loop {
        parser.skip_blanks()?;
        match parser.peek() {
            None => break,
            Some(',') => parser.at += 1,
            Some(_) => {
                parser.item(&mut addresses)?;
                parser.skip_blanks()?;
                match parser.peek() {
                    None => break,
                    Some(',') => parser.at += 1,
                    Some(_) => return Err(parser.expected("a comma")),
                }
            }
        }
    }
    if addresses.is_empty() { Err(AddressError::Empty) } else { Ok(addresses) }
}

/// The address of a text that holds exactly one.
///
/// # Errors
/// As [`parse_list`], and more than one address.
pub(super) fn parse_one(text: &str) -> Result<String, AddressError> {
    let mut addresses = parse_list(text)?;
    match addresses.pop() {
        Some(address) if addresses.is_empty() => Ok(address),
        _ => Err(AddressError::NotOne(addresses.len() + 1)),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    /// A bare address, a named one, or a group.
    fn item(&mut self, addresses: &mut Vec<String>) -> Result<(), AddressError> {
        let start = self.at;
        if let Ok(address) = self.spec() {
            self.skip_blanks()?;
            if matches!(self.peek(), None | Some(',' | ';')) {
                addresses.push(address);
                return Ok(());
            }
        }
        self.at = start;
        self.phrase()?;
        match self.peek() {
            Some('<') => addresses.push(self.angled()?),
            Some(':') => self.group(addresses)?,
            _ => return Err(self.expected("an address")),
        }
        Ok(())
    }

    fn angled(&mut self) -> Result<String, AddressError> {
        self.at += 1;
        self.skip_blanks()?;
        let address = self.spec()?;
        self.skip_blanks()?;
        self.expect('>', "`>`")?;
        Ok(address)
    }

    fn group(&mut self, addresses: &mut Vec<String>) -> Result<(), AddressError> {
        self.at += 1;
        loop {
            self.skip_blanks()?;
            match self.peek() {
                Some(';') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                Some('<') => addresses.push(self.angled()?),
                Some(_) => {
                    let start = self.at;
                    match self.spec() {
                        Ok(address) => addresses.push(address),
                        Err(_) => {
                            self.at = start;
                            self.phrase()?;
                            if self.peek() != Some('<') {
                                return Err(self.expected("an address"));
                            }
                            addresses.push(self.angled()?);
                        }
                    }
                }
                None => return Err(self.expected("`;`")),
            }
        }
    }

    /// `local@domain`, as it is written.
    fn spec(&mut self) -> Result<String, AddressError> {
        let start = self.at;
        match self.peek() {
            Some('"') => self.quoted()?,
            _ => self.dot_atom("an address")?,
        }
        self.expect('@', "`@`")?;
        match self.peek() {
            Some('[') => self.literal()?,
            _ => self.dot_atom("a domain")?,
        }
        Ok(self.chars[start..self.at].iter().collect())
    }

    /// Words before `<` or `:`; may be none.
    fn phrase(&mut self) -> Result<(), AddressError> {
        loop {
            self.skip_blanks()?;
            match self.peek() {
                Some('"') => self.quoted()?,
                Some(c) if is_atext(c) || c == '.' => self.at += 1,
                _ => return Ok(()),
            }
        }
    }

    fn dot_atom(&mut self, wanted: &'static str) -> Result<(), AddressError> {
        loop {
            let start = self.at;
            while self.peek().is_some_and(is_atext) {
                self.at += 1;
            }
            if self.at == start {
                return Err(self.expected(wanted));
            }
            if self.peek() != Some('.') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn quoted(&mut self) -> Result<(), AddressError> {
        self.at += 1;
        loop {
            match self.next() {
                Some('"') => return Ok(()),
                Some('\\') if self.peek().is_some_and(is_quotable) => self.at += 1,
                Some(c) if is_quotable(c) && c != '\\' => {}
                _ => return Err(self.expected("a closing quote")),
            }
        }
    }

    fn literal(&mut self) -> Result<(), AddressError> {
        self.at += 1;
        loop {
            match self.next() {
                Some(']') => return Ok(()),
                Some(c) if c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-') => {}
                _ => return Err(self.expected("`]`")),
            }
        }
    }

    /// White space and comments, which may be nested.
    fn skip_blanks(&mut self) -> Result<(), AddressError> {
        let mut depth = 0;
        loop {
            match self.peek() {
                Some('(') => depth += 1,
                Some(')') if depth > 0 => depth -= 1,
                Some('\\') if depth > 0 => self.at += 1,
                Some(c) if depth > 0 || matches!(c, ' ' | '\t' | '\r' | '\n') => {}
                None if depth > 0 => return Err(self.expected("`)`")),
                _ => return Ok(()),
            }
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn expect(&mut self, c: char, wanted: &'static str) -> Result<(), AddressError> {
        match self.peek() {
            Some(found) if found == c => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.expected(wanted)),
        }
    }

    fn expected(&self, wanted: &'static str) -> AddressError {
        AddressError::Expected { wanted, at: self.at + 1 }
    }
}

/// A character of an atom; all that is not ASCII counts, as in Go.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

/// What may stand between quotes: nothing that could break out of a line of the SMTP dialogue.
fn is_quotable(c: char) -> bool {
    !c.is_control() || c == '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_go_reads_them() {
        let cases: [(&str, &[&str]); 10] = [
            ("a@b", &["a@b"]),
            ("Ops Ä <ops@example.org>, b@example.org", &["ops@example.org", "b@example.org"]),
            ("A <a@b>, c@d,", &["a@b", "c@d"]),
            (", ,a@b,,c@d", &["a@b", "c@d"]),
            ("\"Ops, on call\" <ops@b>", &["ops@b"]),
            ("a@b (on call (night\\)))", &["a@b"]),
            ("J. R. Doe <j.doe@b.example>", &["j.doe@b.example"]),
            ("team: a@b, C <c@d>;, e@f", &["a@b", "c@d", "e@f"]),
            ("\"a b\"@[127.0.0.1]", &["\"a b\"@[127.0.0.1]"]),
            ("=?utf-8?q?Ops?= <a@b>", &["a@b"]),
        ];
        for (text, want) in cases {
            assert_eq!(parse_list(text).unwrap(), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_list_is_refused_with_its_place() {
        let cases = [
            ("", "no address in the list"),
            (" , ", "no address in the list"),
            ("a", "expected an address at character 2"),
            ("a@", "expected an address at character 2"),
            ("a@b c@d", "expected an address at character 2"),
            ("A <a@b", "expected `>` at character 7"),
            ("\"a\nb\"@c", "expected a closing quote at character 4"),
            ("a@b\r\nRCPT TO:<x@y>", "expected an address at character 2"),
            ("a@b (c", "expected `)` at character 7"),
        ];
        for (text, want) in cases {
            assert_eq!(parse_list(text).map_err(|error| error.to_string()), Err(want.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_sender_is_exactly_one_address() {
        assert_eq!(parse_one("Belfry <b@example.org>"), Ok("b@example.org".to_owned()));
        assert_eq!(parse_one("a@b, c@d"), Err(AddressError::NotOne(2)));
    }
}
