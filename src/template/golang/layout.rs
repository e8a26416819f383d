//! Go's time layouts, which spell the reference time `Mon Jan 2 15:04:05 MST 2006`: formatting and parsing.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use super::time::{MONTHS, Time, UTC, WEEKDAYS, Zone};

/// One piece of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// An offset in this form.
    Offset(&'static str),
    /// `.000` or `,000`: this many digits.
    Fraction(usize),
    /// `.999` or `,999`: up to this many, without zeros at the end.
    ShortFraction(usize),
}

use Piece::*;

/// Longest first where one starts another.
const PIECES: [(&str, Piece); 33] = [
    ("January", LongMonth),
    ("Jan", Month),
    ("Monday", LongWeekday),
    ("Mon", Weekday),
    ("MST", ZoneName),
    ("002", ZeroYearDay),
    ("01", ZeroMonth),
    ("02", ZeroDay),
    ("03", ZeroHour12),
    ("04", ZeroMinute),
    ("05", ZeroSecond),
    ("06", Year),
    ("15", Hour),
    ("1", NumMonth),
    ("2006", LongYear),
    ("2", Day),
    ("__2", SpaceYearDay),
    ("_2", SpaceDay),
    ("3", Hour12),
    ("4", Minute),
    ("5", Second),
    ("PM", UpperPm),
    ("pm", LowerPm),
    ("-07:00:00", Offset("-07:00:00")),
    ("-07:00", Offset("-07:00")),
    ("-070000", Offset("-070000")),
    ("-0700", Offset("-0700")),
    ("-07", Offset("-07")),
    ("Z07:00:00", Offset("Z07:00:00")),
    ("Z07:00", Offset("Z07:00")),
    ("Z070000", Offset("Z070000")),
    ("Z0700", Offset("Z0700")),
    ("Z07", Offset("Z07")),
];

/// The text before the first piece of a layout, the piece, and what follows.
fn next_piece(layout: &str) -> (&str, Option<Piece>, &str) {
    for (at, c) in layout.char_indices() {
        let rest = &layout[at..];
        // An underscore and a year, not a day.
        if let Some(after) = rest.strip_prefix("_2006") {
            return (&layout[..=at], Some(LongYear), after);
        }
        if matches!(c, '.' | ',')
            && let Some(digit @ (b'0' | b'9')) = rest.as_bytes().get(1).copied()
        {
            let length = rest[1..].bytes().take_while(|byte| *byte == digit).count();
            let after = &rest[1 + length..];
            // Not a fraction if another digit follows.
            if !after.starts_with(|c: char| c.is_ascii_digit()) {
                let piece = if digit == b'0' { Fraction(length) } else { ShortFraction(length) };
                return (&layout[..at], Some(piece), after);
            }
        }
        let found = PIECES.iter().find(|(text, piece)| {
            rest.starts_with(text)
                // `Month` and `Janet` are words.
                && !(matches!(piece, Month | Weekday) && rest[text.len()..].starts_with(|c: char| c.is_ascii_lowercase()))
        });
        if let Some((text, piece)) = found {
            return (&layout[..at], Some(*piece), &rest[text.len()..]);
        }
    }
    (layout, None, "")
}

/// An offset from UTC in one of the forms `-0700`, `Z07:00`, …
pub(crate) fn offset(seconds: i32, form: &str) -> String {
    if form.starts_with('Z') && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let magnitude = seconds.unsigned_abs();
    let (hours, minutes, seconds) = (magnitude / 3600, magnitude / 60 % 60, magnitude % 60);
    match &form[1..] {
        "07" => format!("{sign}{hours:02}"),
        "07:00" => format!("{sign}{hours:02}:{minutes:02}"),
        "070000" => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
        "07:00:00" => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

/// `Time.Format`.
pub(crate) fn format(time: &Time, layout: &str) -> String {
    let local = time.local();
    let hour12 = if local.hour().is_multiple_of(12) { 12 } else { local.hour() % 12 };
    let month = MONTHS[local.month0() as usize % 12];
    let weekday = WEEKDAYS[local.weekday().num_days_from_sunday() as usize % 7];
    let mut out = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let (before, piece, after) = next_piece(rest);
        out.push_str(before);
        let Some(piece) = piece else { return out };
        rest = after;
        match piece {
            LongMonth => out.push_str(month),
            Month => out.push_str(&month[..3]),
            NumMonth => out.push_str(&local.month().to_string()),
            ZeroMonth => out.push_str(&format!("{:02}", local.month())),
            LongWeekday => out.push_str(weekday),
            Weekday => out.push_str(&weekday[..3]),
            Day => out.push_str(&local.day().to_string()),
            SpaceDay => out.push_str(&format!("{:2}", local.day())),
            ZeroDay => out.push_str(&format!("{:02}", local.day())),
            SpaceYearDay => out.push_str(&format!("{:3}", local.ordinal())),
            ZeroYearDay => out.push_str(&format!("{:03}", local.ordinal())),
            Hour => out.push_str(&format!("{:02}", local.hour())),
            Hour12 => out.push_str(&hour12.to_string()),
            ZeroHour12 => out.push_str(&format!("{hour12:02}")),
            Minute => out.push_str(&local.minute().to_string()),
            ZeroMinute => out.push_str(&format!("{:02}", local.minute())),
            Second => out.push_str(&local.second().to_string()),
            ZeroSecond => out.push_str(&format!("{:02}", local.second())),
            LongYear => out.push_str(&format!("{:04}", local.year())),
            Year => out.push_str(&format!("{:02}", local.year().rem_euclid(100))),
            UpperPm => out.push_str(if local.hour() >= 12 { "PM" } else { "AM" }),
            LowerPm => out.push_str(if local.hour() >= 12 { "pm" } else { "am" }),
            ZoneName => out.push_str(&time.zone_name()),
            Offset(form) => out.push_str(&offset(time.offset(), form)),
            Fraction(digits) | ShortFraction(digits) => {
                // The separator that the layout uses: it stands right before the digits that were cut off.
                let at = layout.len() - rest.len() - digits - 1;
                let digits = format!("{:09}", time.nanosecond()).chars().take(digits).collect::<String>();
                let digits = if matches!(piece, ShortFraction(_)) { digits.trim_end_matches('0') } else { &digits };
                if !digits.is_empty() {
                    out.push_str(&layout[at..=at]);
                    out.push_str(digits);
                }
            }
        }
    }
}

/// What a text said so far.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    afternoon: Option<bool>,
    offset: Option<i32>,
    zone: Option<String>,
}

/// `time.Parse`: without a zone it is UTC.
///
/// # Errors
/// A text that does not fit the layout.
pub(crate) fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let quote = crate::model::go_quote;
    let misfit = |value: &str, element: &str| {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(text),
            quote(layout),
            quote(value),
            quote(element)
        )
    };
    let mut parts = Parts::default();
    let mut rest = text;
    let mut left = layout;
    loop {
        let (before, piece, after) = next_piece(left);
        rest = skip(rest, before).ok_or_else(|| misfit(rest, before))?;
        let Some(piece) = piece else { break };
        let element = &left[before.len()..left.len() - after.len()];
        left = after;
        rest = parts.take(piece, rest, left).ok_or_else(|| misfit(rest, element))?;
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quote(text), quote(rest)));
    }
    parts.build().ok_or_else(|| format!("parsing time {}: day out of range", quote(text)))
}

/// The literal text of a layout; a blank in it matches any number of blanks.
fn skip<'a>(mut text: &'a str, literal: &str) -> Option<&'a str> {
    for c in literal.chars() {
        text = if c == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            text.trim_start_matches(' ')
        } else {
            text.strip_prefix(c)?
        };
    }
    Some(text)
}

/// A number of `least` to `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

fn named<'a>(text: &'a str, names: &[&str], length: Option<usize>) -> Option<(u32, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let name = &name[..length.unwrap_or(name.len())];
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (index, &text[name.len()..]))
    })
}

impl Parts {
    fn take<'a>(&mut self, piece: Piece, text: &'a str, following: &str) -> Option<&'a str> {
        let blank_led = text.strip_prefix(' ').unwrap_or(text);
        let (number, rest) = match piece {
            LongMonth => named(text, &MONTHS, None)?,
            Month => named(text, &MONTHS, Some(3))?,
            LongWeekday => named(text, &WEEKDAYS, None)?,
            Weekday => named(text, &WEEKDAYS, Some(3))?,
            NumMonth | Day | Hour12 | Minute | Second => digits(text, 1, 2)?,
            SpaceDay => digits(blank_led, 1, 2)?,
            Hour => digits(text, 1, 2)?,
            ZeroMonth | ZeroDay | ZeroHour12 | ZeroMinute | ZeroSecond | Year => digits(text, 2, 2)?,
            LongYear => digits(text, 4, 4)?,
            ZeroYearDay => digits(text, 3, 3)?,
            SpaceYearDay => digits(text.trim_start_matches(' '), 1, 3)?,
            UpperPm | LowerPm => {
                let (am, pm) = if piece == UpperPm { ("AM", "PM") } else { ("am", "pm") };
                self.afternoon = Some(text.starts_with(pm));
                return text.strip_prefix(pm).or_else(|| text.strip_prefix(am));
            }
            ZoneName => return self.take_zone(text),
            Offset(form) => return self.take_offset(text, form),
            Fraction(length) => {
                let (_, rest) = digits(text.strip_prefix(['.', ','])?, length, length)?;
                self.nanos = fraction(&text[1..=length]);
                return Some(rest);
            }
            ShortFraction(_) => return Some(self.take_fraction(text)),
        };
        let in_range = |range: std::ops::RangeInclusive<u32>| range.contains(&number).then_some(number);
        match piece {
            LongMonth | Month => self.month = Some(number + 1),
            NumMonth | ZeroMonth => self.month = Some(in_range(1..=12)?),
            Day | SpaceDay | ZeroDay => self.day = Some(number),
            ZeroYearDay | SpaceYearDay => self.year_day = Some(number),
            Hour => self.hour = in_range(0..=23)?,
            Hour12 | ZeroHour12 => self.hour = in_range(0..=12)?,
            Minute | ZeroMinute => self.minute = in_range(0..=59)?,
            LongYear => self.year = i32::try_from(number).ok(),
            Year => self.year = i32::try_from(if number >= 69 { 1900 + number } else { 2000 + number }).ok(),
            Second | ZeroSecond => {
                self.second = in_range(0..=59)?;
                // A fraction is taken even where the layout has none.
                if !matches!(next_piece(following), ("", Some(Fraction(_) | ShortFraction(_)), _)) {
                    return Some(self.take_fraction(rest));
                }
            }
            _ => {}
        }
        Some(rest)
    }

    fn take_fraction<'a>(&mut self, text: &'a str) -> &'a str {
        let Some(after) = text.strip_prefix(['.', ',']) else { return text };
        let length = after.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return text;
        }
        self.nanos = fraction(&after[..length]);
        &after[length..]
    }

    fn take_zone<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.offset = Some(0);
            return Some(rest);
        }
        let length = text.bytes().take_while(u8::is_ascii_uppercase).count();
        if !(3..=5).contains(&length) {
            return None;
        }
        self.zone = Some(text[..length].to_owned());
        Some(&text[length..])
    }

    fn take_offset<'a>(&mut self, text: &'a str, form: &str) -> Option<&'a str> {
        if form.starts_with('Z')
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.offset = Some(0);
            return Some(rest);
        }
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let mut rest = text.strip_prefix(['+', '-'])?;
        let (mut total, mut scale) = (0, 3600);
        let mut wanted = &form[1..];
        while !wanted.is_empty() {
            if let Some(after) = wanted.strip_prefix(':') {
                wanted = after;
                rest = rest.strip_prefix(':')?;
            }
            let (number, after) = digits(rest, 2, 2)?;
            total += i32::try_from(number).ok()? * scale;
            (rest, wanted, scale) = (after, &wanted[2..], scale / 60);
        }
        self.offset = Some(sign * total);
        Some(rest)
    }

    fn build(self) -> Option<Time> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let year = self.year.unwrap_or(0);
        let day = match self.year_day {
            Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal)?,
            None => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let local = day.and_time(NaiveTime::from_hms_nano_opt(hour, self.minute, self.second, self.nanos)?);
        let zone = match (self.offset, self.zone) {
            (Some(0), None) | (None, None) => UTC,
            (offset, name) => Zone::Fixed { seconds: offset.unwrap_or(0), name: name.unwrap_or_default() },
        };
        Some(Time::from_local(local, zone))
    }
}

/// Nanoseconds from the decimals of a second.
fn fraction(digits: &str) -> u32 {
    format!("{digits:0<9}")[..9].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn layouts_are_gos() {
        let time = Time::from_timestamp(Timestamp::from_millis(1_767_323_045_678));
        let cases = [
            ("Mon Jan _2 15:04:05 MST 2006", "Fri Jan  2 03:04:05 UTC 2026"),
            ("Monday, 02-Jan-06 3:04PM", "Friday, 02-Jan-26 3:04AM"),
            ("2006-01-02T15:04:05.000Z07:00", "2026-01-02T03:04:05.678Z"),
            ("2006-01-02T15:04:05.999999-07:00", "2026-01-02T03:04:05.678+00:00"),
            ("15:04:05,00", "03:04:05,67"),
            ("Month 1/2/06 4:5 pm January Janet", "Month 1/2/26 4:5 am January Janet"),
            ("002 __2 _2006 -0700 Z0700", "002   2 _2026 +0000 Z"),
            ("ü 2006", "ü 2026"),
        ];
        for (layout, want) in cases {
            assert_eq!(format(&time, layout), want, "{layout}");
        }
    }

    #[test]
    fn texts_are_read_by_their_layout() {
        let cases = [
            ("2006-01-02", "2026-01-02", "2026-01-02 00:00:00 +0000 UTC"),
            ("2006-01-02T15:04:05Z07:00", "2026-01-02T03:04:05.5+02:00", "2026-01-02 03:04:05.5 +0200 +0200"),
            ("Jan 2, 2006 at 3:04pm (MST)", "Feb 3, 2013 at 7:54pm (PST)", "2013-02-03 19:54:00 +0000 PST"),
            ("02 Jan 06 15:04 MST", "02 Jan 26 15:04 UTC", "2026-01-02 15:04:00 +0000 UTC"),
        ];
        for (layout, text, want) in cases {
            assert_eq!(parse(layout, text).unwrap().to_string(), want, "{layout}");
        }
        let error = parse("2006-01-02", "02/01/2026").unwrap_err();
        assert_eq!(error, "parsing time \"02/01/2026\" as \"2006-01-02\": cannot parse \"02/01/2026\" as \"2006\"");
        assert!(parse("2006-01-02", "2026-02-30").unwrap_err().ends_with("day out of range"));
        assert!(parse("2006", "2026x").unwrap_err().ends_with("extra text: \"x\""));
    }
}
