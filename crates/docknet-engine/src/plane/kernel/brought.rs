//! Network namespaces that are somebody else's, and that containers bring along.

use std::io;
use std::path::Path;

use super::namespace::Namespace;
use super::sandbox::Sandbox;
use super::{Kernel, PlaneError};
use crate::core::host::Inside;
use crate::core::step;
use crate::dns::Sockets;

impl Kernel {
    /// The namespace at this path, if a container may have it.
    pub(super) fn find_brought(&self, path: &Path) -> Result<Namespace, PlaneError> {
        let namespace = Namespace::at(path).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                refused(404, path, "there is no network namespace")
            }
            _ => refused(400, path, why),
        })?;
        namespace.within(|| Ok(())).map_err(|why| match why.kind() {
            io::ErrorKind::InvalidInput => refused(400, path, "it is no network namespace"),
            _ => refused(400, path, format_args!("it cannot be entered: {why}")),
        })?;
        let same = |other: io::Result<Namespace>| -> io::Result<bool> {
            Ok(other?.id()? == namespace.id()?)
        };
        let failed = |why: io::Error| refused(500, path, why);
        if same(self.home.namespace().again()).map_err(failed)? {
            return Err(refused(409, path, "it is where the engine has its networks"));
        }
        if same(Namespace::current()).map_err(failed)? {
            return Err(refused(409, path, "it is the engine's own"));
        }
        for (container, sandbox) in &self.sandboxes {
            if same(sandbox.namespace().again()).map_err(failed)? {
                let whose = format!("it is that of container {}", container.short());
                return Err(refused(409, path, whose));
            }
        }
        Ok(namespace)
    }

    /// The one that a container had before the engine was started: what was kept of it, or else what is at its path. A
    /// process's number may be another's by now.
    pub(super) fn find_kept(
        &self,
        sandbox: &step::Sandbox,
        path: &Path,
    ) -> Result<Namespace, PlaneError> {
        match self.pins.adopted(&sandbox.container) {
            Ok(kept) => Ok(kept),
            Err(_) if path.starts_with("/proc") => {
                Err(refused(404, path, "the process may be another one"))
            }
            Err(_) => self.find_brought(path),
        }
    }

    pub(super) fn adopt(
        &self,
        sandbox: &step::Sandbox,
        path: &Path,
        namespace: Namespace,
    ) -> Result<(Sandbox, Sockets), PlaneError> {
        self.pins.adopt(&sandbox.container, namespace).map_err(|why| match why.kind() {
            io::ErrorKind::AddrInUse => refused(409, path, why),
            _ => {
                self.pins.close(sandbox);
                refused(500, path, why)
            }
        })
    }
}

/// What is inside, but for these links.
pub(crate) fn look(namespace: &Namespace, own: &[&str]) -> io::Result<Inside> {
    let (links, routes) = namespace.within(|| {
        let mut links = super::Links::open()?;
        let all = links.list().map_err(io::Error::other)?;
        Ok((all, links.routes().map_err(io::Error::other)?))
    })?;
    let (own, others): (Vec<_>, Vec<_>) =
        links.into_iter().partition(|link| own.contains(&link.name.as_str()));
    let leads_out = |v4: bool| {
        routes.iter().any(|route| {
            let is_ours = own.iter().any(|link| Some(link.index) == route.link);
            route.to.prefix_len() == 0 && route.to.addr().is_ipv4() == v4 && !is_ours
        })
    };
    Ok(Inside {
        leads_out: (leads_out(true), leads_out(false)),
        links: others.into_iter().map(|link| link.name).collect(),
    })
}

fn refused(status: u16, path: &Path, why: impl std::fmt::Display) -> PlaneError {
    let words = format!("cannot use the network namespace {}: {why}", path.display());
    PlaneError { words, status }
}
