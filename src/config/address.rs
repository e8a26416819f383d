//! The address that Belfry listens on.

use std::fmt;

/// `host:port`: a name or a number; an empty host is every address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

impl ListenAddress {
    /// Reads `127.0.0.1:9095`, `[::1]:9095`, `localhost:9095` or `:9095`.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("not an address: {text:?}, write it as 127.0.0.1:9095, [::1]:9095 or :9095");
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) if inner.parse::<std::net::Ipv6Addr>().is_ok() => inner,
            None if !host.contains([':', '[', ']', '/', ' ', '@']) => host,
            _ => return Err(invalid()),
        };
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let port = port.parse().map_err(|_| format!("port {port} is out of range"))?;
        Ok(ListenAddress { host: host.to_owned(), port })
    }

    /// What to bind: an empty host becomes `0.0.0.0`. A name is resolved by whoever binds.
    pub fn bind(&self) -> (&str, u16) {
        (if self.host.is_empty() { "0.0.0.0" } else { &self.host }, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

/// `127.0.0.1:9095`.
impl Default for ListenAddress {
    fn default() -> Self {
        ListenAddress { host: "127.0.0.1".to_owned(), port: 9095 }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_were_written() {
        for text in ["127.0.0.1:9095", "[::1]:80", ":9095", "belfry.internal:0"] {
            assert_eq!(ListenAddress::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ListenAddress::parse(":9095").unwrap().bind(), ("0.0.0.0", 9095));
        assert_eq!(ListenAddress::parse("[::1]:80").unwrap().bind(), ("::1", 80));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "9095",
            "localhost",
            "::1:80",
            "[::1]",
            "localhost:",
            "localhost:http",
            "http://x:80",
            "x:99999",
            "x:+80",
        ] {
            assert!(ListenAddress::parse(text).is_err(), "{text}");
        }
    }
}
