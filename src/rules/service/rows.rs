//! Between the cores' values and the database's rows.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::ledger::{Ledger, LedgerError};
use crate::db::{self, Db, DbError, NewHistory, RuleAlertRow, RuleAlertStateRow, RuleGroupRow, RulesState};
use crate::model::{Fingerprint, LabelSet, Timestamp};
use crate::rules::core::{AlertState, Change, HistoryEntry, HistoryKind, RestoredAlert};
use crate::rules::{RuleGroupId, RuleId};

impl Ledger for Db {
    fn commit(&self, changes: Vec<Change>, history: Vec<HistoryEntry>) -> BoxFuture<'_, Result<(), LedgerError>> {
        let batch = db::Batch {
            changes: changes.into_iter().map(to_row).collect(),
            history: history.into_iter().map(to_history).collect(),
        };
        Box::pin(async move {
            match Db::commit(self, batch).await {
                Ok(_) => Ok(()),
                Err(DbError::Deposed) => Err(LedgerError::Deposed),
                Err(error) => Err(LedgerError::Failed(error.to_string())),
            }
        })
    }
}

/// What the database holds of rules, by whom it belongs to.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) last_slots: HashMap<RuleGroupId, Timestamp>,
    pub(super) alerts: HashMap<RuleId, Vec<RestoredAlert>>,
}

impl Stored {
    /// A row that makes no sense is left out and said so: the alert then starts anew if it still holds.
    pub(super) fn from_rows(state: RulesState) -> Self {
        let mut stored = Stored::default();
        for RuleGroupRow { id, last_slot } in state.groups {
            stored.last_slots.insert(RuleGroupId::from_text(&id), Timestamp::from_millis(last_slot));
        }
        let mut labels: HashMap<(Arc<str>, Arc<str>), LabelSet> = HashMap::new();
        for row in state.alerts {
            match serde_json::from_str(&row.labels) {
                Ok(set) => {
                    labels.insert((row.rule, row.fingerprint), set);
                }
                Err(error) => {
                    tracing::warn!(rule = %row.rule, fingerprint = %row.fingerprint, %error, "stored alert has unreadable labels");
                }
            }
        }
        for row in state.states {
            let rule = RuleId::from_text(&row.rule);
            let fingerprint = row.fingerprint.clone();
            let labels = labels.remove(&(row.rule.clone(), row.fingerprint.clone()));
            match labels.and_then(|labels| from_row(labels, row)) {
                Some(alert) => stored.alerts.entry(rule).or_default().push(alert),
                None => tracing::warn!(%rule, %fingerprint, "stored alert makes no sense and is left out"),
            }
        }
        stored
    }
}

fn text(fingerprint: Fingerprint) -> Arc<str> {
    fingerprint.to_string().into()
}

fn json(labels: &LabelSet) -> Arc<str> {
    // A map of strings to strings always has a JSON form.
    serde_json::to_string(labels).unwrap_or_default().into()
}

fn to_row(change: Change) -> db::Change {
    match change {
        Change::Slot { group, slot } => {
            db::Change::PutRuleGroup(RuleGroupRow { id: group.as_str().into(), last_slot: slot.as_millis() })
        }
        Change::GroupRemoved { group } => db::Change::DeleteRuleGroup { id: group.as_str().into() },
        Change::Labels { rule, fingerprint, labels } => db::Change::PutRuleAlert(RuleAlertRow {
            rule: rule.as_str().into(),
            fingerprint: text(fingerprint),
            labels: json(&labels),
        }),
        Change::Removed { rule, fingerprint } => {
            db::Change::DeleteRuleAlert { rule: rule.as_str().into(), fingerprint: text(fingerprint) }
        }
        Change::State { rule, fingerprint, state, annotations, value } => {
            let (name, active_since, fired_at, quiet_since, resolved_at) = match state {
                AlertState::Pending { active_since } => ("pending", active_since, None, None, None),
                AlertState::Firing { active_since, fired_at, quiet_since } => {
                    ("firing", active_since, Some(fired_at), quiet_since, None)
                }
                // Since when it had held is of no use any more; the column wants something.
                AlertState::Resolved { fired_at, resolved_at } => {
                    ("resolved", fired_at, Some(fired_at), None, Some(resolved_at))
                }
            };
            db::Change::PutRuleAlertState(RuleAlertStateRow {
                rule: rule.as_str().into(),
                fingerprint: text(fingerprint),
                state: name.into(),
                active_since: active_since.as_millis(),
                fired_at: fired_at.map(Timestamp::as_millis),
                quiet_since: quiet_since.map(Timestamp::as_millis),
                resolved_at: resolved_at.map(Timestamp::as_millis),
                value,
                annotations: json(&annotations),
            })
        }
    }
}

fn from_row(labels: LabelSet, row: RuleAlertStateRow) -> Option<RestoredAlert> {
    let instant = Timestamp::from_millis;
    let state = match &*row.state {
        "pending" => AlertState::Pending { active_since: instant(row.active_since) },
        "firing" => AlertState::Firing {
            active_since: instant(row.active_since),
            fired_at: instant(row.fired_at?),
            quiet_since: row.quiet_since.map(instant),
        },
        "resolved" => AlertState::Resolved { fired_at: instant(row.fired_at?), resolved_at: instant(row.resolved_at?) },
        _ => return None,
    };
    let annotations = serde_json::from_str(&row.annotations).ok()?;
    Some(RestoredAlert { labels, state, annotations, value: row.value })
}

fn to_history(entry: HistoryEntry) -> NewHistory {
    let kind = match entry.kind {
        HistoryKind::Pending => db::HistoryKind::Pending,
        HistoryKind::Firing => db::HistoryKind::Firing,
        HistoryKind::Resolved => db::HistoryKind::Resolved,
        HistoryKind::Inactive => db::HistoryKind::Inactive,
    };
    // The labels go with it, since those of an alert are forgotten with the alert. JSON has no NaN: values are text.
    let detail = serde_json::json!({ "labels": entry.labels, "value": entry.value.to_string() });
    NewHistory {
        rule: Some(entry.rule.as_str().into()),
        fingerprint: Some(text(entry.fingerprint)),
        episode: Some(entry.episode.as_millis()),
        reason: entry.reason.map(Into::into),
        detail: Some(detail.to_string().into()),
        ..NewHistory::new(entry.at.as_millis(), kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// What the rows of some changes would be read as.
    fn stored(changes: Vec<Change>) -> Stored {
        let mut state = RulesState::default();
        for change in changes {
            match to_row(change) {
                db::Change::PutRuleGroup(row) => state.groups.push(row),
                db::Change::PutRuleAlert(row) => state.alerts.push(row),
                db::Change::PutRuleAlertState(row) => state.states.push(row),
                other => panic!("{other:?}"),
            }
        }
        Stored::from_rows(state)
    }

    #[test]
    fn every_state_comes_back_as_it_was() {
        let rule = RuleId::from_text("r");
        let states = [
            AlertState::Pending { active_since: instant(1) },
            AlertState::Firing { active_since: instant(1), fired_at: instant(2), quiet_since: None },
            AlertState::Firing { active_since: instant(1), fired_at: instant(2), quiet_since: Some(instant(3)) },
            AlertState::Resolved { fired_at: instant(2), resolved_at: instant(4) },
        ];
        for state in states {
            let labels = LabelSet::from_pairs([("a", "b\"")]);
            let annotations = LabelSet::from_pairs([("empty", ""), ("c", "d")]);
            let fingerprint = labels.fingerprint();
            let stored = stored(vec![
                Change::Slot { group: RuleGroupId::from_text("g"), slot: instant(9) },
                Change::Labels { rule: rule.clone(), fingerprint, labels: labels.clone() },
                Change::State { rule: rule.clone(), fingerprint, state, annotations: annotations.clone(), value: 1.5 },
            ]);
            assert_eq!(stored.alerts[&rule], [RestoredAlert { labels, state, annotations, value: 1.5 }]);
            assert_eq!(stored.last_slots[&RuleGroupId::from_text("g")], instant(9));
        }
    }

    #[test]
    fn rows_that_make_no_sense_are_left_out() {
        let row = |state: &str| RuleAlertStateRow {
            rule: "r".into(),
            fingerprint: "f".into(),
            state: state.into(),
            active_since: 1,
            fired_at: None,
            quiet_since: None,
            resolved_at: None,
            value: 0.0,
            annotations: "{}".into(),
        };
        let alert = RuleAlertRow { rule: "r".into(), fingerprint: "f".into(), labels: "{}".into() };
        for (alerts, state) in [(vec![alert.clone()], "firing"), (vec![alert], "mended"), (vec![], "pending")] {
            let stored = Stored::from_rows(RulesState { groups: vec![], alerts, states: vec![row(state)] });
            assert_eq!(stored.alerts.len(), 0, "{state}");
        }
    }

    #[test]
    fn history_carries_labels_and_value() {
        let entry = HistoryEntry {
            at: instant(5),
            kind: HistoryKind::Firing,
            rule: RuleId::from_text("r"),
            fingerprint: LabelSet::empty().fingerprint(),
            episode: instant(4),
            labels: LabelSet::from_pairs([("a", "b")]),
            value: f64::NAN,
            reason: None,
        };
        let row = to_history(entry);
        assert_eq!((row.at, row.kind, row.episode), (5000, db::HistoryKind::Firing, Some(4000)));
        assert_eq!(row.detail.as_deref(), Some(r#"{"labels":{"a":"b"},"value":"NaN"}"#));
    }
}
