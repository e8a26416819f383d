//! `http_headers`: what is added to every request.

use std::path::{Path, PathBuf};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::yaml::{Findings, Node, Section};

use super::auth::texts;
use super::{HttpError, Secret, SecretSource};

/// One entry of `http_headers` (contract alertmanager §1.6): all its values are sent, files read at each send.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderConfig {
    pub name: String,
    pub values: Vec<String>,
    pub secrets: Vec<Secret>,
    pub files: Vec<PathBuf>,
}

/// Names that the client or another key sets, in lower case (contract alertmanager §1.6).
const RESERVED: [&str; 18] = [
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

impl HeaderConfig {
    pub(super) fn read_all(node: &Node, name: &str, dir: &Path, findings: &mut Findings) -> Vec<HeaderConfig> {
        let entries = match node.entries() {
            Ok(entries) => entries,
            Err(message) => {
                findings.error(node.position, format!("{name}: {message}"));
                return Vec::new();
            }
        };
        entries.iter().filter_map(|(key, value)| HeaderConfig::read(key, value, name, dir, findings)).collect()
    }

    fn read(key: &Node, value: &Node, name: &str, dir: &Path, findings: &mut Findings) -> Option<HeaderConfig> {
        let header = key.text().unwrap_or_default();
        if RESERVED.contains(&header.to_ascii_lowercase().as_str()) {
            findings.error(key.position, format!("{name}: the header {header:?} is set by other means"));
        } else if HeaderName::from_bytes(header.as_bytes()).is_err() {
            // The peer loads it and fails at each send.
            findings.warning(key.position, format!("{name}: {header:?} is no header name, so nothing can be sent"));
        }
        let mut section = Section::open(value, format!("{name}: {header}"), findings)?;
        let [values, secrets, files] =
            ["values", "secrets", "files"].map(|key| section.read(key, findings, texts).unwrap_or_default());
        if values.iter().chain(&secrets).any(|value| HeaderValue::from_str(value).is_err()) {
            let message = format!("{name}: a value of {header:?} cannot stand in a header, so nothing can be sent");
            findings.warning(value.position, message);
        }
        section.finish(findings);
        Some(HeaderConfig {
            name: header.to_owned(),
            values,
            secrets: secrets.into_iter().map(Secret::new).collect(),
            files: files.into_iter().map(|path| dir.join(path)).collect(),
        })
    }

    /// Whether any of its values is one that another host must not see.
    pub(super) fn is_secret(&self) -> bool {
        !self.secrets.is_empty() || !self.files.is_empty()
    }

    /// Adds all values beside those that are there.
    pub(super) async fn add_to(&self, map: &mut HeaderMap) -> Result<(), HttpError> {
        for value in &self.values {
            let (name, value) = header(&self.name, value)?;
            map.append(name, value);
        }
        for secret in &self.secrets {
            append_secret(map, &self.name, secret)?;
        }
        for path in &self.files {
            let secret = SecretSource::File(path.clone()).read().await?;
            append_secret(map, &self.name, &secret)?;
        }
        Ok(())
    }
}

fn append_secret(map: &mut HeaderMap, name: &str, secret: &Secret) -> Result<(), HttpError> {
    let (name, mut value) = header(name, secret.expose())?;
    value.set_sensitive(true);
    map.append(name, value);
    Ok(())
}

/// A header as the client library wants it; the error names the header, never the value.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HttpError> {
    let parsed_name = HeaderName::from_bytes(name.as_bytes());
    let parsed_name = parsed_name.map_err(|_| HttpError::config(format!("{name:?} is no header name")))?;
    let unsendable = |_| HttpError::config(format!("the value of the header {name} cannot be sent"));
    Ok((parsed_name, HeaderValue::from_str(value).map_err(unsendable)?))
}
