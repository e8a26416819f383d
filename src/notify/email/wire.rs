//! The byte stream under an SMTP dialogue: plain at first or for good, TLS from some point on. The dialogue takes turns,
//! so the stream does too: nothing is read while something is written.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A reply line may be this long; RFC 5321 §4.5.3.1.5 has 512, and some servers are wordier.
const LONGEST_LINE: usize = 4096;

pub(super) struct Wire {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// What has come in and was not taken yet, decrypted.
    received: Vec<u8>,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Wire { tcp, tls: None, received: Vec::new() }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Shakes hands; from here on all is encrypted.
    ///
    /// # Errors
    /// The connection breaks, or the peer is not to be trusted.
    pub(super) async fn start_tls(&mut self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<()> {
        // What came before the handshake is not authentic, and must not be read as if it had come after it.
        if !self.received.is_empty() {
            return Err(invalid("the server sent more than its reply before the handshake"));
        }
        let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        self.tls = Some(Box::new(tls));
        self.flush().await?;
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            self.fill().await?;
        }
        Ok(())
    }

    pub(super) async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.tls.is_none() {
            return self.tcp.write_all(bytes).await;
        }
        // The TLS side buffers only so much at once.
        while let (Some(tls), false) = (&mut self.tls, bytes.is_empty()) {
            let taken = tls.writer().write(bytes)?;
            bytes = &bytes[taken..];
            self.flush().await?;
        }
        Ok(())
    }

    /// The next line, without its end.
    pub(super) async fn read_line(&mut self) -> io::Result<String> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.received[searched..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=searched + at).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            searched = self.received.len();
            if searched > LONGEST_LINE {
                return Err(invalid("the server's line does not end"));
            }
            self.fill().await?;
        }
    }

    /// Waits for bytes and decrypts them.
    async fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = self.tcp.read(&mut buffer).await?;
        if read == 0 {
            return Err(closed());
        }
        let Some(tls) = &mut self.tls else {
            self.received.extend_from_slice(&buffer[..read]);
            return Ok(());
        };
        let mut rest = &buffer[..read];
        let mut outcome = Ok(());
        while !rest.is_empty() && outcome.is_ok() {
            if tls.read_tls(&mut rest)? == 0 {
                outcome = Err(closed());
                break;
            }
            match tls.process_new_packets() {
                Ok(state) => {
                    let start = self.received.len();
                    self.received.resize(start + state.plaintext_bytes_to_read(), 0);
                    tls.reader().read_exact(&mut self.received[start..])?;
                    if state.peer_has_closed() && self.received.is_empty() {
                        outcome = Err(closed());
                    }
                }
                Err(error) => outcome = Err(io::Error::other(error)),
            }
        }
        // Also after a failure: the peer is told of it by an alert.
        self.flush().await?;
        outcome
    }

    async fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut out = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut out)?;
        }
        self.tcp.write_all(&out).await
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}
