//! Rendering for all integrations: off the threads that serve connections, since a template may compute for long, and
//! with the name of the field in every error.

use std::sync::Arc;

use crate::model::{Attempt, Clock, FailureReason, LabelSet, Notification};
use crate::template::{Data, TemplateError, Templates};

use super::verdict::rejected;

/// What every integration is handed.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) templates: Templates,
    /// Without a slash at its end.
    pub(super) external_url: Arc<str>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Why a notification cannot be rendered; it never will be, as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenderError {
    #[error("{field}: {source}")]
    Template {
        field: &'static str,
        #[source]
        source: TemplateError,
    },
    /// It renders to what cannot be sent.
    #[error("{field}: {problem}")]
    Unfit { field: &'static str, problem: String },
}

impl RenderError {
    pub(super) fn unfit(field: &'static str, problem: impl Into<String>) -> Self {
        RenderError::Unfit { field, problem: problem.into() }
    }
}

/// One notification being rendered.
pub(super) struct Renderer<'a> {
    pub(super) notification: &'a Notification,
    pub(super) external_url: &'a str,
    templates: &'a Templates,
    data: Data,
}

impl Renderer<'_> {
    pub(super) fn text(&self, field: &'static str, template: &str) -> Result<String, RenderError> {
        self.templates.render_text(template, &self.data).map_err(|source| RenderError::Template { field, source })
    }

    pub(super) fn html(&self, field: &'static str, template: &str) -> Result<String, RenderError> {
        self.templates.render_html(template, &self.data).map_err(|source| RenderError::Template { field, source })
    }

    /// The walk of contract alertmanager §8.7 over a free-form value.
    pub(super) fn value(
        &self,
        field: &'static str,
        value: &serde_json::Value,
    ) -> Result<serde_json::Value, RenderError> {
        self.templates.render_value(value, &self.data).map_err(|source| RenderError::Template { field, source })
    }

    pub(super) fn route_labels(&self) -> &LabelSet {
        self.data.route_labels()
    }
}

impl Context {
    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// The verdict: a notification that cannot be rendered is rejected.
    pub(super) async fn render<T: Send + 'static>(
        &self,
        notification: &Notification,
        work: impl FnOnce(&Renderer<'_>) -> Result<T, RenderError> + Send + 'static,
    ) -> Result<T, Attempt> {
        let context = self.clone();
        let notification = notification.clone();
        let rendering = tokio::task::spawn_blocking(move || {
            let data = Data::new(&notification, &context.external_url, &context.templates);
            work(&Renderer {
                notification: &notification,
                external_url: &context.external_url,
                templates: &context.templates,
                data,
            })
        });
        match rendering.await {
            Ok(Ok(rendered)) => Ok(rendered),
            Ok(Err(error)) => Err(rejected(FailureReason::Other, error.to_string())),
            Err(_) => Err(rejected(FailureReason::Other, "rendering broke down")),
        }
    }
}
