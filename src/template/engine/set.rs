//! Templates that know each other by name, and texts made ready to be rendered with them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use gotmpl::parse::ListNode;
use gotmpl::{FuncMap, Value};

use crate::template::TemplateError;
use crate::template::golang::print;

use super::access;
use super::builtins::{BUILTINS, ESCAPERS};
use super::function::{Failure, Function, Place, placed, register};
use super::nodes::Source;
use super::rewrite::{self, Known, Rewritten, rewrite};
use super::run::{self, About, Capped, Limits};
use super::syntax;
use super::value::{View, as_text, is_true, open, text};

/// Which of Go's two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    Text,
    Html,
}

/// Definitions and functions; cheap to clone.
#[derive(Clone)]
pub(crate) struct Set {
    names: Arc<BTreeSet<String>>,
    functions: Arc<BTreeSet<&'static str>>,
    /// Cloning these clones handles: a text made ready is one more definition in a copy.
    text: gotmpl::Template,
    html: gotmpl::html::Template,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("templates", &self.names.len()).finish_non_exhaustive()
    }
}

/// A definition that is parsed and not yet rewritten.
struct Parsed {
    source: (Arc<str>, Arc<str>),
    body: ListNode,
}

/// The definition that holds a text made ready; no template can name it.
const ROOT: &str = "\u{10FFFE}root";

impl Set {
    /// No definitions yet, and Go's functions besides those given.
    ///
    /// # Errors
    /// Never; the engine's own parser is asked for the entry into HTML templates.
    pub(crate) fn new(functions: &[&'static [Function]], limits: &Limits) -> Result<Self, TemplateError> {
        let all = || BUILTINS.iter().chain(functions.iter().copied().flatten());
        let mut map: FuncMap = all().map(|function| (function.name.to_owned(), register(function))).collect();
        for (name, escape) in ESCAPERS {
            map.insert(name.to_owned(), Arc::new(move |values: &[Value]| Ok(text(&escape(&print::sprint(values))))));
        }
        map.insert(rewrite::ACCESS.to_owned(), placed(access::access));
        map.insert(rewrite::RANGE.to_owned(), placed(access::iterate));
        map.insert(rewrite::FAIL.to_owned(), placed(fail));
        map.insert(rewrite::NOTHING.to_owned(), Arc::new(|_| Ok(Value::Nil)));
        map.insert(rewrite::JOIN.to_owned(), Arc::new(|values| Ok(text(&print::sprint(values)))));
        map.insert(rewrite::SHOW.to_owned(), Arc::new(|values| Ok(values.first().map_or(Value::Nil, shown))));
        map.insert(rewrite::TRUTH.to_owned(), Arc::new(|values| Ok(Value::Bool(values.first().is_some_and(is_true)))));
        let escapers = ESCAPERS.iter().map(|(name, _)| *name);
        let entry = format!("{{{{template \"{ROOT}\" .}}}}");
        let html = gotmpl::html::Template::new("").funcs(map.clone()).max_range_iters(limits.iterations);
        Ok(Set {
            names: Arc::default(),
            functions: Arc::new(all().map(|function| function.name).chain(escapers).chain(["and", "or"]).collect()),
            text: gotmpl::Template::new("").funcs(map).max_range_iters(limits.iterations),
            html: html.parse(&entry).map_err(|error| plain(&error))?,
        })
    }

    /// Adds the definitions of files, each a path's base name and its text, in order: a later one replaces an earlier.
    ///
    /// # Errors
    /// For each file that is wrong its index and what is wrong.
    pub(crate) fn with_files(&self, files: &[(&str, &str)]) -> Result<Set, Vec<(usize, TemplateError)>> {
        let mut errors = Vec::new();
        let mut parsed = BTreeMap::new();
        for (index, (name, text)) in files.iter().enumerate() {
            if let Err(error) = self.parse(name, text, &mut parsed) {
                errors.push((index, error));
            }
        }
        let mut set = self.clone();
        for (name, definition) in &parsed {
            // A text made ready later may define what is missing here, so nothing is called undefined yet.
            match self.rewrite(name, definition, &|_| true) {
                Ok(rewritten) => set.define(name, rewritten.body).map_err(|error| vec![(0, error)])?,
                Err(error) => {
                    let file = files
                        .iter()
                        .rposition(|(file, text)| *file == &*definition.source.0 && *text == &*definition.source.1);
                    errors.push((file.unwrap_or(0), error));
                }
            }
        }
        if errors.is_empty() {
            return Ok(set);
        }
        errors.sort_by_key(|(index, error)| (*index, error.line));
        Err(errors)
    }

    fn define(&mut self, name: &str, body: ListNode) -> Result<(), TemplateError> {
        self.text = self.text.clone().add_parse_tree(name, body.clone());
        self.html = self.html.clone().add_parse_tree(name, body).map_err(|error| plain(&error))?;
        Arc::make_mut(&mut self.names).insert(name.to_owned());
        Ok(())
    }

    /// Parses a text: its definitions, and under `name` what stands outside of them.
    fn parse(&self, name: &str, text: &str, into: &mut BTreeMap<String, Parsed>) -> Result<(), TemplateError> {
        let tree = syntax::parse(Source { name, text })?;
        let source: (Arc<str>, Arc<str>) = (Arc::from(name), Arc::from(text));
        let defines = tree.defines.into_iter().map(|define| (define.name.to_string(), define.body));
        for (name, body) in std::iter::once((name.to_owned(), tree.body)).chain(defines) {
            let source = source.clone();
            match into.entry(name) {
                Entry::Vacant(entry) => {
                    let is_known = self.names.contains(entry.key());
                    // An empty text never replaces a definition.
                    if !(body.is_empty_tree() && is_known) {
                        entry.insert(Parsed { source, body });
                    }
                }
                Entry::Occupied(mut entry) => {
                    if !body.is_empty_tree() {
                        entry.insert(Parsed { source, body });
                    }
                }
            }
        }
        Ok(())
    }

    fn rewrite(
        &self,
        name: &str,
        definition: &Parsed,
        is_template: &dyn Fn(&str) -> bool,
    ) -> Result<Rewritten, TemplateError> {
        let known = Known { is_function: &|name| self.functions.contains(name), is_template };
        let source = Source { name: &definition.source.0, text: &definition.source.1 };
        rewrite(source, name, definition.body.clone(), &known)
    }

    /// Makes a text ready, which is called `name` in errors.
    ///
    /// # Errors
    /// What Go's parser would refuse.
    pub(crate) fn program(&self, mode: Mode, name: &str, text: &str) -> Result<Program, TemplateError> {
        let mut parsed = BTreeMap::new();
        self.parse(name, text, &mut parsed)?;
        let is_template = |name: &str| parsed.contains_key(name) || self.names.contains(name);
        let mut engine = match mode {
            Mode::Text => Engine::Text(self.text.clone()),
            Mode::Html => Engine::Html(Box::new(self.html.clone())),
        };
        let mut missing = None;
        for (own, definition) in &parsed {
            let rewritten = self.rewrite(own, definition, &is_template)?;
            missing = missing.or(rewritten.missing);
            engine = engine.define(if own == name { ROOT } else { own }, rewritten.body)?;
        }
        Ok(Program { engine, missing })
    }
}

fn fail(values: &[Value]) -> Result<Value, Failure> {
    let reason = values.first().and_then(as_text).map(ToString::to_string).unwrap_or_default();
    Err(Failure::At(Place::Command, reason))
}

/// A text with everything that it needs.
pub(crate) struct Program {
    engine: Engine,
    missing: Option<TemplateError>,
}

enum Engine {
    Text(gotmpl::Template),
    Html(Box<gotmpl::html::Template>),
}

impl Engine {
    fn define(self, name: &str, tree: ListNode) -> Result<Self, TemplateError> {
        Ok(match self {
            Engine::Text(template) => Engine::Text(template.add_parse_tree(name, tree)),
            Engine::Html(template) => {
                Engine::Html(Box::new(template.add_parse_tree(name, tree).map_err(|error| plain(&error))?))
            }
        })
    }
}

impl Program {
    /// What Go would find out only by rendering: a template that is not there, HTML whose branches end in different
    /// places.
    ///
    /// # Errors
    /// The first of them.
    pub(crate) fn check(&self) -> Result<(), TemplateError> {
        if let Some(missing) = &self.missing {
            return Err(missing.clone());
        }
        // The HTML pass runs before anything else does; what goes wrong without data says nothing.
        match &self.engine {
            Engine::Html(template) => match template.execute_fmt(&mut Capped::new(0), &Value::Nil) {
                Err(error @ gotmpl::TemplateError::Escape { .. }) => Err(plain(&error)),
                _ => Ok(()),
            },
            Engine::Text(_) => Ok(()),
        }
    }

    /// Renders with `data` as the dot.
    ///
    /// # Errors
    /// What a function, the engine or a limit ended the rendering with.
    pub(crate) fn render(&self, data: &Value, about: Rc<About>, limits: &Limits) -> Result<String, TemplateError> {
        let mut out = Capped::new(limits.output_bytes);
        let (result, failure) = run::within(about, limits, || match &self.engine {
            Engine::Text(template) => template.execute_template_fmt(&mut out, ROOT, data),
            Engine::Html(template) => template.execute_fmt(&mut out, data),
        });
        match (result, failure) {
            (Ok(()), _) => Ok(out.text),
            (Err(_), Some(failure)) => Err(failure),
            (Err(_), None) if out.overflowed => {
                Err(TemplateError::new(format!("template: output is larger than {} bytes", limits.output_bytes), None))
            }
            (Err(error), None) => Err(plain(&error)),
        }
    }
}

/// An error of the engine itself.
fn plain(error: &gotmpl::TemplateError) -> TemplateError {
    match error {
        gotmpl::TemplateError::RecursionLimit => {
            TemplateError::new("template: exceeded maximum template depth (200)", None)
        }
        gotmpl::TemplateError::RangeIterLimit => TemplateError::new("template: too many iterations", None),
        gotmpl::TemplateError::Escape { line, description, .. } => {
            let line = Some(*line).filter(|line| *line > 0);
            let place = line.map_or_else(String::new, |line| format!(":{line}"));
            TemplateError::new(format!("html/template:{place}: {description}"), line.map(|line| (line, 1)))
        }
        gotmpl::TemplateError::UndefinedTemplate(name) => {
            TemplateError::new(format!("template: template {} not defined", crate::model::go_quote(name)), None)
        }
        other => TemplateError::new(format!("template: {other}"), None),
    }
}

/// What is printed of a value: scalars are left to the engine, which knows how to escape them.
fn shown(value: &Value) -> Value {
    match open(value) {
        View::Nil | View::Bool(_) | View::Int(_) | View::Uint(_) | View::Text(_) | View::Safe(..) => value.clone(),
        View::Float(_) | View::Object(_) => text(&print::display(value)),
    }
}
