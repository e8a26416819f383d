//! When an alert is told, and as what (contract prometheus §b, Sending).

use std::sync::Arc;
use std::time::Duration;

use super::{AlertState, Instance};
use crate::model::{LabelSet, PostedAlert, Timestamp};

/// How long an announcement lasts, in intervals.
const LEASE_INTERVALS: u32 = 4;

/// What holds for every announcement of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What has been told is told again once it is older than this.
    pub resend_delay: Duration,
    /// Added where absent or empty.
    pub external_labels: LabelSet,
}

/// The last announcement of an alert. In memory only: a start tells everything again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) resolved: bool,
}

impl Instance {
    pub(super) fn is_due(&self, at: Timestamp, terms: &Terms) -> bool {
        let resolved = match self.state {
            AlertState::Pending { .. } => return false,
            AlertState::Firing { .. } => false,
            AlertState::Resolved { .. } => true,
        };
        match self.told {
            None => true,
            Some(told) => (resolved && !told.resolved) || told.at + terms.resend_delay < at,
        }
    }

    /// The announcement at `at`, which lasts four intervals; `now` is the wall clock.
    pub(super) fn announce(
        &mut self,
        labels: &LabelSet,
        generator_url: &Arc<str>,
        at: Timestamp,
        interval: Duration,
        now: Timestamp,
        terms: &Terms,
    ) -> Option<PostedAlert> {
        let (starts_at, ends_at, resolved) = match self.state {
            AlertState::Pending { .. } => return None,
            AlertState::Firing { fired_at, .. } => {
                (fired_at, at + interval.max(terms.resend_delay).saturating_mul(LEASE_INTERVALS), false)
            }
            // An end that a clock set back has put into the future would read as firing.
            AlertState::Resolved { fired_at, resolved_at } => {
                let ends_at = resolved_at.min(now);
                (fired_at.min(ends_at), ends_at, true)
            }
        };
        self.told = Some(Told { at, resolved });
        Some(PostedAlert {
            labels: with_external(labels, &terms.external_labels),
            annotations: self.annotations.clone(),
            starts_at: Some(starts_at),
            ends_at: Some(ends_at),
            generator_url: generator_url.clone(),
            lease: None,
        })
    }

    /// After a step of the clock back, what was told must not seem to lie in the future, or it would not be told again in
    /// time.
    pub(super) fn told_stepped(&mut self, millis: i64) {
        if let Some(told) = &mut self.told {
            told.at = told.at.plus_millis(millis.min(0));
        }
    }
}

fn with_external(labels: &LabelSet, external: &LabelSet) -> LabelSet {
    let missing: Vec<(&str, &str)> = external.iter().filter(|(name, _)| labels.value(name).is_empty()).collect();
    match missing.is_empty() {
        true => labels.clone(),
        false => labels.iter().chain(missing).collect(),
    }
}
