//! The bytes of a message: headers in Q-encoding, parts in quoted-printable (contract alertmanager §8.6). ASCII only,
//! lines end in CRLF, no line is longer than SMTP allows.

/// The room that RFC 2047 §2 leaves in an encoded word of 75 characters, `=?utf-8?q?` and `?=` being taken.
const WORD_CONTENT: usize = 63;
/// RFC 5322 §2.1.1 allows 998 characters a line; a header longer than this is encoded, so that it can be folded.
const LONGEST_PLAIN_HEADER: usize = 900;
/// RFC 2045 §6.7 (5).
const QUOTED_PRINTABLE_LINE: usize = 76;

/// A message to be built.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// Names and rendered values, in the order on the wire, without `Content-Type` and `MIME-Version`.
    pub(super) headers: &'a [(String, String)],
    pub(super) text: Option<&'a str>,
    pub(super) html: Option<&'a str>,
    /// Must not occur in the parts.
    pub(super) boundary: &'a str,
}

impl Message<'_> {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = String::with_capacity(4096);
        for (name, value) in self.headers {
            out.push_str(&format!("{name}: {}\r\n", header_value(value)));
        }
        let boundary = self.boundary;
        out.push_str(&format!(
            "Content-Type: multipart/alternative;  boundary={boundary}\r\nMIME-Version: 1.0\r\n\r\n"
        ));
        for (kind, part) in [("plain", self.text), ("html", self.html)] {
            let Some(part) = part else { continue };
            out.push_str(&format!(
                "--{boundary}\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/{kind}; \
                 charset=UTF-8\r\n\r\n{}\r\n",
                quoted_printable(part)
            ));
        }
        out.push_str(&format!("--{boundary}--\r\n"));
        out.into_bytes()
    }
}

/// Whether a header's name cannot break out of its line.
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b':')
}

/// The value as it is if it is plain ASCII, else in encoded words (RFC 2047) on folded lines. A line end counts as not
/// plain, so a value cannot add a header.
pub(super) fn header_value(value: &str) -> String {
    let plain = value.chars().all(|c| matches!(c, ' '..='~' | '\t'));
    if plain && value.len() <= LONGEST_PLAIN_HEADER {
        return value.to_owned();
    }
    let mut out = String::from("=?utf-8?q?");
    let mut length = 0;
    for c in value.chars() {
        let mut encoded = String::new();
        match c {
            ' ' => encoded.push('_'),
            '=' | '?' | '_' => push_hex(&mut encoded, c),
            '!'..='~' => encoded.push(c),
            _ => push_hex(&mut encoded, c),
        }
        // A character is never split over two words.
        if length + encoded.len() > WORD_CONTENT {
            out.push_str("?=\r\n =?utf-8?q?");
            length = 0;
        }
        length += encoded.len();
        out.push_str(&encoded);
    }
    out.push_str("?=");
    out
}

/// RFC 2045 §6.7 for text: line ends stay line ends.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let line = if lines.peek().is_some() { line.strip_suffix('\r').unwrap_or(line) } else { line };
        quoted_printable_line(line, &mut out);
        if lines.peek().is_some() {
            out.push_str("\r\n");
        }
    }
    out
}

fn quoted_printable_line(line: &str, out: &mut String) {
    let mut length = 0;
    for (at, byte) in line.bytes().enumerate() {
        let is_last = at + 1 == line.len();
        let literal = match byte {
            b'=' => false,
            b'!'..=b'~' => true,
            b' ' | b'\t' => !is_last,
            _ => false,
        };
        let width = if literal { 1 } else { 3 };
        // One column is kept for the soft line end, except at the end of the line.
        if length + width > QUOTED_PRINTABLE_LINE - usize::from(!is_last) {
            out.push_str("=\r\n");
            length = 0;
        }
        length += width;
        if literal {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("={byte:02X}"));
        }
    }
}

fn push_hex(out: &mut String, c: char) {
    let mut buffer = [0; 4];
    for byte in c.encode_utf8(&mut buffer).bytes() {
        out.push_str(&format!("={byte:02X}"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_are_encoded_only_if_they_must_be() {
        let cases = [
            ("[FIRING:1] HighCPU eu1 (node critical)", "[FIRING:1] HighCPU eu1 (node critical)"),
            ("Ops Ä <ops@example.org>, b@example.org", "=?utf-8?q?Ops_=C3=84_<ops@example.org>,_b@example.org?="),
            ("bär", "=?utf-8?q?b=C3=A4r?="),
            ("a\r\nBcc: x@y", "=?utf-8?q?a=0D=0ABcc:_x@y?="),
            ("a_b?c=ä", "=?utf-8?q?a=5Fb=3Fc=3D=C3=A4?="),
        ];
        for (value, want) in cases {
            assert_eq!(header_value(value), want);
        }
    }

    #[test]
    fn long_headers_are_folded_between_words_of_75_characters() {
        for value in ["ä".repeat(100), "x".repeat(2000)] {
            let header = header_value(&value);
            let words: Vec<&str> = header.split("\r\n ").collect();
            assert!(words.len() > 1);
            for word in words {
                assert!(word.len() <= 75 && word.starts_with("=?utf-8?q?") && word.ends_with("?="), "{word}");
            }
        }
    }

    #[test]
    fn a_message_has_its_parts_in_order() {
        let message = Message {
            headers: &[("Subject".to_owned(), "s".to_owned())],
            text: Some("one\ntwo "),
            html: Some("<p class=\"x\">é</p>"),
            boundary: "bb",
        };
        let want = "Subject: s\r\nContent-Type: multipart/alternative;  boundary=bb\r\nMIME-Version: 1.0\r\n\r\n\
            --bb\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n\
            one\r\ntwo=20\r\n\
            --bb\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n\
            <p class=3D\"x\">=C3=A9</p>\r\n--bb--\r\n";
        assert_eq!(String::from_utf8(message.to_bytes()).unwrap(), want);
    }

    /// Undoes quoted-printable.
    pub(in crate::notify::email) fn decode(text: &str) -> String {
        let joined = text.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let [first, tail @ ..] = rest {
            if *first == b'=' {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    proptest! {
        #[test]
        fn quoted_printable_reads_back_and_keeps_its_lines_short(text in "[ -~\t\näé€\u{1F514}=.]{0,400}") {
            let encoded = quoted_printable(&text);
            prop_assert!(encoded.is_ascii());
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= 76, "{line:?}");
                prop_assert!(!line.ends_with([' ', '\t']));
            }
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
