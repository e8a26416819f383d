//! Parsing, and what is wrong with a template's syntax in Go's words.
//!
//! The engine's parser ends a text without a word at a stray `{{end}}`, and takes a text that ends inside an `{{if}}`.
//! A sentinel at the end of the text tells: it must come out last, and outermost.

use gotmpl::parse::{DefineNode, ListNode, Node, Parser};

use crate::template::TemplateError;

use super::nodes::Source;

/// No template holds it, and nothing trims it.
const SENTINEL: &str = "\u{10FFFE}belfry\u{10FFFE}";

/// The outermost text and the definitions of a template.
pub(super) struct Tree {
    pub(super) body: ListNode,
    pub(super) defines: Vec<DefineNode>,
}

/// A syntax error at an offset.
pub(super) fn error(source: Source<'_>, offset: usize, reason: &str) -> TemplateError {
    let spot = source.spot(offset, String::new());
    placed(source, spot.line, Some(spot.column), reason)
}

fn placed(source: Source<'_>, line: usize, column: Option<usize>, reason: &str) -> TemplateError {
    let mut error = TemplateError::new(format!("template: {}:{line}: {reason}", source.name), None);
    error.line = Some(line);
    error.column = column;
    error
}

/// Parses a text; nothing is checked but its shape.
pub(super) fn parse(source: Source<'_>) -> Result<Tree, TemplateError> {
    // Once without the sentinel, which would show up in the errors.
    run_parser(source, source.text)?;
    let with_sentinel = format!("{}{SENTINEL}", source.text);
    let (mut body, defines) = run_parser(source, &with_sentinel)?;
    let lines = 1 + source.text.matches('\n').count();
    match body.nodes.last_mut() {
        Some(Node::Text(text)) if text.text.ends_with(SENTINEL) => {
            let kept = text.text[..text.text.len() - SENTINEL.len()].to_owned();
            text.text = kept.into();
        }
        _ => {
            return match find_sentinel(&body, &defines) {
                true => Err(placed(source, lines, None, "unexpected EOF")),
                false => Err(stray(source)),
            };
        }
    }
    if matches!(body.nodes.last(), Some(Node::Text(text)) if text.text.is_empty()) {
        body.nodes.pop();
    }
    check_duplicates(source, &body, &defines)?;
    Ok(Tree { body, defines })
}

fn check_duplicates(source: Source<'_>, body: &ListNode, defines: &[DefineNode]) -> Result<(), TemplateError> {
    let mut seen: Vec<&str> = Vec::new();
    if !body.is_empty_tree() {
        seen.push(source.name);
    }
    for define in defines.iter().filter(|define| !define.body.is_empty_tree()) {
        if seen.contains(&define.name.as_str()) {
            let reason = format!("template: multiple definition of template {}", crate::model::go_quote(&define.name));
            return Err(error(source, define.pos.offset, &reason));
        }
        seen.push(&define.name);
    }
    Ok(())
}

fn run_parser(source: Source<'_>, text: &str) -> Result<(ListNode, Vec<DefineNode>), TemplateError> {
    Parser::new(text, "{{", "}}").and_then(Parser::parse).map_err(|error| translate(source, error))
}

/// The engine's complaint in Go's words.
fn translate(source: Source<'_>, error: gotmpl::TemplateError) -> TemplateError {
    use gotmpl::TemplateError::{Lex, Parse};
    let (line, column, message) = match error {
        Lex { line, col, message, .. } => (line, col, lexical(source, line, col, &message)),
        Parse { line, col, message, .. } => (line, col, grammatical(source, line, col, &message)),
        other => (1, 1, other.to_string()),
    };
    placed(source, line.max(1), Some(column.max(1)), &message)
}

fn lexical(source: Source<'_>, line: usize, column: usize, message: &str) -> String {
    match message {
        "unterminated string" => "unterminated quoted string".to_owned(),
        "unterminated raw string" => "unterminated raw quoted string".to_owned(),
        "comment not terminated by closing delimiter" => "comment ends before closing delimiter".to_owned(),
        "expected '=' after ':'" => "expected :=".to_owned(),
        message if message.contains("char") && message.contains("unterminated") => {
            "unterminated character constant".to_owned()
        }
        message if message.starts_with("unexpected character: ") => {
            let at = offset_of(source, line, column);
            let found = source.text[at..].chars().next().unwrap_or('\u{FFFD}');
            format!("unexpected {} in command", crate::model::go_quote(&found.to_string()))
        }
        message => message.to_owned(),
    }
}

fn grammatical(source: Source<'_>, line: usize, column: usize, message: &str) -> String {
    let after = offset_of(source, line, column);
    // The engine places a closing delimiter at its end.
    let closed = source.text[..after].ends_with("}}");
    let at = if closed { after - 2 } else { after };
    let rest = &source.text[at..];
    let found = || {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '}' | ')' | '|')).unwrap_or(rest.len());
        let width = rest.chars().next().map_or(0, char::len_utf8);
        let shown = if closed { "}}" } else { &rest[..end.max(width)] };
        crate::model::go_quote(shown)
    };
    if message == "empty command" {
        let context = keyword_before(source, at);
        return match closed || rest.starts_with(')') {
            true => format!("missing value for {context}"),
            false => format!("unexpected {} in {context}", found()),
        };
    }
    if message == "unexpected token: Else" {
        return "expected end; found {{else}}".to_owned();
    }
    if message.starts_with("expected RightParen") {
        return "unclosed left paren".to_owned();
    }
    if message.starts_with("expected closing delimiter") {
        return if rest.starts_with(')') {
            "unexpected right paren".to_owned()
        } else {
            format!("unexpected {} in operand", found())
        };
    }
    if let Some(clause) = message.strip_suffix(" expects a string name") {
        // The token that is no name has been passed already.
        let named = source.text[..at].trim_end().rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
        let found = if named.ends_with(clause) || named.contains("}}") || named.is_empty() { "}}" } else { named };
        return format!("unexpected {} in {clause} clause", crate::model::go_quote(found));
    }
    message.to_owned()
}

/// What the action before `at` is: `if`, `range`, `with`, or a command.
fn keyword_before(source: Source<'_>, at: usize) -> &'static str {
    let action = source.text[..at].rfind("{{").map_or("", |start| &source.text[start + 2..at]);
    let action = action.trim_start_matches('-').trim_end_matches('-').trim();
    let action = action.strip_prefix("else ").unwrap_or(action).trim_start();
    ["if", "range", "with"].into_iter().find(|word| action == *word).unwrap_or("command")
}

fn offset_of(source: Source<'_>, line: usize, column: usize) -> usize {
    let start: usize = source.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &source.text[start.min(source.text.len())..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

fn find_sentinel(body: &ListNode, defines: &[DefineNode]) -> bool {
    fn within(list: &ListNode) -> bool {
        list.nodes.iter().any(|node| match node {
            Node::Text(text) => text.text.contains(SENTINEL),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                within(&branch.body) || branch.else_body.as_ref().is_some_and(within)
            }
            Node::List(list) => within(list),
            _ => false,
        })
    }
    within(body) || defines.iter().any(|define| within(&define.body))
}

/// The first `{{end}}` or `{{else}}` that closes nothing: the end of the longest head of the text that parses whole.
fn stray(source: Source<'_>) -> TemplateError {
    for (at, _) in source.text.match_indices("{{") {
        let inside = source.text[at + 2..].trim_start_matches('-').trim_start();
        let Some(word) = ["end", "else"].into_iter().find(|word| inside.starts_with(word)) else { continue };
        let head = format!("{}{SENTINEL}", &source.text[..at]);
        let closes_nothing = Parser::new(&head, "{{", "}}").and_then(Parser::parse).is_ok_and(
            |(body, _)| matches!(body.nodes.last(), Some(Node::Text(text)) if text.text.ends_with(SENTINEL)),
        );
        if closes_nothing {
            return error(source, at + 2, &format!("unexpected {{{{{word}}}}}"));
        }
    }
    // An `{{else}}` after an `{{else}}` is what is left.
    error(source, 0, "expected end; found {{else}}")
}
