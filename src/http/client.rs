//! The client: authorization, headers and a deadline around the pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::headers::header;
use super::oauth2::TokenSource;
use super::transport::{Redirects, Transport, TransportConfig};
use super::{Authorization, HeaderConfig, HttpConfig, HttpError, Request, Response, Secret, SecretSource};

/// Bounds and manners of a client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// For the whole exchange, from reading secrets to the last byte of the answer.
    pub timeout: Duration,
    pub connect_timeout: Duration,
    /// In bytes, counted after decompression.
    pub max_response: u64,
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_response: 10 << 20,
            user_agent: concat!("Belfry/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Sends requests as an [`HttpConfig`] says. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    config: HttpConfig,
    options: ClientOptions,
    transport: Transport,
    tokens: Option<TokenSource>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.shared.config).field("options", &self.shared.options).finish()
    }
}

/// The `Authorization` of one request.
enum Proof {
    None,
    Value(Secret),
    /// A token that is forgotten if it is refused.
    Token(Secret),
}

impl Client {
    /// Makes the pool. Reads certificate files once, to find what cannot work early.
    ///
    /// # Errors
    /// What is configured cannot work, or a file cannot be read.
    pub fn new(config: &HttpConfig, options: ClientOptions) -> Result<Client, HttpError> {
        // Whoever came first installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let redirects = match config.follow_redirects {
            false => Redirects::Refused,
            true if config.headers.iter().any(HeaderConfig::is_secret) => Redirects::SameHost,
            true => Redirects::Anywhere,
        };
        let transport = TransportConfig {
            tls: config.tls.clone(),
            proxy: config.proxy.clone(),
            enable_http2: config.enable_http2,
            redirects,
        };
        let transport = Transport::new(transport, options.clone())?;
        let tokens = match &config.authorization {
            Some(Authorization::OAuth2(oauth2)) => Some(TokenSource::new((**oauth2).clone(), options.clone())?),
            _ => None,
        };
        Ok(Client { shared: Arc::new(Shared { config: config.clone(), options, transport, tokens }) })
    }

    /// One exchange, under one deadline. Any status is an answer, not an error.
    ///
    /// # Errors
    /// There is no whole answer: see [`HttpError`].
    pub async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let deadline = request.timeout.unwrap_or(self.shared.options.timeout);
        tokio::time::timeout(deadline, self.shared.send(request)).await.unwrap_or(Err(HttpError::Timeout))
    }
}

impl Shared {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let mut url = Url::parse(request.url.expose()).map_err(|_| HttpError::config("not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpError::config(format!("cannot send to a URL of scheme {}", url.scheme())));
        }
        if !request.query.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &request.query {
                query.append_pair(name, value.expose());
            }
        }
        let user = user_info(&mut url);

        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let (name, mut value) = header(name, value.expose())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        for configured in &self.config.headers {
            configured.add_to(&mut headers).await?;
        }
        let proof = match (headers.contains_key(AUTHORIZATION), user) {
            (true, _) => Proof::None,
            (false, Some(user)) if self.config.authorization.is_none() => Proof::Value(user),
            (false, _) => self.proof().await?,
        };
        match &proof {
            Proof::None => {}
            Proof::Value(value) => insert_sensitive(&mut headers, value.expose())?,
            Proof::Token(token) => insert_sensitive(&mut headers, &format!("Bearer {}", token.expose()))?,
        }

        let mut wire = reqwest::Request::new(request.method, url);
        if let Some((content_type, bytes)) = request.body {
            let (_, value) = header("content-type", &content_type)?;
            headers.entry(CONTENT_TYPE).or_insert(value);
            *wire.body_mut() = Some(bytes.into());
        }
        *wire.headers_mut() = headers;
        let answer = self.transport.exchange(wire).await?;
        if let (401, Proof::Token(token), Some(tokens)) = (answer.status, &proof, &self.tokens) {
            tokens.forget(token).await;
        }
        Ok(answer)
    }

    async fn proof(&self) -> Result<Proof, HttpError> {
        match &self.config.authorization {
            None => Ok(Proof::None),
            Some(Authorization::Basic { username, password }) => {
                let (username, password) = (read(username).await?, read(password).await?);
                Ok(Proof::Value(basic(username.expose(), password.expose())))
            }
            Some(Authorization::Header { scheme, credentials }) => {
                let credentials = read(credentials).await?;
                Ok(Proof::Value(Secret::new(format!("{scheme} {}", credentials.expose()).trim_end())))
            }
            Some(Authorization::OAuth2(_)) => match &self.tokens {
                Some(tokens) => Ok(Proof::Token(tokens.token().await?)),
                None => Ok(Proof::None),
            },
        }
    }
}

async fn read(source: &Option<SecretSource>) -> Result<Secret, HttpError> {
    match source {
        Some(source) => source.read().await,
        None => Ok(Secret::new("")),
    }
}

fn basic(username: &str, password: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// Takes `user:password@` out of a URL and makes a header of it.
fn user_info(url: &mut Url) -> Option<Secret> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let value = basic(&decode(url.username()), &decode(url.password().unwrap_or_default()));
    // Neither fails for a URL that has a host, and only such a one has user information.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(value)
}

fn insert_sensitive(headers: &mut HeaderMap, value: &str) -> Result<(), HttpError> {
    let mut value =
        HeaderValue::from_str(value).map_err(|_| HttpError::config("the credentials cannot stand in a header"))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}
