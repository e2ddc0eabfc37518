//! Where the engines live on disk, and what the machine must have to run them.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::catalog::Node;
use super::command::run;
use super::remote::Remote;

#[derive(Debug)]
pub(super) struct Lab {
    dir: PathBuf,
    /// Sets the namespaces of this lab apart from those of the one in the usual place.
    suffix: String,
}

const USUAL_DIR: &str = "/var/tmp/docknet-engines";
const PARTS: [&str; 5] = ["log", "remote", "run", "state", "template"];

impl Lab {
    pub(super) fn open() -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "engines: must be root, for namespaces, mounts and packages"
        );
        let dir = env::var_os("DOCKNET_ENGINES_DIR")
            .map_or_else(|| PathBuf::from(USUAL_DIR), PathBuf::from);
        let text = dir.to_str().unwrap_or_default();
        ensure!(
            dir.is_absolute() && !text.contains([':', ',', '\\', '=', ' ']),
            "DOCKNET_ENGINES_DIR: '{}' must be an absolute path without ':', ',', '=', '\\' and \
             blanks, which are separators where it is used",
            dir.display()
        );
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&dir)
            .with_context(|| format!("cannot make {}", dir.display()))?;
        // The parent may be open to everyone: what root runs must not be for others to choose.
        let metadata = fs::symlink_metadata(&dir)?;
        ensure!(
            metadata.is_dir() && metadata.uid() == 0 && metadata.mode() & 0o022 == 0,
            "{} must be a directory that only root can write to",
            dir.display()
        );
        let suffix = if dir == Path::new(USUAL_DIR) {
            String::new()
        } else {
            format!("-{:x}", metadata.ino())
        };
        Ok(Self { dir, suffix })
    }

    /// Holds off every other process that would change something here.
    pub(super) fn lock(&self) -> Result<File> {
        let file = File::create(self.dir.join("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                eprintln!("engines: waiting for another cargo xtask engines");
                flock(&file, FlockOperation::LockExclusive)?;
            }
            other => other?,
        }
        for part in PARTS {
            fs::create_dir_all(self.dir.join(part))?;
        }
        Ok(file)
    }

    /// Deletes everything but the lock, which others may be waiting for.
    pub(super) fn clear(&self) -> Result<()> {
        PARTS.iter().try_for_each(|part| delete(&self.dir.join(part)))
    }

    /// The node's network namespace, as in `/run/netns`, and the parent of its cgroups.
    pub(super) fn namespace(&self, node: &Node) -> String {
        format!("docknet-{}{}", node.name, self.suffix)
    }

    pub(super) fn netns(&self, node: &Node) -> PathBuf {
        Path::new("/run/netns").join(self.namespace(node))
    }

    /// The sockets, seen as `/lab` by the engines.
    pub(super) fn run(&self) -> PathBuf {
        self.dir.join("run")
    }

    pub(super) fn socket(&self, node: &Node) -> PathBuf {
        self.run().join(format!("{}.sock", node.name))
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.dir.join("log").join(format!("{name}.log"))
    }

    pub(super) fn state(&self, node: &Node) -> PathBuf {
        self.dir.join("state").join(node.name)
    }

    pub(super) fn templates(&self) -> PathBuf {
        self.dir.join("template")
    }

    /// What it takes to reach the node other than by its socket.
    pub(super) fn remote(&self, node: &Node) -> Remote {
        Remote { dir: self.dir.join("remote").join(node.name) }
    }
}

/// Deletes a tree, but nothing that is mounted in it.
pub(super) fn delete(tree: &Path) -> Result<()> {
    run(Command::new("rm").args(["-rf", "--one-file-system", "--"]).arg(tree))?;
    Ok(())
}

/// Installs the programs that are missing.
pub(crate) fn install_tools() -> Result<()> {
    const TOOLS: [(&str, &str); 14] = [
        ("apt-get", "apt"),
        ("busybox", "busybox"),
        ("ip", "iproute2"),
        ("mmdebstrap", "mmdebstrap"),
        ("nft", "nftables"),
        ("nsenter", "util-linux"),
        ("openssl", "openssl"),
        ("setpriv", "util-linux"),
        ("setsid", "util-linux"),
        ("ssh-keygen", "openssh-client"),
        ("systemctl", "systemd"),
        ("tar", "tar"),
        ("unshare", "util-linux"),
        ("valgrind", "valgrind"),
    ];
    let mut missing: Vec<&str> =
        TOOLS.iter().filter(|(tool, _)| !in_path(tool)).map(|(_, package)| *package).collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if missing.contains(&"apt") {
        bail!("engines: needs a Debian or a relative of it; missing here: {packages}");
    }
    eprintln!("engines: installing {packages}");
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        apt
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "-y", "--no-install-recommends"]).args(&missing))?;
    Ok(())
}

fn in_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
