//! The whole terminal, for as long as this lives.

use std::io::{self, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use super::frame::{Frame, Look};
use crate::terminal::{self, Terminal};

/// The alternate screen, without a cursor and without echo. Dropped, however that comes, the terminal is what it was.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal,
    before: Option<Termios>,
}

impl Screen {
    pub(crate) fn open(terminal: Terminal) -> io::Result<Self> {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            // Keys come one by one and are not shown; Ctrl-C is still a signal.
            quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
            // Stopped by Ctrl-Z it would leave the shell on this screen.
            quiet.special_codes[SpecialCodeIndex::VSUSP] = 0;
            tcsetattr(io::stdin(), OptionalActions::Now, &quiet)?;
        }
        let screen = Self { terminal, before };
        let mut out = io::stdout().lock();
        out.write_all(b"\x1b[?1049h\x1b[?25l")?;
        out.flush()?;
        drop(out);
        Ok(screen)
    }

    pub(crate) fn draw(&self, frame: &Frame) -> io::Result<()> {
        let mut text = String::from("\x1b[H");
        for (at, line) in frame.lines.iter().enumerate() {
            if at > 0 {
                text.push_str("\r\n");
            }
            let style = self.terminal.style(match line.look {
                Look::Changed => terminal::GOOD.bold(),
                Look::Faint => terminal::FAINT,
                Look::Head => terminal::STRONG,
                Look::Plain => anstyle::Style::new(),
            });
            // The rest of the line is what was there before.
            text.push_str(&format!("{style}{}{style:#}\x1b[K", line.text));
        }
        text.push_str("\x1b[J");
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = io::stdout().write_all(b"\x1b[?25h\x1b[?1049l");
        let _ = io::stdout().flush();
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
