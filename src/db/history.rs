//! History: what was decided and done, append-only (`GET /api/v1/history`). Explanations and reports are built on it.

use std::sync::Arc;

use super::record::{Cell, Cells, Column};

pub(super) const TABLE: &str = "history";

pub(super) const COLUMNS: [&str; 11] =
    ["id", "at", "kind", "rule", "fingerprint", "episode", "group_key", "integration", "row_seq", "reason", "detail"];

/// Rows that one answer holds unless the filter says otherwise.
const DEFAULT_LIMIT: u32 = 1000;

/// What happened. The texts are those of the API and of the column `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HistoryKind {
    Pending,
    Firing,
    Resolved,
    Inactive,
    Received,
    Expired,
    Decided,
    Replaced,
    Withdrawn,
    AttemptFailed,
    Delivered,
    Rejected,
    OverBeforeTold,
    GaveUp,
    Silenced,
    Reload,
    Start,
    Stop,
    Degraded,
}

impl HistoryKind {
    pub const ALL: [HistoryKind; 19] = [
        HistoryKind::Pending,
        HistoryKind::Firing,
        HistoryKind::Resolved,
        HistoryKind::Inactive,
        HistoryKind::Received,
        HistoryKind::Expired,
        HistoryKind::Decided,
        HistoryKind::Replaced,
        HistoryKind::Withdrawn,
        HistoryKind::AttemptFailed,
        HistoryKind::Delivered,
        HistoryKind::Rejected,
        HistoryKind::OverBeforeTold,
        HistoryKind::GaveUp,
        HistoryKind::Silenced,
        HistoryKind::Reload,
        HistoryKind::Start,
        HistoryKind::Stop,
        HistoryKind::Degraded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            HistoryKind::Pending => "pending",
            HistoryKind::Firing => "firing",
            HistoryKind::Resolved => "resolved",
            HistoryKind::Inactive => "inactive",
            HistoryKind::Received => "received",
            HistoryKind::Expired => "expired",
            HistoryKind::Decided => "decided",
            HistoryKind::Replaced => "replaced",
            HistoryKind::Withdrawn => "withdrawn",
            HistoryKind::AttemptFailed => "attempt_failed",
            HistoryKind::Delivered => "delivered",
            HistoryKind::Rejected => "rejected",
            HistoryKind::OverBeforeTold => "over_before_told",
            HistoryKind::GaveUp => "gave_up",
            HistoryKind::Silenced => "silenced",
            HistoryKind::Reload => "reload",
            HistoryKind::Start => "start",
            HistoryKind::Stop => "stop",
            HistoryKind::Degraded => "degraded",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for HistoryKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row to be: the writer gives it its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHistory {
    pub at: i64,
    pub kind: HistoryKind,
    pub rule: Option<Arc<str>>,
    pub fingerprint: Option<Arc<str>>,
    /// When the alert started: one firing of it from its start to its end.
    pub episode: Option<i64>,
    pub group_key: Option<Arc<str>>,
    pub integration: Option<Arc<str>>,
    /// `seq` of the outbox row.
    pub row_seq: Option<i64>,
    pub reason: Option<Arc<str>>,
    pub detail: Option<Arc<str>>,
}

impl NewHistory {
    /// A row that says only what happened and when.
    pub fn new(at: i64, kind: HistoryKind) -> Self {
        NewHistory {
            at,
            kind,
            rule: None,
            fingerprint: None,
            episode: None,
            group_key: None,
            integration: None,
            row_seq: None,
            reason: None,
            detail: None,
        }
    }

    pub(super) fn cells(&self, id: i64) -> Box<[Cell]> {
        Box::new([
            id.into_cell(),
            self.at.into_cell(),
            Arc::<str>::from(self.kind.as_str()).into_cell(),
            self.rule.clone().into_cell(),
            self.fingerprint.clone().into_cell(),
            self.episode.into_cell(),
            self.group_key.clone().into_cell(),
            self.integration.clone().into_cell(),
            self.row_seq.into_cell(),
            self.reason.clone().into_cell(),
            self.detail.clone().into_cell(),
        ])
    }
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Increases with every row.
    pub id: i64,
    pub at: i64,
    /// The text of a [`HistoryKind`], or of a kind that a newer Belfry wrote.
    pub kind: Arc<str>,
    pub rule: Option<Arc<str>>,
    pub fingerprint: Option<Arc<str>>,
    pub episode: Option<i64>,
    pub group_key: Option<Arc<str>>,
    pub integration: Option<Arc<str>>,
    pub row_seq: Option<i64>,
    pub reason: Option<Arc<str>>,
    pub detail: Option<Arc<str>>,
}

impl HistoryRow {
    pub(super) fn read(cells: &mut Cells<'_>) -> Result<Self, sqlx::Error> {
        Ok(HistoryRow {
            id: cells.take()?,
            at: cells.take()?,
            kind: cells.take()?,
            rule: cells.take()?,
            fingerprint: cells.take()?,
            episode: cells.take()?,
            group_key: cells.take()?,
            integration: cells.take()?,
            row_seq: cells.take()?,
            reason: cells.take()?,
            detail: cells.take()?,
        })
    }
}

/// Which rows to answer, newest first; what is `None` restricts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFilter {
    pub fingerprint: Option<Arc<str>>,
    pub kind: Option<HistoryKind>,
    /// Milliseconds, included.
    pub since: Option<i64>,
    /// Milliseconds, included.
    pub until: Option<i64>,
    pub limit: u32,
    /// Only rows with a smaller id: the last id of a page gives the next page.
    pub before: Option<i64>,
}

impl Default for HistoryFilter {
    fn default() -> Self {
        HistoryFilter { fingerprint: None, kind: None, since: None, until: None, limit: DEFAULT_LIMIT, before: None }
    }
}

impl HistoryFilter {
    /// The statement and what it binds. Conditions are left out rather than made true by a parameter, since only so an
    /// index can be chosen for those that are there.
    pub(super) fn statement(&self) -> (String, Vec<Cell>) {
        let mut cells: Vec<Cell> = Vec::new();
        let mut conditions: Vec<String> = Vec::new();
        let mut restrict = |condition: &str, cell: Option<Cell>| {
            if let Some(cell) = cell {
                cells.push(cell);
                conditions.push(format!("{condition} ${}", cells.len()));
            }
        };
        restrict("fingerprint =", self.fingerprint.clone().map(Column::into_cell));
        restrict("kind =", self.kind.map(|kind| Arc::<str>::from(kind.as_str()).into_cell()));
        restrict("at >=", self.since.map(Column::into_cell));
        restrict("at <=", self.until.map(Column::into_cell));
        restrict("id <", self.before.map(Column::into_cell));
        cells.push(i64::from(self.limit).into_cell());
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let columns = COLUMNS.join(", ");
        let sql = format!("SELECT {columns} FROM {TABLE}{filter} ORDER BY id DESC LIMIT ${}", cells.len());
        (sql, cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in HistoryKind::ALL {
            assert_eq!(HistoryKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(HistoryKind::named("unheard"), None);
    }

    #[test]
    fn a_row_has_a_cell_for_every_column() {
        assert_eq!(NewHistory::new(1, HistoryKind::Start).cells(2).len(), COLUMNS.len());
    }

    #[test]
    fn only_what_is_asked_for_is_a_condition() {
        let (sql, cells) = HistoryFilter::default().statement();
        assert!(sql.ends_with("FROM history ORDER BY id DESC LIMIT $1"), "{sql}");
        assert_eq!(cells, [Cell::Int(Some(1000))]);
        let filter = HistoryFilter { fingerprint: Some("f".into()), before: Some(7), limit: 5, ..Default::default() };
        let (sql, cells) = filter.statement();
        assert!(sql.ends_with("WHERE fingerprint = $1 AND id < $2 ORDER BY id DESC LIMIT $3"), "{sql}");
        assert_eq!(cells.len(), 3);
    }
}
