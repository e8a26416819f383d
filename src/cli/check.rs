//! `belfry check`: judges files and prints every finding.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{self, FileKind, Purpose};
use crate::rules::{ParseOptions, RuleFile};
use crate::yaml::{Diagnostic, Findings, Position, Severity, parse};

pub(super) fn run(files: Vec<PathBuf>, kind: Option<FileKind>, json: bool) -> ExitCode {
    let files = if files.is_empty() { vec![PathBuf::from("belfry.yml")] } else { files };
    let mut all = Vec::new();
    for file in &files {
        let found = check(file, kind);
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
        if !json {
            for finding in &found {
                println!("{finding}");
            }
            println!("{}: {}", file.display(), if errors == 0 { "ok".to_owned() } else { counted(errors) });
        }
        all.extend(found);
    }
    if json {
        // A list of plain structs always has a JSON form.
        println!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    match all.iter().any(|finding| finding.severity == Severity::Error) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn counted(errors: usize) -> String {
    if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") }
}

fn check(path: &Path, kind: Option<FileKind>) -> Vec<Diagnostic> {
    let shown = path.to_string_lossy().into_owned();
    let mut findings = Findings::new(shown.as_str());
    let text = match std::fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned()))
    {
        Ok(text) => text,
        Err(reason) => {
            findings.error(Position::default(), format!("cannot be read: {reason}"));
            return findings.into_sorted();
        }
    };
    let Some(document) = parse(&text, &mut findings) else { return findings.into_sorted() };
    let dir = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    match kind.unwrap_or_else(|| FileKind::detect(&document)) {
        FileKind::Rules => {
            RuleFile::parse(&shown, &text, &ParseOptions::default(), &mut findings);
        }
        FileKind::Router => {
            config::read_router_document(&document, &dir, Purpose::Check, &mut findings);
        }
        FileKind::Belfry => {
            return match config::load(path, Purpose::Check) {
                Ok(loaded) => loaded.warnings,
                Err(found) => found,
            };
        }
        FileKind::RuleTests => {
            findings.error_with_help(
                Position { line: 1, column: 1 },
                "unit tests of rules cannot be checked yet",
                "`--as rules` takes the file for rules",
            );
        }
    }
    let mut found = findings.into_sorted();
    found.dedup();
    found
}
