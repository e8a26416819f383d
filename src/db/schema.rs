//! The schema: whether this binary may touch it, and bringing it up to date.

use std::time::Duration;

use sqlx::AnyConnection;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use super::error::{DbError, is_missing_table};
use super::record::Column;
use super::session::{fetch, trusted};
use super::statement::arguments;

const THIS: &str = env!("CARGO_PKG_VERSION");

/// Where sqlx notes what it has applied.
const APPLIED: &str = "_sqlx_migrations";

/// Migrations may rewrite tables.
const MIGRATION_DEADLINE: Duration = Duration::from_secs(600);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Refuses a schema that a newer Belfry has closed to older ones (`meta.min_binary`). A database without the table is
/// new.
pub(super) async fn check_binary(connection: &mut AnyConnection, deadline: Duration) -> Result<(), DbError> {
    let sql = trusted("SELECT value FROM meta WHERE name = $1");
    let bound = arguments([&std::sync::Arc::<str>::from("min_binary").into_cell()])?;
    let found = match fetch(connection, deadline, sql, bound, |cells| cells.take::<std::sync::Arc<str>>()).await {
        Err(error) if is_missing_table(&error) => return Ok(()),
        found => found?,
    };
    match found.first() {
        Some(min_binary) if version(min_binary) > version(THIS) => {
            Err(DbError::TooNew { min_binary: min_binary.to_string(), this: THIS })
        }
        _ => Ok(()),
    }
}

/// Brings the schema up to date; writes nothing where it is.
pub(super) async fn migrate(connection: &mut AnyConnection) -> Result<(), DbError> {
    if is_up_to_date(connection).await {
        return Ok(());
    }
    let mut migrations = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
    // A newer binary may have been here; whether that matters, `min_binary` says.
    migrations.set_ignore_missing(true);
    let run = tokio::time::timeout(MIGRATION_DEADLINE, migrations.run_direct(None, connection, false));
    match run.await {
        Ok(done) => done.map_err(DbError::Migrate),
        Err(_) => Err(DbError::Timeout { after: MIGRATION_DEADLINE }),
    }
}

async fn is_up_to_date(connection: &mut AnyConnection) -> bool {
    let listed = tokio::time::timeout(MIGRATION_DEADLINE, connection.list_applied_migrations(APPLIED)).await;
    let applied = match listed.unwrap_or(Err(MigrateError::VersionNotPresent(0))) {
        Ok(applied) => applied,
        Err(_) => return false,
    };
    MIGRATIONS.iter().all(|migration| {
        applied.iter().any(|done| done.version == migration.version && done.checksum == migration.checksum)
    })
}

/// Major, minor and patch; what is no number counts as zero.
fn version(text: &str) -> [u64; 3] {
    let mut parts = text.trim().split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let ascending = ["0.1", "0.1.1", "0.2.0", "0.10.0", "1.0.0", "10.0.0"];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }
}
