//! `email_configs` (contract alertmanager §1.7).

use std::collections::BTreeMap;

use crate::http::{SecretSource, TlsConfig};

use super::HostPort;

/// One email integration, completed from the globals. Texts marked T are templates.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailConfig {
    /// T; a comma-separated list of addresses.
    pub to: String,
    /// T; one address.
    pub from: String,
    pub smarthost: HostPort,
    /// The name for EHLO; empty: none is set by hand.
    pub hello: String,
    /// Empty: no authentication.
    pub auth_username: String,
    pub auth_identity: String,
    /// For PLAIN and LOGIN.
    pub auth_password: Option<SecretSource>,
    /// For CRAM-MD5.
    pub auth_secret: Option<SecretSource>,
    /// Canonical names and T values; always has `Subject`, `To` and `From`.
    pub headers: BTreeMap<String, String>,
    /// T; empty: no HTML part.
    pub html: String,
    /// T; empty: no text part.
    pub text: String,
    /// STARTTLS or nothing, where TLS is not implicit.
    pub require_tls: bool,
    pub tls: TlsConfig,
    /// Unset: by the port, see [`EmailConfig::implicit_tls`].
    pub force_implicit_tls: Option<bool>,
    pub threading: Option<Threading>,
}

/// What messages of a group are gathered under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threading {
    /// One thread a group: `thread_by_date: none`.
    Group,
    /// One thread a group and local day: `thread_by_date: daily`.
    GroupAndDay,
}

impl EmailConfig {
    /// Whether the connection starts with TLS (contract alertmanager §8.6, connect).
    pub fn implicit_tls(&self) -> bool {
        self.force_implicit_tls.unwrap_or(self.smarthost.port == "465")
    }
}
