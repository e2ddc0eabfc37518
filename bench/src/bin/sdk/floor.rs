//! The least that a call can cost.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Result, ensure};
use docknet_bench::cost::{Cost, measured};

use super::{AT_ONCE, Contender, Task};

/// Writes and reads the same bytes as docknet, each answer into memory of its own, and looks at none of them.
pub struct Floor {
    streams: Vec<UnixStream>,
    network: String,
    /// The requests of a task, one after the other, and how long their answers are.
    ready: Option<(Task, Vec<(String, usize)>)>,
}

impl Floor {
    pub const NAME: &str = "bare socket";

    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        let streams =
            (0..AT_ONCE).map(|_| UnixStream::connect(socket)).collect::<Result<_, _>>()?;
        Ok(Self { streams, network: network.to_owned(), ready: None })
    }

    /// Finds out how long the answers are, once: the rest of the rounds only count bytes.
    fn prepare(&mut self, task: Task) -> Result<()> {
        if self.ready.as_ref().is_some_and(|(ready, _)| *ready == task) {
            return Ok(());
        }
        let get = |target: &str| request("GET", target, "");
        let requests = match task {
            Task::Get | Task::GetMany => vec![get(&format!("/networks/{}", self.network))],
            Task::List | Task::ListTyped | Task::ListTrees => vec![get("/networks")],
            Task::CreateRemove => vec![
                request("POST", "/networks/create", r#"{"Name":"made","CheckDuplicate":true}"#),
                // What was made is looked at: a network has its attributes.
                get(&format!("/networks/{}", self.network)),
                request("DELETE", "/networks/made", ""),
            ],
            Task::Containers => vec![get("/containers/json")],
        };
        let lengths = requests.into_iter().map(|request| {
            let length = length(&mut self.streams[0], &request)?;
            Ok((request, length))
        });
        self.ready = Some((task, lengths.collect::<Result<_>>()?));
        Ok(())
    }
}

impl Contender for Floor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn has(&self, _: Task) -> bool {
        true
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        self.prepare(task)?;
        let exchanges = self.ready.as_ref().map_or(&[][..], |(_, exchanges)| exchanges);
        let many = if task == Task::GetMany { AT_ONCE } else { 1 };
        measured(|| {
            for _ in 0..calls {
                for (request, length) in exchanges {
                    for stream in &mut self.streams[..many] {
                        stream.write_all(request.as_bytes())?;
                    }
                    for stream in &mut self.streams[..many] {
                        let mut answer = Vec::with_capacity(*length);
                        stream.take(*length as u64).read_to_end(&mut answer)?;
                        drop(black_box(answer));
                    }
                }
            }
            Ok(())
        })
    }
}

fn request(method: &str, target: &str, body: &str) -> String {
    let head = format!(
        "{method} /v1.51{target} HTTP/1.1\r\nuser-agent: docknet/0.1.0\r\nhost: localhost\r\n"
    );
    if body.is_empty() {
        return format!("{head}\r\n");
    }
    let length = body.len();
    format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn length(stream: &mut UnixStream, request: &str) -> Result<usize> {
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let read = stream.read(&mut piece)?;
        ensure!(read > 0, "the engine closed the connection");
        answer.extend_from_slice(&piece[..read]);
        if let Some(length) = whole_length(&answer)? {
            return Ok(length);
        }
    }
}

/// The length of an answer, head and body, if all of it is there.
fn whole_length(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 2"), "{head}");
    if let Some((_, rest)) = head.split_once("content-length: ") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let whole = end + 4 + digits.parse::<usize>()?;
        return Ok((bytes.len() >= whole).then_some(whole));
    }
    if head.contains("transfer-encoding") {
        return Ok(bytes.ends_with(b"\r\n0\r\n\r\n").then_some(bytes.len()));
    }
    Ok(Some(end + 4))
}
