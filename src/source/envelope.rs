//! The answers of Prometheus' query API, which Loki's share (contract prometheus §f, envelope and values).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::http::Response;
use crate::model::{LabelSet, Sample, Series, Timestamp};

use super::{Answer, RangeAnswer, SourceError};

#[derive(Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de>"))]
struct Envelope<'a, D> {
    status: Status,
    data: Option<D>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    /// VictoriaMetrics' cluster says so when a storage node did not answer.
    #[serde(rename = "isPartial", default)]
    is_partial: bool,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Instant<'a> {
    #[serde(borrow)]
    Vector(Vec<Element<'a>>),
    #[serde(borrow)]
    Scalar(Point<'a>),
    Matrix(IgnoredAny),
    String(IgnoredAny),
    Streams(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Range<'a> {
    #[serde(borrow)]
    Matrix(Vec<Row<'a>>),
    Vector(IgnoredAny),
    Scalar(IgnoredAny),
    String(IgnoredAny),
    Streams(IgnoredAny),
}

#[derive(Deserialize)]
struct Element<'a> {
    metric: LabelSet,
    #[serde(borrow, default)]
    value: Option<Point<'a>>,
    #[serde(default)]
    histogram: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Row<'a> {
    metric: LabelSet,
    #[serde(borrow, default)]
    values: Vec<Point<'a>>,
    #[serde(default)]
    histograms: Option<IgnoredAny>,
}

/// Seconds, and the value as text.
#[derive(Deserialize)]
struct Point<'a>(f64, #[serde(borrow)] Cow<'a, str>);

impl Point<'_> {
    fn read(&self) -> Result<(Timestamp, f64), SourceError> {
        // Go's texts for what is no number (`NaN`, `+Inf`, `-Inf`) are among those that Rust reads.
        let value = self.1.parse().map_err(|_| invalid(format!("{:?} is no value of a sample", self.1)))?;
        // Saturates; a source's own instants are far inside.
        Ok((Timestamp::from_millis((self.0 * 1000.0).round() as i64), value))
    }
}

pub(super) fn read_instant(body: &[u8]) -> Result<Answer, SourceError> {
    let (data, mut warnings) = open::<Instant<'_>>(body)?;
    let samples = match data {
        Instant::Scalar(point) => {
            let (at, value) = point.read()?;
            vec![Sample { labels: LabelSet::empty(), at, value }]
        }
        Instant::Vector(elements) => {
            let mut histograms = 0;
            let mut samples = Vec::with_capacity(elements.len());
            for element in elements {
                match (&element.value, &element.histogram) {
                    (Some(point), _) => {
                        let (at, value) = point.read()?;
                        samples.push(Sample { labels: without_empty(element.metric), at, value });
                    }
                    (None, Some(_)) => histograms += 1,
                    (None, None) => return Err(invalid("a sample has no value")),
                }
            }
            warn_of_histograms(histograms, &mut warnings);
            samples
        }
        Instant::Matrix(_) | Instant::String(_) | Instant::Streams(_) => return Err(SourceError::NotAVector),
    };
    Ok(Answer { samples, warnings })
}

pub(super) fn read_range(body: &[u8]) -> Result<RangeAnswer, SourceError> {
    let (data, mut warnings) = open::<Range<'_>>(body)?;
    let Range::Matrix(rows) = data else { return Err(invalid("the result is no matrix")) };
    let mut histograms = 0;
    let mut series = Vec::with_capacity(rows.len());
    for row in rows {
        histograms += usize::from(row.histograms.is_some());
        if !row.values.is_empty() {
            let points = row.values.iter().map(Point::read).collect::<Result<_, _>>()?;
            series.push(Series { labels: without_empty(row.metric), points });
        }
    }
    warn_of_histograms(histograms, &mut warnings);
    Ok(RangeAnswer { series, warnings })
}

fn open<'a, D: Deserialize<'a>>(body: &'a [u8]) -> Result<(D, Vec<String>), SourceError> {
    let envelope: Envelope<'a, D> = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    if envelope.status == Status::Error {
        let detail = envelope.error.as_deref().unwrap_or("no reason given").to_owned();
        return Err(SourceError::Rejected { status: 200, detail });
    }
    if envelope.is_partial {
        let detail = envelope.error.as_deref().unwrap_or("a part of the source did not answer").to_owned();
        return Err(SourceError::Partial { detail });
    }
    let data = envelope.data.ok_or_else(|| invalid("it has no data"))?;
    Ok((data, envelope.warnings.unwrap_or_default()))
}

fn warn_of_histograms(count: usize, warnings: &mut Vec<String>) {
    if count > 0 {
        warnings.push(format!("native histograms are left out: {count} series"));
    }
}

/// A label with an empty value is the same as none.
fn without_empty(labels: LabelSet) -> LabelSet {
    if labels.iter().all(|(_, value)| !value.is_empty()) {
        return labels;
    }
    labels.iter().filter(|(_, value)| !value.is_empty()).collect()
}

pub(super) fn invalid(detail: impl Into<String>) -> SourceError {
    SourceError::Parse { detail: detail.into() }
}

/// What a source said when it refused.
pub(super) struct Refusal {
    pub(super) text: String,
    /// It spent its own time limit on the expression.
    pub(super) gave_up: bool,
}

/// The error of an envelope, or the start of whatever the body is: Loki, gateways and proxies write plain text.
pub(super) fn refusal(answer: &Response) -> Refusal {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fault {
        #[serde(default)]
        error_type: String,
        #[serde(alias = "message")]
        error: String,
    }
    match serde_json::from_slice::<Fault>(&answer.body) {
        Ok(fault) => {
            let text = crate::model::truncate_chars(&fault.error, 1024).into_owned();
            Refusal { text, gave_up: fault.error_type == "timeout" }
        }
        Err(_) if answer.body.is_empty() => Refusal { text: "no reason given".to_owned(), gave_up: false },
        Err(_) => Refusal { text: answer.text(), gave_up: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(result: &str) -> Result<Answer, SourceError> {
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}},"warnings":["w"],"infos":["i"]}}"#
        );
        read_instant(body.as_bytes())
    }

    #[test]
    fn values_are_read_in_all_their_forms() {
        let answer = vector(
            r#"[{"metric":{"__name__":"up","job":"a\"b","gone":""},"value":[1700000000.123,"1e-07"]},
                {"metric":{},"value":[1700000000,"NaN"]},{"metric":{},"value":[1.5,"+Inf"]},{"metric":{},"value":[0.300,"-Inf"]},
                {"metric":{},"value":[-0.5,"-0"]}]"#,
        )
        .unwrap();
        let samples = &answer.samples;
        assert_eq!(samples[0].labels, LabelSet::from_pairs([("__name__", "up"), ("job", "a\"b")]));
        assert_eq!((samples[0].at.as_millis(), samples[0].value), (1_700_000_000_123, 1e-7));
        assert!(samples[1].value.is_nan());
        assert_eq!((samples[2].value, samples[3].value), (f64::INFINITY, f64::NEG_INFINITY));
        assert_eq!((samples[3].at.as_millis(), samples[4].at.as_millis()), (300, -500));
        assert!(samples[4].value.is_sign_negative());
        assert_eq!(answer.warnings, ["w"]);
    }

    #[test]
    fn the_result_may_come_before_its_type() {
        let body = br#"{"data":{"stats":{},"result":[{"value":[1,"2"],"metric":{"a":"x\ny"}}],"resultType":"vector"},"status":"success"}"#;
        assert_eq!(read_instant(body).unwrap().samples[0].labels, LabelSet::from_pairs([("a", "x\ny")]));
    }

    #[test]
    fn histograms_are_left_out_with_a_warning() {
        let answer = vector(
            r#"[{"metric":{"a":"1"},"histogram":[1,{"count":"3","sum":"2","buckets":[[0,"1","2","3"]]}]},{"metric":{},"value":[1,"2"]}]"#,
        );
        let answer = answer.unwrap();
        assert_eq!(answer.samples.len(), 1);
        assert_eq!(answer.warnings, ["w", "native histograms are left out: 1 series"]);
    }

    #[test]
    fn a_scalar_is_one_sample_without_labels() {
        let body = br#"{"data":{"result":[1.5,"0.0000001"],"resultType":"scalar"},"status":"success"}"#;
        let answer = read_instant(body).unwrap();
        assert_eq!(
            answer.samples,
            [Sample { labels: LabelSet::empty(), at: Timestamp::from_millis(1500), value: 1e-7 }]
        );
    }

    #[test]
    fn what_is_no_vector_is_an_error() {
        for (kind, result) in
            [("matrix", r#"[{"metric":{},"values":[[1,"2"]]}]"#), ("string", r#"[1,"x"]"#), ("streams", "[]")]
        {
            let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
            let error = read_instant(body.as_bytes()).unwrap_err();
            assert!(matches!(error, SourceError::NotAVector));
            assert_eq!(error.to_string(), "rule result is not a vector or scalar");
        }
    }

    #[test]
    fn partial_and_failed_answers_are_errors() {
        let body = br#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#;
        assert!(matches!(read_instant(body).unwrap_err(), SourceError::Partial { .. }));
        let body = br#"{"status":"error","errorType":"execution","error":"boom"}"#;
        assert!(matches!(read_instant(body).unwrap_err(), SourceError::Rejected { detail, .. } if detail == "boom"));
        for body in [
            "",
            "<html>",
            "[]",
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":{"resultType":"odd","result":[]}}"#,
        ] {
            assert!(matches!(read_instant(body.as_bytes()).unwrap_err(), SourceError::Parse { .. }), "{body}");
        }
        assert!(matches!(vector(r#"[{"metric":{},"value":[1,"x"]}]"#).unwrap_err(), SourceError::Parse { .. }));
        assert!(matches!(vector(r#"[{"metric":{}}]"#).unwrap_err(), SourceError::Parse { .. }));
    }

    #[test]
    fn a_matrix_is_read_for_a_range() {
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[2,"3"]]},{"metric":{},"histograms":[]}]}}"#;
        let answer = read_range(body).unwrap();
        assert_eq!(answer.series.len(), 1);
        assert_eq!(answer.series[0].points, [(Timestamp::from_secs(1), 2.0), (Timestamp::from_secs(2), 3.0)]);
        assert_eq!(answer.warnings.len(), 1);
        let body = br#"{"status":"success","data":{"resultType":"streams","result":[]}}"#;
        assert!(matches!(read_range(body).unwrap_err(), SourceError::Parse { .. }));
    }
}
