//! Numbers for people: `humanize` and its kin (contract prometheus §c, alertmanager §8.3).

use gotmpl::Value;

use super::print::four_digits;
use super::value::{as_duration, type_name};

/// What counts as a number.
pub(super) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::String(text) => parse(text),
        other => match as_duration(other) {
            Some(nanos) => Ok(nanos as f64 / 1e9),
            None => Err(format!("can't convert {} to float", type_name(other))),
        },
    }
}

fn parse(text: &str) -> Result<f64, String> {
    let sane = !text.is_empty() && !text.contains(char::is_whitespace);
    match text.parse() {
        Ok(number) if sane => Ok(number),
        _ => Err(format!("strconv.ParseFloat: parsing {}: invalid syntax", crate::model::go_quote(text))),
    }
}

const BIG: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

pub(super) fn humanize(mut number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return four_digits(number);
    }
    if number.abs() < 1.0 {
        return small(number);
    }
    let mut prefix = "";
    for big in BIG {
        if number.abs() < 1000.0 {
            break;
        }
        prefix = big;
        number /= 1000.0;
    }
    format!("{}{prefix}", four_digits(number))
}

fn small(mut number: f64) -> String {
    let mut prefix = "";
    for small in SMALL {
        if number.abs() >= 1.0 {
            break;
        }
        prefix = small;
        number *= 1000.0;
    }
    format!("{}{prefix}", four_digits(number))
}

pub(super) fn humanize1024(mut number: f64) -> String {
    if number.abs() <= 1.0 || !number.is_finite() {
        return four_digits(number);
    }
    let mut prefix = "";
    for binary in BINARY {
        if number.abs() < 1024.0 {
            break;
        }
        prefix = binary;
        number /= 1024.0;
    }
    format!("{}{prefix}", four_digits(number))
}

pub(super) fn humanize_percentage(number: f64) -> String {
    format!("{}%", four_digits(number * 100.0))
}

pub(super) fn humanize_duration(number: f64) -> String {
    if !number.is_finite() {
        return four_digits(number);
    }
    if number == 0.0 {
        return "0s".to_owned();
    }
    if number.abs() < 1.0 {
        return format!("{}s", small(number));
    }
    if number.abs() < 60.0 {
        return format!("{}s", four_digits(number));
    }
    let sign = if number < 0.0 { "-" } else { "" };
    let total = number.abs() as u64;
    let (days, hours, minutes, secs) = (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
    match (days, hours) {
        (0, 0) => format!("{sign}{minutes}m {secs}s"),
        (0, _) => format!("{sign}{hours}h {minutes}m {secs}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {secs}s"),
    }
}
