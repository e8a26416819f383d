//! What may go wrong in an exchange, in words that hold no secret.

use std::error::Error;
use std::path::PathBuf;

/// Why an exchange did not take place or did not end.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The deadline for the whole exchange passed.
    #[error("no complete answer in time")]
    Timeout,
    /// No connection came about.
    #[error("could not connect: {detail}")]
    Connect { detail: String },
    /// A connection came about, but not a trusted one.
    #[error("TLS failed: {detail}")]
    Tls { detail: String },
    /// The answer is longer than is read.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge { limit: u64 },
    /// What was configured (or the URL that was asked for) cannot work, now or later.
    #[error("{detail}")]
    Config { detail: String },
    /// A file that holds a secret, a key or a certificate cannot be read.
    #[error("cannot read {}", .path.display())]
    SecretFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The authorization server gave no token. `status` is its answer's, if it answered.
    #[error("no access token: {detail}")]
    Token { status: Option<u16>, detail: String },
    /// The connection broke in the middle, or the peer does not speak HTTP.
    #[error("the exchange failed: {detail}")]
    Other { detail: String },
}

impl HttpError {
    /// Whether the same request may well succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            HttpError::Timeout | HttpError::Connect { .. } | HttpError::Tls { .. } | HttpError::Other { .. } => true,
            HttpError::TooLarge { .. } | HttpError::Config { .. } | HttpError::SecretFile { .. } => false,
            HttpError::Token { status, .. } => status.is_none_or(|status| status == 429 || status >= 500),
        }
    }

    pub(super) fn config(detail: impl Into<String>) -> Self {
        HttpError::Config { detail: detail.into() }
    }

    /// Translates the client library's error. Its own text names the URL, so only the innermost cause is kept.
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        let detail = innermost(error);
        // A redirect that is not followed is one that no retry changes.
        if error.is_builder() || error.is_redirect() {
            HttpError::Config { detail }
        } else if is_tls(error) {
            HttpError::Tls { detail }
        } else if error.is_connect() {
            HttpError::Connect { detail }
        } else if error.is_timeout() {
            HttpError::Timeout
        } else {
            HttpError::Other { detail }
        }
    }
}

/// `scheme://host/<redacted>`: what a log may say of a URL. Integrations carry their tokens in paths and queries.
pub fn redact(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(url) => match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{}://{host}:{port}/<redacted>", url.scheme()),
            (Some(host), None) => format!("{}://{host}/<redacted>", url.scheme()),
            (None, _) => "<redacted>".to_owned(),
        },
        Err(_) => "<redacted>".to_owned(),
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| Error::source(*cause))
}

fn innermost(error: &reqwest::Error) -> String {
    match chain(error).last() {
        Some(cause) => cause.to_string(),
        None if error.is_builder() => "the request cannot be built".to_owned(),
        None if error.is_decode() || error.is_body() => "the answer broke off".to_owned(),
        None => "no cause given".to_owned(),
    }
}

/// TLS errors travel inside I/O errors, sometimes two deep, and an I/O error's `source` skips the error that it holds.
fn is_tls(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| {
        let mut held = Some(cause);
        while let Some(io) = held.and_then(|held| held.downcast_ref::<std::io::Error>()) {
            held = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
        }
        held.is_some_and(|held| held.is::<rustls::Error>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_url_keeps_scheme_and_host_only() {
        let cases = [
            ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/<redacted>"),
            ("http://user:pass@host:9093/a?token=1#f", "http://host:9093/<redacted>"),
            ("not a url", "<redacted>"),
            ("mailto:a@b", "<redacted>"),
        ];
        for (url, want) in cases {
            assert_eq!(redact(url), want);
        }
    }
}
