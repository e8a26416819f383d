//! How many queries of rules are asked at a time: of all sources together, and of each one a part of that, so that a
//! source that hangs does not stop the rules of the others.

use std::collections::HashMap;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::metrics::IntGauge;
use crate::rules::Sources;
use crate::rules::metrics::Metrics;

pub(super) struct Permits {
    all: Semaphore,
    by_source: HashMap<String, Semaphore>,
    in_flight: IntGauge,
}

/// Given back when dropped.
pub(super) struct Permit<'a> {
    _source: Option<SemaphorePermit<'a>>,
    _all: Option<SemaphorePermit<'a>>,
    in_flight: &'a IntGauge,
}

impl Permits {
    pub(super) fn new(concurrency: usize, sources: &Sources, metrics: &Metrics) -> Self {
        let all = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let share = if sources.len() > 1 { all.div_ceil(2) } else { all };
        metrics.queries_limit.set(all as f64);
        Permits {
            all: Semaphore::new(all),
            by_source: sources.names().map(|name| (name.to_owned(), Semaphore::new(share))).collect(),
            in_flight: metrics.queries_in_flight.clone(),
        }
    }

    /// Waits for the source's own permit first: whoever waits for a slow source holds none of the common ones.
    pub(super) async fn take(&self, source: &str) -> Permit<'_> {
        let own = match self.by_source.get(source) {
            // The semaphores are never closed.
            Some(semaphore) => semaphore.acquire().await.ok(),
            None => None,
        };
        let all = self.all.acquire().await.ok();
        self.in_flight.inc();
        Permit { _source: own, _all: all, in_flight: &self.in_flight }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}
