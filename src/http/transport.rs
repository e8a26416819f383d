//! The connection pool under a client: made anew when a certificate on disk changed, and the one place that reads bodies.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect;

use super::tls::Material;
use super::{ClientOptions, HttpError, ProxyConfig, Response, TlsConfig};

/// What a pool is made of.
#[derive(Debug, Clone)]
pub(super) struct TransportConfig {
    pub(super) tls: TlsConfig,
    pub(super) proxy: ProxyConfig,
    pub(super) enable_http2: bool,
    pub(super) redirects: Redirects,
}

/// Where redirects may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    Refused,
    /// Anywhere; `Authorization` does not go along to another host.
    Anywhere,
    /// Only to the host that was asked: other headers are secret too.
    SameHost,
}

const MAX_REDIRECTS: usize = 10;
const POOL_IDLE: Duration = Duration::from_secs(90);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A pool of connections.
pub(super) struct Transport {
    config: TransportConfig,
    options: ClientOptions,
    /// Held only to look and to replace.
    built: Mutex<Built>,
}

struct Built {
    material: Material,
    client: reqwest::Client,
}

impl Transport {
    pub(super) fn new(config: TransportConfig, options: ClientOptions) -> Result<Self, HttpError> {
        let material = config.tls.material()?;
        let client = build(&config, &options, &material)?;
        Ok(Transport { config, options, built: Mutex::new(Built { material, client }) })
    }

    /// The pool whose connections are made with the certificates as they are on disk now. A pool that was replaced lives
    /// until its last exchange ends.
    pub(super) async fn current(&self) -> Result<reqwest::Client, HttpError> {
        if !self.config.tls.has_files() {
            return Ok(self.lock().client.clone());
        }
        let tls = self.config.tls.clone();
        let material = tokio::task::spawn_blocking(move || tls.material()).await;
        let material =
            material.map_err(|_| HttpError::Other { detail: "reading certificates was cut short".to_owned() })??;
        let mut built = self.lock();
        if built.material != material {
            built.client = build(&self.config, &self.options, &material)?;
            built.material = material;
        }
        Ok(built.client.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Built> {
        // A panic while it was held left one pool or the other: both work.
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one request and reads the answer up to the limit. The caller keeps the deadline.
    pub(super) async fn exchange(&self, request: reqwest::Request) -> Result<Response, HttpError> {
        let client = self.current().await?;
        let mut answer = client.execute(request).await.map_err(|error| HttpError::from_reqwest(&error))?;
        let status = answer.status();
        let headers = answer.headers().clone();
        let limit = usize::try_from(self.options.max_response).unwrap_or(usize::MAX);
        let mut body = Vec::new();
        // Chunks are counted after decompression, so a bomb is no larger than what it says it is.
        while let Some(chunk) = answer.chunk().await.map_err(|error| HttpError::from_reqwest(&error))? {
            let room = limit - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                if status.is_success() {
                    return Err(HttpError::TooLarge { limit: self.options.max_response });
                }
                // What a refusal says is only shown: its status matters, and its start is enough.
                break;
            }
        }
        Ok(Response { status: status.as_u16(), headers, body })
    }
}

fn build(config: &TransportConfig, options: &ClientOptions, material: &Material) -> Result<reqwest::Client, HttpError> {
    let mut tls = config.tls.client(material)?;
    if config.enable_http2 {
        tls.alpn_protocols.push(b"h2".to_vec());
    }
    tls.alpn_protocols.push(b"http/1.1".to_vec());
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(options.connect_timeout)
        .user_agent(&options.user_agent)
        .redirect(policy(config.redirects))
        .referer(false)
        .gzip(true)
        .pool_idle_timeout(POOL_IDLE)
        .tcp_keepalive(KEEPALIVE)
        .no_proxy();
    if !config.enable_http2 {
        builder = builder.http1_only();
    }
    for proxy in config.proxy.proxies()? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| HttpError::from_reqwest(&error))
}

fn policy(redirects: Redirects) -> redirect::Policy {
    if redirects == Redirects::Refused {
        return redirect::Policy::none();
    }
    redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            return attempt.error("too many redirects");
        }
        let leaves = attempt.previous().first().is_some_and(|first| first.origin() != attempt.url().origin());
        match redirects {
            Redirects::SameHost if leaves => {
                attempt.error("a redirect to another host, which must not see secret headers")
            }
            _ => attempt.follow(),
        }
    })
}
