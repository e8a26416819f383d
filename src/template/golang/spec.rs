//! One directive of a `printf` format: flags, width and precision, and the padding that they ask for.

/// Widths and precisions beyond this are refused; Go allows a million.
pub(crate) const WIDEST: i64 = 65_536;

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spec {
    pub(crate) minus: bool,
    pub(crate) plus: bool,
    pub(crate) sharp: bool,
    pub(crate) space: bool,
    pub(crate) zero: bool,
    pub(crate) width: Option<usize>,
    pub(crate) precision: Option<usize>,
}

impl Spec {
    /// Appends `text`, filled up to the width.
    pub(crate) fn pad(&self, out: &mut String, text: &str) {
        let fill = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.minus {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', fill));
        } else {
            let with = if self.zero { '0' } else { ' ' };
            out.extend(std::iter::repeat_n(with, fill));
            out.push_str(text);
        }
    }

    /// An integer in a base.
    pub(crate) fn integer(&self, out: &mut String, negative: bool, magnitude: u64, verb: char) {
        let digits = match verb {
            'b' => format!("{magnitude:b}"),
            'o' | 'O' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        if self.precision == Some(0) && magnitude == 0 {
            let blank = Spec { zero: false, ..*self };
            return blank.pad(out, "");
        }
        let signed = negative || self.plus || self.space;
        let least = match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero && !self.minus => width.saturating_sub(usize::from(signed)),
            _ => 0,
        };
        let mut text = String::new();
        if negative {
            text.push('-');
        } else if self.plus {
            text.push('+');
        } else if self.space {
            text.push(' ');
        }
        match verb {
            'b' if self.sharp => text.push_str("0b"),
            'x' if self.sharp => text.push_str("0x"),
            'X' if self.sharp => text.push_str("0X"),
            'o' if self.sharp && !digits.starts_with('0') => text.push('0'),
            'O' => text.push_str("0o"),
            _ => {}
        }
        text.extend(std::iter::repeat_n('0', least.saturating_sub(digits.len())));
        text.push_str(&digits);
        Spec { zero: false, ..*self }.pad(out, &text);
    }

    /// A float's text, with the sign that the flags ask for.
    pub(crate) fn float(&self, out: &mut String, text: &str) {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let negative = text.starts_with('-');
        let infinite = unsigned == "Inf";
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) if infinite => "+",
            _ => "",
        };
        if infinite || unsigned == "NaN" {
            return Spec { zero: false, ..*self }.pad(out, &format!("{sign}{unsigned}"));
        }
        if self.zero && !self.minus && !sign.is_empty() {
            // The sign stands before the zeros.
            out.push_str(sign);
            let narrower = Spec { width: self.width.map(|width| width.saturating_sub(1)), ..*self };
            return narrower.pad(out, unsigned);
        }
        self.pad(out, &format!("{sign}{unsigned}"));
    }

    /// A string, cut to the precision.
    pub(crate) fn text(&self, out: &mut String, text: &str) {
        self.pad(out, self.cut(text));
    }

    pub(crate) fn cut<'a>(&self, text: &'a str) -> &'a str {
        let end =
            self.precision.and_then(|precision| text.char_indices().nth(precision)).map_or(text.len(), |(at, _)| at);
        &text[..end]
    }

    /// `%x` and `%X` of a string: its bytes; `% x` puts blanks between.
    pub(crate) fn hex(&self, out: &mut String, text: &str, upper: bool) {
        let bytes = text.as_bytes();
        let bytes = &bytes[..self.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()))];
        let prefix = match (self.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut hex = String::with_capacity(bytes.len() * 2);
        for (index, byte) in bytes.iter().enumerate() {
            if self.space && index > 0 {
                hex.push(' ');
            }
            if index == 0 || self.space {
                hex.push_str(prefix);
            }
            hex.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(out, &hex);
    }
}
