//! Outgoing HTTP: `http_config` and `tls_config` as the peers' files have them, and a client that keeps a deadline for
//! the whole exchange, a limit on what it reads, and its mouth shut about secrets.
//!
//! Knows nothing of what is sent to whom, and never retries: its callers decide that.
//! **Invariants:** no message of this room holds a path, a query string, user information or a secret; secret files are
//! read at every send, so a rotated secret works without a reload.

mod auth;
mod client;
mod config;
mod error;
mod headers;
mod oauth2;
mod proxy;
mod request;
mod roots;
mod secret;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod verify;

pub use auth::{Authorization, OAuth2};
pub use client::{Client, ClientOptions};
pub use config::HttpConfig;
pub use error::{HttpError, redact};
pub use headers::HeaderConfig;
pub use proxy::ProxyConfig;
pub use request::{Request, Response};
pub use secret::{Secret, SecretSource};
pub use tls::{Identity, TlsConfig, TlsVersion};
