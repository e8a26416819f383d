//! The `belfry` binary: hands over to `cli`.

fn main() -> std::process::ExitCode {
    belfry::cli::main()
}
