//! What all remote kinds share: one deadline over all attempts, retries, limits, credentials, tenant, and errors.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use url::Url;

use crate::http::{Client, ClientOptions, HttpError, Request, Response};
use crate::model::{Clock, Timestamp};

use super::{Answer, Query, RangeAnswer, RangeQuery, Source, SourceConfig, SourceError, SourceKind};

/// A kind of source: what to ask, and how to read what is answered. Pure.
pub(super) trait Dialect: Send + Sync + 'static {
    const KIND: SourceKind;

    /// # Errors
    /// The query lacks something.
    fn instant(query: &Query) -> Result<Ask, SourceError>;

    fn read_instant(at: Timestamp, body: &[u8]) -> Result<Answer, SourceError>;

    fn range(query: &RangeQuery) -> Result<Ask, SourceError>;

    fn read_range(body: &[u8]) -> Result<RangeAnswer, SourceError>;

    /// Something cheap that needs the same permissions as a query where possible.
    fn probe() -> Ask;
}

/// One thing to ask of a source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) path: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Get,
    /// A form, since expressions may be longer than a URL can be; a query string where something on the way lets no
    /// POST through (405, 501).
    PostOrGet,
}

/// Attempts at one query: with the waits between them some eight seconds, so that a source which is down does not hold
/// evaluations of others up for the whole time that a query may take.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const MAX_WAIT: Duration = Duration::from_secs(5);
const MAX_CONNECT: Duration = Duration::from_secs(5);

/// Answers longer than this are read on a thread of their own: they take more than half a millisecond.
const INLINE_BODY: usize = 64 << 10;

/// A source behind HTTP.
pub(super) struct Remote<D> {
    name: String,
    base: Url,
    tenant: Option<String>,
    query_delay: Option<Duration>,
    timeout: Duration,
    client: Client,
    clock: Arc<dyn Clock>,
    /// A POST was refused once.
    get_only: AtomicBool,
    dialect: PhantomData<D>,
}

impl<D: Dialect> Remote<D> {
    pub(super) fn new(config: &SourceConfig, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let options = ClientOptions {
            timeout: config.timeout,
            connect_timeout: MAX_CONNECT.min(config.timeout / 2),
            max_response: config.max_response,
            ..ClientOptions::default()
        };
        Ok(Remote {
            name: config.name.clone(),
            base: config.url.clone(),
            tenant: config.tenant.clone(),
            query_delay: config.query_delay,
            timeout: config.timeout,
            client: Client::new(&config.http, options).map_err(SourceError::Config)?,
            clock,
            get_only: AtomicBool::new(false),
            dialect: PhantomData,
        })
    }

    /// The body of a 2xx answer, within `timeout` and the source's own limit of time.
    async fn ask(&self, ask: &Ask, timeout: Duration) -> Result<Vec<u8>, SourceError> {
        let timeout = timeout.min(self.timeout);
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(SourceError::Timeout { after: timeout });
            }
            let failed = match self.attempt(ask, left).await {
                Ok(answer) if answer.is_success() => return Ok(answer.body),
                Ok(answer) => self.refusal(&answer),
                Err(error) => Failed {
                    retry: matches!(error, HttpError::Connect { .. } | HttpError::Other { .. })
                        || matches!(error, HttpError::Token { .. } if error.is_retryable()),
                    after: None,
                    error: SourceError::from_http(error, timeout),
                },
            };
            attempt += 1;
            let wait = backoff(ask, attempt).max(failed.after.unwrap_or_default());
            let left = timeout.saturating_sub(started.elapsed());
            if !failed.retry || attempt >= ATTEMPTS || wait >= left {
                return Err(failed.error);
            }
            tracing::debug!(source = %self.name, attempt, delay_ms = wait.as_millis(), error = %failed.error, "query failed, will retry");
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt, which is two where a POST turns out to be refused.
    async fn attempt(&self, ask: &Ask, timeout: Duration) -> Result<Response, HttpError> {
        if ask.way == Way::PostOrGet && !self.get_only.load(Ordering::Relaxed) {
            let started = Instant::now();
            let form = ask.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let answer = self.client.send(self.request(Request::post, ask.path).form(form).timeout(timeout)).await?;
            if !matches!(answer.status, 405 | 501) {
                return Ok(answer);
            }
            let answer = self.get(ask, timeout.saturating_sub(started.elapsed())).await?;
            // Only a success shows that the method was what it refused.
            if answer.is_success() {
                self.get_only.store(true, Ordering::Relaxed);
            }
            return Ok(answer);
        }
        self.get(ask, timeout).await
    }

    async fn get(&self, ask: &Ask, timeout: Duration) -> Result<Response, HttpError> {
        let request = self.request(Request::get, ask.path).timeout(timeout);
        let request = ask.parameters.iter().fold(request, |request, (name, value)| request.query(name, value));
        self.client.send(request).await
    }

    fn request(&self, make: fn(&str) -> Request, path: &str) -> Request {
        let mut url = self.base.clone();
        let whole = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&whole);
        let request = make(url.as_str()).header("Accept", "application/json");
        match &self.tenant {
            Some(tenant) => request.header("X-Scope-OrgID", tenant),
            None => request,
        }
    }

    fn refusal(&self, answer: &Response) -> Failed {
        let (status, detail) = (answer.status, super::envelope::refusal(answer));
        let temporary = matches!(status, 408 | 429 | 499 | 500 | 502..);
        // A source that gave up on the expression itself would only do so again.
        let retry = temporary && !detail.gave_up;
        let detail = detail.text;
        Failed {
            retry,
            after: answer.retry_after(self.clock.now()),
            error: match temporary {
                true => SourceError::Unavailable { status, detail },
                false => SourceError::Rejected { status, detail },
            },
        }
    }
}

/// An attempt that failed.
struct Failed {
    error: SourceError,
    retry: bool,
    /// What the source asked to wait.
    after: Option<Duration>,
}

/// Doubling waits, shortened by up to a half so that rules which failed together do not come back together.
fn backoff(ask: &Ask, attempt: u32) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(MAX_WAIT);
    let mut hasher = DefaultHasher::new();
    (&ask.parameters, attempt).hash(&mut hasher);
    let share = (hasher.finish() % 512) as f64 / 1024.0;
    whole.mul_f64(1.0 - share)
}

/// Reads an answer, away from the runtime's threads if it is a long one.
async fn read<T: Send + 'static>(
    body: Vec<u8>,
    read: impl FnOnce(&[u8]) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    if body.len() <= INLINE_BODY {
        return read(&body);
    }
    let reader = tokio::task::spawn_blocking(move || read(&body));
    reader.await.map_err(|_| SourceError::Parse { detail: "reading it was cut short".to_owned() })?
}

impl<D: Dialect> Source for Remote<D> {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        D::KIND
    }

    fn query_delay(&self) -> Option<Duration> {
        self.query_delay
    }

    fn instant<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Answer, SourceError>> {
        Box::pin(async move {
            let body = self.ask(&D::instant(query)?, query.timeout).await?;
            let at = query.at;
            read(body, move |body| D::read_instant(at, body)).await
        })
    }

    fn range<'a>(&'a self, query: &'a RangeQuery) -> BoxFuture<'a, Result<RangeAnswer, SourceError>> {
        Box::pin(async move {
            let body = self.ask(&D::range(query)?, query.timeout).await?;
            read(body, D::read_range).await
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move { self.ask(&D::probe(), self.timeout).await.map(|_| ()) })
    }
}
