//! `GET /containers/{id}/top`: processes in the columns of `ps`, which is not started for it.

use std::fs;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::core::refusal::Refusal;
use crate::process::{Machine, Process};

/// The columns that are asked for, of those that `ps` of procps has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Arguments,
    Cpu,
    CpuWhole,
    Memory,
    Name,
    Parent,
    Pid,
    Resident,
    Start,
    State,
    Terminal,
    Time,
    TimeShort,
    Uid,
    User,
    VirtualSize,
}

/// Each with its heading. The time of day is UTC's.
type Columns = Vec<(&'static str, Column)>;

/// Everything, in full.
const FULL: [(&str, Column); 8] = [
    ("UID", Column::User),
    ("PID", Column::Pid),
    ("PPID", Column::Parent),
    ("C", Column::CpuWhole),
    ("STIME", Column::Start),
    ("TTY", Column::Terminal),
    ("TIME", Column::Time),
    ("CMD", Column::Arguments),
];
/// For users, as BSD has it.
const BSD: [(&str, Column); 11] = [
    ("USER", Column::User),
    ("PID", Column::Pid),
    ("%CPU", Column::Cpu),
    ("%MEM", Column::Memory),
    ("VSZ", Column::VirtualSize),
    ("RSS", Column::Resident),
    ("TTY", Column::Terminal),
    ("STAT", Column::State),
    ("START", Column::Start),
    ("TIME", Column::TimeShort),
    ("COMMAND", Column::Arguments),
];
/// By the names that `-o` knows.
const NAMED: [(&str, &str, Column); 17] = [
    ("%cpu", "%CPU", Column::Cpu),
    ("%mem", "%MEM", Column::Memory),
    ("args", "COMMAND", Column::Arguments),
    ("cmd", "CMD", Column::Arguments),
    ("comm", "COMMAND", Column::Name),
    ("command", "COMMAND", Column::Arguments),
    ("pcpu", "%CPU", Column::Cpu),
    ("pid", "PID", Column::Pid),
    ("pmem", "%MEM", Column::Memory),
    ("ppid", "PPID", Column::Parent),
    ("rss", "RSS", Column::Resident),
    ("stat", "STAT", Column::State),
    ("time", "TIME", Column::Time),
    ("tty", "TT", Column::Terminal),
    ("uid", "UID", Column::Uid),
    ("user", "USER", Column::User),
    ("vsz", "VSZ", Column::VirtualSize),
];

/// The answer for these processes.
pub(super) fn answer(
    arguments: &str,
    processes: &[Process],
    machine: &Machine,
) -> Result<Value, Refusal> {
    let columns = columns(arguments)?;
    let users = Users::read();
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let row = |process: &Process| -> Vec<String> {
        columns.iter().map(|(_, column)| column.show(process, machine, &users)).collect()
    };
    let rows: Vec<_> = processes.iter().map(row).collect();
    Ok(json!({ "Titles": titles, "Processes": rows }))
}

fn columns(arguments: &str) -> Result<Columns, Refusal> {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.trim_start_matches('-').chars().collect();
        letters.sort_unstable();
        String::from_iter(letters)
    };
    match words.as_slice() {
        [] => Ok(FULL.to_vec()),
        [word] if word.starts_with('-') && matches!(letters(word).as_str(), "ef" | "f") => {
            Ok(FULL.to_vec())
        }
        [word] if matches!(letters(word).as_str(), "aux" | "ux" | "u") => Ok(BSD.to_vec()),
        [flag @ ("-o" | "-eo"), names] | [flag @ ("-e" | "-A"), "-o", names] => {
            let named = names.split(',').map(|name| named(name).ok_or_else(|| unknown(arguments)));
            let columns: Columns = named.collect::<Result<_, _>>()?;
            match columns.iter().any(|(_, column)| *column == Column::Pid) {
                true => Ok(columns),
                // Docker finds a container's processes by it.
                false => Err(Refusal::Worded(
                    500,
                    format!("Couldn't find PID field in ps output: `ps {flag} {names}`"),
                )),
            }
        }
        _ => Err(unknown(arguments)),
    }
}

fn named(name: &str) -> Option<(&'static str, Column)> {
    let (_, title, column) = NAMED.iter().find(|(known, ..)| *known == name)?;
    Some((title, *column))
}

fn unknown(arguments: &str) -> Refusal {
    let known: Vec<&str> = NAMED.iter().map(|(name, ..)| *name).collect();
    Refusal::Worded(
        400,
        format!(
            "docknet does not run ps: it knows `-ef`, `aux` and `-o` with names among {}, and not {arguments:?}",
            known.join(",")
        ),
    )
}

impl Column {
    fn show(self, process: &Process, machine: &Machine, users: &Users) -> String {
        match self {
            Self::Arguments => command(process),
            Self::Cpu => tenths(process.worked * 1000, process.age),
            Self::CpuWhole => (process.worked * 100 / process.age.max(1)).min(99).to_string(),
            Self::Memory => tenths(process.resident * 1000, machine.memory),
            Self::Name => process.name.clone(),
            Self::Parent => process.parent.to_string(),
            Self::Pid => process.pid.to_string(),
            Self::Resident => process.resident.to_string(),
            Self::Start => since(process.started, machine.now),
            Self::State => state(process),
            Self::Terminal => process.terminal.clone().unwrap_or_else(|| "?".to_owned()),
            Self::Time => {
                let worked = process.worked;
                format!("{:02}:{:02}:{:02}", worked / 3600, worked / 60 % 60, worked % 60)
            }
            Self::TimeShort => format!("{}:{:02}", process.worked / 60, process.worked % 60),
            Self::Uid => process.uid.to_string(),
            Self::User => users.name(process.uid),
            Self::VirtualSize => process.virtual_size.to_string(),
        }
    }
}

/// A program that has hidden its arguments, or a dead one, goes by its name.
fn command(process: &Process) -> String {
    match (process.state, process.arguments.is_empty()) {
        ('Z', _) => format!("[{}] <defunct>", process.name),
        (_, true) => format!("[{}]", process.name),
        (_, false) => process.arguments.join(" "),
    }
}

/// With one digit after the point; a thousandth of the whole is a tenth of a percent.
fn tenths(thousandths: u64, whole: u64) -> String {
    let share = thousandths / whole.max(1);
    format!("{}.{}", share / 10, share % 10)
}

/// The time of day, or the day if it is another one.
fn since(started: i64, now: i64) -> String {
    let Ok(started) = Timestamp::from_second(started) else { return "?".to_owned() };
    let is_long_ago = now - started.as_second() >= 24 * 60 * 60;
    let format = if is_long_ago { "%b%d" } else { "%H:%M" };
    started.strftime(format).to_string()
}

fn state(process: &Process) -> String {
    let marks = [
        (process.nice < 0, '<'),
        (process.nice > 0, 'N'),
        (process.leads_session, 's'),
        (process.threads > 1, 'l'),
        (process.in_foreground, '+'),
    ];
    let marks = marks.into_iter().filter_map(|(has, mark)| has.then_some(mark));
    std::iter::once(process.state).chain(marks).collect()
}

/// The host's users, by number.
struct Users(String);

impl Users {
    fn read() -> Self {
        Self(fs::read_to_string("/etc/passwd").unwrap_or_default())
    }

    fn name(&self, uid: u32) -> String {
        let number = uid.to_string();
        let found = self.0.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1) == Some(&number)).then_some(name)
        });
        found.map_or_else(|| number.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        Process {
            pid: 42,
            parent: 7,
            uid: 1000,
            name: "web".to_owned(),
            arguments: ["web", "-p", "80"].map(str::to_owned).to_vec(),
            state: 'S',
            leads_session: true,
            threads: 2,
            worked: 3661,
            age: 36610,
            started: 1_700_000_000,
            virtual_size: 2048,
            resident: 512,
            ..Process::default()
        }
    }

    fn row(columns: &[(&str, Column)]) -> Vec<String> {
        let machine = Machine { now: 1_700_036_610, booted: 0, memory: 4096 };
        let users = Users("root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/:\n".to_owned());
        columns.iter().map(|(_, column)| column.show(&process(), &machine, &users)).collect()
    }

    #[test]
    fn columns_are_those_of_ps() {
        let full = ["alice", "42", "7", "10", "22:13", "?", "01:01:01", "web -p 80"];
        assert_eq!(row(&FULL), full);
        let bsd = [
            "alice",
            "42",
            "10.0",
            "12.5",
            "2048",
            "512",
            "?",
            "Ssl",
            "22:13",
            "61:01",
            "web -p 80",
        ];
        assert_eq!(row(&BSD), bsd);
        let titles = |arguments: &str| {
            let columns = columns(arguments)?;
            Ok::<_, Refusal>(columns.into_iter().map(|(title, _)| title).collect::<Vec<_>>())
        };
        for (arguments, first) in [("", "UID"), ("-ef", "UID"), ("aux", "USER"), ("-aux", "USER")] {
            assert_eq!(titles(arguments).unwrap().first(), Some(&first), "{arguments}");
        }
        assert_eq!(titles("-o pid,comm,cmd"), Ok(vec!["PID", "COMMAND", "CMD"]));
        assert_eq!(titles("-eo user,pid"), titles("-e -o user,pid"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for arguments in ["-o pid,nonsense", "ef", "--forest", "-o", "-o pid comm", "; id"] {
            let Err(Refusal::Worded(400, why)) = columns(arguments) else { panic!("{arguments}") };
            assert!(why.contains("docknet does not run ps"), "{why}");
        }
        assert!(matches!(columns("-o comm"), Err(Refusal::Worded(500, _))));
    }

    #[test]
    fn a_process_without_arguments_goes_by_its_name() {
        let hidden = Process { arguments: Vec::new(), ..process() };
        assert_eq!(command(&hidden), "[web]");
        assert_eq!(command(&Process { state: 'Z', ..hidden }), "[web] <defunct>");
        assert_eq!(since(0, 1_700_000_000), "Jan01");
    }
}
