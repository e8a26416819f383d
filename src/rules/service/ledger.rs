//! What the service asks of storage: the database in a daemon, memory in tests on paused time (which a database's threads
//! do not bear).

use futures_util::future::BoxFuture;

use crate::rules::core::{Change, HistoryEntry};

/// Where the state of rules is kept.
pub(super) trait Ledger: Send + Sync {
    /// Completes once the changes are durable, or taken in charge by degraded storage.
    fn commit(&self, changes: Vec<Change>, history: Vec<HistoryEntry>) -> BoxFuture<'_, Result<(), LedgerError>>;
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LedgerError {
    /// Final: this process must not act any more.
    #[error("another process owns the state")]
    Deposed,
    #[error("{0}")]
    Failed(String),
}
