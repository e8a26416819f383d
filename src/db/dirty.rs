//! What is not yet durable, by table and key: the last write of a key wins, so that the map is bounded by the live state
//! however long storage fails.
//!
//! **Invariant:** what [`Dirty`] holds for a key is what the table shall hold once it is written; `under` deletes come
//! first, so whatever was put before one of them is gone from the map, and whatever was put after it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::Change;
use super::record::{Cell, Key, Record, Table};

#[derive(Debug, Default)]
pub(super) struct Dirty {
    /// All rows of a table whose key starts with this part shall go.
    under: BTreeSet<(Table, Arc<str>)>,
    /// The row that shall be there, or none.
    rows: BTreeMap<(Table, Key), Option<Box<[Cell]>>>,
}

/// What is to be done to one table, in this order.
#[derive(Debug)]
pub(super) struct TableWrites<'d> {
    pub(super) table: Table,
    pub(super) under: Vec<&'d Arc<str>>,
    pub(super) deletes: Vec<&'d Key>,
    pub(super) upserts: Vec<&'d [Cell]>,
}

impl Dirty {
    pub(super) fn is_empty(&self) -> bool {
        self.under.is_empty() && self.rows.is_empty()
    }

    /// How many rows it speaks of.
    pub(super) fn len(&self) -> usize {
        self.under.len() + self.rows.len()
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::PutRuleGroup(row) => self.put(row),
            Change::DeleteRuleGroup { id } => self.delete(Table::RuleGroup, Key::one(id)),
            Change::PutRuleAlert(row) => self.put(row),
            Change::PutRuleAlertState(row) => self.put(row),
            Change::DeleteRuleAlert { rule, fingerprint } => {
                self.delete(Table::RuleAlert, Key(rule.clone(), fingerprint.clone()));
                self.delete(Table::RuleAlertState, Key(rule, fingerprint));
            }
            Change::DeleteRule { rule } => {
                self.delete_under(Table::RuleAlert, rule.clone());
                self.delete_under(Table::RuleAlertState, rule);
            }
            Change::PutAlert(row) => self.put(row),
            Change::PutAlertState(row) => self.put(row),
            Change::DeleteAlert { fingerprint } => {
                self.delete(Table::Alert, Key::one(fingerprint.clone()));
                self.delete(Table::AlertState, Key::one(fingerprint));
            }
            Change::PutGroup(row) => self.put(row),
            Change::DeleteGroup { id } => {
                self.delete(Table::Group, Key::one(id.clone()));
                self.delete_under(Table::GroupMember, id);
            }
            Change::PutGroupMember(row) => self.put(row),
            Change::DeleteGroupMember { group_id, fingerprint } => {
                self.delete(Table::GroupMember, Key(group_id, fingerprint));
            }
            Change::PutNotificationLog(row) => self.put(row),
            Change::DeleteNotificationLog { group_id, way } => self.delete(Table::NotificationLog, Key(group_id, way)),
            Change::PutOutbox(row) => self.put(row),
            Change::DeleteOutbox { group_id, way } => self.delete(Table::Outbox, Key(group_id, way)),
            Change::PutMeta(row) => self.put(row),
            Change::DeleteMeta { name } => self.delete(Table::Meta, Key::one(name)),
        }
    }

    /// Takes over what happened after this.
    pub(super) fn merge(&mut self, later: Dirty) {
        for (table, part) in later.under {
            self.delete_under(table, part);
        }
        self.rows.extend(later.rows);
    }

    /// What is to be written, table by table.
    pub(super) fn writes(&self) -> Vec<TableWrites<'_>> {
        let mut writes: Vec<TableWrites<'_>> = Table::ALL
            .into_iter()
            .map(|table| TableWrites { table, under: Vec::new(), deletes: Vec::new(), upserts: Vec::new() })
            .collect();
        for (table, part) in &self.under {
            if let Some(of_table) = writes.get_mut(*table as usize) {
                of_table.under.push(part);
            }
        }
        for ((table, key), row) in &self.rows {
            let Some(of_table) = writes.get_mut(*table as usize) else { continue };
            match row {
                Some(cells) => of_table.upserts.push(cells),
                None => of_table.deletes.push(key),
            }
        }
        writes
    }

    fn put<R: Record>(&mut self, row: R) {
        self.rows.insert((R::TABLE, row.key()), Some(row.cells()));
    }

    fn delete(&mut self, table: Table, key: Key) {
        self.rows.insert((table, key), None);
    }

    fn delete_under(&mut self, table: Table, part: Arc<str>) {
        let first = (table, Key::one(part.clone()));
        let gone: Vec<_> = self
            .rows
            .range(first..)
            .map(|(at, _)| at)
            .take_while(|(of, key)| *of == table && key.0 == part)
            .cloned()
            .collect();
        for at in &gone {
            self.rows.remove(at);
        }
        self.under.insert((table, part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::rows::{GroupMemberRow, RuleGroupRow};

    fn member(group: &str, fingerprint: &str) -> Change {
        Change::PutGroupMember(GroupMemberRow {
            group_id: group.into(),
            fingerprint: fingerprint.into(),
            orphan: false,
        })
    }

    fn members(dirty: &Dirty) -> String {
        let writes = dirty.writes();
        let of_table = &writes[Table::GroupMember as usize];
        assert_eq!(of_table.table, Table::GroupMember);
        let upserts = of_table.upserts.iter().map(|cells| format!("{:?}", &cells[..2]).replace("Text(Some(", ""));
        let under = of_table.under.iter().map(|part| format!("-{part}*"));
        let deletes = of_table.deletes.iter().map(|key| format!("-{}/{}", key.0, key.1));
        let mut all: Vec<String> = under.chain(deletes).chain(upserts).collect();
        for text in &mut all {
            text.retain(|c| !"\"[])( ".contains(c));
        }
        all.join(" ")
    }

    #[test]
    fn every_table_stands_at_its_own_place() {
        for (at, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, at);
        }
    }

    #[test]
    fn the_last_write_of_a_key_wins() {
        let mut dirty = Dirty::default();
        for slot in 0..5 {
            dirty.apply(Change::PutRuleGroup(RuleGroupRow { id: "g".into(), last_slot: slot }));
        }
        assert_eq!(dirty.len(), 1);
        let writes = dirty.writes();
        assert_eq!(writes[Table::RuleGroup as usize].upserts[0][1], Cell::Int(Some(4)));
        dirty.apply(Change::DeleteRuleGroup { id: "g".into() });
        assert!(dirty.writes()[Table::RuleGroup as usize].upserts.is_empty());
        assert_eq!(dirty.len(), 1);
    }

    #[test]
    fn deleting_a_group_forgets_the_members_put_before_and_keeps_those_put_after() {
        let mut dirty = Dirty::default();
        for change in [member("a", "1"), member("b", "1"), member("a", "2"), Change::DeleteGroup { id: "a".into() }] {
            dirty.apply(change);
        }
        assert_eq!(members(&dirty), "-a* b,1");
        dirty.apply(member("a", "3"));
        assert_eq!(members(&dirty), "-a* a,3 b,1");
    }

    #[test]
    fn what_came_later_is_merged_as_if_it_had_been_applied() {
        let mut earlier = Dirty::default();
        earlier.apply(member("a", "1"));
        earlier.apply(member("b", "1"));
        let mut later = Dirty::default();
        later.apply(Change::DeleteGroup { id: "a".into() });
        later.apply(member("a", "2"));
        later.apply(Change::DeleteGroupMember { group_id: "b".into(), fingerprint: "1".into() });
        earlier.merge(later);
        assert_eq!(members(&earlier), "-a* -b/1 a,2");
    }
}
