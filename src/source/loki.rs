//! Loki's query API (contract logs §2, evaluation, and §3).

use crate::model::Timestamp;

use super::remote::{Ask, Dialect, Way};
use super::{Answer, Query, RangeAnswer, RangeQuery, SourceError, SourceKind, envelope};

pub(super) struct Loki;

impl Dialect for Loki {
    const KIND: SourceKind = SourceKind::Loki;

    fn instant(query: &Query) -> Result<Ask, SourceError> {
        let parameters =
            vec![("query", query.expr.clone()), ("time", query.at.to_rfc3339()), ("direction", "forward".to_owned())];
        Ok(Ask { path: "/loki/api/v1/query", parameters, way: Way::PostOrGet })
    }

    fn read_instant(_at: Timestamp, body: &[u8]) -> Result<Answer, SourceError> {
        envelope::read_instant(body)
    }

    fn range(query: &RangeQuery) -> Result<Ask, SourceError> {
        let parameters = vec![
            ("query", query.expr.clone()),
            ("start", query.start.to_rfc3339()),
            ("end", query.end.to_rfc3339()),
            ("step", query.step.as_secs_f64().to_string()),
            ("direction", "forward".to_owned()),
        ];
        Ok(Ask { path: "/loki/api/v1/query_range", parameters, way: Way::PostOrGet })
    }

    fn read_range(body: &[u8]) -> Result<RangeAnswer, SourceError> {
        envelope::read_range(body)
    }

    fn probe() -> Ask {
        let parameters = vec![("query", "vector(1)+vector(1)".to_owned()), ("direction", "forward".to_owned())];
        Ask { path: "/loki/api/v1/query", parameters, way: Way::PostOrGet }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_instant_query_is_asked_as_the_ruler_asks_it() {
        let query = Query {
            expr: "sum(rate({app=\"x\"}[5m]))".to_owned(),
            at: Timestamp::from_millis(1_767_323_045_600),
            window: None,
            timeout: Duration::from_secs(1),
        };
        let ask = Loki::instant(&query).unwrap();
        let want =
            [("query", "sum(rate({app=\"x\"}[5m]))"), ("time", "2026-01-02T03:04:05.6Z"), ("direction", "forward")];
        assert_eq!(ask.parameters, want.map(|(name, value)| (name, value.to_owned())));
        assert_eq!((ask.path, ask.way), ("/loki/api/v1/query", Way::PostOrGet));
    }

    #[test]
    fn a_range_query_has_its_step_in_seconds() {
        let query = RangeQuery {
            expr: "x".to_owned(),
            start: Timestamp::from_secs(0),
            end: Timestamp::from_secs(60),
            step: Duration::from_millis(1500),
            timeout: Duration::from_secs(1),
        };
        let ask = Loki::range(&query).unwrap();
        assert_eq!(ask.parameters[3], ("step", "1.5".to_owned()));
        assert_eq!(ask.parameters[1], ("start", "1970-01-01T00:00:00Z".to_owned()));
    }
}
