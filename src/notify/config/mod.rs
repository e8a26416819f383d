//! Receivers as files have them: every key of every integration read and checked, completed from the globals.
//!
//! Follows contract alertmanager §1.1 to §1.12. Opens no file and renders nothing:
//! [`IntegrationConfig::templates`] says what there is to check for those who have the named templates.
//!
//! **Invariants:** whoever holds a configuration read without an error finding can rely on every rule of the contract;
//! what is shown holds no secret and only keys that the peer knows.

mod email;
mod globals;
mod kinds;
mod other;
mod pagerduty;
mod reader;
mod receiver;
mod scalar;
mod shown;
mod slack;
#[cfg(test)]
mod tests;
mod webhook;

pub use email::{EmailConfig, Threading};
pub use globals::{Globals, SmtpGlobals};
pub use other::OtherConfig;
pub use pagerduty::{PagerDutyConfig, PagerDutyImage, PagerDutyKey, PagerDutyLink};
pub use reader::TemplateText;
pub use receiver::{IntegrationConfig, Kind, ReceiverConfig, read_receivers};
pub use scalar::{HostPort, HttpUrl};
pub use slack::{SlackAction, SlackConfig, SlackConfirmation, SlackField, SlackTarget};
pub use webhook::WebhookConfig;
