//! A server of the test's own, on a real socket: each connection does what the test says, byte by byte.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use docknet::{ApiVersion, Client, ClientBuilder};

/// What an engine says of a network.
pub(crate) const NETWORK: &str =
    r#"{"Name":"x","Id":"8dc8b98ebcbf4d8a","Driver":"bridge","Scope":"local"}"#;

/// How long a connection waits for the client before it gives the test up.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    Unix,
}

pub(crate) const BOTH: [Kind; 2] = [Kind::Unix, Kind::Tcp];

/// What one connection does. Once it returns, the connection is closed.
pub(crate) type Play = Box<dyn FnOnce(&mut Talk) + Send>;

pub(crate) fn play(play: impl FnOnce(&mut Talk) + Send + 'static) -> Play {
    Box::new(play)
}

pub(crate) struct Server {
    host: String,
    log: Arc<Mutex<Log>>,
    directory: PathBuf,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) connections: usize,
    pub(crate) open: usize,
    pub(crate) most_open: usize,
    /// Heads and bodies of the requests, in their order.
    pub(crate) requests: Vec<String>,
    /// Plays that ended with a panic.
    failed: usize,
}

impl Server {
    /// The first connection does the first of these, and so on; a connection too many is closed at once.
    pub(crate) fn start(kind: Kind, plays: impl IntoIterator<Item = Play>) -> Self {
        let plays = Mutex::new(plays.into_iter().collect::<Vec<_>>().into_iter());
        Self::start_each(kind, move |talk| {
            let next = plays.lock().unwrap_or_else(PoisonError::into_inner).next();
            if let Some(play) = next {
                play(talk);
            }
        })
    }

    /// Every connection does this.
    pub(crate) fn start_each(kind: Kind, play: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory =
            std::env::temp_dir().join(format!("docknet-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let log = Arc::<Mutex<Log>>::default();
        let play = Arc::new(play);
        let host = match kind {
            Kind::Unix => {
                let path = directory.join("engine.sock");
                let listener = UnixListener::bind(&path).unwrap();
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    accept(listener.incoming().map(|s| s.map(Stream::Unix)), &log, &play);
                });
                format!("unix://{}", path.display())
            }
            Kind::Tcp => {
                let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                let port = listener.local_addr().unwrap().port();
                let log = Arc::clone(&log);
                std::thread::spawn(move || {
                    accept(listener.incoming().map(|s| s.map(Stream::Tcp)), &log, &play);
                });
                format!("tcp://127.0.0.1:{port}")
            }
        };
        Self { host, log, directory }
    }

    /// A client that asks for no version, with a limit of time that a test can wait for.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder()
            .host(&self.host)
            .api_version(ApiVersion::new(1, 51))
            .timeout(Duration::from_secs(10))
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> usize {
        self.log().requests.len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log().connections
    }

    /// Waits until no more than so many connections are open.
    pub(crate) fn wait_until_open(&self, at_most: usize) {
        let until = Instant::now() + PATIENCE;
        while self.log().open > at_most {
            assert!(Instant::now() < until, "{} connections stay open", self.log().open);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.directory);
        if !std::thread::panicking() {
            self.wait_until_open(0);
            assert_eq!(self.log().failed, 0, "connections did not go as the test says");
        }
    }
}

fn accept<F: Fn(&mut Talk) + Send + Sync + 'static>(
    streams: impl Iterator<Item = std::io::Result<Stream>>,
    log: &Arc<Mutex<Log>>,
    play: &Arc<F>,
) {
    for stream in streams {
        let stream = stream.unwrap();
        let mut talk = Talk { stream: Some(stream), unread: Vec::new(), log: Arc::clone(log) };
        let mut seen = talk.log();
        seen.connections += 1;
        seen.open += 1;
        seen.most_open = seen.most_open.max(seen.open);
        drop(seen);
        let play = Arc::clone(play);
        std::thread::spawn(move || play(&mut talk));
    }
}

pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The server's end of one connection.
pub(crate) struct Talk {
    stream: Option<Stream>,
    unread: Vec<u8>,
    log: Arc<Mutex<Log>>,
}

impl Talk {
    /// Reads a request, head and body; none if the client has closed.
    pub(crate) fn request(&mut self) -> Option<String> {
        loop {
            if let Some(length) = whole(&self.unread) {
                let rest = self.unread.split_off(length);
                let request = std::mem::replace(&mut self.unread, rest);
                let request = String::from_utf8_lossy(&request).into_owned();
                self.log().requests.push(request.clone());
                return Some(request);
            }
            let mut buffer = [0; 64 * 1024];
            match self.read(&mut buffer) {
                0 => return None,
                read => self.unread.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// Reads a request and sends these bytes.
    pub(crate) fn reply(&mut self, bytes: impl AsRef<[u8]>) {
        if self.request().is_some() {
            self.write(bytes);
        }
    }

    /// Sends these bytes; `false` if the client has closed.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        match self.stream.as_mut() {
            Some(Stream::Tcp(stream)) => stream.write_all(bytes).is_ok(),
            Some(Stream::Unix(stream)) => stream.write_all(bytes).is_ok(),
            None => false,
        }
    }

    /// Waits until the client closes; `false` if it does not.
    pub(crate) fn wait_for_close(&mut self) -> bool {
        let started = Instant::now();
        let mut buffer = [0; 4096];
        while self.read(&mut buffer) > 0 {}
        started.elapsed() < PATIENCE
    }

    /// Closes now, with a reset where the protocol has one.
    pub(crate) fn reset(&mut self) {
        if let Some(Stream::Tcp(stream)) = &self.stream {
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        self.stream = None;
    }

    /// Refuses whatever the client writes from now on, though the connection stays.
    pub(crate) fn stop_reading(&mut self) {
        match &self.stream {
            Some(Stream::Tcp(stream)) => stream.shutdown(Shutdown::Read).unwrap(),
            Some(Stream::Unix(stream)) => stream.shutdown(Shutdown::Read).unwrap(),
            None => {}
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let read = match self.stream.as_mut() {
            Some(Stream::Tcp(stream)) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.read(buffer)
            }
            Some(Stream::Unix(stream)) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.read(buffer)
            }
            None => Ok(0),
        };
        read.unwrap_or(0)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.stream = None;
        let mut log = self.log();
        log.open -= 1;
        log.failed += usize::from(std::thread::panicking());
    }
}

/// How long the first request of these bytes is, if all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap_or_default().parse().unwrap_or(0));
    (bytes.len() >= end + length).then_some(end + length)
}

/// A whole answer with its length.
pub(crate) fn ok(body: &str) -> String {
    status("200 OK", body)
}

pub(crate) fn status(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A whole answer in chunks of this size.
pub(crate) fn chunked(body: &str, size: usize) -> String {
    let chunks = body
        .as_bytes()
        .chunks(size)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()));
    format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunks.collect::<String>()
    )
}
