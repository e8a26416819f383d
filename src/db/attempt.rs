//! One attempt at one transaction: the fence, then what waits, then `COMMIT`.
//!
//! **Invariant:** a job whose outcome is unknown is attempted again unchanged, until the counter tells or a later
//! transaction has begun; so nothing is written twice over newer changes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::dirty::Dirty;
use super::error::DbError;
use super::history::{self, NewHistory};
use super::record::{Cell, Column, Key};
use super::session::{Session, trusted};
use super::statement::{Verb, arguments, slices};
use super::tenure::{Replicas, Settlement, Standing, Tenure};

/// Rows of history that one transaction prunes at most, so that no commit waits long behind it.
pub(super) const PRUNE_ROWS: u64 = 5_000;

/// A commit that writes so many rows more may take a second longer.
const ROWS_PER_SECOND: usize = 10_000;

/// What one transaction writes.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) changes: Dirty,
    /// With the ids they will have.
    pub(super) history: VecDeque<(i64, NewHistory)>,
    /// History before this instant may go.
    pub(super) prune_before: Option<i64>,
}

impl Job {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.history.is_empty() && self.prune_before.is_none()
    }
}

#[derive(Debug)]
pub(super) enum Outcome {
    Committed {
        pruned: u64,
    },
    /// Not durable, as far as is known: the tenure says whether it may turn out otherwise.
    Failed(DbError),
    Deposed,
}

pub(super) async fn attempt(session: &mut Session, tenure: &mut Tenure, job: &Job) -> Outcome {
    let outcome = transact(session, tenure, job).await.unwrap_or_else(Outcome::Failed);
    if !matches!(outcome, Outcome::Committed { .. }) {
        session.hang_up().await;
    }
    outcome
}

async fn transact(session: &mut Session, tenure: &mut Tenure, job: &Job) -> Result<Outcome, DbError> {
    if tenure.is_unsettled() {
        match settle(session, tenure).await? {
            Settlement::Committed => return Ok(settled(tenure)),
            Settlement::Deposed => return Ok(Outcome::Deposed),
            Settlement::NotCommitted => {}
        }
    }
    let deadline = session.target().deadline();
    session.run("BEGIN", deadline).await?;
    if !fence(session, tenure).await? {
        // The transaction with the lost answer may have ended while this one waited for it.
        if tenure.is_unsettled() && settle(session, tenure).await? == Settlement::Committed {
            session.hang_up().await;
            return Ok(settled(tenure));
        }
        return Ok(Outcome::Deposed);
    }
    tenure.fenced();
    write_changes(session, &job.changes).await?;
    write_history(session, &job.history).await?;
    let pruned = match job.prune_before {
        Some(before) => prune(session, before).await?,
        None => 0,
    };
    let rows = job.changes.len() + job.history.len();
    let extra = Duration::from_secs((rows / ROWS_PER_SECOND) as u64);
    tenure.lost_answer();
    session.run("COMMIT", deadline + extra).await?;
    tenure.committed();
    if pruned > 0 && session.target().is_sqlite() {
        give_back_pages(session).await;
    }
    Ok(Outcome::Committed { pruned })
}

fn settled(tenure: &mut Tenure) -> Outcome {
    tenure.committed();
    Outcome::Committed { pruned: 0 }
}

/// Reads the counter to learn of a commit with a lost answer.
async fn settle(session: &mut Session, tenure: &Tenure) -> Result<Settlement, DbError> {
    let sql = trusted("SELECT counter FROM replicas WHERE incarnation = $1");
    let bound = arguments([&tenure.incarnation().clone().into_cell()])?;
    let found = session.fetch(sql, bound, |cells| cells.take::<i64>()).await?;
    Ok(tenure.settle(found.first().copied()))
}

/// The first statements of a transaction; false if the state is not this tenure's.
async fn fence(session: &mut Session, tenure: &Tenure) -> Result<bool, DbError> {
    match tenure.standing() {
        Standing::Claimed { counter } => {
            let sql = trusted("UPDATE replicas SET counter = counter + 1 WHERE incarnation = $1 AND counter = $2");
            let bound = arguments([&tenure.incarnation().clone().into_cell(), &counter.into_cell()])?;
            Ok(session.execute(sql, bound).await? == 1)
        }
        Standing::Unclaimed { seen } => claim(session, tenure, seen).await,
    }
}

/// Takes the state over from whoever had it, if nobody else has since it was `seen`. The row of `meta` makes claims wait
/// for each other, the update of `replicas` makes this one wait for commits that are under way.
async fn claim(session: &mut Session, tenure: &Tenure, seen: &Replicas) -> Result<bool, DbError> {
    let incarnation = tenure.incarnation().clone().into_cell();
    let owner = arguments([&incarnation])?;
    let owned = session.execute(trusted("UPDATE meta SET value = $1 WHERE name = 'owner'"), owner).await?;
    let waited = trusted("UPDATE replicas SET counter = counter");
    session.execute(waited, arguments([])?).await?;
    if owned != 1 || replicas(session).await? != *seen {
        return Ok(false);
    }
    session.execute(trusted("DELETE FROM replicas"), arguments([])?).await?;
    let row = [incarnation, tenure.next().into_cell(), tenure.started_at().into_cell()];
    let sql = trusted("INSERT INTO replicas (incarnation, counter, started_at) VALUES ($1, $2, $3)");
    Ok(session.execute(sql, arguments(&row)?).await? == 1)
}

/// Who has a turn at the state, as is.
pub(super) async fn replicas(session: &mut Session) -> Result<Replicas, DbError> {
    let sql = trusted("SELECT incarnation, counter FROM replicas ORDER BY incarnation");
    session.fetch(sql, arguments([])?, |cells| Ok((cells.take::<Arc<str>>()?, cells.take()?))).await
}

async fn write_changes(session: &mut Session, changes: &Dirty) -> Result<(), DbError> {
    for writes in changes.writes() {
        let table = writes.table;
        for slice in slices(&writes.under) {
            let cells: Vec<Cell> = slice.iter().map(|part| (**part).clone().into_cell()).collect();
            execute(session, Verb::DeleteUnder(table), slice.len(), &cells).await?;
        }
        for slice in slices(&writes.deletes) {
            let width = Verb::Delete(table).width();
            let parts = |key: &Key| [key.0.clone().into_cell(), key.1.clone().into_cell()];
            let cells: Vec<Cell> = slice.iter().flat_map(|key| parts(key).into_iter().take(width)).collect();
            execute(session, Verb::Delete(table), slice.len(), &cells).await?;
        }
        for slice in slices(&writes.upserts) {
            execute(session, Verb::Upsert(table), slice.len(), slice.iter().flat_map(|cells| cells.iter())).await?;
        }
    }
    Ok(())
}

async fn write_history(session: &mut Session, rows: &VecDeque<(i64, NewHistory)>) -> Result<(), DbError> {
    for half in [rows.as_slices().0, rows.as_slices().1] {
        for slice in slices(half) {
            let cells: Vec<Cell> = slice.iter().flat_map(|(id, row)| row.cells(*id)).collect();
            execute(session, Verb::InsertHistory, slice.len(), &cells).await?;
        }
    }
    Ok(())
}

async fn execute<'c>(
    session: &mut Session,
    verb: Verb,
    rows: usize,
    cells: impl IntoIterator<Item = &'c Cell>,
) -> Result<(), DbError> {
    let sql = trusted(session.statements().text(verb, rows));
    session.execute(sql, arguments(cells)?).await?;
    Ok(())
}

async fn prune(session: &mut Session, before: i64) -> Result<u64, DbError> {
    let table = history::TABLE;
    let sql = format!(
        "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE at < $1 ORDER BY at LIMIT {PRUNE_ROWS})"
    );
    session.execute(trusted(sql), arguments([&before.into_cell()])?).await
}

/// Nothing depends on it: where it fails, the pages are used again later.
async fn give_back_pages(session: &mut Session) {
    let deadline = session.target().deadline();
    if session.run("PRAGMA incremental_vacuum(1000)", deadline).await.is_err() {
        session.hang_up().await;
    }
}
