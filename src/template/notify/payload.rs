//! The walk over a free-form value (contract alertmanager §8.7): each string is a template, and what it renders to is
//! read as YAML.

use serde_json::Value as Json;

use crate::template::TemplateError;
use crate::yaml::{self, Findings};

/// Renders keys and values with `render`; scalars that are no strings stay.
pub(super) fn walk(
    value: &Json,
    render: &dyn Fn(&str) -> Result<String, TemplateError>,
) -> Result<Json, TemplateError> {
    Ok(match value {
        Json::String(text) => read(render(text)?),
        Json::Array(items) => Json::Array(items.iter().map(|item| walk(item, render)).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((render(key)?, walk(value, render)?)));
            Json::Object(entries.collect::<Result<_, TemplateError>>()?)
        }
        scalar => scalar.clone(),
    })
}

/// A text that YAML reads as something else than a string is that; nothing is null.
fn read(text: String) -> Json {
    let mut findings = Findings::new("payload");
    let document = yaml::parse(&text, &mut findings);
    if findings.has_errors() {
        return Json::String(text);
    }
    match document.and_then(|document| document.root).map(|root| yaml::free_form(&root)) {
        None => Json::Null,
        Some(Json::String(_)) => Json::String(text),
        Some(value) => value,
    }
}
