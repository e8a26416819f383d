//! `storage`: where the state that must survive a crash is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::{later, scalar};
use crate::http::Secret;
use crate::yaml::{Findings, Node, Section};

/// Where the database is.
#[derive(Debug, Clone, PartialEq)]
pub enum StoragePlace {
    /// A folder, in which `belfry.db` lies.
    Directory(PathBuf),
    /// A PostgreSQL address; secret, since it may hold a password.
    Postgres(Secret),
}

#[derive(Debug, Clone, PartialEq)]
pub struct StorageConfig {
    pub place: StoragePlace,
    /// How long the history of decisions is kept.
    pub history: Duration,
    /// How long a failed commit is retried before decisions go on without it (semantics "Storage", degraded storage).
    pub degraded_after: Duration,
}

impl StorageConfig {
    pub(super) fn defaults(dir: &Path) -> Self {
        StorageConfig {
            place: StoragePlace::Directory(dir.join("data")),
            history: Duration::from_secs(30 * 86_400),
            degraded_after: Duration::from_secs(5),
        }
    }

    pub(super) fn read(node: &Node, dir: &Path, findings: &mut Findings) -> Self {
        let mut config = StorageConfig::defaults(dir);
        let Some(mut section) = Section::open(node, "storage", findings) else { return config };
        let path = section.read("path", findings, |node| match node.text()? {
            "" => Err("must not be empty".to_owned()),
            path => Ok(dir.join(path)),
        });
        let written_path = path.is_some();
        if let Some(path) = path {
            config.place = StoragePlace::Directory(path);
        }
        let url_position = section.some("url").map(|node| node.position);
        if let Some(url) = section.read("url", findings, postgres_address) {
            config.place = StoragePlace::Postgres(url);
        }
        if let (true, Some(position)) = (written_path, url_position) {
            findings.error_with_help(position, "storage: both path and url are set", "keep the one that is meant");
        }
        if let Some(history) = section.read("history", findings, scalar::positive_duration) {
            config.history = history;
        }
        if let Some(degraded_after) = section.read("degraded_after", findings, scalar::duration) {
            config.degraded_after = degraded_after;
        }
        for key in ["retention", "retention_size", "out_of_order"] {
            later::refuse(&mut section, key, "it belongs to the embedded store; leave it out", findings);
        }
        section.finish(findings);
        config
    }
}

/// Says what is wrong without the text itself, which may hold a password.
fn postgres_address(node: &Node) -> Result<Secret, String> {
    let text = node.text()?;
    let url = Url::parse(text).map_err(|error| format!("not a valid URL ({error})"))?;
    match url.scheme() {
        "postgres" | "postgresql" => Ok(Secret::new(text)),
        scheme => Err(format!("unsupported scheme {scheme:?} for URL, only postgres is; a folder is set by path")),
    }
}
