//! How a command ends when it does not succeed: what failed, on what, in the engine's words, and what may help.

mod hints;

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind as Usage};
use docknet::Error;

use crate::output::visible_lines;
use crate::terminal::{self, Terminal};

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads what is written.
    BrokenPipe,
    Message(Box<Message>),
    /// Everything was said already; only the exit code is left.
    Told(u8),
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

    /// Something that could not be done: ``remove network `backend` ``, and the engine's words.
    pub(crate) fn of(doing: impl fmt::Display, error: &Error) -> Self {
        let failure = Self::new(format!("cannot {doing}: {}", hints::words(error)));
        hints::of(error).into_iter().fold(failure, Self::hint)
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
            Self::BrokenPipe => ExitCode::SUCCESS,
            Self::Message(message) => {
                // Where stderr is closed nobody can be told.
                let _ = message.write(terminal, &mut io::stderr().lock());
                ExitCode::from(message.code)
            }
            Self::Told(code) => ExitCode::from(*code),
        }
    }
}

impl Message {
    fn write(&self, terminal: &Terminal, out: &mut impl Write) -> io::Result<()> {
        let (red, cyan) =
            (terminal.stderr_style(terminal::ERROR), terminal.stderr_style(terminal::HINT));
        writeln!(out, "{red}error:{red:#} {}", visible_lines(&self.what))?;
        for hint in &self.hints {
            writeln!(out, "{cyan}hint:{cyan:#} {}", visible_lines(hint))?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match (error.operation(), error.subject()) {
            (Some(doing), Some(subject)) => {
                Self::of(format_args!("{} `{subject}`", plain(doing)), &error)
            }
            (Some(doing), None) => Self::of(plain(doing), &error),
            (None, _) => {
                hints::of(&error).into_iter().fold(Self::new(hints::words(&error)), Self::hint)
            }
        }
    }
}

/// `network remove`, as the SDK names a call, in the order of a sentence.
fn plain(operation: &str) -> String {
    match operation.split_once(' ') {
        Some((noun, verb)) => format!("{verb} {noun}"),
        None => operation.to_owned(),
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

/// What was typed cannot be understood, or is a wish for help.
///
/// The exit codes are those of docker's CLI 28: 125 for a flag that does not exist or has a wrong value, 1 for a command that does
/// not exist, or for too few or too many arguments, and 0 for a command group alone, which prints its help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let code = match error.kind() {
        Usage::DisplayHelp | Usage::DisplayVersion => 0,
        Usage::DisplayHelpOnMissingArgumentOrSubcommand => {
            // To stdout, as help that was asked for. Where nobody reads, nobody can be told.
            let _ = write!(io::stdout(), "{}", error.render());
            return ExitCode::SUCCESS;
        }
        Usage::InvalidSubcommand | Usage::MissingSubcommand | Usage::TooManyValues => 1,
        Usage::MissingRequiredArgument if !is_flag(error) => 1,
        Usage::UnknownArgument if !is_flag(error) => 1,
        _ => 125,
    };
    // Where nobody reads, nobody can be told.
    let _ = error.print();
    ExitCode::from(code)
}

/// Whether it is about something that begins with a `-`.
fn is_flag(error: &clap::Error) -> bool {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.starts_with('-'),
        Some(ContextValue::Strings(arguments)) => {
            arguments.iter().any(|argument| argument.starts_with('-'))
        }
        _ => false,
    }
}
