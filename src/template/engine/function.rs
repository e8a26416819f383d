//! Functions of templates, with the types that Go would check: count and kind of arguments, and where to complain.

use std::sync::Arc;

use gotmpl::{Value, ValueFunc};

use crate::template::TemplateError;

use super::run;
use super::site::{Site, Spot};
use super::value::{ListKind, Object, StructKind, View, open, type_name};

/// A function that templates can call; a method takes what it belongs to as its first value.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    /// The type of any further arguments.
    pub(crate) rest: Option<Param>,
    pub(crate) run: fn(&[Value]) -> Result<Value, String>,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param {
    Any,
    Text,
    Int,
    Duration,
    Time,
    Zone,
    /// `[]string`.
    Strings,
    /// `[]interface {}`.
    List,
    Samples,
    Sample,
}

impl Param {
    fn go_name(self) -> &'static str {
        match self {
            Param::Any => "interface {}",
            Param::Text => "string",
            Param::Int => "int",
            Param::Duration => "time.Duration",
            Param::Time => "time.Time",
            Param::Zone => "*time.Location",
            Param::Strings => "[]string",
            Param::List => "[]interface {}",
            Param::Samples => "template.queryResult",
            Param::Sample => "*template.sample",
        }
    }

    fn takes(self, value: &Value) -> bool {
        if self == Param::Any {
            return true;
        }
        match open(value) {
            View::Text(_) | View::Safe(..) => matches!(self, Param::Text | Param::Zone),
            View::Int(_) => matches!(self, Param::Int | Param::Duration),
            View::Object(object) => match (self, object) {
                (Param::Duration, Object::Duration { .. })
                | (Param::Time, Object::Time { .. })
                | (Param::Strings, Object::List(ListKind::Strings, _))
                | (Param::List, Object::List(ListKind::Any, _))
                | (Param::Samples, Object::List(ListKind::Samples, _)) => true,
                (Param::Sample, Object::Struct(record)) => record.kind == StructKind::Sample,
                _ => false,
            },
            _ => false,
        }
    }
}

/// Why a call failed; placed only when it is raised, since reading a site takes time.
pub(super) enum Failure {
    At(Place, String),
    /// An argument of a type that does not fit.
    Mismatch {
        index: usize,
        want: Param,
        got: &'static str,
    },
}

/// Which node of a call an error names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Command,
    Callee,
    /// What was visited last.
    Last,
}

impl Function {
    /// Checks what Go checks before a call, then calls.
    pub(super) fn call(&self, values: &[Value]) -> Result<Value, Failure> {
        self.check_count(values.len())?;
        self.check_types(values)?;
        self.perform(values)
    }

    /// Checks and calls a method of `receiver`.
    pub(super) fn call_method(&self, receiver: &Value, values: &[Value]) -> Result<Value, Failure> {
        self.check_count(values.len())?;
        self.check_types(values)?;
        let mut all = Vec::with_capacity(values.len() + 1);
        all.push(receiver.clone());
        all.extend_from_slice(values);
        self.perform(&all)
    }

    fn check_count(&self, got: usize) -> Result<(), Failure> {
        let want = self.params.len();
        let reason = match self.rest {
            Some(_) if got < want => format!("wrong number of args for {}: want at least {want} got {got}", self.name),
            None if got != want => format!("wrong number of args for {}: want {want} got {got}", self.name),
            _ => return Ok(()),
        };
        Err(Failure::At(Place::Callee, reason))
    }

    fn check_types(&self, values: &[Value]) -> Result<(), Failure> {
        for (index, value) in values.iter().enumerate() {
            let want = self.params.get(index).copied().or(self.rest).unwrap_or(Param::Any);
            if !want.takes(value) {
                return Err(Failure::Mismatch { index, want, got: type_name(value) });
            }
        }
        Ok(())
    }

    fn perform(&self, values: &[Value]) -> Result<Value, Failure> {
        let value = (self.run)(values).and_then(|value| {
            if let Value::String(text) | Value::Safe { s: text, .. } = &value {
                run::spend(text.len())?;
            }
            Ok(value)
        });
        value.map_err(|reason| Failure::At(Place::Command, format!("error calling {}: {reason}", self.name)))
    }
}

impl Failure {
    fn locate(self, site: &Site) -> (Spot, String) {
        let (index, want, got) = match self {
            Failure::At(place, reason) => {
                let spot = match place {
                    Place::Command => &site.command,
                    Place::Callee => &site.callee,
                    Place::Last => site.last_visited(),
                };
                return (spot.clone(), reason);
            }
            Failure::Mismatch { index, want, got } => (index, want, got),
        };
        let piped = index >= site.arguments.len();
        let spot = site.arguments.get(index).unwrap_or_else(|| site.last_visited()).clone();
        let literal = spot.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '`' | '\'' | '+' | '-'))
            || matches!(spot.text.as_str(), "true" | "false");
        let reason = if !piped && spot.text == "nil" {
            format!("cannot assign nil to {}", want.go_name())
        } else if !piped && literal && matches!(want, Param::Text | Param::Int | Param::Duration) {
            let want = if want == Param::Text { "string" } else { "integer" };
            format!("expected {want}; found {}", spot.text)
        } else {
            format!("wrong type for value; expected {}; got {got}", want.go_name())
        };
        (spot, reason)
    }
}

/// A function as the engine calls it: its first value is the site.
pub(super) fn register(function: &'static Function) -> ValueFunc {
    placed(move |values| function.call(values))
}

/// Whatever the engine calls with a site first.
pub(super) fn placed(work: impl Fn(&[Value]) -> Result<Value, Failure> + Send + Sync + 'static) -> ValueFunc {
    Arc::new(move |values: &[Value]| {
        let Some((site, values)) = values.split_first() else {
            return Err(gotmpl::TemplateError::Exec("a call without its place".to_owned()));
        };
        let in_time = run::check_time().map_err(|reason| Failure::At(Place::Command, reason));
        in_time.and_then(|()| work(values)).map_err(|failure| raise(site, failure))
    })
}

/// Ends the rendering with an error in Go's words.
fn raise(site: &Value, failure: Failure) -> gotmpl::TemplateError {
    let Some(site) = Site::read(site) else {
        return gotmpl::TemplateError::Exec("a call without its place".to_owned());
    };
    let (spot, reason) = failure.locate(&site);
    let text = site.message(&spot, &reason);
    run::fail(TemplateError::new(text.clone(), Some((spot.line, spot.column))));
    gotmpl::TemplateError::Exec(text)
}

/// The whole number of an argument that [`Param::Int`] or [`Param::Duration`] took.
pub(super) fn whole(value: &Value) -> i64 {
    match open(value) {
        View::Int(number) => number,
        View::Object(Object::Duration { nanos, .. }) => nanos,
        _ => 0,
    }
}
