//! Messages with files in them, over a Unix socket: four bytes of length, with which the files go, and JSON.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A process, and its three streams.
const MOST_FILES: usize = 4;
/// Arguments and environment of a program are no longer.
const LONGEST: u32 = 16 << 20;
const LENGTH: usize = size_of::<u32>();

pub(super) fn send(
    mut stream: &UnixStream,
    message: &impl Serialize,
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?.to_be_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("too many files for a message"));
    }
    let sent = sendmsg(stream, &[IoSlice::new(&length)], &mut control, SendFlags::NOSIGNAL)?;
    stream.write_all(length.get(sent..).unwrap_or_default())?;
    stream.write_all(&body)
}

/// Nothing at the end.
pub(super) fn receive<T: DeserializeOwned>(
    mut stream: &UnixStream,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut length = [0; LENGTH];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut pieces = [IoSliceMut::new(&mut length)];
    let received = recvmsg(stream, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    if received == 0 {
        return Ok(None);
    }
    let mut files = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(sent) = message {
            files.extend(sent);
        }
    }
    stream.read_exact(length.get_mut(received..).unwrap_or_default())?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, files)))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn files_go_with_messages() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut read, write) = io::pipe().unwrap();
        // More than a socket takes at once.
        let long = "x".repeat(1 << 20);
        let sender = std::thread::spawn(move || {
            send(&here, &"first", &[write.as_fd()]).unwrap();
            drop(write);
            send(&here, &long, &[]).unwrap();
        });
        let (first, files) = receive::<String>(&there).unwrap().unwrap();
        assert_eq!((first.as_str(), files.len()), ("first", 1));
        let (second, none) = receive::<String>(&there).unwrap().unwrap();
        assert_eq!((second.len(), none.len()), (1 << 20, 0));
        sender.join().unwrap();
        assert!(receive::<String>(&there).unwrap().is_none());
        io::PipeWriter::from(files.into_iter().next().unwrap()).write_all(b"through").unwrap();
        let mut heard = String::new();
        read.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "through");
    }
}
