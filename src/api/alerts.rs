//! `POST /api/v2/alerts` (contract alertmanager §7): whatever Prometheus and amtool post.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::model::{AnnounceError, LabelSet, PostedAlert, Timestamp};
use crate::router::Posted;

use super::{Shared, coded, told};

/// As it is on the wire. Unknown keys are ignored.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlert<'a> {
    labels: Option<LabelSet>,
    annotations: Option<LabelSet>,
    #[serde(borrow, default)]
    starts_at: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    ends_at: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default, rename = "generatorURL")]
    generator_url: Option<std::borrow::Cow<'a, str>>,
}

pub(super) async fn post_alerts(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(refused) = wrong_content_type(&headers) {
        return refused;
    }
    if body.is_empty() {
        return coded(StatusCode::UNPROCESSABLE_ENTITY, 602, "alerts in body is required");
    }
    let alerts = match read(&body) {
        Ok(alerts) => alerts,
        Err(refused) => return refused.into_response(),
    };
    answer(app.router.post(alerts, "v2").await)
}

/// 200 once what is new is committed; 400 with all texts if anything was invalid; 503 with `Retry-After` to news while
/// storage is degraded (it is taken all the same) and when the inbox is full.
pub(super) fn answer(posted: Result<Posted, AnnounceError>) -> Response {
    match posted {
        Ok(Posted { invalid, .. }) if !invalid.is_empty() => {
            let texts: Vec<String> = invalid.iter().map(ToString::to_string).collect();
            told(StatusCode::BAD_REQUEST, &texts.join("\n"))
        }
        Ok(Posted { accepted, .. }) if accepted.news && accepted.degraded => {
            later("storage is degraded: the alerts were taken, but may be lost in a crash")
        }
        Ok(Posted { accepted, .. }) if accepted.refused > 0 => {
            later(&format!("{} new alerts refused: as many are known as `limits.alerts` allows", accepted.refused))
        }
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => later(&error.to_string()),
    }
}

fn later(why: &str) -> Response {
    let mut response = told(StatusCode::SERVICE_UNAVAILABLE, why);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

pub(super) fn wrong_content_type(headers: &HeaderMap) -> Option<Response> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/octet-stream");
    let kind = given.split(';').next().unwrap_or_default().trim();
    (!kind.eq_ignore_ascii_case("application/json")).then(|| {
        let message = format!("unsupported media type {given:?}, only [application/json] are allowed");
        coded(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, &message)
    })
}

/// Why a body is refused before any alert is judged.
#[derive(Debug, PartialEq)]
enum Refused {
    Unreadable(String),
    Required(String),
    Format(String),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Refused::Unreadable(what) => {
                let message = format!("parsing alerts body from \"\" failed, because {what}");
                coded(StatusCode::BAD_REQUEST, 400, &message)
            }
            Refused::Required(what) => coded(StatusCode::UNPROCESSABLE_ENTITY, 602, &what),
            Refused::Format(what) => coded(StatusCode::UNPROCESSABLE_ENTITY, 601, &what),
        }
    }
}

fn read(body: &[u8]) -> Result<Vec<PostedAlert>, Refused> {
    let wire: Option<Vec<Option<WireAlert<'_>>>> = serde_json::from_slice(body).map_err(|error| {
        Refused::Unreadable(if error.is_eof() { "unexpected EOF".to_owned() } else { error.to_string() })
    })?;
    let mut alerts = Vec::new();
    for (index, alert) in wire.unwrap_or_default().into_iter().enumerate() {
        // The peer crashes on `null`; it is an alert without labels.
        let labels = alert.as_ref().and_then(|alert| alert.labels.clone());
        let (Some(alert), Some(labels)) = (alert, labels) else {
            return Err(Refused::Required(format!("{index}.labels in body is required")));
        };
        let time = |field: &str, text: Option<std::borrow::Cow<'_, str>>| match text {
            None => Ok(None),
            Some(text) => match Timestamp::parse_rfc3339_lenient(&text) {
                // Senders that know no end write year 1, or the epoch.
                Some(at) if at.as_millis() <= 0 => Ok(None),
                Some(at) => Ok(Some(at)),
                None => Err(Refused::Unreadable(format!("{index}.{field} {text:?} is no time"))),
            },
        };
        let generator_url: Arc<str> = alert.generator_url.unwrap_or_default().into();
        if !is_uri(&generator_url) {
            let message = format!("{index}.generatorURL in body must be of type uri: {generator_url:?}");
            return Err(Refused::Format(message));
        }
        alerts.push(PostedAlert {
            labels,
            annotations: alert.annotations.unwrap_or_default(),
            starts_at: time("startsAt", alert.starts_at)?,
            ends_at: time("endsAt", alert.ends_at)?,
            generator_url,
            lease: None,
        });
    }
    Ok(alerts)
}

/// What the peer's URI check takes: nothing, a path, or an absolute URL.
fn is_uri(text: &str) -> bool {
    text.is_empty() || text.starts_with('/') || url::Url::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_refused_as_the_peer_refuses_them() {
        let cases = [
            ("[{", Refused::Unreadable("unexpected EOF".to_owned())),
            ("[null]", Refused::Required("0.labels in body is required".to_owned())),
            (r#"[{"labels":{"a":"b"}},{"labels":null}]"#, Refused::Required("1.labels in body is required".to_owned())),
            (
                r#"[{"labels":{"a":"b"},"generatorURL":"foo"}]"#,
                Refused::Format("0.generatorURL in body must be of type uri: \"foo\"".to_owned()),
            ),
        ];
        for (body, want) in cases {
            assert_eq!(read(body.as_bytes()).unwrap_err(), want, "{body}");
        }
        for body in ["[]", "null", r#"[{"labels":{"a":"b"},"generatorURL":"/path","unknown":1}]"#] {
            assert!(read(body.as_bytes()).is_ok(), "{body}");
        }
    }

    #[test]
    fn times_are_read_and_year_one_is_no_end() {
        let body = r#"[{"labels":{"a":"b"},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z"}]"#;
        let alert = &read(body.as_bytes()).unwrap()[0];
        assert_eq!(alert.starts_at.map(Timestamp::to_rfc3339).as_deref(), Some("2026-01-02T03:04:05.678Z"));
        assert_eq!(alert.ends_at, None);
    }
}
