//! Access to fields and methods: what `.A.B` means for Go's types.

use std::sync::Arc;

use gotmpl::Value;

use super::function::{Failure, Place};
use super::methods;
use super::value::{MapKind, Object, View, open, text, type_name};

/// `receiver.path`, where the last name of the dotted path may take arguments.
pub(super) fn access(values: &[Value]) -> Result<Value, Failure> {
    let [receiver, Value::String(path), arguments @ ..] = values else {
        return Err(Failure::At(Place::Last, "field access without a field".to_owned()));
    };
    let mut value = receiver.clone();
    let mut from_dict = false;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let arguments = if names.peek().is_none() { arguments } else { &[] };
        let is_dict = matches!(open(&value), View::Object(Object::Map(MapKind::Dict, _)));
        value = field(&value, name, arguments, from_dict)?;
        from_dict = is_dict;
    }
    Ok(value)
}

fn field(receiver: &Value, name: &str, arguments: &[Value], from_dict: bool) -> Result<Value, Failure> {
    let view = open(receiver);
    // Go takes a field of nothing for nothing.
    if matches!(view, View::Nil) {
        return Ok(Value::Nil);
    }
    if let View::Object(object) = &view
        && let Some(method) = methods::find(object, name)
    {
        return method.call_method(receiver, arguments);
    }
    let refuse = |reason: String| Err(Failure::At(Place::Callee, reason));
    match view {
        View::Object(Object::Struct(record)) => {
            if let Some(value) = record.get(name) {
                if !arguments.is_empty() {
                    return refuse(format!("{name} has arguments but cannot be invoked as function"));
                }
                return Ok(value.clone());
            }
        }
        View::Object(Object::Map(kind, entries)) => {
            if !arguments.is_empty() {
                return refuse(format!("{name} is not a method but has arguments"));
            }
            return Ok(entries.get(name).cloned().unwrap_or_else(|| zero_of(kind)));
        }
        _ => {}
    }
    let type_name = if from_dict { "interface {}" } else { type_name(receiver) };
    refuse(format!("can't evaluate field {name} in type {type_name}"))
}

/// What a map gives for a key that it has not.
pub(super) fn zero_of(kind: MapKind) -> Value {
    match kind {
        MapKind::Kv | MapKind::Labels => text(""),
        MapKind::Dict => Value::Nil,
    }
}

/// What `range` goes over: the engine's own lists, maps and counts.
pub(super) fn iterate(values: &[Value]) -> Result<Value, Failure> {
    let [Value::Int(variables), value] = values else {
        return Err(Failure::At(Place::Last, "range without a value".to_owned()));
    };
    match open(value) {
        View::Nil => Ok(Value::Nil),
        View::Int(_) | View::Uint(_) if *variables > 1 => Err(Failure::At(
            Place::Last,
            format!(
                "can't use {} to iterate over more than one variable",
                crate::template::golang::print::display(value)
            ),
        )),
        View::Int(_) | View::Uint(_) => Ok(value.clone()),
        View::Object(Object::List(_, items)) => Ok(Value::List(items)),
        View::Object(Object::Map(_, entries)) => Ok(Value::Map(entries)),
        View::Object(Object::Duration { nanos, pointer: false }) => Ok(Value::Int(nanos)),
        _ => Err(Failure::At(
            Place::Last,
            format!("range can't iterate over {}", crate::template::golang::print::display(value)),
        )),
    }
}

/// A list from items that are already values.
pub(super) fn items(value: &Value) -> Option<Arc<[Value]>> {
    match open(value) {
        View::Object(Object::List(_, items)) => Some(items),
        _ => None,
    }
}
