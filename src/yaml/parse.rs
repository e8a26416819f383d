//! Text to located tree, by `saphyr-parser`'s events.
//!
//! **Invariants:** no key occurs twice in a mapping, merge keys and aliases are already resolved, and the tree is bounded
//! in depth and size whatever the aliases say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::{Findings, Position};

/// Far above any real file, far below what a stack or a memory feels.
const MAX_DEPTH: usize = 200;
const MAX_NODES: usize = 2_000_000;

/// The first document of a stream.
#[derive(Debug, Clone)]
pub struct Document {
    /// `None` if the stream holds nothing.
    pub root: Option<Node>,
    /// Where a second document starts, if there is one.
    pub second: Option<Position>,
    pub source: Arc<str>,
}

/// A value and where it starts.
#[derive(Debug, Clone)]
pub struct Node {
    pub position: Position,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// Keys are scalars; in file order, merged ones last.
    Mapping(Vec<(Node, Node)>),
}

/// A scalar's own text, not yet of any type.
#[derive(Debug, Clone)]
pub struct Scalar {
    pub text: String,
    pub style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// Reads the first document of a stream. What is wrong with its shape goes to `findings`; `None` if there is then nothing
/// to go on with.
pub fn parse(source: &str, findings: &mut Findings) -> Option<Document> {
    // A byte order mark is no content; Go's reader skips it too.
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut builder = Builder { findings, nodes: 0, anchors: HashMap::new() };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut second = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(next) => next,
            // A broken second document is as good as none: only the first is read.
            Err(_) if root.is_some() => {
                second.get_or_insert_with(Position::default);
                break;
            }
            Err(error) => {
                builder.findings.error(position(error.marker()), format!("yaml: {}", error.info()));
                return None;
            }
        };
        let at = position(&span.start);
        let (node, anchor) = match event {
            Event::DocumentStart(_) if root.is_some() => {
                second = Some(at);
                break;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) if open.len() >= MAX_DEPTH => {
                let _ = anchor;
                builder.findings.error(at, format!("nested more than {MAX_DEPTH} levels deep"));
                return None;
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open { at, anchor, items: Vec::new(), kind: Kind::Sequence });
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open { at, anchor, items: Vec::new(), kind: Kind::Mapping });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = open.pop() else { continue };
                let anchor = done.anchor;
                (builder.close(done), anchor)
            }
            Event::Scalar(text, style, anchor, _) => {
                let scalar = Scalar { text: text.into_owned(), style: style_of(style) };
                (Node { position: at, value: Value::Scalar(scalar) }, anchor)
            }
            Event::Alias(anchor) => match builder.anchors.get(&anchor).cloned() {
                Some((node, size)) => {
                    builder.nodes += size;
                    (node, 0)
                }
                None => {
                    builder.findings.error(at, "alias to an anchor that contains it");
                    return None;
                }
            },
        };
        builder.nodes += 1;
        if builder.nodes > MAX_NODES {
            builder.findings.error_with_help(
                at,
                format!("more than {MAX_NODES} values"),
                "split the file, or use fewer aliases",
            );
            return None;
        }
        if anchor != 0 {
            let size = size(&node);
            builder.anchors.insert(anchor, (node.clone(), size));
        }
        match open.last_mut() {
            Some(parent) => parent.items.push(node),
            None => root = Some(node),
        }
    }
    Some(Document { root, second, source: Arc::from(text) })
}

enum Kind {
    Sequence,
    Mapping,
}

/// A collection whose end has not come yet; a mapping's items are keys and values by turns.
struct Open {
    at: Position,
    anchor: usize,
    items: Vec<Node>,
    kind: Kind,
}

struct Builder<'a> {
    findings: &'a mut Findings,
    nodes: usize,
    anchors: HashMap<usize, (Node, usize)>,
}

impl Builder<'_> {
    fn close(&mut self, open: Open) -> Node {
        let value = match open.kind {
            Kind::Sequence => Value::Sequence(open.items),
            Kind::Mapping => Value::Mapping(self.entries(open.items)),
        };
        Node { position: open.at, value }
    }

    fn entries(&mut self, items: Vec<Node>) -> Vec<(Node, Node)> {
        let mut entries: Vec<(Node, Node)> = Vec::with_capacity(items.len() / 2);
        let mut merged = Vec::new();
        let mut seen = HashSet::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Value::Scalar(scalar) = &key.value else {
                self.findings.error(key.position, "a key must be a plain value, not a list or a mapping");
                continue;
            };
            if scalar.text == "<<" && scalar.style == Style::Plain {
                merged.push(value);
            } else if seen.insert(scalar.text.clone()) {
                entries.push((key, value));
            } else {
                self.findings.error(key.position, format!("duplicate key {:?}", scalar.text));
            }
        }
        for source in merged {
            let sources = match source.value {
                Value::Sequence(list) => list,
                Value::Mapping(_) => vec![source],
                Value::Scalar(_) => {
                    self.findings.error(source.position, "`<<` merges a mapping or a list of mappings");
                    continue;
                }
            };
            for source in sources {
                let Value::Mapping(pairs) = source.value else {
                    self.findings.error(source.position, "`<<` merges a mapping or a list of mappings");
                    continue;
                };
                for (key, value) in pairs {
                    if seen.insert(key.text().unwrap_or_default().to_owned()) {
                        entries.push((key, value));
                    }
                }
            }
        }
        entries
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    }
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

impl Document {
    /// Where the byte at `offset` of a scalar's text stands in the file, whatever its style: quoted with escapes, over
    /// several lines, block or folded.
    pub fn position_in(&self, node: &Node, offset: usize) -> Position {
        let Value::Scalar(scalar) = &node.value else { return node.position };
        position_in(&self.source, node.position, scalar, offset)
    }
}

/// Walks text and source side by side. Both hold the same visible characters in the same order; only white space differs
/// (indentation, folding), and escapes stand for one character each.
fn position_in(source: &str, start: Position, scalar: &Scalar, offset: usize) -> Position {
    let mut cursor = Cursor::at(source, start);
    match scalar.style {
        Style::Plain => {}
        Style::SingleQuoted | Style::DoubleQuoted => cursor.advance(),
        Style::Literal | Style::Folded => {
            // Some parsers place a block scalar at its indicator, some at its first line.
            if matches!(cursor.peek(), Some('|' | '>')) {
                while cursor.peek().is_some_and(|c| c != '\n') {
                    cursor.advance();
                }
                cursor.advance();
            }
        }
    }
    let mut here = cursor.position;
    for (at, wanted) in scalar.text.char_indices() {
        let escaped = scalar.style == Style::DoubleQuoted && cursor.peek() == Some('\\');
        if !wanted.is_whitespace() || escaped {
            while cursor.peek().is_some_and(char::is_whitespace) {
                cursor.advance();
            }
        } else if scalar.style == Style::Literal && wanted != '\n' && cursor.position.column == 1 {
            // Blanks after a block's own indentation are text; the indentation itself is not counted here, so the place
            // is exact for visible characters and on the right line for blanks.
            while cursor.peek() == Some(' ') {
                cursor.advance();
            }
        }
        here = cursor.position;
        if at >= offset {
            return here;
        }
        match scalar.style {
            Style::DoubleQuoted if cursor.peek() == Some('\\') => cursor.advance_escape(),
            Style::SingleQuoted if wanted == '\'' => {
                cursor.advance();
                cursor.advance();
            }
            _ if wanted.is_whitespace() && !cursor.peek().is_some_and(char::is_whitespace) => {}
            _ => cursor.advance(),
        }
        here = cursor.position;
    }
    here
}

struct Cursor<'a> {
    rest: std::str::Chars<'a>,
    position: Position,
}

impl<'a> Cursor<'a> {
    fn at(source: &'a str, start: Position) -> Self {
        let line_start = match start.line {
            0 | 1 => 0,
            line => source.match_indices('\n').nth(line - 2).map_or(source.len(), |(at, _)| at + 1),
        };
        let mut rest = source[line_start..].chars();
        for _ in 1..start.column {
            rest.next();
        }
        Cursor { rest, position: start }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn advance(&mut self) {
        match self.rest.next() {
            Some('\n') => {
                self.position.line += 1;
                self.position.column = 1;
            }
            Some(_) => self.position.column += 1,
            None => {}
        }
    }

    fn advance_escape(&mut self) {
        self.advance();
        let digits = match self.peek() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        for _ in 0..=digits {
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(source: &str) -> (Document, Vec<String>) {
        let mut findings = Findings::new("f");
        let document = parse(source, &mut findings);
        let found = findings.into_sorted().iter().map(ToString::to_string).collect();
        (document.unwrap_or(Document { root: None, second: None, source: "".into() }), found)
    }

    fn show(node: &Node) -> String {
        match &node.value {
            Value::Scalar(scalar) => scalar.text.clone(),
            Value::Sequence(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
            Value::Mapping(entries) => {
                let entries: Vec<String> = entries.iter().map(|(k, v)| format!("{}={}", show(k), show(v))).collect();
                format!("{{{}}}", entries.join(" "))
            }
        }
    }

    #[test]
    fn anchors_aliases_and_merge_keys_are_resolved() {
        let (document, found) = tree("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: *x\n");
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(show(&document.root.unwrap()), "{a={p=1 q=2} b={q=3 p=1} c={p=1 q=2}}");
    }

    #[test]
    fn a_duplicate_key_is_found_where_it_stands() {
        assert_eq!(tree("a: 1\nb: 2\na: 3\n").1, ["f:3:1: duplicate key \"a\""]);
    }

    #[test]
    fn only_the_first_document_counts() {
        let (document, found) = tree("a: 1\n---\n[broken\n");
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(show(&document.root.unwrap()), "{a=1}");
        assert!(document.second.is_some());
    }

    #[test]
    fn laughs_and_depth_are_bounded() {
        let mut laughs = "a0: &a0 [x]\n".to_owned();
        for level in 1..30 {
            let alias = format!("*a{}", level - 1);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", ")));
        }
        assert!(tree(&laughs).1[0].contains("more than 2000000 values"));
        let deep = format!("{}x{}", "[".repeat(201), "]".repeat(201));
        assert_eq!(tree(&deep).1, ["f:1:201: nested more than 200 levels deep"]);
        // The parser's own bound may come first; either way it is one error, and soon.
        let endless = tree(&"[".repeat(100_000)).1;
        assert_eq!(endless.len(), 1, "{endless:?}");
        assert!(endless[0].starts_with("f:1:") && endless[0].len() < 200, "{endless:?}");
    }

    #[test]
    fn places_inside_a_scalar_are_the_files_own() {
        let cases = [
            ("expr: up == 0\n", "==", "1:10"),
            ("expr: 'it''s up'\n", "up", "1:14"),
            ("expr: \"a\\\"b\\u0041 up\"\n", "up", "1:19"),
            ("r:\n  - expr: |\n      sum(\n        rat(x)\n      )\n", "rat", "4:9"),
            ("r:\n  - expr: >\n      sum(\n      rat(x)\n      )\n", "rat", "4:7"),
            ("expr: up\n  == rat\n", "rat", "2:6"),
            ("expr: \"up\n  == rat\"\n", "rat", "2:6"),
            ("expr: |2-\n   é rat\n", "rat", "2:6"),
        ];
        for (source, needle, want) in cases {
            let (document, found) = tree(source);
            assert_eq!(found, Vec::<String>::new(), "{source:?}");
            fn last(node: &Node) -> &Node {
                match &node.value {
                    Value::Scalar(_) => node,
                    Value::Sequence(items) => last(&items[0]),
                    Value::Mapping(entries) => last(&entries[0].1),
                }
            }
            let scalar = last(document.root.as_ref().unwrap());
            let offset = scalar.text().unwrap().find(needle).unwrap();
            assert_eq!(document.position_in(scalar, offset).to_string(), want, "{source:?}");
        }
    }
}
