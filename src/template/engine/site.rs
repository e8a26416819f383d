//! Where in a template a call stands: carried by the call itself, as one string, and read only when something fails.

use gotmpl::Value;
use gotmpl::parse::{Expr, Pos};

/// A node of the template as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// From 1.
    pub(super) line: usize,
    /// In bytes, from 0: Go's column.
    pub(super) byte: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// The node as Go prints it.
    pub(super) text: String,
}

/// A call: the template that runs, the text it was parsed from, and the places that an error may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// The `define` that it stands in.
    pub(super) template: String,
    /// The file, or the name of the text.
    pub(super) source: String,
    /// The whole command.
    pub(super) command: Spot,
    /// The name of the function, or the field.
    pub(super) callee: Spot,
    /// The node that was visited last when each argument has been evaluated.
    pub(super) arguments: Vec<Spot>,
}

const FIELD: char = '\u{1f}';
const SPOT: char = '\u{1e}';

impl Site {
    /// As an argument of a call.
    pub(super) fn to_expr(&self, pos: Pos) -> Expr {
        let mut text = format!("{}{FIELD}{}", clean(&self.template), clean(&self.source));
        for spot in [&self.command, &self.callee].into_iter().chain(&self.arguments) {
            text.push_str(&format!(
                "{SPOT}{}{FIELD}{}{FIELD}{}{FIELD}{}",
                spot.line,
                spot.byte,
                spot.column,
                clean(&spot.text)
            ));
        }
        Expr::String(pos, text.into())
    }

    /// From the argument again; `None` if it is none.
    pub(super) fn read(value: &Value) -> Option<Site> {
        let mut parts = value.as_str()?.split(SPOT);
        let (template, source) = parts.next()?.split_once(FIELD)?;
        let mut spots = parts.map(|part| {
            let mut fields = part.splitn(4, FIELD);
            Some(Spot {
                line: fields.next()?.parse().ok()?,
                byte: fields.next()?.parse().ok()?,
                column: fields.next()?.parse().ok()?,
                text: fields.next()?.to_owned(),
            })
        });
        Some(Site {
            template: template.to_owned(),
            source: source.to_owned(),
            command: spots.next()??,
            callee: spots.next()??,
            arguments: spots.collect::<Option<_>>()?,
        })
    }

    /// Where a complaint about the last argument, or one that came down the pipe, is placed.
    pub(super) fn last_visited(&self) -> &Spot {
        self.arguments.last().unwrap_or(&self.callee)
    }

    /// An error as Go prints it.
    pub(super) fn message(&self, spot: &Spot, reason: &str) -> String {
        let Spot { line, byte, text, .. } = spot;
        let template = crate::model::go_quote(&self.template);
        format!("template: {}:{line}:{byte}: executing {template} at <{text}>: {reason}", self.source)
    }
}

/// The separators of the encoding never stand in what it holds.
fn clean(text: &str) -> String {
    text.replace([FIELD, SPOT], " ")
}
