//! The lock on a storage folder: while it is held, no other process can have a turn at the state in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::DbError;

const FILE: &str = "lock";

/// Held until dropped; the operating system releases it if the process dies.
#[derive(Debug)]
pub(super) struct StorageLock {
    _file: File,
}

impl StorageLock {
    pub(super) fn acquire(folder: &Path) -> Result<Self, DbError> {
        let path = folder.join(FILE);
        // A file left by an earlier run can be locked even where nothing can be written.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .or_else(|error| File::open(&path).map_err(|_| error))
            .map_err(|source| DbError::Open { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(StorageLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DbError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(DbError::Open { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = StorageLock::acquire(folder.path()).unwrap();
        assert!(matches!(StorageLock::acquire(folder.path()), Err(DbError::Locked { .. })));
        drop(held);
        StorageLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_cannot_be_locked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(StorageLock::acquire(&folder.path().join("gone")), Err(DbError::Open { .. })));
    }
}
