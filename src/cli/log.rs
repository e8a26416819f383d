//! Belfry's own log: structured lines on standard error, as logfmt or JSON (semantics "belfry.yml", `log`).
//!
//! **Invariant:** a log that cannot be written (a full disk, a closed pipe) is lost, and stops nothing.

use std::io;

use tracing::{Dispatch, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("a log is set up already")]
    Twice,
}

/// Sets up the process' log. Called once, before anything is worth logging.
///
/// # Errors
/// [`LogError::Twice`] on a second call.
pub fn init(config: LogConfig) -> Result<(), LogError> {
    let dispatch = dispatch(config, io::stderr);
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| LogError::Twice)
}

/// The log as a value, for tests that read what was written.
fn dispatch<W>(config: LogConfig, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    Dispatch::new(tracing_subscriber::registry().with(lines(config.format, writer).with_filter(filter(config.level))))
}

fn lines<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Reporting a failed write would go to standard error by `eprintln!`, which panics where that cannot be written.
    match format {
        LogFormat::Logfmt => tracing_logfmt::builder()
            .with_span_name(false)
            .with_span_path(false)
            .layer()
            .with_writer(writer)
            .log_internal_errors(false)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_writer(writer)
            .log_internal_errors(false)
            .boxed(),
    }
}

/// The level is Belfry's own. Its dependencies never go beyond warnings: their finer levels print headers, statements
/// and addresses, and with them secrets.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("belfry", level)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn written(config: LogConfig) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        tracing::dispatcher::with_default(&dispatch(config, move || writer.clone()), || {
            let span = tracing::info_span!(target: "belfry::notify", "attempt", integration = "pager/slack/0");
            let _entered = span.enter();
            tracing::warn!(target: "belfry::notify", attempt = 2, delay_ms = 500, "notification failed, will retry");
            tracing::debug!(target: "belfry::notify", "debugging");
            tracing::info!(target: "hyper::client", "connecting with a header");
            tracing::warn!(target: "sqlx::query", "slow");
        });
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn logfmt_lines_hold_the_message_and_its_facts() {
        let text = written(LogConfig::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("ts=20"), "{text}");
        let want = "level=warn target=belfry::notify message=\"notification failed, will retry\" attempt=2 delay_ms=500 \
                    integration=pager/slack/0";
        assert_eq!(lines[0].split_once(' ').unwrap().1, want);
        assert!(lines[1].contains("target=sqlx::query"), "{text}");
    }

    #[test]
    fn json_lines_are_objects_with_the_facts_as_keys() {
        let text = written(LogConfig { level: LogLevel::Debug, format: LogFormat::Json });
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(lines[0]["level"], "WARN");
        assert_eq!(lines[0]["message"], "notification failed, will retry");
        assert_eq!(lines[0]["delay_ms"], 500);
        assert_eq!(lines[0]["spans"][0]["integration"], "pager/slack/0");
        assert_eq!(lines[1]["message"], "debugging");
    }

    #[test]
    fn the_level_holds_dependencies_back_too() {
        assert_eq!(written(LogConfig { level: LogLevel::Error, format: LogFormat::Logfmt }), "");
        let finest = written(LogConfig { level: LogLevel::Trace, format: LogFormat::Logfmt });
        assert!(!finest.contains("hyper"), "{finest}");
    }

    #[test]
    fn a_log_that_cannot_be_written_stops_nothing() {
        tracing::dispatcher::with_default(&dispatch(LogConfig::default(), || Full), || {
            tracing::error!(target: "belfry", "lost");
        });
    }
}
