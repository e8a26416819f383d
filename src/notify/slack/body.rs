//! Slack's message (contract alertmanager §8.8); the order of the fields is the order on the wire.

use serde::Serialize;

#[derive(Debug, Default, Serialize)]
pub(super) struct Body {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) channel: String,
    /// The message to be updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ts: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) icon_emoji: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) icon_url: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) link_names: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) text: String,
    pub(super) attachments: [Attachment; 1],
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Attachment {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) title_link: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pretext: String,
    pub(super) text: String,
    pub(super) fallback: String,
    pub(super) callback_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) actions: Vec<Action>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) image_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) thumb_url: String,
    pub(super) footer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) color: String,
    pub(super) mrkdwn_in: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) title: String,
    pub(super) value: String,
    pub(super) short: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Action {
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) style: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confirm: Option<Confirmation>,
}

#[derive(Debug, Serialize)]
pub(super) struct Confirmation {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) ok_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) dismiss_text: String,
}

fn is_false(value: &bool) -> bool {
    !value
}
