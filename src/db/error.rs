//! What can go wrong with storage, and the one place that translates what the driver says.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Final: this process must end its services.
    #[error("another process owns the state now, or it was restored from elsewhere")]
    Deposed,
    /// The writer has ended.
    #[error("storage is closed")]
    Closed,
    /// Closing gave up: storage was failing and did not come back.
    #[error("storage was closed with {changes} changes and {history} rows of history unsaved")]
    Unsaved { changes: usize, history: usize },
    #[error("{} is locked by another process", path.display())]
    Locked { path: PathBuf },
    #[error("{} cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("storage.url is not a URL of a PostgreSQL database")]
    Url,
    /// A newer Belfry has changed the schema so that this one would misread it.
    #[error("the state needs belfry {min_binary} or newer, this is {this}")]
    TooNew { min_binary: String, this: &'static str },
    #[error("the schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("the machine gives no randomness")]
    Randomness,
    /// No answer in time; the connection was dropped.
    #[error("storage did not answer within {} ms", after.as_millis())]
    Timeout { after: Duration },
    #[error("storage refused a statement")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        DbError::Query(error)
    }
}

/// Whether the statement named a table that is not there: SQLite's only sign is its text.
pub(super) fn is_missing_table(error: &DbError) -> bool {
    let DbError::Query(sqlx::Error::Database(error)) = error else { return false };
    match error.code().as_deref() {
        Some("42P01") => true,
        Some("1") => error.message().starts_with("no such table"),
        _ => false,
    }
}

/// An error and its causes on one line, for logs and history.
pub(super) fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
