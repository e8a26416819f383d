//! The rewriting of a tree at load: checks what Go's parser checks, and turns every call and field access into a call
//! that carries its site.
//!
//! `.A.B "x"` becomes `__f SITE . "A.B" "x"`, `f x` becomes `f SITE x`, what is printed goes through `__show`, what is
//! ranged over through `__range`. What Go refuses only when it gets there becomes a call of `__fail`.

use gotmpl::parse::{
    ActionNode, BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, SmolStr, TemplateNode,
};

use crate::model::go_quote;
use crate::template::TemplateError;

use super::nodes::Source;
use super::site::{Site, Spot};
use super::syntax;

/// The calls that rewriting puts in.
pub(super) const ACCESS: &str = "__f";
pub(super) const SHOW: &str = "__show";
pub(super) const RANGE: &str = "__range";
pub(super) const TRUTH: &str = "__truth";
pub(super) const FAIL: &str = "__fail";
pub(super) const NOTHING: &str = "__nil";
/// As `print`, without a site.
pub(super) const JOIN: &str = "__join";

/// What is known beyond the text itself.
pub(super) struct Known<'a> {
    pub(super) is_function: &'a dyn Fn(&str) -> bool,
    pub(super) is_template: &'a dyn Fn(&str) -> bool,
}

/// Rewrites the tree of the template `name`, which `source` holds.
pub(super) fn rewrite(
    source: Source<'_>,
    name: &str,
    body: ListNode,
    known: &Known<'_>,
) -> Result<Rewritten, TemplateError> {
    let mut rewriter = Rewriter { source, name, known, variables: vec![SmolStr::from("$")], loops: 0, missing: None };
    let body = rewriter.list(body)?;
    Ok(Rewritten { body, missing: rewriter.missing })
}

/// A tree that may be executed.
pub(super) struct Rewritten {
    pub(super) body: ListNode,
    /// The first call of a template that is not there.
    pub(super) missing: Option<TemplateError>,
}

struct Rewriter<'a> {
    source: Source<'a>,
    name: &'a str,
    known: &'a Known<'a>,
    /// In scope, innermost last.
    variables: Vec<SmolStr>,
    loops: usize,
    missing: Option<TemplateError>,
}

impl Rewriter<'_> {
    fn error(&self, pos: Pos, reason: &str) -> TemplateError {
        syntax::error(self.source, pos.offset, reason)
    }

    fn list(&mut self, list: ListNode) -> Result<ListNode, TemplateError> {
        let nodes = list.nodes.into_iter().map(|node| self.node(node)).collect::<Result<_, _>>()?;
        Ok(ListNode { pos: list.pos, nodes })
    }

    fn node(&mut self, node: Node) -> Result<Node, TemplateError> {
        Ok(match node {
            Node::Action(action) => Node::Action(self.action(action)?),
            Node::If(branch) => Node::If(self.branch(branch, Kind::If)?),
            Node::With(branch) => Node::With(self.branch(branch, Kind::With)?),
            Node::Range(branch) => Node::Range(self.branch(branch, Kind::Range)?),
            Node::Template(call) => self.template(call)?,
            Node::List(list) => Node::List(self.list(list)?),
            Node::Break(pos) if self.loops == 0 => return Err(self.error(pos, "{{break}} outside {{range}}")),
            Node::Continue(pos) if self.loops == 0 => return Err(self.error(pos, "{{continue}} outside {{range}}")),
            other => other,
        })
    }

    fn action(&mut self, action: ActionNode) -> Result<ActionNode, TemplateError> {
        let ActionNode { pos, pipe } = action;
        let printed = pipe.decl.is_empty();
        let escaped = pipe.commands.last().and_then(function_name).is_some_and(is_escaper);
        let mut pipe = self.pipe(pipe)?;
        if printed && !escaped {
            pipe.commands.push(command(pos, SHOW, []));
        }
        Ok(ActionNode { pos, pipe })
    }

    fn branch(&mut self, branch: BranchNode, kind: Kind) -> Result<BranchNode, TemplateError> {
        let BranchNode { pos, pipe, body, else_body } = branch;
        let scope = self.variables.len();
        let (place, variables) = (self.source.last_of_pipe(&pipe), pipe.decl.len());
        let declares = variables > 0;
        let mut pipe = self.pipe(pipe)?;
        let pipe_pos = pipe.pos;
        match kind {
            // A declared variable must get the value and not its truth.
            Kind::If if !declares => pipe.commands.push(command(pipe_pos, TRUTH, [])),
            Kind::Range => {
                let site = self.site(&place, &place, Vec::new()).to_expr(pipe_pos);
                let count = Expr::Number(pipe_pos, Number::Int(i64::try_from(variables).unwrap_or(0)));
                pipe.commands.push(command(pipe_pos, RANGE, [site, count]));
                self.loops += 1;
            }
            Kind::If | Kind::With => {}
        }
        let inner = self.variables.len();
        let body = self.list(body)?;
        self.variables.truncate(inner);
        if kind == Kind::Range {
            self.loops -= 1;
        }
        let else_body = else_body.map(|list| self.list(list)).transpose()?;
        self.variables.truncate(scope);
        Ok(BranchNode { pos, pipe, body, else_body })
    }

    fn template(&mut self, call: TemplateNode) -> Result<Node, TemplateError> {
        let TemplateNode { pos, name, pipe } = call;
        if !(self.known.is_template)(&name) {
            let text = match &pipe {
                Some(pipe) => format!("{{{{template {} {}}}}}", go_quote(&name), self.source.print_pipe(pipe)),
                None => format!("{{{{template {}}}}}", go_quote(&name)),
            };
            let from_keyword = self.source.text.get(pos.offset..).unwrap_or("");
            let offset = pos.offset + from_keyword.find(['"', '`']).unwrap_or(0);
            let spot = self.source.spot(offset, text);
            let reason = format!("template {} not defined", go_quote(&name));
            let message = self.site(&spot, &spot, Vec::new()).message(&spot, &reason);
            self.missing.get_or_insert(TemplateError::new(message, Some((spot.line, spot.column))));
            let pipe = self.failing(pos, &spot, &reason);
            return Ok(Node::Action(ActionNode { pos, pipe }));
        }
        // Without an argument the template sees nothing; the engine would hand on the dot.
        let pipe = match pipe {
            Some(pipe) => self.pipe(pipe)?,
            None => pipeline(pos, [command(pos, NOTHING, [])]),
        };
        Ok(Node::Template(TemplateNode { pos, name, pipe: Some(pipe) }))
    }

    fn pipe(&mut self, pipe: PipeNode) -> Result<PipeNode, TemplateError> {
        let PipeNode { pos, decl, commands, is_assign } = pipe;
        let place = commands.last().and_then(|last| last.args.last()).map(|last| self.source.last_visited(last));
        let mut rewritten = Vec::with_capacity(commands.len() + 1);
        for (stage, command) in commands.into_iter().enumerate() {
            self.command(command, stage, &mut rewritten)?;
        }
        if is_assign {
            let unknown = decl.iter().find(|name| !self.variables.contains(name));
            if let (Some(name), Some(spot)) = (unknown, place) {
                return Ok(self.failing(pos, &spot, &format!("undefined variable: {name}")));
            }
        } else {
            self.variables.extend(decl.iter().cloned());
        }
        Ok(PipeNode { pos, decl, commands: rewritten, is_assign })
    }

    /// One stage of a pipeline, which may become two.
    fn command(
        &mut self,
        command_node: CommandNode,
        stage: usize,
        out: &mut Vec<CommandNode>,
    ) -> Result<(), TemplateError> {
        let CommandNode { pos, args } = &command_node;
        let pos = *pos;
        let Some(first) = args.first() else { return Err(self.error(pos, "missing value for command")) };
        args.iter().try_for_each(|arg| self.check_literal(arg))?;
        let executable = matches!(
            first,
            Expr::Field(..) | Expr::Variable(..) | Expr::Identifier(..) | Expr::Chain(..) | Expr::Pipe(..)
        );
        if stage > 0 && !executable {
            return Err(self.error(pos, &format!("non executable command in pipeline stage {}", stage + 1)));
        }
        let whole = self.source.spot(pos.offset, self.source.print_command(&command_node));
        let callee = self.source.last_visited(first);
        let places = args[1..].iter().map(|arg| self.source.last_visited(arg)).collect();
        let first_text = self.source.print(first);
        let alone = args.len() == 1 && stage == 0;
        let mut args = command_node.args.into_iter();
        let Some(first) = args.next() else { return Ok(()) };
        let arguments = args.map(|arg| self.argument(arg)).collect::<Result<Vec<_>, _>>()?;
        match first {
            Expr::Identifier(at, name) => {
                self.check_function(at, &name)?;
                self.function(pos, &name, whole, callee, places, arguments, stage, out);
            }
            Expr::Field(..) | Expr::Chain(..) => {
                let access = self.access(pos, first, callee, places, arguments)?;
                out.push(access);
            }
            Expr::Variable(at, ref name, ref fields) => {
                self.check_variable(at, name)?;
                if !fields.is_empty() {
                    let access = self.access(pos, first, callee, places, arguments)?;
                    out.push(access);
                } else if alone {
                    out.push(CommandNode { pos, args: vec![first] });
                } else {
                    out.push(self.not_a_function(pos, &first_text, &callee));
                }
            }
            Expr::Nil(_) if alone => out.push(self.fail(pos, &callee, "nil is not a command")),
            Expr::Number(_, Number::Uint(_)) if alone => {
                out.push(self.fail(pos, &callee, &format!("{first_text} overflows int")));
            }
            other if alone => out.push(CommandNode { pos, args: vec![self.argument(other)?] }),
            _ => out.push(self.not_a_function(pos, &first_text, &callee)),
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call, taken apart by its only caller")]
    fn function(
        &self,
        pos: Pos,
        name: &str,
        whole: Spot,
        callee: Spot,
        places: Vec<Spot>,
        arguments: Vec<Expr>,
        stage: usize,
        out: &mut Vec<CommandNode>,
    ) {
        if is_escaper(name) {
            // It gets one text and no site, so that the HTML pass knows it; what is more is joined before.
            if !arguments.is_empty() || stage > 0 {
                out.push(command(pos, JOIN, arguments));
            }
            return out.push(command(pos, name, []));
        }
        if matches!(name, "and" | "or") {
            if arguments.is_empty() && stage == 0 {
                let reason = format!("wrong number of args for {name}: want at least 1 got 0");
                return out.push(self.fail(pos, &callee, &reason));
            }
            return out.push(command(pos, name, arguments));
        }
        let site = self.site(&whole, &callee, places).to_expr(pos);
        out.push(command(pos, name, std::iter::once(site).chain(arguments)));
    }

    /// `base.path arguments`.
    fn access(
        &mut self,
        pos: Pos,
        expr: Expr,
        callee: Spot,
        places: Vec<Spot>,
        arguments: Vec<Expr>,
    ) -> Result<CommandNode, TemplateError> {
        let (at, base, fields) = match expr {
            Expr::Field(at, fields) => (at, Expr::Dot(at), fields),
            Expr::Variable(at, name, fields) => {
                self.check_variable(at, &name)?;
                (at, Expr::Variable(at, name, Vec::new()), fields)
            }
            Expr::Chain(at, inner, fields) => (at, self.argument(*inner)?, fields),
            other => (pos, other, Vec::new()),
        };
        let site = self.site(&callee, &callee, places).to_expr(at);
        let path = Expr::String(at, fields.join(".").into());
        Ok(command(pos, ACCESS, [site, base, path].into_iter().chain(arguments)))
    }

    fn argument(&mut self, expr: Expr) -> Result<Expr, TemplateError> {
        let place = self.source.last_visited(&expr);
        Ok(match expr {
            Expr::Field(pos, _) | Expr::Chain(pos, ..) => {
                let access = self.access(pos, expr, place, Vec::new(), Vec::new())?;
                Expr::Pipe(pos, pipeline(pos, [access]))
            }
            Expr::Variable(pos, ref name, ref fields) => {
                self.check_variable(pos, name)?;
                if fields.is_empty() {
                    return Ok(expr);
                }
                let access = self.access(pos, expr, place, Vec::new(), Vec::new())?;
                Expr::Pipe(pos, pipeline(pos, [access]))
            }
            Expr::Identifier(pos, name) => {
                self.check_function(pos, &name)?;
                let mut commands = Vec::new();
                self.function(pos, &name, place.clone(), place, Vec::new(), Vec::new(), 0, &mut commands);
                Expr::Pipe(pos, pipeline(pos, commands))
            }
            Expr::Pipe(pos, pipe) => Expr::Pipe(pos, self.pipe(pipe)?),
            Expr::Number(pos, Number::Uint(_)) => {
                let reason = format!("{} overflows int", place.text);
                Expr::Pipe(pos, self.failing(pos, &place, &reason))
            }
            other => other,
        })
    }

    fn check_literal(&self, expr: &Expr) -> Result<(), TemplateError> {
        match expr {
            Expr::String(pos, _) => {
                let literal = self.source.literal(*pos);
                if literal.starts_with('"') && literal.contains('\n') {
                    return Err(self.error(*pos, "unterminated quoted string"));
                }
            }
            Expr::Number(pos, _) => {
                let literal = self.source.literal(*pos);
                if !is_number(literal) {
                    return Err(self.error(*pos, &format!("bad number syntax: {}", go_quote(literal))));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check_function(&self, pos: Pos, name: &str) -> Result<(), TemplateError> {
        if (self.known.is_function)(name) {
            return Ok(());
        }
        Err(self.error(pos, &format!("function {} not defined", go_quote(name))))
    }

    fn check_variable(&self, pos: Pos, name: &SmolStr) -> Result<(), TemplateError> {
        if self.variables.contains(name) {
            return Ok(());
        }
        Err(self.error(pos, &format!("undefined variable {}", go_quote(name))))
    }

    fn not_a_function(&self, pos: Pos, text: &str, place: &Spot) -> CommandNode {
        self.fail(pos, place, &format!("can't give argument to non-function {text}"))
    }

    fn site(&self, command: &Spot, callee: &Spot, arguments: Vec<Spot>) -> Site {
        Site {
            template: self.name.to_owned(),
            source: self.source.name.to_owned(),
            command: command.clone(),
            callee: callee.clone(),
            arguments,
        }
    }

    /// A call that ends the rendering, if it is ever reached.
    fn fail(&self, pos: Pos, spot: &Spot, reason: &str) -> CommandNode {
        let site = self.site(spot, spot, Vec::new()).to_expr(pos);
        command(pos, FAIL, [site, Expr::String(pos, reason.into())])
    }

    fn failing(&self, pos: Pos, spot: &Spot, reason: &str) -> PipeNode {
        pipeline(pos, [self.fail(pos, spot, reason)])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    If,
    With,
    Range,
}

/// Whether all of a literal is a number, or a character: the engine stops at what is not and reads on.
fn is_number(literal: &str) -> bool {
    let digits = literal.trim_start_matches(['+', '-']);
    let lower = digits.to_ascii_lowercase();
    let (allowed, rest) = match lower.get(..2) {
        _ if digits.starts_with('\'') => return true,
        Some("0x") => ("0123456789abcdef.p+-_", &lower[2..]),
        Some("0b") => ("01_", &lower[2..]),
        Some("0o") => ("01234567_", &lower[2..]),
        _ => ("0123456789.e+-_", lower.as_str()),
    };
    rest.chars().all(|c| allowed.contains(c))
}

fn function_name(command: &CommandNode) -> Option<&str> {
    match command.args.first() {
        Some(Expr::Identifier(_, name)) => Some(name),
        _ => None,
    }
}

pub(super) fn is_escaper(name: &str) -> bool {
    matches!(name, "html" | "js" | "urlquery")
}

fn command(pos: Pos, name: &str, arguments: impl IntoIterator<Item = Expr>) -> CommandNode {
    let mut args = vec![Expr::Identifier(pos, SmolStr::from(name))];
    args.extend(arguments);
    CommandNode { pos, args }
}

fn pipeline(pos: Pos, commands: impl IntoIterator<Item = CommandNode>) -> PipeNode {
    PipeNode { pos, decl: Vec::new(), commands: commands.into_iter().collect(), is_assign: false }
}
