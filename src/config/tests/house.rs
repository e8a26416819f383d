//! The repository's own files: examples, rule packs, and docker-compose.yml agree with each other and load.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::{BelfryConfig, FileKind, Purpose, RouterPlace, load};
use crate::db::Location;
use crate::rules::{ParseOptions, RuleFile};
use crate::yaml::{Findings, Node, Position, parse};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml(path: &str) -> Node {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    parse(&text, &mut Findings::new(path)).unwrap().root.unwrap()
}

/// The node at a path of keys.
fn at<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(node, |node, key| {
        node.entries().ok()?.iter().find(|(name, _)| name.text() == Ok(key)).map(|(_, value)| value)
    })
}

fn list<'a>(node: &'a Node, keys: &[&str]) -> Vec<&'a str> {
    at(node, keys).map_or(Vec::new(), |node| node.items().unwrap().iter().map(|item| item.text().unwrap()).collect())
}

/// Where each bind mount of a service comes from, by its place in the container.
fn mounts(service: &Node) -> HashMap<String, PathBuf> {
    list(service, &["volumes"])
        .into_iter()
        .filter_map(|volume| {
            let mut parts = volume.split(':');
            let (from, to) = (parts.next()?, parts.next()?);
            from.starts_with("./").then(|| (to.to_owned(), root().join(from)))
        })
        .collect()
}

#[test]
fn the_examples_load_without_a_finding() {
    for name in ["belfry.yml", "belfry.compose.yml"] {
        let loaded = load(&root().join("examples/prometheus").join(name), Purpose::Serve).unwrap();
        assert_eq!(loaded.warnings, [], "{name}");
        assert_eq!(loaded.rules.len(), 1, "{name}");
        assert!(loaded.config.router.is_some(), "{name}");
        let text = std::fs::read_to_string(root().join("examples/prometheus").join(name)).unwrap();
        let document = parse(&text, &mut Findings::new(name)).unwrap();
        assert_eq!(FileKind::detect(&document), FileKind::Belfry, "{name}");
    }
}

#[test]
fn the_rule_packs_load_without_a_finding() {
    let mut packs = 0;
    for entry in std::fs::read_dir(root().join("rules")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut findings = Findings::new(&*name);
        let file = RuleFile::parse(&name, &text, &ParseOptions::default(), &mut findings).unwrap();
        assert_eq!(findings.into_sorted(), [], "{name}");
        for rule in file.groups.iter().flat_map(|group| &group.rules) {
            let crate::rules::RuleKind::Alert(alert) = &rule.kind else { panic!("{name}: {} records", rule.name) };
            for annotation in ["summary", "description", "runbook"] {
                assert!(alert.annotations.get(annotation).is_some(), "{name}: {} has no {annotation}", rule.name);
            }
            assert!(["critical", "warning"].contains(&rule.labels.value("severity")), "{name}: {}", rule.name);
        }
        packs += 1;
    }
    assert!(packs >= 2);
}

#[test]
fn the_two_examples_differ_only_in_where_they_run() {
    let read = |name: &str| {
        let text = std::fs::read_to_string(root().join("examples/prometheus").join(name)).unwrap();
        let document = parse(&text, &mut Findings::new(name)).unwrap();
        BelfryConfig::read(&document, Path::new("/etc/belfry"), &mut Findings::new(name)).unwrap()
    };
    let (alone, mut composed) = (read("belfry.yml"), read("belfry.compose.yml"));
    assert_eq!(composed.link_base(), alone.link_base());
    (composed.listen, composed.storage) = (alone.listen.clone(), alone.storage.clone());
    // Positions differ, and say nothing.
    let shown = |mut config: BelfryConfig| {
        config.rule_files.iter_mut().for_each(|rule| rule.position = Position::default());
        format!("{config:?}")
    };
    assert_eq!(shown(composed), shown(alone));
}

#[test]
fn what_docker_compose_mounts_is_there_and_ports_agree() {
    let compose = yaml("docker-compose.yml");
    let services = at(&compose, &["services"]).unwrap();
    let service = |name: &str| at(services, &[name]).unwrap();

    for (name, node) in services.entries().unwrap() {
        for (inside, outside) in mounts(node) {
            assert!(
                outside.exists(),
                "{:?}: {inside} is mounted from {}, which is missing",
                name.text(),
                outside.display()
            );
        }
        if name.text() != Ok("prometheus") {
            assert_eq!(at(node, &["network_mode"]).unwrap().text(), Ok("service:prometheus"));
        }
    }
    let mut published = Vec::new();
    for port in list(service("prometheus"), &["ports"]) {
        let [address, outside, inside] = port.split(':').collect::<Vec<_>>()[..] else { panic!("{port}") };
        assert_eq!(address, "127.0.0.1", "{port} is open to others");
        assert_eq!(outside, inside, "{port}");
        published.push(inside.parse::<u16>().unwrap());
    }

    // Belfry as it is started there: every file that its configuration names is mounted, its port published, its state
    // in the volume.
    let belfry = mounts(service("belfry"));
    let command = list(service("belfry"), &["command"]);
    let config_path = command.iter().position(|word| *word == "--config").map(|index| command[index + 1]).unwrap();
    let text = std::fs::read_to_string(&belfry[config_path]).unwrap();
    let document = parse(&text, &mut Findings::new("f")).unwrap();
    let config =
        BelfryConfig::read(&document, Path::new(config_path).parent().unwrap(), &mut Findings::new("f")).unwrap();
    assert!(published.contains(&config.listen.port()));
    assert_eq!(config.listen.bind().0, "0.0.0.0", "a published port is not reached on loopback");
    let Some(RouterPlace::File { path, .. }) = &config.router else { panic!("no router file") };
    let router = std::fs::read_to_string(&belfry[path.to_str().unwrap()]).unwrap();
    for pattern in &config.rule_files {
        let folder = Path::new(config_path).parent().unwrap().join(&pattern.pattern);
        assert!(belfry.contains_key(folder.parent().unwrap().to_str().unwrap()), "{}", pattern.pattern);
    }
    let Location::Directory(state) = &config.storage.location else { panic!("no folder") };
    let volume = format!("belfry:{}", state.display());
    assert!(list(service("belfry"), &["volumes"]).contains(&volume.as_str()));

    // Whom it asks and tells is in the same network.
    assert!(published.contains(&config.sources[0].url.port().unwrap()));
    let prometheus = std::fs::read_to_string(root().join("examples/prometheus/prometheus.yml")).unwrap();
    assert!(prometheus.contains(&format!("127.0.0.1:{}", config.listen.port())), "Belfry is not scraped");
    let smtp = at(service("mail"), &["environment", "MP_SMTP_BIND_ADDR"]).unwrap().text().unwrap();
    assert!(router.contains(&format!("smtp_smarthost: {smtp}")));
    let page = at(service("mail"), &["environment", "MP_UI_BIND_ADDR"]).unwrap().text().unwrap();
    assert!(published.contains(&page.rsplit(':').next().unwrap().parse().unwrap()));
    let hooks = list(service("hooks"), &["command"]);
    let address = format!("http://127.0.0.1:{}", hooks.last().unwrap());
    for path in ["/webhook", "/slack", "/pagerduty"] {
        assert!(router.contains(&format!("{address}{path}")), "{path}");
    }
    assert!(mounts(service("hooks")).contains_key(hooks[1]));
}
