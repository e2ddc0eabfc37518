//! Programs in containers: `/exec`. In memory they can be prepared and asked about, and none runs: that is said where a real engine
//! says that a program could not be started.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use docknet_types::ContainerId;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::answer::{Answer, AnswerBody, Duplex};
use super::go_json::shapes;
use super::route::{between, not_found};
use super::{Api, Call, Outcome};
use crate::core::container::{self, Container};
use crate::core::refusal::Refusal;

/// How many are remembered: the oldest are forgotten first.
const KEPT: usize = 1024;
/// What a shell says of a program that is there and cannot be run.
const NOT_EXECUTABLE: i64 = 126;
/// Whose a frame is: `stdout`.
const STDOUT: u8 = 1;

/// The programs that were asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Execs(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    by_id: HashMap<String, Exec>,
    order: VecDeque<String>,
}

#[derive(Clone, Debug)]
struct Exec {
    id: String,
    container: ContainerId,
    wish: Wish,
    /// Once it was tried.
    exit_code: Option<i64>,
    /// Where it runs, or ran.
    #[cfg(kernel)]
    started: Option<crate::process::Exec>,
}

/// The body of `POST /containers/{id}/exec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wish {
    cmd: Vec<String>,
    env: Vec<String>,
    user: String,
    working_dir: String,
    privileged: bool,
    tty: bool,
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
}

/// The body of `POST /exec/{id}/start`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Start {
    detach: bool,
    tty: bool,
}

/// `POST /containers/{id}/exec`
pub(super) async fn create(api: &Api, term: &str, call: Call) -> Outcome {
    let wish: Wish = call.json(api, &shapes::EXEC_CREATE).await?;
    if wish.cmd.is_empty() {
        return Err(Refusal::Worded(400, "No exec command specified".to_owned()));
    }
    let (term, command) = (term.to_owned(), wish.cmd.clone());
    let (container, id) = api.write(move |tx| container::exec(tx, &term, &command)).await?;
    api.engine.execs.put(Exec {
        id: id.clone(),
        container,
        wish,
        exit_code: None,
        #[cfg(kernel)]
        started: None,
    });
    Ok(Answer::json(StatusCode::CREATED, &json!({ "Id": id })))
}

/// What is below `/exec/`.
pub(super) async fn route(api: &Api, method: &str, path: &str, call: Call) -> Outcome {
    let id = |suffix| between(path, "/exec/", suffix);
    match method {
        "GET" => inspect(api, id("/json").ok_or_else(not_found)?),
        "POST" => match (id("/start"), id("/resize")) {
            (Some(id), _) => start(api, id, call).await,
            (_, Some(id)) => resize(api, id, &call),
            _ => Err(not_found()),
        },
        _ => Err(not_found()),
    }
}

fn resize(api: &Api, id: &str, call: &Call) -> Outcome {
    let number = |name: &str| call.query.text(name).parse().unwrap_or_default();
    api.engine.execs.find(id)?.resize(number("h"), number("w"));
    Ok(Answer::empty(StatusCode::OK))
}

fn inspect(api: &Api, id: &str) -> Outcome {
    let exec = api.engine.execs.find(id)?;
    let (running, pid) = exec.running();
    active(api, &exec)?;
    let (program, arguments) =
        exec.wish.cmd.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
    let mut process = json!({
        "tty": exec.wish.tty,
        "entrypoint": program,
        "arguments": arguments,
        "privileged": exec.wish.privileged,
    });
    if let Some(process) = process.as_object_mut().filter(|_| !exec.wish.user.is_empty()) {
        process.insert("user".to_owned(), exec.wish.user.clone().into());
    }
    let shown = json!({
        "ID": exec.id,
        "Running": running,
        "ExitCode": exec.exit_code(),
        "ProcessConfig": process,
        "OpenStdin": exec.wish.attach_stdin,
        "OpenStderr": exec.wish.attach_stderr,
        "OpenStdout": exec.wish.attach_stdout,
        "CanRemove": false,
        "ContainerID": exec.container,
        "DetachKeys": "",
        "Pid": pid,
    });
    Ok(Answer::json(StatusCode::OK, &shown))
}

/// Says that nothing can be run: in the stream where a client reads one, and as a refusal where not.
async fn start(api: &Api, id: &str, call: Call) -> Outcome {
    let wish: Start = call.json(api, &shapes::EXEC_START).await?;
    let exec = api.engine.execs.find(id)?;
    let container = active(api, &exec)?;
    #[cfg(kernel)]
    if let Some(processes) = super::programs::of(&api.engine, &container).cloned() {
        return run(api, &processes, exec, container, wish).await;
    }
    let why = match exec.exit_code {
        Some(_) => format!("exec command {id} has already run"),
        None => {
            let (name, command) = (exec.id.clone(), exec.wish.cmd.clone());
            api.write(move |tx| {
                tx.events.exec_start(container.event_ref(), &name, &command);
                Ok(())
            })
            .await?;
            let program = exec.wish.cmd.first().map(String::as_str).unwrap_or_default();
            format!(
                "OCI runtime exec failed: exec: {program:?}: containers of docknet have no processes"
            )
        }
    };
    let tried = exec.exit_code.is_some();
    api.engine.execs.put(Exec { exit_code: Some(NOT_EXECUTABLE), ..exec });
    if wish.detach {
        return Err(Refusal::Worded(if tried { 409 } else { 400 }, why));
    }
    let mut answer = Answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    let line = format!("{why}\r\n");
    let output = if wish.tty { line.into_bytes() } else { framed(STDOUT, line.as_bytes()) };
    answer.body = AnswerBody::Hijack(Box::new(move |connection| Box::pin(say(connection, output))));
    Ok(answer)
}

/// Runs it, with the connection as its terminal or its streams, or by itself.
#[cfg(kernel)]
async fn run(
    api: &Api,
    processes: &crate::process::Processes,
    exec: Exec,
    container: Container,
    wish: Start,
) -> Outcome {
    use crate::process::Reader;
    if exec.started.is_some() {
        let why = format!("exec command {} has already run", exec.id);
        return Err(Refusal::Worded(409, why));
    }
    let asked = super::programs::ExecWish {
        words: &exec.wish.cmd,
        env: &exec.wish.env,
        user: &exec.wish.user,
        directory: &exec.wish.working_dir,
        tty: exec.wish.tty,
        stdin: exec.wish.attach_stdin,
        privileged: exec.wish.privileged,
        reader: match wish.detach {
            true => Reader::Nobody,
            false => Reader::Comes,
        },
    };
    api.engine.await_leaving(&container).await;
    let started = match super::programs::exec(processes, &container, &asked).await {
        Ok(started) => started,
        Err((refusal, exit_code)) => {
            api.engine.execs.put(Exec { exit_code: Some(exit_code), ..exec });
            return Err(refusal);
        }
    };
    let (id, command) = (exec.id.clone(), exec.wish.cmd.clone());
    api.engine.execs.put(Exec { started: Some(started.clone()), ..exec });
    let told = api.write(move |tx| {
        tx.events.exec_start(container.event_ref(), &id, &command);
        Ok(())
    });
    told.await?;
    if wish.detach {
        return Ok(Answer::empty(StatusCode::OK));
    }
    let mut answer = Answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    answer.body = AnswerBody::Hijack(Box::new(move |connection| {
        Box::pin(async move { super::programs::converse(connection, &started, wish.tty).await })
    }));
    Ok(answer)
}

async fn say(mut connection: Box<dyn Duplex>, output: Vec<u8>) {
    if connection.write_all(&output).await.is_ok() {
        // Who is gone needs no farewell.
        let _ = connection.shutdown().await;
    }
}

/// One frame of a stream: whose it is, how long it is, and what is in it.
fn framed(stream: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    [[stream, 0, 0, 0], length].concat().into_iter().chain(bytes.iter().copied()).collect()
}

/// The container of a program, if it runs.
fn active(api: &Api, exec: &Exec) -> Result<Container, Refusal> {
    let state = api.engine.read();
    let container = state.container(&exec.container);
    let container = container.ok_or_else(|| Refusal::ContainerNotFound(exec.id.clone()))?;
    match container.status {
        container::Status::Running => Ok(Container::clone(container)),
        container::Status::Paused => {
            let id = &container.id;
            let why = format!("Container {id} is paused, unpause the container before exec");
            Err(Refusal::Worded(409, why))
        }
        container::Status::Created | container::Status::Exited => {
            Err(Refusal::NotRunning(container.id.clone()))
        }
    }
}

impl Exec {
    fn exit_code(&self) -> Option<i64> {
        #[cfg(kernel)]
        if let Some(started) = &self.started {
            return started.exit_code();
        }
        self.exit_code
    }

    #[cfg(kernel)]
    fn resize(&self, height: u32, width: u32) {
        if let Some(started) = &self.started {
            super::programs::resize_exec(started, height, width);
        }
    }

    /// What never runs has no size.
    #[cfg(not(kernel))]
    fn resize(&self, _height: u32, _width: u32) {}

    /// Whether it runs, and the number of its process.
    fn running(&self) -> (bool, i32) {
        #[cfg(kernel)]
        if let Some(started) = &self.started
            && started.exit_code().is_none()
        {
            return (true, started.pid().as_raw_pid());
        }
        (false, 0)
    }
}

impl Execs {
    fn put(&self, exec: Exec) {
        let mut log = self.log();
        let id = exec.id.clone();
        if log.by_id.insert(id.clone(), exec).is_none() {
            log.order.push_back(id);
        }
        while log.order.len() > KEPT {
            if let Some(oldest) = log.order.pop_front() {
                log.by_id.remove(&oldest);
            }
        }
    }

    fn find(&self, id: &str) -> Result<Exec, Refusal> {
        let found = self.log().by_id.get(id).cloned();
        found.ok_or_else(|| Refusal::Worded(404, format!("No such exec instance: {id}")))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_whose_it_is_and_how_long() {
        assert_eq!(framed(1, b"ab"), [1, 0, 0, 0, 0, 0, 0, 2, b'a', b'b']);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let execs = Execs::default();
        let exec = |id: usize| Exec {
            id: id.to_string(),
            container: ContainerId::from("c"),
            wish: Wish::default(),
            exit_code: None,
            #[cfg(kernel)]
            started: None,
        };
        (0..=KEPT).for_each(|id| execs.put(exec(id)));
        execs.put(exec(1));
        assert!(execs.find("0").is_err());
        assert!(execs.find("1").is_ok() && execs.find(&KEPT.to_string()).is_ok());
    }
}
