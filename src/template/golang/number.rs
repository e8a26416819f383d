//! Numbers for people: the `humanize` family of rule templates, and what it takes for a number.

use gotmpl::Value;

use crate::template::engine::value::{Object, View, open, type_name};

use super::float;

/// Reads a number, a numeric string or a duration (in seconds).
///
/// # Errors
/// Another type, or a string that is no number.
pub(crate) fn from_value(value: &Value) -> Result<f64, String> {
    match open(value) {
        View::Float(number) => Ok(number),
        View::Int(number) => Ok(number as f64),
        View::Uint(number) => Ok(number as f64),
        View::Text(text) | View::Safe(_, text) => float::parse(text),
        View::Object(Object::Duration { nanos, pointer: false }) => Ok(nanos as f64 / 1e9),
        View::Nil => Err("can't convert <nil> to float".to_owned()),
        _ => Err(format!("can't convert {} to float", type_name(value))),
    }
}

fn four_digits(value: f64) -> String {
    float::format(value, 'g', Some(4))
}

const LARGE: [&str; 9] = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 9] = ["", "m", "u", "n", "p", "f", "a", "z", "y"];
const BINARY: [&str; 9] = ["", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// Four digits and a decimal prefix: `1.235M`, `120m`.
pub(crate) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    scaled(value, if value.abs() >= 1.0 { Scale::Down(1000.0, &LARGE) } else { Scale::Up(&SMALL) })
}

/// Four digits and a binary prefix: `1Mi`.
pub(crate) fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    scaled(value, Scale::Down(1024.0, &BINARY))
}

enum Scale {
    Down(f64, &'static [&'static str; 9]),
    Up(&'static [&'static str; 9]),
}

fn scaled(mut value: f64, scale: Scale) -> String {
    let mut prefix = 0;
    let prefixes = match scale {
        Scale::Down(base, prefixes) => {
            while value.abs() >= base && prefix + 1 < prefixes.len() {
                value /= base;
                prefix += 1;
            }
            prefixes
        }
        Scale::Up(prefixes) => {
            while value.abs() < 1.0 && prefix + 1 < prefixes.len() {
                value *= 1000.0;
                prefix += 1;
            }
            prefixes
        }
    };
    format!("{}{}", four_digits(value), prefixes[prefix])
}

/// Seconds as `1d 2h 3m 4s`, `1.234s`, `100ms`.
pub(crate) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return "0s".to_owned();
    }
    if value.abs() < 1.0 {
        return format!("{}s", scaled(value, Scale::Up(&SMALL)));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    // Beyond what a 64-bit number holds it says the largest one.
    let whole = value.abs() as i64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    let seconds = whole % 60;
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", four_digits(value.abs()))
    }
}

/// Four digits of a hundredfold: `12.35%`.
pub(crate) fn humanize_percentage(value: f64) -> String {
    format!("{}%", four_digits(value * 100.0))
}

/// Seconds since the epoch as nanoseconds, to the millisecond.
///
/// # Errors
/// What 64 bits of nanoseconds do not hold.
pub(crate) fn to_nanos(seconds: f64) -> Result<i64, String> {
    let nanos = (seconds * 1e3).round() * 1e6;
    if !nanos.is_finite() || nanos.abs() >= i64::MAX as f64 {
        return Err(format!(
            "{} cannot be represented as a nanoseconds timestamp since it overflows int64",
            float::shortest(seconds)
        ));
    }
    Ok(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of contract prometheus §c.
    #[test]
    fn numbers_are_humanized_as_in_the_contract() {
        let cases = [
            (0.0, "0", "0", "0s", "0%"),
            (1e-9, "1n", "1e-09", "1ns", "1e-07%"),
            (-0.5, "-500m", "-0.5", "-500ms", "-50%"),
            (0.99999, "1000m", "1", "1000ms", "100%"),
            (59.999, "60", "60", "60s", "6000%"),
            (1023.99, "1.024k", "1024", "17m 3s", "1.024e+05%"),
            (1_234_567.0, "1.235M", "1.177Mi", "14d 6h 56m 7s", "1.235e+08%"),
            (-90.0, "-90", "-90", "-1m 30s", "-9000%"),
            (f64::NAN, "NaN", "NaN", "NaN", "NaN%"),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf", "+Inf%"),
        ];
        for (value, plain, binary, duration, percentage) in cases {
            assert_eq!(humanize(value), plain);
            assert_eq!(humanize_1024(value), binary);
            assert_eq!(humanize_duration(value), duration);
            assert_eq!(humanize_percentage(value), percentage);
        }
        assert_eq!(humanize(1e30), "1e+06Y");
        assert_eq!(humanize_1024(1e30), "8.272e+05Yi");
        assert_eq!(humanize_percentage(1e30), "1e+32%");
        assert!(to_nanos(1e30).unwrap_err().ends_with("overflows int64"));
    }

    /// The values of contract alertmanager §8.3.
    #[test]
    fn durations_are_humanized_as_in_the_contract() {
        let cases = [
            (60.0, "1m 0s"),
            (3600.0, "1h 0m 0s"),
            (90_000.0, "1d 1h 0m 0s"),
            (-(2.0 * 86_400.0 + 3.0 * 3_600.0 + 4.0 * 60.0 + 5.0), "-2d 3h 4m 5s"),
            (1.234, "1.234s"),
            (12.345, "12.35s"),
            (0.1, "100ms"),
            (0.1235, "123.5ms"),
            (0.0001, "100us"),
            (60.7, "1m 0s"),
            (899.99, "14m 59s"),
            (0.9999999, "1000ms"),
            (1e9, "11574d 1h 46m 40s"),
        ];
        for (value, want) in cases {
            assert_eq!(humanize_duration(value), want);
        }
    }
}
