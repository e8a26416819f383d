//! Whether the wall clock went its own way: a step of it, or a pause of the machine.

use std::time::Duration;

use crate::model::{Clock, Timestamp, duration_millis};

/// What is less than this is no step; cores never see the time go back by it.
const STEP_MILLIS: i64 = 60_000;

/// The last look at both clocks.
#[derive(Debug)]
pub(super) struct ClockWatch {
    wall: Timestamp,
    monotonic: Duration,
}

impl ClockWatch {
    pub(super) fn new(clock: &dyn Clock) -> Self {
        ClockWatch { wall: clock.now(), monotonic: clock.monotonic() }
    }

    /// By how many milliseconds the wall clock differs from the monotonic one since the last look, if that is a step.
    pub(super) fn look(&mut self, clock: &dyn Clock) -> Option<i64> {
        let seen = ClockWatch::new(clock);
        let expected = duration_millis(seen.monotonic.saturating_sub(self.monotonic));
        let step = seen.wall.millis_since(self.wall).saturating_sub(expected);
        *self = seen;
        (step.abs() > STEP_MILLIS).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Wall and monotonic clock, in seconds.
    struct TwoClocks(Mutex<(i64, u64)>);

    impl Clock for TwoClocks {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.lock().unwrap().0)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
    }

    #[test]
    fn steps_of_more_than_a_minute_are_seen_once() {
        let clocks = TwoClocks(Mutex::new((1000, 5)));
        let mut watch = ClockWatch::new(&clocks);
        let mut look = |wall: i64, monotonic: u64| {
            let mut both = clocks.0.lock().unwrap();
            *both = (both.0 + wall, both.1 + monotonic);
            drop(both);
            watch.look(&clocks)
        };
        assert_eq!(look(3600, 3600), None);
        assert_eq!(look(-60, 0), None);
        assert_eq!(look(3630, 30), Some(3_600_000));
        assert_eq!(look(0, 0), None);
        assert_eq!(look(-61, 0), Some(-61_000));
    }
}
