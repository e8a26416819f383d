//! SMTP AUTH (RFC 4954): the mechanisms are tried in the server's order, and the first that can be used is used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::http::Secret;

use super::cram;
use super::smtp::{Session, SmtpError, Step};

/// Rounds that a server may ask for before it is taken to be talking in circles.
const MOST_CHALLENGES: usize = 8;

pub(super) struct Login {
    pub(super) username: String,
    /// Whom to act as; empty for oneself.
    pub(super) identity: String,
    /// For PLAIN and LOGIN.
    pub(super) password: Option<Secret>,
    /// For CRAM-MD5.
    pub(super) secret: Option<Secret>,
}

enum Mechanism<'a> {
    CramMd5(&'a Secret),
    Plain(&'a Secret),
    Login(&'a Secret),
}

impl Login {
    fn mechanism<'a>(&'a self, offered: &[String]) -> Option<Mechanism<'a>> {
        offered.iter().find_map(|name| match name.as_str() {
            "CRAM-MD5" => self.secret.as_ref().map(Mechanism::CramMd5),
            "PLAIN" => self.password.as_ref().map(Mechanism::Plain),
            "LOGIN" => self.password.as_ref().map(Mechanism::Login),
            _ => None,
        })
    }
}

pub(super) async fn log_in(
    session: &mut Session,
    login: &Login,
    offered: &[String],
    host: &str,
) -> Result<(), SmtpError> {
    let mechanism = login.mechanism(offered).ok_or_else(|| SmtpError::NoMechanism { offered: offered.join(" ") })?;
    let mut line = match mechanism {
        Mechanism::CramMd5(_) => "AUTH CRAM-MD5".to_owned(),
        Mechanism::Login(_) => "AUTH LOGIN".to_owned(),
        Mechanism::Plain(_) if !session.is_encrypted() && !is_local(host) => return Err(SmtpError::Unencrypted),
        Mechanism::Plain(password) => {
            let proof = format!("{}\0{}\0{}", login.identity, login.username, password.expose());
            format!("AUTH PLAIN {}", BASE64.encode(proof))
        }
    };
    for round in 0..MOST_CHALLENGES {
        let reply = session.exchange(Step::Login, &line).await?;
        if reply.code == 235 {
            return Ok(());
        }
        if reply.code != 334 {
            return Err(reply.refusal(Step::Login));
        }
        let challenge = BASE64.decode(reply.text()).unwrap_or_default();
        let answer = match &mechanism {
            Mechanism::CramMd5(secret) => cram::answer(&login.username, secret.expose(), &challenge),
            Mechanism::Login(password) if wants_password(&challenge, round) => password.expose().to_owned(),
            Mechanism::Login(_) => login.username.clone(),
            // All was said in the first line.
            Mechanism::Plain(_) => return Err(reply.refusal(Step::Login)),
        };
        line = BASE64.encode(answer);
    }
    Err(SmtpError::Gibberish { step: Step::Login, line: "334 (again)".to_owned() })
}

/// What a LOGIN challenge asks for: mostly `Username:` and then `Password:`, which not every server spells so.
fn wants_password(challenge: &[u8], round: usize) -> bool {
    let text = String::from_utf8_lossy(challenge).to_lowercase();
    text.contains("pass") || (round > 0 && !text.contains("user"))
}

fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}
