//! What TLS takes, as bytes: nothing of it is parsed before the client is built.

use std::fmt;
use std::path::Path;

use super::context::read;
use super::wrong;
use crate::Result;

/// Certificates for TLS: whom to trust, and who we are. Everything is PEM.
///
/// ```
/// use docknet::TlsOptions;
///
/// # let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
/// let tls = TlsOptions::from_dir(dir)?;
/// # #[cfg(feature = "tls")]
/// let client = docknet::Client::builder().host("tcp://engine.example:2376").tls(tls).build()?;
/// # Ok::<(), docknet::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct TlsOptions {
    ca: Option<Pem>,
    identity: Option<(Pem, Pem)>,
    verify: bool,
}

/// A text with certificates or a key, and what messages call it.
#[derive(Clone)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nothing is parsed without TLS"))]
pub(crate) struct Pem {
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
}

impl TlsOptions {
    /// No certificate of ours, and the engine's is to be signed by one that the system trusts. The latter needs the
    /// feature `native-roots`; without it, give a [`ca`](Self::ca).
    pub fn new() -> Self {
        Self { ca: None, identity: None, verify: true }
    }

    /// Takes `ca.pem`, `cert.pem` and `key.pem` of a directory, as Docker names them. What is not there is left out.
    ///
    /// ```
    /// use docknet::{ErrorKind, TlsOptions};
    ///
    /// assert_eq!(TlsOptions::from_dir("/nowhere").unwrap_err().kind(), ErrorKind::Config);
    /// ```
    ///
    /// # Errors
    /// `Config` if there is no such directory, if a file cannot be read, or if there is a certificate without its key or
    /// the other way round.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        if !dir.is_dir() {
            return Err(wrong(format!("{} is no directory with certificates", dir.display())));
        }
        let file = |name: &str| {
            let path = dir.join(name);
            Ok::<_, crate::Error>(
                read(&path)?.map(|bytes| Pem { bytes, name: path.display().to_string() }),
            )
        };
        let identity = match (file("cert.pem")?, file("key.pem")?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(wrong(format!("{} has cert.pem and no key.pem", dir.display())));
            }
            (None, Some(_)) => {
                return Err(wrong(format!("{} has key.pem and no cert.pem", dir.display())));
            }
        };
        Ok(Self { ca: file("ca.pem")?, identity, verify: true })
    }

    /// Trusts engines whose certificate one of these signed, and no others.
    ///
    /// ```
    /// # const CA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ca.pem"));
    /// let tls = docknet::TlsOptions::new().ca(CA);
    /// ```
    pub fn ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(Pem { bytes: pem.into(), name: "the CA".to_owned() });
        self
    }

    /// Shows the engine this certificate, which may be followed by those that signed it, and signs with its key: PKCS#8,
    /// PKCS#1 or SEC1, not encrypted.
    ///
    /// An engine that refuses it is a `Connect` error. One that only hangs up, without a word about certificates, is a
    /// `Protocol` error.
    ///
    /// ```
    /// # const CERTIFICATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/cert.pem"));
    /// # const KEY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/key.pem"));
    /// let tls = docknet::TlsOptions::new().identity(CERTIFICATE, KEY);
    /// assert!(!format!("{tls:?}").contains("PRIVATE"));
    /// ```
    pub fn identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let certificate =
            Pem { bytes: certificate.into(), name: "the client's certificate".to_owned() };
        let key = Pem { bytes: key.into(), name: "the client's key".to_owned() };
        self.identity = Some((certificate, key));
        self
    }

    /// Talks to whoever answers, whatever its certificate says.
    ///
    /// **Dangerous**: whoever sits between can read and change everything, and to drive an engine is to be root on its
    /// machine. It is for tests on a machine of your own; elsewhere give the engine's [`ca`](Self::ca).
    ///
    /// ```
    /// let tls = docknet::TlsOptions::new().without_verification();
    /// assert!(format!("{tls:?}").contains("verify: false"));
    /// ```
    pub fn without_verification(mut self) -> Self {
        self.verify = false;
        self
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.ca.is_none() && self.identity.is_none() && self.verify
    }

    #[cfg(feature = "tls")]
    pub(crate) fn authorities(&self) -> Option<&Pem> {
        self.ca.as_ref()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn certificate_and_key(&self) -> Option<&(Pem, Pem)> {
        self.identity.as_ref()
    }

    #[cfg(any(feature = "tls", test))]
    pub(crate) fn verifies(&self) -> bool {
        self.verify
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Says what there is, never what is in it.
impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.is_some())
            .field("identity", &self.identity.is_some())
            .field("verify", &self.verify)
            .finish()
    }
}
