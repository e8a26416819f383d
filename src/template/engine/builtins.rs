//! The functions that every Go template has, over Go's types: contract alertmanager §8.1. `and` and `or` are the
//! engine's, since they stop early.

use std::cmp::Ordering;

use gotmpl::Value;

use crate::template::golang::{escape, print};

use super::access::zero_of;
use super::function::{Function, Param};
use super::run;
use super::value::{MapKind, Object, View, as_text, is_true, open, text, type_name};

pub(super) static BUILTINS: &[Function] = &[
    Function { name: "eq", params: &[Param::Any], rest: Some(Param::Any), run: eq },
    Function {
        name: "ne",
        params: &[Param::Any, Param::Any],
        rest: None,
        run: |values| Ok(Value::Bool(!equal(&values[0], &values[1])?)),
    },
    Function { name: "lt", params: &[Param::Any, Param::Any], rest: None, run: |values| ordered(values, less) },
    Function { name: "le", params: &[Param::Any, Param::Any], rest: None, run: |values| ordered(values, at_most) },
    Function {
        name: "gt",
        params: &[Param::Any, Param::Any],
        rest: None,
        run: |values| ordered(values, |a, b| Ok(!at_most(a, b)?)),
    },
    Function {
        name: "ge",
        params: &[Param::Any, Param::Any],
        rest: None,
        run: |values| ordered(values, |a, b| Ok(!less(a, b)?)),
    },
    Function { name: "not", params: &[Param::Any], rest: None, run: |values| Ok(Value::Bool(!is_true(&values[0]))) },
    Function { name: "len", params: &[Param::Any], rest: None, run: length },
    Function { name: "index", params: &[Param::Any], rest: Some(Param::Any), run: index },
    Function { name: "slice", params: &[Param::Any], rest: Some(Param::Any), run: slice },
    Function { name: "call", params: &[Param::Any], rest: Some(Param::Any), run: call },
    Function { name: "print", params: &[], rest: Some(Param::Any), run: |values| Ok(text(&print::sprint(values))) },
    Function { name: "println", params: &[], rest: Some(Param::Any), run: |values| Ok(text(&print::sprintln(values))) },
    Function {
        name: "printf",
        params: &[Param::Text],
        rest: Some(Param::Any),
        run: |values| {
            let format = as_text(&values[0]).map_or("", |format| format);
            // Wide fields multiply: what may come out is bounded before it is made.
            run::spend(widest(format))?;
            Ok(text(&print::sprintf(format, &values[1..])))
        },
    },
];

/// A name and what it does to a text.
type Escaper = (&'static str, fn(&str) -> String);

/// The escapers, which must stay recognisable to the HTML pass: called without a site, on one text.
pub(super) static ESCAPERS: [Escaper; 3] =
    [("html", gotmpl::html_escape), ("js", gotmpl::js_escape), ("urlquery", escape::query)];

/// The sum of the widths and precisions that a format names.
fn widest(format: &str) -> usize {
    format
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse::<usize>().ok())
        .filter(|width| *width <= 65_536)
        .sum()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match open(value) {
        View::Bool(value) => Basic::Bool(value),
        View::Int(number) => Basic::Int(number),
        View::Uint(number) => Basic::Uint(number),
        View::Float(number) => Basic::Float(number),
        View::Text(text) | View::Safe(_, text) => Basic::Text(text),
        View::Object(
            Object::Duration { nanos: number, pointer: false } | Object::Month(number) | Object::Weekday(number),
        ) => Basic::Int(number),
        View::Nil | View::Object(_) => return None,
    })
}

fn incompatible(one: &Value, other: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", type_name(one), type_name(other))
}

fn eq(values: &[Value]) -> Result<Value, String> {
    if values.len() < 2 {
        return Err("missing argument for comparison".to_owned());
    }
    for other in &values[1..] {
        if equal(&values[0], other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    let nothing = |value: &Value| matches!(value, Value::Nil);
    match (basic(one), basic(other)) {
        (Some(Basic::Int(a)), Some(Basic::Uint(b))) | (Some(Basic::Uint(b)), Some(Basic::Int(a))) => {
            Ok(u64::try_from(a) == Ok(b))
        }
        (Some(a), Some(b)) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok(a == b),
        (None, None) if nothing(one) || nothing(other) => Ok(nothing(one) && nothing(other)),
        (None, None) => match (open(one), open(other)) {
            (View::Object(Object::Time { at: a, .. }), View::Object(Object::Time { at: b, .. })) => Ok(a == b),
            _ if type_name(one) != type_name(other) => Err(format!(
                "non-comparable types {}: {}, {}: {}",
                print::display(one),
                type_name(one),
                type_name(other),
                print::display(other)
            )),
            _ => Err(format!("non-comparable type {}: {}", print::display(other), type_name(other))),
        },
        _ if nothing(one) || nothing(other) => Ok(false),
        _ => Err(incompatible(one, other)),
    }
}

fn compare(one: &Value, other: &Value) -> Result<Option<Ordering>, String> {
    let bad = || "invalid type for comparison".to_owned();
    let (a, b) = (basic(one).ok_or_else(bad)?, basic(other).ok_or_else(bad)?);
    Ok(match (a, b) {
        (Basic::Int(a), Basic::Int(b)) => Some(a.cmp(&b)),
        (Basic::Uint(a), Basic::Uint(b)) => Some(a.cmp(&b)),
        (Basic::Int(a), Basic::Uint(b)) => Some(u64::try_from(a).map_or(Ordering::Less, |a| a.cmp(&b))),
        (Basic::Uint(a), Basic::Int(b)) => Some(u64::try_from(b).map_or(Ordering::Greater, |b| a.cmp(&b))),
        (Basic::Float(a), Basic::Float(b)) => a.partial_cmp(&b),
        (Basic::Text(a), Basic::Text(b)) => Some(a.cmp(b)),
        (Basic::Bool(_), Basic::Bool(_)) => return Err(bad()),
        _ => return Err(incompatible(one, other)),
    })
}

fn less(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(compare(one, other)? == Some(Ordering::Less))
}

fn at_most(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(matches!(compare(one, other)?, Some(Ordering::Less | Ordering::Equal)))
}

fn ordered(values: &[Value], test: fn(&Value, &Value) -> Result<bool, String>) -> Result<Value, String> {
    test(&values[0], &values[1]).map(Value::Bool)
}

fn length(values: &[Value]) -> Result<Value, String> {
    let length = match open(&values[0]) {
        View::Text(text) | View::Safe(_, text) => text.len(),
        View::Object(Object::List(_, items)) => items.len(),
        View::Object(Object::Map(_, entries)) => entries.len(),
        View::Nil => return Err("len of nil pointer".to_owned()),
        _ => return Err(format!("len of type {}", type_name(&values[0]))),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// An index that may be as large as `most`.
fn position(index: &Value, most: usize) -> Result<usize, String> {
    let number = match basic(index) {
        Some(Basic::Int(number)) => number,
        Some(Basic::Uint(number)) => i64::try_from(number).unwrap_or(i64::MAX),
        None if matches!(index, Value::Nil) => return Err("cannot index slice/array with nil".to_owned()),
        _ => return Err(format!("cannot index slice/array with type {}", type_name(index))),
    };
    let found = usize::try_from(number).ok().filter(|number| *number <= most);
    found.ok_or_else(|| format!("index out of range: {number}"))
}

fn index(values: &[Value]) -> Result<Value, String> {
    let mut item = values[0].clone();
    if matches!(item, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    for key in &values[1..] {
        item = match open(&item) {
            View::Object(Object::List(_, items)) => {
                let at = position(key, items.len())?;
                items.get(at).cloned().ok_or("reflect: slice index out of range")?
            }
            View::Text(text) | View::Safe(_, text) => {
                let at = position(key, text.len())?;
                text.as_bytes()
                    .get(at)
                    .map(|byte| Value::Uint(u64::from(*byte)))
                    .ok_or("reflect: string index out of range")?
            }
            View::Object(Object::Map(kind, entries)) => lookup(kind, &entries, key)?,
            View::Nil => return Err("index of nil pointer".to_owned()),
            _ => return Err(format!("can't index item of type {}", type_name(&item))),
        };
    }
    Ok(item)
}

fn lookup(kind: MapKind, entries: &super::value::Entries, key: &Value) -> Result<Value, String> {
    match open(key) {
        View::Text(key) => Ok(entries.get(key).cloned().unwrap_or_else(|| zero_of(kind))),
        View::Nil => Err("value is nil; should be of type string".to_owned()),
        _ => Err(format!("value has type {}; should be string", type_name(key))),
    }
}

fn slice(values: &[Value]) -> Result<Value, String> {
    let (item, indices) = (&values[0], &values[1..]);
    let length = match open(item) {
        View::Nil => return Err("slice of untyped nil".to_owned()),
        _ if indices.len() > 3 => return Err(format!("too many slice indexes: {}", indices.len())),
        View::Text(_) if indices.len() == 3 => return Err("cannot 3-index slice a string".to_owned()),
        View::Text(text) | View::Safe(_, text) => text.len(),
        View::Object(Object::List(_, items)) => items.len(),
        _ => return Err(format!("can't slice item of type {}", type_name(item))),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indices) {
        *bound = position(index, length)?;
    }
    let [start, end, capacity] = bounds;
    for (low, high) in [(start, end), (end, capacity)] {
        if low > high {
            return Err(format!("invalid slice index: {low} > {high}"));
        }
    }
    match open(item) {
        View::Object(Object::List(kind, items)) => Ok(Object::list(kind, items[start..end].iter().cloned())),
        View::Text(whole) | View::Safe(_, whole) => {
            // Go cuts bytes; half a character is shown as what it is not.
            Ok(text(&String::from_utf8_lossy(&whole.as_bytes()[start..end])))
        }
        _ => Ok(Value::Nil),
    }
}

/// There are no function values to call.
fn call(values: &[Value]) -> Result<Value, String> {
    match &values[0] {
        Value::Nil => Err("call of nil".to_owned()),
        value => Err(format!("non-function of type {}", type_name(value))),
    }
}
