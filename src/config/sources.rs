//! `sources`: each is read by the room of sources; what must hold between them is checked here.

use std::collections::HashMap;
use std::path::Path;

use crate::source::SourceConfig;
use crate::yaml::{Findings, Node, Position};

/// Names are unique, and at most one source is the default.
pub(super) fn read(nodes: &[Node], dir: &Path, findings: &mut Findings) -> Vec<SourceConfig> {
    let mut sources: Vec<SourceConfig> = Vec::new();
    let mut seen: HashMap<String, Position> = HashMap::new();
    let mut default: Option<Position> = None;
    for node in nodes {
        let Some(source) = SourceConfig::read(node, dir, findings) else { continue };
        if let Some(first) = seen.get(&source.name) {
            let message = format!("source {:?}: the name is taken by the source at {first}", source.name);
            findings.error(node.position, message);
            continue;
        }
        if source.default {
            match default {
                Some(first) => findings.error_with_help(
                    node.position,
                    format!("source {:?}: the source at {first} is the default already", source.name),
                    "mark one as `default: true`",
                ),
                None => default = Some(node.position),
            }
        }
        seen.insert(source.name.clone(), node.position);
        sources.push(source);
    }
    sources
}
