//! Prometheus' query API (contract prometheus §f), which Mimir, Thanos and VictoriaMetrics speak too.

use std::time::Duration;

use crate::model::Timestamp;

use super::remote::{Ask, Dialect, Way};
use super::{Answer, Query, RangeAnswer, RangeQuery, SourceError, SourceKind, envelope};

pub(super) struct Prometheus;

impl Dialect for Prometheus {
    const KIND: SourceKind = SourceKind::Prometheus;

    fn instant(query: &Query) -> Result<Ask, SourceError> {
        let parameters =
            vec![("query", query.expr.clone()), ("time", seconds(query.at)), ("timeout", millis(query.timeout))];
        Ok(Ask { path: "/api/v1/query", parameters, way: Way::PostOrGet })
    }

    fn read_instant(_at: Timestamp, body: &[u8]) -> Result<Answer, SourceError> {
        envelope::read_instant(body)
    }

    fn range(query: &RangeQuery) -> Result<Ask, SourceError> {
        let parameters = vec![
            ("query", query.expr.clone()),
            ("start", seconds(query.start)),
            ("end", seconds(query.end)),
            ("step", millis(query.step)),
            ("timeout", millis(query.timeout)),
        ];
        Ok(Ask { path: "/api/v1/query_range", parameters, way: Way::PostOrGet })
    }

    fn read_range(body: &[u8]) -> Result<RangeAnswer, SourceError> {
        envelope::read_range(body)
    }

    fn probe() -> Ask {
        Ask { path: "/api/v1/query", parameters: vec![("query", "1".to_owned())], way: Way::PostOrGet }
    }
}

/// Unix seconds with three decimals.
fn seconds(at: Timestamp) -> String {
    let millis = at.as_millis();
    let sign = if millis < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000)
}

/// A duration that every dialect of Prometheus' durations takes; never zero, which is refused.
fn millis(duration: Duration) -> String {
    format!("{}ms", duration.as_millis().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_query_names_its_time_to_the_millisecond() {
        let query = Query {
            expr: "up == 0".to_owned(),
            at: Timestamp::from_millis(1_700_000_000_050),
            window: None,
            timeout: Duration::from_millis(29_500),
        };
        let ask = Prometheus::instant(&query).unwrap();
        let want = [("query", "up == 0"), ("time", "1700000000.050"), ("timeout", "29500ms")];
        assert_eq!(ask.parameters, want.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(seconds(Timestamp::from_millis(-500)), "-0.500");
    }

    #[test]
    fn a_range_query_names_start_end_and_step() {
        let query = RangeQuery {
            expr: "up".to_owned(),
            start: Timestamp::from_secs(60),
            end: Timestamp::from_secs(120),
            step: Duration::from_secs(15),
            timeout: Duration::from_secs(1),
        };
        let ask = Prometheus::range(&query).unwrap();
        let want =
            [("query", "up"), ("start", "60.000"), ("end", "120.000"), ("step", "15000ms"), ("timeout", "1000ms")];
        assert_eq!(ask.parameters, want.map(|(name, value)| (name, value.to_owned())));
    }
}
