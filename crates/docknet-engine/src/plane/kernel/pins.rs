//! Files by which namespaces of containers outlive the engine's process.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use docknet_types::ContainerId;
use rustix::mount::{UnmountFlags, mount_bind, unmount};

use super::namespace::Namespace;
use super::sandbox::Sandbox;
use crate::core::step;
use crate::dns::Sockets;

/// The directory of these files, each with a namespace mounted on it; none if namespaces go with the engine.
#[derive(Debug)]
pub(crate) struct Pins(Option<PathBuf>);

impl Pins {
    pub(crate) fn new(dir: Option<PathBuf>) -> io::Result<Self> {
        if let Some(dir) = &dir {
            fs::create_dir_all(dir)?;
        }
        Ok(Self(dir))
    }

    /// A new namespace for a container.
    pub(crate) fn open(&self, container: &ContainerId) -> io::Result<(Sandbox, Sockets)> {
        let Some(path) = self.path(container) else { return Sandbox::open(|| Ok(())) };
        Sandbox::open(|| pin(&path))
    }

    /// The namespace that a container had before.
    pub(crate) fn open_again(&self, container: &ContainerId) -> io::Result<(Sandbox, Sockets)> {
        let path = self.path(container).ok_or(io::ErrorKind::NotFound)?;
        Sandbox::open_again(Namespace::at(&path)?)
    }

    /// Takes a namespace that a container brought along.
    pub(crate) fn adopt(
        &self,
        container: &ContainerId,
        namespace: Namespace,
    ) -> io::Result<(Sandbox, Sockets)> {
        let Some(path) = self.brought(container) else {
            return Sandbox::adopt(namespace, || Ok(()));
        };
        Sandbox::adopt(namespace, || match Namespace::at(&path) {
            Ok(_) => Ok(()),
            Err(_) => pin(&path),
        })
    }

    /// The namespace that a container brought along before.
    pub(crate) fn adopted(&self, container: &ContainerId) -> io::Result<Namespace> {
        Namespace::at(&self.brought(container).ok_or(io::ErrorKind::NotFound)?)
    }

    /// The namespace goes with the last who has it.
    pub(crate) fn close(&self, sandbox: &step::Sandbox) {
        let container = &sandbox.container;
        let path = match sandbox.brought {
            Some(_) => self.brought(container),
            None => self.path(container),
        };
        if let Some(path) = path
            && let Err(why) = remove(&path)
        {
            tracing::warn!(%why, %container, "the namespace of a container stays");
        }
    }

    /// Closes all but these.
    pub(crate) fn sweep(&self, but: &BTreeSet<&ContainerId>) -> io::Result<()> {
        let Some(dir) = &self.0 else { return Ok(()) };
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let brought = name.strip_suffix(BROUGHT);
            if but.contains(&ContainerId::from(brought.unwrap_or(&name))) {
                continue;
            }
            // Somebody else's, or one that a program holds which is about to be killed: a link that stayed would keep its hardware address
            // from the next one.
            if let Ok(namespace) = Namespace::at(&path)
                && let Err(why) = Sandbox::leave(&namespace)
            {
                tracing::warn!(%why, container = name, "a container's namespace is not as it was");
            }
            remove(&path)?;
        }
        Ok(())
    }

    /// Whether namespaces outlive the engine.
    pub(crate) fn outlive(&self) -> bool {
        self.0.is_some()
    }

    fn brought(&self, container: &ContainerId) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(format!("{container}{BROUGHT}")))
    }

    fn path(&self, container: &ContainerId) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(container.as_str()))
    }
}

/// After the ids of containers whose namespaces are somebody else's.
const BROUGHT: &str = "-brought";

/// Keeps the namespace that the caller is in.
fn pin(path: &Path) -> io::Result<()> {
    fs::write(path, "")?;
    Ok(mount_bind(Namespace::OWN, path)?)
}

fn remove(path: &Path) -> io::Result<()> {
    match unmount(path, UnmountFlags::DETACH) {
        // Nothing is mounted there: the machine was started anew.
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => {}
        Err(why) => return Err(why.into()),
    }
    match fs::remove_file(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
