//! The router's file: found, read, and checked with everything that it names.

use super::load::{load_for, load_from};
use crate::config::Purpose;

const ROUTER: &str =
    "route: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: 'http://127.0.0.1:1'}]}]\n";

fn inline(router: &str) -> String {
    let indented: Vec<String> = router.lines().map(|line| format!("  {line}\n")).collect();
    format!("router:\n{}", indented.concat())
}

#[test]
fn a_router_is_the_same_from_a_file_or_inline() {
    let from_file = load_from(&[("belfry.yml", "router: routes/am.yml\n"), ("routes/am.yml", ROUTER)]).unwrap();
    let inlined = load_from(&[("belfry.yml", &inline(ROUTER))]).unwrap();
    let (from_file, inlined) = (from_file.router.unwrap(), inlined.router.unwrap());
    assert_eq!(from_file.router.digest(), inlined.router.digest());
    assert_eq!(from_file.shown, inlined.shown);
    assert_eq!(&*from_file.receivers[0].name, "team");
}

#[test]
fn findings_of_the_router_come_with_those_of_belfry_yml() {
    let router = "route:\n  receiver: tem\nreceivers: [{name: team}]\nglobals: {}\n";
    let found = load_from(&[("belfry.yml", "log: {level: loud}\nrouter: am.yml\n"), ("am.yml", router)]).unwrap_err();
    assert_eq!(
        found,
        [
            "am.yml:2:13: undefined receiver \"tem\" used in route\n  help: did you mean \"team\"?",
            "am.yml:4:1: unknown key \"globals\" in the router's file\n  help: did you mean \"global\"?",
            "belfry.yml:1:14: log: level: \"loud\" is none of error, warn, info, debug, trace",
        ]
    );
    let found = load_from(&[("belfry.yml", &inline(router))]).unwrap_err();
    assert!(found[0].starts_with("belfry.yml:3:15: undefined receiver"), "{found:?}");
}

#[test]
fn a_router_that_is_not_there_or_empty_is_an_error() {
    let found = load_from(&[("belfry.yml", "router: am.yml\n")]).unwrap_err();
    assert_eq!(found, ["belfry.yml:1:9: router: am.yml: cannot be read: No such file or directory (os error 2)"]);
    for text in ["", "# nothing\n", "route:\n", "global: {}\n"] {
        let found = load_from(&[("belfry.yml", "router: am.yml\n"), ("am.yml", text)]).unwrap_err();
        assert!(found[0].contains("no route"), "{text:?}: {found:?}");
    }
}

#[test]
fn templates_are_found_beside_the_file_that_names_them() {
    let router = format!("{ROUTER}templates: ['none*', t/*.tmpl]\n");
    let good = r#"{{ define "a" }}x{{ end }}"#;
    let files = [("belfry.yml", "router: conf/am.yml\n"), ("conf/am.yml", &router), ("conf/t/a.tmpl", good)];
    assert_eq!(load_from(&files).unwrap().warnings, []);

    let files = [("belfry.yml", "router: conf/am.yml\n"), ("conf/am.yml", &router), ("conf/t/a.tmpl", "{{ if }}")];
    let found = load_from(&files).unwrap_err();
    assert!(found[0].starts_with("conf/am.yml:3:22: templates: t/a.tmpl: "), "{found:?}");

    let found = load_from(&[("belfry.yml", "router: am.yml\n"), ("am.yml", &format!("{ROUTER}templates: ['[']\n"))]);
    assert_eq!(found.unwrap_err(), ["am.yml:3:13: templates: \"[\": syntax error in pattern"]);
}

#[test]
fn what_cannot_be_sent_yet_is_a_warning_of_a_check_and_an_error_of_a_start() {
    let router = "route: {receiver: team}\n\
                  receivers:\n\
                  - name: team\n\
                  \x20 discord_configs: [{webhook_url: 'http://127.0.0.1:1'}]\n\
                  - name: unused\n\
                  \x20 discord_configs: [{webhook_url: 'http://127.0.0.1:1'}]\n";
    let files = [("belfry.yml", "router: am.yml\n"), ("am.yml", router)];
    let loaded = load_for(Purpose::Check, &files).unwrap();
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert_eq!(loaded.warnings[0].position.line, 4);
    let refused = load_for(Purpose::Serve, &files).unwrap_err();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("am.yml:4:"), "{refused:?}");
}

#[test]
fn a_text_that_is_no_template_is_warned_of_where_it_stands() {
    let router = "route: {receiver: team}\n\
                  receivers:\n\
                  - name: team\n\
                  \x20 webhook_configs: [{url: 'http://127.0.0.1:1/{{ nosuch }}'}]\n";
    let loaded = load_from(&[("belfry.yml", "router: am.yml\n"), ("am.yml", router)]).unwrap();
    let found = loaded.warnings[0].to_string();
    assert!(found.contains("am.yml:4:") && found.contains("nosuch"), "{found}");
}
