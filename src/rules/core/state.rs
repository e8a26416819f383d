//! The states of one alert, and how an evaluation moves it between them (contract prometheus §b, steps 4 to 7).

use std::time::Duration;

use crate::model::Timestamp;

/// How long a resolved alert is kept and told of again.
const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);

/// Where one alert of a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// The expression holds, not yet for as long as `for` asks.
    Pending {
        active_since: Timestamp,
    },
    /// `quiet_since`: the expression no longer holds, and `keep_firing_for` counts from then.
    Firing {
        active_since: Timestamp,
        fired_at: Timestamp,
        quiet_since: Option<Timestamp>,
    },
    Resolved {
        fired_at: Timestamp,
        resolved_at: Timestamp,
    },
}

/// The durations of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holds {
    pub(super) hold_for: Duration,
    pub(super) keep_firing_for: Duration,
}

impl AlertState {
    pub const fn is_firing(self) -> bool {
        matches!(self, AlertState::Firing { .. })
    }

    /// Pending or firing.
    pub const fn is_active(self) -> bool {
        !matches!(self, AlertState::Resolved { .. })
    }

    /// The start of the episode that history counts it to: when it fired, or since when it is about to.
    pub const fn episode(self) -> Timestamp {
        match self {
            AlertState::Pending { active_since } => active_since,
            AlertState::Firing { fired_at, .. } | AlertState::Resolved { fired_at, .. } => fired_at,
        }
    }

    /// The state after an evaluation at `slot` that gave the alert. A resolved one starts anew.
    pub(super) fn present(before: Option<AlertState>, slot: Timestamp, holds: Holds) -> AlertState {
        match before {
            None | Some(AlertState::Resolved { .. }) => AlertState::Pending { active_since: slot },
            Some(AlertState::Pending { active_since }) => AlertState::Pending { active_since },
            Some(AlertState::Firing { active_since, fired_at, .. }) => {
                AlertState::Firing { active_since, fired_at, quiet_since: None }
            }
        }
        .settled(slot, holds)
    }

    /// The state after an evaluation at `slot` that did not give the alert; `None` if it is then forgotten.
    pub(super) fn absent(self, slot: Timestamp, holds: Holds) -> Option<AlertState> {
        match self {
            AlertState::Pending { .. } => None,
            AlertState::Firing { active_since, fired_at, quiet_since } => {
                // A clock that went back left a start in the future behind.
                let quiet_since = quiet_since.unwrap_or(slot).min(slot);
                if slot.since(quiet_since) < holds.keep_firing_for {
                    let kept = AlertState::Firing { active_since, fired_at, quiet_since: Some(quiet_since) };
                    return Some(kept.settled(slot, holds));
                }
                Some(AlertState::Resolved { fired_at, resolved_at: slot })
            }
            AlertState::Resolved { resolved_at, .. } => (slot.since(resolved_at) <= RESOLVED_RETENTION).then_some(self),
        }
    }

    /// Pending that has held long enough fires; firing that has not, since `for` was raised, is pending again.
    fn settled(self, slot: Timestamp, holds: Holds) -> AlertState {
        match self {
            AlertState::Pending { active_since } => {
                let active_since = active_since.min(slot);
                match slot.since(active_since) >= holds.hold_for {
                    true => AlertState::Firing { active_since, fired_at: slot, quiet_since: None },
                    false => AlertState::Pending { active_since },
                }
            }
            // What it had held when it fired is asked too: a clock that went back un-fires nothing.
            AlertState::Firing { active_since, fired_at, .. }
                if slot.since(active_since).max(fired_at.since(active_since)) < holds.hold_for =>
            {
                AlertState::Pending { active_since: active_since.min(slot) }
            }
            other => other,
        }
    }

    /// What waits moves by `by`, so that this time does not count; what fires or is over stays.
    pub(super) fn delayed(self, by: Duration) -> AlertState {
        match self {
            AlertState::Pending { active_since } => AlertState::Pending { active_since: active_since + by },
            AlertState::Firing { active_since, fired_at, quiet_since: Some(quiet_since) } => {
                AlertState::Firing { active_since, fired_at, quiet_since: Some(quiet_since + by) }
            }
            other => other,
        }
    }
}
