//! `time_intervals` (contract alertmanager §1.10): calendar windows, and whether an instant lies in one.

use std::sync::Arc;

use chrono::{Datelike, Local, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::model::Timestamp;
use crate::yaml::{Findings, Node, Position, Section, suggest};

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
    location: Location,
}

/// Whose calendar and clock a window goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    Zone(Tz),
    /// The machine's own, as the peer's `Local`.
    Machine,
}

impl Location {
    fn local(self, at: Timestamp) -> NaiveDateTime {
        let utc = at.to_datetime();
        match self {
            Location::Zone(zone) => utc.with_timezone(&zone).naive_local(),
            Location::Machine => utc.with_timezone(&Local).naive_local(),
        }
    }
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
        let local = self.location.local(at);
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
    let weekdays = read_spans(&mut section, "weekdays", findings, |node, place, findings| {
        told(node, place, findings, |node| named(node, &WEEKDAYS, 0, false))
    });
    let days_of_month =
        read_spans(&mut section, "days_of_month", findings, |node, place, findings| told(node, place, findings, days));
    let months = read_spans(&mut section, "months", findings, read_months);
    let years = read_spans(&mut section, "years", findings, |node, place, findings| told(node, place, findings, years));
    let location = read_location(&mut section, findings);
    let endless = [&times, &weekdays, &days_of_month, &months, &years].into_iter().all(Option::is_none);
    if endless {
        findings.warning_with_help(
            node.position,
            format!("{name}: an entry without any component contains every instant"),
            "name `times`, `weekdays`, `days_of_month`, `months` or `years`, or remove the entry",
        );
    }
    section.finish(findings);
    Some(Window { times, weekdays, days_of_month, months, years, location })
}

fn read_location(section: &mut Section<'_>, findings: &mut Findings) -> Location {
    let utc = Location::Zone(Tz::UTC);
    let place = format!("{}: location", section.name());
    let Some(node) = section.some("location") else { return utc };
    match node.text() {
        Ok("") => utc,
        Ok("Local") => {
            findings.warning_with_help(
                node.position,
                format!("{place}: `Local` is the zone of whatever machine this runs on"),
                "name the zone, as in `Europe/Berlin`",
            );
            Location::Machine
        }
        Ok(name) => match name.parse() {
            Ok(zone) => Location::Zone(zone),
            Err(_) => {
                let message = format!("{place}: unknown time zone {name}");
                match suggest(name, TZ_VARIANTS.iter().map(|zone| zone.name())) {
                    Some(near) => findings.error_with_help(node.position, message, format!("did you mean {near:?}?")),
                    None => findings.error(node.position, message),
                }
                utc
            }
        },
        Err(message) => {
            findings.error(node.position, format!("{place}: {message}"));
            utc
        }
    }
}

/// Every item of a component; `one` reports what is wrong with its own.
fn read_spans(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
    one: impl Fn(&Node, &str, &mut Findings) -> Option<Span>,
) -> Option<Vec<Span>> {
    let node = section.some(key)?;
    let items = section.read(key, findings, Node::items)?;
    let place = format!("{}: {key}", section.name());
    let mut spans = Vec::new();
    for item in items {
        if item.is_null() {
            // The peer takes it for 0 to 0: Sunday among the weekdays, else nothing.
            let meaning = if key == "weekdays" { "means Sunday" } else { "never matches" };
            findings.warning_with_help(item.position, format!("{place}: an empty item {meaning}"), "remove the item");
            spans.push(Span { begin: 0, end: 0 });
            continue;
        }
        spans.extend(one(item, &place, findings));
    }
    if items.is_empty() {
        findings.warning_with_help(
            node.position,
            format!("{place} is an empty list, which never matches"),
            "leave the key out to match always",
        );
    }
    Some(spans)
}

/// One item by `read`, whose message becomes a finding.
fn told(
    node: &Node,
    place: &str,
    findings: &mut Findings,
    read: impl Fn(&Node) -> Result<Span, String>,
) -> Option<Span> {
    match read(node) {
        Ok(span) => Some(span),
        Err(message) => {
            findings.error(node.position, format!("{place}: {message}"));
            None
        }
    }
}

fn read_times(node: &Node, place: &str, findings: &mut Findings) -> Option<Span> {
    let mut section = Section::open(node, place, findings)?;
    let given = section.some("start_time").is_some() && section.some("end_time").is_some();
    let begin = section.read("start_time", findings, |node| minute(node.text()?));
    let end = section.read("end_time", findings, |node| minute(node.text()?));
    section.finish(findings);
    if !given {
        findings.error(node.position, format!("{place}: both start and end times must be provided"));
    }
    let (begin, end) = (begin?, end?);
    if begin >= end {
        findings.error_with_help(
            node.position,
            format!("{place}: start time cannot be equal or greater than end time"),
            "write a range over midnight as two, one up to 24:00 and one from 00:00",
        );
        return None;
    }
    Some(Span { begin, end })
}

/// `HH:MM` as minutes of the day, up to 24:00.
fn minute(text: &str) -> Result<i32, String> {
    let number = |digits: &str| match digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse::<i32>().ok(),
        false => None,
    };
    let parts = text.split_once(':').and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)));
    match parts {
        Some((24, 0)) => Ok(24 * 60),
        Some((hours @ 0..24, minutes @ 0..60)) => Ok(hours * 60 + minutes),
        _ => Err(format!("couldn't parse timestamp {text:?}: expected HH:MM from 00:00 to 24:00")),
    }
}

fn read_months(node: &Node, place: &str, findings: &mut Findings) -> Option<Span> {
    let span = told(node, place, findings, |node| named(node, &MONTHS, 1, true))?;
    if span.begin < 1 || span.end > 12 {
        findings.warning_with_help(
            node.position,
            format!("{place}: there are only months 1 to 12"),
            "correct the number",
        );
    }
    Some(span)
}

/// `begin:end`, or one value for both; no blanks, as in the peer.
fn range(text: &str, value: impl Fn(&str) -> Result<i32, String>) -> Result<Span, String> {
    let (begin, end) = text.split_once(':').unwrap_or((text, text));
    Ok(Span { begin: value(begin)?, end: value(end)? })
}

fn named(node: &Node, names: &[&str], first: i32, numbers: bool) -> Result<Span, String> {
    let text = node.text()?.to_lowercase();
    let span = range(&text, |word| {
        if let Some(at) = names.iter().position(|name| *name == word) {
            return Ok(i32::try_from(at).unwrap_or_default() + first);
        }
        match word.parse::<i32>() {
            Ok(number) if numbers => Ok(number),
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
    use crate::yaml::{Severity, parse};

    fn interval(yaml: &str) -> Result<TimeInterval, String> {
        let mut findings = Findings::new("f");
        let document = parse(yaml, &mut findings).unwrap();
        let (interval, _) = read(&document.root.unwrap(), &mut findings).unwrap();
        match findings.has_errors() {
            true => {
                Err(findings.into_sorted().iter().find(|found| found.severity == Severity::Error).unwrap().to_string())
            }
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
            "{times: [{start_time: '+9:00', end_time: '10:00'}]}",
            "{times: [{start_time: '09:00', end_time: '24:01'}]}",
            "{times: [{start_time: '09:00', end_time: '09:60'}]}",
            "{times: [{start: '09:00', end_time: '10:00'}]}",
            "{weekdays: ['monday: friday']}",
            "{weekdays: ['monday:tuesday:friday']}",
            "{weekdays: ['1']}",
            "{days_of_month: ['0']}",
            "{days_of_month: ['28:-1']}",
            "{days_of_month: ['-3:5']}",
            "{days_of_month: ['32']}",
            "{months: ['13:2']}",
            "{months: [smarch]}",
            "{months: ['march:january']}",
            "{years: ['2027:2026']}",
            "{location: Mars/Olympus}",
            "{nonsense: 1}",
        ] {
            assert!(interval(&format!("{{name: x, time_intervals: [{window}]}}")).is_err(), "{window}");
        }
        assert!(interval("{name: x, time_intervals: [{days_of_month: ['27:-1']}]}").is_ok());
    }

    #[test]
    fn findings_stand_at_the_value_and_say_what_to_do() {
        let cases = [
            (
                "{times: [{start_time: '22:00', end_time: '06:00'}]}",
                "f:1:37: time interval \"x\": times: start time cannot be equal or greater than end time\n  help: write a range over midnight as two, one up to 24:00 and one from 00:00",
            ),
            (
                "{times: [{start_time: '25:00', end_time: '26:00'}]}",
                "f:1:50: time interval \"x\": times: start_time: couldn't parse timestamp \"25:00\": expected HH:MM from 00:00 to 24:00",
            ),
            (
                "{location: Europe/Berln}",
                "f:1:39: time interval \"x\": location: unknown time zone Europe/Berln\n  help: did you mean \"Europe/Berlin\"?",
            ),
            ("{weekdays: [mon]}", "f:1:40: time interval \"x\": weekdays: mon is not a valid weekday"),
        ];
        for (window, want) in cases {
            let found = interval(&format!("{{name: x, time_intervals: [{window}]}}")).unwrap_err();
            assert_eq!(found, want, "{window}");
        }
    }

    #[test]
    fn what_the_peer_loads_is_loaded_with_a_warning() {
        let cases = [
            ("{months: ['13']}", false),
            ("{weekdays: [~]}", false),
            ("{days_of_month: [~]}", false),
            ("{times: [~]}", false),
            ("{times: []}", false),
            ("{}", true),
            ("~", true),
            ("{location: Local}", true),
        ];
        // A Friday.
        let at = "2026-01-02T00:00:00Z";
        for (window, want) in cases {
            let yaml = format!("{{name: x, time_intervals: [{window}]}}");
            let mut findings = Findings::new("f");
            let document = parse(&yaml, &mut findings).unwrap();
            let (interval, _) = read(&document.root.unwrap(), &mut findings).unwrap();
            assert!(!findings.has_errors() && !findings.into_sorted().is_empty(), "{window}");
            assert_eq!(interval.contains(Timestamp::parse_rfc3339_lenient(at).unwrap()), want, "{window}");
        }
        assert!(contains("{weekdays: [~]}", "2026-01-04T00:00:00Z"), "an empty item is Sunday");
    }

    #[test]
    fn unquoted_ranges_and_any_case_are_fine() {
        let yaml = "name: x\ntime_intervals:\n- weekdays: [Monday:FRIDAY]\n  months: [1:3, december]\n  days_of_month: [-3:-1, 1:5]\n  times:\n  - start_time: 09:00\n    end_time: 17:00\n";
        let interval = interval(yaml).unwrap();
        let within = |at: &str| interval.contains(Timestamp::parse_rfc3339_lenient(at).unwrap());
        assert!(within("2026-01-02T16:59:59Z"));
        assert!(within("2026-12-31T09:00:00Z"));
        assert!(!within("2026-04-01T10:00:00Z"));
        assert!(!within("2026-01-03T10:00:00Z"), "a Saturday");
    }

    #[test]
    fn a_zone_keeps_its_wall_clock_over_a_change_of_the_clocks() {
        let window = "{times: [{start_time: '09:00', end_time: '10:00'}], location: America/New_York}";
        assert!(contains(window, "2026-03-07T14:30:00Z"));
        assert!(contains(window, "2026-03-09T13:30:00Z"));
        assert!(!contains(window, "2026-03-09T14:30:00Z"));
        let last_day = "{days_of_month: ['-1'], location: America/New_York}";
        assert!(contains(last_day, "2026-11-01T03:59:00Z"), "still 31 October there");
        assert!(!contains(last_day, "2026-11-01T04:00:00Z"));
    }
}
