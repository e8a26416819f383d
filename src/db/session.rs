//! Connections: how they are made, and that no statement outlives its deadline.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, SqlSafeStr, SqlStr};

use super::config::{Location, StorageConfig};
use super::error::DbError;
use super::record::Cells;
use super::statement::{Placeholder, Statements};

const FILE: &str = "belfry.db";
const PATH_SAFE: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// Readers beside the writer.
const READERS: u32 = 4;

/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Only while a file holds no table: it lets pruned history give its pages back.
const FIRST_PRAGMAS: &str = "PRAGMA auto_vacuum = INCREMENTAL";
const WRITER_PRAGMAS: &str = "PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864";
const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 1000; PRAGMA query_only = 1; PRAGMA temp_store = MEMORY";

/// How a SQLite file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Create,
    ReadWrite,
    ReadOnly,
    /// Without the files beside it, which cannot be made where nothing can be written. Right only while nobody writes.
    Immutable,
}

/// What to connect to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    place: Place,
    deadline: Duration,
    max_pages: Option<u32>,
}

#[derive(Debug, Clone)]
enum Place {
    Sqlite { file: PathBuf },
    Postgres { options: AnyConnectOptions },
}

impl Target {
    /// `folder` is absolute.
    pub(super) fn sqlite(folder: &Path, config: &StorageConfig) -> Self {
        let place = Place::Sqlite { file: folder.join(FILE) };
        Target { place, deadline: config.statement_deadline(), max_pages: config.max_pages }
    }

    pub(super) fn postgres(url: &str, config: &StorageConfig) -> Result<Self, DbError> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(DbError::Url);
        }
        let options = AnyConnectOptions::from_str(url).map_err(|_| DbError::Url)?;
        let place = Place::Postgres { options: quiet(options) };
        Ok(Target { place, deadline: config.statement_deadline(), max_pages: None })
    }

    pub(super) fn new(config: &StorageConfig, folder: Option<&Path>) -> Result<Self, DbError> {
        match (&config.location, folder) {
            (Location::Url(url), _) => Target::postgres(url, config),
            (Location::Directory(path), folder) => Ok(Target::sqlite(folder.unwrap_or(path), config)),
        }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Sqlite { .. })
    }

    /// The ways to open it at the start, best first.
    pub(super) fn accesses(&self) -> &'static [Access] {
        match &self.place {
            Place::Postgres { .. } => &[Access::ReadWrite],
            // A log that was not folded into the file holds what an immutable reading would miss.
            Place::Sqlite { file } if has_log(file) => &[Access::Create, Access::ReadOnly],
            Place::Sqlite { .. } => &[Access::Create, Access::ReadOnly, Access::Immutable],
        }
    }

    /// Connects the writer.
    pub(super) async fn connect(&self, access: Access) -> Result<AnyConnection, DbError> {
        let options = self.options(access)?;
        let mut connection = within(self.deadline, options.connect()).await?;
        let Place::Sqlite { file } = &self.place else { return Ok(connection) };
        match access {
            Access::Create | Access::ReadWrite => {
                if is_empty(file) {
                    self.pragmas(&mut connection, FIRST_PRAGMAS).await?;
                }
                self.pragmas(&mut connection, WRITER_PRAGMAS).await?;
                if let Some(pages) = self.max_pages {
                    self.pragmas(&mut connection, format!("PRAGMA max_page_count = {pages}")).await?;
                }
            }
            Access::ReadOnly | Access::Immutable => {
                self.pragmas(&mut connection, READER_PRAGMAS).await?;
            }
        }
        Ok(connection)
    }

    /// A pool of readers, which connects when it is first used.
    pub(super) fn readers(&self, access: Access) -> Result<AnyPool, DbError> {
        let is_sqlite = self.is_sqlite();
        let options = AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(self.deadline)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        sqlx::raw_sql(READER_PRAGMAS).execute(connection).await?;
                    }
                    Ok(())
                })
            });
        let access = if access == Access::Create { Access::ReadWrite } else { access };
        Ok(options.connect_lazy_with(self.options(access)?))
    }

    fn options(&self, access: Access) -> Result<AnyConnectOptions, DbError> {
        match &self.place {
            Place::Postgres { options } => Ok(options.clone()),
            Place::Sqlite { file } => {
                let path = percent_encode(file.as_os_str().as_encoded_bytes(), &PATH_SAFE);
                let mode = match access {
                    Access::Create => "mode=rwc",
                    Access::ReadWrite => "mode=rw",
                    Access::ReadOnly => "mode=ro",
                    Access::Immutable => "mode=ro&immutable=true",
                };
                Ok(quiet(AnyConnectOptions::from_str(&format!("sqlite://{path}?{mode}"))?))
            }
        }
    }

    async fn pragmas(&self, connection: &mut AnyConnection, sql: impl Into<Arc<str>>) -> Result<(), DbError> {
        within(self.deadline, sqlx::raw_sql(trusted(sql)).execute(connection)).await?;
        Ok(())
    }
}

/// Without sqlx's own log lines: a statement of 512 rows is no log line.
fn quiet(options: AnyConnectOptions) -> AnyConnectOptions {
    options.disable_statement_logging()
}

fn is_empty(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.len() == 0)
}

fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
}

/// Gives up after `deadline`. The connection must not be used again then: nobody knows what it is in the middle of.
pub(super) async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DbError> {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(DbError::Timeout { after: deadline }),
    }
}

/// All rows of a query. The deadline holds for the first row and for the wait between two, since a large state takes as
/// long as it takes.
pub(super) async fn fetch<T>(
    connection: &mut AnyConnection,
    deadline: Duration,
    sql: SqlStr,
    arguments: AnyArguments,
    read: impl Fn(&mut Cells<'_>) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, DbError> {
    let mut rows = sqlx::query_with(sql, arguments).fetch(connection);
    let mut all = Vec::new();
    while let Some(row) = within(deadline, rows.try_next()).await? {
        all.push(read(&mut Cells::of(&row))?);
    }
    Ok(all)
}

/// The writer's connection, made when it is needed and dropped when anything goes wrong on it.
#[derive(Debug)]
pub(super) struct Session {
    target: Target,
    connection: Option<AnyConnection>,
    statements: Statements,
}

impl Session {
    pub(super) fn new(target: Target, connection: Option<AnyConnection>) -> Self {
        let placeholder = if target.is_sqlite() { Placeholder::Bare } else { Placeholder::Numbered };
        Session { target, connection, statements: Statements::new(placeholder) }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn statements(&mut self) -> &mut Statements {
        &mut self.statements
    }

    pub(super) async fn connection(&mut self) -> Result<&mut AnyConnection, DbError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.target.connect(Access::ReadWrite).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// A statement without arguments.
    pub(super) async fn run(&mut self, sql: &'static str, deadline: Duration) -> Result<(), DbError> {
        let connection = self.connection().await?;
        within(deadline, sqlx::raw_sql(sql).execute(connection)).await?;
        Ok(())
    }

    /// Rows changed.
    pub(super) async fn execute(&mut self, sql: SqlStr, arguments: AnyArguments) -> Result<u64, DbError> {
        let deadline = self.target.deadline;
        let connection = self.connection().await?;
        let done = within(deadline, sqlx::query_with(sql, arguments).execute(connection)).await?;
        Ok(done.rows_affected())
    }

    pub(super) async fn fetch<T>(
        &mut self,
        sql: SqlStr,
        arguments: AnyArguments,
        read: impl Fn(&mut Cells<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, DbError> {
        let deadline = self.target.deadline;
        fetch(self.connection().await?, deadline, sql, arguments, read).await
    }

    /// Drops the connection; the database rolls back what was not committed on it.
    pub(super) async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = tokio::time::timeout(Duration::from_millis(100), connection.close_hard()).await;
        }
    }

    /// Closes the connection in order: SQLite folds its log into the file.
    pub(super) async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = tokio::time::timeout(GOODBYE, connection.close()).await;
        }
    }
}

/// SQL that is made of constants of this room.
pub(super) fn trusted(sql: impl Into<Arc<str>>) -> SqlStr {
    AssertSqlSafe(sql.into()).into_sql_str()
}
