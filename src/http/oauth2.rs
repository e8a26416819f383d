//! Access tokens by the client credentials grant (RFC 6749 §4.4), kept until shortly before they expire.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use tokio::time::Instant;

use super::transport::{Redirects, Transport, TransportConfig};
use super::{ClientOptions, HttpError, OAuth2, Response, Secret};

/// A token is not used in the last seconds of its life, which it might spend on the way.
const EXPIRY_MARGIN: Duration = Duration::from_secs(10);

/// Where a client gets its tokens.
pub(super) struct TokenSource {
    config: OAuth2,
    url: Url,
    transport: Transport,
    /// Held while a token is fetched, so that a hundred waiting requests fetch one.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Whether the server wants the credentials in the form, which is found out at the first fetch.
    style: Option<Style>,
}

struct Token {
    access: Secret,
    expires: Option<Instant>,
    /// The client secret it was got with: another one means that it was rotated.
    client_secret: Secret,
}

/// Where the client's credentials stand (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Header,
    Form,
}

#[derive(serde::Deserialize)]
struct Grant {
    access_token: String,
    expires_in: Option<serde_json::Value>,
}

impl TokenSource {
    pub(super) fn new(config: OAuth2, options: ClientOptions) -> Result<Self, HttpError> {
        let url = Url::parse(config.token_url.expose()).map_err(|_| HttpError::config("token_url is no URL"))?;
        let transport = TransportConfig {
            tls: config.tls.clone(),
            proxy: config.proxy.clone(),
            enable_http2: true,
            redirects: Redirects::SameHost,
        };
        let transport = Transport::new(transport, options)?;
        Ok(TokenSource { config, url, transport, state: tokio::sync::Mutex::default() })
    }

    /// A token that is good now, fetched if need be.
    pub(super) async fn token(&self) -> Result<Secret, HttpError> {
        let client_secret = match &self.config.client_secret {
            Some(source) => source.read().await?,
            None => Secret::new(""),
        };
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && token.client_secret == client_secret
            && token.expires.is_none_or(|expires| Instant::now() < expires)
        {
            return Ok(token.access.clone());
        }
        let token = self.fetch(&mut state.style, &client_secret).await?;
        let access = token.access.clone();
        state.token = Some(token);
        Ok(access)
    }

    /// Forgets a token that a server refused.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| token.access == *refused) {
            state.token = None;
        }
    }

    async fn fetch(&self, style: &mut Option<Style>, client_secret: &Secret) -> Result<Token, HttpError> {
        let asked = Instant::now();
        let first = style.unwrap_or(Style::Header);
        let mut answer = self.ask(first, client_secret).await?;
        let mut used = first;
        if style.is_none() && (400..500).contains(&answer.status) && answer.status != 429 {
            used = Style::Form;
            answer = self.ask(used, client_secret).await?;
        }
        if !answer.is_success() {
            return Err(HttpError::Token { status: Some(answer.status), detail: refusal(&answer) });
        }
        let unusable = |detail: &str| HttpError::Token { status: Some(answer.status), detail: detail.to_owned() };
        let grant: Grant = serde_json::from_slice(&answer.body)
            .map_err(|_| unusable("the authorization server's answer holds none"))?;
        if grant.access_token.is_empty() {
            return Err(unusable("the authorization server's answer holds none"));
        }
        *style = Some(used);
        // Some servers write the number as a string.
        let lifetime = grant.expires_in.and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()));
        let lifetime =
            lifetime.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|life| !life.is_zero());
        let expires = lifetime.and_then(|life| asked.checked_add(life.saturating_sub(EXPIRY_MARGIN)));
        Ok(Token { access: Secret::new(grant.access_token), expires, client_secret: client_secret.clone() })
    }

    async fn ask(&self, style: Style, client_secret: &Secret) -> Result<Response, HttpError> {
        self.transport.exchange(self.request(style, client_secret)?).await
    }

    fn request(&self, style: Style, client_secret: &Secret) -> Result<reqwest::Request, HttpError> {
        let OAuth2 { client_id, scopes, endpoint_params, .. } = &self.config;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scopes.is_empty() {
            form.append_pair("scope", &scopes.join(" "));
        }
        form.extend_pairs(endpoint_params);
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        match style {
            Style::Header => {
                let credentials = format!("{}:{}", encode(client_id), encode(client_secret.expose()));
                let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(credentials)))
                    .map_err(|_| HttpError::config("client_id or client_secret cannot be sent"))?;
                value.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            Style::Form => {
                form.append_pair("client_id", client_id);
                form.append_pair("client_secret", client_secret.expose());
            }
        }
        *request.body_mut() = Some(form.finish().into());
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, content_type);
        Ok(request)
    }
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The error code of RFC 6749 §5.2, and nothing else: the rest of the body may repeat what was sent.
fn refusal(answer: &Response) -> String {
    let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    match body.as_ref().and_then(|body| body.get("error")?.as_str()) {
        Some(code) => {
            format!("the authorization server answered {}: {}", answer.status, crate::model::truncate_chars(code, 100))
        }
        None => format!("the authorization server answered {}", answer.status),
    }
}
