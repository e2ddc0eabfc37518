//! What stands at the other end: a person at a terminal, or a program.

use std::env;
use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Always,
    Auto,
    Never,
}

/// What the standard streams are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    stdout: bool,
    stderr: bool,
    colour_out: bool,
    colour_err: bool,
}

impl Terminal {
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        // https://no-color.org: set and not empty.
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && env::var_os("TERM").is_none_or(|term| term != "dumb");
        let coloured = |terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Auto => terminal && wanted,
            ColorChoice::Never => false,
        };
        Self { stdout, stderr, colour_out: coloured(stdout), colour_err: coloured(stderr) }
    }

    /// Whether somebody looks at the output.
    pub(crate) fn is_watched(&self) -> bool {
        self.stdout
    }

    /// Whether somebody looks at messages.
    pub(crate) fn shows_messages(&self) -> bool {
        self.stderr
    }

    /// This style on stdout, or none.
    pub(crate) fn style(&self, style: Style) -> Style {
        if self.colour_out { style } else { Style::new() }
    }

    /// This style on stderr, or none.
    pub(crate) fn stderr_style(&self, style: Style) -> Style {
        if self.colour_err { style } else { Style::new() }
    }

    /// How many columns and rows there are, if it is a terminal.
    pub(crate) fn size(&self) -> Option<(usize, usize)> {
        let (width, height) = terminal_size::terminal_size()?;
        Some((width.0.into(), height.0.into()))
    }
}
