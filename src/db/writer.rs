//! The one task that writes: a loop over its inbox, the attempt under way, and the next deadline.
//!
//! What arrives is merged into `waiting`; when no attempt runs, `waiting` becomes the next attempt's job. While an
//! attempt runs the inbox is still read, so that callers are answered the moment storage counts as degraded.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::sync::{mpsc, oneshot};

use crate::model::Clock;

use super::attempt::{Job, Outcome, attempt};
use super::change::Batch;
use super::error::{DbError, full_text};
use super::handle::{Durability, Shared};
use super::history::{HistoryKind, NewHistory};
use super::lock::StorageLock;
use super::metrics::Metrics;
use super::session::{Access, Session, Target};
use super::tenure::Tenure;

/// Batches taken from the inbox at a time.
const TAKE: usize = 64;

/// How long history that comes with no change may wait for one.
const HISTORY_WAIT: Duration = Duration::from_millis(50);

/// Unsaved rows of history: beyond that callers wait, or, while degraded, the oldest drop.
const HISTORY_LIMIT: usize = 100_000;

/// Changes merged before other tasks get a turn.
const MERGE_SLICE: usize = 256;

/// The wait between two attempts doubles from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long the readers have to finish when storage is closed.
const READERS_GOODBYE: Duration = Duration::from_secs(5);

type Reply<T> = oneshot::Sender<Result<T, DbError>>;

#[derive(Debug)]
pub(super) enum Message {
    Commit { batch: Batch, reply: Reply<Durability> },
    Prune { before: i64, reply: Reply<u64> },
    Close,
}

/// What the writer begins with.
pub(super) struct Start {
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) session: Session,
    pub(super) tenure: Tenure,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Metrics,
    pub(super) degraded_after: Duration,
    pub(super) last_history_id: i64,
    /// The readers see a file that they believe nobody writes: to be replaced once it is written.
    pub(super) stale_readers: Option<Target>,
    /// The state can be read and not written.
    pub(super) trouble: Option<DbError>,
    pub(super) lock: Option<StorageLock>,
}

/// Everything that an attempt needs, and has while it runs.
struct Turn {
    session: Session,
    tenure: Tenure,
    job: Job,
}

struct Finished {
    turn: Turn,
    outcome: Outcome,
    started: Duration,
}

/// What is to be written, and who waits for it.
#[derive(Default)]
struct Pending {
    job: Job,
    commits: Vec<Reply<Durability>>,
    prunes: Vec<Reply<u64>>,
    /// When the first row of history came, if nothing else has.
    history_since: Option<Duration>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.job.is_empty() && self.commits.is_empty() && self.prunes.is_empty()
    }

    /// Only history, which may wait for company.
    fn is_patient(&self) -> bool {
        self.job.changes.is_empty() && self.job.prune_before.is_none()
    }
}

struct Trouble {
    since: Duration,
    retry_at: Duration,
    backoff: Duration,
    error: String,
}

pub(super) struct Writer {
    inbox: mpsc::Receiver<Message>,
    is_open: bool,
    /// `None` while an attempt has it.
    turn: Option<Turn>,
    attempt: Option<BoxFuture<'static, Finished>>,
    /// Who waits for the job of the turn.
    writing: Pending,
    waiting: Pending,
    trouble: Option<Trouble>,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    degraded_after: Duration,
    last_history_id: i64,
    stale_readers: Option<Target>,
    lock: Option<StorageLock>,
}

impl Writer {
    pub(super) fn new(start: Start) -> Self {
        let now = start.clock.monotonic();
        let mut writer = Writer {
            inbox: start.inbox,
            is_open: true,
            turn: Some(Turn { session: start.session, tenure: start.tenure, job: Job::default() }),
            attempt: None,
            writing: Pending::default(),
            waiting: Pending::default(),
            trouble: None,
            shared: start.shared,
            clock: start.clock,
            metrics: start.metrics,
            degraded_after: start.degraded_after,
            last_history_id: start.last_history_id,
            stale_readers: start.stale_readers,
            lock: start.lock,
        };
        if let Some(error) = start.trouble {
            let error = full_text(&error);
            writer.trouble = Some(Trouble { since: now, retry_at: now + RETRY.0, backoff: RETRY.0, error });
            writer.degrade();
        }
        writer
    }

    /// Ends when storage is closed, or all handles are gone, or the tenure is deposed.
    pub(super) async fn run(mut self) -> Result<(), DbError> {
        let mut taken = Vec::with_capacity(TAKE);
        let result = loop {
            self.start_attempt();
            if self.attempt.is_none() && !self.is_open && self.turn_is_done() {
                break Ok(());
            }
            let wake = self.wake_in();
            let takes_more = self.is_open && self.has_room();
            tokio::select! {
                biased;
                Some(finished) = OptionFuture::from(self.attempt.as_mut()) => {
                    self.attempt = None;
                    if let ControlFlow::Break(result) = self.finish(finished) {
                        break result;
                    }
                }
                count = self.inbox.recv_many(&mut taken, TAKE), if takes_more => {
                    self.metrics.inbox_length.set(i64::try_from(self.inbox.len()).unwrap_or(i64::MAX));
                    if count == 0 {
                        self.is_open = false;
                    }
                    for message in taken.drain(..) {
                        self.take(message).await;
                    }
                }
                () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {}
            }
            self.degrade_if_due();
            self.metrics.unsaved_changes.set(i64::try_from(self.unsaved().0).unwrap_or(i64::MAX));
        };
        self.end(result).await
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Close => self.inbox.close(),
            Message::Prune { before, reply } if self.is_degraded() => {
                tracing::debug!(before, "history not pruned while storage is degraded");
                let _ = reply.send(Ok(0));
            }
            Message::Prune { before, reply } => {
                self.waiting.job.prune_before = self.waiting.job.prune_before.max(Some(before));
                self.waiting.prunes.push(reply);
            }
            Message::Commit { batch, reply } => {
                for (at, change) in batch.changes.into_iter().enumerate() {
                    if at % MERGE_SLICE == MERGE_SLICE - 1 {
                        tokio::task::yield_now().await;
                    }
                    self.waiting.job.changes.apply(change);
                }
                self.record(batch.history);
                if self.is_degraded() {
                    drop_oldest(&mut self.waiting.job, &self.metrics);
                    let _ = reply.send(Ok(Durability::Degraded));
                } else {
                    self.waiting.commits.push(reply);
                }
            }
        }
    }

    fn record(&mut self, rows: impl IntoIterator<Item = NewHistory>) {
        for row in rows {
            self.last_history_id += 1;
            self.waiting.job.history.push_back((self.last_history_id, row));
        }
        if !self.waiting.job.history.is_empty() {
            self.waiting.history_since.get_or_insert(self.clock.monotonic());
        }
    }

    /// Starts the next attempt if there is something to write and it is time.
    fn start_attempt(&mut self) {
        let now = self.clock.monotonic();
        let Some(turn) = &mut self.turn else { return };
        match &self.trouble {
            Some(trouble) if now < trouble.retry_at => return,
            Some(_) => {
                if !turn.tenure.is_unsettled() {
                    merge(turn, &mut self.writing, std::mem::take(&mut self.waiting));
                    if self.shared.degraded.load(Ordering::Acquire) {
                        drop_oldest(&mut turn.job, &self.metrics);
                    }
                }
            }
            None => {
                let is_early = self.waiting.is_patient()
                    && self.is_open
                    && self.waiting.history_since.is_some_and(|since| now < since + HISTORY_WAIT);
                if self.waiting.is_empty() || is_early {
                    return;
                }
                merge(turn, &mut self.writing, std::mem::take(&mut self.waiting));
            }
        }
        let Some(mut turn) = self.turn.take() else { return };
        self.attempt = Some(Box::pin(async move {
            let outcome = attempt(&mut turn.session, &mut turn.tenure, &turn.job).await;
            Finished { turn, outcome, started: now }
        }));
    }

    fn finish(&mut self, finished: Finished) -> ControlFlow<Result<(), DbError>> {
        let Finished { mut turn, outcome, started } = finished;
        let now = self.clock.monotonic();
        match outcome {
            Outcome::Committed { pruned } => {
                self.metrics.commits.inc();
                self.metrics.commit_seconds.observe(now.saturating_sub(started).as_secs_f64());
                let job = std::mem::take(&mut turn.job);
                self.metrics.history_rows.add(i64::try_from(job.history.len()).unwrap_or(0));
                self.metrics.history_rows.sub(i64::try_from(pruned).unwrap_or(0));
                self.turn = Some(turn);
                let done = std::mem::take(&mut self.writing);
                answer(done.commits, Durability::Durable);
                answer(done.prunes, pruned);
                self.recover();
                ControlFlow::Continue(())
            }
            Outcome::Failed(error) => {
                self.metrics.commit_failures.inc();
                turn.job.prune_before = None;
                self.turn = Some(turn);
                let error_text = full_text(&error);
                for reply in self.writing.prunes.drain(..) {
                    let _ = reply.send(Ok(0));
                }
                let backoff = match &self.trouble {
                    Some(trouble) => (trouble.backoff * 2).min(RETRY.1),
                    None => {
                        tracing::warn!(error = error_text, "commit failed, will retry");
                        RETRY.0
                    }
                };
                let since = self.trouble.as_ref().map_or(started, |trouble| trouble.since);
                self.trouble = Some(Trouble { since, retry_at: now + backoff, backoff, error: error_text });
                if !self.is_open && self.is_degraded() {
                    let (changes, history) = self.unsaved();
                    return ControlFlow::Break(match changes + history {
                        0 => Ok(()),
                        _ => Err(DbError::Unsaved { changes, history }),
                    });
                }
                ControlFlow::Continue(())
            }
            Outcome::Deposed => {
                self.turn = Some(turn);
                tracing::error!("deposed: another process owns the state now, nothing is written any more");
                self.shared.deposed.store(true, Ordering::Release);
                ControlFlow::Break(Err(DbError::Deposed))
            }
        }
    }

    /// After a good commit.
    fn recover(&mut self) {
        if let Some(target) = self.stale_readers.take() {
            match target.readers(Access::ReadWrite) {
                Ok(readers) => *self.shared.readers.write().unwrap_or_else(PoisonError::into_inner) = readers,
                Err(error) => tracing::error!(error = full_text(&error), "readers not renewed"),
            }
        }
        if self.trouble.take().is_some() && self.shared.degraded.swap(false, Ordering::AcqRel) {
            self.metrics.degraded.set(0);
            tracing::info!("storage is good again, all changes are saved");
            let ended = NewHistory::new(self.clock.now().as_millis(), HistoryKind::Degraded);
            self.record([NewHistory { reason: Some("ended".into()), ..ended }]);
        }
    }

    fn degrade_if_due(&mut self) {
        let now = self.clock.monotonic();
        let is_due = self.trouble.as_ref().is_some_and(|trouble| now >= trouble.since + self.degraded_after);
        if is_due && !self.is_degraded() {
            self.degrade();
        }
    }

    fn degrade(&mut self) {
        let error = self.trouble.as_ref().map(|trouble| trouble.error.clone()).unwrap_or_default();
        self.shared.degraded.store(true, Ordering::Release);
        self.metrics.degraded.set(1);
        tracing::error!(error, "storage is degraded: decisions go on, but a crash would lose what they changed");
        let begun = NewHistory::new(self.clock.now().as_millis(), HistoryKind::Degraded);
        self.record([NewHistory { reason: Some("begun".into()), detail: Some(error.into()), ..begun }]);
        for pending in [&mut self.writing, &mut self.waiting] {
            answer(std::mem::take(&mut pending.commits), Durability::Degraded);
            answer(std::mem::take(&mut pending.prunes), 0);
        }
    }

    fn is_degraded(&self) -> bool {
        self.shared.degraded.load(Ordering::Acquire)
    }

    fn has_room(&self) -> bool {
        self.is_degraded() || self.waiting.job.history.len() < HISTORY_LIMIT
    }

    /// Nothing is left to be written.
    fn turn_is_done(&self) -> bool {
        self.waiting.is_empty() && self.trouble.is_none()
    }

    /// Changes and rows of history that are not durable, those of a running attempt not counted.
    fn unsaved(&self) -> (usize, usize) {
        let jobs = [Some(&self.waiting.job), self.turn.as_ref().map(|turn| &turn.job)];
        let count = |of: fn(&Job) -> usize| jobs.iter().flatten().map(|job| of(job)).sum();
        (count(|job| job.changes.len()), count(|job| job.history.len()))
    }

    /// Time until something is due that no message and no attempt announces.
    fn wake_in(&self) -> Option<Duration> {
        let retry = self.trouble.as_ref().filter(|_| self.attempt.is_none()).map(|trouble| trouble.retry_at);
        let degrade = self.trouble.as_ref().filter(|_| !self.is_degraded());
        let degrade = degrade.map(|trouble| trouble.since + self.degraded_after);
        let is_patient = self.trouble.is_none() && self.attempt.is_none() && self.waiting.is_patient();
        let history = self.waiting.history_since.filter(|_| is_patient).map(|since| since + HISTORY_WAIT);
        let next = [retry, degrade, history].into_iter().flatten().min()?;
        Some(next.saturating_sub(self.clock.monotonic()))
    }

    /// Answers whoever still waits and lets go of the storage, its lock last.
    async fn end(mut self, result: Result<(), DbError>) -> Result<(), DbError> {
        self.inbox.close();
        let mut pending = vec![std::mem::take(&mut self.writing), std::mem::take(&mut self.waiting)];
        while let Some(message) = self.inbox.recv().await {
            let last = pending.last_mut();
            match (message, last) {
                (Message::Commit { reply, .. }, Some(last)) => last.commits.push(reply),
                (Message::Prune { reply, .. }, Some(last)) => last.prunes.push(reply),
                _ => {}
            }
        }
        let is_deposed = matches!(result, Err(DbError::Deposed));
        let why = || if is_deposed { DbError::Deposed } else { DbError::Closed };
        for pending in pending {
            for reply in pending.commits {
                let _ = reply.send(Err(why()));
            }
            for reply in pending.prunes {
                let _ = reply.send(Err(why()));
            }
        }
        let readers = self.shared.readers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let _ = tokio::time::timeout(READERS_GOODBYE, readers.close()).await;
        if let Some(turn) = self.turn.take() {
            turn.session.close().await;
        }
        drop(self.lock.take());
        result
    }
}

/// Adds what waits to the job of the turn.
fn merge(turn: &mut Turn, writing: &mut Pending, waiting: Pending) {
    let Pending { job, commits, prunes, history_since: _ } = waiting;
    turn.job.changes.merge(job.changes);
    turn.job.history.extend(job.history);
    turn.job.prune_before = turn.job.prune_before.max(job.prune_before);
    writing.commits.extend(commits);
    writing.prunes.extend(prunes);
}

fn drop_oldest(job: &mut Job, metrics: &Metrics) {
    let surplus = job.history.len().saturating_sub(HISTORY_LIMIT);
    job.history.drain(..surplus);
    metrics.history_dropped.inc_by(surplus as u64);
}

fn answer<T: Copy>(replies: Vec<Reply<T>>, value: T) {
    for reply in replies {
        // Whoever asked may be gone.
        let _ = reply.send(Ok(value));
    }
}
