//! Templates of notifications: the built-in ones, then those of files, then the text at hand (contract alertmanager
//! §8.1, §8.5, §8.7).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::Value;
use gotmpl::parse::ListNode;

use super::data::Data;
use super::error::TemplateError;
use super::functions;
use super::run::{self, Capped, Flavor, Limits, Run};
use super::tree::{self, Parsed};
use crate::model::LabelSet;
use crate::yaml::{self, Findings};

/// The template that is run: the text at hand.
pub(super) const ROOT: &str = "\u{1}root";

/// Escaped texts that are kept; as many as a large configuration has.
const ESCAPED: usize = 512;

const BUILTIN: [(&str, &str); 2] =
    [("default.tmpl", include_str!("builtin/default.tmpl")), ("email.tmpl", include_str!("builtin/email.tmpl"))];

/// A file of `templates`.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    pub path: String,
    pub text: String,
}

/// All templates that notifications may call. Cheap to clone.
#[derive(Clone)]
pub struct Templates(Arc<Set>);

struct Set {
    defined: BTreeMap<String, ListNode>,
    text: gotmpl::Template,
    /// Escaping is costly and done once for each text.
    escaped: Mutex<HashMap<String, Arc<gotmpl::html::Template>>>,
}

/// An engine that runs whatever is put under [`ROOT`].
pub(super) fn runner(flavor: Flavor) -> Result<gotmpl::Template, TemplateError> {
    gotmpl::Template::new("")
        .funcs(functions::registry(flavor))
        .parse(&format!("{{{{template \"{ROOT}\" .}}}}"))
        .map_err(|error| TemplateError::from_engine("", &error))
}

fn read(name: &str, text: &str) -> Result<Parsed, TemplateError> {
    tree::parse(name, text, |name| functions::knows(Flavor::Notification, name))
}

impl Templates {
    /// The built-in ones alone.
    #[expect(clippy::expect_used, reason = "the texts are constants, and a test loads them")]
    pub fn builtin() -> Self {
        Templates::load(&[]).expect("the built-in templates are valid")
    }

    /// The built-in ones and those of `files`, of which later ones win.
    ///
    /// # Errors
    /// Every file that cannot be read as a template, with what is wrong.
    pub fn load(files: &[TemplateFile]) -> Result<Self, Vec<(String, TemplateError)>> {
        let mut defined = BTreeMap::new();
        let mut wrong = Vec::new();
        let own = files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
        for (path, text) in BUILTIN.into_iter().chain(own) {
            let name = Path::new(path).file_name().map_or(path.into(), |name| name.to_string_lossy());
            match read(&name, text) {
                Ok(parsed) => {
                    let all = parsed.defines.into_iter().chain([(name.into_owned(), parsed.root)]);
                    for (name, body) in all {
                        if !body.is_empty_tree() || !defined.contains_key(&name) {
                            defined.insert(name, body);
                        }
                    }
                }
                Err(error) => wrong.push((path.to_owned(), error)),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut text = runner(Flavor::Notification).map_err(|error| vec![(String::new(), error)])?;
        for (name, body) in &defined {
            text = text.add_parse_tree(name, body.clone());
        }
        Ok(Templates(Arc::new(Set { defined, text, escaped: Mutex::default() })))
    }

    /// # Errors
    /// The text does not parse, or calls what is not there.
    pub fn check_text(&self, text: &str) -> Result<(), TemplateError> {
        self.checked(text).map(|_| ())
    }

    /// # Errors
    /// As [`Templates::check_text`], or it cannot be escaped.
    pub fn check_html(&self, text: &str) -> Result<(), TemplateError> {
        self.checked(text)?;
        let template = self.escaped(text)?;
        let state = Run::new(Flavor::Notification, Default::default(), "", Limits::default());
        let (result, _) = run::with(state, || template.execute_fmt(&mut Capped::new(0), &Value::Nil));
        match result {
            // Run without data; only what is wrong with the text itself counts.
            Err(error @ gotmpl::TemplateError::Escape { .. }) => Err(TemplateError::from_engine("", &error)),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// The text is broken, fails on this data, or exceeds the limits.
    pub fn render_text(&self, text: &str, data: &Data) -> Result<String, TemplateError> {
        // Most texts are plain.
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        let parsed = read("", text)?;
        let mut template = self.0.text.clone();
        for (name, body) in parsed.defines {
            template = template.add_parse_tree(&name, body);
        }
        let template = template.add_parse_tree(ROOT, parsed.root).max_range_iters(Limits::default().rounds);
        execute(data, |out| template.execute_fmt(out, &data.value))
    }

    /// As [`Templates::render_text`], with every value escaped for its place in the HTML.
    ///
    /// # Errors
    /// As [`Templates::render_text`], or it cannot be escaped.
    pub fn render_html(&self, text: &str, data: &Data) -> Result<String, TemplateError> {
        if text.is_empty() {
            return Ok(String::new());
        }
        let template = self.escaped(text)?;
        execute(data, |out| template.execute_fmt(out, &data.value))
    }

    /// Renders every string of a free-form value and reads each result as YAML (contract alertmanager §8.7).
    ///
    /// # Errors
    /// As [`Templates::render_text`].
    pub fn render_value(&self, value: &serde_json::Value, data: &Data) -> Result<serde_json::Value, TemplateError> {
        use serde_json::Value as Json;
        Ok(match value {
            Json::String(text) => reread(self.render_text(text, data)?),
            Json::Array(items) => {
                Json::Array(items.iter().map(|item| self.render_value(item, data)).collect::<Result<_, _>>()?)
            }
            Json::Object(entries) => {
                let render = |(key, value): (&String, &Json)| {
                    Ok((self.render_text(key, data)?, self.render_value(value, data)?))
                };
                Json::Object(entries.iter().map(render).collect::<Result<_, TemplateError>>()?)
            }
            scalar => scalar.clone(),
        })
    }

    /// Renders route labels against `data`; one that fails is left out, with a warning. A label may use those that can be
    /// rendered before it.
    pub fn render_route_labels(&self, labels: &[(String, String)], data: &Data) -> LabelSet {
        let mut data = data.clone();
        let mut waiting: Vec<&(String, String)> = labels.iter().collect();
        let mut done: HashMap<String, String> = HashMap::new();
        // Each round renders those whose own needs are met; what is left then is in a cycle.
        while !waiting.is_empty() {
            let before = waiting.len();
            let names: Vec<String> = waiting.iter().map(|(name, _)| name.clone()).collect();
            waiting.retain(|(name, text)| {
                let needs = |other: &String| text.contains("routeLabels") && text.contains(&format!("\"{other}\""));
                if names.iter().any(needs) {
                    return true;
                }
                data.rendered = Arc::new(done.clone());
                match self.render_text(text, &data) {
                    Ok(rendered) => {
                        done.insert(name.clone(), rendered);
                    }
                    Err(error) => tracing::warn!(label = %name, %error, "route label left out"),
                }
                false
            });
            if waiting.len() == before {
                let chain: Vec<_> = waiting.iter().map(|(name, _)| name.as_str()).collect();
                tracing::warn!(labels = %chain.join(" -> "), "route labels that need each other left out");
                break;
            }
        }
        LabelSet::from_pairs(done)
    }

    fn checked(&self, text: &str) -> Result<Parsed, TemplateError> {
        let parsed = read("", text)?;
        let known =
            |name: &str| self.0.defined.contains_key(name) || parsed.defines.iter().any(|(defined, _)| defined == name);
        match parsed.calls.iter().find(|(called, _)| !known(called)) {
            Some((missing, line)) => {
                Err(TemplateError::at_line("", *line, &format!("template \"{missing}\" not defined")))
            }
            None => Ok(parsed),
        }
    }

    fn escaped(&self, text: &str) -> Result<Arc<gotmpl::html::Template>, TemplateError> {
        let known = || self.0.escaped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = known().get(text) {
            return Ok(template.clone());
        }
        let wrong = |error: gotmpl::TemplateError| TemplateError::from_engine("", &error);
        let parsed = read("", text)?;
        let mut template = gotmpl::html::Template::new("")
            .funcs(functions::registry(Flavor::Notification))
            .max_range_iters(Limits::default().rounds)
            .parse(&format!("{{{{template \"{ROOT}\" .}}}}"))
            .map_err(wrong)?;
        let all = self.0.defined.iter().map(|(name, body)| (name.clone(), body.clone()));
        for (name, body) in all.chain(parsed.defines).chain([(ROOT.to_owned(), parsed.root)]) {
            template = template.add_parse_tree(&name, body).map_err(wrong)?;
        }
        let template = Arc::new(template);
        let mut known = known();
        if known.len() >= ESCAPED {
            known.clear();
        }
        known.insert(text.to_owned(), template.clone());
        Ok(template)
    }
}

fn execute(data: &Data, work: impl FnOnce(&mut Capped) -> gotmpl::Result<()>) -> Result<String, TemplateError> {
    let limits = Limits::default();
    let mut state = Run::new(Flavor::Notification, data.now, &data.external_url, limits);
    state.route_labels = data.rendered.clone();
    let mut out = Capped::new(limits.output_bytes);
    match run::with(state, || work(&mut out)).0 {
        Ok(()) => Ok(out.text),
        Err(error) => Err(TemplateError::from_engine("", &error)),
    }
}

/// A rendered text as the value that it spells, if that is no string.
fn reread(text: String) -> serde_json::Value {
    if text.trim().is_empty() {
        return serde_json::Value::Null;
    }
    let mut findings = Findings::new("rendered");
    let document = yaml::parse(&text, &mut findings);
    match document.as_ref().and_then(|document| document.root.as_ref()).map(yaml::free_form) {
        Some(value) if !value.is_string() && !findings.has_errors() => value,
        _ => serde_json::Value::String(text),
    }
}
