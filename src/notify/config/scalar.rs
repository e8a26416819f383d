//! The scalar types of contract alertmanager §1.1.

use std::fmt;
use std::sync::Arc;

/// An absolute `http` or `https` URL with a host, as it was written.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Arc<str>);

/// `host:25`, `:25`, `[::1]:25`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Without brackets; may be empty.
    pub host: String,
    /// A number, or a service's name; never empty.
    pub port: String,
}

impl HttpUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `host:port`, with brackets around a host that has colons.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
