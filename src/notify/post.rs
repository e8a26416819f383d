//! Posting JSON, for all integrations that speak HTTP.

use std::time::Duration;

use crate::http::{Client, ClientOptions, HttpConfig, HttpError, Request, Response, Secret};
use crate::model::{Attempt, Notification};

use super::verdict::no_answer;

/// An attempt without a configured `timeout` takes no longer than this.
const ATTEMPT_TIME: Duration = Duration::from_secs(60);
/// What is read of an answer: only Slack's is looked into, and it is short.
const LONGEST_ANSWER: u64 = 1 << 20;

/// The client of one integration.
#[derive(Debug, Clone)]
pub(super) struct Poster {
    client: Client,
    timeout: Option<Duration>,
}

impl Poster {
    pub(super) fn new(http: &HttpConfig, timeout: Option<Duration>) -> Result<Self, HttpError> {
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        let options = ClientOptions {
            timeout: timeout.unwrap_or(ATTEMPT_TIME),
            max_response: LONGEST_ANSWER,
            ..ClientOptions::default()
        };
        Ok(Poster { client: Client::new(http, options)?, timeout })
    }

    /// Posts JSON once, with the notification's key (semantics §1: the same for every attempt at it).
    ///
    /// # Errors
    /// There was no whole answer.
    pub(super) async fn post(
        &self,
        url: &Secret,
        bearer: Option<&Secret>,
        notification: &Notification,
        json: Vec<u8>,
    ) -> Result<Response, HttpError> {
        let mut request =
            Request::post(url.expose()).header("Idempotency-Key", &notification.idempotency_key).json_bytes(json);
        if let Some(token) = bearer {
            request = request.bearer(token);
        }
        self.client.send(request).await
    }

    /// The verdict on an exchange without a whole answer.
    pub(super) fn no_answer(&self, error: &HttpError) -> Attempt {
        no_answer(error, self.timeout)
    }
}
