//! A certificate authority for the engine and its clients, and another one that is not to be
//! trusted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::command::run;
use super::Remote;

/// All of openssl's settings, so that those of the machine make no difference.
const OPENSSL: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
O = docknet tests
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

pub(super) fn make(remote: &Remote) -> Result<()> {
    let work = remote.dir.join("work");
    fs::create_dir_all(&work)?;
    fs::write(work.join("openssl.cnf"), OPENSSL)?;

    let authority = Pair::new(&work, "ca");
    issue(&work, &authority, "ca", "/O=docknet tests/CN=docknet authority", None)?;
    let server = Pair::new(&remote.server(), "server");
    issue(&work, &server, "server", "/O=docknet tests/CN=localhost", Some(&authority))?;
    let client = Pair { cert: remote.tls().join("cert.pem"), key: remote.tls().join("key.pem") };
    issue(&work, &client, "client", "/O=docknet tests/CN=client", Some(&authority))?;
    fs::copy(&authority.cert, remote.server().join("ca.pem"))?;
    fs::copy(&authority.cert, remote.tls().join("ca.pem"))?;

    let stranger = Pair::new(&work, "other-ca");
    issue(&work, &stranger, "ca", "/O=docknet tests/CN=another authority", None)?;
    let client = Pair::new(&remote.tls(), "other");
    issue(&work, &client, "client", "/O=docknet tests/CN=client", Some(&stranger))?;
    fs::copy(&stranger.cert, remote.tls().join("other-ca.pem"))?;

    // The authorities' keys are of no use any more.
    fs::remove_dir_all(&work)?;
    Ok(())
}

struct Pair {
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn new(dir: &Path, name: &str) -> Self {
        Self {
            cert: dir.join(format!("{name}-cert.pem")),
            key: dir.join(format!("{name}-key.pem")),
        }
    }
}

/// A new key and a certificate for it, signed by `issuer` or by itself. openssl lets only the
/// owner read the keys it writes.
fn issue(
    work: &Path,
    pair: &Pair,
    section: &str,
    subject: &str,
    issuer: Option<&Pair>,
) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "3650", "-extensions", section, "-subj", subject, "-config"])
        .arg(work.join("openssl.cnf"))
        .arg("-keyout")
        .arg(&pair.key)
        .arg("-out")
        .arg(&pair.cert);
    if let Some(issuer) = issuer {
        openssl.arg("-CA").arg(&issuer.cert).arg("-CAkey").arg(&issuer.key);
    }
    run(&mut openssl)?;
    Ok(())
}
