//! Intake: what an alert that arrives becomes, by itself and beside the one that is stored (contract alertmanager §4.1).

use std::time::Duration;

use crate::model::{
    Alert, AlertEnd, LabelSet, MatcherMode, PostedAlert, Timestamp, duration_millis, is_valid_label_name,
};

/// Why an alert is not taken; the texts are the peer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAlert {
    #[error("start time must be before end time")]
    EndsBeforeStart,
    #[error("at least one label pair required")]
    NoLabels,
    #[error("invalid label set: invalid name {0:?}")]
    LabelName(String),
    #[error("invalid annotations: invalid name {0:?}")]
    AnnotationName(String),
    #[error("label set exceeds the limit of {limit} labels")]
    TooManyLabels { limit: usize },
    #[error("label {name:?} exceeds the limit of {limit} bytes")]
    LabelTooLong { name: String, limit: usize },
}

/// What an alert may weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelLimits {
    pub labels: usize,
    pub name: usize,
    pub value: usize,
}

impl Default for LabelLimits {
    fn default() -> Self {
        LabelLimits { labels: 64, name: 1024, value: 16 * 1024 }
    }
}

/// Fills in what is missing and judges the rest.
///
/// # Errors
/// The first reason for which the peer (or a limit) refuses it.
pub fn admit(
    posted: PostedAlert,
    now: Timestamp,
    resolve_timeout: Duration,
    mode: MatcherMode,
    limits: LabelLimits,
) -> Result<Alert, InvalidAlert> {
    let PostedAlert { labels, annotations, starts_at, ends_at, generator_url, lease } = posted;
    let starts_at = starts_at.or(ends_at).unwrap_or(now);
    let (ends_at, ours) = match ends_at {
        Some(at) => (at, false),
        None => (now + lease.unwrap_or(resolve_timeout), true),
    };
    let labels = match labels.iter().any(|(_, value)| value.is_empty()) {
        true => LabelSet::from_pairs(labels.iter().filter(|(_, value)| !value.is_empty())),
        false => labels.clone(),
    };
    if ends_at < starts_at {
        return Err(InvalidAlert::EndsBeforeStart);
    }
    if labels.is_empty() {
        return Err(InvalidAlert::NoLabels);
    }
    if labels.len() > limits.labels {
        return Err(InvalidAlert::TooManyLabels { limit: limits.labels });
    }
    check_names(&labels, mode, limits, InvalidAlert::LabelName)?;
    check_names(&annotations, mode, limits, InvalidAlert::AnnotationName)?;
    let end = match ends_at <= now {
        true => AlertEnd::Resolved { at: ends_at, ours },
        false => AlertEnd::Lease { until: ends_at, lease: ends_at.since(now), ours },
    };
    Ok(Alert { labels, annotations, starts_at, end, updated_at: now, generator_url })
}

fn check_names(
    set: &LabelSet,
    mode: MatcherMode,
    limits: LabelLimits,
    invalid: fn(String) -> InvalidAlert,
) -> Result<(), InvalidAlert> {
    for (name, value) in set.iter() {
        if !is_valid_label_name(name, mode) {
            return Err(invalid(name.to_owned()));
        }
        let limit = match name.len() > limits.name {
            true => limits.name,
            false => limits.value,
        };
        if name.len() > limits.name || value.len() > limits.value {
            return Err(InvalidAlert::LabelTooLong { name: name.chars().take(64).collect(), limit });
        }
    }
    Ok(())
}

/// Puts an arriving alert over the stored one with the same labels; the arriving one is the younger unless the clock went
/// back.
pub(super) fn merge(stored: &Alert, arriving: Alert, now: Timestamp) -> Alert {
    let (a_start, a_end) = (stored.starts_at, stored.ends_at());
    let (b_start, b_end) = (arriving.starts_at, arriving.ends_at());
    let inside = |at: Timestamp| a_start < at && at < a_end;
    if !inside(b_end) && !inside(b_start) {
        return arriving;
    }
    let (old, mut young) = match arriving.updated_at < stored.updated_at {
        true => (arriving, stored.clone()),
        false => (stored.clone(), arriving),
    };
    young.starts_at = a_start.min(b_start);
    // What is resolved is so whatever the clock says: it may have been set back behind that end.
    young.end = match (old.end, young.end) {
        (AlertEnd::Resolved { at: before, .. }, AlertEnd::Resolved { at, .. }) if before > at => old.end,
        // The lease counts from now: it is what a restart gives again.
        (AlertEnd::Lease { until, ours: false, .. }, AlertEnd::Lease { until: new, .. }) if until > new => {
            AlertEnd::Lease { until, lease: until.since(now), ours: false }
        }
        (_, end) => end,
    };
    young
}

/// Whether a resolved alert came again as it is known: it changes nothing and joins no group.
pub(super) fn is_echo(stored: &Alert, merged: &Alert) -> bool {
    matches!((&stored.end, &merged.end), (AlertEnd::Resolved { at: a, .. }, AlertEnd::Resolved { at: b, .. }) if a == b)
        && stored.starts_at == merged.starts_at
}

/// Whether the change is one that must be committed before anything acts on it: identity, state, start, resolved end.
pub(super) fn is_news(stored: &Alert, merged: &Alert) -> bool {
    let same_state = match (&stored.end, &merged.end) {
        (AlertEnd::Lease { .. }, AlertEnd::Lease { .. }) => true,
        (AlertEnd::Resolved { at: a, .. }, AlertEnd::Resolved { at: b, .. }) => a == b,
        _ => false,
    };
    !same_state || stored.starts_at != merged.starts_at
}

/// A lease as it is stored: rounded up to whole seconds, so that the jitter of heartbeats writes nothing.
pub(super) fn stored_lease(lease: Duration) -> i64 {
    let millis = duration_millis(lease);
    millis.saturating_add(999) / 1000 * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(10_000 + secs)
    }

    fn posted(start: Option<i64>, end: Option<i64>) -> PostedAlert {
        PostedAlert {
            labels: LabelSet::from_pairs([("alertname", "A"), ("empty", "")]),
            annotations: LabelSet::from_pairs([("summary", "")]),
            starts_at: start.map(at),
            ends_at: end.map(at),
            generator_url: "".into(),
            lease: None,
        }
    }

    fn take(posted: PostedAlert, now: i64) -> Result<Alert, InvalidAlert> {
        admit(posted, at(now), Duration::from_secs(300), MatcherMode::default(), LabelLimits::default())
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        let alert = take(posted(None, None), 0).unwrap();
        assert_eq!((alert.starts_at, alert.ends_at(), alert.is_timed_out_by_us()), (at(0), at(300), true));
        assert_eq!(alert.labels, LabelSet::from_pairs([("alertname", "A")]));
        assert_eq!(alert.annotations.len(), 1, "annotations with empty values stay");
        let ended = take(posted(None, Some(-5)), 0).unwrap();
        assert_eq!((ended.starts_at, ended.is_resolved_at(at(0))), (at(-5), true));
    }

    #[test]
    fn what_the_peer_refuses_is_refused() {
        assert_eq!(take(posted(Some(5), Some(4)), 0), Err(InvalidAlert::EndsBeforeStart));
        assert_eq!(take(posted(Some(301), None), 0), Err(InvalidAlert::EndsBeforeStart));
        let bare = PostedAlert { labels: LabelSet::from_pairs([("a", "")]), ..posted(None, None) };
        assert_eq!(take(bare, 0), Err(InvalidAlert::NoLabels));
        let unnamed = PostedAlert { labels: LabelSet::from_pairs([("", "x")]), ..posted(None, None) };
        assert_eq!(take(unnamed, 0).unwrap_err().to_string(), "invalid label set: invalid name \"\"");
        let long = PostedAlert { labels: LabelSet::from_pairs([("a", "x".repeat(20_000))]), ..posted(None, None) };
        assert!(matches!(take(long, 0), Err(InvalidAlert::LabelTooLong { .. })));
    }

    #[test]
    fn updates_merge_as_the_peers_do() {
        // (old start, end), (young start, end), stored (start, end); `None` for an absent one. Seconds from now.
        type Span = (Option<i64>, Option<i64>);
        let cases: [(Span, Span, (i64, i64)); 7] = [
            ((Some(-100), Some(100)), (Some(-50), Some(50)), (-100, 100)),
            ((Some(-100), None), (Some(-50), Some(50)), (-100, 50)),
            ((Some(-100), Some(100)), (None, None), (-100, 300)),
            ((Some(-100), Some(100)), (Some(-100), Some(-10)), (-100, -10)),
            ((Some(-100), Some(-10)), (Some(-50), Some(100)), (-100, 100)),
            ((Some(-100), Some(-10)), (Some(-5), Some(100)), (-5, 100)),
            ((Some(-100), Some(-10)), (Some(-100), Some(-20)), (-100, -10)),
        ];
        for (old, young, want) in cases {
            let stored = take(posted(old.0, old.1), -1).unwrap();
            let arriving = take(posted(young.0, young.1), 0).unwrap();
            let merged = merge(&stored, arriving, at(0));
            assert_eq!((merged.starts_at, merged.ends_at()), (at(want.0), at(want.1)), "{old:?} {young:?}");
        }
    }
}
