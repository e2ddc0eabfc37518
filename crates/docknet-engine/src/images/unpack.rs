//! Layers of images: archives of files, one over the other.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{chroot, umask};
use rustix::thread::UnshareFlags;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Entry, EntryType};

use crate::process::unshare;

/// What a layer turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Of the archive, without compression.
    pub(crate) digest: String,
    /// Of its files, in bytes.
    pub(crate) size: u64,
}

/// A file of a lower layer that is no more.
const WHITEOUT: &[u8] = b".wh.";
/// A directory of which nothing of lower layers is seen.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Unpacks a layer over those that are in the directory.
///
/// It is done by a thread whose root is that directory, so that no link in an archive leads out of it, and those that begin with a
/// slash lead where they do in a container.
pub(crate) fn unpack(dir: &Path, archive: impl Read + Send) -> io::Result<Layer> {
    let owners = knows_all_users();
    thread::scope(|scope| {
        let unpacked = scope.spawn(|| {
            unshare(UnshareFlags::FS)?;
            // Directories that no archive says anything of are for everybody, whatever the engine's own mask is.
            umask(Mode::WGRP | Mode::WOTH);
            chroot(dir)?;
            std::env::set_current_dir("/")?;
            unpack_here(archive, owners)
        });
        unpacked
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that unpacked it panicked")))
    })
}

/// The bytes without gzip's compression, if they are compressed at all.
pub(crate) fn plain<'a>(bytes: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut bytes = BufReader::with_capacity(64 << 10, bytes);
    let compression = match bytes.fill_buf()? {
        [0x1f, 0x8b, ..] => return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(bytes))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        _ => return Ok(Box::new(bytes)),
    };
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "it is compressed with {compression}, and docknet reads gzip only: compress it anew, or not at all"
        ),
    ))
}

fn unpack_here(archive: impl Read, owners: Owners) -> io::Result<Layer> {
    let mut hashed = Hashed { inner: archive, hash: Sha256::new() };
    let mut size = 0;
    {
        let mut archive = Archive::new(&mut hashed);
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(owners == Owners::All);
        archive.set_preserve_mtime(true);
        archive.set_unpack_xattrs(owners == Owners::All);
        archive.set_overwrite(true);
        // What this layer has, an opaque mark in it does not hide.
        let mut own = HashSet::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let named = entry.path()?.into_owned();
            let put = inside(&named).and_then(|path| {
                size += entry.size();
                put(&mut entry, &path, &mut own)
            });
            put.map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", named.display())))?;
        }
    }
    // Archives end with zeros, which belong to the digest.
    io::copy(&mut hashed, &mut io::sink())?;
    Ok(Layer { digest: format!("sha256:{}", text(&hashed.hash.finalize())), size })
}

fn put(
    entry: &mut Entry<'_, impl Read>,
    path: &Path,
    own: &mut HashSet<PathBuf>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let parent = path.parent().unwrap_or_else(|| Path::new("/"));
    if name == OPAQUE {
        return hide(parent, own);
    }
    if let Some(gone) = name.strip_prefix(WHITEOUT) {
        return remove(&parent.join(OsStr::from_bytes(gone)));
    }
    fs::create_dir_all(parent)?;
    let kind = entry.header().entry_type();
    let is_dir = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    if path != Path::new("/") && !(kind.is_dir() && is_dir(path)) {
        remove(path)?;
    }
    own.insert(path.to_owned());
    match kind {
        // Containers have a /dev of their own.
        EntryType::Char | EntryType::Block => Ok(()),
        EntryType::Fifo => {
            let mode = Mode::from_raw_mode(entry.header().mode()?);
            Ok(mknodat(CWD, path, FileType::Fifo, mode, 0)?)
        }
        _ => entry.unpack(path).map(drop),
    }
}

/// Takes away what lower layers have in a directory.
fn hide(dir: &Path, own: &HashSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        match own.contains(&path) {
            false => remove(&path)?,
            true if path.symlink_metadata()?.is_dir() => hide(&path, own)?,
            true => {}
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(why),
    }
}

/// A name in an archive as a path from the root.
fn inside(named: &Path) -> io::Result<PathBuf> {
    let mut path = PathBuf::from("/");
    for part in named.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the name leads out of the archive",
                ));
            }
        }
    }
    Ok(path)
}

/// Whether files can be everybody's who may be their owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owners {
    All,
    /// In a user namespace that knows a few only.
    Some,
}

fn knows_all_users() -> Owners {
    /// More than images use.
    const ENOUGH: u64 = 1 << 16;
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let counts = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    if counts.sum::<u64>() >= ENOUGH { Owners::All } else { Owners::Some }
}

fn text(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of a few bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", text(&Sha256::digest(bytes)))
}

struct Hashed<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
