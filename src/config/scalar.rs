//! The scalars of belfry.yml: durations as humantime writes them, byte sizes, counts, and web addresses.
//!
//! Each reader is a [`crate::yaml::Want`]: the value, or what is wrong with it in words.

use std::time::Duration;

use url::Url;

use crate::yaml::Node;

/// `15d`, `1h 30m`, `500ms`; `1M` is a month and `1y` 365.25 days, as humantime has it. `0` needs no unit.
pub(super) fn duration(node: &Node) -> Result<Duration, String> {
    let text = node.text()?;
    humantime::parse_duration(text.trim()).map_err(|error| format!("not a valid duration: {text:?} ({error})"))
}

/// A duration that means nothing at zero.
pub(super) fn positive_duration(node: &Node) -> Result<Duration, String> {
    duration(node).and_then(|duration| match duration.is_zero() {
        true => Err("must be more than 0".to_owned()),
        false => Ok(duration),
    })
}

const BYTE_UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A number of bytes above zero: `65536`, `64KiB`, `10 MB`; units in any case.
pub(super) fn bytes(node: &Node) -> Result<u64, String> {
    let text = node.text()?.trim();
    let invalid = || format!("not a valid size: {text:?}, write it as 512, 64KiB or 10MB");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.replace('_', "").parse().map_err(|_| invalid())?;
    let (_, scale) = BYTE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).ok_or_else(invalid)?;
    match number.checked_mul(*scale) {
        None => Err(format!("out of range: {text:?}")),
        Some(0) => Err("must be more than 0".to_owned()),
        Some(bytes) => Ok(bytes),
    }
}

/// A whole number above zero.
pub(super) fn count(node: &Node) -> Result<usize, String> {
    match usize::try_from(node.integer()?) {
        Ok(0) | Err(_) => Err("must be more than 0".to_owned()),
        Ok(count) => Ok(count),
    }
}

/// An `http` or `https` address with a host.
pub(super) fn web_address(node: &Node) -> Result<Url, String> {
    let text = node.text()?;
    let url = Url::parse(text).map_err(|error| format!("not a valid URL: {text:?} ({error})"))?;
    match (url.scheme(), url.has_host()) {
        ("http" | "https", true) => Ok(url),
        (scheme, _) => Err(format!("unsupported scheme {scheme:?} for URL, only http and https are")),
    }
}

/// The choice that a word names.
pub(super) fn word<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("{text:?} is none of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Findings, parse};

    fn node(text: &str) -> Node {
        parse(text, &mut Findings::new("f")).unwrap().root.unwrap()
    }

    #[test]
    fn durations_are_humantimes() {
        let hour = 3600;
        let good = [
            ("15d", 15 * 24 * hour),
            ("1h 30m", 5400),
            ("1h30m", 5400),
            ("0", 0),
            ("0s", 0),
            ("1M", 2_630_016),
            ("1y", 31_557_600),
        ];
        for (text, seconds) in good {
            assert_eq!(duration(&node(text)), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["5", "-5m", "five", "1.5.h", "\"\"", "[5m]"] {
            assert!(duration(&node(text)).is_err(), "{text}");
        }
        assert_eq!(positive_duration(&node("0s")), Err("must be more than 0".to_owned()));
    }

    #[test]
    fn sizes_are_decimal_or_binary_as_written() {
        let good = [
            ("64MiB", 64 << 20),
            ("1KiB", 1024),
            ("512", 512),
            ("1_000", 1000),
            ("10 MB", 10_000_000),
            ("1kb", 1000),
            ("7B", 7),
        ];
        for (text, want) in good {
            assert_eq!(bytes(&node(text)), Ok(want), "{text}");
        }
        for text in ["0", "-1", "1.5MiB", "MiB", "1 Mib s", "99999999999TiB", "{}"] {
            assert!(bytes(&node(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_need_a_web_scheme_and_a_host() {
        assert_eq!(web_address(&node("https://belfry.example/x")).unwrap().as_str(), "https://belfry.example/x");
        for text in ["ftp://host", "localhost:9095", "http://", "/path"] {
            assert!(web_address(&node(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_above_zero() {
        assert_eq!(count(&node("1_000_000")), Ok(1_000_000));
        assert!(count(&node("0")).is_err() && count(&node("-3")).is_err() && count(&node("x")).is_err());
    }
}
