//! `storage`: where the state that must survive a crash is kept.

use std::path::Path;

use url::Url;

use super::{later, paths, scalar};
use crate::db::{Location, StorageConfig};
use crate::yaml::{Findings, Node, Section};

/// A folder beside belfry.yml.
pub(super) fn defaults(dir: &Path) -> StorageConfig {
    StorageConfig::new(Location::Directory(dir.join("data")))
}

pub(super) fn read(node: &Node, dir: &Path, findings: &mut Findings) -> StorageConfig {
    let mut config = defaults(dir);
    let Some(mut section) = Section::open(node, "storage", findings) else { return config };
    let path = section.read("path", findings, |node| match node.text()? {
        "" => Err("must not be empty".to_owned()),
        path => Ok(paths::resolve(dir, path)),
    });
    let written_path = path.is_some();
    if let Some(path) = path {
        config.location = Location::Directory(path);
    }
    let url_position = section.some("url").map(|node| node.position);
    if let Some(url) = section.read("url", findings, postgres_address) {
        config.location = Location::Url(url);
    }
    if let (true, Some(position)) = (written_path, url_position) {
        findings.error_with_help(position, "storage: both path and url are set", "keep the one that is meant");
    }
    if let Some(history) = section.read("history", findings, scalar::duration) {
        config.history_retention = history;
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

/// Says what is wrong without the text itself, which may hold a password.
fn postgres_address(node: &Node) -> Result<String, String> {
    let text = node.text()?;
    let url = Url::parse(text).map_err(|error| format!("not a valid URL ({error})"))?;
    match url.scheme() {
        "postgres" | "postgresql" => Ok(text.to_owned()),
        scheme => Err(format!("unsupported scheme {scheme:?} for URL, only postgres is; a folder is set by path")),
    }
}
