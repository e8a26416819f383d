//! Text as Go writes it, since it reaches wires: quoting and rounding to a number of characters.

use std::sync::LazyLock;

use regex::Regex;

/// Go's `strconv.Quote`: double quotes, printable characters as they are, the rest as Go escapes.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if is_printable(c) => out.push(c),
            _ if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Go's `%e` with the shortest digits that round-trip and at least two exponent digits: `1e+00`, `1.2345675e+06`, `NaN`,
/// `+Inf` (values of alerts in Prometheus' API).
pub fn go_exponent(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(rest) => ('-', rest),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Go's `unicode.IsPrint` for what is not ASCII: letters, marks, numbers, punctuation and symbols.
fn is_printable(c: char) -> bool {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    static PRINTABLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").expect("the pattern is valid"));
    let mut buffer = [0; 4];
    PRINTABLE.is_match(c.encode_utf8(&mut buffer))
}

/// Cuts to at most `max` characters, the last of which is `…` if anything was cut (contract alertmanager §8.9).
pub fn truncate_chars(text: &str, max: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => text.into(),
        Some(_) if max == 0 => "".into(),
        Some(_) => {
            let keep = text.char_indices().nth(max - 1).map_or(text.len(), |(at, _)| at);
            format!("{}…", &text[..keep]).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_gos() {
        let cases = [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\x07\n\x01\x7f", r#""\a\n\x01\x7f""#),
            ("é ⏎ e\u{301}", "\"é ⏎ e\u{301}\""),
            ("\u{a0}\u{200b}\u{e000}", r#""\u00a0\u200b\ue000""#),
            ("\u{10ffff}", r#""\U0010ffff""#),
        ];
        for (text, want) in cases {
            assert_eq!(go_quote(text), want);
        }
    }

    #[test]
    fn exponents_are_gos() {
        let cases =
            [(1.0, "1e+00"), (1_234_567.5, "1.2345675e+06"), (1e-7, "1e-07"), (-0.0, "-0e+00"), (1e300, "1e+300")];
        for (value, want) in cases {
            assert_eq!(go_exponent(value), want);
        }
        assert_eq!((go_exponent(f64::NAN), go_exponent(f64::NEG_INFINITY)), ("NaN".to_owned(), "-Inf".to_owned()));
    }

    #[test]
    fn a_cut_text_fits_and_says_that_it_was_cut() {
        assert_eq!(truncate_chars("äöü", 3), "äöü");
        assert_eq!(truncate_chars("äöüß", 3), "äö…");
        assert_eq!(truncate_chars("ab", 0), "");
    }
}
