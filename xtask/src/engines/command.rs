//! Running other programs, with errors that say which one failed and what it said last.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

/// Runs it to its end and returns what it printed.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {line}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{line}: {}{}", output.status, last_lines(&said));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `ip` with its arguments in one string: none of ours has a blank in it.
pub(super) fn ip(arguments: &str) -> Result<()> {
    run(Command::new("ip").args(arguments.split_whitespace()))?;
    Ok(())
}

/// The end of a log, for an error message.
pub(super) fn log_end(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&text))
}

/// Does all of it at once, and reports every failure rather than the first.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let results: Vec<Result<R>> = thread::scope(|scope| {
        let handles: Vec<_> = items.iter().map(|item| scope.spawn(|| work(item))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked"))))
            .collect()
    });
    let mut done = Vec::new();
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(value) => done.push(value),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(done)
}

fn describe(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}

fn last_lines(text: &str) -> String {
    const SHOWN: usize = 15;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = &lines[lines.len().saturating_sub(SHOWN)..];
    end.iter().fold(String::new(), |shown, line| format!("{shown}\n    {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_program_and_what_it_said() {
        let error = run(Command::new("sh").args(["-c", "echo so >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "sh -c echo so >&2; exit 3: exit status: 3\n    so");
        assert!(run(&mut Command::new("/no/such")).unwrap_err().to_string().contains("/no/such"));
    }

    #[test]
    fn every_failure_is_reported() {
        let error = in_parallel(&[1, 2, 3], |n| {
            if n % 2 == 1 {
                bail!("{n} is odd");
            }
            Ok(*n)
        });
        assert_eq!(error.unwrap_err().to_string(), "1 is odd\n3 is odd");
    }

    #[test]
    fn only_the_end_of_a_log_is_shown() {
        let text: String = (0..40).map(|n| format!("line {n}\n\n")).collect();
        let end = last_lines(&text);
        assert_eq!(end.lines().filter(|line| !line.is_empty()).count(), 15);
        assert!(end.ends_with("line 39"));
    }
}
