//! What a container said, in a file: the next run of its program adds to it, and so does the next engine.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, BufMut as _, Bytes};
use jiff::Timestamp;

use super::output::{Entry, KEPT, Stream};

/// One entry after the other: what it is, the nanoseconds of its time, how many bytes it has, and these.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    length: usize,
    /// What is not written yet.
    pending: Vec<u8>,
}

/// Before the bytes of an entry.
const HEAD: usize = size_of::<u8>() + size_of::<i64>() + size_of::<u32>();
const IS_STDERR: u8 = 1;
const BEGINS_LINE: u8 = 2;
/// A file that is longer is written anew, with what is kept.
const LONGEST: usize = 4 * KEPT;

impl Log {
    /// What there is, as far as it is whole, and where what comes next goes.
    pub(super) fn open(path: PathBuf) -> io::Result<(Self, Vec<Entry>)> {
        let mut file = File::options();
        let file = file.append(true).create(true).mode(0o600).open(&path)?;
        let (entries, whole) = read(&path)?;
        // Whoever wrote it last may have been killed in the middle of an entry.
        file.set_len(whole.try_into().map_err(io::Error::other)?)?;
        Ok((Self { path, file, length: whole, pending: Vec::new() }, entries))
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        put(&mut self.pending, entry);
    }

    /// Writes what was added. All that is kept comes with it, for the case that it is time to forget the rest.
    pub(super) fn write(&mut self, kept: &VecDeque<Entry>) -> io::Result<()> {
        self.length += self.pending.len();
        if self.length <= LONGEST {
            self.file.write_all(&self.pending)?;
            self.pending.clear();
            return Ok(());
        }
        self.pending.clear();
        kept.iter().for_each(|entry| put(&mut self.pending, entry));
        let anew = self.path.with_extension("new");
        let mut file = File::options();
        self.file = file.write(true).create(true).truncate(true).mode(0o600).open(&anew)?;
        self.file.write_all(&self.pending)?;
        self.length = self.pending.len();
        self.pending = Vec::new();
        fs::rename(anew, &self.path)
    }
}

/// What a file has, and how much of it that is.
pub(super) fn read(path: &Path) -> io::Result<(Vec<Entry>, usize)> {
    let mut rest = Bytes::from(fs::read(path)?);
    let (all, mut entries) = (rest.len(), Vec::new());
    let mut whole = 0;
    while let Some(entry) = take(&mut rest) {
        entries.push(entry);
        whole = all - rest.len();
    }
    Ok((entries, whole))
}

fn put(to: &mut Vec<u8>, entry: &Entry) {
    let stderr = if entry.stream == Stream::Stderr { IS_STDERR } else { 0 };
    to.put_u8(stderr | if entry.begins_line { BEGINS_LINE } else { 0 });
    to.put_i64(entry.time.as_nanosecond().try_into().unwrap_or_default());
    // It is a piece of what was read at once.
    to.put_u32(entry.bytes.len().try_into().unwrap_or_default());
    to.put_slice(&entry.bytes);
}

/// Nothing at the end, and of what is not whole.
fn take(rest: &mut Bytes) -> Option<Entry> {
    if rest.len() < HEAD {
        return None;
    }
    let (what, time, length) = (rest.get_u8(), rest.get_i64(), rest.get_u32());
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len())?;
    Some(Entry {
        stream: if what & IS_STDERR == 0 { Stream::Stdout } else { Stream::Stderr },
        time: Timestamp::from_nanosecond(time.into()).ok()?,
        bytes: rest.split_to(length),
        begins_line: what & BEGINS_LINE != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, begins_line: bool) -> Entry {
        let time = Timestamp::new(1_700_000_000, 123_456_789).unwrap();
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Entry { stream: Stream::Stderr, time, bytes, begins_line }
    }

    fn write(log: &mut Log, all: &[Entry], kept: &[Entry]) {
        all.iter().for_each(|entry| log.add(entry));
        log.write(&kept.iter().cloned().collect()).unwrap();
    }

    #[test]
    fn what_was_written_is_read_as_far_as_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (mut log, none) = Log::open(path.clone()).unwrap();
        assert_eq!(none, []);
        let all = [entry("one\n", true), entry("tw", true), entry("o\n", false)];
        write(&mut log, &all[..1], &[]);
        write(&mut log, &all[1..], &[]);
        assert_eq!(read(&path).unwrap().0, all);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let (mut log, found) = Log::open(path.clone()).unwrap();
            assert!(found.len() < all.len() && found == all[..found.len()], "{length}");
            write(&mut log, &all[found.len()..], &[]);
            assert_eq!(fs::read(&path).unwrap(), whole, "{length}");
        }
        // Whatever it is, it is no reason to stop.
        fs::write(&path, [0xff; 100]).unwrap();
        assert_eq!(Log::open(path).unwrap().1, []);
    }

    #[test]
    fn a_file_does_not_grow_beyond_what_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let (mut log, _) = Log::open(path.clone()).unwrap();
        let line = entry(&"x".repeat(KEPT / 8), true);
        let kept = [entry("kept\n", true)];
        let mut longest = 0;
        for _ in 0..40 {
            write(&mut log, std::slice::from_ref(&line), &kept);
            longest = longest.max(fs::metadata(&path).unwrap().len());
        }
        assert!(longest > KEPT as u64 && longest <= LONGEST as u64, "{longest}");
        let found = read(&path).unwrap().0;
        assert_eq!(found[0], kept[0]);
        assert!(found[1..].iter().all(|entry| *entry == line));
        // Where nothing more can be written, that is said.
        drop(dir);
        let mut failed = false;
        for _ in 0..40 {
            log.add(&line);
            failed |= log.write(&VecDeque::new()).is_err();
        }
        assert!(failed);
    }
}
