//! `belfry check`.

use std::path::Path;
use std::process::Command;

fn check(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_belfry"))
        .arg("check")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_files_of_this_repository_are_good() {
    for file in [
        "examples/prometheus/belfry.yml",
        "examples/prometheus/alertmanager.yml",
        "rules/node.yml",
        "rules/prometheus.yml",
    ] {
        let (code, text) = check(&[file]);
        assert_eq!(code, Some(0), "{file}: {text}");
    }
}

#[test]
fn a_bad_file_is_told_with_place_and_help_and_exit_code_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("router.yml");
    std::fs::write(&file, "route:\n  receiver: tem\nreceivers:\n- name: team\n").unwrap();
    let name = file.to_str().unwrap();
    let (code, text) = check(&[name]);
    assert_eq!(code, Some(1));
    assert_eq!(
        text,
        format!(
            "{name}:2:13: undefined receiver \"tem\" used in route\n  help: did you mean \"team\"?\n{name}: 1 error\n"
        )
    );
    let (code, json) = check(&["--format", "json", name]);
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &found[0]["line"], &found[0]["severity"]), (Some(1), &2.into(), &"error".into()));
}

#[test]
fn an_integration_that_cannot_be_sent_yet_is_a_warning_of_check_and_an_error_of_serve() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write(
        "am.yml",
        "route: {receiver: d}\nreceivers:\n- name: d\n  discord_configs: [{webhook_url: 'http://127.0.0.1:1/x'}]\n",
    );
    write("belfry.yml", "listen: 127.0.0.1:0\nstorage: {path: ./data}\nrouter: am.yml\n");
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (code, text) = check(&[&path("am.yml")]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("warning: receiver \"d\": discord notifications cannot be sent yet"), "{text}");
    let served =
        Command::new(env!("CARGO_BIN_EXE_belfry")).args(["serve", "--config", &path("belfry.yml")]).output().unwrap();
    assert_eq!(served.status.code(), Some(1));
    let told = String::from_utf8(served.stderr).unwrap();
    assert!(told.contains("discord notifications cannot be sent yet"), "{told}");
    assert!(!Path::new(&path("data")).exists(), "nothing is begun on a bad configuration");
}

#[test]
fn the_examples_in_the_documentation_are_good() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let dir = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for entry in std::fs::read_dir(docs).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        for block in blocks.filter(|block| block.starts_with("groups:") || block.starts_with("route:")) {
            let file = dir.path().join(format!("{checked}.yml"));
            std::fs::write(&file, block).unwrap();
            let (code, found) = check(&[file.to_str().unwrap()]);
            assert_eq!(code, Some(0), "{block}\n{found}");
            checked += 1;
        }
    }
    assert!(checked >= 2, "the examples have moved");
}
