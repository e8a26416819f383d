//! Why there is no answer.

use std::time::Duration;

use crate::http::HttpError;

/// Why a source gave no whole, usable answer. No variant holds the source's URL.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The time for the query is over.
    #[error("no answer within {}", crate::model::format_duration(*.after))]
    Timeout { after: Duration },
    /// No connection, or one that broke.
    #[error("the source cannot be reached: {detail}")]
    Unreachable { detail: String },
    /// The source is there and cannot answer now (429, 5xx), also after all retries.
    #[error("the source answered with status {status}: {detail}")]
    Unavailable { status: u16, detail: String },
    /// The source will never answer this query: the expression or the credentials are wrong.
    #[error("the source rejected the query with status {status}: {detail}")]
    Rejected { status: u16, detail: String },
    /// The answer is none that this kind of source gives.
    #[error("invalid answer: {detail}")]
    Parse { detail: String },
    /// The expression is fine, but a rule can do nothing with what it gives.
    #[error("rule result is not a vector or scalar")]
    NotAVector,
    /// The source left something out.
    #[error("the answer is partial: {detail}")]
    Partial { detail: String },
    #[error("the answer is longer than {limit} bytes")]
    TooLarge { limit: u64 },
    /// The query lacks what this kind of source needs.
    #[error("{detail}")]
    Query { detail: String },
    /// The source's configuration cannot work.
    #[error("{0}")]
    Config(#[source] HttpError),
}

impl SourceError {
    /// Line and column within the expression, both from 1, if the source's refusal names a place: Prometheus writes
    /// `1:5: parse error: …`, Loki and Tempo `parse error at line 1, col 5: …`.
    pub fn expression_position(&self) -> Option<(usize, usize)> {
        let SourceError::Rejected { detail, .. } = self else { return None };
        let (before, after) = detail.split_once("parse error")?;
        let place = match after.strip_prefix(" at line ") {
            Some(rest) => {
                let (line, rest) = leading_number(rest)?;
                let (column, _) = leading_number(rest.strip_prefix(", col ")?)?;
                (line, column)
            }
            None => {
                let (rest, column) = trailing_number(before.strip_suffix(": ")?)?;
                let (_, line) = trailing_number(rest.strip_suffix(':')?)?;
                (line, column)
            }
        };
        Some(place).filter(|(line, column)| *line > 0 && *column > 0)
    }

    pub(super) fn from_http(error: HttpError, after: Duration) -> Self {
        match error {
            HttpError::Timeout => SourceError::Timeout { after },
            HttpError::TooLarge { limit } => SourceError::TooLarge { limit },
            HttpError::Config { .. } | HttpError::SecretFile { .. } => SourceError::Config(error),
            HttpError::Connect { .. } | HttpError::Tls { .. } | HttpError::Token { .. } | HttpError::Other { .. } => {
                SourceError::Unreachable { detail: error.to_string() }
            }
        }
    }
}

fn leading_number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn trailing_number(text: &str) -> Option<(&str, usize)> {
    let start = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    Some((&text[..start], text[start..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_the_expression_is_read_from_the_refusal() {
        let cases = [
            ("invalid parameter \"query\": 1:5: parse error: unexpected end of input", Some((1, 5))),
            ("2:11: parse error: unknown function with name \"rat\"", Some((2, 11))),
            ("parse error at line 1, col 12: syntax error: unexpected IDENTIFIER", Some((1, 12))),
            ("invalid TraceQL query: parse error at line 3, col 4: syntax error", Some((3, 4))),
            ("unknown position: parse error: no expression found in input", None),
            ("parse error at line 0, col 0: ", None),
            ("parse error : stages '' invalid", None),
            ("query processing would load too many samples", None),
        ];
        for (detail, want) in cases {
            let error = SourceError::Rejected { status: 400, detail: detail.to_owned() };
            assert_eq!(error.expression_position(), want, "{detail}");
        }
        assert_eq!(SourceError::NotAVector.expression_position(), None);
    }
}
