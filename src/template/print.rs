//! Go's `%v` of every value.

use std::fmt::Write;

use chrono::{DateTime, TimeZone};
use gotmpl::Value;

use super::run::{self, Flavor};
use super::value::{self, Map, as_duration, as_time, entries, kind};
use crate::model::go_exponent;

/// As it is printed by an action.
pub(super) fn show(shown: &Value) -> String {
    match shown {
        Value::Float(number) => float(*number),
        Value::List(items) if is_pairs(items) => items.iter().map(pair_text).collect::<Vec<_>>().join(", "),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => match kind(map) {
            Some("time") => as_time(shown).map(|parts| time(parts, true)).unwrap_or_default(),
            Some("duration") => as_duration(shown).map(duration).unwrap_or_default(),
            Some("pair") => structure(map, &["Name", "Value"]),
            Some("alert") => structure(
                map,
                &["Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"],
            ),
            Some("sample") => structure(map, &["Labels", "Value"]),
            None if run::flavor() == Flavor::Notification => {
                sorted_pairs(map).iter().map(pair_text).collect::<Vec<_>>().join(", ")
            }
            _ => {
                let entries: Vec<_> = entries(map).map(|(name, value)| format!("{name}:{}", show(value))).collect();
                format!("map[{}]", entries.join(" "))
            }
        },
        other => other.to_string(),
    }
}

fn structure(map: &Map, fields: &[&str]) -> String {
    let shown: Vec<_> = fields.iter().map(|field| map.get(*field).map(show).unwrap_or_default()).collect();
    format!("{{{}}}", shown.join(" "))
}

fn is_pairs(items: &[Value]) -> bool {
    matches!(items.first(), Some(Value::Map(map)) if kind(map) == Some("pair"))
}

fn pair_text(pair: &Value) -> String {
    let part = |name| pair.field(name).map(show).unwrap_or_default();
    format!("{}={}", part("Name"), part("Value"))
}

/// Pairs by name, `alertname` first.
pub(super) fn sorted_pairs(map: &Map) -> Vec<Value> {
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort_by_key(|(name, _)| (&***name != "alertname", (*name).clone()));
    let pair = |(name, content): (&std::sync::Arc<str>, &Value)| {
        value::tagged("pair", [("Name", Value::String(name.clone())), ("Value", content.clone())])
    };
    pairs.into_iter().map(pair).collect()
}

/// Go's `%v` of a float: shortest digits, exponent form below 1e-4 and from 1e6 (contract prometheus §c).
pub(super) fn float(number: f64) -> String {
    if !number.is_finite() {
        return go_exponent(number);
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = go_exponent(number);
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if (-4..6).contains(&exponent) { number.to_string() } else { scientific }
}

/// Go's `%.4g`.
pub(super) fn four_digits(number: f64) -> String {
    if !number.is_finite() || number == 0.0 {
        return float(number);
    }
    let text = format!("{number:.3e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if !(-4..4).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(digits), exponent.abs());
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    trim(&format!("{number:.decimals$}"))
}

/// Go's `time.Time.String`, or without the zone.
pub(super) fn time((secs, nanos, zone): (i64, u32, &str), with_zone: bool) -> String {
    let Some(utc) = DateTime::from_timestamp(secs, nanos) else { return String::new() };
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::Tz::UTC);
    let local = zone.from_utc_datetime(&utc.naive_utc());
    let mut out = local.format("%Y-%m-%d %H:%M:%S").to_string();
    if nanos > 0 {
        let decimals = format!("{nanos:09}");
        let _ = write!(out, ".{}", decimals.trim_end_matches('0'));
    }
    if with_zone {
        let _ = write!(out, " {}", local.format("%z %Z"));
    }
    out
}

/// Go's `time.Duration.String`.
pub(super) fn duration(nanos: i64) -> String {
    let total = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let decimal = |unit: u64| {
        let text = format!("{}.{:0width$}", total / unit, total % unit, width = unit.ilog10().max(1) as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(1_000_000)),
        _ => {
            let minutes = total / 60_000_000_000;
            let rest = total % 60_000_000_000;
            let text = format!("{}.{:09}", rest / 1_000_000_000, rest % 1_000_000_000);
            let secs = text.trim_end_matches('0').trim_end_matches('.');
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{secs}s"),
                (0, minutes) => format!("{sign}{minutes}m{secs}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{secs}s"),
            }
        }
    }
}
