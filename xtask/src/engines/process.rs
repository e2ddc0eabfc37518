//! Processes we started, told from others that were given the same id since.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: i32,
    /// In clock ticks since the machine started: with the id, this names a process for good.
    start: u64,
}

impl Process {
    pub(super) fn find(id: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        Some(Self { id, start: start_time(&stat)? })
    }

    /// A zombie does not count.
    pub(super) fn is_alive(self) -> bool {
        Self::find(self.id) == Some(self)
    }

    pub(super) fn child(self) -> Option<Self> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id)).ok()?;
        Self::find(children.split_whitespace().next()?.parse().ok()?)
    }

    /// Sends a signal, to this very process or to none.
    pub(super) fn signal(self, signal: Signal) -> Result<()> {
        let Some(pid) = Pid::from_raw(self.id) else { return Ok(()) };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Ok(()),
            handle => handle.context("pidfd_open")?,
        };
        // The handle pins the process: if it is ours now, it will be when the signal is sent.
        if !self.is_alive() {
            return Ok(());
        }
        match pidfd_send_signal(handle, signal) {
            Err(Errno::SRCH) => {}
            sent => sent.with_context(|| format!("cannot signal process {}", self.id))?,
        }
        Ok(())
    }

    /// Whether it ends within `limit`.
    pub(super) fn ends_within(self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

/// The processes noted in a file, dead or alive.
pub(super) fn read(file: &Path) -> Vec<Process> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let parse = |line: &str| {
        let (id, start) = line.split_once(' ')?;
        Some(Process { id: id.parse().ok()?, start: start.parse().ok()? })
    };
    text.lines().filter_map(parse).collect()
}

pub(super) fn write(file: &Path, processes: &[Process]) -> Result<()> {
    let text: String = processes.iter().map(|p| format!("{} {}\n", p.id, p.start)).collect();
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

/// From the text of `/proc/ID/stat`; none for a process that has ended.
fn start_time(stat: &str) -> Option<u64> {
    // The name before the last parenthesis may have blanks and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_found_behind_any_name() {
        let rest = "1 2 3 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 1 2 3";
        assert_eq!(start_time(&format!("77 (a) b (c)) S {rest}")), Some(4711));
        assert_eq!(start_time(&format!("77 (a) Z {rest}")), None);
        assert_eq!(start_time("77 (a) S 1 2"), None);
    }

    #[test]
    fn another_process_with_the_same_id_is_not_ours() {
        let id = i32::try_from(std::process::id()).unwrap();
        let own = Process::find(id).unwrap();
        assert!(own.is_alive());
        let earlier = Process { start: own.start + 1, ..own };
        assert!(!earlier.is_alive());
        earlier.signal(Signal::KILL).unwrap();
    }
}
