//! How a command ends when it does not succeed: what failed, on what, in the engine's words, and what may help.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use docknet::Error;

use crate::terminal::Terminal;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Everything was said already; only the exit code is left.
    Told(u8),
    /// Nobody reads what is written.
    BrokenPipe,
    Message(Box<Message>),
}

#[derive(Debug)]
pub(crate) struct Message {
    what: String,
    hints: Vec<String>,
    code: u8,
}

impl Failure {
    /// A failure in words of our own: one sentence, without a full stop.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::Message(Box::new(Message { what: what.into(), hints: Vec::new(), code: 1 }))
    }

    /// Something that the engine refused, or that did not reach it: `cannot remove network "backend"`.
    pub(crate) fn of(doing: impl fmt::Display, error: &Error) -> Self {
        Self::new(format!("{doing}: {}", error.message()))
    }

    /// What may help.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Message(message) = &mut self {
            message.hints.push(hint.into());
        }
        self
    }

    /// Another exit code than 1.
    pub(crate) fn code(mut self, code: u8) -> Self {
        if let Self::Message(message) = &mut self {
            message.code = code;
        }
        self
    }

    /// Says it on stderr.
    pub(crate) fn report(&self, terminal: &Terminal) -> ExitCode {
        match self {
            Self::Told(code) => ExitCode::from(*code),
            Self::BrokenPipe => ExitCode::SUCCESS,
            Self::Message(message) => {
                // Where stderr is closed nobody can be told.
                let _ = message.write(terminal, &mut io::stderr().lock());
                ExitCode::from(message.code)
            }
        }
    }
}

impl Message {
    fn write(&self, terminal: &Terminal, out: &mut impl Write) -> io::Result<()> {
        let (red, cyan) =
            (terminal.stderr_style(terminal::ERROR), terminal.stderr_style(terminal::HINT));
        writeln!(out, "{red}error:{red:#} {}", self.what)?;
        for hint in &self.hints {
            writeln!(out, "{cyan}hint:{cyan:#} {hint}")?;
        }
        Ok(())
    }
}

use crate::terminal;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::new(format!("cannot write: {error}")),
        }
    }
}

/// What was typed cannot be understood.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Where nobody reads, nobody can be told.
    let _ = error.print();
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if is_about_arguments(error) => ExitCode::from(1),
        _ => ExitCode::from(125),
    }
}

/// Whether there are too few or too many names, and not a flag that nobody knows: docker's exit code tells them apart.
fn is_about_arguments(error: &clap::Error) -> bool {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => true,
        ErrorKind::UnknownArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => !argument.starts_with('-'),
            _ => false,
        },
        _ => false,
    }
}
