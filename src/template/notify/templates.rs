//! All templates of notifications, and rendering with them.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use gotmpl::Value;

use crate::model::LabelSet;
use crate::template::TemplateError;
use crate::template::engine::run::About;
use crate::template::engine::{Limits, Mode, Program, Set};

use super::data::RouteLabels;
use super::{Data, functions, payload};

/// The texts that Belfry brings along (contract alertmanager §8.4, §8.5).
const BUILTIN: [(&str, &str); 3] = [
    ("default.tmpl", include_str!("../builtin/default.tmpl")),
    ("email.tmpl", include_str!("../builtin/email.tmpl")),
    ("other.tmpl", include_str!("../builtin/other.tmpl")),
];

/// Texts that are kept ready; a configuration has a few dozen.
const READY: usize = 1024;

/// A file of `templates`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    pub path: String,
    pub text: String,
}

/// The definitions that texts of notifications can call. Cheap to clone.
#[derive(Clone)]
pub struct Templates(Arc<Kept>);

struct Kept {
    set: Set,
    /// Parsing, and escaping for HTML all the more, is done once for each text.
    ready: Mutex<HashMap<(Mode, String), Arc<Program>>>,
}

impl Templates {
    /// The built-in definitions alone.
    pub fn builtin() -> Self {
        #[expect(clippy::expect_used, reason = "constants, which a test parses")]
        static TEMPLATES: LazyLock<Templates> =
            LazyLock::new(|| Templates::load(&[]).expect("the built-in templates are valid"));
        TEMPLATES.clone()
    }

    /// The built-in definitions, then those of files in order: later ones win. What a file says outside of its
    /// definitions is a template named by the file's base name.
    ///
    /// # Errors
    /// For each file that is wrong its path and what is wrong.
    pub fn load(files: &[TemplateFile]) -> Result<Self, Vec<(String, TemplateError)>> {
        let base = || Set::new(&[functions::FUNCTIONS], &Limits::default());
        let base = base().map_err(|error| vec![(String::new(), error)])?;
        let base = base.with_files(&BUILTIN).map_err(|errors| {
            errors.into_iter().map(|(index, error)| (BUILTIN[index].0.to_owned(), error)).collect::<Vec<_>>()
        })?;
        let named: Vec<(&str, &str)> =
            files.iter().map(|file| (file.path.rsplit('/').next().unwrap_or(&file.path), file.text.as_str())).collect();
        let set = base.with_files(&named).map_err(|errors| {
            errors.into_iter().map(|(index, error)| (files[index].path.clone(), error)).collect::<Vec<_>>()
        })?;
        Ok(Templates(Arc::new(Kept { set, ready: Mutex::default() })))
    }

    /// Whether a text can be rendered as far as can be told without data.
    ///
    /// # Errors
    /// Its syntax, or a function, variable or template that is not there.
    pub fn check_text(&self, text: &str) -> Result<(), TemplateError> {
        self.program(Mode::Text, text)?.check()
    }

    /// As [`Templates::check_text`] for HTML, whose branches must also end in one kind of place.
    ///
    /// # Errors
    /// As above.
    pub fn check_html(&self, text: &str) -> Result<(), TemplateError> {
        self.program(Mode::Html, text)?.check()
    }

    /// Renders a text.
    ///
    /// # Errors
    /// The text is wrong, or its rendering fails or exceeds its limits.
    pub fn render_text(&self, text: &str, data: &Data) -> Result<String, TemplateError> {
        self.render_with(text, data.value(), data.about())
    }

    /// Renders a text as HTML: values are escaped for the place where they stand (contract alertmanager §8.1).
    ///
    /// # Errors
    /// As [`Templates::render_text`].
    pub fn render_html(&self, text: &str, data: &Data) -> Result<String, TemplateError> {
        if text.is_empty() {
            return Ok(String::new());
        }
        self.program(Mode::Html, text)?.render(data.value(), Rc::new(data.about()), &Limits::default())
    }

    /// Renders all strings of a free-form value and reads each as YAML (contract alertmanager §8.7).
    ///
    /// # Errors
    /// As [`Templates::render_text`].
    pub fn render_value(&self, value: &serde_json::Value, data: &Data) -> Result<serde_json::Value, TemplateError> {
        payload::walk(value, &|text| self.render_text(text, data))
    }

    /// Renders route labels, names and texts, against the data. One that fails is left out and logged.
    pub fn render_route_labels(&self, labels: &[(String, String)], data: &Data) -> LabelSet {
        let route = RouteLabels::new(data, labels);
        let rendered = labels.iter().filter_map(|(name, _)| match route.render(name) {
            Ok(rendered) => rendered.map(|rendered| (name.as_str(), rendered)),
            Err(error) => {
                tracing::warn!(label = name, %error, "a route label could not be rendered and is left out");
                None
            }
        });
        LabelSet::from_pairs(rendered)
    }

    /// Renders a text with `data` as the dot.
    pub(super) fn render_with(&self, text: &str, data: &Value, about: About) -> Result<String, TemplateError> {
        if !text.contains("{{") {
            return Ok(text.to_owned());
        }
        self.program(Mode::Text, text)?.render(data, Rc::new(about), &Limits::default())
    }

    /// The text made ready, from those that are kept or anew.
    fn program(&self, mode: Mode, text: &str) -> Result<Arc<Program>, TemplateError> {
        let key = (mode, text.to_owned());
        let kept = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(program) = kept {
            return Ok(program);
        }
        let program = Arc::new(self.0.set.program(mode, "", text)?);
        let mut ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY {
            ready.clear();
        }
        ready.insert(key, program.clone());
        Ok(program)
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("set", &self.0.set).finish_non_exhaustive()
    }
}
