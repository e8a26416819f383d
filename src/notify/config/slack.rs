//! `slack_configs` (contract alertmanager §1.7).

use crate::http::{HttpConfig, SecretSource};

use super::HttpUrl;

/// One Slack integration, completed from the globals. Texts are templates and may be empty, unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct SlackConfig {
    pub http: HttpConfig,
    pub target: SlackTarget,
    pub channel: String,
    pub username: String,
    pub color: String,
    pub title: String,
    pub title_link: String,
    pub pretext: String,
    pub text: String,
    /// The message's own text, above the attachment.
    pub message_text: String,
    pub fields: Vec<SlackField>,
    /// What a field's `short` is where it is not set.
    pub short_fields: bool,
    pub footer: String,
    pub fallback: String,
    pub callback_id: String,
    pub icon_emoji: String,
    pub icon_url: String,
    pub image_url: String,
    pub thumb_url: String,
    pub link_names: bool,
    /// As written, no templates; see [`SlackConfig::markdown_in`].
    pub mrkdwn_in: Vec<String>,
    pub actions: Vec<SlackAction>,
    /// Update the group's message instead of posting another: only ever with a webhook that is
    /// `https://slack.com/api/chat.postMessage`.
    pub update_message: bool,
}

/// Where messages go, and how they prove where they come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SlackTarget {
    /// To a secret URL (or the one in a file).
    Webhook(SecretSource),
    /// To the app's URL with a bearer token; the HTTP configuration then has no `authorization` of its own.
    App { token: SecretSource, url: HttpUrl },
}

/// One field of the attachment; title and value are never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackField {
    pub title: String,
    pub value: String,
    /// Unset: as [`SlackConfig::short_fields`].
    pub short: Option<bool>,
}

/// One button: with a URL a link, else with a name that is told to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackAction {
    /// The key `type`.
    pub kind: String,
    pub text: String,
    /// Not empty: `name`, `value` and `confirm` are empty.
    pub url: String,
    pub style: String,
    pub name: String,
    pub value: String,
    pub confirm: Option<SlackConfirmation>,
}

/// What a button asks before it acts; only `text` is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfirmation {
    pub text: String,
    pub title: String,
    pub ok_text: String,
    pub dismiss_text: String,
}

impl SlackConfig {
    /// The attachment's parts that hold Markdown.
    pub fn markdown_in(&self) -> Vec<&str> {
        match self.mrkdwn_in.is_empty() {
            true => vec!["fallback", "pretext", "text"],
            false => self.mrkdwn_in.iter().map(String::as_str).collect(),
        }
    }
}
