//! [`Db`]: what owners hold of storage.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rand::TryRng;
use sqlx::AnyPool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::metrics::Registry;
use crate::model::{Clock, Timestamp, duration_millis};

use super::attempt::{Job, Outcome, PRUNE_ROWS, attempt, replicas};
use super::change::Batch;
use super::config::{Location, StorageConfig};
use super::error::DbError;
use super::history::{HistoryFilter, HistoryRow};
use super::load::{Reader, RouterState, RulesState};
use super::lock::StorageLock;
use super::metrics::Metrics;
use super::schema;
use super::session::{Access, Session, Target};
use super::tenure::Tenure;
use super::writer::{Message, Start, Writer};

/// Batches that wait for the writer; senders wait beyond that.
const INBOX: usize = 1024;

type WriterTask = JoinHandle<Result<(), DbError>>;

/// What a commit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk.
    Durable,
    /// Storage fails: kept in memory, written when it comes back, lost in a crash before.
    Degraded,
}

/// What the handle and the writer share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) degraded: AtomicBool,
    pub(super) deposed: AtomicBool,
    /// Replaced once storage that could only be read can be written.
    pub(super) readers: RwLock<AnyPool>,
}

/// A handle to storage and its one writer; clones are cheap and speak to the same.
#[derive(Debug, Clone)]
pub struct Db {
    inbox: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    /// Taken by whoever closes storage.
    writer: Arc<Mutex<Option<WriterTask>>>,
    deadline: Duration,
    history_retention: Duration,
    sole_owner: bool,
}

impl Db {
    /// Opens storage, brings its schema up to date, and takes over the state: a process that had it before is deposed
    /// with its next commit. Storage that can be read but not written starts degraded.
    ///
    /// # Errors
    /// If it cannot be opened, locked or read, or belongs to a newer Belfry.
    pub async fn open(config: &StorageConfig, clock: Arc<dyn Clock>, registry: &Registry) -> Result<Db, DbError> {
        sqlx::any::install_default_drivers();
        let metrics = Metrics::new(registry);
        let (target, lock) = match &config.location {
            Location::Url(_) => (Target::new(config, None)?, None),
            Location::Directory(path) => {
                let (folder, lock) = prepare(path.clone()).await?;
                (Target::new(config, Some(&folder))?, Some(lock))
            }
        };
        let (mut session, access) = first_session(&target).await?;
        let readers = target.readers(access)?;
        let reader = Reader { pool: readers.clone(), deadline: target.deadline() };
        let (last_history_id, history_rows) = reader.history_extent().await?;
        metrics.history_rows.set(history_rows);

        let seen = replicas(&mut session).await?;
        let mut tenure = Tenure::new(new_incarnation()?, clock.now().as_millis(), seen);
        let claimed = match access {
            // The claim needs a connection that may write, even if none can be had now.
            Access::ReadOnly | Access::Immutable => {
                session.hang_up().await;
                attempt(&mut session, &mut tenure, &Job::default()).await
            }
            Access::Create | Access::ReadWrite => attempt(&mut session, &mut tenure, &Job::default()).await,
        };
        let trouble = match claimed {
            Outcome::Committed { .. } => None,
            Outcome::Deposed => return Err(DbError::Deposed),
            Outcome::Failed(error) => Some(error),
        };

        let shared = Arc::new(Shared {
            degraded: AtomicBool::new(false),
            deposed: AtomicBool::new(false),
            readers: RwLock::new(readers),
        });
        let (sender, inbox) = mpsc::channel(INBOX);
        let (deadline, sole_owner) = (target.deadline(), lock.is_some());
        let start = Start {
            inbox,
            session,
            tenure,
            shared: shared.clone(),
            clock,
            metrics,
            degraded_after: config.degraded_after,
            last_history_id,
            stale_readers: (!matches!(access, Access::Create | Access::ReadWrite)).then_some(target),
            trouble,
            lock,
        };
        let writer = tokio::spawn(Writer::new(start).run());
        Ok(Db {
            inbox: sender,
            shared,
            writer: Arc::new(Mutex::new(Some(writer))),
            deadline,
            history_retention: config.history_retention,
            sole_owner,
        })
    }

    /// Makes a batch durable, together with whatever else waits. Completes when it is on disk, or when storage is
    /// degraded: after `degraded_after` of failing at the latest. A batch once handed over is written even if the
    /// caller goes away.
    ///
    /// # Errors
    /// [`DbError::Deposed`] is final; [`DbError::Closed`] after [`Db::close`].
    pub async fn commit(&self, batch: Batch) -> Result<Durability, DbError> {
        if batch.is_empty() {
            return match self.inbox.is_closed() {
                true => Err(self.ended()),
                false if self.is_degraded() => Ok(Durability::Degraded),
                false => Ok(Durability::Durable),
            };
        }
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Message::Commit { batch, reply }).await.map_err(|_| self.ended())?;
        answer.await.map_err(|_| self.ended())?
    }

    /// What `rules` left at its last commit. For the start: what is not durable yet is not in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn load_rules(&self) -> Result<RulesState, DbError> {
        self.reader().rules().await
    }

    /// What `router` left at its last commit. For the start: what is not durable yet is not in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn load_router(&self) -> Result<RouterState, DbError> {
        self.reader().router().await
    }

    /// Durable history, newest first.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, DbError> {
        self.reader().history(filter).await
    }

    /// A named value, `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, DbError> {
        self.reader().meta(name).await
    }

    /// Whether storage fails and commits answer [`Durability::Degraded`].
    pub fn is_degraded(&self) -> bool {
        self.shared.degraded.load(Ordering::Acquire)
    }

    /// Whether this tenure is the only one there can be: only then may notifications be sent from memory while storage
    /// is degraded. True for a local file, which is locked; never for a database that others reach.
    pub fn is_sole_owner(&self) -> bool {
        self.sole_owner
    }

    /// Deletes history that is older than its retention, a few thousand rows a transaction. Returns how many went; none
    /// while storage fails.
    ///
    /// # Errors
    /// [`DbError::Deposed`] and [`DbError::Closed`].
    pub async fn prune(&self, now: Timestamp) -> Result<u64, DbError> {
        if self.history_retention.is_zero() {
            return Ok(0);
        }
        let before = now.plus_millis(-duration_millis(self.history_retention)).as_millis();
        let mut all = 0;
        loop {
            if self.is_degraded() {
                return Ok(all);
            }
            let (reply, answer) = oneshot::channel();
            self.inbox.send(Message::Prune { before, reply }).await.map_err(|_| self.ended())?;
            let pruned = answer.await.map_err(|_| self.ended())??;
            all += pruned;
            if pruned < PRUNE_ROWS {
                return Ok(all);
            }
        }
    }

    /// Writes what waits, then lets go of the storage; commits fail from then on. Bounded in time.
    ///
    /// # Errors
    /// [`DbError::Unsaved`] if storage kept failing, [`DbError::Deposed`] if the state was lost.
    pub async fn close(&self) -> Result<(), DbError> {
        // It fails only where the writer has ended already.
        let _ = self.inbox.send(Message::Close).await;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match writer {
            Some(writer) => writer.await.unwrap_or(Err(DbError::Closed)),
            None => Ok(()),
        }
    }

    fn reader(&self) -> Reader {
        let pool = self.shared.readers.read().unwrap_or_else(PoisonError::into_inner).clone();
        Reader { pool, deadline: self.deadline }
    }

    fn ended(&self) -> DbError {
        match self.shared.deposed.load(Ordering::Acquire) {
            true => DbError::Deposed,
            false => DbError::Closed,
        }
    }
}

/// Makes the folder if need be and locks it.
async fn prepare(path: PathBuf) -> Result<(PathBuf, StorageLock), DbError> {
    let prepared = tokio::task::spawn_blocking(move || {
        let made = std::fs::create_dir_all(&path).and_then(|()| path.canonicalize());
        let folder = made.map_err(|source| DbError::Open { path, source })?;
        let lock = StorageLock::acquire(&folder)?;
        Ok((folder, lock))
    });
    prepared.await.unwrap_or(Err(DbError::Closed))
}

/// A session on a schema that is up to date, by the best access that there is.
async fn first_session(target: &Target) -> Result<(Session, Access), DbError> {
    let mut first_trouble = None;
    for access in target.accesses() {
        match open_with(target, *access).await {
            Ok(session) => return Ok((session, *access)),
            Err(error @ DbError::TooNew { .. }) => return Err(error),
            Err(error) => {
                tracing::debug!(?access, error = super::error::full_text(&error), "storage not opened this way");
                first_trouble.get_or_insert(error);
            }
        }
    }
    Err(first_trouble.unwrap_or(DbError::Closed))
}

async fn open_with(target: &Target, access: Access) -> Result<Session, DbError> {
    let mut connection = target.connect(access).await?;
    schema::check_binary(&mut connection, target.deadline()).await?;
    schema::migrate(&mut connection).await?;
    Ok(Session::new(target.clone(), Some(connection)))
}

/// 128 random bits, in hex: never used before, by whomever.
fn new_incarnation() -> Result<Arc<str>, DbError> {
    let mut bytes = [0; 16];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|_| DbError::Randomness)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)).into())
}
