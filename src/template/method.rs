//! Fields and methods of the data: what `.A.B x` means.

use std::sync::Arc;

use gotmpl::Value;

use super::print::{self, show, sorted_pairs};
use super::run::{self, Flavor};
use super::value::{self, as_duration, as_time, entries, kind, list, text, type_name};

/// Follows a chain of names; arguments go to the last.
pub(super) fn chain(base: &Value, path: &str, args: &[Value]) -> Result<Value, String> {
    let mut current = base.clone();
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        current = member(&current, name, if names.peek().is_none() { args } else { &[] })?;
    }
    Ok(current)
}

fn member(of: &Value, name: &str, args: &[Value]) -> Result<Value, String> {
    let unknown = || Err(format!("can't evaluate field {name} in type {}", type_name(of)));
    let no_arguments = |value: Value| match args {
        [] => Ok(value),
        _ => Err(format!("{name} is not a method but has arguments")),
    };
    match of {
        Value::Nil => Err(format!("nil data; no entry for key \"{name}\"")),
        Value::List(items) => match name {
            "Firing" | "Resolved" => {
                let status = name.to_lowercase();
                let chosen =
                    items.iter().filter(|alert| alert.field("Status").and_then(Value::as_str) == Some(&status));
                no_arguments(list(chosen.cloned()))
            }
            "Names" => no_arguments(list(items.iter().filter_map(|pair| pair.field("Name").cloned()))),
            "Values" => no_arguments(list(items.iter().filter_map(|pair| pair.field("Value").cloned()))),
            "Join" => match args {
                [Value::String(separator)] => Ok(join(items, separator)),
                _ => Err(format!("wrong number of args for Join: want 1 got {}", args.len())),
            },
            _ => unknown(),
        },
        Value::Map(map) => match kind(map) {
            Some("time") => super::functions::time::method(of, name, args)?.map_or_else(unknown, Ok),
            Some("duration") => match (as_duration(of), name) {
                (Some(nanos), "Seconds") => no_arguments(Value::Float(nanos as f64 / 1e9)),
                (Some(nanos), "Minutes") => no_arguments(Value::Float(nanos as f64 / 6e10)),
                (Some(nanos), "Hours") => no_arguments(Value::Float(nanos as f64 / 3.6e12)),
                (Some(nanos), "Milliseconds") => no_arguments(Value::Int(nanos / 1_000_000)),
                (Some(nanos), "String") => no_arguments(text(print::duration(nanos))),
                _ => unknown(),
            },
            Some("dict") => no_arguments(map.get(name).cloned().unwrap_or(Value::Nil)),
            Some(_) => match map.get(name) {
                Some(field) => no_arguments(field.clone()),
                None => unknown(),
            },
            None if run::flavor() == Flavor::Notification => match name {
                "SortedPairs" => no_arguments(list(sorted_pairs(map))),
                "Names" | "Values" => member(&list(sorted_pairs(map)), name, args),
                "String" => no_arguments(text(show(of))),
                "Remove" => match args {
                    [Value::List(names)] => {
                        let gone = |name: &str| names.iter().any(|gone| gone.as_str() == Some(name));
                        let kept = map.iter().filter(|(name, _)| !gone(name));
                        Ok(Value::Map(Arc::new(kept.map(|(name, value)| (name.clone(), value.clone())).collect())))
                    }
                    _ => Err("wrong argument for Remove: want a list of names".to_owned()),
                },
                _ => no_arguments(map.get(name).cloned().unwrap_or_else(|| text(""))),
            },
            None => no_arguments(map.get(name).cloned().unwrap_or_else(|| text(""))),
        },
        _ => unknown(),
    }
}

pub(super) fn join(items: &[Value], separator: &str) -> Value {
    text(items.iter().map(show).collect::<Vec<_>>().join(separator))
}

/// What `range` goes over: maps without their tag; never a struct.
pub(super) fn ranged(over: &Value) -> Result<Value, String> {
    let Value::Map(map) = over else { return Ok(over.clone()) };
    match kind(map) {
        None => Ok(over.clone()),
        Some("dict") => Ok(Value::Map(Arc::new(
            entries(map).map(|(name, value)| (name.clone(), value.clone())).collect::<value::Map>(),
        ))),
        Some(_) if as_time(over).is_some() => Err("range can't iterate over a time".to_owned()),
        Some(_) => Err(format!("range can't iterate over {}", show(over))),
    }
}
