//! What Slack answers: 200 with `ok` from a webhook, 200 with JSON from its API, which says there whether it took it.

use serde::Deserialize;

use crate::http::Response;
use crate::model::{Attempt, FailureReason, Timestamp};
use crate::notify::verdict::{judge, rejected, unanswered};

/// Where a message stands, as the API tells it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Posted {
    pub(super) ts: String,
    pub(super) channel: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    ts: String,
    #[serde(default)]
    channel: String,
}

/// Contract alertmanager §5.4, the row of slack.
///
/// # Errors
/// The verdict, if the message was not taken.
pub(super) fn read(response: &Response, now: Timestamp) -> Result<Posted, Attempt> {
    judge(response, &[], now)?;
    let is_json = response.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return match response.body.as_slice() {
            b"ok" => Ok(Posted::default()),
            _ => Err(rejected(FailureReason::ClientError, format!("slack answered {:?}", response.text()))),
        };
    }
    match serde_json::from_slice::<Answer>(&response.body) {
        Ok(Answer { ok: true, ts, channel, .. }) => Ok(Posted { ts, channel }),
        Ok(Answer { error, .. }) => Err(rejected(FailureReason::ClientError, format!("slack answered {error:?}"))),
        Err(_) => Err(unanswered(FailureReason::Other, format!("slack's answer is no JSON: {:?}", response.text()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: &str, body: &str) -> &'static str {
        let mut response = Response { status: 200, headers: Default::default(), body: body.into() };
        response.headers.insert("content-type", kind.parse().unwrap());
        match read(&response, Timestamp::EPOCH) {
            Ok(_) => "delivered",
            Err(Attempt::Retry { .. } | Attempt::Unanswered { .. }) => "retry",
            Err(_) => "rejected",
        }
    }

    #[test]
    fn a_success_status_alone_is_no_success() {
        let cases = [
            ("text/html", "ok", "delivered"),
            ("text/html", "no_service", "rejected"),
            ("application/json; charset=utf-8", r#"{"ok":true}"#, "delivered"),
            ("application/json", r#"{"ok":false,"error":"channel_not_found"}"#, "rejected"),
            ("application/json", "ok", "retry"),
            ("application/json", "", "retry"),
        ];
        for (kind, body, want) in cases {
            assert_eq!(outcome(kind, body), want, "{kind} {body}");
        }
    }
}
