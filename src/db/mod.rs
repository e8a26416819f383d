//! The repository: what must survive a crash, in SQLite or Postgres through one dialect. `rules` and `router` convert
//! their state to the plain rows of this room; nothing here knows what the rows mean.
//!
//! One task writes ([`Db`] is a handle to it). It commits whatever waits as soon as the last commit has ended, many
//! callers' batches in one transaction, and answers [`Durability::Durable`] once that is on disk. While storage fails it
//! keeps the changes in a map keyed by table and key and answers [`Durability::Degraded`].
//!
//! **Invariants:**
//! - Every transaction starts by adding one to the counter of this process' tenure; where that changes no row, somebody
//!   else owns the state, and this process never writes again ([`DbError::Deposed`]).
//! - A commit whose outcome is unknown is settled by that counter, never guessed, and never written twice over newer
//!   changes.
//! - A batch is committed whole, with its history, or not at all.
//! - Keys and numbers are made by their owners, the ids of history by the writer, none by the database.
//! - Every statement has a deadline on this side, after which its connection is dropped.

mod attempt;
mod change;
mod config;
mod dirty;
mod error;
mod handle;
mod history;
mod load;
mod lock;
mod metrics;
mod record;
mod rows;
mod schema;
mod session;
mod statement;
mod tenure;
mod writer;

#[cfg(test)]
mod tests;

pub use change::{Batch, Change};
pub use config::{Location, StorageConfig};
pub use error::DbError;
pub use handle::{Db, Durability};
pub use history::{HistoryFilter, HistoryKind, HistoryRow, NewHistory};
pub use load::{RouterState, RulesState};
pub use rows::{
    AlertRow, AlertStateRow, GroupMemberRow, GroupRow, MetaRow, NotificationLogRow, OutboxRow, RuleAlertRow,
    RuleAlertStateRow, RuleGroupRow,
};
