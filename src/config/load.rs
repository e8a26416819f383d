//! Reads belfry.yml and all files that it names, and tells everything that is wrong with any of them at once.

use std::path::{Path, PathBuf};

use super::belfry::{BelfryConfig, RouterPlace};
use super::router_file::{self, Purpose, RouterFile};
use super::rule_files;
use crate::rules::RuleFile;
use crate::yaml::{self, Diagnostic, Findings, Position, Severity};

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded {
    /// The folder that relative paths start from.
    pub dir: PathBuf,
    pub config: BelfryConfig,
    /// In the order of `rule_files`, each once.
    pub rules: Vec<RuleFile>,
    /// `None`: alerts are kept and shown, and nobody is told.
    pub router: Option<RouterFile>,
    /// What deserves a look, in all files.
    pub warnings: Vec<Diagnostic>,
}

impl Loaded {
    /// What holds without a file: all defaults, seen from the working directory.
    pub fn defaults() -> Self {
        let dir = PathBuf::from(".");
        Loaded { config: BelfryConfig::defaults(&dir), dir, rules: Vec::new(), router: None, warnings: Vec::new() }
    }
}

/// Loads belfry.yml at `path` with its rule files, and its router's file with its templates.
///
/// # Errors
/// All findings in all files, warnings among them, if any is an error.
pub fn load(path: &Path, purpose: Purpose) -> Result<Loaded, Vec<Diagnostic>> {
    let shown = path.to_string_lossy();
    let mut findings = Findings::new(&*shown);
    let dir = folder(path);
    let mut others = Vec::new();
    let read = match read_text(path) {
        Ok(text) => {
            yaml::parse(&text, &mut findings).and_then(|document| BelfryConfig::read(&document, &dir, &mut findings))
        }
        Err(reason) => {
            findings.error(Position::default(), reason);
            None
        }
    };
    let files = read.map(|config| {
        let rules = rule_files::read(&config, &dir, &mut findings, &mut others);
        let router = read_router(&config, &dir, purpose, &mut findings, &mut others);
        (config, rules, router)
    });
    findings.extend(others);
    let failed = findings.has_errors();
    let mut all = findings.into_sorted();
    all.dedup();
    match files {
        Some((config, rules, router)) if !failed => {
            debug_assert!(all.iter().all(|finding| finding.severity == Severity::Warning));
            Ok(Loaded { dir, config, rules, router, warnings: all })
        }
        _ => Err(all),
    }
}

/// The router's file that belfry.yml names, or what it says of it inline.
fn read_router(
    config: &BelfryConfig,
    dir: &Path,
    purpose: Purpose,
    findings: &mut Findings,
    others: &mut Vec<Diagnostic>,
) -> Option<RouterFile> {
    match config.router.as_ref()? {
        RouterPlace::Inline(node) => router_file::read(node, dir, purpose, findings),
        RouterPlace::File { path, position } => match read_text(path) {
            Ok(text) => {
                let shown = path.to_string_lossy();
                let mut own = Findings::new(&*shown);
                let read = yaml::parse(&text, &mut own)
                    .and_then(|document| router_file::read_document(&document, &folder(path), purpose, &mut own));
                others.extend(own.into_sorted());
                read
            }
            Err(reason) => {
                findings.error(*position, format!("router: {}: {reason}", path.display()));
                None
            }
        },
    }
}

/// The folder that a file lies in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A file's text, or in words why there is none.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())
}
