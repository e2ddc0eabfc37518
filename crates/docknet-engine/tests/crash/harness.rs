//! Processes that are killed at random moments. What a process acknowledged before is there at the next start; what else is
//! there was in flight.
//!
//! The process is a test of the same binary that is ignored unless it is named: [`child_of`].

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Tells the test which is the child that it is one.
const CHILD: &str = "DOCKNET_CRASH_CHILD";
const ACKNOWLEDGED: &str = "acknowledged ";
pub(crate) const READY: &str = "ready";

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Death {
    /// So long after its start: perhaps while it opens its state.
    AfterStart(Duration),
    /// So long after it said that it is [`ready`].
    AfterReady(Duration),
}

impl Death {
    /// Mostly under load, at times before.
    pub(crate) fn random(rng: &mut fastrand::Rng, longest: Duration) -> Self {
        let longest = u64::try_from(longest.as_micros()).unwrap();
        let life = Duration::from_micros(rng.u64(500..longest));
        if rng.u8(0..4) == 0 { Self::AfterStart(life) } else { Self::AfterReady(life) }
    }
}

/// How many processes to kill: `DOCKNET_CRASH_ROUNDS`, or so many.
pub(crate) fn rounds_or(default: u64) -> u64 {
    number("DOCKNET_CRASH_ROUNDS").unwrap_or(default)
}

/// Random numbers that `DOCKNET_CRASH_SEED` repeats, as far as the kernel's scheduler does.
pub(crate) fn rng() -> fastrand::Rng {
    let seed = number("DOCKNET_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("DOCKNET_CRASH_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is no number: {value}")))
}

/// This test of this binary in a process of its own.
pub(crate) fn child_of(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env(CHILD, test);
    command
}

/// Whether this process is the child: a test that is one does nothing when somebody runs all ignored tests.
pub(crate) fn is_child_of(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|child| child == test)
}

/// Says that the work begins. For the child.
pub(crate) fn ready() {
    // The test runner has left a line unfinished.
    println!("\n{READY}");
}

/// Says that this operation was answered. For the child. It ends the child (by a panic) when nobody listens any more.
pub(crate) fn acknowledge(operation: &str) {
    println!("{ACKNOWLEDGED}{operation}");
}

/// Runs a child, kills it, and returns what it acknowledged.
pub(crate) fn kill(command: &mut Command, death: Death) -> Vec<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = lines(&mut child);
    let mut acknowledged = Vec::new();
    let mut note = |line: &str| {
        acknowledged.extend(line.strip_prefix(ACKNOWLEDGED).map(str::to_owned));
    };
    match death {
        Death::AfterStart(life) => thread::sleep(life),
        Death::AfterReady(life) => {
            while let Ok(line) = lines.recv() {
                note(&line);
                if line == READY {
                    break;
                }
            }
            thread::sleep(life);
        }
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9),
        "the child ended by itself: {status}"
    );
    lines.iter().for_each(|line| note(&line));
    acknowledged
}

/// Its whole lines: one that the kill cut short was not said.
pub(crate) fn lines(child: &mut Child) -> Receiver<String> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        loop {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            let Some(whole) = line.strip_suffix('\n') else { return };
            if sender.send(whole.to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}
