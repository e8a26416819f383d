//! Where a test keeps its state: a folder of its own, a small disk of its own, or a database of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

use crate::db::{Location, StorageConfig};

pub(super) struct Place {
    pub(super) config: StorageConfig,
    folder: Option<TempDir>,
    database: Option<(String, String)>,
}

impl Place {
    pub(super) fn sqlite() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let config = StorageConfig::new(Location::Directory(folder.path().join("data")));
        Place { config, folder: Some(folder), database: None }
    }

    /// Every kind of place that there is here.
    pub(super) async fn all() -> Vec<Place> {
        let mut places = vec![Place::sqlite()];
        if let Ok(url) = std::env::var("BELFRY_TEST_POSTGRES") {
            places.push(Place::postgres(url).await);
        }
        places
    }

    async fn postgres(admin: String) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("belfry_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(&admin, &format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&admin).unwrap();
        url.set_path(&name);
        let config = StorageConfig::new(Location::Url(url.to_string()));
        Place { config, folder: None, database: Some((admin, name)) }
    }

    /// A URL for a connection of the test's own.
    pub(super) fn url(&self) -> String {
        match &self.config.location {
            Location::Directory(path) => format!("sqlite://{}?mode=rw", path.join("belfry.db").display()),
            Location::Url(url) => url.clone(),
        }
    }

    pub(super) async fn connect(&self) -> AnyConnection {
        connect(&self.url()).await
    }

    pub(super) async fn end(self) {
        if let Some((admin, name)) = self.database {
            run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        drop(self.folder);
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

async fn run(url: &str, sql: &str) {
    let mut connection = connect(url).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A disk of 2 MiB, where this machine lets a test mount one.
pub(super) struct SmallDisk {
    mounted: PathBuf,
    _folder: TempDir,
}

impl SmallDisk {
    pub(super) fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = folder.path().join("disk");
        std::fs::create_dir(&mounted).unwrap();
        if !mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"], &mounted) {
            eprintln!("skipped: no disk can be mounted here");
            return None;
        }
        Some(SmallDisk { mounted, _folder: folder })
    }

    pub(super) fn config(&self) -> StorageConfig {
        StorageConfig::new(Location::Directory(self.mounted.join("data")))
    }

    pub(super) fn set_read_only(&self, is_read_only: bool) {
        let options = if is_read_only { "remount,ro" } else { "remount,rw" };
        assert!(mount(&["-o", options], &self.mounted));
    }

    /// Takes all space that is left.
    pub(super) fn fill(&self) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(super) fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.mounted.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let done = Command::new("mount").args(arguments).arg(at).stderr(std::process::Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
