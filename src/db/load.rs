//! Reading the state at the start, and history whenever it is asked for.

use sqlx::AnyPool;
use sqlx::SqlStr;
use sqlx::any::AnyArguments;

use super::error::DbError;
use super::history::{HistoryFilter, HistoryRow};
use super::record::{Cells, Column, Record};
use super::rows::{
    AlertRow, AlertStateRow, GroupMemberRow, GroupRow, NotificationLogRow, OutboxRow, RuleAlertRow, RuleAlertStateRow,
    RuleGroupRow,
};
use super::session::{fetch, trusted, within};
use super::statement::arguments;

/// What `rules` left, each list in the order of its keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RulesState {
    pub groups: Vec<RuleGroupRow>,
    pub alerts: Vec<RuleAlertRow>,
    pub states: Vec<RuleAlertStateRow>,
}

/// What `router` left, each list in the order of its keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouterState {
    pub alerts: Vec<AlertRow>,
    pub alert_states: Vec<AlertStateRow>,
    pub groups: Vec<GroupRow>,
    pub members: Vec<GroupMemberRow>,
    pub notification_log: Vec<NotificationLogRow>,
    pub outbox: Vec<OutboxRow>,
}

/// Reads beside the writer.
pub(super) struct Reader {
    pub(super) pool: AnyPool,
    pub(super) deadline: std::time::Duration,
}

impl Reader {
    pub(super) async fn rules(&self) -> Result<RulesState, DbError> {
        Ok(RulesState { groups: self.table().await?, alerts: self.table().await?, states: self.table().await? })
    }

    pub(super) async fn router(&self) -> Result<RouterState, DbError> {
        Ok(RouterState {
            alerts: self.table().await?,
            alert_states: self.table().await?,
            groups: self.table().await?,
            members: self.table().await?,
            notification_log: self.table().await?,
            outbox: self.table().await?,
        })
    }

    pub(super) async fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, DbError> {
        let (sql, cells) = filter.statement();
        self.fetch(trusted(sql), arguments(&cells)?, HistoryRow::read).await
    }

    pub(super) async fn meta(&self, name: &str) -> Result<Option<String>, DbError> {
        let bound = arguments([&std::sync::Arc::<str>::from(name).into_cell()])?;
        let sql = trusted("SELECT value FROM meta WHERE name = $1");
        let values = self.fetch(sql, bound, |cells| cells.take::<std::sync::Arc<str>>()).await?;
        Ok(values.first().map(|value| value.to_string()))
    }

    /// The largest id of history (zero if there is none) and how many rows there are.
    pub(super) async fn history_extent(&self) -> Result<(i64, i64), DbError> {
        let largest = trusted("SELECT MAX(id) FROM history");
        let largest = self.fetch(largest, arguments([])?, |cells| cells.take::<Option<i64>>()).await?;
        let rows = trusted("SELECT CAST(COUNT(*) AS BIGINT) FROM history");
        let rows = self.fetch(rows, arguments([])?, |cells| cells.take::<i64>()).await?;
        Ok((largest.into_iter().flatten().next().unwrap_or(0), rows.into_iter().next().unwrap_or(0)))
    }

    async fn table<R: Record>(&self) -> Result<Vec<R>, DbError> {
        let shape = R::SHAPE;
        let columns: Vec<&str> = shape.columns().collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), shape.name, shape.keys.join(", "));
        self.fetch(trusted(sql), arguments([])?, R::read).await
    }

    async fn fetch<T>(
        &self,
        sql: SqlStr,
        arguments: AnyArguments,
        read: impl Fn(&mut Cells<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, DbError> {
        let mut connection = within(self.deadline, self.pool.acquire()).await?;
        let rows = fetch(&mut connection, self.deadline, sql, arguments, read).await;
        if rows.is_err() {
            // Out of the pool: nobody knows what it is in the middle of.
            drop(connection.detach());
        }
        rows
    }
}
