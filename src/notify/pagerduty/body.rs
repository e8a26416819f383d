//! PagerDuty's events, v2 and v1 (contract alertmanager §8.9); the order of the fields is the order on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::notify::payload::to_go_json;

/// PagerDuty refuses what is longer, in bytes.
const LONGEST_EVENT: usize = 512_000;
const REMOVED: &str = "Custom details have been removed because the original event exceeds the maximum size of 512KB";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Trigger,
    Resolve,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Event {
    V2(Box<EventV2>),
    V1(Box<EventV1>),
}

/// Events API v2.
#[derive(Debug, Serialize)]
pub(super) struct EventV2 {
    pub(super) routing_key: String,
    pub(super) dedup_key: String,
    pub(super) event_action: Action,
    pub(super) payload: Payload,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) images: Vec<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Serialize)]
pub(super) struct Payload {
    pub(super) summary: String,
    pub(super) source: String,
    pub(super) severity: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) class: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) component: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) group: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) custom_details: Map<String, Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Image {
    pub(super) src: String,
    pub(super) alt: String,
    pub(super) href: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
}

/// Events API v1.
#[derive(Debug, Serialize)]
pub(super) struct EventV1 {
    pub(super) service_key: String,
    pub(super) incident_key: String,
    pub(super) event_type: Action,
    pub(super) description: String,
    /// Of v2, and without a value here: the peer sends it.
    pub(super) event_action: &'static str,
    /// Likewise.
    pub(super) payload: (),
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) client_url: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) details: Map<String, Value>,
}

impl Event {
    /// The body. One that is too long goes without its details, since an event without details is better than none.
    ///
    /// # Errors
    /// A value that has no JSON form.
    pub(super) fn into_json(mut self) -> Result<Vec<u8>, serde_json::Error> {
        let json = to_go_json(&self)?;
        if json.len() <= LONGEST_EVENT {
            return Ok(json);
        }
        let details = match &mut self {
            Event::V2(event) => &mut event.payload.custom_details,
            Event::V1(event) => &mut event.details,
        };
        *details = Map::from_iter([("error".to_owned(), Value::from(REMOVED))]);
        to_go_json(&self)
    }
}
