//! Programs in containers: `/exec`. They can be prepared and asked about, and none runs: that is said where a real engine
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
}

/// The body of `POST /containers/{id}/exec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wish {
    cmd: Vec<String>,
    user: String,
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
    api.engine.execs.put(Exec { id: id.clone(), container, wish, exit_code: None });
    Ok(Answer::json(StatusCode::CREATED, &json!({ "Id": id })))
}

/// What is below `/exec/`.
pub(super) async fn route(api: &Api, method: &str, path: &str, call: Call) -> Outcome {
    let id = |suffix| between(path, "/exec/", suffix);
    match method {
        "GET" => inspect(api, id("/json").ok_or_else(not_found)?),
        "POST" => match (id("/start"), id("/resize")) {
            (Some(id), _) => start(api, id, call).await,
            (_, Some(id)) => api.engine.execs.find(id).map(|_| Answer::empty(StatusCode::OK)),
            _ => Err(not_found()),
        },
        _ => Err(not_found()),
    }
}

fn inspect(api: &Api, id: &str) -> Outcome {
    let exec = api.engine.execs.find(id)?;
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
        "Running": false,
        "ExitCode": exec.exit_code,
        "ProcessConfig": process,
        "OpenStdin": exec.wish.attach_stdin,
        "OpenStderr": exec.wish.attach_stderr,
        "OpenStdout": exec.wish.attach_stdout,
        "CanRemove": false,
        "ContainerID": exec.container,
        "DetachKeys": "",
        "Pid": 0,
    });
    Ok(Answer::json(StatusCode::OK, &shown))
}

/// Says that nothing can be run: in the stream where a client reads one, and as a refusal where not.
async fn start(api: &Api, id: &str, call: Call) -> Outcome {
    let wish: Start = call.json(api, &shapes::EXEC_START).await?;
    let exec = api.engine.execs.find(id)?;
    let container = active(api, &exec)?;
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
        };
        (0..=KEPT).for_each(|id| execs.put(exec(id)));
        execs.put(exec(1));
        assert!(execs.find("0").is_err());
        assert!(execs.find("1").is_ok() && execs.find(&KEPT.to_string()).is_ok());
    }
}
