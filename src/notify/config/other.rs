//! Integrations that cannot be sent yet, read and checked by tables of their keys.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::http::{HttpConfig, ProxyConfig, SecretSource};
use crate::model::format_duration;

use super::kinds::HttpRule;
use super::reader::{Form, Reader};
use super::scalar::{SHOWN_SECRET, format_go_duration, without_password};
use super::shown::{Shown, http_config};
use super::{Globals, HttpUrl};

/// A kind that is read and checked but cannot be sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherConfig {
    pub kind: &'static str,
    /// As they are shown: defaults filled in, completed from the globals, secrets hidden.
    pub values: Value,
}

/// The keys of a section, and what they must be together.
pub(super) struct Shape {
    pub keys: &'static [Key],
    pub rule: fn(&mut Check<'_, '_, '_>),
}

pub(super) struct Key {
    pub name: &'static str,
    pub kind: Type,
    /// May not be absent or empty.
    pub required: bool,
}

/// What a key holds, and its default.
pub(super) enum Type {
    Text(&'static str),
    Template(&'static str),
    /// Without a `_file` twin.
    Secret,
    /// A template, completed from the globals and required.
    CorpId,
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
    /// The same, also in place of the empty text.
    ChoiceOrEmpty(&'static [&'static str]),
    Boolean,
    /// Unset by default.
    OptionalBoolean,
    Integer,
    Unsigned,
    Duration,
    GoDuration(Duration),
    Timeout,
    /// Completed from the globals. Required; `slash`: its path is made to end in `/`.
    Url {
        global: &'static str,
        slash: bool,
    },
    /// A key with a `_file` twin, completed from the globals.
    Credential {
        file: &'static str,
        form: Form,
        global: Option<&'static str>,
        required: bool,
    },
    Templates,
    TemplateMap,
    PayloadMap,
    /// A template, or an object of one and `enable_update`.
    TemplateOrObject(&'static str),
    Object(&'static Shape),
    Objects(&'static Shape),
}

/// A section that was read, for the rules about several of its keys.
pub(super) struct Check<'r, 's, 'a> {
    pub reader: &'r mut Reader<'s, 'a>,
    /// What is there and not empty, as it is shown.
    pub values: &'r Map<String, Value>,
    /// The integration's own `http_config`, if it has one.
    pub http: Option<&'r HttpConfig>,
}

impl<'r> Check<'r, '_, '_> {
    /// Whether a key is set and is not empty, false or 0.
    pub fn has(&self, key: &str) -> bool {
        match self.values.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(set)) => *set,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(map)) => !map.is_empty(),
        }
    }

    pub fn text(&self, key: &str) -> &'r str {
        self.values.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn has_authorization(&self) -> bool {
        self.http.is_some_and(HttpConfig::has_authorization)
    }

    /// A finding at a key.
    pub fn error(&mut self, key: &'static str, message: &str) {
        let at = self.reader.position_of(key);
        self.reader.error(at, message);
    }
}

impl Shape {
    /// Reads an integration's own keys, `http_config` among them. Its timeout comes back too, if it has one.
    pub fn read(
        &'static self,
        reader: &mut Reader<'_, '_>,
        globals: &Globals,
        http_rule: HttpRule,
    ) -> (Map<String, Value>, Option<Duration>) {
        let mut http = reader.http_config();
        let mut shown = Shown::default();
        let mut timeout = None;
        for key in self.keys {
            if matches!(key.kind, Type::Timeout) {
                timeout = reader.timeout();
                shown.put("timeout", format_go_duration(timeout.unwrap_or_default()));
            } else {
                key.read(reader, globals, &mut shown);
            }
        }
        let mut values = shown.into_map();
        (self.rule)(&mut Check { reader, values: &values, http: http.as_ref() });
        if let Some(http) = &mut http
            && http_rule == HttpRule::KeepProxy
            && http.proxy == ProxyConfig::None
        {
            http.proxy = globals.http.proxy.clone();
        }
        if http.is_some() || http_rule != HttpRule::OwnCounts {
            values.insert("http_config".to_owned(), http_config(http.as_ref().unwrap_or(&globals.http)));
        }
        (values, timeout)
    }

    fn read_nested(&'static self, reader: &mut Reader<'_, '_>, globals: &Globals) -> Value {
        let mut shown = Shown::default();
        for key in self.keys {
            key.read(reader, globals, &mut shown);
        }
        let values = shown.into_map();
        (self.rule)(&mut Check { reader, values: &values, http: None });
        Value::Object(values)
    }
}

impl Key {
    pub const fn required(mut self) -> Key {
        self.required = true;
        self
    }

    fn read(&self, reader: &mut Reader<'_, '_>, globals: &Globals, shown: &mut Shown) {
        let name = self.name;
        match &self.kind {
            Type::Text(default) => {
                let text = reader.text(name, default);
                self.put_text(reader, shown, &text, default);
            }
            Type::Template(default) => {
                let text = reader.template(name, default);
                self.put_text(reader, shown, &text, default);
            }
            Type::Secret => {
                if !reader.text(name, "").is_empty() {
                    shown.put(name, SHOWN_SECRET);
                }
            }
            Type::CorpId => match (reader.template(name, ""), &globals.wechat_api_corp_id) {
                (text, global) if text.is_empty() && global.is_empty() => {
                    reader.missing(name, "set it here, or wechat_api_corp_id in global");
                }
                (text, global) if text.is_empty() => shown.put(name, global.as_str()),
                (text, _) => shown.put(name, text),
            },
            Type::Choice(allowed) => shown.put(name, choice(reader, name, allowed, false)),
            Type::ChoiceOrEmpty(allowed) => shown.put(name, choice(reader, name, allowed, true)),
            Type::Boolean => shown.put(name, reader.boolean(name, false)),
            Type::OptionalBoolean => {
                if let Some(set) = reader.optional_boolean(name) {
                    shown.put(name, set);
                }
            }
            Type::Integer => match reader.integer(name) {
                0 => {}
                number => shown.put(name, number),
            },
            Type::Unsigned => shown.put(name, reader.unsigned(name)),
            Type::Duration => match reader.duration(name, Duration::ZERO) {
                Duration::ZERO => {}
                duration => shown.put(name, format_duration(duration)),
            },
            Type::GoDuration(default) => shown.put(name, format_go_duration(reader.go_duration(name, *default))),
            Type::Timeout => {}
            Type::Url { global, slash } => self.read_url(reader, globals.url(global).cloned(), *slash, shown),
            Type::Credential { file, form, global, required } => {
                let from_global = global.and_then(|key| globals.secret(key));
                let source = match required {
                    true => reader.required_credential([name, file], *form, from_global, &set_in(*global)),
                    false => {
                        let given = reader.credential([name, file], *form).map(|given| given.source);
                        given.or_else(|| from_global.cloned())
                    }
                };
                match source {
                    Some(SecretSource::Inline(url)) if *form == Form::Url => {
                        shown.put(name, without_password(url.expose()));
                    }
                    source => shown.secret(name, source.as_ref()),
                }
            }
            Type::Templates => {
                shown.list(name, reader.templates_in_list(name).into_iter().map(Value::from).collect());
            }
            Type::TemplateMap => {
                let map = reader.template_map(name);
                if !map.is_empty() {
                    shown.put(name, json!(map));
                }
            }
            Type::PayloadMap => {
                let map = reader.payload_map(name);
                if !map.is_empty() {
                    shown.put(name, map);
                }
            }
            Type::TemplateOrObject(default) => shown.put(name, template_or_object(reader, name, default)),
            Type::Object(shape) => {
                if let Some(value) = reader.object(name, |nested| shape.read_nested(nested, globals)) {
                    shown.put(name, value);
                }
            }
            Type::Objects(shape) => {
                shown.list(name, reader.objects(name, |nested| shape.read_nested(nested, globals)));
            }
        }
    }

    /// What is empty is left out, unless the default is not.
    fn put_text(&self, reader: &mut Reader<'_, '_>, shown: &mut Shown, text: &str, default: &str) {
        if self.required && text.is_empty() {
            reader.missing(self.name, "");
        }
        if !text.is_empty() || !default.is_empty() {
            shown.put(self.name, text);
        }
    }

    fn read_url(&self, reader: &mut Reader<'_, '_>, from_global: Option<HttpUrl>, slash: bool, shown: &mut Shown) {
        let Type::Url { global, .. } = self.kind else { return };
        let is_tried = reader.section.some(self.name).is_some();
        match reader.url(self.name).or(from_global) {
            Some(url) if slash => shown.put(self.name, url.with_trailing_slash().shown()),
            Some(url) => shown.put(self.name, url.shown()),
            None if is_tried => {}
            None => reader.missing(self.name, &format!("set it here, or {global} in global")),
        }
    }
}

fn set_in(global: Option<&str>) -> String {
    global.map(|key| format!("set one of them here, or {key} in global")).unwrap_or_default()
}

fn choice(reader: &mut Reader<'_, '_>, key: &'static str, allowed: &[&'static str], allows_empty: bool) -> String {
    let default = allowed.first().copied().unwrap_or_default();
    let text = reader.text(key, default);
    if allowed.contains(&text.as_str()) {
        return text;
    }
    if !text.is_empty() || !allows_empty {
        let at = reader.position_of(key);
        let list: Vec<String> = allowed.iter().map(|text| format!("{text:?}")).collect();
        reader.error_with_help(at, &format!("{key}: unknown {text:?}"), &format!("one of {}", list.join(", ")));
    }
    default.to_owned()
}

/// An object without a `template` keeps the default one.
fn template_or_object(reader: &mut Reader<'_, '_>, key: &'static str, default: &str) -> Value {
    let is_object = reader.section.take(key).is_some_and(|node| node.text().is_err() && node.entries().is_ok());
    if !is_object {
        return json!({ "template": reader.template(key, default) });
    }
    let read = reader.object(key, |nested| {
        let mut shown = Shown::default();
        shown.put("template", nested.template("template", default));
        if let Some(enable) = nested.optional_boolean("enable_update") {
            shown.put("enable_update", enable);
        }
        shown.into_value()
    });
    read.unwrap_or_default()
}
