//! `tls_config`, and the TLS client made of it.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::yaml::{Findings, Node, Section};

use super::{HttpError, Secret, SecretSource, roots, verify};

/// Whom to trust and who to be (contract alertmanager §1.6).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TlsConfig {
    /// In place of the system's roots.
    pub ca: Option<SecretSource>,
    pub identity: Option<Identity>,
    /// The name that the peer's certificate must bear, if it is not the URL's. (The name announced on the wire stays the
    /// URL's.)
    pub server_name: Option<String>,
    pub insecure_skip_verify: bool,
    pub min_version: Option<TlsVersion>,
    pub max_version: Option<TlsVersion>,
}

/// A client certificate (with its chain) and its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub certificate: SecretSource,
    pub key: SecretSource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// The texts that a TLS client is made of, as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Material {
    ca: Option<Secret>,
    identity: Option<(Secret, Secret)>,
}

impl TlsConfig {
    /// Reads a section that findings call `what`; null gives the defaults. Relative paths start at `dir`.
    pub fn read(node: &Node, what: &str, dir: &Path, findings: &mut Findings) -> Option<TlsConfig> {
        let mut section = Section::open(node, what, findings)?;
        let ca = SecretSource::take(&mut section, ["ca", "ca_file", "ca_ref"], dir, findings);
        let certificate = SecretSource::take(&mut section, ["cert", "cert_file", "cert_ref"], dir, findings);
        let key = SecretSource::take(&mut section, ["key", "key_file", "key_ref"], dir, findings);
        let server_name = section.text("server_name", findings).filter(|name| !name.is_empty());
        let insecure_skip_verify = section.boolean("insecure_skip_verify", findings).unwrap_or(false);
        let min_version = version(&mut section, "min_version", "", findings);
        let no_connection = ", so no connection will come about";
        let max_node = section.some("max_version");
        let max_version = version(&mut section, "max_version", no_connection, findings);
        if let (Some(node), Some(min), Some(max)) = (max_node, min_version, max_version)
            && max < min
        {
            findings.error(node.position, format!("{what}: max_version is below min_version"));
        }
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (None, None) => None,
            (Some(_), None) => {
                findings.error(section.position(), format!("{what}: a certificate needs a key"));
                None
            }
            (None, Some(_)) => {
                findings.error(section.position(), format!("{what}: a key needs a certificate"));
                None
            }
        };
        section.finish(findings);
        Some(TlsConfig { ca, identity, server_name, insecure_skip_verify, min_version, max_version })
    }

    /// The TLS client for new connections, from the files as they are now. Blocks on them.
    ///
    /// # Errors
    /// A file cannot be read, or holds no certificate or key.
    pub fn rustls(&self) -> Result<ClientConfig, HttpError> {
        self.client(&self.material()?)
    }

    pub(super) fn has_files(&self) -> bool {
        let identity = self.identity.iter().flat_map(|identity| [&identity.certificate, &identity.key]);
        self.ca.iter().chain(identity).any(|source| matches!(source, SecretSource::File(_)))
    }

    /// Reads what is in files. Blocks.
    pub(super) fn material(&self) -> Result<Material, HttpError> {
        let ca = self.ca.as_ref().map(SecretSource::read_blocking).transpose()?;
        let identity = match &self.identity {
            Some(Identity { certificate, key }) => Some((certificate.read_blocking()?, key.read_blocking()?)),
            None => None,
        };
        Ok(Material { ca, identity })
    }

    pub(super) fn client(&self, material: &Material) -> Result<ClientConfig, HttpError> {
        let roots = match &material.ca {
            Some(pem) => Arc::new(root_store(pem)?),
            None => roots::system(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| HttpError::config(error.to_string()))?;
        let builder = if self.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verify::AnyCertificate::new(provider)))
        } else if let Some(name) = &self.server_name {
            let name = ServerName::try_from(name.clone())
                .map_err(|_| HttpError::config(format!("server_name {name:?} is no name of a server")))?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verify::NamedServer::new(name, roots, provider)?))
        } else {
            builder.with_root_certificates(roots)
        };
        match &material.identity {
            None => Ok(builder.with_no_client_auth()),
            Some((certificate, key)) => {
                let chain = certificates(certificate, "cert")?;
                let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                    .map_err(|_| HttpError::config("key holds no private key in PEM form"))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| HttpError::config(format!("cert and key: {error}")))
            }
        }
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, HttpError> {
        let spoken = [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];
        let wanted = |version| {
            self.min_version.is_none_or(|min| version >= min) && self.max_version.is_none_or(|max| version <= max)
        };
        let versions: Vec<_> =
            spoken.into_iter().filter(|(version, _)| wanted(*version)).map(|(_, spoken)| spoken).collect();
        match versions.is_empty() {
            true => {
                Err(HttpError::config("max_version allows only versions of TLS older than 1.2, which are not spoken"))
            }
            false => Ok(versions),
        }
    }
}

fn version(
    section: &mut Section<'_>,
    key: &'static str,
    consequence: &str,
    findings: &mut Findings,
) -> Option<TlsVersion> {
    let node = section.some(key)?;
    let version = section.read(key, findings, |node| match node.text()? {
        "TLS10" => Ok(TlsVersion::Tls10),
        "TLS11" => Ok(TlsVersion::Tls11),
        "TLS12" => Ok(TlsVersion::Tls12),
        "TLS13" => Ok(TlsVersion::Tls13),
        other => Err(format!("{other:?} is none of TLS10, TLS11, TLS12 and TLS13")),
    })?;
    if version < TlsVersion::Tls12 {
        let message = format!("{}: {key}: TLS 1.2 is the oldest that is spoken{consequence}", section.name());
        findings.warning(node.position, message);
    }
    Some(version)
}

fn root_store(pem: &Secret) -> Result<RootCertStore, HttpError> {
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates(pem, "ca")?);
    match added {
        0 => Err(HttpError::config("ca holds no usable certificate")),
        _ => Ok(store),
    }
}

fn certificates(pem: &Secret, key: &str) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose().as_bytes()).collect();
    match parsed {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(HttpError::config(format!("{key} holds no certificate in PEM form"))),
    }
}
