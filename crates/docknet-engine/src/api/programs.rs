//! Programs in containers, where they run: what they say, what is said to them, and others beside them.

mod stream;
mod top;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docknet_types::ContainerId;
use jiff::Timestamp;

use self::stream::{Frames, Pieces, copy_in};
use super::answer::{AnswerBody, Duplex};
use super::containers::{End, Watch};
use super::{Api, Call};
use crate::core::container::{self, Asked, Changed, Command, Container, StopWish};
use crate::core::filter::parse_unix_time;
use crate::core::refusal::Refusal;
use crate::engine::Inner;
use crate::plane::kernel::programs::{command, not_started};
use crate::process::{Entry, Exec, Follower, Input, Machine, Processes, Reader, Said, Since, Size};

/// How long a program has to end, unless it is asked for otherwise.
const GRACE: i64 = 10;
/// The exit code of a command that could not be prepared, as Docker has it.
const NOT_STARTED: i64 = 128;
/// A task that nobody reads from waits after as many pieces.
const AHEAD: usize = 64;

/// The programs of an engine that has any, and the container of this name, if it runs one.
pub(super) fn of<'a>(engine: &'a Arc<Inner>, container: &Container) -> Option<&'a Arc<Processes>> {
    engine.processes.as_ref().filter(|_| container.config.runs)
}

/// What a container said, as far as it is wanted.
pub(super) fn logs(
    processes: &Processes,
    container: &Container,
    call: &Call,
) -> Result<AnswerBody, Refusal> {
    let wanted = Wanted::read(call, container)?;
    let Ok(output) = processes.output(&container.id) else {
        return Ok(AnswerBody::Bytes(Bytes::new()));
    };
    let since = match call.query.text("tail") {
        "" | "all" => Since::Beginning,
        lines => lines.parse().map_or(Since::Beginning, Since::Tail),
    };
    if !call.query.bool("follow") {
        let said = output.read(since);
        let all = said.iter().filter_map(|entry| wanted.piece(entry)).flatten();
        return Ok(AnswerBody::Bytes(all.collect()));
    }
    let (sender, receiver) = tokio::sync::mpsc::channel(AHEAD);
    let mut follower = output.subscribe(since);
    tokio::spawn(async move {
        while let Some(said) = next(&mut follower, &wanted).await {
            if sender.send(said).await.is_err() {
                return;
            }
        }
    });
    Ok(AnswerBody::Stream(Box::pin(Pieces(receiver))))
}

/// Brings a connection and a container's program together, once that runs.
pub(super) fn attach(
    api: &Api,
    processes: Arc<Processes>,
    container: &Container,
    call: &Call,
) -> Result<AnswerBody, Refusal> {
    let watch = Watch::new(&api.engine);
    let flag = |name: &str| call.query.bool(name);
    let wanted =
        Wanted { stdout: flag("stdout"), stderr: flag("stderr"), ..Wanted::all(container) };
    let (streams, reads, replays) = (flag("stream"), flag("stdin"), flag("logs"));
    let once = container.config.config.get("StdinOnce").and_then(serde_json::Value::as_bool);
    let (id, running) = (container.id.clone(), container.is_running());
    let failure = processes.failure(&id);
    let expected = processes.expect(&id);
    Ok(AnswerBody::Hijack(Box::new(move |connection| {
        Box::pin(async move {
            if !running {
                let starts = async { streams && watch.until_start(&id).await };
                let started = tokio::select! {
                    started = starts => started,
                    () = failure => false,
                };
                if !started {
                    return;
                }
            }
            let Ok(output) = processes.output(&id) else { return };
            let since = match (replays, running) {
                (true, _) => Since::Beginning,
                (false, true) => Since::Now,
                // Who attached before the start misses nothing of it.
                (false, false) => Since::Run,
            };
            let input = processes.input(&id).ok().flatten().filter(|_| reads);
            let input = input.map(|input| (input, once.unwrap_or_default()));
            if streams {
                let follower = output.subscribe_to_all(since);
                drop(expected);
                talk(connection, follower, &wanted, input, std::future::ready(None)).await;
            }
        })
    })))
}

/// Asks a container to stop, and sees to it that it does.
pub(super) async fn stop(
    api: &Api,
    term: &str,
    wish: StopWish,
    grace: Option<i64>,
) -> Result<Changed, Refusal> {
    let watch = Watch::new(&api.engine);
    let term = term.to_owned();
    let asked = api.write(move |tx| container::ask_to_stop(tx, &term, &wish)).await?;
    let id = match asked {
        Asked::Done(changed) => return Ok(changed),
        Asked::Waits(id) => id,
    };
    let ended = watch.until(End::Exit, id.clone(), 0);
    match grace.unwrap_or(GRACE) {
        // As long as it takes.
        ..0 => drop(ended.await),
        seconds => {
            let limit = Duration::from_secs(seconds.unsigned_abs());
            // Who is late is killed.
            let _ = tokio::time::timeout(limit, ended).await;
        }
    }
    api.write(move |tx| container::end_stop(tx, &id)).await?;
    Ok(Changed::Yes)
}

/// The processes of a container, in the columns of `ps`.
pub(super) fn top(
    processes: &Processes,
    id: &ContainerId,
    arguments: &str,
) -> Result<serde_json::Value, Refusal> {
    let failed =
        |why: std::io::Error| Refusal::Worded(500, format!("cannot list processes: {why}"));
    let machine = Machine::look().map_err(failed)?;
    top::answer(arguments, &processes.list(id, &machine).map_err(failed)?, &machine)
}

/// The size of a container's terminal.
pub(super) fn resize(processes: &Processes, id: &ContainerId, height: u32, width: u32) {
    // A program without a terminal does not mind.
    let _ = processes.resize(id, size(height, width));
}

/// Starts a command beside a container's program; or why not, and the exit code for that.
pub(super) async fn exec(
    processes: &Processes,
    container: &Container,
    wish: &ExecWish<'_>,
) -> Result<Exec, (Refusal, i64)> {
    let surroundings = Command::beside(container, wish.tty, wish.env);
    let own = container.config.config.get("User").and_then(serde_json::Value::as_str);
    let mut beside = Command {
        words: wish.words.to_vec(),
        tty: wish.tty,
        stdin: wish.stdin,
        user: match wish.user {
            "" => own.unwrap_or_default().to_owned(),
            user => user.to_owned(),
        },
        ..surroundings
    };
    if !wish.directory.is_empty() {
        wish.directory.clone_into(&mut beside.directory);
    }
    beside.capabilities.all |= wish.privileged;
    let program =
        command(&beside).map_err(|why| (Refusal::Worded(400, why.to_string()), NOT_STARTED))?;
    processes.exec(&container.id, program, wish.reader).await.map_err(|why| {
        let failed = not_started(&why);
        let words = format!("OCI runtime exec failed: {}", failed.words);
        (Refusal::Worded(failed.status, words), why.exit_code())
    })
}

/// What is to be run beside a container's program.
pub(super) struct ExecWish<'a> {
    pub(super) words: &'a [String],
    pub(super) env: &'a [String],
    pub(super) user: &'a str,
    pub(super) directory: &'a str,
    pub(super) tty: bool,
    pub(super) stdin: bool,
    pub(super) privileged: bool,
    pub(super) reader: Reader,
}

/// Brings a connection and a command together, until that ends.
pub(super) async fn converse(connection: Box<dyn Duplex>, exec: &Exec, tty: bool) {
    let wanted = Wanted { frames: Frames::of(tty), ..Wanted::everything() };
    let input = exec.input().cloned().map(|input| (input, true));
    let follower = exec.output().subscribe_to_all(Since::Beginning);
    exec.output().expect_nobody();
    // Who asks for the exit code, once there is nothing more to read, is to find it.
    talk(connection, follower, &wanted, input, exec.wait()).await;
}

pub(super) fn resize_exec(exec: &Exec, height: u32, width: u32) {
    // A command without a terminal does not mind.
    let _ = exec.resize(size(height, width));
}

fn size(height: u32, width: u32) -> Size {
    let cut = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    Size { rows: cut(height), columns: cut(width) }
}

/// Which of what is said is wanted, and how.
#[derive(Clone, Debug)]
struct Wanted {
    stdout: bool,
    stderr: bool,
    frames: Frames,
    timestamps: bool,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Wanted {
    fn everything() -> Self {
        Self {
            stdout: true,
            stderr: true,
            frames: Frames::Yes,
            timestamps: false,
            since: None,
            until: None,
        }
    }

    fn all(container: &Container) -> Self {
        let tty = container.config.config.get("Tty").and_then(serde_json::Value::as_bool);
        Self { frames: Frames::of(tty.unwrap_or_default()), ..Self::everything() }
    }

    fn read(call: &Call, container: &Container) -> Result<Self, Refusal> {
        let time = |name: &str| match call.query.text(name) {
            "" | "0" => Ok(None),
            text => parse_unix_time(text).map_err(|why| {
                Refusal::Worded(400, format!("invalid value for \"{name}\": {why}"))
            }),
        };
        Ok(Self {
            stdout: call.query.bool("stdout"),
            stderr: call.query.bool("stderr"),
            timestamps: call.query.bool("timestamps"),
            since: time("since")?,
            until: time("until")?,
            ..Self::all(container)
        })
    }

    /// An entry as it is sent, if it is wanted.
    fn piece(&self, entry: &Entry) -> Option<Bytes> {
        let wanted = match entry.stream {
            crate::process::Stream::Stdout => self.stdout,
            crate::process::Stream::Stderr => self.stderr,
        };
        let in_time = self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time <= until);
        (wanted && in_time).then(|| self.frames.piece(entry, self.timestamps))
    }
}

async fn next(follower: &mut Follower, wanted: &Wanted) -> Option<Bytes> {
    loop {
        match follower.next().await? {
            Said::Entry(entry) => {
                if let Some(piece) = wanted.piece(&entry) {
                    return Some(piece);
                }
            }
            Said::Missed(lines) => {
                tracing::warn!(lines, "a client is too slow for what a container says");
            }
        }
    }
}

/// Sends what is said, and says what is sent; `input` with whether its end is the end of the connection's. The connection is
/// closed after `end`.
async fn talk(
    connection: Box<dyn Duplex>,
    mut follower: Follower,
    wanted: &Wanted,
    input: Option<(Input, bool)>,
    end: impl Future<Output = Option<i64>>,
) {
    use tokio::io::AsyncWriteExt as _;
    let (reader, mut writer) = tokio::io::split(connection);
    let said = async {
        while let Some(piece) = next(&mut follower, wanted).await {
            if writer.write_all(&piece).await.is_err() {
                return;
            }
            if writer.flush().await.is_err() {
                return;
            }
        }
    };
    let heard = async {
        if copy_in(reader, input).await.is_err() {
            return;
        }
        // The client says no more, and may still listen.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = said => drop(end.await),
        () = heard => {}
    }
    // Who is gone needs no farewell.
    let _ = writer.shutdown().await;
}
