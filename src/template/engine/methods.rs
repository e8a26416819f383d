//! The methods that templates can call on data: contract alertmanager §8.1 and §8.2.

use gotmpl::Value;

use crate::template::golang::time::{Time, UTC};
use crate::template::golang::{duration, layout, print};

use super::access::items;
use super::function::{Function, Param, whole};
use super::value::{ListKind, MapKind, Object, StructKind, View, as_text, open, text};

/// The method of that name.
pub(super) fn find(object: &Object, name: &str) -> Option<&'static Function> {
    let methods: &'static [Function] = match object {
        Object::Time { .. } => TIME,
        Object::Duration { .. } => DURATION,
        Object::Month(_) | Object::Weekday(_) => NAMED,
        Object::Map(MapKind::Kv, _) => KV,
        Object::List(ListKind::Pairs, _) => PAIRS,
        Object::List(ListKind::Strings, _) => STRINGS,
        Object::List(ListKind::Alerts, _) => ALERTS,
        _ => return None,
    };
    methods.iter().find(|method| method.name == name)
}

const fn method(name: &'static str, params: &'static [Param], run: fn(&[Value]) -> Result<Value, String>) -> Function {
    Function { name, params, rest: None, run }
}

static ALERTS: &[Function] = &[
    method("Firing", &[], |values| Ok(with_status(&values[0], "firing"))),
    method("Resolved", &[], |values| Ok(with_status(&values[0], "resolved"))),
];

fn with_status(alerts: &Value, status: &str) -> Value {
    let alerts = items(alerts).unwrap_or_default();
    let has_status = |alert: &&Value| match open(alert) {
        View::Object(Object::Struct(alert)) => {
            alert.get("Status").and_then(as_text).is_some_and(|found| **found == *status)
        }
        _ => false,
    };
    Object::list(ListKind::Alerts, alerts.iter().filter(has_status).cloned())
}

static KV: &[Function] = &[
    method("SortedPairs", &[], |values| Ok(sorted_pairs(&values[0]))),
    method("Names", &[], |values| Ok(column(&sorted_pairs(&values[0]), "Name"))),
    method("Values", &[], |values| Ok(column(&sorted_pairs(&values[0]), "Value"))),
    method("String", &[], |values| Ok(shown(values))),
    method("Remove", &[Param::Strings], |values| {
        let names = items(&values[1]).unwrap_or_default();
        let View::Object(Object::Map(_, entries)) = open(&values[0]) else { return Ok(Value::Nil) };
        let mut entries = (*entries).clone();
        for name in names.iter().filter_map(as_text) {
            entries.remove(name);
        }
        Ok(Object::Map(MapKind::Kv, entries.into()).seal())
    }),
];

/// By name, but `alertname` first.
fn sorted_pairs(labels: &Value) -> Value {
    let View::Object(Object::Map(_, entries)) = open(labels) else { return Value::Nil };
    let first = entries.get_key_value("alertname");
    let rest = entries.iter().filter(|(name, _)| &***name != "alertname");
    let pair = |(name, value): (&std::sync::Arc<str>, &Value)| {
        Object::record(StructKind::Pair, vec![("Name", Value::String(name.clone())), ("Value", value.clone())])
    };
    Object::list(ListKind::Pairs, first.into_iter().chain(rest).map(pair))
}

static PAIRS: &[Function] = &[
    method("Names", &[], |values| Ok(column(&values[0], "Name"))),
    method("Values", &[], |values| Ok(column(&values[0], "Value"))),
    method("String", &[], |values| Ok(shown(values))),
];

fn column(pairs: &Value, field: &str) -> Value {
    let pairs = items(pairs).unwrap_or_default();
    let cell = |pair: &Value| match open(pair) {
        View::Object(Object::Struct(pair)) => pair.get(field).cloned(),
        _ => None,
    };
    Object::list(ListKind::Strings, pairs.iter().filter_map(cell))
}

static STRINGS: &[Function] = &[method("Join", &[Param::Text], |values| Ok(join(&values[0], &values[1])))];

/// `strings.Join`.
pub(super) fn join(list: &Value, separator: &Value) -> Value {
    let list = items(list).unwrap_or_default();
    let parts: Vec<&str> = list.iter().filter_map(as_text).map(|part| &**part).collect();
    text(&parts.join(as_text(separator).map_or("", |separator| separator)))
}

static NAMED: &[Function] = &[method("String", &[], |values| Ok(shown(values)))];

fn shown(values: &[Value]) -> Value {
    text(&print::display(&values[0]))
}

fn time(value: &Value) -> Time {
    match open(value) {
        View::Object(Object::Time { at, .. }) => at,
        _ => Time::zero(),
    }
}

fn local(values: &[Value]) -> chrono::NaiveDateTime {
    time(&values[0]).local()
}

static TIME: &[Function] = {
    use chrono::{Datelike, Timelike};
    &[
        method("Format", &[Param::Text], |values| {
            Ok(text(&layout::format(&time(&values[0]), as_text(&values[1]).map_or("", |layout| layout))))
        }),
        method("String", &[], |values| Ok(shown(values))),
        method("Unix", &[], |values| Ok(Value::Int(time(&values[0]).unix()))),
        method("UnixMilli", &[], |values| Ok(Value::Int(unix(values, 1_000)))),
        method("UnixMicro", &[], |values| Ok(Value::Int(unix(values, 1_000_000)))),
        method("UnixNano", &[], |values| Ok(Value::Int(unix(values, 1_000_000_000)))),
        method("UTC", &[], |values| Ok(Object::time(time(&values[0]).in_zone(UTC)))),
        method("Local", &[], |values| Ok(Object::time(time(&values[0]).in_zone(Time::local_zone())))),
        method("In", &[Param::Zone], |values| {
            let zone = Time::load_zone(as_text(&values[1]).map_or("", |name| name))?;
            Ok(Object::time(time(&values[0]).in_zone(zone)))
        }),
        method("Location", &[], |values| Ok(text(&time(&values[0]).location_name()))),
        method("Add", &[Param::Duration], |values| Ok(Object::time(time(&values[0]).add_nanos(whole(&values[1]))))),
        method("AddDate", &[Param::Int, Param::Int, Param::Int], |values| {
            let (years, months, days) = (whole(&values[1]), whole(&values[2]), whole(&values[3]));
            Ok(Object::time(time(&values[0]).add_date(years, months, days)))
        }),
        method("Sub", &[Param::Time], |values| Ok(Object::duration(time(&values[0]).sub(&time(&values[1]))))),
        method("Before", &[Param::Time], |values| Ok(Value::Bool(time(&values[0]).is_before(&time(&values[1]))))),
        method("After", &[Param::Time], |values| Ok(Value::Bool(time(&values[1]).is_before(&time(&values[0]))))),
        method("Equal", &[Param::Time], |values| Ok(Value::Bool(time(&values[0]).is_same(&time(&values[1]))))),
        method("Compare", &[Param::Time], |values| {
            let (one, other) = (time(&values[0]), time(&values[1]));
            Ok(Value::Int(i64::from(other.is_before(&one)) - i64::from(one.is_before(&other))))
        }),
        method("IsZero", &[], |values| Ok(Value::Bool(time(&values[0]).is_zero()))),
        method("Year", &[], |values| Ok(Value::Int(local(values).year().into()))),
        method("Month", &[], |values| Ok(Object::Month(local(values).month().into()).seal())),
        method("Day", &[], |values| Ok(Value::Int(local(values).day().into()))),
        method("YearDay", &[], |values| Ok(Value::Int(local(values).ordinal().into()))),
        method("Hour", &[], |values| Ok(Value::Int(local(values).hour().into()))),
        method("Minute", &[], |values| Ok(Value::Int(local(values).minute().into()))),
        method("Second", &[], |values| Ok(Value::Int(local(values).second().into()))),
        method("Nanosecond", &[], |values| Ok(Value::Int(time(&values[0]).nanosecond().into()))),
        method("Weekday", &[], |values| Ok(Object::Weekday(time(&values[0]).weekday()).seal())),
        method("Truncate", &[Param::Duration], |values| Ok(Object::time(time(&values[0]).truncate(whole(&values[1]))))),
        method("Round", &[Param::Duration], |values| Ok(Object::time(time(&values[0]).round(whole(&values[1]))))),
    ]
};

fn unix(values: &[Value], per_second: i64) -> i64 {
    let at = time(&values[0]);
    let fraction = i64::from(at.nanosecond()) / (1_000_000_000 / per_second);
    at.unix().wrapping_mul(per_second).wrapping_add(fraction)
}

static DURATION: &[Function] = &[
    method("String", &[], |values| Ok(shown(values))),
    method("Seconds", &[], |values| Ok(Value::Float(whole(&values[0]) as f64 / 1e9))),
    method("Minutes", &[], |values| Ok(Value::Float(whole(&values[0]) as f64 / 6e10))),
    method("Hours", &[], |values| Ok(Value::Float(whole(&values[0]) as f64 / 3.6e12))),
    method("Nanoseconds", &[], |values| Ok(Value::Int(whole(&values[0])))),
    method("Microseconds", &[], |values| Ok(Value::Int(whole(&values[0]) / 1_000))),
    method("Milliseconds", &[], |values| Ok(Value::Int(whole(&values[0]) / 1_000_000))),
    method("Abs", &[], |values| Ok(Object::duration(whole(&values[0]).saturating_abs()))),
    method("Round", &[Param::Duration], |values| {
        Ok(Object::duration(duration::round(whole(&values[0]), whole(&values[1]))))
    }),
    method("Truncate", &[Param::Duration], |values| {
        Ok(Object::duration(duration::truncate(whole(&values[0]), whole(&values[1]))))
    }),
];
