//! What a container said: kept for a while, and read on by any number of followers.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::log::{self, Log};

/// As much is kept of each container; then the oldest lines go.
pub(super) const KEPT: usize = 1 << 20;
/// What keeping an entry costs besides its bytes, roughly: many short lines are bounded too.
const ENTRY: usize = size_of::<Entry>();
/// A program is not read while somebody for whom nothing may be lost is as far behind.
const AHEAD: usize = KEPT / 2;
/// The number of a reader that is still to come.
const COMING: u64 = u64::MAX;
/// A longer line counts as several, as in Docker's logs.
const LINE: usize = 16 << 10;

/// The output of a container or of a command in it.
///
/// It keeps the last mebibyte, in whole lines: the oldest goes first. A follower that was too slow for that is told how much it
/// missed.
#[derive(Debug)]
pub(crate) struct Output {
    history: Mutex<History>,
    /// Changed with the history.
    news: watch::Sender<()>,
    /// Changed when somebody for whom nothing may be lost has read on, or gone.
    room: watch::Sender<()>,
}

/// How it is kept.
#[derive(Debug, Default)]
pub(crate) struct Keep {
    pub(crate) reader: Reader,
    /// A file with what was said before, and for what comes.
    pub(crate) file: Option<PathBuf>,
    /// What comes is of the same run of the program: it may continue a line.
    pub(crate) goes_on: bool,
}

/// Whether somebody is to read all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Soon.
    Comes,
    #[default]
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// A line, or a piece of one that came without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) stream: Stream,
    pub(crate) time: Timestamp,
    /// With the line's end, if it is there.
    pub(crate) bytes: Bytes,
    /// Not so for what continues a line: a time before it would be in the middle.
    pub(crate) begins_line: bool,
}

/// Where a follower begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since {
    Beginning,
    /// Where this run of the program began.
    Run,
    /// So many lines from the end, of both streams together.
    Tail(usize),
    Now,
}

/// What a follower reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Entry(Entry),
    /// So many entries went before they were read.
    Missed(u64),
}

impl Output {
    /// Open until each of so many writers has closed it.
    pub(crate) fn new(writers: usize, keep: Keep) -> Arc<Self> {
        let mut history = History { writers, ..History::default() };
        if let Some(file) = keep.file {
            match Log::open(file) {
                Ok((log, before)) => {
                    history.resume(before, keep.goes_on);
                    history.log = Some(log);
                }
                Err(why) => tracing::warn!(%why, "what a container says is kept in memory only"),
            }
        }
        if keep.reader == Reader::Comes {
            history.readers.insert(COMING, history.written);
        }
        Self::of(history)
    }

    /// What a container said that says nothing more.
    pub(crate) fn of_file(file: &Path) -> io::Result<Arc<Self>> {
        let mut history = History::default();
        history.resume(log::read(file)?.0, false);
        Ok(Self::of(history))
    }

    fn of(history: History) -> Arc<Self> {
        let (news, room) = (watch::Sender::new(()), watch::Sender::new(()));
        Arc::new(Self { history: Mutex::new(history), news, room })
    }

    /// Waits until all for whom nothing may be lost have read enough for there to be more.
    pub(crate) async fn has_room(&self) {
        let mut room = self.room.subscribe();
        loop {
            room.borrow_and_update();
            if self.history().lag() <= AHEAD {
                return;
            }
            // The sender is here.
            if room.changed().await.is_err() {
                return;
            }
        }
    }

    /// The reader that was to come does not, or has come.
    pub(crate) fn expect_nobody(&self) {
        self.history().readers.remove(&COMING);
        self.room.send_replace(());
    }

    /// A follower for whom the program waits, so that it misses nothing.
    pub(crate) fn subscribe_to_all(self: &Arc<Self>, since: Since) -> Follower {
        let news = self.news.subscribe();
        let mut history = self.history();
        let next = history.position(since);
        let number = history.next_reader;
        history.next_reader += 1;
        let read = history.written_before(next);
        history.readers.insert(number, read);
        drop(history);
        Follower { output: Arc::clone(self), next, news, number: Some(number) }
    }

    pub(crate) fn push(&self, stream: Stream, bytes: &Bytes, time: Timestamp) {
        self.history().push(stream, bytes, time);
        self.news.send_replace(());
    }

    /// One of the writers has nothing more to say.
    pub(crate) fn close(&self) {
        let mut history = self.history();
        history.writers = history.writers.saturating_sub(1);
        drop(history);
        self.news.send_replace(());
    }

    /// What is kept, from there on.
    pub(crate) fn read(&self, since: Since) -> Vec<Entry> {
        let history = self.history();
        let from = history.position(since);
        history.entries.iter().skip(history.index(from)).cloned().collect()
    }

    pub(crate) fn subscribe(self: &Arc<Self>, since: Since) -> Follower {
        let news = self.news.subscribe();
        let next = self.history().position(since);
        Follower { output: Arc::clone(self), next, news, number: None }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads on from where it is.
#[derive(Debug)]
pub(crate) struct Follower {
    output: Arc<Output>,
    next: u64,
    news: watch::Receiver<()>,
    /// Among those who are waited for.
    number: Option<u64>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.output.history().readers.remove(&number);
            self.output.room.send_replace(());
        }
    }
}

impl Follower {
    /// The next thing said; nothing after the end. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Said> {
        loop {
            self.news.borrow_and_update();
            let found = self.output.history().at(self.next);
            match found {
                At::Here(entry) => {
                    self.next += 1;
                    if let Some(number) = self.number {
                        let size = entry.bytes.len() + ENTRY;
                        if let Some(read) = self.output.history().readers.get_mut(&number) {
                            *read += size;
                        }
                        self.output.room.send_replace(());
                    }
                    return Some(Said::Entry(entry));
                }
                At::Gone { first } => {
                    let missed = first - self.next;
                    self.next = first;
                    return Some(Said::Missed(missed));
                }
                At::End => return None,
                At::Later => {}
            }
            // The sender is in the output, which this keeps.
            self.news.changed().await.ok()?;
        }
    }
}

#[derive(Debug, Default)]
struct History {
    entries: VecDeque<Entry>,
    /// The number of the first entry that is kept, counted from the first ever.
    first: u64,
    size: usize,
    /// How far each stream is in its line: nothing at its beginning.
    column: [usize; 2],
    writers: usize,
    /// Of all that was ever said.
    written: usize,
    /// How much of that each has read who is waited for.
    readers: BTreeMap<u64, usize>,
    next_reader: u64,
    /// The number of the first entry of this run of the program.
    begun: u64,
    log: Option<Log>,
}

enum At {
    Here(Entry),
    Gone { first: u64 },
    Later,
    End,
}

impl History {
    /// Goes on where another left off.
    fn resume(&mut self, before: Vec<Entry>, goes_on: bool) {
        for entry in before {
            if goes_on {
                self.place(entry.stream, &entry.bytes);
            }
            self.keep(entry);
        }
        self.trim();
        self.begun = self.position(Since::Now);
    }

    fn push(&mut self, stream: Stream, bytes: &Bytes, time: Timestamp) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begins_line = self.place(stream, line);
            let entry = Entry { stream, time, bytes: bytes.slice_ref(line), begins_line };
            if let Some(log) = &mut self.log {
                log.add(&entry);
            }
            self.keep(entry);
        }
        self.trim();
        if let Some(Err(why)) = self.log.as_mut().map(|log| log.write(&self.entries)) {
            tracing::warn!(%why, "what a container says from now on is kept in memory only");
            self.log = None;
        }
    }

    /// Whether what comes next on a stream begins a line.
    fn place(&mut self, stream: Stream, line: &[u8]) -> bool {
        let [out, err] = &mut self.column;
        let column = match stream {
            Stream::Stdout => out,
            Stream::Stderr => err,
        };
        let begins_line = *column == 0 || *column >= LINE;
        let before = if begins_line { 0 } else { *column };
        *column = if line.ends_with(b"\n") { 0 } else { before + line.len() };
        begins_line
    }

    fn keep(&mut self, entry: Entry) {
        self.size += entry.bytes.len() + ENTRY;
        self.written += entry.bytes.len() + ENTRY;
        self.entries.push_back(entry);
    }

    /// How far behind the last of those is who are waited for.
    fn lag(&self) -> usize {
        self.readers.values().map(|read| self.written - read).max().unwrap_or_default()
    }

    /// How much was said before this entry.
    fn written_before(&self, position: u64) -> usize {
        let rest = self.entries.iter().skip(self.index(position));
        self.written - rest.map(|entry| entry.bytes.len() + ENTRY).sum::<usize>()
    }

    fn trim(&mut self) {
        while self.size > KEPT && self.drop_first() {
            while self.entries.front().is_some_and(|entry| !entry.begins_line) {
                self.drop_first();
            }
        }
    }

    fn drop_first(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else { return false };
        self.size -= entry.bytes.len() + ENTRY;
        self.first += 1;
        true
    }

    fn position(&self, since: Since) -> u64 {
        let end = self.first + self.entries.len() as u64;
        match since {
            Since::Beginning => self.first,
            Since::Run => self.begun,
            Since::Now | Since::Tail(0) => end,
            Since::Tail(lines) => {
                let mut beginnings =
                    self.entries.iter().enumerate().rev().filter(|(_, entry)| entry.begins_line);
                let index = beginnings.nth(lines - 1).map_or(0, |(index, _)| index);
                self.first + index as u64
            }
        }
    }

    fn index(&self, position: u64) -> usize {
        usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn at(&self, position: u64) -> At {
        if position < self.first {
            return At::Gone { first: self.first };
        }
        match self.entries.get(self.index(position)) {
            Some(entry) => At::Here(entry.clone()),
            None if self.writers == 0 => At::End,
            None => At::Later,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(output: &Output, stream: Stream, text: &str) {
        output.push(stream, &Bytes::copy_from_slice(text.as_bytes()), Timestamp::UNIX_EPOCH);
    }

    fn texts(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| std::str::from_utf8(&entry.bytes).unwrap()).collect()
    }

    async fn rest(mut follower: Follower) -> Vec<Said> {
        let mut said = Vec::new();
        while let Some(next) = follower.next().await {
            said.push(next);
        }
        said
    }

    #[test]
    fn the_tail_counts_lines_and_not_pieces() {
        let output = Output::new(2, Keep::default());
        say(&output, Stream::Stdout, "one\ntwo\nth");
        say(&output, Stream::Stdout, "ree\nfo");
        say(&output, Stream::Stderr, "oops\n");
        say(&output, Stream::Stdout, "ur");
        assert_eq!(texts(&output.read(Since::Tail(2))), ["fo", "oops\n", "ur"]);
        assert_eq!(texts(&output.read(Since::Tail(3))), ["th", "ree\n", "fo", "oops\n", "ur"]);
        assert_eq!(output.read(Since::Tail(99)), output.read(Since::Beginning));
        assert_eq!(output.read(Since::Tail(0)), []);
        let begins: Vec<_> =
            output.read(Since::Tail(3)).iter().map(|entry| entry.begins_line).collect();
        assert_eq!(begins, [true, false, true, true, false]);
    }

    #[test]
    fn the_oldest_lines_go_whole() {
        let output = Output::new(1, Keep::default());
        say(&output, Stream::Stdout, "the first");
        say(&output, Stream::Stdout, " line\n");
        let line = format!("{}\n", "x".repeat(1023));
        for _ in 0..KEPT / 1024 {
            say(&output, Stream::Stdout, &line);
        }
        let kept = output.read(Since::Beginning);
        assert!(kept.iter().all(|entry| entry.bytes == line));
        let size: usize = kept.iter().map(|entry| entry.bytes.len() + ENTRY).sum();
        assert!(size <= KEPT && size > KEPT - 2 * (line.len() + ENTRY), "{size}");
    }

    #[test]
    fn a_line_without_end_is_bounded_and_its_latest_part_is_kept() {
        let output = Output::new(1, Keep::default());
        for _ in 0..40 {
            say(&output, Stream::Stdout, &"x".repeat(64 << 10));
        }
        let kept: usize = output.read(Since::Beginning).iter().map(|entry| entry.bytes.len()).sum();
        assert!(kept <= KEPT && kept > KEPT / 2, "{kept}");
    }

    #[tokio::test]
    async fn a_follower_reads_what_was_and_what_comes_until_all_writers_closed() {
        let output = Output::new(2, Keep::default());
        say(&output, Stream::Stdout, "before\n");
        let all = output.subscribe(Since::Beginning);
        let new = output.subscribe(Since::Now);
        let readers = tokio::spawn(async { (rest(all).await, rest(new).await) });
        tokio::task::yield_now().await;
        output.close();
        say(&output, Stream::Stderr, "after\n");
        output.close();
        let (all, new) = readers.await.unwrap();
        assert_eq!((all.len(), new.len()), (2, 1));
        assert_eq!(all.last(), new.last());
    }

    #[tokio::test]
    async fn what_was_said_before_is_kept_and_who_waits_for_a_run_gets_that_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log");
        let open =
            |reader, goes_on| Output::new(1, Keep { reader, file: Some(file.clone()), goes_on });
        let first = open(Reader::Nobody, false);
        say(&first, Stream::Stdout, "one\ntw");
        first.close();
        // The engine was another for a while.
        let same = open(Reader::Nobody, true);
        say(&same, Stream::Stdout, "o\nthr");
        same.close();
        let begin: Vec<_> =
            same.read(Since::Beginning).iter().map(|entry| entry.begins_line).collect();
        assert_eq!(begin, [true, true, false, true]);
        let next = open(Reader::Comes, false);
        let run = next.subscribe_to_all(Since::Run);
        next.expect_nobody();
        say(&next, Stream::Stdout, "four\n");
        next.close();
        assert!(next.read(Since::Tail(1))[0].begins_line);
        let said = rest(run).await;
        assert!(matches!(&said[..], [Said::Entry(entry)] if entry.bytes == "four\n"), "{said:?}");
        let all = ["one\n", "tw", "o\n", "thr", "four\n"];
        assert_eq!(texts(&next.read(Since::Beginning)), all);
        let ended = Output::of_file(&file).unwrap();
        assert_eq!(rest(ended.subscribe(Since::Beginning)).await.len(), all.len());
    }

    #[tokio::test]
    async fn a_follower_that_is_too_slow_learns_how_much_it_missed() {
        let output = Output::new(1, Keep::default());
        let follower = output.subscribe(Since::Beginning);
        let total = 2 * KEPT / 1024;
        for _ in 0..total {
            say(&output, Stream::Stdout, &format!("{}\n", "x".repeat(1023)));
        }
        output.close();
        let said = rest(follower).await;
        let Some(Said::Missed(missed)) = said.first() else { panic!("{:?}", said.first()) };
        assert!(*missed > 0);
        assert_eq!(usize::try_from(*missed).unwrap() + said.len() - 1, total);
    }
}
