//! Secrets, and where they come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::yaml::{Findings, Node, Section};

use super::HttpError;

/// A text that is shown as `<secret>` wherever it is printed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Secret(text.into())
    }

    /// The text itself: for the wire only, never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A secret written into the configuration, or a file that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    Inline(Secret),
    File(PathBuf),
}

impl SecretSource {
    /// The secret as it is now, trimmed (contract alertmanager §1.1, file references).
    ///
    /// # Errors
    /// The file cannot be read, or is no UTF-8.
    pub async fn read(&self) -> Result<Secret, HttpError> {
        match self {
            SecretSource::Inline(secret) => Ok(secret.clone()),
            SecretSource::File(path) => trimmed(tokio::fs::read_to_string(path).await, path),
        }
    }

    /// The same for callers that may block: while files are checked, or on a thread of their own.
    ///
    /// # Errors
    /// The file cannot be read, or is no UTF-8.
    pub fn read_blocking(&self) -> Result<Secret, HttpError> {
        match self {
            SecretSource::Inline(secret) => Ok(secret.clone()),
            SecretSource::File(path) => trimmed(std::fs::read_to_string(path), path),
        }
    }

    /// Reads `[x, x_file, x_ref]`, of which one may be given; the empty text counts as not given. References need a
    /// secret manager, which there is none of.
    pub(super) fn take(
        section: &mut Section<'_>,
        [inline, file, reference]: [&'static str; 3],
        dir: &Path,
        findings: &mut Findings,
    ) -> Option<SecretSource> {
        let nodes = [inline, file, reference].map(|key| section.some(key));
        let texts = nodes.map(|node| given(node, findings, section.name()));
        let mut named = texts.iter().zip(nodes).filter_map(|(text, node)| text.as_ref().and(node));
        if let (Some(_), Some(second)) = (named.next(), named.next()) {
            let message = format!("{}: at most one of {inline}, {file} and {reference} may be given", section.name());
            findings.error(second.position, message);
        }
        let [inline_text, file_text, reference_text] = texts;
        if let (Some(_), Some(node)) = (reference_text, nodes[2]) {
            let message = format!("{}: {reference}: there is no secret manager to take it from", section.name());
            findings.error_with_help(node.position, message, format!("use {file}"));
        }
        match (inline_text, file_text) {
            (Some(text), _) => Some(SecretSource::Inline(Secret::new(text))),
            (None, Some(path)) => Some(SecretSource::File(dir.join(path))),
            (None, None) => None,
        }
    }
}

/// A key's text unless it is absent, null or empty.
pub(super) fn given<'a>(node: Option<&'a Node>, findings: &mut Findings, name: &str) -> Option<&'a str> {
    let node = node?;
    match node.text() {
        Ok("") => None,
        Ok(text) => Some(text),
        Err(message) => {
            findings.error(node.position, format!("{name}: {message}"));
            None
        }
    }
}

fn trimmed(content: std::io::Result<String>, path: &Path) -> Result<Secret, HttpError> {
    match content {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(source) => Err(HttpError::SecretFile { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", SecretSource::Inline(secret.clone())),
            "<secret> <secret> Inline(<secret>)"
        );
        assert_eq!(secret.expose(), "hunter2");
    }

    #[tokio::test]
    async fn a_secret_file_is_read_anew_and_trimmed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let source = SecretSource::File(path.clone());
        assert!(matches!(source.read().await, Err(HttpError::SecretFile { .. })));
        for token in ["one", "two"] {
            std::fs::write(&path, format!(" {token}\n")).unwrap();
            assert_eq!(source.read().await.unwrap().expose(), token);
            assert_eq!(source.read_blocking().unwrap().expose(), token);
        }
    }
}
