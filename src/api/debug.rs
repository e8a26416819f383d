//! `GET /api/v1/history` and `/api/v1/debug/groups` (semantics §5), in Prometheus' envelope.

use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::db::{HistoryFilter, HistoryKind, HistoryRow};
use crate::model::Timestamp;

use super::Shared;
use super::prometheus::{bad_data, success, unavailable};

#[derive(serde::Deserialize)]
pub(super) struct HistoryParams {
    fingerprint: Option<String>,
    kind: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// More rows than this are not given at once.
const MOST_ROWS: u32 = 10_000;

pub(super) async fn history(State(app): State<Shared>, Query(params): Query<HistoryParams>) -> Response {
    let filter = match filter(params) {
        Ok(filter) => filter,
        Err(message) => return bad_data(&message),
    };
    match app.db.history(&filter).await {
        Ok(rows) => success(rows.iter().map(shown).collect()),
        Err(error) => {
            tracing::error!(%error, "history cannot be read");
            unavailable("the history cannot be read")
        }
    }
}

fn filter(params: HistoryParams) -> Result<HistoryFilter, String> {
    let kind = match params.kind {
        Some(name) => Some(
            HistoryKind::named(&name).ok_or_else(|| format!("invalid parameter \"kind\": unknown kind {name:?}"))?,
        ),
        None => None,
    };
    Ok(HistoryFilter {
        fingerprint: params.fingerprint.map(Into::into),
        kind,
        since: instant("since", params.since)?,
        until: instant("until", params.until)?,
        limit: params.limit.unwrap_or(HistoryFilter::default().limit).min(MOST_ROWS),
        before: params.before,
    })
}

/// Float seconds or RFC 3339 (contract prometheus §f).
fn instant(name: &str, text: Option<String>) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let millis = seconds.map(|seconds| (seconds * 1000.0).round() as i64);
    let millis = millis
        .or_else(|| Timestamp::parse_rfc3339_lenient(&text).filter(|_| !text.is_empty()).map(Timestamp::as_millis));
    millis.map(Some).ok_or_else(|| format!("invalid parameter {name:?}: cannot parse {text:?} to a valid timestamp"))
}

fn shown(row: &HistoryRow) -> Value {
    let time = |millis: i64| Timestamp::from_millis(millis).to_rfc3339();
    json!({
        "id": row.id,
        "at": time(row.at),
        "kind": &*row.kind,
        "rule": row.rule.as_deref(),
        "fingerprint": row.fingerprint.as_deref(),
        "episode": row.episode.map(time),
        "groupKey": row.group_key.as_deref(),
        "integration": row.integration.as_deref(),
        "rowSeq": row.row_seq,
        "reason": row.reason.as_deref(),
        "detail": row.detail.as_deref(),
    })
}

pub(super) async fn groups(State(app): State<Shared>) -> Response {
    let groups = match app.router.groups().await {
        Ok(groups) => groups,
        Err(error) => return unavailable(&error.to_string()),
    };
    let list = groups.iter().map(|group| {
        let outbox = group.outbox.iter().map(|row| {
            json!({
                "integration": &*row.integration,
                "seq": row.seq,
                "key": &*row.key,
                "reason": row.reason,
                "attempts": row.attempts,
                "notBefore": row.not_before.to_rfc3339(),
            })
        });
        json!({
            "groupKey": group.group_key,
            "receiver": group.receiver,
            "members": group.members,
            "nextFlush": group.next_flush.map(Timestamp::to_rfc3339),
            "outbox": outbox.collect::<Vec<_>>(),
        })
    });
    success(list.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_seconds_or_rfc3339() {
        assert_eq!(instant("since", Some("1.5".to_owned())), Ok(Some(1500)));
        assert_eq!(instant("since", Some("1970-01-01T00:00:02Z".to_owned())), Ok(Some(2000)));
        assert_eq!(
            instant("since", Some("abc".to_owned())).unwrap_err(),
            "invalid parameter \"since\": cannot parse \"abc\" to a valid timestamp"
        );
    }
}
