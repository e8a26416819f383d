//! Instants in milliseconds, and the clock that only shells hold.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use futures_util::future::BoxFuture;

/// An instant: milliseconds since the Unix epoch, UTC. Arithmetic saturates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const EPOCH: Timestamp = Timestamp(0);
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis)
    }

    pub const fn from_secs(secs: i64) -> Self {
        Timestamp(secs.saturating_mul(1000))
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with the milliseconds as decimals.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Time from `earlier` to `self`; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// Milliseconds from `earlier` to `self`, negative if `earlier` is later.
    pub const fn millis_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    pub const fn plus_millis(self, millis: i64) -> Self {
        Timestamp(self.0.saturating_add(millis))
    }

    /// The calendar view; instants outside chrono's range are clamped to the epoch.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// RFC 3339 with exactly three decimals and `Z` (Alertmanager's API v2 and Prometheus' posts to it).
    pub fn to_rfc3339_millis(self) -> String {
        self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// RFC 3339 with as many decimals as needed and `Z` (Go's `RFC3339Nano`: webhook bodies, Prometheus' API).
    pub fn to_rfc3339(self) -> String {
        let base = self.to_datetime().format("%Y-%m-%dT%H:%M:%S");
        match self.0.rem_euclid(1000) {
            0 => format!("{base}Z"),
            millis => format!("{base}.{}Z", format!("{millis:03}").trim_end_matches('0')),
        }
    }

    /// Reads the forms that Alertmanager's API takes (contract alertmanager §7.1): RFC 3339 with any decimals; an offset
    /// without colon after exactly 3 or 6 decimals; no offset (UTC); `T` or a blank between; to the minute; a bare date;
    /// empty is the epoch. Fractions are cut to milliseconds.
    pub fn parse_rfc3339_lenient(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Timestamp::EPOCH);
        }
        if !text.is_ascii() || text.contains(['t', 'z']) || text.starts_with('+') {
            return None;
        }
        // "2026-01-02" is ten characters; chrono would take one-digit months, the peer does not.
        let shaped = text.len() >= 10
            && text.as_bytes().iter().take(10).enumerate().all(|(i, b)| match i {
                4 | 7 => *b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shaped {
            return None;
        }
        if text.len() == 10 {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            return Some(Timestamp(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()));
        }
        let with_t = format!("{}T{}", &text[..10], text[10..].strip_prefix(['T', ' '])?);
        if let Ok(instant) = DateTime::parse_from_rfc3339(&with_t) {
            return Some(Timestamp(instant.timestamp_millis()));
        }
        let clock = &with_t[11..];
        let colonless = clock.rfind(['+', '-']).is_some_and(|at| {
            clock.len() - at == 5 && clock.find('.').is_some_and(|dot| matches!(at - dot - 1, 3 | 6))
        });
        if colonless {
            return DateTime::parse_from_str(&with_t, "%Y-%m-%dT%H:%M:%S%.f%z")
                .ok()
                .map(|t| Timestamp(t.timestamp_millis()));
        }
        let local = with_t.strip_suffix('Z').unwrap_or(&with_t);
        for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
            if let Ok(instant) = NaiveDateTime::parse_from_str(local, form) {
                return Some(Timestamp(instant.and_utc().timestamp_millis()));
            }
        }
        None
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// A duration in whole milliseconds, saturating: what instants are moved by.
pub fn duration_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        self.plus_millis(duration_millis(duration))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(duration_millis(duration)))
    }
}

/// Where shells read the time. Cores take a [`Timestamp`] instead.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Time since some fixed instant; never goes back, whatever is done to the wall clock.
    fn monotonic(&self) -> Duration;

    /// Completes once the wall clock has reached `until`; `None` never completes. Looks at the wall clock at least once
    /// a second, so that a step of it is seen.
    fn sleep_until(&self, until: Option<Timestamp>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(until) = until else { return std::future::pending().await };
            loop {
                let left = until.since(self.now());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(Duration::from_secs(1))).await;
            }
        })
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn new() -> Self {
        SystemClock { started: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(duration_millis(since_epoch))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock for tests: `base` plus what has passed on tokio's clock, so that under paused time timestamps and timers move
/// together; [`TestClock::step`] moves the wall clock alone.
#[derive(Debug)]
pub struct TestClock {
    base: Mutex<Timestamp>,
    started: tokio::time::Instant,
}

impl TestClock {
    pub fn new(base: Timestamp) -> Self {
        TestClock { base: Mutex::new(base), started: tokio::time::Instant::now() }
    }

    /// Moves the wall clock by `millis` while the monotonic one goes on.
    pub fn step(&self, millis: i64) {
        let mut base = self.base.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *base = base.plus_millis(millis);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.base.lock().unwrap_or_else(std::sync::PoisonError::into_inner) + self.started.elapsed()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_printed_as_the_peers_print_it() {
        let at = Timestamp::from_millis(1_767_323_045_678);
        assert_eq!(at.to_rfc3339(), "2026-01-02T03:04:05.678Z");
        assert_eq!(at.to_rfc3339_millis(), "2026-01-02T03:04:05.678Z");
        let whole = Timestamp::from_secs(1_767_323_045);
        assert_eq!(whole.to_rfc3339(), "2026-01-02T03:04:05Z");
        assert_eq!(whole.to_rfc3339_millis(), "2026-01-02T03:04:05.000Z");
        assert_eq!(Timestamp::from_millis(-500).to_rfc3339(), "1969-12-31T23:59:59.5Z");
    }

    #[test]
    fn lenient_times_are_those_that_alertmanager_takes() {
        let cases = [
            ("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05Z")),
            ("2026-01-02T03:04:05.1234567+02:00", Some("2026-01-02T01:04:05.123Z")),
            ("2026-01-02T03:04:05.123+0200", Some("2026-01-02T01:04:05.123Z")),
            ("2026-01-02T03:04:05.1234+0200", None),
            ("2026-01-02T03:04:05+0200", None),
            ("2026-01-02 03:04:05", Some("2026-01-02T03:04:05Z")),
            ("2026-01-02T03:04", Some("2026-01-02T03:04:00Z")),
            ("2026-01-02T03:04Z", Some("2026-01-02T03:04:00Z")),
            ("2026-01-02", Some("2026-01-02T00:00:00Z")),
            ("", Some("1970-01-01T00:00:00Z")),
            ("2026-01-02t03:04:05Z", None),
            ("2026-01-02T03:04:05z", None),
            ("1767323045", None),
            ("2026-1-02T03:04:05Z", None),
        ];
        for (text, want) in cases {
            let got = Timestamp::parse_rfc3339_lenient(text).map(Timestamp::to_rfc3339);
            assert_eq!(got.as_deref(), want, "{text:?}");
        }
    }
}
