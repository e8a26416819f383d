//! The verdict on an attempt over HTTP (contract alertmanager §5.4): decided here, once, where the status code is known.

use std::time::Duration;

use crate::http::{HttpError, Response};
use crate::model::{Attempt, Failure, FailureReason, Timestamp};

/// The attempt that ends with a rejection.
pub(super) fn rejected(reason: FailureReason, detail: impl Into<String>) -> Attempt {
    Attempt::Rejected { failure: Failure { reason, detail: detail.into() } }
}

/// The attempt that is worth another, at once as far as the peer is concerned.
pub(super) fn retry(reason: FailureReason, detail: impl Into<String>) -> Attempt {
    Attempt::Retry { after: None, failure: Failure { reason, detail: detail.into() } }
}

/// The attempt that may have been heard, though nothing whole came back.
pub(super) fn unanswered(reason: FailureReason, detail: impl Into<String>) -> Attempt {
    Attempt::Unanswered { failure: Failure { reason, detail: detail.into() } }
}

pub(super) fn delivered() -> Attempt {
    Attempt::Delivered { receiver_data: None }
}

/// Whether the peer took the request: 2xx. Retried are 5xx, 429, 408 and what the integration names in `also_retried`,
/// not before the peer's `Retry-After`.
///
/// # Errors
/// The verdict, unless the status is 2xx. Its detail quotes the answer's beginning.
pub(super) fn judge(response: &Response, also_retried: &[u16], now: Timestamp) -> Result<(), Attempt> {
    let status = response.status;
    if response.is_success() {
        return Ok(());
    }
    let text = response.text();
    let detail = match text.is_empty() {
        true => format!("unexpected status code {status}"),
        false => format!("unexpected status code {status}: {text}"),
    };
    let failure = Failure { reason: status_reason(status), detail };
    Err(match status {
        408 | 429 | 500.. => Attempt::Retry { after: response.retry_after(now), failure },
        _ if also_retried.contains(&status) => Attempt::Retry { after: response.retry_after(now), failure },
        _ => Attempt::Rejected { failure },
    })
}

fn status_reason(status: u16) -> FailureReason {
    match status {
        401 | 403 => FailureReason::AuthError,
        429 => FailureReason::RateLimited,
        400..=499 => FailureReason::ClientError,
        500.. => FailureReason::ServerError,
        _ => FailureReason::Other,
    }
}

/// The verdict when there was no whole answer. `own_timeout` is the integration's configured one, which counts as the
/// peer being slow rather than as Belfry's deadline.
pub(super) fn no_answer(error: &HttpError, own_timeout: Option<Duration>) -> Attempt {
    let reason = match error {
        HttpError::Timeout if own_timeout.is_none() => FailureReason::ContextDeadlineExceeded,
        HttpError::Token { .. } => FailureReason::AuthError,
        _ => FailureReason::Other,
    };
    match error {
        _ if !error.is_retryable() => rejected(reason, error.to_string()),
        // The request never began.
        HttpError::Connect { .. } | HttpError::Token { .. } | HttpError::SecretFile { .. } => {
            retry(reason, error.to_string())
        }
        _ => unanswered(reason, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: Option<&str>) -> Response {
        let mut response = Response { status, headers: Default::default(), body: b"why\n".to_vec() };
        if let Some(value) = retry_after {
            response.headers.insert("retry-after", value.parse().unwrap());
        }
        response
    }

    #[test]
    fn each_status_has_its_verdict_and_reason() {
        use FailureReason::*;
        let cases = [
            (400, false, ClientError),
            (401, false, AuthError),
            (403, false, AuthError),
            (404, false, ClientError),
            (408, true, ClientError),
            (410, false, ClientError),
            (429, true, RateLimited),
            (500, true, ServerError),
            (503, true, ServerError),
            (302, false, Other),
        ];
        for (status, retried, reason) in cases {
            let verdict = judge(&response(status, None), &[], Timestamp::EPOCH).unwrap_err();
            let failure = Failure { reason, detail: format!("unexpected status code {status}: why") };
            let want = match retried {
                true => Attempt::Retry { after: None, failure },
                false => Attempt::Rejected { failure },
            };
            assert_eq!(verdict, want);
        }
        for status in [200, 202, 204] {
            assert_eq!(judge(&response(status, None), &[], Timestamp::EPOCH), Ok(()));
        }
    }

    #[test]
    fn what_the_peer_asks_for_is_passed_on() {
        for status in [429, 503] {
            let verdict = judge(&response(status, Some("30")), &[], Timestamp::EPOCH).unwrap_err();
            assert!(matches!(verdict, Attempt::Retry { after: Some(after), .. } if after == Duration::from_secs(30)));
        }
    }

    #[test]
    fn an_integration_may_retry_more() {
        let verdict = judge(&response(403, None), &[403], Timestamp::EPOCH).unwrap_err();
        assert!(matches!(verdict, Attempt::Retry { failure: Failure { reason: FailureReason::AuthError, .. }, .. }));
    }
}
