//! The room through its door: on SQLite always, on Postgres too where `BELFRY_TEST_POSTGRES` holds the URL of a database
//! whose user may create others.

mod degraded;
mod place;
mod rows;
mod state;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::Registry;
use crate::model::SystemClock;

use super::{Batch, Change, Db, DbError, Durability, MetaRow, StorageConfig};
use place::Place;

/// No test waits longer for what it expects.
const PATIENCE: Duration = Duration::from_secs(30);

async fn open(config: &StorageConfig) -> Db {
    try_open(config).await.unwrap()
}

async fn try_open(config: &StorageConfig) -> Result<Db, DbError> {
    Db::open(config, Arc::new(SystemClock::new()), &Registry::new()).await
}

async fn commit(db: &Db, changes: Vec<Change>) -> Durability {
    let batch = Batch { changes, history: Vec::new() };
    tokio::time::timeout(PATIENCE, db.commit(batch)).await.unwrap().unwrap()
}

fn put_meta(name: &str, value: &str) -> Change {
    Change::PutMeta(MetaRow { name: name.into(), value: value.into() })
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within {PATIENCE:?}: {what}");
}
