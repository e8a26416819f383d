//! Go's own functions, but for those that the engine runs as they are.

use std::cmp::Ordering;
use std::sync::Arc;

use gotmpl::Value;

use super::{Table, exactly};
use crate::template::print::show;
use crate::template::run;
use crate::template::value::{entries, kind, text, type_name};

pub(super) const TABLE: Table = &[
    ("eq", |args| match args {
        [_] | [] => Err("missing argument for comparison".to_owned()),
        [first, rest @ ..] => {
            for other in rest {
                if equal(first, other)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
    }),
    ("ne", |args| exactly::<2>(args).and_then(|[a, b]| equal(a, b)).map(|same| Value::Bool(!same))),
    ("lt", |args| order(args, Ordering::is_lt)),
    ("le", |args| order(args, Ordering::is_le)),
    ("gt", |args| order(args, Ordering::is_gt)),
    ("ge", |args| order(args, Ordering::is_ge)),
    ("not", |args| exactly::<1>(args).map(|[value]| Value::Bool(!value.is_truthy()))),
    ("len", |args| {
        let [value] = exactly::<1>(args)?;
        let length = match value {
            Value::Map(map) => match kind(map) {
                None | Some("dict") => Some(entries(map).count()),
                Some(_) => None,
            },
            other => other.len(),
        };
        let length = length.ok_or_else(|| format!("len of type {}", type_name(value)))?;
        Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
    }),
    ("index", |args| match args {
        [] => Err("wrong number of args for index: want at least 1 got 0".to_owned()),
        [first, keys @ ..] => keys.iter().try_fold(first.clone(), |from, key| index(&from, key)),
    }),
    ("print", |args| {
        let mut out = String::new();
        for (at, arg) in args.iter().enumerate() {
            let stringy = |value: &Value| matches!(value, Value::String(_) | Value::Safe { .. });
            if at > 0 && !stringy(arg) && !stringy(&args[at - 1]) {
                out.push(' ');
            }
            out.push_str(&show(arg));
            run::check_size(out.len())?;
        }
        Ok(text(out))
    }),
    ("println", |args| {
        let line = args.iter().map(show).collect::<Vec<_>>().join(" ");
        run::check_size(line.len())?;
        Ok(text(format!("{line}\n")))
    }),
];

fn index(from: &Value, key: &Value) -> Result<Value, String> {
    match (from, key) {
        (Value::Map(map), Value::String(name)) if matches!(kind(map), None | Some("dict")) => {
            let missing = || if kind(map).is_none() { text("") } else { Value::Nil };
            Ok(map.get(name).filter(|_| !name.starts_with('\0')).cloned().unwrap_or_else(missing))
        }
        (Value::Map(map), _) if kind(map).is_some_and(|kind| kind != "dict") => {
            Err(format!("can't index item of type {}", type_name(from)))
        }
        _ => from.index(key).map_err(|error| match error {
            gotmpl::TemplateError::Exec(reason) => reason,
            other => other.to_string(),
        }),
    }
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", type_name(a), type_name(b))
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Safe { s, .. } => Value::String(Arc::clone(s)),
        Value::Map(map) if kind(map) == Some("duration") => map.get("nanos").cloned().unwrap_or(Value::Nil),
        other => other.clone(),
    }
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (&plain(a), &plain(b)) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::List(_) | Value::Function(_), _) => Err(format!("non-comparable type {}", type_name(a))),
        (Value::Map(left), right) => match kind(left) {
            Some("time" | "pair") => Ok(&Value::Map(left.clone()) == right),
            _ => Err(format!("non-comparable type {}", type_name(a))),
        },
        (Value::Int(left), Value::Uint(right)) | (Value::Uint(right), Value::Int(left)) => {
            Ok(u64::try_from(*left).is_ok_and(|left| left == *right))
        }
        (left, right) if left.type_name() == right.type_name() => Ok(left == right),
        _ => Err(incompatible(a, b)),
    }
}

fn order(args: &[Value], wanted: fn(Ordering) -> bool) -> Result<Value, String> {
    let [a, b] = exactly::<2>(args)?;
    let order = match (&plain(a), &plain(b)) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Uint(left), Value::Uint(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Uint(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        (Value::Uint(left), Value::Int(right)) => Some(i128::from(*left).cmp(&i128::from(*right))),
        // NaN is neither less nor greater.
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (left, right) if left.type_name() != right.type_name() => return Err(incompatible(a, b)),
        _ => return Err("invalid type for comparison".to_owned()),
    };
    Ok(Value::Bool(order.is_some_and(wanted)))
}
