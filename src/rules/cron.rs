//! Calendar schedules: five fields as cron has them, in a time zone.
//!
//! The `cron` crate is the calendar; what it does otherwise than cron is put right around it: there are five fields and no
//! seconds, 0 and 7 are Sunday, a range may cross the week's end, two restricted day fields are either-or, and the clock
//! changes of a zone neither lose a slot nor repeat or reorder any.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::{Timestamp, go_quote};

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// More than the minutes of the longest hour that a clock change ever repeated.
const MAX_REPEATED: usize = 1_500;
/// More than the minutes of the longest jump of any zone (a whole day was once skipped).
const MAX_GAP_MINUTES: usize = 3 * 24 * 60;

/// A calendar schedule in a time zone.
#[derive(Clone)]
pub struct Cron {
    text: String,
    zone: Tz,
    /// Two if both day fields are restricted: whichever comes first counts.
    calendars: Vec<cron::Schedule>,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error("{found} fields in cron expression {text}, expected 5: minute, hour, day of month, month, day of week")]
    Fields { text: String, found: usize },
    #[error("{field} is no valid {what} in cron expression {text}")]
    Field { text: String, field: String, what: &'static str },
    #[error("cron expression {text} never comes")]
    Never { text: String },
}

const FIELDS: [&str; 5] = ["minute", "hour", "day of month", "month", "day of week"];

impl Cron {
    /// # Errors
    /// A text that is no cron expression, or whose day never comes (30 February).
    pub fn parse(text: &str, zone: Tz) -> Result<Cron, CronError> {
        let quoted = go_quote(text);
        let fields: Vec<&str> = match text.trim() {
            "@hourly" => vec!["0", "*", "*", "*", "*"],
            "@daily" | "@midnight" => vec!["0", "0", "*", "*", "*"],
            "@weekly" => vec!["0", "0", "*", "*", "0"],
            "@monthly" => vec!["0", "0", "1", "*", "*"],
            "@yearly" | "@annually" => vec!["0", "0", "1", "1", "*"],
            other => other.split_whitespace().collect(),
        };
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(CronError::Fields { text: quoted, found: fields.len() });
        };
        let wrong = |index: usize| CronError::Field {
            text: quoted.clone(),
            field: go_quote(fields[index]),
            what: FIELDS[index],
        };
        let weekdays = weekdays(weekday).ok_or_else(|| wrong(4))?;
        for (index, field) in [minute, hour, day, month].into_iter().enumerate() {
            // The crate would step by nothing for ever, and takes `?` for days only.
            let stepless = field
                .split(',')
                .any(|item| item.rsplit_once('/').is_some_and(|(_, step)| step.trim_matches('0').is_empty()));
            let mut alone = ["*"; 4];
            alone[index] = field;
            let [minute, hour, day, month] = alone;
            if stepless || cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} *")).is_err() {
                return Err(wrong(index));
            }
        }
        let is_free = |field: &str| field.starts_with(['*', '?']);
        let days = match (is_free(day), is_free(weekday)) {
            (false, false) => vec![(day, "*"), ("*", weekdays.as_str())],
            _ => vec![(day, weekdays.as_str())],
        };
        let calendars = days
            .into_iter()
            .map(|(day, weekday)| cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekday}")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| wrong(2))?;
        let cron = Cron { text: fields.join(" "), zone, calendars };
        match cron.next_after(Timestamp::EPOCH) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never { text: quoted }),
        }
    }

    /// The first slot after `instant`. A local time that the clocks skip is taken at the first minute that exists; one
    /// that they repeat, at its first pass.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let local = instant.to_datetime().with_timezone(&self.zone).naive_local();
        self.calendars.iter().filter_map(|calendar| self.next_of(calendar, local, instant)).min()
    }

    /// The calendar is asked in local time dressed up as UTC, where no clock ever changes.
    fn next_of(&self, calendar: &cron::Schedule, local: NaiveDateTime, after: Timestamp) -> Option<Timestamp> {
        calendar
            .after(&local.and_utc())
            .take(MAX_REPEATED)
            .filter_map(|candidate: DateTime<Utc>| self.instant_of(candidate.naive_utc()))
            .find(|instant| *instant > after)
    }

    fn instant_of(&self, local: NaiveDateTime) -> Option<Timestamp> {
        let mut local = local;
        for _ in 0..MAX_GAP_MINUTES {
            match self.zone.from_local_datetime(&local) {
                LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                    return Some(Timestamp::from_millis(instant.timestamp_millis()));
                }
                LocalResult::None => local = local.checked_add_signed(TimeDelta::minutes(1))?,
            }
        }
        None
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.zone)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// By what was written: two spellings of one rhythm are two schedules.
impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.zone == other.zone
    }
}

/// The days of a day-of-week field as a list of names, which the crate cannot misread; `*` if it is free.
fn weekdays(field: &str) -> Option<String> {
    if field == "*" || field == "?" {
        return Some("*".to_owned());
    }
    let mut chosen = [false; 7];
    for item in field.split(',') {
        let (days, step) = match item.split_once('/') {
            Some((days, step)) => (days, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let (first, last) = match (days, days.split_once('-')) {
            ("*", _) => (0, 6),
            (_, Some((first, last))) => {
                let (first, last) = (weekday(first)?, weekday(last)?);
                // Past the end of the week: `fri-mon` is days 5 to 8, and so is `5-1`; `1-7` ends on a Sunday.
                (first % 7, if last < first % 7 || (last == 0 && first % 7 > 0) { last + 7 } else { last })
            }
            // From a day on, if there is a step.
            (day, None) => {
                let day = weekday(day)? % 7;
                (day, if step.is_some() { 6 } else { day })
            }
        };
        for day in (first..=last).step_by(step.unwrap_or(1)) {
            chosen[day % 7] = true;
        }
    }
    let names: Vec<&str> = WEEKDAYS.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(name, _)| *name).collect();
    Some(names.join(","))
}

/// 0 to 7, where 0 and 7 are Sunday, or a name of which three letters are enough.
fn weekday(text: &str) -> Option<usize> {
    if let Ok(number) = text.parse::<usize>() {
        return Some(number).filter(|number| *number <= 7 && text.len() == 1);
    }
    const FULL: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let name = text.to_ascii_lowercase();
    (0..7).find(|day| name == WEEKDAYS[*day] || name == FULL[*day])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339_lenient(text).unwrap()
    }

    /// The next `count` slots, in the zone's own clock.
    fn slots(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let zone: Tz = zone.parse().unwrap();
        let cron = Cron::parse(expression, zone).unwrap();
        let mut at = instant(from);
        let mut found = Vec::new();
        for _ in 0..count {
            let next = cron.next_after(at).unwrap();
            assert!(next > at, "{expression}: {next} is not after {at}");
            at = next;
            found.push(at.to_datetime().with_timezone(&zone).format("%a %m-%d %H:%M%:z").to_string());
        }
        found
    }

    #[test]
    fn weekday_numbers_are_crons_own() {
        let cases = [
            ("0 9 * * 1", "Mon 11-30"),
            ("0 9 * * 0", "Sun 11-29"),
            ("0 9 * * 7", "Sun 11-29"),
            ("0 9 * * MON", "Mon 11-30"),
            ("0 9 * * sat-mon", "Sat 11-28"),
            ("0 9 * * 5-7", "Fri 11-27"),
            ("0 9 * * friday", "Fri 11-27"),
        ];
        for (expression, want) in cases {
            assert_eq!(
                slots(expression, "UTC", "2026-11-24T12:00:00Z", 1),
                [format!("{want} 09:00+00:00")],
                "{expression}"
            );
        }
        for (field, want) in [
            ("mon-sun", "sun,mon,tue,wed,thu,fri,sat"),
            ("0-7", "sun,mon,tue,wed,thu,fri,sat"),
            ("6-1", "sun,mon,sat"),
            ("7-1", "sun,mon"),
            ("*/2", "sun,tue,thu,sat"),
            ("1-5/2", "mon,wed,fri"),
            ("4/2", "thu,sat"),
            ("1,3,sun", "sun,mon,wed"),
            ("5-5", "fri"),
        ] {
            assert_eq!(weekdays(field).as_deref(), Some(want), "{field}");
        }
    }

    #[test]
    fn two_restricted_day_fields_are_either_or() {
        let found = slots("0 0 13 * 5", "UTC", "2026-11-24T12:00:00Z", 4);
        assert_eq!(
            found,
            ["Fri 11-27 00:00+00:00", "Fri 12-04 00:00+00:00", "Fri 12-11 00:00+00:00", "Sun 12-13 00:00+00:00"]
        );
        assert_eq!(slots("0 0 13 * *", "UTC", "2026-11-24T12:00:00Z", 1), ["Sun 12-13 00:00+00:00"]);
        assert_eq!(slots("0 0 */2 * 1", "UTC", "2026-11-24T12:00:00Z", 1), ["Mon 12-07 00:00+00:00"]);
    }

    #[test]
    fn new_york_neither_loses_nor_repeats_a_slot() {
        let zone = "America/New_York";
        assert_eq!(
            slots("30 2 * * *", zone, "2026-03-07T12:00:00Z", 2),
            ["Sun 03-08 03:00-04:00", "Mon 03-09 02:30-04:00"],
            "a time that is skipped is taken at the first minute that exists"
        );
        assert_eq!(
            slots("15,30 2 * * *", zone, "2026-03-08T06:00:00Z", 2),
            ["Sun 03-08 03:00-04:00", "Mon 03-09 02:15-04:00"],
            "two skipped times are one slot"
        );
        assert_eq!(
            slots("*/30 * * * *", zone, "2026-11-01T04:30:00Z", 5),
            [
                "Sun 11-01 01:00-04:00",
                "Sun 11-01 01:30-04:00",
                "Sun 11-01 02:00-05:00",
                "Sun 11-01 02:30-05:00",
                "Sun 11-01 03:00-05:00"
            ],
            "a repeated hour has its slots once, in order"
        );
        assert_eq!(
            slots("0 1 * * *", zone, "2026-11-01T06:10:00Z", 1),
            ["Mon 11-02 01:00-05:00"],
            "from within the second pass"
        );
    }

    #[test]
    fn lord_howe_changes_by_half_an_hour() {
        let zone = "Australia/Lord_Howe";
        assert_eq!(
            slots("*/15 * * * *", zone, "2026-10-03T15:00:00Z", 4),
            ["Sun 10-04 01:45+10:30", "Sun 10-04 02:30+11:00", "Sun 10-04 02:45+11:00", "Sun 10-04 03:00+11:00"]
        );
        assert_eq!(
            slots("*/15 1-2 * * *", zone, "2026-04-04T14:20:00Z", 4),
            ["Sun 04-05 01:30+11:00", "Sun 04-05 01:45+11:00", "Sun 04-05 02:00+10:30", "Sun 04-05 02:15+10:30"]
        );
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let cases = [
            (
                "* * * *",
                r#"4 fields in cron expression "* * * *", expected 5: minute, hour, day of month, month, day of week"#,
            ),
            (
                "0 0 9 * * 1",
                r#"6 fields in cron expression "0 0 9 * * 1", expected 5: minute, hour, day of month, month, day of week"#,
            ),
            ("61 * * * *", r#""61" is no valid minute in cron expression "61 * * * *""#),
            ("*/0 * * * *", r#""*/0" is no valid minute in cron expression "*/0 * * * *""#),
            ("0 24 * * *", r#""24" is no valid hour in cron expression "0 24 * * *""#),
            ("0 0 L * *", r#""L" is no valid day of month in cron expression "0 0 L * *""#),
            ("0 0 * foo *", r#""foo" is no valid month in cron expression "0 0 * foo *""#),
            ("0 0 * * 8", r#""8" is no valid day of week in cron expression "0 0 * * 8""#),
            ("0 0 30 2 *", r#"cron expression "0 0 30 2 *" never comes"#),
            (
                "@every 5m",
                r#"2 fields in cron expression "@every 5m", expected 5: minute, hour, day of month, month, day of week"#,
            ),
        ];
        for (text, want) in cases {
            assert_eq!(
                Cron::parse(text, chrono_tz::UTC).map(|cron| cron.to_string()).map_err(|error| error.to_string()),
                Err(want.to_owned()),
                "{text}"
            );
        }
        assert!(Cron::parse("@daily", chrono_tz::UTC).is_ok());
    }
}
