//! JSON as Go's `encoding/json` writes it: compact, map keys sorted, `<`, `>`, `&`, U+2028 and U+2029 escaped.

use gotmpl::Value;

use crate::template::engine::value::{Object, Struct, StructKind, View, open};

use super::float;

/// The JSON of a value.
///
/// # Errors
/// A float that JSON has no text for.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value) -> Result<(), String> {
    match open(value) {
        View::Nil => out.push_str("null"),
        View::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        View::Int(number) => out.push_str(&number.to_string()),
        View::Uint(number) => out.push_str(&number.to_string()),
        View::Float(number) => out.push_str(&number_text(number)?),
        View::Text(text) | View::Safe(_, text) => write_text(out, text),
        View::Object(object) => write_object(out, &object)?,
    }
    Ok(())
}

fn number_text(number: f64) -> Result<String, String> {
    if !number.is_finite() {
        return Err(format!("json: unsupported value: {}", float::shortest(number)));
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // Go drops the zero of a short negative exponent.
        return Ok(float::format(number, 'e', None).replace("e-0", "e-"));
    }
    Ok(float::format(number, 'f', None))
}

pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_object(out: &mut String, object: &Object) -> Result<(), String> {
    match object {
        Object::Time { at, .. } => write_text(out, &at.rfc3339()),
        Object::Duration { nanos: number, .. } | Object::Month(number) | Object::Weekday(number) => {
            out.push_str(&number.to_string());
        }
        Object::List(_, items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item)?;
            }
            out.push(']');
        }
        Object::Map(_, entries) => {
            write_members(out, entries.iter().map(|(key, value)| (&**key, value)))?;
        }
        Object::Struct(record) => {
            write_members(out, record.fields.iter().map(|(name, value)| (key(record, name), value)))?;
        }
    }
    Ok(())
}

fn write_members<'a>(out: &mut String, members: impl Iterator<Item = (&'a str, &'a Value)>) -> Result<(), String> {
    out.push('{');
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, key);
        out.push(':');
        write(out, value)?;
    }
    out.push('}');
    Ok(())
}

/// The key of a field: contract alertmanager §8.7 for alerts and their notification.
fn key(record: &Struct, field: &'static str) -> &'static str {
    if !matches!(record.kind, StructKind::Data | StructKind::Alert) {
        return field;
    }
    match field {
        "Receiver" => "receiver",
        "Status" => "status",
        "Alerts" => "alerts",
        "NotificationReason" => "notification_reason",
        "GroupLabels" => "groupLabels",
        "CommonLabels" => "commonLabels",
        "CommonAnnotations" => "commonAnnotations",
        "RouteLabels" => "routeLabels",
        "ExternalURL" => "externalURL",
        "Labels" => "labels",
        "Annotations" => "annotations",
        "StartsAt" => "startsAt",
        "EndsAt" => "endsAt",
        "GeneratorURL" => "generatorURL",
        "Fingerprint" => "fingerprint",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::engine::value::{ListKind, text};

    #[test]
    fn json_is_gos() {
        let list = Object::list(
            ListKind::Any,
            [text("a<b>&\u{2028}\"\x01"), Value::Float(1e21), Value::Float(1e-7), Value::Float(1e6), Value::Nil],
        );
        assert_eq!(encode(&list).unwrap(), "[\"a\\u003cb\\u003e\\u0026\\u2028\\\"\\u0001\",1e+21,1e-7,1000000,null]");
        assert_eq!(encode(&Value::Float(f64::NAN)).unwrap_err(), "json: unsupported value: NaN");
    }
}
