//! Letter case as Go and its text libraries see it: one character to one for upper and lower, full mapping for titles.

/// Whether a title leaves the rest of a word alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Keep,
    Lower,
}

/// `strings.ToUpper`.
pub(crate) fn upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

/// `strings.ToLower`.
pub(crate) fn lower(text: &str) -> String {
    text.chars().map(lower_char).collect()
}

fn upper_char(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        // Several characters: Go maps to one, which exists for the Greek letters with a subscript iota only.
        _ => match u32::from(c) {
            code @ (0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7) => char::from_u32(code + 8).unwrap_or(c),
            code @ (0x1FB3 | 0x1FC3 | 0x1FF3) => char::from_u32(code + 9).unwrap_or(c),
            _ => c,
        },
    }
}

fn lower_char(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Each word's first letter in title case; digits and `_` before it do not count, and between letters `. : ' ’ _` do
/// not end a word (contract alertmanager §8.3).
pub(crate) fn title(text: &str, rest: Rest) -> String {
    let mut out = String::with_capacity(text.len());
    let mut titled = false;
    let mut previous = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_letter = chars.peek().is_some_and(|next| next.is_alphabetic());
        if c.is_alphabetic() {
            match (titled, rest) {
                (false, _) => push_title(&mut out, c),
                (true, Rest::Keep) => out.push(c),
                // A final sigma has a form of its own.
                (true, Rest::Lower) if c == 'Σ' && !next_is_letter => out.push('ς'),
                (true, Rest::Lower) => out.extend(c.to_lowercase()),
            }
            titled = true;
        } else {
            let joins = match c {
                '.' | ':' | '\'' | '’' => previous.is_some_and(char::is_alphabetic) && next_is_letter,
                _ => c.is_numeric() || c == '_' || is_mark(c),
            };
            titled &= joins;
            out.push(c);
        }
        previous = Some(c);
    }
    out
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

fn push_title(out: &mut String, c: char) {
    match c {
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        // Georgian has no title case.
        '\u{10D0}'..='\u{10FF}' => out.push(c),
        c => {
            let mut mapped = c.to_uppercase();
            out.extend(mapped.next());
            out.extend(mapped.flat_map(char::to_lowercase));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_those_of_the_contract() {
        let text = "HELLO wORLD foo-bar foo_bar foo.bar foo:bar foo/bar foo@bar don't 3rd a1b2 3x4y _a 1.b ßa ǆ bΣ";
        let want = "Hello World Foo-Bar Foo_bar Foo.bar Foo:bar Foo/Bar Foo@Bar Don't 3Rd A1b2 3X4y _A 1.B Ssa ǅ Bς";
        assert_eq!(title(text, Rest::Lower), want);
        assert_eq!(title("foo-bar o'neil x_y 1ab", Rest::Keep), "Foo-Bar O'neil X_y 1Ab");
        assert_eq!(title("aa bb CC", Rest::Keep), "Aa Bb CC");
    }

    #[test]
    fn one_character_stays_one() {
        assert_eq!(upper("straße ŉ ᾳ"), "STRAßE ŉ ᾼ");
        assert_eq!(lower("İΣA"), "iσa");
    }
}
