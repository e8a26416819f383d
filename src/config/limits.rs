//! `limits`: what Belfry takes at most, each refused at the door with a reason.

use std::time::Duration;

use super::{later, scalar};
use crate::yaml::{Findings, Node, Section};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Bytes of one request body, after decompression.
    pub body: u64,
    /// Alerts held at once.
    pub alerts: usize,
    /// Labels of one alert.
    pub labels: usize,
    /// Bytes of a label's name.
    pub label_name: u64,
    /// Bytes of a label's or annotation's value.
    pub label_value: u64,
    /// Samples that one query may hold in memory.
    pub query_samples: usize,
    /// How long one query of the API may take.
    pub query_timeout: Duration,
    /// Queries of the API at once.
    pub query_concurrency: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig {
            body: 64 << 20,
            alerts: 1_000_000,
            labels: 64,
            label_name: 1 << 10,
            label_value: 16 << 10,
            query_samples: 50_000_000,
            query_timeout: Duration::from_secs(120),
            query_concurrency: 20,
        }
    }
}

impl LimitsConfig {
    pub(super) fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut limits = LimitsConfig::default();
        let Some(mut section) = Section::open(node, "limits", findings) else { return limits };
        for (key, limit) in [
            ("body", &mut limits.body),
            ("label_name", &mut limits.label_name),
            ("label_value", &mut limits.label_value),
        ] {
            if let Some(bytes) = section.read(key, findings, scalar::bytes) {
                *limit = bytes;
            }
        }
        for (key, limit) in [
            ("alerts", &mut limits.alerts),
            ("labels", &mut limits.labels),
            ("query_samples", &mut limits.query_samples),
            ("query_concurrency", &mut limits.query_concurrency),
        ] {
            if let Some(count) = section.read(key, findings, scalar::count) {
                *limit = count;
            }
        }
        if let Some(timeout) = section.read("query_timeout", findings, scalar::positive_duration) {
            limits.query_timeout = timeout;
        }
        for key in ["series", "samples_per_second"] {
            later::refuse(&mut section, key, "it belongs to the embedded store; leave it out", findings);
        }
        later::idle(&mut section, "query_samples", "sources bound their own queries", findings);
        section.finish(findings);
        limits
    }
}
