//! With real certificates, made for each test, and a real handshake.

use super::*;
use std::fs;
use std::path::Path;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A self-signed certificate for `localhost` that holds until 2040, and its key.
fn write(folder: &Path) -> (Files, Vec<u8>) {
    let files = Files { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let mut asked = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    asked.not_after = rcgen::date_time_ymd(2040, 1, 2);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = asked.self_signed(&key).unwrap();
    fs::write(&files.certificate, certificate.pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    (files, certificate.der().to_vec())
}

/// The certificate a client is shown.
async fn shown(tls: &Tls, trusted: &[u8]) -> Result<Vec<u8>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tls.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = served.accept(stream, false).await;
    });
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(trusted.to_vec())).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.map_err(|e| e.to_string())?;
    Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
}

#[tokio::test]
async fn a_changed_pair_is_shown_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = write(folder.path());
    let tls = Tls::open(files.clone(), Speaks::Http).unwrap();
    assert_eq!(tls.expires(), 2_209_075_200);
    assert_eq!(shown(&tls, &first).await.unwrap(), first);
    assert_eq!(tls.refresh(), None, "nothing has changed");

    let other = tempfile::tempdir().unwrap();
    let (next, second) = write(other.path());
    // Half of it: the certificate is new, the key is not.
    fs::copy(&next.certificate, &files.certificate).unwrap();
    let told = tls.refresh().unwrap().unwrap_err();
    assert!(told.contains("key.pem is not the key of the first certificate of"), "{told}");
    assert_eq!(tls.refresh(), None, "told once");
    assert_eq!(shown(&tls, &first).await.unwrap(), first);
    fs::remove_file(&files.key).unwrap();
    assert!(tls.refresh().unwrap().unwrap_err().contains("cannot be read"));
    assert_eq!(tls.refresh(), None);
    fs::copy(&next.key, &files.key).unwrap();
    assert_eq!(tls.refresh(), Some(Ok(())));
    assert_eq!(shown(&tls, &second).await.unwrap(), second);
}

#[test]
fn faulty_files_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = write(folder.path());
    let certificate = fs::read_to_string(&files.certificate).unwrap();
    let key = fs::read_to_string(&files.key).unwrap();
    let wrong = |text: &str, secret: &str| {
        fs::write(&files.certificate, text).unwrap();
        fs::write(&files.key, secret).unwrap();
        Tls::open(files.clone(), Speaks::Http).unwrap_err()
    };
    for (text, secret, told) in [
        ("", &*key, "cert.pem has no certificate"),
        (&*key, &*key, "cert.pem has no certificate"),
        (&certificate[..certificate.len() / 2], &*key, "cert.pem is not PEM"),
        ("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", &*key, "is not X.509"),
        (&*certificate, "", "key.pem has no private key"),
        (&*certificate, &*certificate, "key.pem has no private key"),
        (&*certificate, &key[..key.len() / 2], "key.pem is not PEM"),
    ] {
        let said = wrong(text, secret);
        assert!(said.contains(told), "{told}: {said}");
    }
    let missing = Files { certificate: folder.path().join("none.pem"), key: files.key.clone() };
    assert!(Tls::open(missing, Speaks::Http).unwrap_err().contains("none.pem cannot be read"));
}

#[tokio::test]
async fn http_without_tls_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::open(write(folder.path()).0, Speaks::Http).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { tls.accept(listener.accept().await.unwrap().0, false).await.is_err() });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 400 ") && said.ends_with("speaks TLS: write https://...\n"), "{said}");
    assert!(server.await.unwrap());
}
