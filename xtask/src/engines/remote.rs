//! Keys and certificates to reach an engine over TLS and SSH, from within its network namespace.

mod ssh;
mod tls;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::catalog::Node;
use super::lab::{Lab, delete};

#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(super) dir: PathBuf,
}

impl Remote {
    pub(crate) const TLS_HOST: &str = "tcp://127.0.0.1:2376";
    pub(crate) const SSH_ALIAS: &str = "docknet-docker28";

    /// For TLS clients: `ca.pem`, `cert.pem` and `key.pem`, and the same with `other-` of an
    /// authority that has nothing to do with the engine.
    pub(crate) fn tls(&self) -> PathBuf {
        self.dir.join("tls")
    }

    /// For SSH clients: what `ssh -F` takes.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.ssh().join("ssh_config")
    }

    fn ssh(&self) -> PathBuf {
        self.dir.join("ssh")
    }

    /// For the servers, which see it as `/etc/docknet`.
    pub(super) fn server(&self) -> PathBuf {
        self.dir.join("server")
    }
}

/// Makes what is missing; it is kept from one start to the next.
pub(super) fn make(lab: &Lab, node: &Node) -> Result<()> {
    let remote = lab.remote(node);
    if remote.dir.is_dir() {
        return ssh::configure(&remote);
    }
    let unfinished = Remote { dir: remote.dir.with_extension("unfinished") };
    delete(&unfinished.dir)?;
    for dir in [unfinished.tls(), unfinished.ssh(), unfinished.server()] {
        fs::create_dir_all(dir)?;
    }
    tls::make(&unfinished).context("certificates")?;
    ssh::make(&unfinished, &remote).context("SSH keys")?;
    fs::rename(&unfinished.dir, &remote.dir)?;
    ssh::configure(&remote)
}

/// How dockerd is told to listen for TLS clients.
pub(super) const DOCKERD: [&str; 6] = [
    "--host=tcp://127.0.0.1:2376",
    "--tls",
    "--tlsverify",
    "--tlscacert=/etc/docknet/ca.pem",
    "--tlscert=/etc/docknet/server-cert.pem",
    "--tlskey=/etc/docknet/server-key.pem",
];
