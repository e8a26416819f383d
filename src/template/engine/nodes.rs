//! Nodes of a tree as Go prints and places them.

use gotmpl::parse::{CommandNode, Expr, PipeNode, Pos};

use super::site::Spot;

/// The text that a tree was parsed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// A file's base name, or empty.
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn spot(&self, offset: usize, text: String) -> Spot {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let on_line = &before[line_start..];
        Spot { line: 1 + before.matches('\n').count(), byte: on_line.len(), column: on_line.chars().count() + 1, text }
    }

    /// The node that Go's executor visited last when this one has been evaluated.
    pub(super) fn last_visited(&self, expr: &Expr) -> Spot {
        match expr {
            Expr::Pipe(_, pipe) => self.last_of_pipe(pipe),
            Expr::Chain(_, inner, _) => self.last_visited(inner),
            expr => self.spot(self.offset(expr), self.print(expr)),
        }
    }

    pub(super) fn last_of_pipe(&self, pipe: &PipeNode) -> Spot {
        match pipe.commands.last() {
            Some(command) => self.last_of_command(command),
            None => self.spot(pipe.pos.offset, self.print_pipe(pipe)),
        }
    }

    fn last_of_command(&self, command: &CommandNode) -> Spot {
        match command.args.last() {
            Some(expr) => self.last_visited(expr),
            None => self.spot(command.pos.offset, String::new()),
        }
    }

    /// Go places a chain of fields at its second name, or its first after a variable.
    fn offset(&self, expr: &Expr) -> usize {
        match expr {
            Expr::Field(pos, fields) if fields.len() > 1 => pos.offset + 1 + fields[0].len(),
            Expr::Variable(pos, name, fields) if !fields.is_empty() => pos.offset + name.len(),
            expr => expr.pos().offset,
        }
    }

    pub(super) fn print(&self, expr: &Expr) -> String {
        match expr {
            Expr::Dot(_) => ".".to_owned(),
            Expr::Field(_, fields) => with_fields(String::new(), fields),
            Expr::Variable(_, name, fields) => with_fields(name.to_string(), fields),
            Expr::Identifier(_, name) => name.to_string(),
            Expr::String(pos, _) | Expr::Number(pos, _) => self.literal(*pos).to_owned(),
            Expr::Bool(_, value) => value.to_string(),
            Expr::Nil(_) => "nil".to_owned(),
            Expr::Pipe(_, pipe) => format!("({})", self.print_pipe(pipe)),
            Expr::Chain(_, inner, fields) => with_fields(self.print(inner), fields),
        }
    }

    pub(super) fn print_command(&self, command: &CommandNode) -> String {
        command.args.iter().map(|expr| self.print(expr)).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn print_pipe(&self, pipe: &PipeNode) -> String {
        let commands = pipe.commands.iter().map(|command| self.print_command(command)).collect::<Vec<_>>().join(" | ");
        if pipe.decl.is_empty() {
            return commands;
        }
        let sign = if pipe.is_assign { "=" } else { ":=" };
        format!("{} {sign} {commands}", pipe.decl.join(", "))
    }

    /// A literal as it was written.
    pub(super) fn literal(&self, pos: Pos) -> &str {
        let rest = self.text.get(pos.offset..).unwrap_or("");
        &rest[..literal_length(rest)]
    }
}

fn with_fields(mut text: String, fields: &[gotmpl::parse::SmolStr]) -> String {
    for field in fields {
        text.push('.');
        text.push_str(field);
    }
    text
}

fn literal_length(text: &str) -> usize {
    match text.chars().next() {
        Some('`') => text[1..].find('`').map_or(text.len(), |at| at + 2),
        Some(quote @ ('"' | '\'')) => {
            let mut escaped = false;
            let end = text[1..].char_indices().find(|(_, c)| {
                let ends = !escaped && *c == quote;
                escaped = !escaped && *c == '\\';
                ends
            });
            end.map_or(text.len(), |(at, _)| at + 2)
        }
        _ => {
            let sign = usize::from(text.starts_with(['+', '-']));
            let mut previous = ' ';
            let end = text[sign..].find(|c: char| {
                let exponent_sign = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E' | 'p' | 'P');
                previous = c;
                !(c.is_alphanumeric() || matches!(c, '.' | '_') || exponent_sign)
            });
            end.map_or(text.len(), |end| end + sign)
        }
    }
}
