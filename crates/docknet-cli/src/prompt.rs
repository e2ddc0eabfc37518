//! Questions.

use std::io::Write;

use crate::failure::Outcome;
use crate::session::Session;

/// Asks, and takes `y` for a yes. Whoever is not there to answer says no.
///
/// As with docker's CLI the question goes to stdout, and an answer may be piped in.
pub(crate) async fn confirm(session: &Session, question: &str) -> Outcome<bool> {
    {
        let mut out = session.out();
        write!(out, "{question} [y/N] ")?;
        out.flush()?;
    }
    // A thread of its own, since nothing else wakes one that reads a terminal; after Ctrl-C it is left behind, and ends with us.
    let (answered, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        let _ = answered.send(read.map(|_| line));
    });
    let interrupt = session.interrupt().await?;
    let line = tokio::select! {
        line = answer => line,
        () = interrupt.came() => {
            session.say("");
            interrupt.check()?;
            return Ok(false);
        }
    };
    let line = line.ok().and_then(Result::ok).unwrap_or_default();
    Ok(line.trim().eq_ignore_ascii_case("y"))
}
