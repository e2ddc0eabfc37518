//! Network namespaces.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::thread;

use anyhow::{Result, anyhow};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

pub struct Namespace(OwnedFd);

impl Namespace {
    pub fn new() -> Result<Self> {
        let own = || -> Result<Self> {
            unshare()?;
            Self::at(Path::new("/proc/thread-self/ns/net"))
        };
        thread::scope(|scope| join(scope.spawn(own)))
    }

    pub fn at(path: &Path) -> Result<Self> {
        Ok(Self(File::open(path)?.into()))
    }

    /// On a thread of its own, which ends with it.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let inside = || -> Result<T> {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
            work()
        };
        thread::scope(|scope| join(scope.spawn(inside)))
    }

    /// Another handle of the same one.
    pub fn again(&self) -> Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    pub fn fd(&self) -> &OwnedFd {
        &self.0
    }
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a thread broke down")))
}

#[expect(unsafe_code, reason = "with other flags it could break what Rust promises")]
fn unshare() -> Result<()> {
    // SAFETY: only with CLONE_FILES could this thread lose descriptors that others hold for it.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
    Ok(())
}
