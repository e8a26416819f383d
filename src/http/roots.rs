//! The system's trusted roots, from the places where the distributions keep them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// One of these bundles is on every distribution that has any.
const BUNDLES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",                            // openSUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7 and later
    "/etc/ssl/cert.pem",                                 // Alpine, macOS, OpenBSD
    "/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD
    "/etc/pki/tls/cacert.pem",                           // OpenELEC
];

/// The roots that the system trusts, read once. `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the bundle, as they
/// do for OpenSSL and Go. May be empty, in a bare container: then every certificate is of an unknown issuer.
pub(super) fn system() -> Arc<RootCertStore> {
    static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| Arc::new(read()));
    ROOTS.clone()
}

fn read() -> RootCertStore {
    let mut certificates = HashSet::new();
    let file = std::env::var_os("SSL_CERT_FILE");
    let dirs = std::env::var_os("SSL_CERT_DIR");
    if let Some(file) = &file {
        certificates.extend(bundle(Path::new(file)));
    }
    for dir in dirs.iter().flat_map(std::env::split_paths) {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        certificates.extend(entries.flat_map(|entry| bundle(&entry.path())));
    }
    if file.is_none() && dirs.is_none() {
        let first = BUNDLES.iter().map(|path| bundle(Path::new(path))).find(|found| !found.is_empty());
        certificates.extend(first.unwrap_or_default());
    }
    let mut store = RootCertStore::empty();
    let (added, ignored) = store.add_parsable_certificates(certificates);
    tracing::debug!(added, ignored, "system roots read");
    store
}

fn bundle(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).map(|found| found.flatten().collect()).unwrap_or_default()
}
