//! When a group is evaluated: at aligned slots, or by the calendar.
//!
//! **Invariant:** the slots of a schedule depend on nothing but the schedule, so a restart falls on the same ones.

use std::time::Duration;

use twox_hash::XxHash64;

use super::Cron;
use crate::model::{Timestamp, duration_millis};

/// Bounds the walk over missed slots of a calendar schedule: a year of minutes.
const MAX_MISSED: u64 = 600_000;

/// The rhythm of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    Every(Slots),
    Cron(Cron),
}

/// A slot to evaluate at, and how many before it were passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub slot: Timestamp,
    pub missed: u64,
}

impl Schedule {
    /// The first slot after `instant`; `None` if there is none any more.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Every(slots) => Some(slots.latest(instant) + slots.interval),
            Schedule::Cron(cron) => cron.next_after(instant),
        }
    }

    /// The turn after the slot `last`: the next slot, or the latest one passed if an iteration overran.
    pub fn turn_after(&self, last: Timestamp, now: Timestamp) -> Option<Turn> {
        let next = self.next_after(last)?;
        match self {
            Schedule::Every(slots) => {
                let slot = next.max(slots.latest(now));
                let passed = slot.millis_since(next) / duration_millis(slots.interval);
                Some(Turn { slot, missed: passed.unsigned_abs() })
            }
            Schedule::Cron(cron) => {
                let mut turn = Turn { slot: next, missed: 0 };
                while turn.missed < MAX_MISSED
                    && let Some(later) = cron.next_after(turn.slot).filter(|slot| *slot <= now)
                {
                    turn = Turn { slot: later, missed: turn.missed + 1 };
                }
                Some(turn)
            }
        }
    }

    /// What stands for the interval in formulas: the time from `instant` to the next slot of a calendar schedule.
    pub fn interval_at(&self, instant: Timestamp) -> Duration {
        match self {
            Schedule::Every(slots) => slots.interval,
            Schedule::Cron(cron) => cron.next_after(instant).map_or(Duration::ZERO, |next| next.since(instant)),
        }
    }
}

/// Slots at a fixed interval, shifted by a hash of the group so that groups do not all run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    interval: Duration,
    offset: Duration,
}

impl Slots {
    /// `file` is as the API prints it. An interval below a millisecond is one.
    pub fn new(file: &str, group: &str, interval: Duration) -> Self {
        let interval = Duration::from_millis(duration_millis(interval).max(1).unsigned_abs());
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Slots { interval, offset: Duration::from_nanos(group_hash(file, group) % nanos) }
    }

    /// The last slot that is not after `instant`.
    ///
    /// Slots are points in nanoseconds of which an instant shows the millisecond; since the interval is whole
    /// milliseconds, cutting the offset cuts every slot.
    fn latest(&self, instant: Timestamp) -> Timestamp {
        let (interval, offset) = (duration_millis(self.interval), duration_millis(self.offset));
        let periods = instant.as_millis().saturating_sub(offset).div_euclid(interval);
        Timestamp::from_millis(periods.saturating_mul(interval).saturating_add(offset))
    }
}

/// Prometheus' hash of the labels `file` and `name` (contract prometheus §b, Scheduling).
fn group_hash(file: &str, group: &str) -> u64 {
    let mut bytes = Vec::with_capacity(file.len() + group.len() + 16);
    for part in ["file", file, "name", group] {
        match u8::try_from(part.len()) {
            Ok(length) if length < u8::MAX => bytes.push(length),
            _ => {
                bytes.push(u8::MAX);
                bytes.extend_from_slice(&part.len().to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    XxHash64::oneshot(0, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(value: i64) -> Timestamp {
        Timestamp::from_millis(value)
    }

    #[test]
    fn the_offset_of_a_group_is_the_peers_own() {
        assert_eq!(group_hash("rules1.yml", "g1"), 4_364_203_241_525_325_443);
        let slots = Slots::new("rules1.yml", "g1", Duration::from_secs(2));
        assert_eq!(slots.offset, Duration::from_nanos(1_525_325_443));
        assert_eq!(slots.latest(millis(10_000)), millis(9_525));
        assert_eq!(slots.latest(millis(9_525)), millis(9_525));
        assert_eq!(slots.latest(millis(9_524)), millis(7_525));
        assert_eq!(slots.latest(millis(-1)), millis(-475));
    }

    #[test]
    fn long_names_are_hashed_with_a_long_length() {
        let long = "g".repeat(255);
        assert_ne!(group_hash("f", &long), group_hash("f", &long[..254]));
    }

    #[test]
    fn the_first_evaluation_is_at_the_slot_after_now() {
        let schedule = Schedule::Every(Slots::new("rules1.yml", "g1", Duration::from_secs(2)));
        assert_eq!(schedule.next_after(millis(10_000)), Some(millis(11_525)));
        assert_eq!(schedule.next_after(millis(11_525)), Some(millis(13_525)));
    }

    #[test]
    fn an_overrun_skips_to_the_latest_passed_slot_and_counts_what_it_missed() {
        let schedule = Schedule::Every(Slots::new("rules1.yml", "g1", Duration::from_secs(2)));
        let last = millis(11_525);
        for (now, slot, missed) in
            [(11_600, 13_525, 0), (13_525, 13_525, 0), (15_524, 13_525, 0), (15_525, 15_525, 1), (20_000, 19_525, 3)]
        {
            assert_eq!(schedule.turn_after(last, millis(now)), Some(Turn { slot: millis(slot), missed }), "now {now}");
        }
    }

    #[test]
    fn a_calendar_schedule_counts_missed_slots_too() {
        let schedule = Schedule::Cron(Cron::parse("*/10 * * * *", chrono_tz::UTC).unwrap());
        let minutes = |count: i64| Timestamp::from_secs(60 * count);
        assert_eq!(schedule.turn_after(minutes(10), minutes(11)), Some(Turn { slot: minutes(20), missed: 0 }));
        assert_eq!(schedule.turn_after(minutes(10), minutes(45)), Some(Turn { slot: minutes(40), missed: 2 }));
        assert_eq!(schedule.interval_at(minutes(12)), Duration::from_secs(8 * 60));
    }
}
