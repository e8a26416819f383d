//! Go's `regexp/syntax` with its Perl flags: text to tree. No recursion, so no pattern overflows the stack.

use super::RegexError;
use super::class::{self, Class};

/// Go allows a tree of height 1000; no written pattern comes near either.
const MAX_DEPTH: usize = 250;
const MAX_REPEAT: u32 = 1000;

/// A pattern's tree. Flags are resolved: each node says for itself whether it folds case or takes newlines.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Empty,
    Literal {
        c: char,
        fold: bool,
    },
    Class(Class),
    /// `.`
    Any {
        newline: bool,
    },
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    /// ASCII's, as in Go.
    WordBoundary,
    NoWordBoundary,
    Group {
        node: Box<Node>,
        captures: bool,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        greedy: bool,
    },
}

pub(super) struct Parsed {
    pub(super) node: Node,
    /// Named groups and their numbers; Go allows a name twice.
    pub(super) names: Vec<(String, usize)>,
}

#[derive(Clone, Copy)]
struct Flags {
    /// `i`
    fold: bool,
    /// `m`
    multi_line: bool,
    /// `s`
    dot_all: bool,
    /// `U`
    lazy: bool,
}

/// A group that is open: its alternatives so far and what is being gathered for the next one.
struct Frame {
    alternatives: Vec<Node>,
    items: Vec<Node>,
    /// Those in force outside, to return to.
    outer: Flags,
    captures: bool,
}

impl Frame {
    fn new(outer: Flags, captures: bool) -> Self {
        Frame { alternatives: Vec::new(), items: Vec::new(), outer, captures }
    }

    fn end_alternative(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        self.alternatives.push(match items.len() {
            0 => Node::Empty,
            1 => items.remove(0),
            _ => Node::Concat(items),
        });
    }

    fn close(mut self) -> Node {
        self.end_alternative();
        match self.alternatives.len() {
            1 => self.alternatives.remove(0),
            _ => Node::Alternate(self.alternatives),
        }
    }
}

pub(super) fn error<T>(reason: &'static str, part: &str) -> Result<T, RegexError> {
    Err(RegexError::Syntax { reason, part: part.to_owned() })
}

/// What of `whole` lies before `rest`, which is its tail.
pub(super) fn before<'a>(whole: &'a str, rest: &str) -> &'a str {
    &whole[..whole.len() - rest.len()]
}

struct Parser<'a> {
    whole: &'a str,
    flags: Flags,
    open: Vec<Frame>,
    frame: Frame,
    captures: usize,
    names: Vec<(String, usize)>,
}

impl Parsed {
    pub(super) fn new(pattern: &str) -> Result<Parsed, RegexError> {
        let flags = Flags { fold: false, multi_line: false, dot_all: false, lazy: false };
        let parser = Parser {
            whole: pattern,
            flags,
            open: Vec::new(),
            frame: Frame::new(flags, false),
            captures: 0,
            names: Vec::new(),
        };
        parser.run()
    }
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Result<Parsed, RegexError> {
        let mut rest = self.whole;
        // Where the repetition that was read last began: two in a row are an error.
        let mut last_repeat: Option<&str> = None;
        while let Some(c) = rest.chars().next() {
            let mut repeat = None;
            rest = match c {
                '(' => self.open_group(rest)?,
                ')' => {
                    self.close_group()?;
                    &rest[1..]
                }
                '|' => {
                    self.frame.end_alternative();
                    &rest[1..]
                }
                '^' => self.push(if self.flags.multi_line { Node::LineStart } else { Node::TextStart }, &rest[1..]),
                '$' => self.push(if self.flags.multi_line { Node::LineEnd } else { Node::TextEnd }, &rest[1..]),
                '.' => self.push(Node::Any { newline: self.flags.dot_all }, &rest[1..]),
                '[' => {
                    let (class, after) = class::bracketed(rest, self.flags.fold)?;
                    self.push(Node::Class(class), after)
                }
                '*' | '+' | '?' => {
                    let (min, max) = match c {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    repeat = Some(rest);
                    self.repeat(min, max, rest, &rest[1..], last_repeat)?
                }
                '{' => match counts(rest) {
                    None => self.literal('{', &rest[1..]),
                    Some((min, max, after)) => {
                        let too_many = |count: u32| count > MAX_REPEAT;
                        if too_many(min) || max.is_some_and(|max| too_many(max) || min > max) {
                            return error("invalid repeat count", before(rest, after));
                        }
                        repeat = Some(rest);
                        self.repeat(min, max, rest, after, last_repeat)?
                    }
                },
                '\\' => self.escape(rest)?,
                _ => self.literal(c, &rest[c.len_utf8()..]),
            };
            last_repeat = repeat;
        }
        if !self.open.is_empty() {
            return error("missing closing )", self.whole);
        }
        Ok(Parsed { node: self.frame.close(), names: self.names })
    }

    fn push<'r>(&mut self, node: Node, rest: &'r str) -> &'r str {
        self.frame.items.push(node);
        rest
    }

    fn literal<'r>(&mut self, c: char, rest: &'r str) -> &'r str {
        self.push(Node::Literal { c, fold: self.flags.fold }, rest)
    }

    fn open_group(&mut self, rest: &'a str) -> Result<&'a str, RegexError> {
        if self.open.len() >= MAX_DEPTH {
            return error("expression nests too deeply", self.whole);
        }
        let outer = self.flags;
        if !rest.starts_with("(?") {
            self.captures += 1;
            self.enter(outer, true);
            return Ok(&rest[1..]);
        }
        for opening in ["(?P<", "(?<"] {
            let Some(after) = rest.strip_prefix(opening) else { continue };
            let Some(end) = after.find('>') else { return error("invalid named capture", rest) };
            let (name, after) = (&after[..end], &after[end + 1..]);
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return error("invalid named capture", before(rest, after));
            }
            self.captures += 1;
            self.names.push((name.to_owned(), self.captures));
            self.enter(outer, true);
            return Ok(after);
        }
        self.open_flags(rest)
    }

    /// `(?flags)` and `(?flags:`.
    fn open_flags(&mut self, whole: &'a str) -> Result<&'a str, RegexError> {
        let outer = self.flags;
        let mut flags = outer;
        let mut value = true;
        let mut pending_flag = true;
        let mut rest = &whole[2..];
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                'i' => flags.fold = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_all = value,
                'U' => flags.lazy = value,
                '-' if value => {
                    value = false;
                    pending_flag = false;
                    continue;
                }
                ':' | ')' if pending_flag => {
                    if c == ':' {
                        self.enter(outer, false);
                    }
                    self.flags = flags;
                    return Ok(rest);
                }
                _ => return error("invalid or unsupported Perl syntax", before(whole, rest)),
            }
            pending_flag = true;
        }
        error("invalid or unsupported Perl syntax", whole)
    }

    fn enter(&mut self, outer: Flags, captures: bool) {
        let outside = std::mem::replace(&mut self.frame, Frame::new(outer, captures));
        self.open.push(outside);
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let Some(outside) = self.open.pop() else { return error("unexpected )", self.whole) };
        let inside = std::mem::replace(&mut self.frame, outside);
        self.flags = inside.outer;
        let captures = inside.captures;
        self.frame.items.push(Node::Group { node: Box::new(inside.close()), captures });
        Ok(())
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        start: &'a str,
        after: &'a str,
        last_repeat: Option<&'a str>,
    ) -> Result<&'a str, RegexError> {
        let operator = before(start, after);
        let (lazy, after) = match after.strip_prefix('?') {
            Some(after) => (!self.flags.lazy, after),
            None => (self.flags.lazy, after),
        };
        if let Some(last) = last_repeat {
            return error("invalid nested repetition operator", before(last, after));
        }
        let Some(node) = self.frame.items.pop() else {
            return error("missing argument to repetition operator", operator);
        };
        let node = Node::Repeat { node: Box::new(node), min, max, greedy: !lazy };
        if operator.starts_with('{') && (min >= 2 || max.is_some_and(|max| max >= 2)) && !counts_fit(&node, MAX_REPEAT)
        {
            return error("invalid repeat count", operator);
        }
        Ok(self.push(node, after))
    }

    fn escape(&mut self, rest: &'a str) -> Result<&'a str, RegexError> {
        let after = rest.get(2..);
        let node = match rest.as_bytes().get(1) {
            Some(b'A') => Some(Node::TextStart),
            Some(b'z') => Some(Node::TextEnd),
            Some(b'b') => Some(Node::WordBoundary),
            Some(b'B') => Some(Node::NoWordBoundary),
            Some(b'C') => return error("invalid escape sequence", &rest[..2]),
            Some(b'Q') => {
                let quoted = &rest[2..];
                let (literals, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                for c in literals.chars() {
                    self.literal(c, after);
                }
                return Ok(after);
            }
            _ => None,
        };
        if let (Some(node), Some(after)) = (node, after) {
            return Ok(self.push(node, after));
        }
        if let Some((class, after)) = class::escaped(rest, self.flags.fold)? {
            return Ok(self.push(Node::Class(class), after));
        }
        let (code, after) = class::escaped_char(rest)?;
        Ok(match char::from_u32(code) {
            Some(c) => self.literal(c, after),
            // Half of a surrogate pair is in no text.
            None => self.push(Node::Class(Class::nothing()), after),
        })
    }
}

/// `{n}`, `{n,}` or `{n,m}`; `None` if it is not that, and so literal text. What is too large for a count is `u32::MAX`.
fn counts(rest: &str) -> Option<(u32, Option<u32>, &str)> {
    let (min, after) = count(&rest[1..])?;
    let (max, after) = match after.strip_prefix(',') {
        None => (Some(min), after),
        Some(after) if after.starts_with('}') => (None, after),
        Some(after) => {
            let (max, after) = count(after)?;
            (Some(max), after)
        }
    };
    Some((min, max, after.strip_prefix('}')?))
}

fn count(text: &str) -> Option<(u32, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, after) = text.split_at(digits);
    if number.is_empty() || (number.len() > 1 && number.starts_with('0')) {
        return None;
    }
    Some((number.parse().unwrap_or(u32::MAX), after))
}

/// Whether counted repetitions inside each other stay within `limit` copies in all.
fn counts_fit(node: &Node, limit: u32) -> bool {
    match node {
        Node::Repeat { node, min, max, .. } => {
            // `*`, `+` and `?` do not count in Go either.
            let counted = !matches!((min, max), (0 | 1, None) | (0, Some(1)));
            let copies = if counted { max.unwrap_or(*min) } else { 1 };
            copies <= limit && (copies == 0 || counts_fit(node, limit / copies))
        }
        Node::Group { node, .. } => counts_fit(node, limit),
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().all(|node| counts_fit(node, limit)),
        _ => true,
    }
}
