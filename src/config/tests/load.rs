//! Loading belfry.yml with what it names: all findings of all files at once.

use std::path::Path;

use crate::config::{Loaded, Purpose, load};
use crate::yaml::Diagnostic;

/// Lays out files, loads `belfry.yml`, and gives what was loaded or what was found, without the folder's name.
pub(super) fn load_from(files: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
    load_for(Purpose::Check, files)
}

pub(super) fn load_for(purpose: Purpose, files: &[(&str, &str)]) -> Result<Loaded, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    load(&dir.path().join("belfry.yml"), purpose).map_err(|found| texts(&found, dir.path()))
}

fn texts(found: &[Diagnostic], dir: &Path) -> Vec<String> {
    let prefix = format!("{}/", dir.display());
    found.iter().map(|finding| finding.to_string().replace(&prefix, "")).collect()
}

const SOURCE: &str = "sources: [{name: metrics, type: prometheus, url: 'http://127.0.0.1:9090'}]\n";
const RULE: &str = "groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]\n";

#[test]
fn findings_of_all_files_come_at_once() {
    let belfry = format!("{SOURCE}rule_files: [rules/*.yml, missing.yml, 'none/*.yml', '[']\nlog: {{level: loud}}\n");
    let broken = "groups:\n  - name: g\n    rules:\n      - alert: A\n";
    let elsewhere = "groups: [{name: g, rules: [{alert: A, expr: up, source: metric}]}]\n";
    let found = load_from(&[
        ("belfry.yml", &belfry),
        ("rules/a.yml", broken),
        ("rules/b.yml", elsewhere),
        ("rules/c.yml", RULE),
    ]);
    assert_eq!(
        found.unwrap_err(),
        [
            "belfry.yml:2:27: rule_files: missing.yml: cannot be read: No such file or directory (os error 2)",
            "belfry.yml:2:40: warning: rule_files: no file matches \"none/*.yml\"",
            "belfry.yml:2:54: rule_files: \"[\": syntax error in pattern",
            "belfry.yml:3:14: log: level: \"loud\" is none of error, warn, info, debug, trace",
            "rules/a.yml:4:9: group \"g\", rule 1, \"A\": field 'expr' must be set in rule",
            "rules/b.yml:1:57: group \"g\", rule \"A\": unknown source \"metric\"\n  help: did you mean \"metrics\"?",
        ]
    );
}

#[test]
fn files_are_read_once_and_keep_their_name_beside_belfry_yml() {
    let belfry = format!("{SOURCE}rule_files: [rules/*.yml, ./rules/a.yml, rules/../rules/a.yml]\n");
    let loaded = load_from(&[("belfry.yml", &belfry), ("rules/a.yml", RULE), ("rules/b.yml", RULE)]).unwrap();
    let paths: Vec<&str> = loaded.rules.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, ["rules/a.yml", "rules/b.yml"]);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn warnings_do_not_stop_a_load() {
    let belfry = format!("{SOURCE}rule_files: ['none/*.yml']\n");
    let loaded = load_from(&[("belfry.yml", &belfry)]).unwrap();
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn a_missing_or_unreadable_file_is_a_finding() {
    let found = load_from(&[("other.yml", "")]).unwrap_err();
    assert_eq!(found, ["belfry.yml:0:0: cannot be read: No such file or directory (os error 2)"]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("belfry.yml");
    std::fs::write(&path, b"listen: \xff\n").unwrap();
    let found = texts(&load(&path, Purpose::Check).unwrap_err(), dir.path());
    assert_eq!(found, ["belfry.yml:0:0: is no UTF-8 text"]);
}

#[test]
fn rules_need_a_source_to_ask() {
    let found = load_from(&[("belfry.yml", "rule_files: [a.yml]\n"), ("a.yml", RULE)]).unwrap_err();
    assert!(found[0].starts_with("belfry.yml:1:14: rule_files: there are rules, but no source"), "{found:?}");

    let two = "sources:\n\
               - {name: a, type: prometheus, url: 'http://127.0.0.1:1'}\n\
               - {name: b, type: prometheus, url: 'http://127.0.0.1:2'DEFAULT}\n\
               rule_files: [a.yml]\n";
    let found = load_from(&[("belfry.yml", &two.replace("DEFAULT", "")), ("a.yml", RULE)]).unwrap_err();
    assert!(
        found[0].starts_with("a.yml:1:36: group \"g\", rule \"Down\": names no source, and none of the 2"),
        "{found:?}"
    );
    let loaded = load_from(&[("belfry.yml", &two.replace("DEFAULT", ", default: true")), ("a.yml", RULE)]).unwrap();
    assert_eq!(loaded.config.default_source().unwrap().name.to_string(), "b");
}

#[test]
fn a_group_with_an_unknown_source_is_found_once() {
    let rules = "groups: [{name: g, source: nowhere, rules: [{alert: A, expr: up}, {alert: B, expr: up}]}]\n";
    let belfry = format!("{SOURCE}rule_files: [a.yml]\n");
    let found = load_from(&[("belfry.yml", &belfry), ("a.yml", rules)]).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("unknown source \"nowhere\""), "{found:?}");
}

#[test]
fn sources_have_names_of_their_own_and_one_default() {
    let belfry = "sources:\n\
                  - {name: a, type: prometheus, url: 'http://127.0.0.1:1', default: true}\n\
                  - {name: b, type: prometheus, url: 'http://127.0.0.1:1', default: true}\n\
                  - {name: a, type: prometheus, url: 'http://127.0.0.1:1'}\n";
    let found = load_from(&[("belfry.yml", belfry)]).unwrap_err();
    assert_eq!(
        found,
        [
            "belfry.yml:3:3: source \"b\": the source at 2:3 is the default already\n  help: mark one as `default: true`",
            "belfry.yml:4:3: source \"a\": the name is taken by the source at 2:3",
        ]
    );
}

#[test]
fn without_a_file_the_defaults_hold() {
    let loaded = Loaded::defaults();
    assert!(loaded.rules.is_empty() && loaded.warnings.is_empty());
}
