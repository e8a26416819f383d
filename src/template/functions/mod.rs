//! The functions that templates may call, by flavour.
mod basic;
mod json;
mod notification;
mod rule;
mod text;
pub(super) mod time;

use std::sync::Arc;

use gotmpl::{FuncMap, Value};

use super::error::located;
use super::method;
use super::print::show;
use super::run::{self, Flavor};

/// A function: arguments to a value, or the reason.
type Function = fn(&[Value]) -> Result<Value, String>;
type Table = &'static [(&'static str, Function)];

fn tables(flavor: Flavor) -> [Table; 4] {
    match flavor {
        Flavor::Rule => [basic::TABLE, text::TABLE, rule::TABLE, &[]],
        Flavor::Notification => [basic::TABLE, text::TABLE, notification::TABLE, time::TABLE],
    }
}

/// Whether a template of this flavour may call `name`.
pub(super) fn knows(flavor: Flavor, name: &str) -> bool {
    tables(flavor).iter().any(|table| table.iter().any(|(known, _)| *known == name))
}

/// For the engine: every function takes its place as first argument, so that its errors have one.
pub(super) fn registry(flavor: Flavor) -> FuncMap {
    let mut all = FuncMap::new();
    for (name, function) in tables(flavor).into_iter().flatten() {
        let calling = format!("error calling {name}: ");
        all.insert((*name).to_owned(), wrapped(calling, *function));
    }
    for (name, function) in INTERNAL {
        all.insert((*name).to_owned(), wrapped(String::new(), *function));
    }
    all.insert("__nil".to_owned(), Arc::new(|_| Ok(Value::Nil)));
    all
}

fn wrapped(calling: String, function: Function) -> gotmpl::ValueFunc {
    Arc::new(move |args| {
        let (place, args) = match args {
            [Value::String(place), args @ ..] => (&**place, args),
            args => ("", args),
        };
        run::check_time().and_then(|()| function(args)).map_err(|reason| located(place, &format!("{calling}{reason}")))
    })
}

/// What the adapter calls.
const INTERNAL: Table = &[
    ("__m", |args| match args {
        [base, Value::String(path), rest @ ..] => method::chain(base, path, rest),
        _ => Err("a field of nothing".to_owned()),
    }),
    ("__range", |args| args.first().map_or(Ok(Value::Nil), method::ranged)),
    ("__show", |args| match args.first() {
        Some(shown @ (Value::List(_) | Value::Map(_) | Value::Float(_))) => Ok(super::value::text(show(shown))),
        other => Ok(other.cloned().unwrap_or(Value::Nil)),
    }),
    // Scalars stay, since `printf` looks at their kind.
    ("__arg", |args| match args.first() {
        Some(shown @ (Value::List(_) | Value::Map(_))) => Ok(super::value::text(show(shown))),
        Some(Value::String(long)) => run::check_size(long.len()).map(|()| Value::String(long.clone())),
        other => Ok(other.cloned().unwrap_or(Value::Nil)),
    }),
];

/// Exactly `N` arguments.
fn exactly<const N: usize>(args: &[Value]) -> Result<&[Value; N], String> {
    args.try_into().map_err(|_| format!("wrong number of args: want {N} got {}", args.len()))
}

/// An argument that must be a string.
fn string(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Safe { s, .. } => Ok(s),
        other => Err(format!("wrong type for value; expected string; got {}", super::value::type_name(other))),
    }
}
