//! From text to trees: the engine's parser, with the checks that it leaves out.

use gotmpl::parse::{ListNode, Node, Parser};

use super::error::TemplateError;
use super::rewrite::{Names, Rewriter};

/// After the text, to see whether the parser read it to its end: at a stray `{{ end }}` it stops silently.
const SENTINEL: &str = "\u{1}end of template\u{1}";

/// A text and the templates that it defines, ready to run.
pub(super) struct Parsed {
    pub(super) root: ListNode,
    pub(super) defines: Vec<(String, ListNode)>,
    /// Templates that are called, with the line.
    pub(super) calls: Vec<(String, usize)>,
}

/// Reads `source`; `name` is what errors call it.
pub(super) fn parse(name: &str, source: &str, functions: Names) -> Result<Parsed, TemplateError> {
    let text = format!("{source}{SENTINEL}");
    let wrong = |error: gotmpl::TemplateError| TemplateError::from_engine(name, &error);
    let (mut root, defines) =
        Parser::with_name(Some(name), &text, "{{", "}}").and_then(Parser::parse).map_err(wrong)?;
    let lines = source.lines().count().max(1);
    if !strip_sentinel(&mut root) {
        let open = defines.iter().any(|define| ends_with_sentinel(&define.body));
        let reason = if open { "unexpected EOF" } else { "unexpected {{end}}" };
        return Err(TemplateError::at_line(name, lines, reason));
    }
    let mut rewriter = Rewriter::new(name, source, functions);
    rewriter.template(name, &mut root)?;
    let mut named: Vec<(String, ListNode)> = Vec::new();
    for mut define in defines {
        if ends_with_sentinel(&define.body) {
            return Err(TemplateError::at_line(name, lines, "unexpected EOF"));
        }
        if define.body.is_empty_tree() {
            if !named.iter().any(|(known, _)| *known == *define.name) {
                named.push((define.name.to_string(), define.body));
            }
            continue;
        }
        rewriter.template(&define.name, &mut define.body)?;
        match named.iter_mut().find(|(known, _)| *known == *define.name) {
            Some((_, body)) if body.is_empty_tree() => *body = define.body,
            Some(_) => {
                let reason = format!("multiple definition of template \"{}\"", define.name);
                return Err(TemplateError::at_line(name, define.pos.line, &reason));
            }
            None => named.push((define.name.to_string(), define.body)),
        }
    }
    Ok(Parsed { root, defines: named, calls: rewriter.calls })
}

fn ends_with_sentinel(list: &ListNode) -> bool {
    matches!(list.nodes.last(), Some(Node::Text(text)) if text.text.ends_with(SENTINEL))
}

fn strip_sentinel(list: &mut ListNode) -> bool {
    let Some(Node::Text(last)) = list.nodes.last_mut() else { return false };
    let Some(rest) = last.text.strip_suffix(SENTINEL) else { return false };
    last.text = rest.into();
    true
}
