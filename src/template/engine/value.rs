//! Go's typed values inside an engine whose own values have no methods and no names of types.
//!
//! What is more than a scalar travels as an [`Object`] behind a function value: opening it hands the object over
//! through a slot of the thread. Empty lists and maps are the engine's own, so that they count as false; which kind
//! they are is told by their address. **Invariant:** every function value of this house is such an object.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use gotmpl::{SafeKind, Value};

use crate::model::LabelSet;
use crate::template::golang::time::Time;

pub(crate) type Entries = Arc<BTreeMap<Arc<str>, Value>>;

/// A value with a Go type of its own.
#[derive(Clone)]
pub(crate) enum Object {
    Struct(Arc<Struct>),
    List(ListKind, Arc<[Value]>),
    Map(MapKind, Entries),
    Time {
        at: Time,
        pointer: bool,
    },
    Duration {
        nanos: i64,
        pointer: bool,
    },
    /// `time.Month`, January is 1.
    Month(i64),
    /// `time.Weekday`, Sunday is 0.
    Weekday(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StructKind {
    /// The data of a notification.
    Data,
    Alert,
    Pair,
    /// The data of a rule's template.
    RuleData,
    /// A sample that `query` gave.
    Sample,
}

pub(crate) struct Struct {
    pub(crate) kind: StructKind,
    pub(crate) fields: Vec<(&'static str, Value)>,
}

impl Struct {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    Alerts,
    Pairs,
    Strings,
    /// `[]interface {}`, made by `list`.
    Any,
    /// The answer of `query`.
    Samples,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// A label set of a notification: with methods, printing as `k=v, k2=v2`.
    Kv,
    /// A label set of a rule: a plain `map[string]string`.
    Labels,
    /// `map[string]interface {}`, made by `dict` and `args`.
    Dict,
}

/// A value as functions see it.
pub(crate) enum View<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(&'a Arc<str>),
    Safe(SafeKind, &'a Arc<str>),
    Object(Object),
}

static EMPTY_LISTS: LazyLock<[(ListKind, Arc<[Value]>); 5]> = LazyLock::new(|| {
    [ListKind::Alerts, ListKind::Pairs, ListKind::Strings, ListKind::Any, ListKind::Samples]
        .map(|kind| (kind, Arc::from(Vec::new())))
});

static EMPTY_MAPS: LazyLock<[(MapKind, Entries); 3]> =
    LazyLock::new(|| [MapKind::Kv, MapKind::Labels, MapKind::Dict].map(|kind| (kind, Arc::new(BTreeMap::new()))));

thread_local! {
    static HANDED: RefCell<Option<Object>> = const { RefCell::new(None) };
}

impl Object {
    /// The object as a value of the engine.
    pub(crate) fn seal(self) -> Value {
        match &self {
            Object::List(kind, items) if items.is_empty() => {
                let known = EMPTY_LISTS.iter().find(|(known, _)| known == kind);
                Value::List(known.map_or_else(|| items.clone(), |(_, empty)| empty.clone()))
            }
            Object::Map(kind, entries) if entries.is_empty() => {
                let known = EMPTY_MAPS.iter().find(|(known, _)| known == kind);
                Value::Map(known.map_or_else(|| entries.clone(), |(_, empty)| empty.clone()))
            }
            _ => Value::Function(Arc::new(move |_| {
                HANDED.with_borrow_mut(|slot| *slot = Some(self.clone()));
                Ok(Value::Nil)
            })),
        }
    }

    pub(crate) fn record(kind: StructKind, fields: Vec<(&'static str, Value)>) -> Value {
        Object::Struct(Arc::new(Struct { kind, fields })).seal()
    }

    pub(crate) fn list(kind: ListKind, items: impl IntoIterator<Item = Value>) -> Value {
        Object::List(kind, items.into_iter().collect()).seal()
    }

    pub(crate) fn map(kind: MapKind, labels: &LabelSet) -> Value {
        let entries = labels.iter().map(|(name, value)| (Arc::from(name), text(value))).collect();
        Object::Map(kind, Arc::new(entries)).seal()
    }

    pub(crate) fn time(at: Time) -> Value {
        Object::Time { at, pointer: false }.seal()
    }

    pub(crate) fn duration(nanos: i64) -> Value {
        Object::Duration { nanos, pointer: false }.seal()
    }
}

/// A string value.
pub(crate) fn text(value: &str) -> Value {
    Value::String(Arc::from(value))
}

/// Sees through the sealing.
pub(crate) fn open(value: &Value) -> View<'_> {
    match value {
        Value::Nil => View::Nil,
        Value::Bool(value) => View::Bool(*value),
        Value::Int(value) => View::Int(*value),
        Value::Uint(value) => View::Uint(*value),
        Value::Float(value) => View::Float(*value),
        Value::String(value) => View::Text(value),
        Value::Safe { kind, s } => View::Safe(*kind, s),
        Value::List(items) => {
            let known = EMPTY_LISTS.iter().find(|(_, empty)| Arc::ptr_eq(empty, items));
            View::Object(Object::List(known.map_or(ListKind::Any, |(kind, _)| *kind), items.clone()))
        }
        Value::Map(entries) => {
            let known = EMPTY_MAPS.iter().find(|(_, empty)| Arc::ptr_eq(empty, entries));
            View::Object(Object::Map(known.map_or(MapKind::Dict, |(kind, _)| *kind), entries.clone()))
        }
        Value::Function(sealed) => {
            HANDED.with_borrow_mut(Option::take);
            // It cannot fail: by the invariant it only fills the slot.
            let _ = sealed(&[]);
            match HANDED.with_borrow_mut(Option::take) {
                Some(object) => View::Object(object),
                None => View::Nil,
            }
        }
    }
}

/// The text of a string, marked as safe or not.
pub(crate) fn as_text(value: &Value) -> Option<&Arc<str>> {
    match value {
        Value::String(text) | Value::Safe { s: text, .. } => Some(text),
        _ => None,
    }
}

/// Go's truth: false is what is zero or empty.
pub(crate) fn is_true(value: &Value) -> bool {
    match open(value) {
        View::Object(Object::Duration { nanos, pointer: false }) => nanos != 0,
        View::Object(Object::Weekday(day)) => day != 0,
        _ => value.is_truthy(),
    }
}

/// The name that Go prints for a value's type.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match open(value) {
        View::Nil => "interface {}",
        View::Bool(_) => "bool",
        View::Int(_) => "int",
        View::Uint(_) => "uint",
        View::Float(_) => "float64",
        View::Text(_) => "string",
        View::Safe(SafeKind::Url, _) => "template.URL",
        View::Safe(..) => "template.HTML",
        View::Object(object) => object.type_name(),
    }
}

impl Object {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Object::Struct(record) => match record.kind {
                StructKind::Data => "*template.Data",
                StructKind::Alert => "template.Alert",
                StructKind::Pair => "template.Pair",
                StructKind::Sample => "*template.sample",
                StructKind::RuleData => {
                    "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"
                }
            },
            Object::List(kind, _) => match kind {
                ListKind::Alerts => "template.Alerts",
                ListKind::Pairs => "template.Pairs",
                ListKind::Strings => "[]string",
                ListKind::Any => "[]interface {}",
                ListKind::Samples => "template.queryResult",
            },
            Object::Map(kind, _) => match kind {
                MapKind::Kv => "template.KV",
                MapKind::Labels => "map[string]string",
                MapKind::Dict => "map[string]interface {}",
            },
            Object::Time { pointer: false, .. } => "time.Time",
            Object::Time { pointer: true, .. } => "*time.Time",
            Object::Duration { pointer: false, .. } => "time.Duration",
            Object::Duration { pointer: true, .. } => "*time.Duration",
            Object::Month(_) => "time.Month",
            Object::Weekday(_) => "time.Weekday",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_out_as_they_went_in_and_the_empty_ones_are_false() {
        for kind in [MapKind::Kv, MapKind::Labels, MapKind::Dict] {
            let empty = Object::map(kind, &LabelSet::empty());
            assert!(!empty.is_truthy());
            assert!(matches!(open(&empty), View::Object(Object::Map(found, _)) if found == kind));
            let full = Object::map(kind, &LabelSet::from_pairs([("a", "b")]));
            assert!(full.is_truthy());
            assert!(matches!(open(&full), View::Object(Object::Map(found, _)) if found == kind));
        }
        let empty = Object::list(ListKind::Alerts, []);
        assert!(!is_true(&empty));
        assert_eq!(type_name(&empty), "template.Alerts");
        assert!(!is_true(&Object::duration(0)));
        assert_eq!(type_name(&Object::list(ListKind::Any, [text("a")])), "[]interface {}");
    }
}
