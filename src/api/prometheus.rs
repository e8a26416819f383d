//! `GET /api/v1/rules` and `/api/v1/alerts`, and Prometheus' envelope (contract prometheus §f).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::model::{LabelSet, Timestamp, go_exponent};
use crate::rules::{AlertView, GroupView, RuleView};

use super::Shared;

/// How an instant that never was is written.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn success(data: Value) -> Response {
    envelope(StatusCode::OK, &json!({"status": "success", "data": data}))
}

pub(super) fn bad_data(message: &str) -> Response {
    let body = json!({"status": "error", "errorType": "bad_data", "error": message});
    envelope(StatusCode::BAD_REQUEST, &body)
}

pub(super) fn unavailable(message: &str) -> Response {
    let body = json!({"status": "error", "errorType": "unavailable", "error": message});
    envelope(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

fn envelope(status: StatusCode, body: &Value) -> Response {
    // As Go's encoder has them, so that what is shown in a page cannot close a tag.
    let text = body.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

pub(super) async fn alerts(State(app): State<Shared>) -> Response {
    let groups = (app.rules)();
    let alerts = groups.iter().flat_map(|group| &group.rules).flat_map(|rule| &rule.alerts).map(alert);
    success(json!({"alerts": alerts.collect::<Vec<_>>()}))
}

pub(super) async fn rules(State(app): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let filter = match RulesFilter::read(query.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(message) => return bad_data(&message),
    };
    match page(&(app.rules)(), &filter) {
        Ok(data) => success(data),
        Err(message) => bad_data(&message),
    }
}

#[derive(Debug, Default)]
struct RulesFilter {
    /// `type=record`: none of ours.
    only_recording: bool,
    names: Vec<String>,
    groups: Vec<String>,
    files: Vec<String>,
    exclude_alerts: bool,
    limit: Option<usize>,
    token: Option<String>,
}

impl RulesFilter {
    fn read(query: &str) -> Result<Self, String> {
        let mut filter = RulesFilter::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let invalid = |what: String| format!("invalid parameter \"{key}\": {what}");
            match &*key {
                "type" => match &*value {
                    "" | "alert" => {}
                    "record" => filter.only_recording = true,
                    other => return Err(invalid(format!("not supported value {other:?}"))),
                },
                "rule_name[]" => filter.names.push(value.into_owned()),
                "rule_group[]" => filter.groups.push(value.into_owned()),
                "file[]" => filter.files.push(value.into_owned()),
                "exclude_alerts" => {
                    filter.exclude_alerts = match &*value {
                        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
                        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
                        _ => return Err(invalid(format!("cannot parse {value:?} to a boolean"))),
                    };
                }
                "group_limit" => match value.parse() {
                    Ok(limit) if limit > 0 => filter.limit = Some(limit),
                    _ => return Err(invalid("group_limit needs to be greater than 0".to_owned())),
                },
                "group_next_token" => filter.token = Some(value.into_owned()).filter(|token| !token.is_empty()),
                _ => {}
            }
        }
        if filter.token.is_some() && filter.limit.is_none() {
            let what = "group_limit needs to be present in order to paginate over the groups";
            return Err(format!("invalid parameter \"group_next_token\": {what}"));
        }
        Ok(filter)
    }

    fn takes_group(&self, group: &GroupView) -> bool {
        (self.groups.is_empty() || self.groups.iter().any(|name| **name == *group.name))
            && (self.files.is_empty() || self.files.iter().any(|file| **file == *group.file))
    }

    fn takes_rule(&self, rule: &RuleView) -> bool {
        !self.only_recording && (self.names.is_empty() || self.names.iter().any(|name| **name == *rule.name))
    }
}

fn token(group: &GroupView) -> String {
    crate::model::sha256_hex(format!("{};{}", group.file, group.name).as_bytes())
}

fn page(groups: &[Arc<GroupView>], filter: &RulesFilter) -> Result<Value, String> {
    let start = match &filter.token {
        None => 0,
        Some(wanted) => groups.iter().position(|group| token(group) == *wanted).ok_or_else(|| {
            format!(
                "invalid parameter \"group_next_token\": invalid group_next_token '{wanted}'. were rule groups changed?"
            )
        })?,
    };
    let filtered = !filter.names.is_empty() || filter.only_recording;
    let mut shown = Vec::new();
    let mut next = None;
    for group in groups[start..].iter().filter(|group| filter.takes_group(group)) {
        let rules: Vec<Value> =
            group.rules.iter().filter(|rule| filter.takes_rule(rule)).map(|r| rule(r, filter.exclude_alerts)).collect();
        if rules.is_empty() && filtered {
            continue;
        }
        if filter.limit.is_some_and(|limit| shown.len() == limit) {
            next = Some(token(group));
            break;
        }
        shown.push(json!({
            "name": &*group.name,
            "file": &*group.file,
            "rules": rules,
            "interval": group.interval.as_secs_f64(),
            "limit": group.limit,
            "evaluationTime": group.evaluation_time.as_secs_f64(),
            "lastEvaluation": instant(group.last_evaluation),
        }));
    }
    let mut data = Map::new();
    data.insert("groups".to_owned(), shown.into());
    if let Some(next) = next {
        data.insert("groupNextToken".to_owned(), next.into());
    }
    Ok(data.into())
}

fn rule(rule: &RuleView, exclude_alerts: bool) -> Value {
    let alerts = match exclude_alerts {
        true => Value::Null,
        false => rule.alerts.iter().map(alert).collect(),
    };
    let mut shown = json!({
        "state": rule.state.as_str(),
        "name": &*rule.name,
        "query": &*rule.query,
        "duration": rule.duration.as_secs_f64(),
        "keepFiringFor": rule.keep_firing_for.as_secs_f64(),
        "labels": labels(&rule.labels),
        "annotations": labels(&rule.annotations),
        "alerts": alerts,
        "health": rule.health.as_str(),
        "evaluationTime": rule.evaluation_time.as_secs_f64(),
        "lastEvaluation": instant(rule.last_evaluation),
        "type": "alerting",
    });
    if let Some(error) = rule.health.last_error() {
        shown["lastError"] = error.into();
    }
    shown
}

fn alert(alert: &AlertView) -> Value {
    let mut shown = json!({
        "labels": labels(&alert.labels),
        "annotations": labels(&alert.annotations),
        "state": if alert.firing { "firing" } else { "pending" },
        "activeAt": alert.active_at.to_rfc3339(),
        "value": go_exponent(alert.value),
    });
    if let Some(since) = alert.keep_firing_since {
        shown["keepFiringSince"] = since.to_rfc3339().into();
    }
    shown
}

fn labels(set: &LabelSet) -> BTreeMap<&str, &str> {
    set.iter().collect()
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), Timestamp::to_rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_parameters_are_told_as_the_peer_tells_them() {
        let cases = [
            ("type=foo", "invalid parameter \"type\": not supported value \"foo\""),
            ("group_limit=0", "invalid parameter \"group_limit\": group_limit needs to be greater than 0"),
            (
                "group_next_token=abc",
                "invalid parameter \"group_next_token\": group_limit needs to be present in order to paginate over the groups",
            ),
        ];
        for (query, want) in cases {
            assert_eq!(RulesFilter::read(query).unwrap_err(), want, "{query}");
        }
        let filter = RulesFilter::read("group_limit=1&group_next_token=abc").unwrap();
        assert_eq!(
            page(&[], &filter).unwrap_err(),
            "invalid parameter \"group_next_token\": invalid group_next_token 'abc'. were rule groups changed?"
        );
    }
}
