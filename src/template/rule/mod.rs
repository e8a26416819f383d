//! Templates of rules: labels and annotations of alerts (contract prometheus §c).

mod functions;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, LazyLock};

use crate::model::{LabelSet, Sample, Timestamp};

use super::TemplateError;
use super::engine::run::{About, Asking};
use super::engine::value::{ListKind, MapKind, Object, StructKind};
use super::engine::{Limits, Mode, Program, Set};

/// What stands before every text, so that its author can write `$value`; on the first line, errors count its bytes.
const PRELUDE: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
                       {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// A text of a rule, parsed and checked. Cheap to clone.
#[derive(Clone)]
pub struct RuleTemplate {
    kept: Arc<Kept>,
}

struct Kept {
    name: String,
    content: Content,
}

enum Content {
    /// Nothing to expand.
    Plain(String),
    Template {
        program: Program,
        may_query: bool,
    },
}

/// What a rendering sees besides the labels and the value.
pub struct RuleContext<'a> {
    pub external_labels: &'a LabelSet,
    pub external_url: &'a str,
    /// The slot of the evaluation.
    pub now: Timestamp,
    /// An instant query at the slot.
    pub query: &'a dyn Fn(&str) -> Result<Vec<Sample>, String>,
    pub limits: Limits,
}

impl RuleTemplate {
    /// Parses a text of the alert `alert_name`.
    ///
    /// # Errors
    /// What Prometheus' parser refuses, and a call of a template that is not there.
    pub fn parse(alert_name: &str, text: &str) -> Result<Self, TemplateError> {
        let name = format!("__alert_{alert_name}");
        let content = if text.contains("{{") {
            let set = SET.as_ref().map_err(Clone::clone)?;
            let program = set.program(Mode::Text, &name, &format!("{PRELUDE}{text}")).map_err(without_prelude)?;
            program.check().map_err(without_prelude)?;
            Content::Template { program, may_query: text.contains("query") }
        } else {
            Content::Plain(text.to_owned())
        };
        Ok(RuleTemplate { kept: Arc::new(Kept { name, content }) })
    }

    /// Expands the text for a sample with these labels (`__name__` included) and this value.
    ///
    /// # Errors
    /// The expansion fails, or exceeds the limits.
    pub fn render(&self, labels: &LabelSet, value: f64, context: &RuleContext<'_>) -> Result<String, TemplateError> {
        let (program, may_query) = match &self.kept.content {
            Content::Plain(text) => return Ok(text.clone()),
            Content::Template { program, may_query } => (program, *may_query),
        };
        let RuleContext { external_labels, external_url, now, query, limits } = *context;
        let render = |asking: Option<Asking>| {
            let about = About { now, external_url: external_url.into(), asking, route_label: None };
            let data = data(labels, value, external_labels, external_url);
            program.render(&data, Rc::new(about), &limits).map_err(without_prelude)
        };
        if may_query { with_queries(query, render) } else { render(None) }
    }
}

impl std::fmt::Debug for RuleTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleTemplate").field("name", &self.kept.name).finish_non_exhaustive()
    }
}

/// Renders on a thread of its own while this one answers its queries: the engine's functions outlive any one rendering
/// and cannot borrow `query`.
fn with_queries(
    query: &dyn Fn(&str) -> Result<Vec<Sample>, String>,
    render: impl FnOnce(Option<Asking>) -> Result<String, TemplateError> + Send,
) -> Result<String, TemplateError> {
    let (questions, inbox) = sync_channel::<String>(0);
    let (outbox, answers) = sync_channel(1);
    std::thread::scope(|scope| {
        let rendering = scope.spawn(move || render(Some(Asking { questions, answers })));
        // Ends when the rendering drops its side.
        for question in inbox {
            if outbox.send(query(&question)).is_err() {
                break;
            }
        }
        rendering.join().unwrap_or_else(|_| Err(TemplateError::new("template: rendering panicked", None)))
    })
}

fn data(labels: &LabelSet, value: f64, external_labels: &LabelSet, external_url: &str) -> gotmpl::Value {
    Object::record(
        StructKind::RuleData,
        vec![
            ("Labels", Object::map(MapKind::Labels, labels)),
            ("ExternalLabels", Object::map(MapKind::Labels, external_labels)),
            ("ExternalURL", external_url.into()),
            ("Value", gotmpl::Value::Float(value)),
        ],
    )
}

/// The answer of `query`, in the engine's order.
fn samples(answer: &[Sample]) -> gotmpl::Value {
    let sample = |sample: &Sample| {
        Object::record(
            StructKind::Sample,
            vec![
                ("Labels", Object::map(MapKind::Labels, &sample.labels)),
                ("Value", gotmpl::Value::Float(sample.value)),
            ],
        )
    };
    Object::list(ListKind::Samples, answer.iter().map(sample))
}

/// The place in the text as it was written; the message stays Prometheus'.
fn without_prelude(mut error: TemplateError) -> TemplateError {
    if error.line == Some(1) {
        error.column = error.column.map(|column| column.saturating_sub(PRELUDE.len()).max(1));
    }
    error
}

static SET: LazyLock<Result<Set, TemplateError>> =
    LazyLock::new(|| Set::new(&[functions::FUNCTIONS], &Limits::default()));
