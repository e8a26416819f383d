//! One rendering: its bounds, what it is about, and the error that ended it.
//!
//! It lives in a slot of the thread that renders, since the engine's functions take nothing but values.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use gotmpl::Value;

use crate::model::{Clock, GoRegex, Sample, SystemClock, Timestamp};
use crate::template::TemplateError;

use super::value::{as_text, weigh};

/// Bounds of one rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the finished text.
    pub output_bytes: usize,
    /// Of all texts that functions make on the way.
    pub scratch_bytes: usize,
    /// Of all `range` loops together.
    pub iterations: u64,
    /// From start to end, queries included.
    pub time: Duration,
    /// Calls of `query`.
    pub queries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            output_bytes: 16 << 20,
            scratch_bytes: 64 << 20,
            iterations: 1_000_000,
            time: Duration::from_secs(10),
            queries: 10,
        }
    }
}

/// A question to whoever started the rendering, and where the answer goes.
pub(crate) struct Asking {
    pub(crate) questions: SyncSender<String>,
    pub(crate) answers: Receiver<Result<Vec<Sample>, String>>,
}

/// The text of a route label by its name; `None` for a name that is not there.
pub(crate) type RouteLabel = dyn Fn(&str) -> Result<Option<String>, String>;

/// What a rendering is about, besides its data.
pub(crate) struct About {
    pub(crate) now: Timestamp,
    pub(crate) external_url: Rc<str>,
    pub(crate) asking: Option<Asking>,
    pub(crate) route_label: Option<Rc<RouteLabel>>,
}

struct Run {
    about: Rc<About>,
    limits: Limits,
    clock: SystemClock,
    scratch: usize,
    queries: usize,
    regexes: HashMap<String, GoRegex>,
    failure: Option<TemplateError>,
}

/// Patterns kept in one rendering.
const REGEXES: usize = 64;

thread_local! {
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// Renders with `work` and returns what it returned, and the error that a function of ours raised.
pub(super) fn within<T>(about: Rc<About>, limits: &Limits, work: impl FnOnce() -> T) -> (T, Option<TemplateError>) {
    let run = Run {
        about,
        limits: *limits,
        clock: SystemClock::new(),
        scratch: 0,
        queries: 0,
        regexes: HashMap::new(),
        failure: None,
    };
    let outer = RUN.replace(Some(run));
    let result = work();
    let failure = RUN.replace(outer).and_then(|run| run.failure);
    (result, failure)
}

/// Keeps the error that ends the rendering.
pub(super) fn fail(error: TemplateError) {
    RUN.with_borrow_mut(|run| {
        if let Some(run) = run {
            run.failure.get_or_insert(error);
        }
    });
}

/// What is being rendered.
///
/// # Errors
/// Outside of a rendering, which no template can bring about.
pub(crate) fn about() -> Result<Rc<About>, String> {
    RUN.with_borrow(|run| run.as_ref().map(|run| run.about.clone()))
        .ok_or_else(|| "no template is being rendered".to_owned())
}

/// Refuses to go on when time is up.
pub(super) fn check_time() -> Result<(), String> {
    RUN.with_borrow(|run| match run {
        Some(run) if run.clock.monotonic() > run.limits.time => {
            Err(format!("template ran for more than {:?}", run.limits.time))
        }
        _ => Ok(()),
    })
}

/// Counts `bytes` of text that a function is about to return.
pub(crate) fn spend(bytes: usize) -> Result<(), String> {
    RUN.with_borrow_mut(|run| {
        let Some(run) = run else { return Ok(()) };
        run.scratch = run.scratch.saturating_add(bytes);
        if run.scratch > run.limits.scratch_bytes {
            return Err(format!("template made more than {} bytes of text", run.limits.scratch_bytes));
        }
        Ok(())
    })
}

/// Refuses to print values, each up to `times`, that would not fit.
pub(crate) fn afford(values: &[Value], times: usize) -> Result<(), String> {
    let limit = scratch_limit();
    let mut total = 0_usize;
    for value in values {
        let weight = weigh(value, limit).unwrap_or(usize::MAX);
        total = total.saturating_add(weight.saturating_mul(times));
    }
    check_size(total)
}

fn scratch_limit() -> usize {
    RUN.with_borrow(|run| run.as_ref().map_or(usize::MAX, |run| run.limits.scratch_bytes))
}

/// Refuses to make a text of up to so many bytes.
fn check_size(bytes: usize) -> Result<(), String> {
    let limit = scratch_limit();
    if bytes > limit {
        return Err(format!("template would make a text of more than {limit} bytes"));
    }
    Ok(())
}

/// `strings.Join`.
pub(crate) fn join(parts: &[Value], separator: &str) -> Result<String, String> {
    afford(parts, 1)?;
    check_size(parts.len().saturating_mul(separator.len()))?;
    Ok(parts.iter().filter_map(as_text).map(|part| &**part).collect::<Vec<_>>().join(separator))
}

/// A pattern, compiled once in a rendering.
///
/// # Errors
/// Go would refuse it.
pub(crate) fn regex(pattern: &str) -> Result<GoRegex, String> {
    let known = RUN.with_borrow(|run| run.as_ref().and_then(|run| run.regexes.get(pattern).cloned()));
    if let Some(regex) = known {
        return Ok(regex);
    }
    let regex = GoRegex::new(pattern).map_err(|error| error.to_string())?;
    RUN.with_borrow_mut(|run| match run {
        Some(run) if run.regexes.len() < REGEXES => {
            run.regexes.insert(pattern.to_owned(), regex.clone());
        }
        _ => {}
    });
    Ok(regex)
}

/// `reReplaceAll`.
///
/// # Errors
/// Go would refuse the pattern, or the result might be too large.
pub(crate) fn replace_all(pattern: &str, replacement: &str, text: &str) -> Result<String, String> {
    let regex = regex(pattern)?;
    // At most one match a byte and one at the end; each reference gives at most the whole text over all matches.
    let literal = replacement.len().saturating_mul(text.len() + 1);
    let references = replacement.matches('$').count().saturating_mul(text.len());
    check_size(literal.saturating_add(references).saturating_add(text.len()))?;
    Ok(regex.replace_all(text, replacement))
}

/// Runs a query for the template.
///
/// # Errors
/// The query's own, or one too many.
pub(crate) fn ask(expr: &str) -> Result<Vec<Sample>, String> {
    RUN.with_borrow_mut(|run| {
        let Some(run) = run else { return Ok(()) };
        run.queries += 1;
        if run.queries > run.limits.queries {
            return Err(format!("template made more than {} queries", run.limits.queries));
        }
        Ok(())
    })?;
    let about = about()?;
    let asking = about.asking.as_ref().ok_or("queries are not possible here")?;
    let gone = |_| "queries are not possible any more".to_owned();
    asking.questions.send(expr.to_owned()).map_err(|error| gone(error.to_string()))?;
    asking.answers.recv().map_err(|error| gone(error.to_string()))?
}

/// A text that refuses to grow beyond a bound.
pub(super) struct Capped {
    pub(super) text: String,
    limit: usize,
    pub(super) overflowed: bool,
}

impl Capped {
    pub(super) fn new(limit: usize) -> Self {
        Capped { text: String::new(), limit, overflowed: false }
    }
}

impl fmt::Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len().saturating_add(text.len()) > self.limit {
            self.overflowed = true;
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}
