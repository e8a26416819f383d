//! Where a rule's expression is answered: whatever lies behind a source, it answers with a vector of labelled samples.
//!
//! A kind is one file: it says what to ask and reads what is answered, and does no I/O. Deadline, retries, limits and
//! credentials are the same for all of them and live in `remote`.
//! **Invariant:** an answer that may lack samples is an error: a missing sample would resolve an alert.

mod config;
mod envelope;
mod error;
mod loki;
mod prometheus;
mod query;
mod remote;
mod tempo;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::future::BoxFuture;

pub use config::{SourceConfig, SourceKind};
pub use error::SourceError;
pub use query::{Answer, Query, RangeAnswer, RangeQuery};

/// Something that answers expressions.
pub trait Source: Send + Sync {
    /// As it is configured; unique.
    fn name(&self) -> &str;

    fn kind(&self) -> SourceKind;

    /// How far behind the clock it is asked by groups that do not say so themselves. Whoever asks subtracts it: a query
    /// is answered at the instant that it names.
    fn query_delay(&self) -> Option<Duration>;

    /// Answers at one instant.
    ///
    /// # Errors
    /// There is no whole, usable answer within the query's time: see [`SourceError`].
    fn instant<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Answer, SourceError>>;

    /// Answers over a range, for charts and back-fills.
    ///
    /// # Errors
    /// As for [`Source::instant`].
    fn range<'a>(&'a self, query: &'a RangeQuery) -> BoxFuture<'a, Result<RangeAnswer, SourceError>>;

    /// Whether it can be reached and accepts the credentials.
    ///
    /// # Errors
    /// Why it cannot, or does not.
    fn probe(&self) -> BoxFuture<'_, Result<(), SourceError>>;
}
