//! The decision for one group and one way: whether to tell, and what becomes of what is decided but not yet told.

use std::time::Duration;

use crate::model::{AlertStatus, Fingerprint, NotificationReason, Timestamp};

use super::set::FingerprintSet;
use super::state::{Log, Row, RowAlert};

/// `S(W)`: one group's members as one way sees them, after the drops.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// In flush order.
    pub alerts: Vec<RowAlert>,
    pub firing: FingerprintSet,
    pub resolved: FingerprintSet,
    /// Members that no route puts here for this way; they only wait for their end to be told.
    pub orphans: FingerprintSet,
    /// Firing members that are inhibited, muted or silenced, by the history's word for it.
    pub dropped_firing: FingerprintSet,
    pub dropped_resolved: FingerprintSet,
    pub drop_reason: Option<&'static str>,
}

/// What a way is asked about beside its log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub takes_resolved: bool,
    pub repeat_interval: Duration,
    pub tick: Timestamp,
    /// Only a flush repeats; a recheck does not.
    pub flush: bool,
}

/// The table of contract alertmanager §5.2, as semantics §1 reads it: on the log, never on the outbox row. The first line
/// that holds wins; `None` is nothing.
pub(super) fn verdict(seen: &Seen, log: Option<&Log>, terms: Terms) -> Option<NotificationReason> {
    if seen.alerts.is_empty() {
        return None;
    }
    let Some(log) = log else {
        return (!seen.firing.is_empty()).then_some(NotificationReason::FirstNotification);
    };
    // What is unsure counts as untold, except for an orphan, which is not told anew but only ended.
    let told = |f: Fingerprint| log.firing.contains(f) && (!log.unsure.contains(f) || seen.orphans.contains(f));
    if seen.firing.iter().any(|fingerprint| !told(fingerprint)) {
        return Some(match log.firing.iter().any(told) {
            false => NotificationReason::FirstNotification,
            true => NotificationReason::NewAlertsAdded,
        });
    }
    if seen.firing.is_empty() {
        let holds_open = seen.resolved.iter().any(|fingerprint| log.firing.contains(fingerprint));
        return holds_open.then_some(NotificationReason::AllAlertsResolved);
    }
    let news = |f: Fingerprint| !log.resolved.contains(f) || log.firing.contains(f);
    if terms.takes_resolved && seen.resolved.iter().any(news) {
        return Some(NotificationReason::SomeAlertsResolved);
    }
    let only_orphans = seen.firing.is_subset(&seen.orphans);
    if terms.flush && !only_orphans && log.told < terms.tick - terms.repeat_interval {
        return Some(NotificationReason::RepeatIntervalElapsed);
    }
    None
}

/// What becomes of the outbox row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// No row, and none is made.
    Nothing,
    /// The row stays as it is; `recheck` asks for another look once it is settled.
    Keep {
        recheck: bool,
    },
    /// A row is made, or takes the place of the present one.
    Send(NotificationReason),
    /// The row loses the alerts that are dropped, and is settled before the picture may change.
    Trim(Vec<RowAlert>),
    Withdraw(&'static str),
}

/// Applies a verdict to the row that is there, which is not uncertain (its own retry settles that one first).
pub(super) fn rule(seen: &Seen, log: Option<&Log>, row: Option<&Row>, verdict: Option<NotificationReason>) -> Ruling {
    match (row, verdict) {
        (None, None) => Ruling::Nothing,
        (None, Some(reason)) => Ruling::Send(reason),
        (Some(row), Some(_)) if row.firing == seen.firing && row.resolved == seen.resolved => {
            Ruling::Keep { recheck: false }
        }
        (Some(row), Some(reason)) => match !seen.firing.is_empty() || row.owes(log).next().is_none() {
            true => Ruling::Send(reason),
            // The page goes first, the resolve follows.
            false => Ruling::Keep { recheck: true },
        },
        (Some(row), None) => {
            let owed_and_over = |f: Fingerprint| seen.resolved.contains(f);
            if !row.owes(log).any(owed_and_over) {
                return Ruling::Withdraw(seen.drop_reason.unwrap_or("nothing new"));
            }
            let dropped = |alert: &RowAlert| {
                seen.dropped_firing.contains(alert.fingerprint) || seen.dropped_resolved.contains(alert.fingerprint)
            };
            match row.alerts.iter().any(dropped) {
                true => Ruling::Trim(row.alerts.iter().filter(|alert| !dropped(alert)).cloned().collect()),
                false => Ruling::Keep { recheck: true },
            }
        }
    }
}

impl Seen {
    pub fn push(&mut self, alert: RowAlert, orphan: bool) {
        let fingerprint = alert.fingerprint;
        match alert.firing {
            true => self.firing.insert(fingerprint),
            false => self.resolved.insert(fingerprint),
        };
        if orphan {
            self.orphans.insert(fingerprint);
        }
        self.alerts.push(alert);
    }

    pub fn drop_one(&mut self, fingerprint: Fingerprint, status: AlertStatus, reason: &'static str) {
        self.drop_reason.get_or_insert(reason);
        match status {
            AlertStatus::Firing => self.dropped_firing.insert(fingerprint),
            AlertStatus::Resolved => self.dropped_resolved.insert(fingerprint),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(firing: &[u64], resolved: &[u64], orphans: &[u64]) -> Seen {
        let mut seen = Seen::default();
        for (list, firing) in [(firing, true), (resolved, false)] {
            for n in list {
                let alert =
                    RowAlert { fingerprint: Fingerprint::from_u64(*n), firing, start: 0, end: (!firing).then_some(1) };
                seen.push(alert, orphans.contains(n));
            }
        }
        seen
    }

    fn set(list: &[u64]) -> FingerprintSet {
        list.iter().map(|n| Fingerprint::from_u64(*n)).collect()
    }

    fn log(firing: &[u64], unsure: &[u64], resolved: &[u64]) -> Log {
        Log {
            firing: set(firing),
            unsure: set(unsure),
            resolved: set(resolved),
            told: Timestamp::from_secs(100),
            written: Timestamp::from_secs(100),
            expires: Timestamp::MAX,
            seq: 1,
            data: Default::default(),
        }
    }

    fn told(seen: &Seen, log: Option<&Log>, tick: i64, takes_resolved: bool, flush: bool) -> &'static str {
        let terms =
            Terms { takes_resolved, repeat_interval: Duration::from_secs(60), tick: Timestamp::from_secs(tick), flush };
        verdict(seen, log, terms).map_or("-", NotificationReason::as_str)
    }

    #[test]
    fn the_first_line_that_holds_wins() {
        let l = |f: &[u64], r: &[u64]| Some(log(f, &[], r));
        type Case = (Seen, Option<Log>, bool, &'static str);
        let cases: Vec<Case> = vec![
            (seen(&[], &[], &[]), l(&[1], &[]), true, "-"),
            (seen(&[1], &[], &[]), None, true, "first notification"),
            (seen(&[], &[1], &[]), None, true, "-"),
            (seen(&[1], &[], &[]), l(&[], &[1]), true, "first notification"),
            (seen(&[1, 2], &[], &[]), l(&[1], &[]), true, "new alerts added"),
            (seen(&[], &[1], &[]), l(&[1], &[]), true, "all alerts resolved"),
            (seen(&[], &[1], &[]), l(&[1], &[]), false, "all alerts resolved"),
            (seen(&[], &[2], &[]), l(&[1], &[]), true, "-"),
            (seen(&[], &[1], &[]), l(&[], &[1]), true, "-"),
            (seen(&[1], &[2], &[]), l(&[1], &[]), true, "some alerts resolved"),
            (seen(&[1], &[2], &[]), l(&[1, 2], &[2]), true, "some alerts resolved"),
            (seen(&[1], &[2], &[]), l(&[1, 2], &[]), false, "-"),
            (seen(&[1], &[2], &[]), l(&[1], &[2]), true, "-"),
        ];
        for (seen, log, takes_resolved, want) in cases {
            assert_eq!(told(&seen, log.as_ref(), 160, takes_resolved, true), want, "{seen:?} {log:?}");
        }
    }

    #[test]
    fn repeats_count_from_the_tick_and_only_at_a_flush() {
        let log = log(&[1], &[], &[]);
        assert_eq!(told(&seen(&[1], &[], &[]), Some(&log), 160, true, true), "-");
        assert_eq!(told(&seen(&[1], &[], &[]), Some(&log), 161, true, true), "repeat interval elapsed");
        assert_eq!(told(&seen(&[1], &[], &[]), Some(&log), 161, true, false), "-");
        assert_eq!(told(&seen(&[1], &[], &[1]), Some(&log), 161, true, true), "-", "orphans alone make no repeats");
    }

    #[test]
    fn what_is_unsure_is_told_again_if_it_fires_and_ended_if_it_is_over() {
        let log = log(&[1], &[1], &[]);
        assert_eq!(told(&seen(&[1], &[], &[]), Some(&log), 100, true, true), "first notification");
        assert_eq!(told(&seen(&[1], &[], &[1]), Some(&log), 100, true, true), "-");
        assert_eq!(told(&seen(&[], &[1], &[]), Some(&log), 100, true, true), "all alerts resolved");
    }

    fn row(firing: &[u64], resolved: &[u64]) -> Row {
        let alerts = seen(firing, resolved, &[]).alerts;
        Row::stored(1, "k".into(), alerts, NotificationReason::FirstNotification, Timestamp::EPOCH)
    }

    #[test]
    fn the_page_goes_first_and_the_resolve_follows() {
        let first = Some(NotificationReason::FirstNotification);
        let all = Some(NotificationReason::AllAlertsResolved);
        let told = log(&[1], &[], &[]);
        // The same sets: kept. Fires still: replaced. Owes a page, and nothing fires: kept, with a recheck.
        assert_eq!(rule(&seen(&[2], &[], &[]), None, Some(&row(&[2], &[])), first), Ruling::Keep { recheck: false });
        assert_eq!(
            rule(&seen(&[2, 3], &[], &[]), None, Some(&row(&[2], &[])), first),
            Ruling::Send(NotificationReason::FirstNotification)
        );
        assert_eq!(
            rule(&seen(&[], &[1, 2], &[]), Some(&told), Some(&row(&[1, 2], &[])), all),
            Ruling::Keep { recheck: true }
        );
        assert_eq!(
            rule(&seen(&[], &[1], &[]), Some(&told), Some(&row(&[1], &[2])), all),
            Ruling::Send(NotificationReason::AllAlertsResolved)
        );
        // Nothing to tell by the log, but a page is owed for an alert that is over.
        assert_eq!(rule(&seen(&[], &[2], &[]), None, Some(&row(&[2], &[])), None), Ruling::Keep { recheck: true });
        // Nothing is owed: withdrawn, for the reason that dropped it.
        let mut silenced = Seen::default();
        silenced.drop_one(Fingerprint::from_u64(2), AlertStatus::Firing, "silenced");
        assert_eq!(rule(&silenced, None, Some(&row(&[2], &[])), None), Ruling::Withdraw("silenced"));
        // One owed alert is over, the other is silenced: only the first is told.
        let mut half = seen(&[], &[2], &[]);
        half.drop_one(Fingerprint::from_u64(3), AlertStatus::Firing, "silenced");
        let Ruling::Trim(left) = rule(&half, None, Some(&row(&[2, 3], &[])), None) else { panic!("not trimmed") };
        assert_eq!(left.iter().map(|alert| alert.fingerprint.as_u64()).collect::<Vec<_>>(), [2]);
    }
}
