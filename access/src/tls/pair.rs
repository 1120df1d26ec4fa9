//! A certificate chain and its key, as PEM files hold them.

use super::expiry::not_after;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{Error as Pem, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// Where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The door's certificate, then those between it and a root, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM: PKCS#8, SEC 1 or PKCS#1, without a password.
    pub key: PathBuf,
}

/// What stands in the files.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Text {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A pair that fits together.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    /// Seconds since 1970.
    pub(super) expires: i64,
}

impl Files {
    pub(super) fn read(&self) -> Result<Text, String> {
        let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()));
        Ok(Text { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }
}

impl Pair {
    pub(super) fn new(files: &Files, text: &Text) -> Result<Pair, String> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let chain = CertificateDer::pem_slice_iter(&text.certificate).collect::<Result<Vec<_>, Pem>>();
        let chain = chain.map_err(|e| format!("{certificate} is not PEM: {e}"))?;
        let first = chain.first().ok_or_else(|| {
            format!(
                "{certificate} has no certificate; it must hold -----BEGIN CERTIFICATE----- sections, the door's first"
            )
        })?;
        let expires = not_after(first).ok_or_else(|| format!("the first certificate of {certificate} is not X.509"))?;
        let secret = PrivateKeyDer::from_pem_slice(&text.key).map_err(|e| match e {
            Pem::NoItemsFound => format!(
                "{key} has no private key that can be used; it must hold a -----BEGIN PRIVATE KEY----- section without a password"
            ),
            e => format!("{key} is not PEM: {e}"),
        })?;
        let pair = CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider()).map_err(|e| match e {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("{key} is not the key of the first certificate of {certificate}")
            }
            e => format!("{certificate} and {key} cannot be used: {e}"),
        })?;
        Ok(Pair { key: Arc::new(pair), expires })
    }
}
