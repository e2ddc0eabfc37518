//! What the kernel tells of processes, in `/proc`.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use rustix::process::Pid;

/// A process, as far as lists show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) uid: u32,
    /// The name of the program, and all of its arguments if it has not hidden them.
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    /// A letter: `R`, `S`, `Z`, …
    pub(crate) state: char,
    pub(crate) leads_session: bool,
    pub(crate) in_foreground: bool,
    pub(crate) threads: u32,
    pub(crate) nice: i32,
    /// The terminal, as `pts/0`.
    pub(crate) terminal: Option<String>,
    /// Seconds at work, and since it was started.
    pub(crate) worked: u64,
    pub(crate) age: u64,
    /// Seconds of Unix time.
    pub(crate) started: i64,
    /// In kibibytes.
    pub(crate) virtual_size: u64,
    pub(crate) resident: u64,
}

/// This machine, as far as processes are told in relation to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Seconds of Unix time.
    pub(crate) now: i64,
    pub(crate) booted: i64,
    /// In kibibytes.
    pub(crate) memory: u64,
}

/// The unit of times in `/proc/PID/stat`, on every machine that Rust and Linux share.
const TICKS_PER_SECOND: u64 = 100;

impl Machine {
    pub(crate) fn look() -> io::Result<Self> {
        let (stat, memory) =
            (fs::read_to_string("/proc/stat")?, fs::read_to_string("/proc/meminfo")?);
        Ok(Self {
            now: Timestamp::now().as_second(),
            booted: number_of(&stat, "btime ").unwrap_or_default(),
            memory: number_of(&memory, "MemTotal:").unwrap_or_default(),
        })
    }
}

impl Process {
    /// None if it is gone.
    pub(crate) fn look(pid: Pid, machine: &Machine) -> Option<Self> {
        let dir = Path::new("/proc").join(pid.as_raw_pid().to_string());
        let read = |file: &str| fs::read(dir.join(file)).ok();
        let (stat, status, arguments) = (read("stat")?, read("status")?, read("cmdline")?);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self::read(&text(&stat), &text(&status), &text(&arguments), machine)
    }

    fn read(stat: &str, status: &str, arguments: &str, machine: &Machine) -> Option<Self> {
        // The name may have anything in it.
        let (pid, rest) = stat.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // By their numbers in proc_pid_stat(5), of which the third comes first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
        let seconds = |ticks: i64| ticks.unsigned_abs() / TICKS_PER_SECOND;
        let pid = pid.parse().ok()?;
        let started = machine.booted + i64::try_from(seconds(field(22)?)).ok()?;
        let arguments = arguments.split_terminator('\0').map(str::to_owned);
        Some(Self {
            pid,
            parent: field(4)?.try_into().ok()?,
            uid: number_of(status, "Uid:").unwrap_or_default(),
            name: name.to_owned(),
            arguments: arguments.collect(),
            state: fields.first()?.chars().next()?,
            leads_session: field(6)? == i64::from(pid),
            in_foreground: field(8)? == field(5)?,
            threads: field(20)?.try_into().ok()?,
            nice: field(19)?.try_into().ok()?,
            terminal: terminal(field(7)?),
            worked: seconds(field(14)? + field(15)?),
            age: (machine.now - started).max(0).unsigned_abs(),
            started,
            virtual_size: number_of(status, "VmSize:").unwrap_or_default(),
            resident: number_of(status, "VmRSS:").unwrap_or_default(),
        })
    }
}

/// The first number after such a word at the beginning of a line.
fn number_of<T: std::str::FromStr>(text: &str, word: &str) -> Option<T> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// linux/Documentation/admin-guide/devices.txt
fn terminal(device: i64) -> Option<String> {
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    match major {
        4 => Some(format!("tty{minor}")),
        136..=143 => Some(format!("pts/{}", minor + ((major - 136) << 8))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) S 7 42 42 34816 42 4194560 1 0 0 0 250 50 0 0 20 5 3 0 6000 \
                        1000 10 18446744073709551615 0 0";

    #[test]
    fn what_the_kernel_tells_is_read() {
        let machine = Machine { now: 1000, booted: 100, memory: 0 };
        let status = "Name:\ta\nUid:\t1000\t0\t0\t0\nVmSize:\t    2048 kB\nVmRSS:\t 512 kB\n";
        let process = Process::read(STAT, status, "a\0\0-c\0", &machine).unwrap();
        let expected = Process {
            pid: 42,
            parent: 7,
            uid: 1000,
            name: "a) b (c".to_owned(),
            arguments: ["a", "", "-c"].map(str::to_owned).to_vec(),
            state: 'S',
            leads_session: true,
            in_foreground: true,
            threads: 3,
            nice: 5,
            terminal: Some("pts/0".to_owned()),
            worked: 3,
            age: 840,
            started: 160,
            virtual_size: 2048,
            resident: 512,
        };
        assert_eq!(process, expected);
        assert_eq!(Process::read("42 (a", status, "", &machine), None);
        assert_eq!(terminal(0), None);
    }

    #[test]
    fn this_process_is_found() {
        let machine = Machine::look().unwrap();
        let own = Process::look(rustix::process::getpid(), &machine).unwrap();
        assert_eq!(own.pid.unsigned_abs(), std::process::id());
        let name = std::env::args().next().unwrap();
        assert_eq!(own.arguments.first(), Some(&name));
        assert!(own.age < 3600 && own.started <= machine.now, "{own:?}");
    }
}
