//! Webhooks: Alertmanager's JSON, or the user's own payload, posted to any URL (contract alertmanager §8.7).

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::http::{HttpError, Secret};
use crate::model::{Attempt, Integration, Notification};

use super::config::WebhookConfig;
use super::payload::{Message, to_go_json};
use super::post::Poster;
use super::render::{Context, RenderError, Renderer};
use super::verdict::{delivered, judge};

/// A webhook.
pub(super) struct Webhook {
    config: Arc<WebhookConfig>,
    context: Context,
    poster: Poster,
}

impl Webhook {
    pub(super) fn new(config: WebhookConfig, timeout: Option<Duration>, context: Context) -> Result<Self, HttpError> {
        let poster = Poster::new(&config.http, timeout)?;
        Ok(Webhook { config: Arc::new(config), context, poster })
    }

    async fn post(&self, notification: &Notification) -> Result<(), Attempt> {
        let url_template = self.config.url.read().await.map_err(|error| self.poster.no_answer(&error))?;
        let config = self.config.clone();
        let (url, body) = self
            .context
            .render(notification, move |renderer| {
                let url = renderer.text("url", url_template.expose())?;
                Ok((Secret::new(url.trim()), body(&config, renderer)?))
            })
            .await?;
        match self.poster.post(&url, None, notification, body).await {
            Ok(response) => judge(&response, &[], self.context.clock.now()),
            // It said 2xx; what else it had to say is of no interest.
            Err(HttpError::TooLarge { .. }) => Ok(()),
            Err(error) => Err(self.poster.no_answer(&error)),
        }
    }
}

impl Integration for Webhook {
    fn attempt<'a>(&'a self, notification: &'a Notification) -> BoxFuture<'a, Attempt> {
        Box::pin(async move { self.post(notification).await.err().unwrap_or_else(delivered) })
    }
}

fn body(config: &WebhookConfig, renderer: &Renderer<'_>) -> Result<Vec<u8>, RenderError> {
    let json = match &config.payload {
        Some(payload) => to_go_json(&renderer.value("payload", payload)?),
        None => to_go_json(&Message::new(
            renderer.notification,
            renderer.route_labels(),
            renderer.external_url,
            usize::try_from(config.max_alerts).ok().filter(|max| *max > 0),
        )),
    };
    json.map_err(|error| RenderError::unfit("payload", error.to_string()))
}
