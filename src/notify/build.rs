//! From an integration's configuration to the integration.

use std::sync::Arc;

use crate::http::HttpError;
use crate::model::{Clock, Integration, IntegrationId};
use crate::template::Templates;

use super::config::{IntegrationConfig, Kind};
use super::email::Email;
use super::pagerduty::PagerDuty;
use super::render::Context;
use super::slack::Slack;
use super::webhook::Webhook;

/// Why an integration cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Its kind is read and checked, but not sent.
    #[error("{integration}: notifications of kind {} cannot be sent yet", .integration.kind)]
    NotYet { integration: IntegrationId },
    /// Its HTTP or TLS configuration cannot work.
    #[error("{integration}: {source}")]
    Http {
        integration: IntegrationId,
        #[source]
        source: HttpError,
    },
}

/// Makes an integration ready to send. Nothing is connected, and secrets are read with each attempt, not here.
///
/// # Errors
/// The kind is not sent yet, or its configuration cannot work.
pub fn build(
    config: &IntegrationConfig,
    templates: &Templates,
    external_url: &str,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Integration>, BuildError> {
    let external_url = external_url.trim_end_matches('/').into();
    let context = Context { templates: templates.clone(), external_url, clock };
    let built: Result<Arc<dyn Integration>, HttpError> = match &config.kind {
        Kind::Email(email) => Ok(Arc::new(Email::new((**email).clone(), context))),
        Kind::Slack(slack) => Slack::new((**slack).clone(), config.timeout, context).map(|way| Arc::new(way) as _),
        Kind::PagerDuty(pagerduty) => {
            PagerDuty::new((**pagerduty).clone(), config.timeout, context).map(|way| Arc::new(way) as _)
        }
        Kind::Webhook(webhook) => {
            Webhook::new((**webhook).clone(), config.timeout, context).map(|way| Arc::new(way) as _)
        }
        Kind::Other(_) => return Err(BuildError::NotYet { integration: config.id.clone() }),
    };
    built.map_err(|source| BuildError::Http { integration: config.id.clone(), source })
}

#[cfg(test)]
mod tests {
    use crate::model::{SystemClock, TestClock, Timestamp};
    use crate::notify::testing::{Answer, EXTERNAL_URL, Peer, golden, golden_file, integrations, verdict};

    use super::*;

    #[tokio::test]
    async fn what_a_file_says_sends_the_golden_bodies() {
        let peer = Peer::start(Answer::of(200, "ok")).await;
        let url = &peer.url;
        let source = format!(
            "- name: team.x\n\
             \x20 webhook_configs: [{{url: {url}}}]\n\
             \x20 slack_configs: [{{api_url: {url}, channel: '#ops'}}]\n\
             \x20 pagerduty_configs: [{{routing_key: rk, url: {url}}}]\n"
        );
        let integrations = integrations(&source);
        assert_eq!(integrations.len(), 3);
        for config in integrations {
            let built = build(&config, &Templates::builtin(), EXTERNAL_URL, Arc::new(SystemClock::new())).unwrap();
            assert_eq!(verdict(&built.attempt(&golden()).await), "delivered", "{}", config.id);
            assert_eq!(peer.one().body, golden_file(&format!("{}.json", config.id.kind)), "{}", config.id);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_sent_yet_is_refused_by_name() {
        let config = &integrations("- name: chat\n  discord_configs: [{webhook_url: http://x/}]\n")[0];
        let clock = Arc::new(TestClock::new(Timestamp::EPOCH));
        let Err(error) = build(config, &Templates::builtin(), "", clock) else { panic!("it was built") };
        assert_eq!(error.to_string(), "chat/discord/0: notifications of kind discord cannot be sent yet");
    }
}
