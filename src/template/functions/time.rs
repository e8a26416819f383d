//! Times: functions of notifications on them, their methods, and Go's layouts.

use chrono::{DateTime, Datelike, TimeZone, Timelike};
use chrono_tz::Tz;
use gotmpl::Value;

use super::{Table, exactly, string};
use crate::template::print;
use crate::template::run;
use crate::template::value::{ZERO_TIME, as_duration, as_time, duration, instant, text, time};

pub(super) const TABLE: Table = &[
    ("now", |args| {
        exactly::<0>(args)?;
        run::look(|run| instant(run.now))
    }),
    ("since", |args| {
        let [from] = exactly::<1>(args)?;
        let now = run::look(|run| instant(run.now))?;
        Ok(duration(between(&now, from)?))
    }),
    ("date", |args| {
        let [layout, at] = exactly::<2>(args)?;
        Ok(text(format(string(layout)?, as_time(at).ok_or("date needs a time")?)))
    }),
    ("tz", |args| {
        let [zone, at] = exactly::<2>(args)?;
        let zone = string(zone)?;
        let (secs, nanos, _) = as_time(at).ok_or("tz needs a time")?;
        match zone {
            "" => Ok(time(secs, nanos, "UTC")),
            _ if zone.parse::<Tz>().is_ok() => Ok(time(secs, nanos, zone)),
            _ => Err(format!("unknown time zone {zone}")),
        }
    }),
];

fn nanos_of(value: &Value) -> Result<i128, String> {
    let (secs, nanos, _) = as_time(value).ok_or("wrong type for value; expected time.Time")?;
    Ok(i128::from(secs) * 1_000_000_000 + i128::from(nanos))
}

/// Nanoseconds from `earlier` to `later`, saturating as Go's.
fn between(later: &Value, earlier: &Value) -> Result<i64, String> {
    let difference = nanos_of(later)? - nanos_of(earlier)?;
    Ok(i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX }))
}

fn local((secs, nanos, zone): (i64, u32, &str)) -> Option<DateTime<Tz>> {
    let utc = DateTime::from_timestamp(secs, nanos)?;
    Some(zone.parse().unwrap_or(Tz::UTC).from_utc_datetime(&utc.naive_utc()))
}

/// A method of a time; `None` if there is no such one.
pub(in crate::template) fn method(of: &Value, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
    let parts = as_time(of).ok_or("no time")?;
    let (secs, nanos, zone) = parts;
    let at = local(parts).ok_or("a time out of range")?;
    let int = |number: u32| Value::Int(number.into());
    Ok(Some(match (name, args) {
        ("Unix", []) => Value::Int(secs),
        ("UnixMilli", []) => Value::Int(secs.saturating_mul(1000).saturating_add((nanos / 1_000_000).into())),
        ("UTC" | "Local", []) => time(secs, nanos, "UTC"),
        ("String", []) => text(print::time(parts, true)),
        ("IsZero", []) => Value::Bool(secs == ZERO_TIME && nanos == 0),
        ("Year", []) => Value::Int(at.year().into()),
        ("Month", []) => text(at.format("%B").to_string()),
        ("Weekday", []) => text(at.format("%A").to_string()),
        ("Day", []) => int(at.day()),
        ("Hour", []) => int(at.hour()),
        ("Minute", []) => int(at.minute()),
        ("Second", []) => int(at.second()),
        ("Format", [layout]) => text(format(string(layout)?, parts)),
        ("Sub", [other]) => duration(between(of, other)?),
        ("Before", [other]) => Value::Bool(nanos_of(of)? < nanos_of(other)?),
        ("After", [other]) => Value::Bool(nanos_of(of)? > nanos_of(other)?),
        ("Equal", [other]) => Value::Bool(nanos_of(of)? == nanos_of(other)?),
        ("Add", [step]) => {
            let step = as_duration(step).or(step.as_int()).ok_or("Add needs a duration")?;
            let sum = nanos_of(of)? + i128::from(step);
            let rest = u32::try_from(sum.rem_euclid(1_000_000_000)).unwrap_or(0);
            time(i64::try_from(sum.div_euclid(1_000_000_000)).unwrap_or(i64::MAX), rest, zone)
        }
        _ => return Ok(None),
    }))
}

/// The elements of Go's layouts with chrono's; longer ones before those that they begin with.
const ELEMENTS: [(&str, &str); 32] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("-07:00:00", "%::z"),
    ("Z07:00", "Z:"),
    ("-07:00", "%:z"),
    ("Z0700", "Z"),
    ("-0700", "%z"),
    ("2006", "%Y"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("002", "%j"),
    ("-07", "%#z"),
    ("_2", "%e"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    (".0", "frac"),
    (",0", "frac"),
    (".9", "trim"),
    (",9", "trim"),
];

/// Go's `time.Time.Format`.
pub(in crate::template) fn format(layout: &str, parts: (i64, u32, &str)) -> String {
    let Some(at) = local(parts) else { return String::new() };
    let mut out = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        let Some((go, ours)) = ELEMENTS.iter().find(|(go, _)| rest.starts_with(go)) else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        rest = &rest[go.len()..];
        match *ours {
            "frac" | "trim" => {
                let digit = if *ours == "frac" { '0' } else { '9' };
                let more = rest.len() - rest.trim_start_matches(digit).len();
                rest = &rest[more..];
                let decimals = format!("{:09}", parts.1);
                let kept = &decimals[..(more + 1).min(9)];
                let kept = if *ours == "trim" { kept.trim_end_matches('0') } else { kept };
                if !kept.is_empty() {
                    out.push_str(&go[..1]);
                    out.push_str(kept);
                }
            }
            "Z" | "Z:" => match at.format("%z").to_string().as_str() {
                "+0000" => out.push('Z'),
                _ => out.push_str(&at.format(if *ours == "Z" { "%z" } else { "%:z" }).to_string()),
            },
            "%#z" => out.push_str(&at.format("%z").to_string()[..3]),
            chrono => out.push_str(&at.format(chrono).to_string()),
        }
    }
    out
}
