//! What is asked and what is answered.

use std::time::Duration;

use crate::model::{Sample, Series, Timestamp};

/// An expression at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub expr: String,
    pub at: Timestamp,
    /// How far back to look, for kinds whose language does not say so itself (Tempo).
    pub window: Option<Duration>,
    /// For everything, retries included.
    pub timeout: Duration,
}

/// One sample for each series, and what the source had to remark.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    pub samples: Vec<Sample>,
    pub warnings: Vec<String>,
}

/// An expression from `start` to `end`, both included, in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeQuery {
    pub expr: String,
    pub start: Timestamp,
    pub end: Timestamp,
    pub step: Duration,
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct RangeAnswer {
    pub series: Vec<Series>,
    pub warnings: Vec<String>,
}
