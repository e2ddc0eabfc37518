//! TLS against a server that answers one ping after the other.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use docknet::{Client, Error, ErrorKind, TlsOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn certificates_and_keys_of_every_kind_are_shown() {
    for version in VERSIONS {
        let port = serve(Server { version, ..Server::new() }).await;
        for (certificate, key) in [("cert", "key"), ("cert", "key-sec1"), ("cert-rsa", "key-pkcs1")]
        {
            let tls = TlsOptions::new().ca(pem("ca")).identity(pem(certificate), pem(key));
            for host in ["localhost", "127.0.0.1"] {
                ping(host, port, tls.clone()).await.unwrap();
            }
        }
        ping("localhost", port, TlsOptions::from_dir(dir()).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_is_kept() {
    let port = serve(Server::new()).await;
    let client = client("localhost", port, full());
    let ports = async || client.ping().await.unwrap().server;
    let first = ports().await;
    for _ in 0..3 {
        assert_eq!(ports().await, first);
    }
}

#[tokio::test]
async fn an_engine_that_is_not_trusted_is_refused() {
    let cases = [
        ("server", "other-ca", "localhost", "is not trusted"),
        ("expired", "ca", "localhost", "has expired"),
        (
            "elsewhere",
            "ca",
            "localhost",
            "another name: it is valid for elsewhere.example, not for localhost",
        ),
        ("elsewhere", "ca", "127.0.0.1", "not for 127.0.0.1"),
        ("server", "ca", "127.0.0.2", "valid for localhost, 127.0.0.1, "),
        // What signed it does not matter if it is for clients.
        ("server", "cert", "localhost", "is not"),
    ];
    for version in VERSIONS {
        for (certificate, ca, host, words) in cases {
            let port = serve(Server { certificate, version }).await;
            let error = ping(host, port, TlsOptions::new().ca(pem(ca))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.to_string().contains(&format!("https://{host}:{port}")), "{error}");

            let tls = full().ca(pem(ca)).without_verification();
            ping(host, port, tls).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_engine_that_refuses_us_says_so() {
    for version in VERSIONS {
        let port = serve(Server { version, ..Server::new() }).await;
        let none = TlsOptions::new().ca(pem("ca"));
        let stranger = none.clone().identity(pem("stranger"), pem("stranger-key"));
        for (tls, words) in [(none, "certificate"), (stranger, "refused")] {
            // Whether the refusal arrives before the connection's end is up to the kernel: the words fit both.
            for _ in 0..20 {
                let error = ping("localhost", port, tls.clone()).await.unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Protocol),
                    "{error}"
                );
                assert!(error.to_string().contains(words), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
                .await;
        }
    });
    let error = ping("localhost", port, full()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("is not TLS"), "{error}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let ca = || TlsOptions::new().ca(pem("ca"));
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases = [
        (TlsOptions::new().ca(""), "the CA has no certificate"),
        (TlsOptions::new().ca(pem("key")), "the CA has no certificate"),
        (TlsOptions::new().ca(broken), "the CA does not read as PEM"),
        (ca().identity("", pem("key")), "the client's certificate has no certificate"),
        (ca().identity(pem("cert"), ""), "the client's key has no private key"),
        (ca().identity(pem("cert"), encrypted), "encrypted"),
        (ca().identity(pem("cert"), pem("stranger-key")), "cannot be used together"),
    ];
    for (tls, words) in cases {
        let error = Client::builder().host("tcp://h").tls(tls).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let key = pem("key");
    let line = key.lines().nth(1).unwrap();
    let tls = full();
    let builder = Client::builder().host("tcp://h").tls(tls.clone());
    let before = format!("{tls:?} {builder:?}");
    let shown = format!("{before} {:?}", builder.build().unwrap());
    assert!(!shown.contains(line) && !shown.contains("BEGIN"), "{shown}");
    let bytes = &format!("{:?}", key.as_bytes())[1..40];
    assert!(!shown.contains(bytes), "{shown}");
}

async fn ping(host: &str, port: u16, tls: TlsOptions) -> Result<(), Error> {
    client(host, port, tls).ping().await.map(drop)
}

fn client(host: &str, port: u16, tls: TlsOptions) -> Client {
    Client::builder().host(format!("tcp://{host}:{port}")).tls(tls).build().unwrap()
}

fn full() -> TlsOptions {
    TlsOptions::new().ca(pem("ca")).identity(pem("cert"), pem("key"))
}

fn dir() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls").into()
}

fn pem(name: &str) -> String {
    std::fs::read_to_string(dir().join(format!("{name}.pem"))).unwrap()
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

struct Server {
    certificate: &'static str,
    version: &'static SupportedProtocolVersion,
}

impl Server {
    fn new() -> Self {
        Self { certificate: "server", version: &version::TLS13 }
    }
}

/// Serves on a port of its own. Clients have to show a certificate.
async fn serve(server: Server) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem("ca").as_bytes()).unwrap()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let certificate = CertificateDer::from_pem_slice(pem(server.certificate).as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pem("server-key").as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[server.version])
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, peer.port()).await;
                }
            });
        }
    });
    port
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: u16) {
    let mut request = [0; 1024];
    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nServer: {peer}\r\nContent-Length: 2\r\n\r\nOK"
        );
        if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
