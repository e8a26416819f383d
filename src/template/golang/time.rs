//! `time.Time`: an instant with a zone, as templates see it.

use std::fmt;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use crate::model::Timestamp;

use super::layout;

/// An instant of any year, to the nanosecond.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Time {
    utc: NaiveDateTime,
    zone: Zone,
}

/// How an instant is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Zone {
    Named(Tz),
    /// From a parsed text: seconds east of UTC and the abbreviation, empty if the text had none.
    Fixed {
        seconds: i32,
        name: String,
    },
}

pub(crate) const UTC: Zone = Zone::Named(Tz::UTC);

/// The zone of the machine: `TZ`, else what `/etc/localtime` points to, else UTC.
static LOCAL: LazyLock<Tz> = LazyLock::new(|| {
    let named = std::env::var("TZ").ok().and_then(|name| name.trim_start_matches(':').parse().ok());
    let linked = || {
        let target = std::fs::read_link("/etc/localtime").ok()?;
        target.to_str()?.split_once("zoneinfo/")?.1.parse().ok()
    };
    named.or_else(linked).unwrap_or(Tz::UTC)
});

impl Time {
    /// Go's zero time: the first of January of the year 1.
    pub(crate) fn zero() -> Self {
        Time::from_utc(NaiveDate::from_ymd_opt(1, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default())
    }

    pub(crate) fn from_timestamp(at: Timestamp) -> Self {
        Time::from_utc(at.to_datetime().naive_utc())
    }

    pub(crate) fn from_nanos(nanos: i64) -> Self {
        Time::from_utc(DateTime::from_timestamp_nanos(nanos).naive_utc())
    }

    pub(crate) fn from_utc(utc: NaiveDateTime) -> Self {
        Time { utc, zone: UTC }
    }

    /// From a clock's reading in a zone; of two possible instants the first, and past a gap what it would have been.
    pub(crate) fn from_local(local: NaiveDateTime, zone: Zone) -> Self {
        let utc = match &zone {
            Zone::Fixed { seconds, .. } => shift(local, -i64::from(*seconds)),
            Zone::Named(tz) => match tz.from_local_datetime(&local).earliest() {
                Some(found) => found.naive_utc(),
                None => {
                    let before = tz.offset_from_utc_datetime(&shift(local, -86_400)).fix().local_minus_utc();
                    shift(local, -i64::from(before))
                }
            },
        };
        Time { utc, zone }
    }

    pub(crate) fn in_zone(&self, zone: Zone) -> Self {
        Time { utc: self.utc, zone }
    }

    /// `time.LoadLocation`.
    pub(crate) fn load_zone(name: &str) -> Result<Zone, String> {
        match name {
            "" | "UTC" => Ok(UTC),
            "Local" => Ok(Time::local_zone()),
            name => name.parse().map(Zone::Named).map_err(|_| format!("unknown time zone {name}")),
        }
    }

    pub(crate) fn local_zone() -> Zone {
        Zone::Named(*LOCAL)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.utc == Time::zero().utc
    }

    /// Whether both are the same instant.
    pub(crate) fn is_same(&self, other: &Time) -> bool {
        self.utc == other.utc
    }

    pub(crate) fn is_before(&self, other: &Time) -> bool {
        self.utc < other.utc
    }

    /// Seconds since the epoch.
    pub(crate) fn unix(&self) -> i64 {
        self.utc.and_utc().timestamp()
    }

    /// Nanoseconds of its second.
    pub(crate) fn nanosecond(&self) -> u32 {
        self.utc.nanosecond()
    }

    pub(crate) fn local(&self) -> NaiveDateTime {
        shift(self.utc, i64::from(self.offset()))
    }

    /// Seconds east of UTC.
    pub(crate) fn offset(&self) -> i32 {
        match &self.zone {
            Zone::Fixed { seconds, .. } => *seconds,
            Zone::Named(tz) => tz.offset_from_utc_datetime(&self.utc).fix().local_minus_utc(),
        }
    }

    /// `UTC`, `CET`, or an offset such as `+03` where there is no abbreviation.
    pub(crate) fn zone_name(&self) -> String {
        match &self.zone {
            Zone::Fixed { name, seconds } if name.is_empty() => layout::offset(*seconds, "-0700"),
            Zone::Fixed { name, .. } => name.clone(),
            Zone::Named(tz) => tz.offset_from_utc_datetime(&self.utc).abbreviation().unwrap_or_default().to_owned(),
        }
    }

    pub(crate) fn location_name(&self) -> String {
        match &self.zone {
            Zone::Fixed { name, .. } => name.clone(),
            Zone::Named(tz) => tz.name().to_owned(),
        }
    }

    pub(crate) fn add_nanos(&self, nanos: i64) -> Self {
        let utc = self.utc.checked_add_signed(Duration::nanoseconds(nanos)).unwrap_or(self.utc);
        Time { utc, zone: self.zone.clone() }
    }

    /// `Sub`: saturates at what 64 bits of nanoseconds hold.
    pub(crate) fn sub(&self, other: &Time) -> i64 {
        let difference = self.utc.signed_duration_since(other.utc);
        let bound = if difference < Duration::zero() { i64::MIN } else { i64::MAX };
        difference.num_nanoseconds().unwrap_or(bound)
    }

    /// `AddDate`: days beyond a month's end run over into the next, as Go has it.
    pub(crate) fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let local = self.local();
        let moved = || {
            let total = years.checked_mul(12)?.checked_add(months)?;
            let count = Months::new(u32::try_from(total.unsigned_abs()).ok()?);
            let first = local.date().with_day(1)?;
            let month = if total < 0 { first.checked_sub_months(count)? } else { first.checked_add_months(count)? };
            let days = days.checked_add(i64::from(local.day()) - 1)?;
            let count = Days::new(days.unsigned_abs());
            let day = if days < 0 { month.checked_sub_days(count)? } else { month.checked_add_days(count)? };
            Some(day.and_time(local.time()))
        };
        moved().map_or_else(|| self.clone(), |local| Time::from_local(local, self.zone.clone()))
    }

    /// `Truncate`: to a multiple of `unit` since the zero time.
    pub(crate) fn truncate(&self, unit: i64) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let since = self.utc.signed_duration_since(Time::zero().utc);
        let nanos = i128::from(since.num_seconds()) * 1_000_000_000 + i128::from(since.subsec_nanos());
        let rest = i64::try_from(nanos.rem_euclid(i128::from(unit))).unwrap_or(0);
        self.add_nanos(-rest)
    }

    /// `Round`: half goes up.
    pub(crate) fn round(&self, unit: i64) -> Self {
        let low = self.truncate(unit);
        let rest = self.sub(&low);
        if unit > 0 && rest >= unit - rest { low.add_nanos(unit) } else { low }
    }

    pub(crate) fn weekday(&self) -> i64 {
        i64::from(self.local().weekday().num_days_from_sunday())
    }

    /// RFC 3339 with as many decimals as needed: how it is written in JSON.
    pub(crate) fn rfc3339(&self) -> String {
        layout::format(self, "2006-01-02T15:04:05.999999999Z07:00")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

fn shift(at: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    at.checked_add_signed(Duration::seconds(seconds)).unwrap_or(at)
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(crate) fn month_name(month: i64) -> &'static str {
    name(&MONTHS, month - 1)
}

pub(crate) fn weekday_name(day: i64) -> &'static str {
    name(&WEEKDAYS, day)
}

fn name(names: &'static [&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_timestamp(Timestamp::from_millis(millis))
    }

    #[test]
    fn times_print_as_go_prints_them() {
        assert_eq!(at(1_767_323_045_678).to_string(), "2026-01-02 03:04:05.678 +0000 UTC");
        assert_eq!(Time::zero().to_string(), "0001-01-01 00:00:00 +0000 UTC");
        assert_eq!(Time::zero().rfc3339(), "0001-01-01T00:00:00Z");
        let berlin = Time::load_zone("Europe/Berlin").unwrap();
        assert_eq!(at(1_767_323_045_000).in_zone(berlin).to_string(), "2026-01-02 04:04:05 +0100 CET");
        assert!(Time::load_zone("Mars/Olympus").unwrap_err().contains("unknown time zone Mars/Olympus"));
    }

    #[test]
    fn calendar_arithmetic_is_gos() {
        let last_of_january = at(1_769_817_600_000);
        assert_eq!(last_of_january.to_string(), "2026-01-31 00:00:00 +0000 UTC");
        assert_eq!(last_of_january.add_date(0, 1, 0).to_string(), "2026-03-03 00:00:00 +0000 UTC");
        assert_eq!(last_of_january.add_date(1, -2, 1).to_string(), "2026-12-02 00:00:00 +0000 UTC");
        assert_eq!(at(1_767_323_045_678).truncate(3_600_000_000_000).to_string(), "2026-01-02 03:00:00 +0000 UTC");
        assert_eq!(at(1_767_323_045_678).round(1_000_000_000).to_string(), "2026-01-02 03:04:06 +0000 UTC");
        assert_eq!(at(0).sub(&Time::zero()), i64::MAX);
    }
}
