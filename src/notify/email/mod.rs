//! Email over SMTP (contract alertmanager §8.6).
//!
//! `content` says what a notification looks like as a message, `message` writes it in bytes, `smtp` hands it over.

mod address;
mod content;
mod cram;
mod login;
mod message;
mod smtp;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::http::{HttpError, Secret, SecretSource};
use crate::model::{Attempt, FailureReason, Integration, Notification};

use super::config::EmailConfig;
use super::render::Context;
use super::verdict::{delivered, no_answer, rejected, retry, unanswered};

use content::Mail;
use login::Login;
use smtp::{Envelope, Patience, Security, Server, SmtpError, Step};

/// A list of recipients behind a mail server.
pub(super) struct Email {
    config: Arc<EmailConfig>,
    context: Context,
    /// The right-hand side of message ids.
    host_name: Arc<str>,
    patience: Patience,
}

impl Email {
    pub(super) fn new(config: EmailConfig, context: Context) -> Self {
        Email { config: Arc::new(config), context, host_name: content::host_name(), patience: Patience::default() }
    }

    async fn send(&self, notification: &Notification) -> Result<(), Attempt> {
        let (config, host_name, now) = (self.config.clone(), self.host_name.clone(), self.context.clock.now());
        let Mail { from, to, message } = self
            .context
            .render(notification, move |renderer| content::mail(&config, &host_name, now, renderer))
            .await?;
        let unusable = |error: HttpError| no_answer(&error, None);
        let server = Server {
            host: match self.config.smarthost.host.as_str() {
                "" => "localhost",
                host => host,
            },
            port: port(&self.config.smarthost.port)?,
            hello: match self.config.hello.as_str() {
                "" => "localhost",
                hello => hello,
            },
            security: self.security().await.map_err(unusable)?,
            login: self.login().await.map_err(unusable)?,
            patience: self.patience,
        };
        let refusals = smtp::deliver(&server, &Envelope { from: &from, to: &to }, &message)
            .await
            .map_err(|error| verdict(&error))?;
        for refusal in refusals {
            tracing::warn!(
                integration = %notification.integration,
                address = refusal.address,
                code = refusal.code,
                answer = refusal.text,
                "the mail server took the notification, but not for this recipient"
            );
        }
        Ok(())
    }

    async fn security(&self) -> Result<Security, HttpError> {
        let implicit = self.config.implicit_tls();
        if !implicit && !self.config.require_tls {
            return Ok(Security::Never);
        }
        let config = self.config.clone();
        // Certificates are files.
        let tls = tokio::task::spawn_blocking(move || config.tls.rustls()).await;
        let tls = Arc::new(tls.map_err(|error| HttpError::Other { detail: error.to_string() })??);
        Ok(if implicit { Security::Implicit(tls) } else { Security::StartTls(tls) })
    }

    async fn login(&self) -> Result<Option<Login>, HttpError> {
        let config = &self.config;
        if config.auth_username.is_empty() {
            return Ok(None);
        }
        Ok(Some(Login {
            username: config.auth_username.clone(),
            identity: config.auth_identity.clone(),
            password: read(&config.auth_password).await?,
            secret: read(&config.auth_secret).await?,
        }))
    }
}

impl Integration for Email {
    fn attempt<'a>(&'a self, notification: &'a Notification) -> BoxFuture<'a, Attempt> {
        Box::pin(async move { self.send(notification).await.err().unwrap_or_else(delivered) })
    }
}

async fn read(source: &Option<SecretSource>) -> Result<Option<Secret>, HttpError> {
    match source {
        Some(source) => Ok(Some(source.read().await?).filter(|secret| !secret.is_empty())),
        None => Ok(None),
    }
}

/// A port by its number, or by the name of a mail service.
fn port(text: &str) -> Result<u16, Attempt> {
    match text {
        "smtp" | "mail" => Ok(25),
        "submission" => Ok(587),
        "smtps" | "submissions" | "urd" => Ok(465),
        _ => text.parse().map_err(|_| {
            rejected(
                FailureReason::Other,
                format!("smarthost: {text:?} is neither a port nor the name of a mail service"),
            )
        }),
    }
}

/// The verdict on a dialogue that failed. What the server refuses for good (5xx) is not repeated; all else may have been
/// a bad moment. The reasons are those of HTTP's classes by meaning: for good is the client's, for now the server's.
fn verdict(error: &SmtpError) -> Attempt {
    let detail = error.to_string();
    match error {
        SmtpError::Timeout { step: Step::Message } => unanswered(FailureReason::ContextDeadlineExceeded, detail),
        SmtpError::Io { step: Step::Message, .. } | SmtpError::Gibberish { step: Step::Message, .. } => {
            unanswered(FailureReason::Other, detail)
        }
        SmtpError::Timeout { .. } => retry(FailureReason::ContextDeadlineExceeded, detail),
        SmtpError::Refused { step: Step::Login, code: 500.., .. } | SmtpError::Refused { code: 530 | 535, .. } => {
            rejected(FailureReason::AuthError, detail)
        }
        SmtpError::Refused { code: 500.., .. } => rejected(FailureReason::ClientError, detail),
        SmtpError::Refused { step: Step::Login, .. } | SmtpError::NoMechanism { .. } | SmtpError::Unencrypted => {
            retry(FailureReason::AuthError, detail)
        }
        SmtpError::Refused { code: 400.., .. } => retry(FailureReason::ServerError, detail),
        SmtpError::Refused { .. } | SmtpError::Io { .. } | SmtpError::Gibberish { .. } | SmtpError::NoStartTls => {
            retry(FailureReason::Other, detail)
        }
        SmtpError::NoUtf8 { .. } | SmtpError::ServerName { .. } => rejected(FailureReason::Other, detail),
    }
}
