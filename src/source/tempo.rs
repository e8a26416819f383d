//! Tempo's TraceQL metrics (contract traces §5.1): one value per series over a window, or a range of them.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{LabelSet, Sample, Series, Timestamp};

use super::envelope::invalid;
use super::remote::{Ask, Dialect, Way};
use super::{Answer, Query, RangeAnswer, RangeQuery, SourceError, SourceKind};

pub(super) struct Tempo;

impl Dialect for Tempo {
    const KIND: SourceKind = SourceKind::Tempo;

    /// The language names no window, so the query has to.
    fn instant(query: &Query) -> Result<Ask, SourceError> {
        let window = query.window.filter(|window| !window.is_zero());
        let Some(window) = window else {
            return Err(SourceError::Query { detail: "a query of traces needs a window".to_owned() });
        };
        let parameters = vec![("q", query.expr.clone()), ("start", nanos(query.at - window)), ("end", nanos(query.at))];
        Ok(Ask { path: "/api/metrics/query", parameters, way: Way::Get })
    }

    fn read_instant(at: Timestamp, body: &[u8]) -> Result<Answer, SourceError> {
        let series = open(body)?;
        let sample =
            |series: Line| Ok(Sample { labels: labels(&series.labels), at, value: number(series.value.as_ref())? });
        Ok(Answer { samples: series.into_iter().map(sample).collect::<Result<_, _>>()?, warnings: Vec::new() })
    }

    fn range(query: &RangeQuery) -> Result<Ask, SourceError> {
        let parameters = vec![
            ("q", query.expr.clone()),
            ("start", nanos(query.start)),
            ("end", nanos(query.end)),
            ("step", format!("{}ms", query.step.as_millis().max(1))),
        ];
        Ok(Ask { path: "/api/metrics/query_range", parameters, way: Way::Get })
    }

    fn read_range(body: &[u8]) -> Result<RangeAnswer, SourceError> {
        let read = |series: Line| {
            let points = series.samples.iter().map(Point::read).collect::<Result<_, _>>()?;
            Ok(Series { labels: labels(&series.labels), points })
        };
        let series = open(body)?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(RangeAnswer { series, warnings: Vec::new() })
    }

    fn probe() -> Ask {
        Ask { path: "/api/echo", parameters: Vec::new(), way: Way::Get }
    }
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    series: Option<Vec<Line>>,
    /// A name or, in older forms, a number.
    #[serde(default)]
    status: Value,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    samples: Vec<Point>,
}

#[derive(Deserialize)]
struct Label {
    key: String,
    #[serde(default)]
    value: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    timestamp_ms: Value,
    #[serde(default)]
    value: Option<Value>,
}

impl Point {
    fn read(&self) -> Result<(Timestamp, f64), SourceError> {
        // 64-bit integers are strings in this form of JSON.
        let millis = self.timestamp_ms.as_i64().or_else(|| self.timestamp_ms.as_str()?.parse().ok());
        let millis = millis.ok_or_else(|| invalid("a sample has no timestamp"))?;
        Ok((Timestamp::from_millis(millis), number(self.value.as_ref())?))
    }
}

fn open(body: &[u8]) -> Result<Vec<Line>, SourceError> {
    let reply: Reply = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    if reply.status.as_str() == Some("PARTIAL") || reply.status.as_u64() == Some(1) {
        let detail = reply.message.filter(|message| !message.is_empty());
        return Err(SourceError::Partial { detail: detail.unwrap_or_else(|| "no reason given".to_owned()) });
    }
    Ok(reply.series.unwrap_or_default())
}

/// Zero is left out on this wire, and what is no number is text.
fn number(value: Option<&Value>) -> Result<f64, SourceError> {
    let Some(value) = value else { return Ok(0.0) };
    let read = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    read.ok_or_else(|| invalid(format!("{value} is no value of a sample")))
}

/// Attributes as labels: `resource.service.name` is `resource_service_name`.
fn labels(attributes: &[Label]) -> LabelSet {
    let pairs = attributes.iter().filter_map(|attribute| {
        let value = text(&attribute.value)?;
        Some((label_name(&attribute.key), value)).filter(|(name, value)| !name.is_empty() && !value.is_empty())
    });
    LabelSet::from_pairs(pairs)
}

/// The one value of an attribute, whatever its type.
fn text(value: &serde_json::Map<String, Value>) -> Option<String> {
    match value.values().next()? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Whatever a label's name cannot hold becomes `_`.
fn label_name(key: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = key.chars().map(clean).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false => name,
    }
}

/// Unix nanoseconds: more than ten digits are read as such.
fn nanos(at: Timestamp) -> String {
    (i128::from(at.as_millis()) * 1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn query(window: Option<Duration>) -> Query {
        Query {
            expr: "{ status=error } | rate()".to_owned(),
            at: Timestamp::from_secs(1_700_000_300),
            window,
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_window_ends_at_the_instant_and_is_required() {
        let ask = Tempo::instant(&query(Some(Duration::from_secs(300)))).unwrap();
        let want =
            [("q", "{ status=error } | rate()"), ("start", "1700000000000000000"), ("end", "1700000300000000000")];
        assert_eq!(ask.parameters, want.map(|(name, value)| (name, value.to_owned())));
        for window in [None, Some(Duration::ZERO)] {
            let error = Tempo::instant(&query(window)).unwrap_err();
            assert_eq!(error.to_string(), "a query of traces needs a window");
        }
    }

    #[test]
    fn attributes_of_all_types_become_labels() {
        let body = br#"{"series":[
            {"labels":[{"key":"resource.service.name","value":{"stringValue":"shop"}},{"key":"span.http.status_code","value":{"intValue":"500"}},
              {"key":"p","value":{"doubleValue":0.99}},{"key":"span.retry","value":{"boolValue":true}},{"key":"2nd","value":{"intValue":7}},
              {"key":"none","value":{}}],"promLabels":"{x}","value":0.5},
            {"labels":[]},{"value":"NaN"}],"metrics":{"inspectedBytes":"1"}}"#;
        let at = Timestamp::from_secs(5);
        let samples = Tempo::read_instant(at, body).unwrap().samples;
        let want = [
            ("resource_service_name", "shop"),
            ("span_http_status_code", "500"),
            ("p", "0.99"),
            ("span_retry", "true"),
            ("_2nd", "7"),
        ];
        assert_eq!(samples[0], Sample { labels: LabelSet::from_pairs(want), at, value: 0.5 });
        assert_eq!(samples[1], Sample { labels: LabelSet::empty(), at, value: 0.0 });
        assert!(samples[2].value.is_nan());
    }

    #[test]
    fn a_partial_answer_is_an_error() {
        for status in [r#""PARTIAL""#, "1"] {
            let body = format!(r#"{{"series":[{{"value":1}}],"status":{status},"message":"3 of 5 jobs"}}"#);
            let error = Tempo::read_instant(Timestamp::EPOCH, body.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), "the answer is partial: 3 of 5 jobs");
        }
        assert_eq!(Tempo::read_instant(Timestamp::EPOCH, br#"{"status":"COMPLETE"}"#).unwrap(), Answer::default());
        assert!(matches!(Tempo::read_instant(Timestamp::EPOCH, b"oops").unwrap_err(), SourceError::Parse { .. }));
    }

    #[test]
    fn a_range_holds_samples() {
        let body = br#"{"series":[{"labels":[{"key":"a.b","value":{"stringValue":"x"}}],"samples":[{"timestampMs":"1000","value":1},{"timestampMs":2000}]}]}"#;
        let series = Tempo::read_range(body).unwrap().series;
        assert_eq!(series[0].labels, LabelSet::from_pairs([("a_b", "x")]));
        assert_eq!(series[0].points, [(Timestamp::from_secs(1), 1.0), (Timestamp::from_secs(2), 0.0)]);
    }
}
