//! Files and what is found in them.

use std::path::Path;

use serde_json::{Value, json};

use super::receiver::KindList;
use super::{Globals, IntegrationConfig, ReceiverConfig, read_receivers};
use crate::yaml::{Findings, Section, parse, write};

mod accepted;
mod email;
mod globals;
mod others;
mod pagerduty;
mod receivers;
mod shown;
mod slack;
mod webhook;

/// A file of `global` and `receivers`, read.
struct File {
    globals: Globals,
    receivers: Vec<ReceiverConfig>,
    found: Vec<String>,
}

fn read(source: &str) -> File {
    let mut findings = Findings::new("f");
    let document = parse(source, &mut findings).unwrap();
    let root = document.root.unwrap();
    let mut top = Section::open(&root, "file", &mut findings).unwrap();
    let dir = Path::new("/etc/belfry");
    let globals = match top.some("global") {
        Some(node) => {
            let mut section = Section::open(node, "global", &mut findings).unwrap();
            let globals = Globals::read(&mut section, dir, &mut findings);
            section.finish(&mut findings);
            globals
        }
        None => Globals::default(),
    };
    let receivers = match top.some("receivers") {
        Some(node) => read_receivers(node, &globals, dir, &mut findings),
        None => Vec::new(),
    };
    top.finish(&mut findings);
    let found = findings.into_sorted().iter().map(ToString::to_string).collect();
    File { globals, receivers, found }
}

/// One integration of a receiver `r`. Its keys begin on line 4, column 5.
fn integration_source(globals: &str, kind: &str, keys: &str) -> String {
    let keys = if keys.is_empty() { "{}" } else { keys };
    let mut source = format!("receivers:\n- name: r\n  {kind}_configs:\n  - {}\n", keys.replace('\n', "\n    "));
    if !globals.is_empty() {
        source.push_str(&format!("global:\n  {}\n", globals.replace('\n', "\n  ")));
    }
    source
}

/// The findings about one integration, at places counted within its keys: `2:5: I: …`.
fn found(globals: &str, kind: &str, keys: &str) -> Vec<String> {
    let prefix = format!("receiver \"r\": {kind}_configs[0]");
    let relative = |finding: &String| {
        let parts: Vec<&str> = finding.splitn(4, ':').collect();
        let [_, line, column, message] = parts.as_slice() else { panic!("{finding}") };
        let (line, column): (usize, usize) = (line.parse().unwrap(), column.parse().unwrap());
        format!("{}:{}:{}", line - 3, column - 4, message.replacen(&prefix, "I", 1))
    };
    read(&integration_source(globals, kind, keys)).found.iter().map(relative).collect()
}

/// Rows of keys (one a line) and the one finding that they give.
fn check_refused(globals: &str, kind: &str, rows: &[(&str, &str)]) {
    for (keys, want) in rows {
        assert_eq!(found(globals, kind, keys), [*want], "{kind}:\n{keys}");
    }
}

/// One integration that is read without findings.
fn accepted(globals: &str, kind: &str, keys: &str) -> IntegrationConfig {
    let mut file = read(&integration_source(globals, kind, keys));
    assert_eq!(file.found, Vec::<String>::new(), "{kind}:\n{keys}");
    file.receivers.remove(0).integrations.remove(0)
}

/// The keys that are shown of one integration.
fn shown(globals: &str, kind: &str, keys: &str) -> Value {
    accepted(globals, kind, keys).shown()
}

/// A file as it is shown, written as a file again.
fn shown_again(file: &File) -> String {
    let receivers: Vec<Value> = file.receivers.iter().map(ReceiverConfig::shown).collect();
    write(&json!({ "global": file.globals.shown(), "receivers": receivers })).unwrap()
}
