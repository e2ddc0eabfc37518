//! A client that writes what a test says, byte by byte.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::super::Server;

pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) async fn connect(server: &Server) -> Box<dyn Io> {
    if let Some(path) = server.address().path() {
        return Box::new(UnixStream::connect(path).await.unwrap());
    }
    let address = server.address().to_string();
    Box::new(TcpStream::connect(address.strip_prefix("tcp://").unwrap()).await.unwrap())
}

/// Sends text, and reads until the server closes the connection. The date is left out.
pub(super) async fn exchange(server: &Server, text: &str) -> String {
    let mut io = connect(server).await;
    io.write_all(text.as_bytes()).await.unwrap();
    let mut all = String::new();
    io.read_to_string(&mut all).await.unwrap();
    all.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
}

/// Reads until the text has come.
pub(super) async fn read_until(io: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        all.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(all).unwrap()
}

/// A request that closes the connection behind it.
pub(super) fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}
