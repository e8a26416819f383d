//! Slack: one message with one attachment a notification, or one message a group that is kept up to date (contract
//! alertmanager §8.8).

mod answer;
mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::http::{HttpError, Secret};
use crate::model::{
    Attempt, DataValue, FailureReason, Integration, Notification, NotificationReason, ReceiverData, truncate_chars,
};

use super::config::{SlackAction, SlackConfig, SlackTarget};
use super::payload::to_go_json;
use super::post::Poster;
use super::render::{Context, RenderError, Renderer};
use super::verdict::unanswered;

use answer::Posted;
use body::{Action, Attachment, Body, Confirmation, Field};

const LONGEST_TITLE: usize = 1024;
/// What is remembered of a group's message: Slack's time stamp of it, and the channel's id.
const THREAD_TS: &str = "threadTs";
const CHANNEL_ID: &str = "channelId";

/// A Slack channel.
pub(super) struct Slack {
    config: Arc<SlackConfig>,
    context: Context,
    poster: Poster,
}

impl Slack {
    pub(super) fn new(config: SlackConfig, timeout: Option<Duration>, context: Context) -> Result<Self, HttpError> {
        let poster = Poster::new(&config.http, timeout)?;
        Ok(Slack { config: Arc::new(config), context, poster })
    }

    async fn post(&self, notification: &Notification) -> Result<Option<ReceiverData>, Attempt> {
        let known = self.known(notification);
        let config = self.config.clone();
        let updated = known.clone();
        let json = self.context.render(notification, move |renderer| json(&config, renderer, updated)).await?;
        let (url, token) = self.target(known.is_some()).await.map_err(|error| self.poster.no_answer(&error))?;
        match self.poster.post(&url, token.as_ref(), notification, json).await {
            Ok(response) => {
                let posted = answer::read(&response, self.context.clock.now())?;
                Ok(self.remembered(notification, posted))
            }
            // Whether Slack took it stands in what was too long to be read.
            Err(error @ HttpError::TooLarge { .. }) => Err(unanswered(FailureReason::Other, error.to_string())),
            Err(error) => Err(self.poster.no_answer(&error)),
        }
    }

    /// The group's message, if there is one to be updated.
    fn known(&self, notification: &Notification) -> Option<Posted> {
        if !self.config.update_message || notification.reason == NotificationReason::FirstNotification {
            return None;
        }
        let text = |key| match notification.receiver_data.get(key) {
            Some(DataValue::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        Some(Posted { ts: text(THREAD_TS)?, channel: text(CHANNEL_ID)? })
    }

    /// Where to post, and with which token.
    async fn target(&self, updates: bool) -> Result<(Secret, Option<Secret>), HttpError> {
        let (url, token) = match &self.config.target {
            SlackTarget::Webhook(url) => (url.read().await?, None),
            SlackTarget::App { url, token } => (Secret::new(url.as_str()), Some(token.read().await?)),
        };
        Ok((if updates { update_url(&url) } else { url }, token))
    }

    fn remembered(&self, notification: &Notification, posted: Posted) -> Option<ReceiverData> {
        if !self.config.update_message || posted.ts.is_empty() || posted.channel.is_empty() {
            return None;
        }
        // What was known belongs to an incident that is over.
        let mut data = match notification.reason {
            NotificationReason::FirstNotification => ReceiverData::new(),
            _ => notification.receiver_data.clone(),
        };
        data.insert(THREAD_TS.to_owned(), DataValue::Text(posted.ts));
        data.insert(CHANNEL_ID.to_owned(), DataValue::Text(posted.channel));
        Some(data)
    }
}

impl Integration for Slack {
    fn attempt<'a>(&'a self, notification: &'a Notification) -> BoxFuture<'a, Attempt> {
        Box::pin(async move {
            match self.post(notification).await {
                Ok(receiver_data) => Attempt::Delivered { receiver_data },
                Err(verdict) => verdict,
            }
        })
    }
}

/// `chat.update` beside the configured `chat.postMessage`.
fn update_url(url: &Secret) -> Secret {
    match url.expose().strip_suffix("chat.postMessage") {
        Some(base) => Secret::new(format!("{base}chat.update")),
        None => url.clone(),
    }
}

fn json(config: &SlackConfig, renderer: &Renderer<'_>, known: Option<Posted>) -> Result<Vec<u8>, RenderError> {
    to_go_json(&body(config, renderer, known)?).map_err(|error| RenderError::unfit("body", error.to_string()))
}

fn body(config: &SlackConfig, renderer: &Renderer<'_>, known: Option<Posted>) -> Result<Body, RenderError> {
    let title = renderer.text("title", &config.title)?;
    let fields = config.fields.iter().map(|field| {
        Ok(Field {
            title: renderer.text("fields: title", &field.title)?,
            value: renderer.text("fields: value", &field.value)?,
            short: field.short.unwrap_or(config.short_fields),
        })
    });
    let attachment = Attachment {
        title: truncate_chars(&title, LONGEST_TITLE).into_owned(),
        title_link: renderer.text("title_link", &config.title_link)?,
        pretext: renderer.text("pretext", &config.pretext)?,
        text: renderer.text("text", &config.text)?,
        fallback: renderer.text("fallback", &config.fallback)?,
        callback_id: renderer.text("callback_id", &config.callback_id)?,
        fields: fields.collect::<Result<_, RenderError>>()?,
        actions: config.actions.iter().map(|action| render_action(action, renderer)).collect::<Result<_, _>>()?,
        image_url: renderer.text("image_url", &config.image_url)?,
        thumb_url: renderer.text("thumb_url", &config.thumb_url)?,
        footer: renderer.text("footer", &config.footer)?,
        color: renderer.text("color", &config.color)?,
        mrkdwn_in: config.markdown_in().into_iter().map(str::to_owned).collect(),
    };
    let (channel, ts) = match known {
        Some(Posted { ts, channel }) => (channel, Some(ts)),
        None => (renderer.text("channel", &config.channel)?, None),
    };
    Ok(Body {
        channel,
        ts,
        username: renderer.text("username", &config.username)?,
        icon_emoji: renderer.text("icon_emoji", &config.icon_emoji)?,
        icon_url: renderer.text("icon_url", &config.icon_url)?,
        link_names: config.link_names,
        text: renderer.text("message_text", &config.message_text)?,
        attachments: [attachment],
    })
}

fn render_action(action: &SlackAction, renderer: &Renderer<'_>) -> Result<Action, RenderError> {
    let confirm = match &action.confirm {
        Some(confirm) => Some(Confirmation {
            text: renderer.text("actions: confirm: text", &confirm.text)?,
            title: renderer.text("actions: confirm: title", &confirm.title)?,
            ok_text: renderer.text("actions: confirm: ok_text", &confirm.ok_text)?,
            dismiss_text: renderer.text("actions: confirm: dismiss_text", &confirm.dismiss_text)?,
        }),
        None => None,
    };
    Ok(Action {
        kind: renderer.text("actions: type", &action.kind)?,
        text: renderer.text("actions: text", &action.text)?,
        url: renderer.text("actions: url", &action.url)?,
        style: renderer.text("actions: style", &action.style)?,
        name: renderer.text("actions: name", &action.name)?,
        value: renderer.text("actions: value", &action.value)?,
        confirm,
    })
}
