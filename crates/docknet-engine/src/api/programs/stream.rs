//! How what programs say goes over a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

use crate::process::{Entry, Input};

/// Whether it is told which stream a piece is of: where there is a terminal, there is one stream only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frames {
    No,
    Yes,
}

impl Frames {
    pub(super) fn of(tty: bool) -> Self {
        if tty { Self::No } else { Self::Yes }
    }

    /// An entry, with its time before it if that is wanted.
    pub(super) fn piece(self, entry: &Entry, timestamps: bool) -> Bytes {
        let time = match timestamps && entry.begins_line {
            true => format!("{:.9} ", entry.time),
            false => String::new(),
        };
        if self == Self::No && time.is_empty() {
            return entry.bytes.clone();
        }
        let length = time.len() + entry.bytes.len();
        let mut piece = BytesMut::with_capacity(8 + length);
        if self == Self::Yes {
            let stream = match entry.stream {
                crate::process::Stream::Stdout => 1,
                crate::process::Stream::Stderr => 2,
            };
            piece.put_slice(&[stream, 0, 0, 0]);
            piece.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        }
        piece.put_slice(time.as_bytes());
        piece.put_slice(&entry.bytes);
        piece.freeze()
    }
}

/// Pieces as they come.
pub(super) struct Pieces(pub(super) mpsc::Receiver<Bytes>);

impl Stream for Pieces {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.poll_recv(cx)
    }
}

/// Hands what comes in on to a program, until it ends; what a program does not read is dropped. An error is that of a client
/// that is gone.
pub(super) async fn copy_in(
    mut from: impl AsyncRead + Unpin,
    to: Option<(Input, bool)>,
) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(4096);
    loop {
        buffer.reserve(4096);
        if from.read_buf(&mut buffer).await? == 0 {
            if let Some((input, true)) = &to {
                input.close();
            }
            return Ok(());
        }
        let piece = buffer.split().freeze();
        if let Some((input, _)) = &to {
            // A program that has closed its input hears no more.
            let _ = input.write(piece).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_frame_says_whose_it_is_and_how_long() {
        let entry = Entry {
            stream: crate::process::Stream::Stderr,
            time: Timestamp::UNIX_EPOCH,
            bytes: Bytes::from_static(b"ab\n"),
            begins_line: true,
        };
        assert_eq!(&*Frames::Yes.piece(&entry, false), b"\x02\0\0\0\0\0\0\x03ab\n");
        assert_eq!(&*Frames::No.piece(&entry, false), b"ab\n");
        assert_eq!(&*Frames::No.piece(&entry, true), b"1970-01-01T00:00:00.000000000Z ab\n");
        let rest = Entry { begins_line: false, ..entry };
        assert_eq!(&*Frames::No.piece(&rest, true), b"ab\n");
    }
}
