//! `time_intervals` (contract alertmanager §1.10): calendar windows, and whether an instant lies in one.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;

use crate::model::Timestamp;
use crate::yaml::{Findings, Node, Position, Section};

/// A named set of calendar windows; an instant is inside if it is inside any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeInterval {
    pub name: Arc<str>,
    pub windows: Vec<Window>,
}

/// One window: inside if all of its components contain the instant, a component if any of its ranges does. `None` is no
/// component; an empty one never matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    times: Option<Vec<Span>>,
    weekdays: Option<Vec<Span>>,
    days_of_month: Option<Vec<Span>>,
    months: Option<Vec<Span>>,
    years: Option<Vec<Span>>,
    location: Tz,
}

/// A range, both ends included; of `times` in minutes of the day, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    begin: i32,
    end: i32,
}

impl TimeInterval {
    pub fn contains(&self, at: Timestamp) -> bool {
        self.windows.iter().any(|window| window.contains(at))
    }
}

impl Window {
    fn contains(&self, at: Timestamp) -> bool {
        let local = at.to_datetime().with_timezone(&self.location);
        let within = |spans: &Option<Vec<Span>>, value: i32| {
            spans.as_ref().is_none_or(|spans| spans.iter().any(|span| span.begin <= value && value <= span.end))
        };
        let minute = (local.hour() * 60 + local.minute()).cast_signed();
        let in_times =
            self.times.as_ref().is_none_or(|spans| spans.iter().any(|span| span.begin <= minute && minute < span.end));
        let day = local.day().cast_signed();
        let last = last_day(local.year(), local.month());
        let in_days = self.days_of_month.as_ref().is_none_or(|spans| spans.iter().any(|span| span.has_day(day, last)));
        in_times
            && in_days
            && within(&self.weekdays, local.weekday().num_days_from_sunday().cast_signed())
            && within(&self.months, local.month().cast_signed())
            && within(&self.years, local.year())
    }
}

impl Span {
    /// −1 is the month's last day; no match where the range lies outside the month, else the part inside counts.
    fn has_day(self, day: i32, last: i32) -> bool {
        let resolve = |n: i32| if n < 0 { last + 1 + n } else { n };
        let (begin, end) = (resolve(self.begin), resolve(self.end));
        begin <= last && end >= 1 && begin.max(1) <= day && day <= end.min(last)
    }
}

fn last_day(year: i32, month: u32) -> i32 {
    let next =
        if month == 12 { NaiveDate::from_ymd_opt(year + 1, 1, 1) } else { NaiveDate::from_ymd_opt(year, month + 1, 1) };
    next.and_then(|first| first.pred_opt()).map_or(28, |last| last.day().cast_signed())
}

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<(TimeInterval, Position)> {
    let mut section = Section::open(node, "time interval", findings)?;
    let name = section.text("name", findings).unwrap_or_default();
    if name.is_empty() && !node.is_null() {
        findings.error(node.position, "missing name in time interval");
    }
    section.rename(format!("time interval {name:?}"));
    let mut windows = Vec::new();
    for item in section.read("time_intervals", findings, Node::items).unwrap_or_default() {
        windows.extend(read_window(item, section.name(), findings));
    }
    section.finish(findings);
    Some((TimeInterval { name: name.into(), windows }, node.position))
}

fn read_window(node: &Node, name: &str, findings: &mut Findings) -> Option<Window> {
    let mut section = Section::open(node, name, findings)?;
    let times = read_spans(&mut section, "times", findings, read_times);
    let weekdays = read_spans(&mut section, "weekdays", findings, |node| named(node, &WEEKDAYS, 0, false));
    let days_of_month = read_spans(&mut section, "days_of_month", findings, days);
    let months = read_spans(&mut section, "months", findings, |node| named(node, &MONTHS, 1, true));
    let years = read_spans(&mut section, "years", findings, years);
    let location = section.read("location", findings, |node| match node.text()? {
        "" => Ok(Tz::UTC),
        // The machine's own zone is not asked: where a daemon runs must not decide when it wakes people.
        "Local" => Ok(Tz::UTC),
        zone => zone.parse::<Tz>().map_err(|_| format!("unknown time zone {zone}")),
    });
    section.finish(findings);
    Some(Window { times, weekdays, days_of_month, months, years, location: location.unwrap_or(Tz::UTC) })
}

fn read_spans(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
    one: impl Fn(&Node) -> Result<Span, String>,
) -> Option<Vec<Span>> {
    let items = section.read(key, findings, Node::items)?;
    let mut spans = Vec::new();
    for item in items {
        match one(item) {
            Ok(span) => spans.push(span),
            Err(message) => findings.error(item.position, format!("{}: {key}: {message}", section.name())),
        }
    }
    if items.is_empty() {
        findings.warning_with_help(
            section.position(),
            format!("{}: {key} is an empty list, which never matches", section.name()),
            "leave the key out to match always",
        );
    }
    Some(spans)
}

fn read_times(node: &Node) -> Result<Span, String> {
    let entries = node.entries()?;
    let mut bounds = (None, None);
    for (key, value) in entries {
        let minute = minute(value.text()?)?;
        match key.text()? {
            "start_time" => bounds.0 = Some(minute),
            "end_time" => bounds.1 = Some(minute),
            other => return Err(format!("unknown key {other:?}")),
        }
    }
    let (Some(begin), Some(end)) = bounds else {
        return Err("both start and end times must be provided".to_owned());
    };
    if begin >= end {
        return Err("start time cannot be equal or greater than end time".to_owned());
    }
    Ok(Span { begin, end })
}

fn minute(text: &str) -> Result<i32, String> {
    let invalid = || format!("couldn't parse timestamp {text}, invalid format");
    let (hours, minutes) = text.split_once(':').ok_or_else(invalid)?;
    if hours.len() != 2 || minutes.len() != 2 {
        return Err(invalid());
    }
    let (hours, minutes): (i32, i32) = (hours.parse().map_err(|_| invalid())?, minutes.parse().map_err(|_| invalid())?);
    let inside = (0..24).contains(&hours) && (0..60).contains(&minutes) || (hours, minutes) == (24, 0);
    if inside { Ok(hours * 60 + minutes) } else { Err(invalid()) }
}

/// `begin:end`, or one value for both.
fn range(text: &str, value: impl Fn(&str) -> Result<i32, String>) -> Result<Span, String> {
    let (begin, end) = text.split_once(':').unwrap_or((text, text));
    Ok(Span { begin: value(begin.trim())?, end: value(end.trim())? })
}

fn named(node: &Node, names: &[&str], first: i32, numbers: bool) -> Result<Span, String> {
    let text = node.text()?.to_lowercase();
    let span = range(&text, |word| {
        if let Some(at) = names.iter().position(|name| *name == word) {
            return Ok(i32::try_from(at).unwrap_or_default() + first);
        }
        match word.parse::<i32>() {
            Ok(number) if numbers && (1..=12).contains(&number) => Ok(number),
            _ => Err(format!("{word} is not a valid {}", if numbers { "month" } else { "weekday" })),
        }
    })?;
    ordered(span, &text)
}

fn ordered(span: Span, text: &str) -> Result<Span, String> {
    match span.begin <= span.end {
        true => Ok(span),
        false => Err(format!("start of {text:?} cannot be after its end")),
    }
}

fn days(node: &Node) -> Result<Span, String> {
    let text = node.text()?;
    let span = range(text, |word| {
        word.parse::<i32>()
            .ok()
            .filter(|day| *day != 0 && (-31..=31).contains(day))
            .ok_or_else(|| format!("{word} is not a valid day of the month: out of range"))
    })?;
    if span.begin < 0 && span.end > 0 {
        return Err("end day must be negative if start day is negative".to_owned());
    }
    // As in the shortest month, so that the order holds in every one.
    let judged = |day: i32| if day < 0 { 28 + day } else { day };
    match judged(span.begin) <= judged(span.end) {
        true => Ok(span),
        false => Err(format!("end day {} is always before start day {}", span.end, span.begin)),
    }
}

fn years(node: &Node) -> Result<Span, String> {
    let text = node.text()?;
    let span = range(text, |word| word.parse().map_err(|_| format!("{word} is not a valid year")))?;
    ordered(span, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn interval(yaml: &str) -> Result<TimeInterval, String> {
        let mut findings = Findings::new("f");
        let document = parse(yaml, &mut findings).unwrap();
        let (interval, _) = read(&document.root.unwrap(), &mut findings).unwrap();
        match findings.has_errors() {
            true => Err(findings.into_sorted()[0].to_string()),
            false => Ok(interval),
        }
    }

    fn contains(window: &str, at: &str) -> bool {
        let yaml = format!("{{name: x, time_intervals: [{window}]}}");
        interval(&yaml).unwrap().contains(Timestamp::parse_rfc3339_lenient(at).unwrap())
    }

    #[test]
    fn instants_lie_where_the_calendar_says() {
        let cases = [
            ("{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-02T09:00:00Z", true),
            ("{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-01-02T17:00:00Z", false),
            ("{weekdays: ['monday:friday']}", "2026-01-02T00:00:00Z", true),
            ("{weekdays: [sunday]}", "2026-01-02T00:00:00Z", false),
            ("{days_of_month: ['-1']}", "2026-02-28T00:00:00Z", true),
            ("{days_of_month: ['30:31']}", "2026-02-28T00:00:00Z", false),
            ("{days_of_month: ['25:31']}", "2026-02-28T00:00:00Z", true),
            ("{days_of_month: ['-31:-28']}", "2026-02-01T00:00:00Z", true),
            ("{months: ['january:march']}", "2026-03-31T23:59:00Z", true),
            ("{years: ['2027:2028']}", "2026-03-31T23:59:00Z", false),
            (
                "{weekdays: [friday], times: [{start_time: '23:00', end_time: '24:00'}], location: Europe/Berlin}",
                "2026-01-02T22:30:00Z",
                true,
            ),
            ("{weekdays: []}", "2026-01-02T00:00:00Z", false),
        ];
        for (window, at, want) in cases {
            assert_eq!(contains(window, at), want, "{window} {at}");
        }
    }

    #[test]
    fn what_can_never_be_is_refused() {
        for window in [
            "{times: [{start_time: '17:00', end_time: '09:00'}]}",
            "{times: [{start_time: '9:00', end_time: '10:00'}]}",
            "{times: [{start_time: '09:00'}]}",
            "{weekdays: ['saturday:sunday']}",
            "{weekdays: ['1']}",
            "{days_of_month: ['0']}",
            "{days_of_month: ['28:-1']}",
            "{days_of_month: ['-3:5']}",
            "{days_of_month: ['32']}",
            "{months: ['13']}",
            "{months: ['march:january']}",
            "{years: ['2027:2026']}",
            "{location: Mars/Olympus}",
            "{nonsense: 1}",
        ] {
            assert!(interval(&format!("{{name: x, time_intervals: [{window}]}}")).is_err(), "{window}");
        }
        assert!(interval("{name: x, time_intervals: [{days_of_month: ['27:-1']}]}").is_ok());
    }
}
