//! The peers' two dialects of durations: Prometheus' (`1h30m`, `1d`) and Go's (`1.5h`, `100ms`).

use std::time::Duration;

/// Why a text is no duration; the texts are the peer's (contract prometheus §a).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("empty duration string")]
    Empty,
    #[error("not a valid duration string: {0:?}")]
    Invalid(String),
    #[error("unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit { unit: String, text: String },
    #[error("duration out of range")]
    OutOfRange,
}

const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Prometheus' form: `[Ny][Nw][Nd][Nh][Nm][Ns][Nms]` in that order, each at most once, or exactly `0`.
///
/// # Errors
/// Anything else, and what does not fit 63 bits of nanoseconds.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    match text {
        "" => return Err(DurationError::Empty),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let invalid = || DurationError::Invalid(text.to_owned());
    let mut rest = text;
    let mut next_unit = 0;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(invalid());
        }
        let (number, after) = rest.split_at(digits);
        let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        if unit.is_empty() {
            return Err(invalid());
        }
        let Some(position) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() });
        };
        if position < next_unit {
            return Err(invalid());
        }
        next_unit = position + 1;
        let number: u64 = number.parse().map_err(|_| DurationError::OutOfRange)?;
        total = number
            .checked_mul(UNITS[position].1)
            .and_then(|millis| total.checked_add(millis))
            .filter(|millis| *millis <= i64::MAX.unsigned_abs() / 1_000_000)
            .ok_or(DurationError::OutOfRange)?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// Prometheus' canonical text: `90s` is `1m30s`; `y` and `w` only where they divide the whole; zero is `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let exact_only = matches!(unit, "y" | "w");
        if exact_only && left % millis != 0 {
            continue;
        }
        let count = left / millis;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            left -= count * millis;
        }
    }
    text
}

/// Go's form (`time.ParseDuration`): a signed sequence of decimal numbers with units `ns us µs ms s m h`; `0` alone.
/// Negative durations are refused, since none of the keys that take this form means anything below zero.
///
/// # Errors
/// A text that Go refuses, or a negative one.
pub fn parse_go_duration(text: &str) -> Result<Duration, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos: f64 = 0.0;
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_len);
        if number.is_empty() || number == "." {
            return Err(invalid());
        }
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let unit_len = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let scale = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            "" => return Err(invalid()),
            _ => return Err(DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() }),
        };
        nanos += number * scale;
        rest = after;
    }
    if nanos > i64::MAX as f64 {
        return Err(DurationError::OutOfRange);
    }
    // In range by the check above; a fraction of a nanosecond is dropped, as Go does.
    Ok(Duration::from_nanos(nanos as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_durations_are_read_and_refused_as_the_peer_does() {
        let good = [
            ("0", 0),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("0h5m", 300_000),
            ("00h5m", 300_000),
            ("1y", 31_536_000_000),
            ("1500ms", 1500),
        ];
        for (text, millis) in good {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        let bad = [
            ("5", "not a valid duration string: \"5\""),
            ("00", "not a valid duration string: \"00\""),
            ("+5m", "not a valid duration string: \"+5m\""),
            ("-5m", "not a valid duration string: \"-5m\""),
            ("1m1h", "not a valid duration string: \"1m1h\""),
            ("1.5h", "unknown unit \".\" in duration \"1.5h\""),
            ("1M", "unknown unit \"M\" in duration \"1M\""),
            ("1h 1m", "unknown unit \"h \" in duration \"1h 1m\""),
            ("", "empty duration string"),
            ("106752d", "duration out of range"),
            ("9223372037s", "duration out of range"),
        ];
        for (text, want) in bad {
            assert_eq!(parse_duration(text).unwrap_err().to_string(), want, "{text}");
        }
    }

    #[test]
    fn durations_print_canonically() {
        let cases = [
            ("300s", "5m"),
            ("36h", "1d12h"),
            ("1500ms", "1s500ms"),
            ("365d", "1y"),
            ("8d", "8d"),
            ("7d", "1w"),
            ("0", "0s"),
            ("90s", "1m30s"),
        ];
        for (text, want) in cases {
            assert_eq!(format_duration(parse_duration(text).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn go_durations_take_fractions() {
        assert_eq!(parse_go_duration("1.5h").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_go_duration("1m30s").unwrap(), Duration::from_secs(90));
        assert!(parse_go_duration("5").is_err());
        assert!(parse_go_duration("1d").is_err());
        assert!(parse_go_duration("-1s").is_err());
    }
}
