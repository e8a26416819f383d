//! One SMTP dialogue (RFC 5321, 3207, 4954): connect, greet, encrypt, log in, hand over one message. Every step has a
//! deadline of its own, so a server that falls silent is left.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::login::{self, Login};
use super::wire::Wire;

const FAREWELL_TIME: Duration = Duration::from_secs(1);
const MOST_REPLY_LINES: usize = 128;
const LONGEST_REPLY_TEXT: usize = 1024;

/// The server, and how it is spoken to.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// What the client calls itself.
    pub(super) hello: &'a str,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
    pub(super) patience: Patience,
}

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) step: Duration,
    /// Servers scan a message before they take it.
    pub(super) message: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { connect: Duration::from_secs(10), step: Duration::from_secs(20), message: Duration::from_secs(40) }
    }
}

/// When the connection is encrypted.
pub(super) enum Security {
    Never,
    /// By STARTTLS, or not at all.
    StartTls(Arc<ClientConfig>),
    /// From the first byte.
    Implicit(Arc<ClientConfig>),
}

pub(super) struct Envelope<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
}

/// Where a dialogue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Handshake,
    Login,
    From,
    To,
    Data,
    Message,
    Quit,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Connect => "connect",
            Step::Greeting => "greeting",
            Step::Hello => "EHLO",
            Step::StartTls => "STARTTLS",
            Step::Handshake => "TLS handshake",
            Step::Login => "AUTH",
            Step::From => "MAIL",
            Step::To => "RCPT",
            Step::Data => "DATA",
            Step::Message => "message",
            Step::Quit => "QUIT",
        })
    }
}

/// Why a message was not handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum SmtpError {
    #[error("{step}: no answer in time")]
    Timeout { step: Step },
    #[error("{step}: {source}")]
    Io {
        step: Step,
        #[source]
        source: io::Error,
    },
    #[error("{step}: refused with {code}: {text}")]
    Refused { step: Step, code: u16, text: String },
    #[error("{step}: the reply {line:?} is no SMTP")]
    Gibberish { step: Step, line: String },
    #[error("the server offers no STARTTLS, which require_tls asks for")]
    NoStartTls,
    #[error("AUTH: none of the server's mechanisms ({offered}) can be used with what is configured")]
    NoMechanism { offered: String },
    #[error("AUTH: a password is not sent as PLAIN over an unencrypted connection")]
    Unencrypted,
    #[error("the address {address:?} needs SMTPUTF8, which the server does not offer")]
    NoUtf8 { address: String },
    #[error("{name:?} is no name of a server")]
    ServerName { name: String },
}

/// A recipient that the server will not take, while it took others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) address: String,
    pub(super) code: u16,
    pub(super) text: String,
}

/// Hands `message` (ASCII, lines ending in CRLF) over. Returns the recipients that were refused for good while others
/// were taken; a refusal for now, of anyone, stops everything before anything is sent.
///
/// # Errors
/// Nobody got the message; after [`Step::Message`] began it may be that they did.
pub(super) async fn deliver(
    server: &Server<'_>,
    envelope: &Envelope<'_>,
    message: &[u8],
) -> Result<Vec<Refusal>, SmtpError> {
    let mut session = Session::open(server).await?;
    if let (Some(login), Some(offered)) = (&server.login, session.extensions.mechanisms.clone()) {
        login::log_in(&mut session, login, &offered, server.host).await?;
    }
    let refusals = session.envelope(envelope).await?;
    session.command(Step::Data, "DATA", 354).await?;
    session.message(message).await?;
    // The message is theirs; how they take leave is of no interest.
    let _ = tokio::time::timeout(FAREWELL_TIME, session.command(Step::Quit, "QUIT", 221)).await;
    Ok(refusals)
}

/// What EHLO was answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Extensions {
    start_tls: bool,
    eight_bit: bool,
    utf8: bool,
    /// In the server's order; `None` if AUTH is not offered.
    mechanisms: Option<Vec<String>>,
}

impl Extensions {
    fn parse(reply: &Reply) -> Self {
        let mut extensions = Extensions::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("STARTTLS") => extensions.start_tls = true,
                Some("8BITMIME") => extensions.eight_bit = true,
                Some("SMTPUTF8") => extensions.utf8 = true,
                Some("AUTH") => extensions.mechanisms = Some(words.collect()),
                _ => {}
            }
        }
        extensions
    }
}

pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        crate::model::truncate_chars(self.lines.join(" ").trim(), LONGEST_REPLY_TEXT).into_owned()
    }

    pub(super) fn refusal(&self, step: Step) -> SmtpError {
        SmtpError::Refused { step, code: self.code, text: self.text() }
    }
}

pub(super) struct Session {
    wire: Wire,
    extensions: Extensions,
    patience: Patience,
}

impl Session {
    async fn open(server: &Server<'_>) -> Result<Self, SmtpError> {
        let tcp =
            within(Step::Connect, server.patience.connect, TcpStream::connect((server.host, server.port))).await?;
        let extensions = Extensions::default();
        let mut session = Session { wire: Wire::new(tcp), extensions, patience: server.patience };
        if let Security::Implicit(config) = &server.security {
            session.encrypt(config, server.host).await?;
        }
        let greeting = session.reply(Step::Greeting).await?;
        if greeting.code != 220 {
            return Err(greeting.refusal(Step::Greeting));
        }
        session.hello(server.hello).await?;
        if let Security::StartTls(config) = &server.security {
            if !session.extensions.start_tls {
                return Err(SmtpError::NoStartTls);
            }
            session.command(Step::StartTls, "STARTTLS", 220).await?;
            session.encrypt(config, server.host).await?;
            session.hello(server.hello).await?;
        }
        Ok(session)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.wire.is_encrypted()
    }

    async fn encrypt(&mut self, config: &Arc<ClientConfig>, host: &str) -> Result<(), SmtpError> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| SmtpError::ServerName { name: host.to_owned() })?;
        within(Step::Handshake, self.patience.step, self.wire.start_tls(config.clone(), name)).await
    }

    /// EHLO; a server too old for it is greeted with HELO and has no extensions.
    async fn hello(&mut self, name: &str) -> Result<(), SmtpError> {
        let reply = self.exchange(Step::Hello, &format!("EHLO {name}")).await?;
        self.extensions = match reply.code {
            250 => Extensions::parse(&reply),
            500..=599 => {
                self.command(Step::Hello, &format!("HELO {name}"), 250).await?;
                Extensions::default()
            }
            _ => return Err(reply.refusal(Step::Hello)),
        };
        Ok(())
    }

    async fn envelope(&mut self, envelope: &Envelope<'_>) -> Result<Vec<Refusal>, SmtpError> {
        let foreign = envelope.to.iter().map(String::as_str).chain([envelope.from]).find(|address| !address.is_ascii());
        let mut from = format!("MAIL FROM:<{}>", envelope.from);
        if self.extensions.eight_bit {
            from.push_str(" BODY=8BITMIME");
        }
        match foreign {
            Some(_) if self.extensions.utf8 => from.push_str(" SMTPUTF8"),
            Some(address) => return Err(SmtpError::NoUtf8 { address: address.to_owned() }),
            None => {}
        }
        self.command(Step::From, &from, 250).await?;
        let mut refusals = Vec::new();
        for address in envelope.to {
            let reply = self.exchange(Step::To, &format!("RCPT TO:<{address}>")).await?;
            match reply.code {
                250..=259 => {}
                500.. if envelope.to.len() > 1 => {
                    refusals.push(Refusal { address: address.clone(), code: reply.code, text: reply.text() });
                }
                _ => return Err(reply.refusal(Step::To)),
            }
        }
        match refusals.pop() {
            Some(Refusal { code, text, .. }) if refusals.len() + 1 == envelope.to.len() => {
                Err(SmtpError::Refused { step: Step::To, code, text })
            }
            last => {
                refusals.extend(last);
                Ok(refusals)
            }
        }
    }

    async fn message(&mut self, message: &[u8]) -> Result<(), SmtpError> {
        let mut stuffed = Vec::with_capacity(message.len() + 64);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            // A line that is a dot would end the message (RFC 5321 §4.5.2).
            if line.first() == Some(&b'.') {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        stuffed.extend_from_slice(b".\r\n");
        let reply = within(Step::Message, self.patience.message, async {
            self.wire.write_all(&stuffed).await?;
            self.read_reply().await
        })
        .await?
        .map_err(|line| SmtpError::Gibberish { step: Step::Message, line })?;
        if reply.code == 250 { Ok(()) } else { Err(reply.refusal(Step::Message)) }
    }

    /// Sends a line; any other answer than `wanted` is a refusal.
    pub(super) async fn command(&mut self, step: Step, line: &str, wanted: u16) -> Result<(), SmtpError> {
        let reply = self.exchange(step, line).await?;
        if reply.code == wanted { Ok(()) } else { Err(reply.refusal(step)) }
    }

    /// Sends a line and takes the answer, whatever it is.
    pub(super) async fn exchange(&mut self, step: Step, line: &str) -> Result<Reply, SmtpError> {
        debug_assert!(!line.contains(['\r', '\n']), "what is sent was checked to be one line");
        within(step, self.patience.step, self.wire.write_all(format!("{line}\r\n").as_bytes())).await?;
        self.reply(step).await
    }

    async fn reply(&mut self, step: Step) -> Result<Reply, SmtpError> {
        within(step, self.patience.step, self.read_reply()).await?.map_err(|line| SmtpError::Gibberish { step, line })
    }

    /// A reply, or the line that is none.
    async fn read_reply(&mut self) -> io::Result<Result<Reply, String>> {
        let mut lines = Vec::new();
        loop {
            let line = self.wire.read_line().await?;
            let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
            let (Some(code), Some(separator)) = (code.and_then(|code| code.parse().ok()), line.get(3..)) else {
                return Ok(Err(line));
            };
            let more = separator.starts_with('-');
            if lines.len() == MOST_REPLY_LINES || !(more || separator.is_empty() || separator.starts_with(' ')) {
                return Ok(Err(line));
            }
            lines.push(separator.get(1..).unwrap_or_default().to_owned());
            if !more {
                return Ok(Ok(Reply { code, lines }));
            }
        }
    }
}

async fn within<T>(step: Step, limit: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, SmtpError> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(|source| SmtpError::Io { step, source }),
        Err(_) => Err(SmtpError::Timeout { step }),
    }
}
