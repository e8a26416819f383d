//! A section being read by the types of contract alertmanager §1.1, with what null means there: the zero value for
//! texts, numbers and booleans, the default for everything else.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::http::{HttpConfig, Secret, SecretSource, TlsConfig};
use crate::model::parse_duration;
use crate::yaml::{Findings, Node, Position, Section};

use super::scalar::{self, GoTimeout, HostPort, HttpUrl, SHOWN_SECRET};

/// A template as it stands in a file, to be checked by whoever has the named templates that it may call.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateText {
    pub position: Position,
    /// `receiver "x": slack_configs[0]: title`
    pub what: String,
    /// Some of them are secrets, so all are treated as such.
    pub text: Secret,
    /// Escapes for HTML.
    pub html: bool,
}

/// What a key that has a `_file` twin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Secret,
    SecretTemplate,
    SecretUrl,
    /// If there is a template in it, that is all that is checked (contract alertmanager §1.1).
    SecretTemplateUrl,
    /// No secret, but what it stands for may come from a file.
    Url,
}

/// The one that is given of a key and its `_file` twin.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub source: SecretSource,
    pub position: Position,
}

pub(super) struct Reader<'s, 'a> {
    pub section: &'s mut Section<'a>,
    pub findings: &'s mut Findings,
    /// Where relative paths of `http_config` start.
    pub dir: &'s Path,
    pub templates: Vec<TemplateText>,
}

impl<'s, 'a> Reader<'s, 'a> {
    pub fn new(section: &'s mut Section<'a>, dir: &'s Path, findings: &'s mut Findings) -> Self {
        Reader { section, findings, dir, templates: Vec::new() }
    }

    /// Where a key's value stands, or else the section.
    pub fn position_of(&mut self, key: &'static str) -> Position {
        self.section.take(key).map_or(self.section.position(), |node| node.position)
    }

    pub fn error(&mut self, at: Position, message: &str) {
        self.findings.error(at, format!("{}: {message}", self.section.name()));
    }

    pub fn error_with_help(&mut self, at: Position, message: &str, help: &str) {
        self.findings.error_with_help(at, format!("{}: {message}", self.section.name()), help);
    }

    pub fn warning(&mut self, at: Position, message: &str) {
        self.findings.warning(at, format!("{}: {message}", self.section.name()));
    }

    pub fn missing(&mut self, what: &str, help: &str) {
        let at = self.section.position();
        match help.is_empty() {
            true => self.error(at, &format!("{what} is missing")),
            false => self.error_with_help(at, &format!("{what} is missing"), help),
        }
    }

    /// Reads a key even if it is null. `None`: absent, or a finding was made.
    fn value<T>(&mut self, key: &'static str, want: impl Fn(&'a Node) -> Result<T, String>) -> Option<T> {
        let node = self.section.take(key)?;
        match want(node) {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(node.position, &format!("{key}: {message}"));
                None
            }
        }
    }

    /// The same for keys where null is as good as absent.
    fn some<T>(&mut self, key: &'static str, want: impl Fn(&'a Node) -> Result<T, String>) -> Option<T> {
        self.section.some(key)?;
        self.value(key, want)
    }

    pub fn text(&mut self, key: &'static str, default: &str) -> String {
        self.value(key, |node| node.text().map(str::to_owned)).unwrap_or_else(|| default.to_owned())
    }

    pub fn template(&mut self, key: &'static str, default: &str) -> String {
        let text = self.text(key, default);
        self.note_template(key, false);
        text
    }

    pub fn html_template(&mut self, key: &'static str, default: &str) -> String {
        let text = self.text(key, default);
        self.note_template(key, true);
        text
    }

    fn note_template(&mut self, key: &'static str, html: bool) {
        if let Some(node) = self.section.take(key) {
            self.note(node, key, html);
        }
    }

    /// Remembers a text that is a template, if there is anything in it to evaluate.
    fn note(&mut self, node: &Node, key: &str, html: bool) {
        if let Ok(text) = node.text()
            && text.contains("{{")
        {
            let what = format!("{}: {key}", self.section.name());
            self.templates.push(TemplateText { position: node.position, what, text: Secret::new(text), html });
        }
    }

    pub fn boolean(&mut self, key: &'static str, default: bool) -> bool {
        let want = |node: &Node| if node.is_null() { Ok(false) } else { node.boolean() };
        self.value(key, want).unwrap_or(default)
    }

    pub fn optional_boolean(&mut self, key: &'static str) -> Option<bool> {
        self.some(key, Node::boolean)
    }

    pub fn integer(&mut self, key: &'static str) -> i64 {
        self.some(key, Node::integer).unwrap_or(0)
    }

    pub fn unsigned(&mut self, key: &'static str) -> u64 {
        let want = |node: &Node| {
            let count = node.integer()?;
            u64::try_from(count).map_err(|_| format!("expected a number of at least 0, found {count}"))
        };
        self.some(key, want).unwrap_or(0)
    }

    /// A Prometheus duration.
    pub fn duration(&mut self, key: &'static str, default: Duration) -> Duration {
        let want = |node: &Node| parse_duration(node.text()?).map_err(|error| error.to_string());
        self.some(key, want).unwrap_or(default)
    }

    pub fn go_duration(&mut self, key: &'static str, default: Duration) -> Duration {
        self.value(key, scalar::go_duration).unwrap_or(default)
    }

    /// `timeout`: `None` if it is 0.
    pub fn timeout(&mut self) -> Option<Duration> {
        let timeout = match self.value("timeout", scalar::go_timeout)? {
            GoTimeout::Duration(duration) => duration,
            GoTimeout::Nanoseconds(count) => {
                let at = self.position_of("timeout");
                let message = format!("{}: timeout: a bare number counts nanoseconds", self.section.name());
                self.findings.warning_with_help(at, message, format!("write {count}s if seconds are meant"));
                Duration::from_nanos(count)
            }
        };
        Some(timeout).filter(|timeout| !timeout.is_zero())
    }

    pub fn url(&mut self, key: &'static str) -> Option<HttpUrl> {
        self.some(key, |node| HttpUrl::parse(node.text()?))
    }

    pub fn host_port(&mut self, key: &'static str) -> Option<HostPort> {
        self.some(key, |node| HostPort::parse(node.text()?)).flatten()
    }

    /// A key and its `_file` twin; the empty text counts as not given, except as a URL. Files are used as written.
    pub fn credential(&mut self, keys: [&'static str; 2], form: Form) -> Option<Credential> {
        let (inline, file) = self.credentials(keys, form);
        if let (Some(inline), Some(file)) = (&inline, &file) {
            let message = format!("at most one of {} and {} may be given", keys[0], keys[1]);
            self.error(inline.position.max(file.position), &message);
        }
        inline.or(file)
    }

    /// The same, from here or else from the globals; a finding if it is in neither.
    pub fn required_credential(
        &mut self,
        keys: [&'static str; 2],
        form: Form,
        global: Option<&SecretSource>,
        help: &str,
    ) -> Option<SecretSource> {
        if let Some(given) = self.credential(keys, form) {
            return Some(given.source);
        }
        if global.is_none() && !self.is_tried(keys, form) {
            self.missing(&format!("{} or {}", keys[0], keys[1]), help);
        }
        global.cloned()
    }

    /// Whether something is given that a finding was made about, if it was not taken.
    pub fn is_tried(&mut self, [key, file]: [&'static str; 2], form: Form) -> bool {
        let empty_is_refused = matches!(form, Form::SecretUrl | Form::Url);
        let inline = self.section.some(key).is_some_and(|node| empty_is_refused || node.text() != Ok(""));
        inline || self.section.some(file).is_some_and(|node| node.text() != Ok(""))
    }

    /// Both, where it is not an error to give both.
    pub fn credentials(
        &mut self,
        [key, file]: [&'static str; 2],
        form: Form,
    ) -> (Option<Credential>, Option<Credential>) {
        let want = move |node: &Node| {
            let text = node.text()?;
            let is_template = text.contains("{{");
            match form {
                Form::Secret | Form::SecretTemplate => {}
                Form::SecretTemplateUrl if text.is_empty() || is_template || text == SHOWN_SECRET => {}
                Form::SecretUrl if text == SHOWN_SECRET => {}
                Form::SecretUrl | Form::SecretTemplateUrl | Form::Url => drop(HttpUrl::parse(text)?),
            }
            Ok(Credential { source: SecretSource::Inline(Secret::new(text)), position: node.position })
        };
        let inline = self.some(key, want).filter(|given| given.source != SecretSource::Inline(Secret::new("")));
        if matches!(form, Form::SecretTemplate | Form::SecretTemplateUrl) {
            self.note_template(key, false);
        }
        let from_file =
            |node: &Node| Ok(Credential { source: SecretSource::File(node.text()?.into()), position: node.position });
        let from_file = self.some(file, from_file).filter(|given| given.source != SecretSource::File("".into()));
        (inline, from_file)
    }

    /// `http_config`, if there is one.
    pub fn http_config(&mut self) -> Option<HttpConfig> {
        let node = self.section.some("http_config")?;
        let what = format!("{}: http_config", self.section.name());
        HttpConfig::read(node, &what, self.dir, self.findings)
    }

    /// A TLS section of mail: unlike those of `http_config`, its paths are used as written.
    pub fn mail_tls_config(&mut self, key: &'static str) -> Option<TlsConfig> {
        let node = self.section.some(key)?;
        let what = format!("{}: {key}", self.section.name());
        TlsConfig::read(node, &what, Path::new(""), self.findings)
    }

    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        let want = |node: &'a Node| node.items()?.iter().map(|item| item.text().map(str::to_owned)).collect();
        self.some(key, want).unwrap_or_default()
    }

    pub fn templates_in_list(&mut self, key: &'static str) -> Vec<String> {
        let texts = self.texts(key);
        for item in self.section.take(key).and_then(|node| node.items().ok()).unwrap_or_default() {
            self.note(item, key, false);
        }
        texts
    }

    pub fn text_map(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let want = |node: &'a Node| {
            let pair = |(key, value): &'a (Node, Node)| Ok((key.text()?.to_owned(), value.text()?.to_owned()));
            node.entries()?.iter().map(pair).collect()
        };
        self.some(key, want).unwrap_or_default()
    }

    /// A mapping of templates.
    pub fn template_map(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let map = self.text_map(key);
        for (name, value) in self.entries(key) {
            self.note(value, &format!("{key}: {}", name.text().unwrap_or_default()), false);
        }
        map
    }

    /// The entries of a mapping; none if it is not there, or is no mapping.
    pub fn entries(&mut self, key: &'static str) -> &'a [(Node, Node)] {
        self.section.take(key).and_then(|node| node.entries().ok()).unwrap_or_default()
    }

    /// Where the value of one entry of a mapping stands.
    pub fn entry_position(&mut self, key: &'static str, name: &str) -> Position {
        let at = self.position_of(key);
        self.entries(key).iter().find(|(key, _)| key.text() == Ok(name)).map_or(at, |(_, value)| value.position)
    }

    /// A free-form value with templates in it.
    pub fn payload(&mut self, key: &'static str) -> Option<serde_json::Value> {
        let node = self.section.some(key)?;
        self.note_strings(node, key);
        Some(scalar::payload(node))
    }

    /// A mapping of free-form values; its own keys may be of any type.
    pub fn payload_map(&mut self, key: &'static str) -> serde_json::Map<String, serde_json::Value> {
        let value = |(name, value): &(Node, Node)| Ok((name.text()?.to_owned(), scalar::payload(value)));
        let map = self.some(key, |node| node.entries()?.iter().map(value).collect()).unwrap_or_default();
        for (_, value) in self.entries(key) {
            self.note_strings(value, key);
        }
        map
    }

    fn note_strings(&mut self, node: &Node, key: &str) {
        let mut strings = Vec::new();
        scalar::strings_in(node, &mut strings);
        for node in strings {
            self.note(node, key, false);
        }
    }

    /// A mapping read by `read`; null is as good as absent.
    pub fn object<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'_, 'a>) -> T) -> Option<T> {
        let node = self.section.some(key)?;
        let name = format!("{}: {key}", self.section.name());
        self.nested(node, name, read)
    }

    /// A list of mappings, each read by `read`. A null item is a finding.
    pub fn objects<T>(&mut self, key: &'static str, read: impl Fn(&mut Reader<'_, 'a>) -> T) -> Vec<T> {
        let mut list = Vec::new();
        for (index, node) in self.some(key, Node::items).unwrap_or_default().iter().enumerate() {
            let name = format!("{}: {key}[{index}]", self.section.name());
            match node.is_null() {
                true => self.findings.error(node.position, format!("{name} is empty")),
                false => list.extend(self.nested(node, name, &read)),
            }
        }
        list
    }

    /// The same where a null item is one without keys.
    pub fn objects_or_null<T>(&mut self, key: &'static str, read: impl Fn(&mut Reader<'_, 'a>) -> T) -> Vec<T> {
        let items = self.some(key, Node::items).unwrap_or_default();
        let name = |reader: &Self, index| format!("{}: {key}[{index}]", reader.section.name());
        items.iter().enumerate().filter_map(|(index, node)| self.nested(node, name(self, index), &read)).collect()
    }

    fn nested<T>(&mut self, node: &'a Node, name: String, read: impl FnOnce(&mut Reader<'_, 'a>) -> T) -> Option<T> {
        let mut section = Section::open(node, name, self.findings)?;
        let mut reader = Reader::new(&mut section, self.dir, self.findings);
        let value = read(&mut reader);
        let templates = reader.templates;
        self.templates.extend(templates);
        section.finish(self.findings);
        Some(value)
    }
}
