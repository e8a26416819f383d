//! One request and one answer, as plain values.

use std::time::Duration;

use chrono::DateTime;
use reqwest::Method;
use reqwest::header::HeaderMap;

use crate::model::Timestamp;

use super::Secret;

/// A request to be sent, any number of times.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) method: Method,
    /// A secret, since integrations carry tokens in paths and queries.
    pub(super) url: Secret,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) query: Vec<(String, Secret)>,
    pub(super) body: Option<(String, Vec<u8>)>,
    pub(super) timeout: Option<Duration>,
}

impl Request {
    pub fn get(url: &str) -> Self {
        Request::new(Method::GET, url)
    }

    pub fn post(url: &str) -> Self {
        Request::new(Method::POST, url)
    }

    fn new(method: Method, url: &str) -> Self {
        Request { method, url: Secret::new(url), headers: Vec::new(), query: Vec::new(), body: None, timeout: None }
    }

    /// Adds a header. One that is given twice is sent twice.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Secret::new(value)));
        self
    }

    /// `Authorization: Bearer …`, in place of what the configuration would set.
    pub fn bearer(self, token: &Secret) -> Self {
        let value = format!("Bearer {}", token.expose());
        self.header("Authorization", &value)
    }

    /// Adds a pair to the URL's query string.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), Secret::new(value)));
        self
    }

    /// A form as the body.
    pub fn form(self, pairs: Vec<(String, String)>) -> Self {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body("application/x-www-form-urlencoded", encoded.into_bytes())
    }

    /// JSON as the body.
    pub fn json_bytes(self, json: Vec<u8>) -> Self {
        self.body("application/json", json)
    }

    pub fn body(mut self, content_type: &str, bytes: Vec<u8>) -> Self {
        self.body = Some((content_type.to_owned(), bytes));
        self
    }

    /// The deadline of this exchange, in place of the client's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    /// As it was before any `Content-Encoding`. Cut at the client's limit unless the status is 2xx.
    pub body: Vec<u8>,
}

/// How much of an answer may stand in a message.
const TEXT_LIMIT: usize = 1024;

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The peer's `Retry-After`: seconds, or a date as seen from `now` (RFC 9110 §10.2.3).
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(text).ok()?;
        Some(Timestamp::from_millis(date.timestamp_millis()).since(now))
    }

    /// The start of the body for a message: at most 1 KiB, trimmed, with what is no UTF-8 replaced.
    pub fn text(&self) -> String {
        let cut = self.body.len() > TEXT_LIMIT;
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(TEXT_LIMIT)]);
        // A character that the cut went through is no damage of the peer's.
        let text = if cut { text.trim_end_matches('\u{fffd}') } else { &text };
        match cut {
            true => format!("{}…", text.trim()),
            false => text.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retry_after: &str, body: &[u8]) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", retry_after.parse().unwrap());
        Response { status: 429, headers, body: body.to_vec() }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_secs(784_111_717);
        let cases = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ];
        for (text, want) in cases {
            assert_eq!(answer(text, b"").retry_after(now), want.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn text_for_messages_is_short_and_whole_characters() {
        assert_eq!(answer("0", b" rate limited\n").text(), "rate limited");
        let long = answer("0", "é".repeat(1000).as_bytes()).text();
        assert_eq!(long, format!("{}…", "é".repeat(512)));
        let odd = answer("0", format!("a{}", "é".repeat(1000)).as_bytes()).text();
        assert_eq!(odd, format!("a{}…", "é".repeat(511)));
    }
}
