//! What owners ask the writer to make durable.

use std::sync::Arc;

use super::history::NewHistory;
use super::rows::{
    AlertRow, AlertStateRow, GroupMemberRow, GroupRow, MetaRow, NotificationLogRow, OutboxRow, RuleAlertRow,
    RuleAlertStateRow, RuleGroupRow,
};

/// One change of the state. A put replaces the whole row of the same key; a delete of what is not there is no error.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    PutRuleGroup(RuleGroupRow),
    DeleteRuleGroup {
        id: Arc<str>,
    },
    PutRuleAlert(RuleAlertRow),
    PutRuleAlertState(RuleAlertStateRow),
    /// The alert and its state.
    DeleteRuleAlert {
        rule: Arc<str>,
        fingerprint: Arc<str>,
    },
    /// All alerts of the rule and their states.
    DeleteRule {
        rule: Arc<str>,
    },
    PutAlert(AlertRow),
    PutAlertState(AlertStateRow),
    /// The alert and its state.
    DeleteAlert {
        fingerprint: Arc<str>,
    },
    PutGroup(GroupRow),
    /// The group and its members; its notification log and outbox rows stay.
    DeleteGroup {
        id: Arc<str>,
    },
    PutGroupMember(GroupMemberRow),
    DeleteGroupMember {
        group_id: Arc<str>,
        fingerprint: Arc<str>,
    },
    PutNotificationLog(NotificationLogRow),
    DeleteNotificationLog {
        group_id: Arc<str>,
        way: Arc<str>,
    },
    PutOutbox(OutboxRow),
    DeleteOutbox {
        group_id: Arc<str>,
        way: Arc<str>,
    },
    PutMeta(MetaRow),
    DeleteMeta {
        name: Arc<str>,
    },
}

/// All changes of one event, in their order, and their history: committed in one transaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    pub changes: Vec<Change>,
    pub history: Vec<NewHistory>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.history.is_empty()
    }

    /// Adds what `later` holds after what is there.
    pub fn extend(&mut self, later: Batch) {
        self.changes.extend(later.changes);
        self.history.extend(later.history);
    }
}
