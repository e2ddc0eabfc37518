//! An SSH server that takes one key, and the client's side of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::super::command::run;
use super::Remote;

const SSHD_CONFIG: &str = "\
ListenAddress 127.0.0.1:2222
HostKey /etc/docknet/ssh_host_ed25519_key
AuthorizedKeysFile /etc/docknet/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM no
PidFile none
# Tests fail to log in on purpose, and open many connections at once.
PerSourcePenalties no
MaxStartups 100
";

/// Writes into `remote`, and names the files as they will be in `home`.
pub(super) fn make(remote: &Remote, home: &Remote) -> Result<()> {
    let (client, server) = (remote.ssh(), remote.server());
    let host_key = server.join("ssh_host_ed25519_key");
    let client_key = client.join("id_ed25519");
    generate(&host_key, "host")?;
    generate(&client_key, "client")?;

    fs::copy(client_key.with_extension("pub"), server.join("authorized_keys"))?;

    let public = fs::read_to_string(host_key.with_extension("pub"))?;
    fs::write(client.join("known_hosts"), format!("[127.0.0.1]:2222 {public}"))?;
    fs::write(remote.ssh_config(), ssh_config(&home.ssh()))?;
    Ok(())
}

/// Writes what the server is to do; unlike the keys, anew with each start.
pub(super) fn configure(remote: &Remote) -> Result<()> {
    fs::write(remote.server().join("sshd_config"), SSHD_CONFIG).context("cannot write sshd_config")
}

fn generate(key: &Path, comment: &str) -> Result<()> {
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
        .arg(key))
    .context("cannot make a key")?;
    Ok(())
}

fn ssh_config(dir: &Path) -> String {
    let (alias, dir) = (Remote::SSH_ALIAS, dir.display());
    format!(
        "\
Host {alias}
  HostName 127.0.0.1
  Port 2222
  User root
  IdentityFile {dir}/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile {dir}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_trusts_only_the_noted_key() {
        let config = ssh_config(Path::new("/lab/ssh"));
        assert!(config.starts_with("Host docknet-docker28\n"));
        assert!(config.contains("\n  UserKnownHostsFile /lab/ssh/known_hosts\n"));
        assert!(config.contains("\n  StrictHostKeyChecking yes\n"));
    }
}
