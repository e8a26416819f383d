//! The adapter: the engine knows neither methods on data nor places of errors, so field chains become calls of `__m`,
//! function calls carry their place as first argument, and what is printed passes `__show`.

use std::sync::Arc;

use gotmpl::parse::{CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, SmolStr};

use super::error::{TemplateError, place};

/// Whether a function is there.
pub(super) type Names = fn(&str) -> bool;

/// The engine's own, run as they are: they may have to be last, or must not evaluate all arguments.
pub(super) const BARE: &[&str] = &["and", "or", "html", "js", "urlquery", "printf", "slice"];

pub(super) struct Rewriter<'a> {
    name: &'a str,
    source: &'a str,
    executing: String,
    functions: Names,
    variables: Vec<SmolStr>,
    ranges: usize,
    pub(super) calls: Vec<(String, usize)>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(name: &'a str, source: &'a str, functions: Names) -> Self {
        let executing = String::new();
        Rewriter { name, source, executing, functions, variables: Vec::new(), ranges: 0, calls: Vec::new() }
    }

    pub(super) fn template(&mut self, executing: &str, body: &mut ListNode) -> Result<(), TemplateError> {
        executing.clone_into(&mut self.executing);
        self.variables = vec!["$".into()];
        self.list(body)
    }

    fn list(&mut self, list: &mut ListNode) -> Result<(), TemplateError> {
        list.nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &mut Node) -> Result<(), TemplateError> {
        match node {
            Node::List(list) => self.list(list)?,
            Node::Action(action) => {
                self.pipe(&mut action.pipe)?;
                if action.pipe.decl.is_empty() {
                    self.show(&mut action.pipe);
                }
            }
            Node::If(branch) | Node::With(branch) => {
                let scope = self.variables.len();
                self.pipe(&mut branch.pipe)?;
                let inner = self.variables.len();
                self.list(&mut branch.body)?;
                self.variables.truncate(inner);
                branch.else_body.as_mut().map_or(Ok(()), |body| self.list(body))?;
                self.variables.truncate(scope);
            }
            Node::Range(branch) => {
                let scope = self.variables.len();
                self.pipe(&mut branch.pipe)?;
                let at = self.place(branch.pipe.pos, "range");
                branch.pipe.commands.push(call(branch.pipe.pos, "__range", vec![at]));
                self.ranges += 1;
                self.list(&mut branch.body)?;
                self.ranges -= 1;
                self.variables.truncate(scope);
                branch.else_body.as_mut().map_or(Ok(()), |body| self.list(body))?;
                self.variables.truncate(scope);
            }
            Node::Template(template) => {
                self.calls.push((template.name.to_string(), template.pos.line));
                match &mut template.pipe {
                    Some(pipe) => self.pipe(pipe)?,
                    // Without an argument the called template has none; the engine would hand on its dot.
                    None => {
                        let nothing = call(template.pos, "__nil", vec![]);
                        let (pos, decl) = (template.pos, Vec::new());
                        template.pipe = Some(PipeNode { pos, decl, commands: vec![nothing], is_assign: false });
                    }
                }
            }
            Node::Break(pos) | Node::Continue(pos) if self.ranges == 0 => {
                return Err(self.wrong(*pos, "{{break}} or {{continue}} outside {{range}}"));
            }
            Node::Text(_) | Node::Define(_) | Node::Break(_) | Node::Continue(_) => {}
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &mut PipeNode) -> Result<(), TemplateError> {
        let commands = std::mem::take(&mut pipe.commands);
        for (index, mut command) in commands.into_iter().enumerate() {
            let function = match command.args.first() {
                Some(Expr::Identifier(_, name)) => Some(name.clone()),
                _ => None,
            };
            let shown = function.as_deref().is_some_and(wants_text);
            if shown && index > 0 {
                let at = self.place(command.pos, "print");
                pipe.commands.push(call(command.pos, "__arg", vec![at]));
            }
            self.command(&mut command, shown)?;
            pipe.commands.push(command);
        }
        if pipe.is_assign {
            pipe.decl.iter().try_for_each(|name| self.known(name, pipe.pos))?;
        } else {
            self.variables.extend(pipe.decl.iter().cloned());
        }
        Ok(())
    }

    fn command(&mut self, command: &mut CommandNode, shown: bool) -> Result<(), TemplateError> {
        let node = command_text(command);
        let mut args = std::mem::take(&mut command.args).into_iter();
        let Some(first) = args.next() else { return Ok(()) };
        let rest = args.map(|arg| self.argument(arg, shown)).collect::<Result<Vec<_>, _>>()?;
        command.args = match first {
            Expr::Identifier(pos, name) => {
                self.function(&name, pos)?;
                match BARE.contains(&name.as_str()) {
                    true => [vec![Expr::Identifier(pos, name)], rest].concat(),
                    false => [vec![Expr::Identifier(pos, name), self.place(pos, &node)], rest].concat(),
                }
            }
            Expr::Field(pos, fields) => self.member(pos, Expr::Dot(pos), &fields, rest),
            Expr::Variable(pos, name, fields) => {
                self.known(&name, pos)?;
                match fields.is_empty() {
                    true => [vec![Expr::Variable(pos, name, fields)], rest].concat(),
                    false => self.member(pos, Expr::Variable(pos, name, Vec::new()), &fields, rest),
                }
            }
            Expr::Chain(pos, inner, fields) => {
                let inner = self.argument(*inner, false)?;
                self.member(pos, inner, &fields, rest)
            }
            other => {
                let other = self.argument(other, false)?;
                [vec![other], rest].concat()
            }
        };
        Ok(())
    }

    fn member(&self, pos: Pos, base: Expr, fields: &[SmolStr], rest: Vec<Expr>) -> Vec<Expr> {
        let path = fields.join(".");
        let node = match &base {
            Expr::Variable(_, name, _) => format!("{name}.{path}"),
            _ => format!(".{path}"),
        };
        let head = vec![Expr::Identifier(pos, "__m".into()), self.place(pos, &node), base, string(pos, &path)];
        [head, rest].concat()
    }

    fn argument(&mut self, arg: Expr, shown: bool) -> Result<Expr, TemplateError> {
        let pos = arg.pos();
        let arg = match arg {
            Expr::Pipe(pos, mut pipe) => {
                let scope = self.variables.len();
                self.pipe(&mut pipe)?;
                self.variables.truncate(scope);
                Expr::Pipe(pos, pipe)
            }
            Expr::Dot(_) | Expr::String(..) | Expr::Number(..) | Expr::Bool(..) | Expr::Nil(_) => arg,
            Expr::Variable(pos, name, fields) if fields.is_empty() => {
                self.known(&name, pos)?;
                Expr::Variable(pos, name, fields)
            }
            other => {
                let mut command = CommandNode { pos, args: vec![other] };
                self.command(&mut command, false)?;
                nested(pos, command)
            }
        };
        match (shown, &arg) {
            (true, Expr::Dot(_) | Expr::Variable(..) | Expr::Pipe(..)) => {
                let at = self.place(pos, "print");
                Ok(nested(pos, call(pos, "__arg", vec![at, arg])))
            }
            _ => Ok(arg),
        }
    }

    /// What is printed is printed as Go prints it; but the engine's escapers stay last.
    fn show(&self, pipe: &mut PipeNode) {
        let last = pipe.commands.last().and_then(|command| command.args.first());
        if matches!(last, Some(Expr::Identifier(_, name)) if matches!(name.as_str(), "html" | "urlquery" | "js" | "printf"))
        {
            return;
        }
        let at = self.place(pipe.pos, "print");
        pipe.commands.push(call(pipe.pos, "__show", vec![at]));
    }

    fn function(&self, name: &str, pos: Pos) -> Result<(), TemplateError> {
        match BARE.contains(&name) || (self.functions)(name) {
            true => Ok(()),
            false => Err(self.wrong(pos, &format!("function \"{name}\" not defined"))),
        }
    }

    fn known(&self, name: &SmolStr, pos: Pos) -> Result<(), TemplateError> {
        match self.variables.contains(name) {
            true => Ok(()),
            false => Err(self.wrong(pos, &format!("undefined variable \"{name}\""))),
        }
    }

    fn wrong(&self, pos: Pos, reason: &str) -> TemplateError {
        let column = Some(self.line_column(pos).1 + 1);
        TemplateError { column, ..TemplateError::at_line(self.name, pos.line, reason) }
    }

    fn line_column(&self, pos: Pos) -> (usize, usize) {
        let before = self.source.get(..pos.offset).unwrap_or_default();
        (pos.line, before.len() - before.rfind('\n').map_or(0, |at| at + 1))
    }

    fn place(&self, pos: Pos, node: &str) -> Expr {
        string(pos, &place(self.name, &self.executing, self.line_column(pos), node))
    }
}

fn wants_text(function: &str) -> bool {
    matches!(function, "html" | "urlquery" | "js" | "printf")
}

fn string(pos: Pos, text: &str) -> Expr {
    Expr::String(pos, Arc::from(text))
}

fn call(pos: Pos, function: &str, args: Vec<Expr>) -> CommandNode {
    CommandNode { pos, args: [vec![Expr::Identifier(pos, function.into())], args].concat() }
}

fn nested(pos: Pos, command: CommandNode) -> Expr {
    Expr::Pipe(pos, PipeNode { pos, decl: Vec::new(), commands: vec![command], is_assign: false })
}

/// A command as Go's errors show it.
fn command_text(command: &CommandNode) -> String {
    command.args.iter().map(expr_text).collect::<Vec<_>>().join(" ")
}

fn expr_text(expr: &Expr) -> String {
    let chain = |fields: &[SmolStr]| fields.iter().map(|field| format!(".{field}")).collect::<String>();
    match expr {
        Expr::Dot(_) => ".".to_owned(),
        Expr::Field(_, fields) => chain(fields),
        Expr::Variable(_, name, fields) => format!("{name}{}", chain(fields)),
        Expr::Identifier(_, name) => name.to_string(),
        Expr::String(_, text) => crate::model::go_quote(text),
        Expr::Number(_, Number::Int(number)) => number.to_string(),
        Expr::Number(_, Number::Uint(number)) => number.to_string(),
        Expr::Number(_, Number::Float(number)) => number.to_string(),
        Expr::Bool(_, truth) => truth.to_string(),
        Expr::Nil(_) => "nil".to_owned(),
        Expr::Pipe(_, pipe) => {
            format!("({})", pipe.commands.iter().map(command_text).collect::<Vec<_>>().join(" | "))
        }
        Expr::Chain(_, inner, fields) => format!("{}{}", expr_text(inner), chain(fields)),
    }
}
