//! Where storage is and how it is kept (`storage:` in belfry.yml).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const DEFAULT_DEGRADED_AFTER: Duration = Duration::from_secs(5);
const DEFAULT_HISTORY_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Bounds of the deadline of one statement.
const STATEMENT_DEADLINE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// Where the state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this process alone, in which `belfry.db` lies.
    Directory(PathBuf),
    /// `postgres://…`; never printed, since it may hold a password.
    Url(String),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Directory(path) => f.debug_tuple("Directory").field(path).finish(),
            Location::Url(_) => f.write_str("Url(<secret>)"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    pub location: Location,
    /// How long commits may fail before decisions go on without them.
    pub degraded_after: Duration,
    /// How old history may get; zero keeps all of it.
    pub history_retention: Duration,
    /// A quota on SQLite's file, in pages of 4 KiB; what does not fit degrades storage as a full disk does.
    pub max_pages: Option<u32>,
}

impl StorageConfig {
    /// The defaults of belfry.yml.
    pub fn new(location: Location) -> Self {
        StorageConfig {
            location,
            degraded_after: DEFAULT_DEGRADED_AFTER,
            history_retention: DEFAULT_HISTORY_RETENTION,
            max_pages: None,
        }
    }

    /// After this long a statement counts as failed. Within bounds it is `degraded_after`, so that storage that hangs is
    /// found out as fast as storage that fails.
    pub(super) fn statement_deadline(&self) -> Duration {
        self.degraded_after.clamp(STATEMENT_DEADLINE.0, STATEMENT_DEADLINE.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_not_printed() {
        let config = StorageConfig::new(Location::Url("postgres://u:hunter2@h/db".into()));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_statement_may_take_as_long_as_storage_may_fail_within_bounds() {
        let mut config = StorageConfig::new(Location::Directory("data".into()));
        for (degraded_after, deadline) in [(0, 2), (5, 5), (600, 30)] {
            config.degraded_after = Duration::from_secs(degraded_after);
            assert_eq!(config.statement_deadline(), Duration::from_secs(deadline));
        }
    }
}
