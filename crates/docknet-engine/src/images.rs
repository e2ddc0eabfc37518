//! The files of images and of containers: where they are, until nobody needs them.
//!
//! An image is a directory with all of its layers in it. A container of it sees that directory and, over it, one of its own
//! with what it changed; overlayfs puts the two together, in the container's own mount namespace, so that nothing of it is left
//! when the container ends.

mod unpack;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use docknet_types::ContainerId;
use rustix::fs::{FlockOperation, flock, syncfs};
use rustix::process::geteuid;
use tokio::sync::{Mutex, MutexGuard};

pub(crate) use self::unpack::{digest, plain, unpack};

/// The files of an engine's images and containers.
#[derive(Debug)]
pub(crate) struct Images {
    dir: PathBuf,
    /// Held if all of it goes with the engine; whoever finds the directory without that takes it away.
    temporary: Option<File>,
    /// Images come and go one at a time, so that none goes while the same one comes.
    turn: Mutex<()>,
}

/// An image that is being taken in: gone again, unless it is kept.
#[derive(Debug)]
pub(crate) struct Incoming {
    dir: PathBuf,
    images: PathBuf,
}

const IMAGES: &str = "images";
const CONTAINERS: &str = "containers";
/// The names of what is not whole begin with it.
const UNFINISHED: &str = ".new-";
const LOCK: &str = "lock";
/// The names of directories of engines that keep nothing.
const TEMPORARY: &str = "docknet-engine-";

impl Images {
    /// In the directory of an engine's state, or in one that goes with the engine.
    pub(crate) fn open(state: Option<&Path>) -> io::Result<Self> {
        let (dir, temporary) = match state {
            Some(dir) => (dir.to_owned(), None),
            None => {
                let (dir, lock) = temporary()?;
                (dir, Some(lock))
            }
        };
        for part in [IMAGES, CONTAINERS] {
            make_private(&dir.join(part))?;
        }
        Ok(Self { dir, temporary, turn: Mutex::default() })
    }

    /// Whoever adds or removes images holds this.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The root directory of an image.
    pub(crate) fn root(&self, id: &str) -> PathBuf {
        self.dir.join(IMAGES).join(hex(id))
    }

    /// A container's own directory, for files that its program sees and what it changes.
    pub(crate) fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// Where these are.
    pub(crate) fn containers(&self) -> PathBuf {
        self.dir.join(CONTAINERS)
    }

    /// Makes room for an image.
    pub(crate) fn begin(&self) -> io::Result<Incoming> {
        let images = self.dir.join(IMAGES);
        let dir = images.join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)));
        fs::create_dir(&dir)?;
        // Whatever this process's mask is: it is the root directory of whoever runs there.
        fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
        Ok(Incoming { dir, images })
    }

    /// A file without a name, for as long as it is open.
    pub(crate) fn scratch(&self) -> io::Result<File> {
        let path = self.dir.join(IMAGES).join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }

    pub(crate) fn remove(&self, id: &str) {
        clear(&self.root(id));
    }

    /// A container that is gone needs no files.
    pub(crate) fn forget(&self, id: &ContainerId) {
        clear(&self.container(id));
    }

    /// Takes away what a crash left: all but these.
    pub(crate) fn sweep(
        &self,
        images: &BTreeSet<&str>,
        containers: &BTreeSet<&str>,
    ) -> io::Result<()> {
        let known: BTreeSet<&str> = images.iter().map(|id| hex(id)).collect();
        for (part, known) in [(IMAGES, &known), (CONTAINERS, containers)] {
            for entry in fs::read_dir(self.dir.join(part))? {
                let entry = entry?;
                if !entry.file_name().to_str().is_some_and(|name| known.contains(name)) {
                    clear(&entry.path());
                }
            }
        }
        Ok(())
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        if self.temporary.is_some() {
            clear(&self.dir);
        }
    }
}

impl Incoming {
    /// Where its files go.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The image is whole. If it is here already, this one goes.
    pub(crate) fn keep(self, id: &str) -> io::Result<()> {
        let root = self.images.join(hex(id));
        if root.exists() {
            return Ok(());
        }
        // What is answered is there after a crash, too.
        syncfs(File::open(&self.dir)?)?;
        fs::rename(&self.dir, &root)?;
        File::open(&self.images)?.sync_all()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.dir.exists() {
            clear(&self.dir);
        }
    }
}

/// An id as the name of a directory.
fn hex(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

/// A directory of this process's, locked, and those of processes that are no more taken away.
fn temporary() -> io::Result<(PathBuf, File)> {
    let all = std::env::temp_dir();
    for entry in fs::read_dir(&all)?.flatten() {
        let name = entry.file_name();
        // Anybody may make a directory of such a name, with anything in it.
        if name.to_str().is_some_and(|name| name.starts_with(TEMPORARY))
            && entry.metadata().is_ok_and(|dir| dir.is_dir() && dir.uid() == geteuid().as_raw())
            && let Ok(lock) = File::open(entry.path().join(LOCK))
            && flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            clear(&entry.path());
        }
    }
    let number = format!("{:016x}", fastrand::u64(..));
    let (making, dir) =
        (all.join(format!("docknet-new-{number}")), all.join(format!("{TEMPORARY}{number}")));
    make_private(&making)?;
    let lock = File::create_new(making.join(LOCK))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    // Seen from now on, and locked already.
    fs::rename(&making, &dir)?;
    Ok((dir, lock))
}

/// Programs of images may be anybody's, with any power: nobody else comes near.
fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn clear(path: &Path) {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(why) => Err(why),
    };
    if let Err(why) = removed
        && why.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%why, path = %path.display(), "files stay behind");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_is_swept() {
        let state = tempfile::tempdir().unwrap();
        let images = Images::open(Some(state.path())).unwrap();
        let (known, unknown) = ("sha256:aa", "sha256:bb");
        for id in [known, unknown] {
            images.begin().unwrap().keep(id).unwrap();
        }
        let left = images.begin().unwrap();
        let unfinished = left.dir().to_owned();
        std::mem::forget(left);
        fs::create_dir(images.container(&"c".into())).unwrap();
        images.sweep(&[known].into(), &BTreeSet::new()).unwrap();
        assert!(images.root(known).exists());
        for gone in [images.root(unknown), unfinished, images.container(&"c".into())] {
            assert!(!gone.exists(), "{}", gone.display());
        }
        drop(images);
        assert!(state.path().join(IMAGES).join("aa").exists());
    }

    #[test]
    fn what_is_temporary_goes_with_its_engine_or_with_the_next_one() {
        let images = Images::open(None).unwrap();
        let dir = images.dir.clone();
        // Another one beside it leaves it alone.
        drop(Images::open(None).unwrap());
        assert!(dir.exists());
        // As after a kill: the lock is gone, the directory is not.
        let mut images = std::mem::ManuallyDrop::new(images);
        drop(images.temporary.take());
        drop(Images::open(None).unwrap());
        assert!(!dir.exists());
    }
}
