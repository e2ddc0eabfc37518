//! A server whose answers cost the same every time: bytes made beforehand, one write each.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use crate::canned::{self, Held};

/// Asks the server how many requests it had; this one does not count.
const COUNT: &str = "/count";

/// A server in a process of its own, so that its processor time is not the client's.
pub struct Server {
    child: Child,
    pub socket: PathBuf,
}

impl Server {
    /// Starts one that has this many networks, with so many containers on each.
    pub fn start(directory: &Path, held: Held) -> Result<Self> {
        let (networks, members) = (held.networks.to_string(), held.members.to_string());
        let socket = directory.join(format!("engine-{networks}-{members}.sock"));
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args([socket.as_os_str(), networks.as_ref(), members.as_ref()])
            .stdout(Stdio::piped())
            .spawn()?;
        // It says one byte once it listens.
        let mut ready = [0];
        child.stdout.take().context("no output")?.read_exact(&mut ready)?;
        Ok(Self { child, socket })
    }

    /// How many requests it had so far.
    pub fn requests(&self) -> Result<u64> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.write_all(
            format!("GET {COUNT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.rsplit_once("\r\n\r\n").context("no body")?.1.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The server's own process: a thread a connection, until it is killed.
pub fn serve(socket: &Path, held: Held) -> Result<()> {
    let _old = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    std::io::stdout().write_all(b"!")?;
    std::io::stdout().flush()?;
    let count = Arc::new(AtomicU64::new(0));
    for stream in listener.incoming() {
        let (stream, count) = (stream?, Arc::clone(&count));
        std::thread::spawn(move || talk(stream, held, &count));
    }
    Ok(())
}

fn talk(mut stream: UnixStream, held: Held, count: &AtomicU64) -> Result<()> {
    let mut answers: HashMap<String, Vec<u8>> = HashMap::new();
    let (mut buffer, mut filled) = (vec![0; 64 * 1024], 0);
    loop {
        let Some(end) = whole_request(&buffer[..filled])? else {
            let read = stream.read(&mut buffer[filled..])?;
            ensure!(read > 0, "the client is gone");
            filled += read;
            continue;
        };
        let line = buffer[..end].split(|byte| *byte == b'\r').next().unwrap_or_default();
        let request = std::str::from_utf8(line)?.trim_end_matches(" HTTP/1.1");
        if request.ends_with(COUNT) {
            let body = count.load(Ordering::Relaxed).to_string();
            stream.write_all(
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                    .as_bytes(),
            )?;
            return Ok(());
        }
        count.fetch_add(1, Ordering::Relaxed);
        if !answers.contains_key(request) {
            answers.insert(request.to_owned(), canned::answer(request, held));
        }
        stream.write_all(&answers[request])?;
        buffer.copy_within(end..filled, 0);
        filled -= end;
    }
}

/// Where a request ends, head and body, if all of it is there.
fn whole_request(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let whole = end + 4 + length.map_or(Ok(0), |length| length.trim().parse::<usize>())?;
    Ok((bytes.len() >= whole).then_some(whole))
}
