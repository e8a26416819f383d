//! `tracing` and `event_recorder` of Alertmanager's file (contract alertmanager §1.2): what the peer says of itself.
//!
//! Checked as the peer does, so that its files keep their verdict; without effect, which a warning says.

use std::path::Path;

use crate::http::{HttpConfig, TlsConfig};
use crate::model::{parse_duration, parse_go_duration};
use crate::yaml::{Findings, Node, Section};

/// Checks both sections of the file's top level.
pub(super) fn read(root: &mut Section<'_>, dir: &Path, findings: &mut Findings) {
    if let Some(node) = root.some("tracing") {
        tracing(node, dir, findings);
    }
    if let Some(node) = root.some("event_recorder") {
        event_recorder(node, dir, findings);
    }
}

fn tracing(node: &Node, dir: &Path, findings: &mut Findings) {
    let Some(mut section) = Section::open(node, "tracing", findings) else { return };
    choice(&mut section, "client_type", &["grpc", "http"], findings);
    choice(&mut section, "compression", &["", "gzip"], findings);
    if section.text("endpoint", findings).unwrap_or_default().is_empty() {
        findings.error(section.position(), "tracing: endpoint is required");
    }
    section.read("sampling_fraction", findings, Node::float);
    section.boolean("insecure", findings);
    if let Some(node) = section.some("tls_config") {
        TlsConfig::read(node, "tracing: tls_config", dir, findings);
    }
    section.read("headers", findings, Node::entries);
    section.read("timeout", findings, prometheus_duration);
    section.finish(findings);
    findings.warning(node.position, "tracing has no effect: Belfry sends no spans of its own");
}

fn event_recorder(node: &Node, dir: &Path, findings: &mut Findings) {
    let Some(mut section) = Section::open(node, "event_recorder", findings) else { return };
    outputs(&mut section, "file_outputs", findings, |section, findings| {
        required(section, "path", findings);
    });
    outputs(&mut section, "stdout_outputs", findings, |_, _| {});
    outputs(&mut section, "webhook_outputs", findings, |section, findings| {
        required(section, "url", findings);
        if let Some(node) = section.some("http_config") {
            HttpConfig::read(node, "event_recorder: http_config", dir, findings);
        }
        for key in ["timeout", "retry_backoff", "batch_flush_interval"] {
            section.read(key, findings, go_duration);
        }
        for key in ["workers", "max_retries", "batch_max_events", "batch_max_bytes"] {
            section.read(key, findings, Node::integer);
        }
        section.boolean("batch", findings);
    });
    outputs(&mut section, "kafka_outputs", findings, |section, findings| {
        section.read("brokers", findings, Node::items);
        required(section, "topic", findings);
        section.text("client_id", findings);
        choice(section, "format", &["json", "protobuf"], findings);
        choice(section, "acks", &["none", "leader", "all"], findings);
        section.text("compression", findings);
        section.read("buffer_size", findings, Node::integer);
        if let Some(node) = section.some("tls_config") {
            TlsConfig::read(node, "event_recorder: tls_config", dir, findings);
        }
    });
    section.finish(findings);
    let message = "event_recorder has no effect, as in Alertmanager without that feature";
    findings.warning_with_help(node.position, message, "the history of decisions is kept by Belfry itself");
}

/// A list of outputs, each a mapping that `read` takes its keys from.
fn outputs(
    section: &mut Section<'_>,
    key: &'static str,
    findings: &mut Findings,
    read: impl Fn(&mut Section<'_>, &mut Findings),
) {
    for node in section.read(key, findings, Node::items).unwrap_or_default() {
        let Some(mut output) = Section::open(node, format!("event_recorder: {key}"), findings) else { continue };
        read(&mut output, findings);
        output.finish(findings);
    }
}

fn required(section: &mut Section<'_>, key: &'static str, findings: &mut Findings) {
    if section.text(key, findings).unwrap_or_default().is_empty() {
        findings.error(section.position(), format!("{}: {key} is required", section.name()));
    }
}

fn choice(section: &mut Section<'_>, key: &'static str, words: &[&str], findings: &mut Findings) {
    section.read(key, findings, |node| match node.text()? {
        word if words.contains(&word) => Ok(()),
        word => Err(format!("{word:?} is none of {}", words.join(", "))),
    });
}

fn prometheus_duration(node: &Node) -> Result<(), String> {
    parse_duration(node.text()?).map(|_| ()).map_err(|error| error.to_string())
}

/// A bare integer counts nanoseconds (contract alertmanager §1.1).
fn go_duration(node: &Node) -> Result<(), String> {
    if node.integer().is_ok() {
        return Ok(());
    }
    parse_go_duration(node.text()?).map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Diagnostic, parse};

    fn found(text: &str) -> Vec<String> {
        let mut findings = Findings::new("f");
        let document = parse(text, &mut findings).unwrap();
        let root = document.root.unwrap();
        let mut section = Section::open(&root, "configuration", &mut findings).unwrap();
        read(&mut section, Path::new("."), &mut findings);
        section.finish(&mut findings);
        findings.into_sorted().iter().map(Diagnostic::to_string).collect()
    }

    #[test]
    fn what_the_peer_takes_is_taken_with_a_warning() {
        let text = "tracing: {endpoint: 'localhost:4317', client_type: grpc, sampling_fraction: 0.5, insecure: true,\n\
                    \x20 headers: {a: b}, compression: gzip, timeout: 5s}\n\
                    event_recorder:\n\
                    \x20 file_outputs: [{path: /x}]\n\
                    \x20 stdout_outputs: [{}]\n\
                    \x20 webhook_outputs: [{url: 'http://x', timeout: 10s, retry_backoff: 500ms, batch: true, workers: 2}]\n\
                    \x20 kafka_outputs: [{brokers: [a], topic: t, format: json, acks: all}]\n";
        let found = found(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|line| line.contains("has no effect")), "{found:?}");
    }

    #[test]
    fn what_the_peer_refuses_is_an_error() {
        assert!(found("tracing: {client_type: udp}\n").iter().any(|line| line.contains("endpoint is required")));
        assert!(found("tracing: {endpoint: x, clinet_type: http}\n").iter().any(|line| line.contains("unknown key")));
        assert!(found("event_recorder: {file_outputs: [{}]}\n").iter().any(|line| line.contains("path is required")));
        assert!(
            found("event_recorder: {kafka_outputs: [{topic: t, acks: 1}]}\n").iter().any(|line| line.contains("acks"))
        );
        assert_eq!(found("tracing:\nevent_recorder:\n"), Vec::<String>::new());
    }
}
