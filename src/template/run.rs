//! What one rendering may use and what it knows besides its data.
//!
//! The engine's functions outlive a rendering and cannot borrow from it, so a rendering lies in its thread while it runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gotmpl::Value;

use crate::model::{Clock, SystemClock, Timestamp};

/// What a rendering may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub output_bytes: usize,
    pub time: Duration,
    /// Rounds of all `range` of one rendering together.
    pub rounds: u64,
    /// Different queries of one rendering.
    pub queries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { output_bytes: 4 << 20, time: Duration::from_secs(5), rounds: 1_000_000, queries: 100 }
    }
}

/// Whose language is spoken: printing and some functions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    Rule,
    Notification,
}

pub(super) struct Run {
    pub(super) flavor: Flavor,
    pub(super) now: Timestamp,
    pub(super) external_url: Arc<str>,
    pub(super) route_labels: Arc<HashMap<String, String>>,
    /// Answers so far. A query that is not among them ends the run, is asked, and the run begins anew.
    pub(super) answers: HashMap<String, Result<Value, String>>,
    pub(super) asked: Option<String>,
    pub(super) limits: Limits,
    clock: SystemClock,
}

impl Run {
    pub(super) fn new(flavor: Flavor, now: Timestamp, external_url: &str, limits: Limits) -> Self {
        Run {
            flavor,
            now,
            external_url: external_url.into(),
            route_labels: Arc::default(),
            answers: HashMap::new(),
            asked: None,
            limits,
            clock: SystemClock::new(),
        }
    }
}

thread_local! {
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// Runs `work` with `run` in this thread, and gives it back.
pub(super) fn with<T>(run: Run, work: impl FnOnce() -> T) -> (T, Option<Run>) {
    let before = RUN.replace(Some(run));
    let result = work();
    (result, RUN.replace(before))
}

/// Looks at the rendering of this thread.
pub(super) fn look<T>(at: impl FnOnce(&mut Run) -> T) -> Result<T, String> {
    RUN.with_borrow_mut(|run| run.as_mut().map(at)).ok_or_else(|| "no rendering is under way".to_owned())
}

pub(super) fn flavor() -> Flavor {
    look(|run| run.flavor).unwrap_or(Flavor::Notification)
}

/// Refuses to go on once the time is over.
pub(super) fn check_time() -> Result<(), String> {
    match look(|run| run.clock.monotonic() > run.limits.time)? {
        true => Err("rendering took too long".to_owned()),
        false => Ok(()),
    }
}

/// Refuses a text that could not be written anyway, before it is doubled again.
pub(super) fn check_size(bytes: usize) -> Result<(), String> {
    match bytes > look(|run| run.limits.output_bytes)? {
        true => Err("a text is too large".to_owned()),
        false => Ok(()),
    }
}

/// Text up to a limit.
pub(super) struct Capped {
    pub(super) text: String,
    limit: usize,
}

impl Capped {
    pub(super) fn new(limit: usize) -> Self {
        Capped { text: String::new(), limit }
    }
}

impl fmt::Write for Capped {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > self.limit || check_time().is_err() {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}
