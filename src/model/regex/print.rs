//! A pattern's tree in the `regex` crate's syntax. Whatever could mean something else there is escaped by number.

use std::fmt::Write as _;

use super::class::{Class, Item};
use super::parse::Node;

pub(super) fn print(node: &Node) -> String {
    let mut out = String::new();
    write_node(node, &mut out);
    out
}

fn write_node(node: &Node, out: &mut String) {
    match node {
        Node::Empty => {}
        Node::Literal { .. } => write_literals(std::slice::from_ref(node), out),
        Node::Class(class) => write_class(class, out),
        Node::Any { newline: true } => out.push_str("(?s:.)"),
        Node::Any { newline: false } => out.push_str("[^\\n]"),
        Node::TextStart => out.push_str("\\A"),
        Node::TextEnd => out.push_str("\\z"),
        Node::LineStart => out.push_str("(?m:^)"),
        Node::LineEnd => out.push_str("(?m:$)"),
        Node::WordBoundary => out.push_str("(?-u:\\b)"),
        Node::NoWordBoundary => out.push_str("(?-u:\\B)"),
        Node::Group { node, captures } => {
            out.push_str(if *captures { "(" } else { "(?:" });
            write_node(node, out);
            out.push(')');
        }
        Node::Concat(nodes) => {
            // A run of folding letters shares one pair of flags.
            for run in nodes.chunk_by(|a, b| is_folding(a) && is_folding(b)) {
                match run {
                    [Node::Literal { .. }, ..] => write_literals(run, out),
                    _ => run.iter().for_each(|node| write_node(node, out)),
                }
            }
        }
        Node::Alternate(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write_node(node, out);
            }
        }
        Node::Repeat { node, min, max, greedy } => {
            out.push_str("(?:");
            write_node(node, out);
            out.push(')');
            write_counts(*min, *max, out);
            if !greedy {
                out.push('?');
            }
        }
    }
}

fn write_counts(min: u32, max: Option<u32>, out: &mut String) {
    match (min, max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        _ => {
            let max = max.map(|max| max.to_string()).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(out, "{{{min},{max}}}");
        }
    }
}

fn is_folding(node: &Node) -> bool {
    matches!(node, Node::Literal { fold: true, .. })
}

/// Literals that all fold, or one that does not.
fn write_literals(run: &[Node], out: &mut String) {
    let folds = run.first().is_some_and(is_folding);
    if folds {
        out.push_str("(?i:");
    }
    for node in run {
        if let Node::Literal { c, .. } = node {
            write_char(*c, out);
        }
    }
    if folds {
        out.push(')');
    }
}

fn write_char(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{:02x}", u32::from(c));
    }
}

fn write_class(class: &Class, out: &mut String) {
    if class.items.is_empty() {
        out.push_str(if class.negated { "(?s:.)" } else { "[^\\x00-\\x{10ffff}]" });
        return;
    }
    out.push_str(if class.fold { "(?i:[" } else { "[" });
    if class.negated {
        out.push('^');
    }
    for item in &class.items {
        match item {
            Item::Range(low, high) => write_range(*low, *high, out),
            Item::Not(ranges) => {
                out.push_str("[^");
                ranges.iter().for_each(|(low, high)| write_range(*low, *high, out));
                out.push(']');
            }
            Item::Property { name, negated } => {
                let _ = write!(out, "\\{}{{{name}}}", if *negated { 'P' } else { 'p' });
            }
        }
    }
    out.push_str(if class.fold { "])" } else { "]" });
}

fn write_range(low: char, high: char, out: &mut String) {
    write_char(low, out);
    if low != high {
        out.push('-');
        write_char(high, out);
    }
}
