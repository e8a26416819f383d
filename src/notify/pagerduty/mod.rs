//! PagerDuty: one incident a group, opened, kept and closed under the hash of its group key (contract alertmanager §8.9).

mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{HttpError, Response, Secret};
use crate::model::{AlertStatus, Attempt, Integration, Notification, truncate_chars};

use super::config::{PagerDutyConfig, PagerDutyKey};
use super::post::Poster;
use super::render::{Context, RenderError, Renderer};
use super::verdict::{delivered, judge};

use body::{Action, Event, EventV1, EventV2, Image, Link, Payload};

const EVENTS_V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";
const LONGEST_SUMMARY: usize = 1024;

/// A PagerDuty service.
pub(super) struct PagerDuty {
    config: Arc<PagerDutyConfig>,
    context: Context,
    poster: Poster,
    events_v1: String,
}

/// The template of a key, by the API that takes it.
enum Key {
    Routing(Secret),
    Service(Secret),
}

impl PagerDuty {
    pub(super) fn new(config: PagerDutyConfig, timeout: Option<Duration>, context: Context) -> Result<Self, HttpError> {
        let poster = Poster::new(&config.http, timeout)?;
        Ok(PagerDuty { config: Arc::new(config), context, poster, events_v1: EVENTS_V1.to_owned() })
    }

    async fn post(&self, notification: &Notification) -> Result<(), Attempt> {
        // v1 retries 403 (the peer's way of honouring its rate limit).
        let (key, url, also_retried): (_, _, &[u16]) = match &self.config.key {
            PagerDutyKey::Service(source) => (source.read().await.map(Key::Service), self.events_v1.as_str(), &[403]),
            PagerDutyKey::Routing(source) => (source.read().await.map(Key::Routing), self.config.url.as_str(), &[]),
        };
        let key = key.map_err(|error| self.poster.no_answer(&error))?;
        let config = self.config.clone();
        let json = self.context.render(notification, move |renderer| json(&config, key, renderer)).await?;
        match self.poster.post(&Secret::new(url), None, notification, json).await {
            Ok(response) => judge(&explained(response), also_retried, self.context.clock.now()),
            // It said 2xx; what else it had to say is of no interest.
            Err(HttpError::TooLarge { .. }) => Ok(()),
            Err(error) => Err(self.poster.no_answer(&error)),
        }
    }
}

impl Integration for PagerDuty {
    fn attempt<'a>(&'a self, notification: &'a Notification) -> BoxFuture<'a, Attempt> {
        Box::pin(async move { self.post(notification).await.err().unwrap_or_else(delivered) })
    }
}

fn json(config: &PagerDutyConfig, key: Key, renderer: &Renderer<'_>) -> Result<Vec<u8>, RenderError> {
    let event = match key {
        Key::Routing(key) => Event::V2(Box::new(event_v2(config, &key, renderer)?)),
        Key::Service(key) => Event::V1(Box::new(event_v1(config, &key, renderer)?)),
    };
    event.into_json().map_err(|error| RenderError::unfit("details", error.to_string()))
}

fn event_v2(config: &PagerDutyConfig, key: &Secret, renderer: &Renderer<'_>) -> Result<EventV2, RenderError> {
    let client = renderer.text("client", &config.client)?;
    let mut images = Vec::new();
    for image in &config.images {
        let src = renderer.text("images: src", &image.src)?;
        if !src.is_empty() {
            let alt = renderer.text("images: alt", &image.alt)?;
            images.push(Image { src, alt, href: renderer.text("images: href", &image.href)? });
        }
    }
    let mut links = Vec::new();
    for link in &config.links {
        let href = renderer.text("links: href", &link.href)?;
        if !href.is_empty() {
            links.push(Link { href, text: renderer.text("links: text", &link.text)? });
        }
    }
    Ok(EventV2 {
        routing_key: filled_key("routing_key", "routing key cannot be empty", key, renderer)?,
        dedup_key: renderer.notification.group_key.hash(),
        event_action: action(renderer.notification),
        payload: Payload {
            summary: summary(config, renderer)?,
            source: renderer.text("source", &config.source)?,
            severity: severity(config, renderer)?,
            class: renderer.text("class", &config.class)?,
            component: renderer.text("component", &config.component)?,
            group: renderer.text("group", &config.group)?,
            custom_details: details(config, renderer)?,
        },
        client,
        client_url: renderer.text("client_url", &config.client_url)?,
        images,
        links,
    })
}

fn event_v1(config: &PagerDutyConfig, key: &Secret, renderer: &Renderer<'_>) -> Result<EventV1, RenderError> {
    let event_type = action(renderer.notification);
    let (client, client_url) = match event_type {
        Action::Trigger => (renderer.text("client", &config.client)?, renderer.text("client_url", &config.client_url)?),
        Action::Resolve => Default::default(),
    };
    Ok(EventV1 {
        service_key: filled_key("service_key", "service key cannot be empty", key, renderer)?,
        incident_key: renderer.notification.group_key.hash(),
        event_type,
        description: summary(config, renderer)?,
        event_action: "",
        payload: (),
        client,
        client_url,
        details: details(config, renderer)?,
    })
}

fn action(notification: &Notification) -> Action {
    match notification.status() {
        AlertStatus::Firing => Action::Trigger,
        AlertStatus::Resolved => Action::Resolve,
    }
}

fn filled_key(
    field: &'static str,
    complaint: &str,
    key: &Secret,
    renderer: &Renderer<'_>,
) -> Result<String, RenderError> {
    match renderer.text(field, key.expose())?.trim() {
        "" => Err(RenderError::unfit(field, complaint)),
        key => Ok(key.to_owned()),
    }
}

fn severity(config: &PagerDutyConfig, renderer: &Renderer<'_>) -> Result<String, RenderError> {
    let severity = renderer.text("severity", &config.severity)?;
    Ok(if severity.is_empty() { "error".to_owned() } else { severity })
}

fn summary(config: &PagerDutyConfig, renderer: &Renderer<'_>) -> Result<String, RenderError> {
    let text = renderer.text("description", &config.description)?;
    Ok(truncate_chars(&text, LONGEST_SUMMARY).into_owned())
}

fn details(config: &PagerDutyConfig, renderer: &Renderer<'_>) -> Result<Map<String, Value>, RenderError> {
    match renderer.value("details", &Value::Object(config.details.clone()))? {
        Value::Object(details) => Ok(details),
        _ => Ok(Map::new()),
    }
}

/// What PagerDuty finds wrong with an event, in place of the JSON that says so.
fn explained(mut response: Response) -> Response {
    #[derive(Deserialize)]
    struct Complaint {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<String>,
    }
    if response.status == 400
        && let Ok(complaint) = serde_json::from_slice::<Complaint>(&response.body)
        && !(complaint.message.is_empty() && complaint.errors.is_empty())
    {
        let text = [&[complaint.message][..], &complaint.errors].concat();
        response.body = text.join(": ").into_bytes();
    }
    response
}
