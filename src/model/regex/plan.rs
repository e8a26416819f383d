//! How to answer "does all of this text match" at the least cost: by a hash lookup, by comparing ends and finding parts
//! in order, or by an automaton.
//!
//! Fast paths are not only about speed: the automaton of an alternation of 10,000 names takes 2 ms a match.

use std::collections::HashSet;

use regex::Regex;

use super::parse::Node;
use super::{RegexError, compile, print};

/// Bounds on literal sets: past them a pattern is no longer a list that someone wrote.
const MAX_LITERALS: usize = 100_000;
const MAX_LITERAL_BYTES: usize = 8 << 20;
const MAX_CLASS: usize = 64;

pub(super) enum Plan {
    Literal(Box<str>),
    OneOf(HashSet<Box<str>>),
    Parts(Parts),
    /// Alternatives that are literals, and an automaton of the others.
    OneOfOr(HashSet<Box<str>>, Regex),
    Automaton(Regex),
}

/// A text that starts with `head` and then has each part, in order; the last one at its end.
pub(super) struct Parts {
    head: String,
    parts: Vec<Part>,
    /// Whether a gap may hold a newline.
    newline: bool,
}

struct Part {
    /// Whether the gap before it (`.*`, `.+`) must not be empty.
    nonempty_gap: bool,
    text: String,
}

impl Plan {
    /// The plan of an anchored pattern: `\A(?:…)\z` and its translation.
    pub(super) fn of(node: &Node, translated: &str) -> Result<Plan, RegexError> {
        let Some(body) = anchored_body(node) else { return Ok(Plan::Automaton(compile(translated)?)) };
        let branches: Vec<Vec<&Node>> = alternatives(body).into_iter().map(items).collect();
        if let [branch] = branches.as_slice()
            && let Some(parts) = Parts::of(branch)
        {
            return Ok(if parts.parts.is_empty() { Plan::Literal(parts.head.into()) } else { Plan::Parts(parts) });
        }
        let mut literals = Literals::default();
        let others: Vec<&Vec<&Node>> = branches.iter().filter(|branch| !literals.add(branch)).collect();
        let mut set = literals.set;
        if others.is_empty() {
            return Ok(match set.len() {
                1 => Plan::Literal(set.drain().next().unwrap_or_default()),
                _ => Plan::OneOf(set),
            });
        }
        if set.is_empty() {
            return Ok(Plan::Automaton(compile(translated)?));
        }
        let others = others.iter().map(|branch| {
            branch
                .iter()
                .map(|node| print::print(&Node::Group { node: Box::new((*node).clone()), captures: false }))
                .collect::<String>()
        });
        let others = others.collect::<Vec<_>>().join("|");
        Ok(Plan::OneOfOr(set, compile(&format!("\\A(?:{others})\\z"))?))
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        match self {
            Plan::Literal(literal) => **literal == *text,
            Plan::OneOf(set) => set.contains(text),
            Plan::Parts(parts) => parts.is_match(text),
            Plan::OneOfOr(set, automaton) => set.contains(text) || automaton.is_match(text),
            Plan::Automaton(automaton) => automaton.is_match(text),
        }
    }
}

/// What stands between the anchors that were put around a pattern.
fn anchored_body(node: &Node) -> Option<&Node> {
    match node {
        Node::Concat(nodes) => match nodes.as_slice() {
            [Node::TextStart, Node::Group { node, captures: false }, Node::TextEnd] => Some(node),
            _ => None,
        },
        _ => None,
    }
}

/// The alternatives at the top, also within groups around them all.
fn alternatives(node: &Node) -> Vec<&Node> {
    match node {
        Node::Alternate(nodes) => nodes.iter().flat_map(alternatives).collect(),
        Node::Group { node, .. } => alternatives(node),
        _ => vec![node],
    }
}

/// What an alternative is a sequence of, without groups around sequences and without anchors that say nothing new.
fn items(node: &Node) -> Vec<&Node> {
    fn gather<'a>(node: &'a Node, into: &mut Vec<&'a Node>) {
        match node {
            Node::Empty => {}
            Node::Concat(nodes) => nodes.iter().for_each(|node| gather(node, into)),
            Node::Group { node: inner, .. } if !matches!(**inner, Node::Alternate(_)) => gather(inner, into),
            _ => into.push(node),
        }
    }
    let mut found = Vec::new();
    gather(node, &mut found);
    let start = found.iter().take_while(|node| ***node == Node::TextStart).count();
    found.drain(..start);
    while found.last().is_some_and(|node| **node == Node::TextEnd) {
        found.pop();
    }
    found
}

/// Whether a literal stands for itself alone.
fn exact(node: &Node) -> Option<char> {
    match node {
        Node::Literal { c, fold } if !fold || (c.is_ascii() && !c.is_ascii_alphabetic()) => Some(*c),
        _ => None,
    }
}

impl Parts {
    fn of(items: &[&Node]) -> Option<Parts> {
        let mut found = Parts { head: String::new(), parts: Vec::new(), newline: true };
        for item in items {
            if let Some(c) = exact(item) {
                found.parts.last_mut().map_or(&mut found.head, |part| &mut part.text).push(c);
                continue;
            }
            let Node::Repeat { node, min: min @ (0 | 1), max: None, .. } = item else { return None };
            let Node::Any { newline } = **node else { return None };
            if !found.parts.is_empty() && newline != found.newline {
                return None;
            }
            found.newline = newline;
            found.parts.push(Part { nonempty_gap: *min == 1, text: String::new() });
        }
        // Then a newline anywhere in a text is one in a gap, which is what `is_match` looks for.
        let literal_newline = found.head.contains('\n') || found.parts.iter().any(|part| part.text.contains('\n'));
        (found.newline || !literal_newline).then_some(found)
    }

    fn is_match(&self, text: &str) -> bool {
        let Some(mut rest) = text.strip_prefix(self.head.as_str()) else { return false };
        let Some((last, inner)) = self.parts.split_last() else { return rest.is_empty() };
        if !self.newline && text.contains('\n') {
            return false;
        }
        // The leftmost place for each part leaves the most room for the next ones.
        for part in inner {
            if part.nonempty_gap {
                let mut chars = rest.chars();
                if chars.next().is_none() {
                    return false;
                }
                rest = chars.as_str();
            }
            match rest.find(&part.text) {
                Some(at) => rest = &rest[at + part.text.len()..],
                None => return false,
            }
        }
        rest.ends_with(&last.text) && (!last.nonempty_gap || rest.len() > last.text.len())
    }
}

#[derive(Default)]
struct Literals {
    set: HashSet<Box<str>>,
    bytes: usize,
}

impl Literals {
    /// Takes in all texts of an alternative, if it has finitely many and there is room for them.
    fn add(&mut self, branch: &[&Node]) -> bool {
        let room = Room { count: MAX_LITERALS - self.set.len(), bytes: MAX_LITERAL_BYTES - self.bytes };
        let Some(texts) = sequence(branch.iter().copied(), room) else { return false };
        self.bytes += texts.iter().map(String::len).sum::<usize>();
        self.set.extend(texts.into_iter().map(String::into_boxed_str));
        true
    }
}

#[derive(Clone, Copy)]
struct Room {
    count: usize,
    bytes: usize,
}

impl Room {
    fn fits(self, texts: &[String]) -> bool {
        texts.len() <= self.count && texts.iter().map(String::len).sum::<usize>() <= self.bytes
    }
}

fn texts(node: &Node, room: Room) -> Option<Vec<String>> {
    if let Some(c) = exact(node) {
        return Some(vec![c.to_string()]);
    }
    match node {
        Node::Empty => Some(vec![String::new()]),
        Node::Class(class) => Some(class.members(MAX_CLASS)?.into_iter().map(String::from).collect()),
        Node::Group { node, .. } => texts(node, room),
        Node::Concat(nodes) => sequence(nodes.iter(), room),
        Node::Alternate(nodes) => {
            let mut all = Vec::new();
            for node in nodes {
                all.extend(texts(node, room)?);
                if all.len() > room.count {
                    return None;
                }
            }
            room.fits(&all).then_some(all)
        }
        Node::Repeat { node, min, max: Some(max), .. } if *max <= 16 => {
            let mut all = Vec::new();
            for count in *min..=*max {
                all.extend(sequence(std::iter::repeat_n(&**node, count as usize), room)?);
            }
            room.fits(&all).then_some(all)
        }
        _ => None,
    }
}

fn sequence<'a>(nodes: impl Iterator<Item = &'a Node>, room: Room) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    let mut bytes = 0;
    for node in nodes {
        if let Some(c) = exact(node) {
            all.iter_mut().for_each(|text| text.push(c));
            bytes += all.len() * c.len_utf8();
            if bytes > room.bytes {
                return None;
            }
            continue;
        }
        let next = texts(node, room)?;
        if all.len().saturating_mul(next.len()) > room.count {
            return None;
        }
        all = all.iter().flat_map(|start| next.iter().map(move |end| format!("{start}{end}"))).collect();
        bytes = all.iter().map(String::len).sum();
        if bytes > room.bytes {
            return None;
        }
    }
    Some(all)
}
