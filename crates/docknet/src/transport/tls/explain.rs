//! What failures of TLS mean for who set it up.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// What is behind a failure, if it is TLS that failed.
pub(super) fn explain(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => refusal(*alert),
        Error::InvalidMessage(_) => {
            "what it answers is not TLS: is it a port without TLS, as 2375 is as a rule?".to_owned()
        }
        Error::PeerIncompatible(error) => {
            format!("it speaks no TLS that is safe today: {error:?}")
        }
        error => format!("TLS failed: {error}"),
    })
}

/// What may be behind an end without words, before the engine answered.
pub(super) fn explain_end(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof => {
            "it closed the connection before it had answered; if it asks for certificates, it may have refused ours".to_owned()
        }
        _ => error.to_string(),
    }
}

fn certificate(error: &CertificateError) -> String {
    let error = match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            return "its certificate is not trusted: none of the CAs that are trusted here signed it"
                .to_owned();
        }
        CertificateError::NotValidForName => {
            return "its certificate is for another name".to_owned();
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "no name" } else { &names };
            return format!(
                "its certificate is for another name: it is valid for {names}, not for {}",
                expected.to_str()
            );
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::Revoked => "it is revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers"
        }
        error => return format!("its certificate is not valid: {error}"),
    };
    format!("its certificate is not valid: {error}")
}

/// A name as it is, from rustls' `DnsName("localhost")`.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

fn refusal(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "it wants a certificate of the client, and none was given".to_owned()
        }
        // Before TLS 1.3 the first is also said where a certificate is wanted and none is shown.
        AlertDescription::BadCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::UnknownCA
        | AlertDescription::UnsupportedCertificate => {
            format!("it refused the certificate of the client, or misses one ({alert:?})")
        }
        alert => format!("it refused to talk TLS with us ({alert:?})"),
    }
}
