//! Go's types in the engine's values: structs, times, durations and dicts are maps with their type under a key that no
//! template can name; an untagged map is a label set.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use crate::model::{LabelSet, Sample, Timestamp};

const KIND: &str = "\0";

pub(super) type Map = BTreeMap<Arc<str>, Value>;

pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::String(Arc::from(text.as_ref()))
}

pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

pub(super) fn labels(set: &LabelSet) -> Value {
    Value::Map(Arc::new(set.iter().map(|(name, value)| (Arc::from(name), text(value))).collect()))
}

pub(super) fn tagged(kind: &str, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut map: Map = fields.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
    map.insert(KIND.into(), text(kind));
    Value::Map(Arc::new(map))
}

pub(super) fn dict(mut map: Map) -> Value {
    map.insert(KIND.into(), text("dict"));
    Value::Map(Arc::new(map))
}

/// What a map is: `dict`, `time`, `duration` or a struct; `None` for a label set.
pub(super) fn kind(map: &Map) -> Option<&str> {
    map.get(KIND).and_then(Value::as_str)
}

/// The map without its tag.
pub(super) fn entries(map: &Map) -> impl Iterator<Item = (&Arc<str>, &Value)> {
    map.iter().filter(|(name, _)| &***name != KIND)
}

/// Seconds of Go's zero time, the year 1.
pub(super) const ZERO_TIME: i64 = -62_135_596_800;

pub(super) fn time(secs: i64, nanos: u32, zone: &str) -> Value {
    tagged("time", [("secs", Value::Int(secs)), ("nanos", Value::Int(nanos.into())), ("zone", text(zone))])
}

pub(super) fn instant(at: Timestamp) -> Value {
    let millis = at.as_millis();
    time(millis.div_euclid(1000), u32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000, "UTC")
}

pub(super) fn duration(nanos: i64) -> Value {
    tagged("duration", [("nanos", Value::Int(nanos))])
}

/// Seconds, nanoseconds and zone of a time.
pub(super) fn as_time(value: &Value) -> Option<(i64, u32, &str)> {
    let Value::Map(map) = value else { return None };
    if kind(map) != Some("time") {
        return None;
    }
    let nanos = map.get("nanos")?.as_int()?;
    Some((map.get("secs")?.as_int()?, u32::try_from(nanos).ok()?, map.get("zone")?.as_str()?))
}

pub(super) fn as_duration(value: &Value) -> Option<i64> {
    let Value::Map(map) = value else { return None };
    if kind(map) != Some("duration") { None } else { map.get("nanos")?.as_int() }
}

pub(super) fn sample(sample: &Sample) -> Value {
    tagged("sample", [("Labels", labels(&sample.labels)), ("Value", Value::Float(sample.value))])
}

/// Go's name of a value's type, for errors.
pub(super) fn type_name(value: &Value) -> &str {
    match value {
        Value::Map(map) => match kind(map) {
            Some("time") => "time.Time",
            Some("duration") => "time.Duration",
            Some("dict") => "map[string]interface {}",
            Some("data") => "*template.Data",
            Some("alert") => "template.Alert",
            Some("pair") => "template.Pair",
            Some("sample") => "*template.sample",
            Some("rule") => {
                "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
            }
            _ => "map[string]string",
        },
        other => other.type_name(),
    }
}
