//! The functions of notifications' templates (contract alertmanager §8.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE;
use base64::{DecodeError, Engine};
use gotmpl::{SafeKind, Value};

use crate::model::GoRegex;
use crate::template::engine::run;
use crate::template::engine::value::{ListKind, MapKind, Object, View, as_text, open, text};
use crate::template::engine::{Function, Param};
use crate::template::golang::case::{self, Rest};
use crate::template::golang::time::Time;
use crate::template::golang::{escape, json, layout, number};

use Param::{Any, List, Strings, Text};

const fn function(
    name: &'static str,
    params: &'static [Param],
    run: fn(&[Value]) -> Result<Value, String>,
) -> Function {
    Function { name, params, rest: None, run }
}

pub(super) static FUNCTIONS: &[Function] = &[
    function("toUpper", &[Text], |values| Ok(text(&case::upper(string(&values[0]))))),
    function("toLower", &[Text], |values| Ok(text(&case::lower(string(&values[0]))))),
    function("title", &[Text], |values| Ok(text(&case::title(string(&values[0]), Rest::Lower)))),
    function("trimSpace", &[Text], |values| Ok(text(string(&values[0]).trim()))),
    function("join", &[Text, Strings], |values| {
        let parts = items(&values[1]);
        let parts: Vec<&str> = parts.iter().map(string).collect();
        Ok(text(&parts.join(string(&values[0]))))
    }),
    function("match", &[Text, Text], |values| Ok(Value::Bool(regex(&values[0])?.is_match(string(&values[1]))))),
    function("reReplaceAll", &[Text, Text, Text], |values| {
        Ok(text(&regex(&values[0])?.replace_all(string(&values[2]), string(&values[1]))))
    }),
    Function {
        name: "stringSlice",
        params: &[],
        rest: Some(Text),
        run: |values| Ok(Object::list(ListKind::Strings, values.iter().map(|value| text(string(value))))),
    },
    Function {
        name: "list",
        params: &[],
        rest: Some(Any),
        run: |values| Ok(Object::list(ListKind::Any, values.iter().cloned())),
    },
    Function { name: "append", params: &[List], rest: Some(Any), run: append },
    Function { name: "dict", params: &[], rest: Some(Any), run: dict },
    function("toJson", &[Any], |values| Ok(text(&json::encode(&values[0])?))),
    function("base64encode", &[Text], |values| Ok(text(&URL_SAFE.encode(string(&values[0]))))),
    function("base64decode", &[Text], base64_decode),
    function("urlUnescape", &[Text], |values| Ok(text(&escape::query_unescape(string(&values[0]))?))),
    function("safeHtml", &[Text], |values| Ok(safe(SafeKind::Html, &values[0]))),
    function("safeUrl", &[Text], |values| Ok(safe(SafeKind::Url, &values[0]))),
    function("routeLabels", &[Text], route_label),
    function("date", &[Text, Param::Time], |values| Ok(text(&layout::format(&time(&values[1]), string(&values[0]))))),
    function("tz", &[Text, Param::Time], |values| {
        Ok(Object::time(time(&values[1]).in_zone(Time::load_zone(string(&values[0]))?)))
    }),
    function("toDate", &[Text, Text], |values| {
        Ok(Object::time(layout::parse(string(&values[0]), string(&values[1])).unwrap_or_else(|_| Time::zero())))
    }),
    function("mustToDate", &[Text, Text], |values| {
        layout::parse(string(&values[0]), string(&values[1])).map(Object::time)
    }),
    function("now", &[], |_| Ok(Object::time(now()?))),
    function("since", &[Param::Time], |values| Ok(Object::duration(now()?.sub(&time(&values[0]))))),
    function("humanizeDuration", &[Any], |values| {
        Ok(text(&number::humanize_duration(number::from_value(&values[0])?)))
    }),
];

fn string(value: &Value) -> &str {
    as_text(value).map_or("", |text| text)
}

fn items(value: &Value) -> Arc<[Value]> {
    match open(value) {
        View::Object(Object::List(_, items)) => items,
        _ => Arc::default(),
    }
}

fn time(value: &Value) -> Time {
    match open(value) {
        View::Object(Object::Time { at, .. }) => at,
        _ => Time::zero(),
    }
}

fn now() -> Result<Time, String> {
    Ok(Time::from_timestamp(run::about()?.now))
}

fn regex(pattern: &Value) -> Result<GoRegex, String> {
    GoRegex::new(string(pattern)).map_err(|error| error.to_string())
}

fn safe(kind: SafeKind, value: &Value) -> Value {
    Value::Safe { kind, s: Arc::from(string(value)) }
}

fn append(values: &[Value]) -> Result<Value, String> {
    let list = items(&values[0]);
    // What was there is copied: lists are never changed in place.
    run::spend(list.len().saturating_mul(size_of::<Value>()))?;
    Ok(Object::list(ListKind::Any, list.iter().chain(&values[1..]).cloned()))
}

fn dict(values: &[Value]) -> Result<Value, String> {
    if !values.len().is_multiple_of(2) {
        return Err("dict needs an even number of arguments".to_owned());
    }
    let mut entries = BTreeMap::new();
    for pair in values.chunks_exact(2) {
        let key = as_text(&pair[0]).ok_or("dict keys must be strings")?;
        entries.insert(key.clone(), pair[1].clone());
    }
    Ok(Object::Map(MapKind::Dict, Arc::new(entries)).seal())
}

fn base64_decode(values: &[Value]) -> Result<Value, String> {
    let encoded = string(&values[0]);
    let illegal = |error: DecodeError| match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
        _ => encoded.len(),
    };
    let bytes =
        URL_SAFE.decode(encoded).map_err(|error| format!("illegal base64 data at input byte {}", illegal(error)))?;
    Ok(text(&String::from_utf8_lossy(&bytes)))
}

fn route_label(values: &[Value]) -> Result<Value, String> {
    let about = run::about()?;
    let Some(render) = &about.route_label else { return Ok(text("")) };
    Ok(text(&render(string(&values[0]))?.unwrap_or_default()))
}
