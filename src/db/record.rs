//! How rows become cells and cells rows: one list of columns a table, from which its statements, its binding and its
//! reading follow, so that they cannot differ.

use std::sync::Arc;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::rows::{
    AlertRow, AlertStateRow, GroupMemberRow, GroupRow, MetaRow, NotificationLogRow, OutboxRow, RuleAlertRow,
    RuleAlertStateRow, RuleGroupRow,
};

/// The tables whose rows are put and deleted by key, in the order in which a transaction writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Meta,
    RuleGroup,
    RuleAlert,
    RuleAlertState,
    Alert,
    AlertState,
    Group,
    GroupMember,
    NotificationLog,
    Outbox,
}

impl Table {
    pub(super) const ALL: [Table; 10] = [
        Table::Meta,
        Table::RuleGroup,
        Table::RuleAlert,
        Table::RuleAlertState,
        Table::Alert,
        Table::AlertState,
        Table::Group,
        Table::GroupMember,
        Table::NotificationLog,
        Table::Outbox,
    ];

    pub(super) const fn shape(self) -> &'static Shape {
        match self {
            Table::Meta => &MetaRow::SHAPE,
            Table::RuleGroup => &RuleGroupRow::SHAPE,
            Table::RuleAlert => &RuleAlertRow::SHAPE,
            Table::RuleAlertState => &RuleAlertStateRow::SHAPE,
            Table::Alert => &AlertRow::SHAPE,
            Table::AlertState => &AlertStateRow::SHAPE,
            Table::Group => &GroupRow::SHAPE,
            Table::GroupMember => &GroupMemberRow::SHAPE,
            Table::NotificationLog => &NotificationLogRow::SHAPE,
            Table::Outbox => &OutboxRow::SHAPE,
        }
    }
}

/// A table as statements name it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// The columns of the primary key.
    pub(super) keys: &'static [&'static str],
    /// The columns that are not part of it.
    pub(super) rest: &'static [&'static str],
}

impl Shape {
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().chain(self.rest).copied()
    }

    pub(super) const fn width(&self) -> usize {
        self.keys.len() + self.rest.len()
    }
}

/// A primary key; the second part is empty where a table's key has one column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub(super) Arc<str>, pub(super) Arc<str>);

impl Key {
    pub(super) fn one(part: Arc<str>) -> Self {
        Key(part, Arc::from(""))
    }
}

/// One value of a row, as it is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Int(Option<i64>),
    Text(Option<Arc<str>>),
}

/// A row that is put and loaded whole.
pub(super) trait Record: Sized {
    const TABLE: Table;
    const SHAPE: Shape;

    fn key(&self) -> Key;

    /// The values in the order of the columns.
    fn cells(self) -> Box<[Cell]>;

    /// Reads the columns in their order.
    fn read(cells: &mut Cells<'_>) -> Result<Self, sqlx::Error>;
}

/// The values of a fetched row, taken one after the other.
pub(super) struct Cells<'r> {
    row: &'r AnyRow,
    next: usize,
}

impl<'r> Cells<'r> {
    pub(super) fn of(row: &'r AnyRow) -> Self {
        Cells { row, next: 0 }
    }

    pub(super) fn take<T: Column>(&mut self) -> Result<T, sqlx::Error> {
        let at = self.next;
        self.next += 1;
        T::from_row(self.row, at)
    }
}

/// A type that a column can have.
pub(super) trait Column: Sized {
    fn into_cell(self) -> Cell;
    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error>;
}

impl Column for i64 {
    fn into_cell(self) -> Cell {
        Cell::Int(Some(self))
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        row.try_get(at)
    }
}

impl Column for Option<i64> {
    fn into_cell(self) -> Cell {
        Cell::Int(self)
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        row.try_get(at)
    }
}

impl Column for bool {
    fn into_cell(self) -> Cell {
        Cell::Int(Some(i64::from(self)))
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        row.try_get::<i64, _>(at).map(|value| value != 0)
    }
}

impl Column for Arc<str> {
    fn into_cell(self) -> Cell {
        Cell::Text(Some(self))
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        row.try_get::<&str, _>(at).map(Arc::from)
    }
}

impl Column for Option<Arc<str>> {
    fn into_cell(self) -> Cell {
        Cell::Text(self)
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        row.try_get::<Option<&str>, _>(at).map(|text| text.map(Arc::from))
    }
}

/// Shortest decimals that read back as the same number; `NaN`, `inf` and `-inf` as Rust writes them.
impl Column for f64 {
    fn into_cell(self) -> Cell {
        Cell::Text(Some(self.to_string().into()))
    }

    fn from_row(row: &AnyRow, at: usize) -> Result<Self, sqlx::Error> {
        let text: &str = row.try_get(at)?;
        text.parse().map_err(|error| sqlx::Error::ColumnDecode { index: at.to_string(), source: Box::new(error) })
    }
}

macro_rules! key {
    ($row:ident, $only:ident) => {
        Key::one($row.$only.clone())
    };
    ($row:ident, $first:ident, $second:ident) => {
        Key($row.$first.clone(), $row.$second.clone())
    };
}

macro_rules! record {
    ($row:ident is $table:ident $name:literal ($($key:ident),+) ($($rest:ident),+)) => {
        impl Record for $row {
            const TABLE: Table = Table::$table;
            const SHAPE: Shape =
                Shape { name: $name, keys: &[$(stringify!($key)),+], rest: &[$(stringify!($rest)),+] };

            fn key(&self) -> Key {
                key!(self, $($key),+)
            }

            fn cells(self) -> Box<[Cell]> {
                let $row { $($key,)+ $($rest),+ } = self;
                Box::new([$($key.into_cell(),)+ $($rest.into_cell()),+])
            }

            fn read(cells: &mut Cells<'_>) -> Result<Self, sqlx::Error> {
                Ok($row { $($key: cells.take()?,)+ $($rest: cells.take()?),+ })
            }
        }
    };
}

record!(MetaRow is Meta "meta" (name) (value));
record!(RuleGroupRow is RuleGroup "rule_group" (id) (last_slot));
record!(RuleAlertRow is RuleAlert "rule_alert" (rule, fingerprint) (labels));
record!(RuleAlertStateRow is RuleAlertState "rule_alert_state" (rule, fingerprint)
    (state, active_since, fired_at, quiet_since, resolved_at, value, annotations));
record!(AlertRow is Alert "alert" (fingerprint) (labels));
record!(AlertStateRow is AlertState "alert_state" (fingerprint)
    (starts_at, ends_at, lease_ms, ours, updated_at, annotations, generator_url));
record!(GroupRow is Group "alert_group" (id) (group_key, receiver, labels, next_flush, route_key, ordinal));
record!(GroupMemberRow is GroupMember "group_member" (group_id, fingerprint) (orphan));
record!(NotificationLogRow is NotificationLog "notification_log" (group_id, way)
    (firing, unsure, resolved, told, written, expires_at, seq, data));
record!(OutboxRow is Outbox "outbox" (group_id, way) (seq, key, alerts, reason, tick));
