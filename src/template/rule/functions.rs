//! The functions of rules' templates (contract prometheus §c).

use std::sync::Arc;

use gotmpl::Value;

use crate::model::{GoRegex, parse_duration};
use crate::template::engine::run;
use crate::template::engine::value::{ListKind, MapKind, Object, View, as_text, open, text};
use crate::template::engine::{Function, Param};
use crate::template::golang::case::{self, Rest};
use crate::template::golang::time::Time;
use crate::template::golang::{escape, float, number};

use Param::{Any, Sample, Samples, Text};

const fn function(
    name: &'static str,
    params: &'static [Param],
    run: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function { name, params, rest: None, run }
}

pub(super) static FUNCTIONS: &[Function] = &[
    function("query", &[Text], |values| Ok(super::samples(&run::ask(string(&values[0]))?))),
    function("first", &[Samples], first),
    function("label", &[Text, Sample], |values| Ok(label(&values[1], string(&values[0])))),
    function("value", &[Sample], |values| Ok(field(&values[0], "Value"))),
    function("strvalue", &[Sample], |values| Ok(label(&values[0], "__value__"))),
    function("sortByLabel", &[Text, Samples], sort_by_label),
    Function { name: "args", params: &[], rest: Some(Any), run: args },
    function("humanize", &[Any], |values| Ok(text(&number::humanize(number::from_value(&values[0])?)))),
    function("humanize1024", &[Any], |values| Ok(text(&number::humanize_1024(number::from_value(&values[0])?)))),
    function("humanizeDuration", &[Any], |values| {
        Ok(text(&number::humanize_duration(number::from_value(&values[0])?)))
    }),
    function("humanizePercentage", &[Any], |values| {
        Ok(text(&number::humanize_percentage(number::from_value(&values[0])?)))
    }),
    function("humanizeTimestamp", &[Any], humanize_timestamp),
    function("toTime", &[Any], |values| {
        let at = Time::from_nanos(number::to_nanos(number::from_value(&values[0])?)?);
        Ok(Object::Time { at, pointer: true }.seal())
    }),
    function("toDuration", &[Any], |values| {
        let nanos = number::to_nanos(number::from_value(&values[0])?)?;
        Ok(Object::Duration { nanos, pointer: true }.seal())
    }),
    function("now", &[], |_| Ok(Value::Float(run::about()?.now.as_secs_f64()))),
    function("parseDuration", &[Text], |values| duration_seconds(string(&values[0])).map(Value::Float)),
    function("title", &[Text], |values| Ok(text(&case::title(string(&values[0]), Rest::Keep)))),
    function("toUpper", &[Text], |values| Ok(text(&case::upper(string(&values[0]))))),
    function("toLower", &[Text], |values| Ok(text(&case::lower(string(&values[0]))))),
    function("match", &[Text, Text], |values| Ok(Value::Bool(regex(&values[0])?.is_match(string(&values[1]))))),
    function("reReplaceAll", &[Text, Text, Text], |values| {
        Ok(text(&regex(&values[0])?.replace_all(string(&values[2]), string(&values[1]))))
    }),
    function("stripPort", &[Text], |values| Ok(text(strip_port(string(&values[0]))))),
    function("stripDomain", &[Text], |values| Ok(text(&strip_domain(string(&values[0]))))),
    function("graphLink", &[Text], |values| Ok(text(&link(string(&values[0]), 0)))),
    function("tableLink", &[Text], |values| Ok(text(&link(string(&values[0]), 1)))),
    function("pathPrefix", &[], |_| Ok(text(path(&run::about()?.external_url)))),
    function("externalURL", &[], |_| Ok(text(&run::about()?.external_url))),
    function("safeHtml", &[Text], |values| Ok(values[0].clone())),
    function("urlQueryEscape", &[Text], |values| Ok(text(&escape::query(string(&values[0]))))),
];

fn string(value: &Value) -> &str {
    as_text(value).map_or("", |text| text)
}

fn regex(pattern: &Value) -> Result<GoRegex, String> {
    GoRegex::new(string(pattern)).map_err(|error| error.to_string())
}

fn items(value: &Value) -> Arc<[Value]> {
    match open(value) {
        View::Object(Object::List(_, items)) => items,
        _ => Arc::default(),
    }
}

fn first(values: &[Value]) -> Result<Value, String> {
    items(&values[0]).first().cloned().ok_or_else(|| "first() called on vector with no elements".to_owned())
}

fn field(sample: &Value, name: &str) -> Value {
    match open(sample) {
        View::Object(Object::Struct(sample)) => sample.get(name).cloned().unwrap_or(Value::Nil),
        _ => Value::Nil,
    }
}

/// A label's value, or nothing.
fn label(sample: &Value, name: &str) -> Value {
    match open(&field(sample, "Labels")) {
        View::Object(Object::Map(_, labels)) => labels.get(name).cloned().unwrap_or_else(|| text("")),
        _ => text(""),
    }
}

fn sort_by_label(values: &[Value]) -> Result<Value, String> {
    let name = string(&values[0]);
    let mut samples = items(&values[1]).to_vec();
    samples.sort_by_cached_key(|sample| string(&label(sample, name)).to_owned());
    Ok(Object::list(ListKind::Samples, samples))
}

fn args(values: &[Value]) -> Result<Value, String> {
    let entries = values.iter().enumerate().map(|(index, value)| (Arc::from(format!("arg{index}")), value.clone()));
    Ok(Object::Map(MapKind::Dict, Arc::new(entries.collect())).seal())
}

fn humanize_timestamp(values: &[Value]) -> Result<Value, String> {
    let seconds = number::from_value(&values[0])?;
    if !seconds.is_finite() {
        return Ok(text(&float::format(seconds, 'g', Some(4))));
    }
    Ok(text(&Time::from_nanos(number::to_nanos(seconds)?).to_string()))
}

fn duration_seconds(text: &str) -> Result<f64, String> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    parse_duration(magnitude).map(|duration| sign * duration.as_secs_f64()).map_err(|error| error.to_string())
}

/// The host of `host:port`, without brackets; what is none stays as it is.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(inside) => {
            let inside = inside.strip_suffix(']')?;
            (!inside.contains(['[', ']'])).then_some((inside, port))
        }
        None => (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port)),
    }
}

fn strip_port(text: &str) -> &str {
    split_port(text).map_or(text, |(host, _)| host)
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_port(text).unwrap_or((text, ""));
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let label = if is_address { host } else { host.split('.').next().unwrap_or(host) };
    match port {
        "" => label.to_owned(),
        port if label.contains(':') => format!("[{label}]:{port}"),
        port => format!("{label}:{port}"),
    }
}

fn link(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", escape::query(expr))
}

/// The path of a URL.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}
