//! Escaping for URLs and regular expressions, as Go's `net/url` and `regexp` do it.

/// `url.QueryEscape`: a blank is `+`.
pub(crate) fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `url.QueryUnescape`.
///
/// # Errors
/// Go's text: a `%` without two hex digits. Bytes that are no UTF-8 are replaced.
pub(crate) fn query_unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let byte = digits
                    .and_then(|digits| std::str::from_utf8(digits).ok())
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some(byte) = byte else {
                    let shown: String = text[at..].chars().take(3).collect();
                    return Err(format!("invalid URL escape {}", crate::model::go_quote(&shown)));
                };
                out.push(byte);
                at += 2;
            }
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `regexp.QuoteMeta`.
pub(crate) fn quote_regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_and_unescaped_as_in_go() {
        assert_eq!(query("a b&c=ä/~"), "a+b%26c%3D%C3%A4%2F~");
        assert_eq!(query_unescape("a+b%26%c3%a4").unwrap(), "a b&ä");
        assert_eq!(query_unescape("%zz").unwrap_err(), "invalid URL escape \"%zz\"");
        assert_eq!(query_unescape("%1").unwrap_err(), "invalid URL escape \"%1\"");
    }

    #[test]
    fn names_are_quoted_for_regular_expressions() {
        assert_eq!(quote_regex("team.x"), r"team\.x");
        assert_eq!(quote_regex("a-b_c/(d)"), r"a-b_c/\(d\)");
    }
}
