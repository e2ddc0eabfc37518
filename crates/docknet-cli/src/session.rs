//! What a command works with: the engine, the terminal, and where its output goes.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use docknet::Client;
use docknet_engine::Engine;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

use crate::cli::Globals;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::terminal::{self, Terminal};

/// One run of the program.
#[derive(Debug)]
pub(crate) struct Session {
    globals: Globals,
    terminal: Terminal,
    client: OnceCell<Client>,
    interrupt: OnceCell<Interrupt>,
}

impl Session {
    pub(crate) fn new(globals: Globals, terminal: Terminal) -> Self {
        Self { globals, terminal, client: OnceCell::new(), interrupt: OnceCell::new() }
    }

    pub(crate) fn runtime(&self, serves: bool) -> Outcome<Runtime> {
        let mut builder =
            if serves { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        builder.enable_all().build().map_err(|error| Failure::new(format!("cannot start: {error}")))
    }

    /// The engine that was asked for. Nothing is sent yet.
    pub(crate) async fn client(&self) -> Outcome<&Client> {
        self.client.get_or_try_init(|| connect(&self.globals)).await
    }

    /// What was given as `-H`.
    pub(crate) fn hosts(&self) -> &[String] {
        &self.globals.host
    }

    pub(crate) fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Where data goes. It is written when it is dropped or flushed: flush, to hear of what went wrong.
    pub(crate) fn out(&self) -> impl Write {
        BufWriter::new(io::stdout().lock())
    }

    /// Says something to the person, not to the program that reads the output.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        // Where stderr is closed nobody can be told.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    pub(crate) fn warn(&self, text: impl AsRef<str>) {
        let yellow = self.terminal.stderr_style(terminal::WARNING);
        self.say(format!("{yellow}warning:{yellow:#} {}", text.as_ref()));
    }

    /// From now on Ctrl-C does not end the program, but is heard of: for commands that change something.
    pub(crate) async fn interrupt(&self) -> Outcome<&Interrupt> {
        self.interrupt.get_or_try_init(|| async { Interrupt::listen(self.terminal) }).await
    }

    /// Shows what is being waited for, once it takes longer than a second. Ctrl-C does not end the wait: a call on its way is
    /// carried out by the engine all the same, and its outcome is to be told.
    pub(crate) async fn waiting<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let interrupted = async {
            match self.interrupt.get() {
                Some(interrupt) => interrupt.came().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            done = self.shown(what, work.as_mut()) => return done,
            () = interrupted => {}
        }
        self.say("interrupted: waiting for the engine's answer; once more ends it at once");
        work.await
    }

    async fn shown<T>(&self, what: &str, mut work: impl Future<Output = T> + Unpin) -> T {
        const PATIENCE: Duration = Duration::from_secs(1);
        if !self.terminal.shows_messages() {
            return work.await;
        }
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
            return done;
        }
        let spinner = indicatif::ProgressBar::new_spinner().with_message(what.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        let shown = Shown(spinner);
        let done = work.await;
        drop(shown);
        done
    }
}

/// Gone from the terminal when it is dropped.
struct Shown(indicatif::ProgressBar);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn connect(globals: &Globals) -> Outcome<Client> {
    let host = match globals.host.as_slice() {
        [] => {
            let builder = Client::builder();
            return Ok(match &globals.context {
                Some(context) => builder.context(context).build()?,
                None => builder.build()?,
            });
        }
        [host] => host,
        several => {
            return Err(Failure::new(format!(
                "`-H` was given {} times, and one engine is asked at a time",
                several.len()
            )));
        }
    };
    let Some(dir) = host.strip_prefix("state://") else {
        return Ok(Client::connect(host)?);
    };
    let engine = Engine::open(dir).start().await;
    let engine =
        engine.map_err(|error| Failure::new(format!("cannot open the state in {dir}: {error}")))?;
    Ok(engine.client())
}
