//! TLS over TCP, through rustls.
//!
//! The provider of cryptography is given explicitly: a library has no business with the one of the whole process.

mod explain;
mod verifier;

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::explain::{explain, explain_end};
use self::verifier::Unverified;
use super::{BoxFuture, Dial, Stream, tcp};
use crate::config::Pem;
use crate::host::Authority;
use crate::{Error, ErrorKind, Result, TlsOptions};

pub(crate) struct Tls {
    authority: Authority,
    host: String,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Tls {
    pub(crate) fn new(authority: Authority, options: &TlsOptions) -> Result<Self> {
        let name = server_name(&authority.host)?;
        let connector = TlsConnector::from(Arc::new(configure(options)?));
        Ok(Self { host: authority.header(), authority, name, connector })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Dial for Tls {
    fn dial(&self) -> BoxFuture<'_, Result<Stream>> {
        Box::pin(async {
            let socket = tcp::connect(&self.authority).await?;
            let engine = self.describe();
            match self.connector.connect(self.name.clone(), socket).await {
                Ok(stream) => {
                    Ok(Stream::Tls(Box::new(Session { stream, engine, answered: false })))
                }
                Err(error) => {
                    let text = explain(&error).unwrap_or_else(|| format!("TLS failed: {error}"));
                    let text = format!("cannot connect to {engine}: {text}");
                    Err(Error::new(ErrorKind::Connect, text).with_source(error))
                }
            }
        })
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn describe(&self) -> String {
        format!("https://{}", self.authority)
    }
}

/// A TLS connection that says why it ended.
///
/// With TLS 1.3 a client is through before the engine has looked at its certificate: the refusal comes when it waits
/// for the answer.
#[derive(Debug)]
pub(crate) struct Session {
    stream: TlsStream<TcpStream>,
    engine: String,
    answered: bool,
}

impl Session {
    pub(super) fn socket(&self) -> &TcpStream {
        self.stream.get_ref().0
    }

    fn told(&self, error: io::Error) -> io::Error {
        let (kind, text) = match explain(&error) {
            Some(text) => (ErrorKind::Connect, text),
            None if self.answered => return error,
            None => (ErrorKind::Protocol, explain_end(&error)),
        };
        let text = format!("cannot talk to {}: {text}", self.engine);
        io::Error::other(Error::new(kind, text).with_source(error))
    }
}

impl AsyncRead for Session {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, buffer));
        this.answered |= buffer.filled().len() > before;
        match read {
            // An end in the place of an answer: what refuses a certificate may say no more than that.
            Ok(()) if !this.answered => {
                Poll::Ready(Err(this.told(io::ErrorKind::UnexpectedEof.into())))
            }
            read => Poll::Ready(read.map_err(|error| this.told(error))),
        }
    }
}

impl AsyncWrite for Session {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        Poll::Ready(written.map_err(|error| this.why(cx, error)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = ready!(Pin::new(&mut this.stream).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| this.why(cx, error)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl Session {
    /// Why nothing can be written: the peer's last words may still be there to be read.
    fn why(&mut self, cx: &mut Context<'_>, error: io::Error) -> io::Error {
        let mut byte = [0; 1];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
        match read {
            Poll::Ready(Err(words)) if explain(&words).is_some() => self.told(words),
            _ => self.told(error),
        }
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>> {
    let host = host.split('%').next().unwrap_or_default();
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    ServerName::try_from(host.to_owned())
        .map_err(|error| wrong(format!("no certificate can be for the host {host:?}: {error}")))
}

fn configure(options: &TlsOptions) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?;
    let builder = if options.verifies() {
        builder.with_root_certificates(roots(options)?)
    } else {
        let verifier = Arc::new(Unverified(provider.signature_verification_algorithms));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    let Some((certificate, key)) = options.certificate_and_key() else {
        return Ok(builder.with_no_client_auth());
    };
    let key_name = &key.name;
    let certificates = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key.bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(format!(
            "{key_name} has no private key in PEM; one that is encrypted cannot be used"
        )),
        error => wrong(format!("{key_name} does not read as PEM: {error}")),
    })?;
    builder.with_client_auth_cert(certificates, key).map_err(|error| {
        let certificate = &certificate.name;
        wrong(format!("{certificate} and {key_name} cannot be used together: {error}"))
    })
}

fn roots(options: &TlsOptions) -> Result<RootCertStore> {
    let Some(ca) = options.authorities() else {
        return system_roots();
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots
            .add(certificate)
            .map_err(|error| wrong(format!("{} has a bad certificate: {error}", ca.name)))?;
    }
    Ok(roots)
}

#[cfg(feature = "native-roots")]
fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
        return Err(wrong(format!("no CA is given, and the system has none{why}")));
    }
    Ok(roots)
}

#[cfg(not(feature = "native-roots"))]
fn system_roots() -> Result<RootCertStore> {
    Err(wrong(
        "no CA is given: give the one of the engine (`TlsOptions::ca`, or ca.pem with the other certificates), or build docknet with its feature `native-roots` to trust those of the system",
    ))
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(&pem.bytes).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(wrong(format!("{} has no certificate in PEM", pem.name)))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(wrong(format!("{} does not read as PEM: {error}", pem.name))),
    }
}

fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, text)
}
