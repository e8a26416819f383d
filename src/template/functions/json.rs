//! Values as JSON, as Go writes them.

use gotmpl::Value;
use serde_json::{Map as Object, Value as Json};

use crate::template::value::{as_duration, as_time, entries, kind};

/// Go's `json.Marshal`: keys sorted, `<`, `>`, `&` and line separators escaped.
pub(super) fn json(value: &Value) -> String {
    let plain = tree(value).to_string();
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            _ => out.push(c),
        }
    }
    out
}

fn tree(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Function(_) => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => (*number as i64).into(),
        Value::Float(number) => (*number).into(),
        Value::String(text) => Json::String(text.to_string()),
        Value::Safe { s, .. } => Json::String(s.to_string()),
        Value::List(items) => Json::Array(items.iter().map(tree).collect()),
        Value::Map(map) => match kind(map) {
            Some("time") => Json::String(as_time(value).map(rfc3339).unwrap_or_default()),
            Some("duration") => as_duration(value).into(),
            tag => {
                let lower = tag == Some("alert") || tag == Some("data");
                let entry = |(name, value): (&std::sync::Arc<str>, &Value)| {
                    (if lower { wire_name(name) } else { name.to_string() }, tree(value))
                };
                Json::Object(entries(map).map(entry).collect::<Object<_, _>>())
            }
        },
    }
}

/// The names of the webhook's body (contract alertmanager §8.7).
fn wire_name(field: &str) -> String {
    match field {
        "NotificationReason" => "notification_reason".to_owned(),
        "ExternalURL" => "externalURL".to_owned(),
        _ => {
            let mut chars = field.chars();
            chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
        }
    }
}

fn rfc3339((secs, nanos, zone): (i64, u32, &str)) -> String {
    crate::template::functions::time::format("2006-01-02T15:04:05.999999999Z07:00", (secs, nanos, zone))
}
