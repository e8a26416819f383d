//! Floats as Go's `strconv` writes and reads them.

/// `strconv.FormatFloat(value, verb, precision, 64)` for the verbs `e E f F g G`; no precision means the shortest text
/// that reads back as the same number.
pub(crate) fn format(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let upper = verb.is_ascii_uppercase();
    let text = match verb.to_ascii_lowercase() {
        'e' => exponent_form(&scientific(value, precision)),
        'f' => match precision {
            Some(precision) => format!("{value:.precision$}"),
            None => format!("{value}"),
        },
        _ => general(value, precision),
    };
    if upper { text.to_ascii_uppercase() } else { text }
}

/// `%v`: the shortest text, with an exponent from 10⁶ up and below 10⁻⁴.
pub(crate) fn shortest(value: f64) -> String {
    format(value, 'g', None)
}

/// Rust's `1.5e-7`.
fn scientific(value: f64, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    }
}

/// `1.5e-7` to `1.5e-07`.
fn exponent_form(scientific: &str) -> String {
    let (mantissa, exponent) = split(scientific);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

fn split(scientific: &str) -> (&str, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

fn general(value: f64, precision: Option<usize>) -> String {
    // Precision 0 means 1, as in C.
    let digits = precision.map(|precision| precision.max(1));
    let scientific = scientific(value, digits.map(|digits| digits - 1));
    let (mantissa, exponent) = split(&scientific);
    let threshold = digits.map_or(6, |digits| i32::try_from(digits).unwrap_or(i32::MAX));
    if exponent < -4 || exponent >= threshold {
        let mantissa = trim_zeros(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    match digits {
        None => format!("{value}"),
        Some(_) => {
            let decimals = usize::try_from(threshold - 1 - exponent).unwrap_or(0);
            trim_zeros(&format!("{value:.decimals$}")).to_owned()
        }
    }
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `%x` of a float: `0x1.8p+01`.
pub(crate) fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    if !value.is_finite() {
        return format(value, 'g', None);
    }
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let mut mantissa = bits & ((1 << 52) - 1);
    let mut exponent = i64::from(u16::try_from((bits >> 52) & 0x7ff).unwrap_or(0)) - 1023;
    let mut lead = 1;
    if value == 0.0 {
        (lead, exponent) = (0, 0);
    } else if exponent == -1023 {
        let shift = mantissa.leading_zeros() - 11;
        mantissa = (mantissa << shift) & ((1 << 52) - 1);
        exponent = -1022 - i64::from(shift);
    }
    let mut digits = format!("{mantissa:013x}");
    match precision {
        Some(precision) => digits = format!("{digits:0<precision$}").chars().take(precision).collect(),
        None => digits.truncate(digits.trim_end_matches('0').len()),
    }
    let point = if digits.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x{lead}{point}{digits}p{exponent_sign}{:02}", exponent.unsigned_abs())
}

/// `strconv.ParseFloat(text, 64)`, for what people write: decimals, exponents, `inf` and `nan` in any case.
///
/// # Errors
/// Go's text.
pub(crate) fn parse(text: &str) -> Result<f64, String> {
    let invalid = || format!("strconv.ParseFloat: parsing {}: invalid syntax", crate::model::go_quote(text));
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    match bare.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        "nan" if bare.len() == text.len() => return Ok(f64::NAN),
        _ => {}
    }
    if let Some(digits) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) {
        return parse_hexadecimal(digits).map(|value| if negative { -value } else { value }).ok_or_else(invalid);
    }
    if !bare.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-')) {
        return Err(invalid());
    }
    let value: f64 = text.parse().map_err(|_| invalid())?;
    if value.is_infinite() {
        return Err(format!("strconv.ParseFloat: parsing {}: value out of range", crate::model::go_quote(text)));
    }
    Ok(value)
}

/// `1.8p1`, whose exponent is required.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?.checked_mul(4)?)?;
    Some(value * 2f64.powi(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        let cases = [
            (1e6, "1e+06"),
            (123_456.0, "123456"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (0.5, "0.5"),
            (-0.0, "-0"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
            (1e100, "1e+100"),
        ];
        for (value, want) in cases {
            assert_eq!(shortest(value), want);
        }
        let rounded = [(1234.567, "1235"), (0.12, "0.12"), (102_399.0, "1.024e+05"), (100.0, "100"), (999.99, "1000")];
        for (value, want) in rounded {
            assert_eq!(format(value, 'g', Some(4)), want);
        }
        assert_eq!(format(12_345.678, 'e', Some(2)), "1.23e+04");
        assert_eq!(format(1e21, 'f', None), "1000000000000000000000");
        assert_eq!(hexadecimal(3.5, None), "0x1.cp+01");
    }

    #[test]
    fn floats_are_read_as_go_reads_them() {
        assert_eq!(parse("1.5"), Ok(1.5));
        assert_eq!(parse("+Inf"), Ok(f64::INFINITY));
        assert_eq!(parse("0x1p4"), Ok(16.0));
        for bad in ["abc", "", "1_0", "1m", " 1"] {
            assert!(parse(bad).unwrap_err().ends_with("invalid syntax"), "{bad:?}");
        }
        assert!(parse("1e999").unwrap_err().ends_with("value out of range"));
    }
}
