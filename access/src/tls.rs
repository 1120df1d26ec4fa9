//! TLS at a door: certificate and key from PEM files, read again when they change.

mod expiry;
mod pair;

pub use pair::Files;

use crate::Line;
use pair::Pair;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};

/// Says which of the crypto libraries in this program TLS clients use that ask for none by name. Several are linked in, and
/// rustls panics rather than choose. Whoever chose before is not overruled.
pub fn choose_library() {
    let _ = aws_lc_rs::default_provider().install_default();
}

/// What a door speaks inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1.
    Http,
    /// MQTT.
    Mqtt,
}

/// The TLS of one door. All clones are the same.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    files: Files,
    speaks: Speaks,
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    /// The files as they were last read, good or bad.
    tried: Mutex<pair::Text>,
}

/// The pair that new connections are shown.
#[derive(Debug)]
struct Current(RwLock<Pair>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).key.clone())
    }
}

impl Tls {
    /// Reads the files. The error names the file, what is wrong with it and what would be right.
    pub fn open(files: Files, speaks: Speaks) -> Result<Tls, String> {
        let text = files.read()?;
        let current = Arc::new(Current(RwLock::new(Pair::new(&files, &text)?)));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|e| format!("TLS cannot be set up: {e}"))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(current.clone());
        if speaks == Speaks::Http {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Tls(Arc::new(Inner { files, speaks, acceptor, current, tried: Mutex::new(text) })))
    }

    /// When the certificate shown now expires, in seconds since 1970.
    pub fn expires(&self) -> i64 {
        self.0.current.0.read().unwrap_or_else(PoisonError::into_inner).expires
    }

    /// Its files.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Reads the files again. Nothing if they are as they were; else whether the new pair is shown from now on, or why the
    /// one before is kept. Blocks for as long as the disk takes.
    pub fn refresh(&self) -> Option<Result<(), String>> {
        let Inner { files, current, tried, .. } = &*self.0;
        let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
        // A file that is just being replaced may be missing or half there for a moment; the next look tells.
        let text = match files.read() {
            Ok(text) if text == *tried => return None,
            Ok(text) => text,
            Err(wrong) => {
                let gone = pair::Text::default();
                let told = *tried != gone;
                *tried = gone;
                return told.then_some(Err(wrong));
            }
        };
        let pair = Pair::new(files, &text);
        *tried = text;
        Some(pair.map(|pair| *current.0.write().unwrap_or_else(PoisonError::into_inner) = pair))
    }

    /// Shakes hands. Whoever speaks HTTP without TLS is told so, unless `local`: what stays on this machine needs none, and
    /// the operator's own tools and probes speak so.
    pub(crate) async fn accept(&self, mut stream: TcpStream, local: bool) -> io::Result<Line> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        // TLS begins with the number of its record type, 22; HTTP with a letter.
        if self.0.speaks == Speaks::Http && first[0].is_ascii_alphabetic() {
            if local {
                return Ok(Line::Plain(stream));
            }
            // Closing over unread bytes would take the answer back.
            let _ = stream.try_read(&mut [0; 4096]);
            stream.write_all(PLAIN.as_bytes()).await?;
            stream.shutdown().await?;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP without TLS"));
        }
        Ok(Line::Secret(Box::new(self.0.acceptor.accept(stream).await?)))
    }
}

/// What is said to HTTP without TLS.
const PLAIN: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
                     Content-Length: 40\r\n\r\nThis port speaks TLS: write https://...\n";

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

#[cfg(test)]
mod tests;
