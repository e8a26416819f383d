//! Receivers as files have them: every key of every integration read and checked, completed from the globals.

mod email;
mod pagerduty;
mod scalar;
mod slack;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use crate::model::{IntegrationId, LabelSet, Receiver, Way};
use crate::yaml::Position;

pub use email::{EmailConfig, Threading};
pub use pagerduty::{PagerDutyConfig, PagerDutyImage, PagerDutyKey, PagerDutyLink};
pub use scalar::{HostPort, HttpUrl};
pub use slack::{SlackAction, SlackConfig, SlackConfirmation, SlackField, SlackTarget};
pub use webhook::WebhookConfig;

/// A receiver as its file has it, completed from the globals.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiverConfig {
    pub name: Arc<str>,
    /// Always holds `name`.
    pub labels: LabelSet,
    pub integrations: Vec<IntegrationConfig>,
    pub position: Position,
}

/// One integration of a receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationConfig {
    pub id: IntegrationId,
    pub send_resolved: bool,
    /// Bounds one attempt, if the kind has such a key and it is not 0.
    pub timeout: Option<Duration>,
    pub position: Position,
    pub kind: Kind,
}

/// What is done, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Email(Box<EmailConfig>),
    Slack(Box<SlackConfig>),
    PagerDuty(Box<PagerDutyConfig>),
    Webhook(Box<WebhookConfig>),
    Other(OtherConfig),
}

/// A kind that is read and checked but cannot be sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherConfig {
    pub kind: &'static str,
    /// As it is shown.
    pub values: serde_json::Value,
}

impl ReceiverConfig {
    /// The receiver as the router sees it.
    pub fn receiver(&self) -> Receiver {
        let way = |integration: &IntegrationConfig| Way {
            id: integration.id.clone(),
            send_resolved: integration.send_resolved,
            timeout: integration.timeout,
        };
        Receiver {
            name: self.name.clone(),
            labels: self.labels.clone(),
            ways: self.integrations.iter().map(way).collect(),
        }
    }
}
