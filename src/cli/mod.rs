//! The command line.

pub mod log;

/// Runs the command that the arguments name.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
