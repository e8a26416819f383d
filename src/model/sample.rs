//! Samples, and the seam to whatever stores them.

use futures_util::future::BoxFuture;

use super::{LabelSet, Timestamp};

/// A value of one label set at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// With `__name__`, if the series has one.
    pub labels: LabelSet,
    pub at: Timestamp,
    pub value: f64,
}

/// Samples of one label set over time, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub labels: LabelSet,
    pub points: Vec<(Timestamp, f64)>,
}

/// Why a store did not take samples.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SinkError(pub String);

/// Where rules write what they record (`ALERTS`, recording rules): the seam between `rules` and a store.
pub trait Sink: Send + Sync {
    /// Returns once the samples can be queried.
    ///
    /// # Errors
    /// Nothing of the batch was written.
    fn write<'a>(&'a self, samples: &'a [Sample]) -> BoxFuture<'a, Result<(), SinkError>>;
}
