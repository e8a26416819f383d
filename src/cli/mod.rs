//! The command line: what `main` hands over to.

mod check;
mod log;
mod reload;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::FileKind;

/// Alerting rules engine and notification router: one daemon from telemetry to page.
#[derive(Parser)]
#[command(name = "belfry", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon.
    Serve {
        /// The configuration; without one, all defaults hold.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Judge files without running anything; exit code 1 if any has an error.
    Check {
        /// belfry.yml, rule files, or Alertmanager configuration; belfry.yml here if none is named.
        files: Vec<PathBuf>,
        /// Take every file for this kind, whatever its keys say.
        #[arg(long = "as", value_name = "KIND", value_parser = parse_kind)]
        kind: Option<FileKind>,
        /// How findings are printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn parse_kind(text: &str) -> Result<FileKind, String> {
    FileKind::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = FileKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    // One provider for every user of TLS; a second installation can only come from a test in the same process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Arguments::parse().command {
        Command::Serve { config } => serve::run(config),
        Command::Check { files, kind, format } => check::run(files, kind, format == Format::Json),
    }
}
