//! A hijacked connection where none can be handed over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::Hijack;

/// What a hijack writes, as a stream. Its future is run by whoever polls the stream, and dropped with it.
pub(super) struct Plain {
    near: DuplexStream,
    /// Whether the other side was told that it has nothing to read.
    told: bool,
    hijack: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    buffer: BytesMut,
}

impl Plain {
    pub(super) fn new(hijack: Hijack) -> Self {
        let (near, far) = tokio::io::duplex(PIECE);
        let hijack = Some(hijack(Box::new(far)));
        Self { near, told: false, hijack, buffer: BytesMut::new() }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if !self.told {
            // A pipe in memory is shut at once, and has nothing to say about it.
            let _ = ready!(Pin::new(&mut self.near).poll_shutdown(cx));
            self.told = true;
        }
        if let Some(hijack) = &mut self.hijack
            && hijack.as_mut().poll(cx).is_ready()
        {
            self.hijack = None;
        }
        self.buffer.resize(PIECE, 0);
        let mut read = ReadBuf::new(&mut self.buffer);
        let end = ready!(Pin::new(&mut self.near).poll_read(cx, &mut read));
        let length = read.filled().len();
        match end {
            Ok(()) if length > 0 => Poll::Ready(Some(self.buffer.split_to(length).freeze())),
            // It writes no more; what it does beside that is done before the stream ends.
            _ if self.hijack.is_some() => Poll::Pending,
            _ => Poll::Ready(None),
        }
    }
}

/// How much is under way at most.
const PIECE: usize = 16 * 1024;

impl Stream for Plain {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.get_mut().poll_piece(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn read(mut plain: Plain) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut plain).poll_next(cx)).await
        {
            assert!(!piece.is_empty());
            all.extend_from_slice(&piece);
        }
        all
    }

    #[tokio::test]
    async fn all_that_is_written_comes_out_however_long() {
        let text = vec![b'x'; 5 * PIECE + 7];
        let written = text.clone();
        let plain = Plain::new(Box::new(|mut io| {
            Box::pin(async move { io.write_all(&written).await.unwrap() })
        }));
        assert!(read(plain).await == text);
    }

    #[tokio::test]
    async fn there_is_nothing_to_read_and_the_work_is_done_to_its_end() {
        let done = Arc::new(AtomicBool::new(false));
        let said = Arc::clone(&done);
        let plain = Plain::new(Box::new(move |mut io| {
            Box::pin(async move {
                let mut input = Vec::new();
                io.read_to_end(&mut input).await.unwrap();
                io.write_all(format!("{} bytes", input.len()).as_bytes()).await.unwrap();
                drop(io);
                tokio::task::yield_now().await;
                said.store(true, Ordering::SeqCst);
            })
        }));
        assert_eq!(read(plain).await, b"0 bytes");
        assert!(done.load(Ordering::SeqCst));
    }
}
