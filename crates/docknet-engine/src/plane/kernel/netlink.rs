//! Requests to the kernel on a netlink socket, one after the other.

use std::fmt;
use std::io;

use netlink_bindings::traits::{NetlinkRequest, Protocol};
use netlink_sys::{Socket, SocketAddr};
use rustix::io::Errno;

/// A socket of the namespace in which it was opened. It stays there, whatever thread uses it.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
    received: Vec<u8>,
}

/// What the kernel is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Links, addresses, routes.
    Route,
    /// nf_tables.
    Netfilter,
}

/// The kernel refused, in its own words where it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    doing: &'static str,
    errno: Errno,
    words: Option<String>,
}

impl Netlink {
    pub(crate) fn open(family: Family) -> io::Result<Self> {
        let protocol = match family {
            Family::Route => netlink_sys::protocols::NETLINK_ROUTE,
            Family::Netfilter => netlink_sys::protocols::NETLINK_NETFILTER,
        };
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // The kernel's own words, and no copy of what we sent, in what it refuses.
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        Ok(Self { socket, sequence: 0, received: Vec::with_capacity(BIGGEST) })
    }

    /// Asks for something to be done.
    pub(crate) fn ask(
        &mut self,
        doing: &'static str,
        request: &impl NetlinkRequest,
    ) -> Result<(), Refused> {
        self.exchange(doing, request, NLM_F_ACK, |_| {})
    }

    /// Asks for something, and looks at the answer.
    pub(crate) fn get<R: NetlinkRequest>(
        &mut self,
        doing: &'static str,
        request: &R,
        mut look: impl FnMut(R::ReplyType<'_>),
    ) -> Result<(), Refused> {
        self.exchange(doing, request, NLM_F_ACK, |payload| look(R::decode_reply(payload)))
    }

    /// Looks at all there is. What changes meanwhile makes it begin anew: `begin` is called each time.
    pub(crate) fn list<R: NetlinkRequest, T: Default>(
        &mut self,
        doing: &'static str,
        request: &R,
        mut look: impl FnMut(&mut T, R::ReplyType<'_>),
    ) -> Result<T, Refused> {
        for _ in 0..MOST_TRIES {
            let mut all = T::default();
            let done = self
                .exchange(doing, request, 0, |payload| look(&mut all, R::decode_reply(payload)));
            match done {
                Ok(()) => return Ok(all),
                Err(refused) if refused.errno == Errno::INTR => {}
                Err(refused) => return Err(refused),
            }
        }
        Err(Refused {
            doing,
            errno: Errno::INTR,
            words: Some("it changed each time it was looked at".to_owned()),
        })
    }

    /// Sends changes that happen as one, or not at all: messages with numbers from `first` on, each of which is answered.
    pub(crate) fn transact(
        &mut self,
        doing: &'static str,
        batch: &[u8],
        first: u32,
        changes: u32,
    ) -> Result<(), Refused> {
        let failed = |error: io::Error| Refused::from_io(doing, &error);
        self.socket.send(batch, 0).map_err(failed)?;
        let mut waits = changes;
        let mut refused = Ok(());
        while waits > 0 {
            let Self { socket, received, .. } = self;
            for message in receive(socket, received).map_err(failed)? {
                let place = message.sequence.wrapping_sub(first);
                // The whole batch is refused by one message where its begin is.
                let of_all = place == u32::MAX;
                if message.kind != NLMSG_ERROR || (place >= changes && !of_all) {
                    continue;
                }
                match message.refusal(doing) {
                    Some(why) if of_all => return Err(why),
                    Some(why) if refused.is_ok() => refused = Err(why),
                    _ => {}
                }
                waits -= u32::from(!of_all);
            }
        }
        refused
    }

    fn exchange(
        &mut self,
        doing: &'static str,
        request: &impl NetlinkRequest,
        flags: u16,
        mut look: impl FnMut(&[u8]),
    ) -> Result<(), Refused> {
        let failed = |error: io::Error| Refused::from_io(doing, &error);
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.socket.send(&frame(request, flags, sequence), 0).map_err(failed)?;
        let mut interrupted = false;
        loop {
            let Self { socket, received, .. } = self;
            for message in receive(socket, received).map_err(failed)? {
                if message.sequence != sequence {
                    continue;
                }
                interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
                match message.kind {
                    NLMSG_ERROR | NLMSG_DONE => {
                        return match message.refusal(doing) {
                            Some(refused) => Err(refused),
                            None if interrupted => {
                                Err(Refused { doing, errno: Errno::INTR, words: None })
                            }
                            None => Ok(()),
                        };
                    }
                    _ => look(message.payload),
                }
            }
        }
    }
}

/// The kernel's own limit of what it puts into one answer to a list.
const BIGGEST: usize = 64 * 1024;
const MOST_TRIES: usize = 16;
const HEAD: usize = 16;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

fn frame(request: &impl NetlinkRequest, flags: u16, sequence: u32) -> Vec<u8> {
    let kind = match request.protocol() {
        Protocol::Raw { request_type, .. } => request_type,
        // None of our families is one of these.
        Protocol::Generic(_) => 0,
    };
    let payload = request.payload();
    let length = u32::try_from(HEAD + payload.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(HEAD + payload.len());
    frame.extend_from_slice(&length.to_ne_bytes());
    frame.extend_from_slice(&kind.to_ne_bytes());
    frame.extend_from_slice(&(request.flags() | NLM_F_REQUEST | flags).to_ne_bytes());
    frame.extend_from_slice(&sequence.to_ne_bytes());
    frame.extend_from_slice(&0_u32.to_ne_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// One message of the kernel's.
#[derive(Clone, Copy, Debug)]
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

fn receive<'a>(
    socket: &Socket,
    buffer: &'a mut Vec<u8>,
) -> io::Result<impl Iterator<Item = Message<'a>>> {
    buffer.clear();
    socket.recv(buffer, 0)?;
    Ok(messages(buffer))
}

fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let head = rest.get(..HEAD)?;
        let length = usize::try_from(u32::from_ne_bytes(head.get(..4)?.try_into().ok()?)).ok()?;
        let payload = rest.get(HEAD..length)?;
        let message = Message {
            kind: u16::from_ne_bytes(head.get(4..6)?.try_into().ok()?),
            flags: u16::from_ne_bytes(head.get(6..8)?.try_into().ok()?),
            sequence: u32::from_ne_bytes(head.get(8..12)?.try_into().ok()?),
            payload,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

impl Message<'_> {
    /// What an error, or the end of a list, says was refused.
    fn refusal(&self, doing: &'static str) -> Option<Refused> {
        let code = i32::from_ne_bytes(self.payload.get(..4)?.try_into().ok()?);
        if code == 0 {
            return None;
        }
        // An error repeats the head of what it is about; the end of a list does not.
        let attributes = if self.kind == NLMSG_ERROR { 4 + HEAD } else { 4 };
        let words = (self.flags & NLM_F_ACK_TLVS != 0)
            .then(|| words(self.payload.get(attributes..).unwrap_or_default()))
            .flatten();
        Some(Refused { doing, errno: Errno::from_raw_os_error(code.saturating_neg()), words })
    }
}

/// The text among the attributes of an error.
fn words(mut rest: &[u8]) -> Option<String> {
    loop {
        let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(4..length)?;
        if kind == NLMSGERR_ATTR_MSG {
            return Some(String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

impl Refused {
    pub(crate) fn errno(&self) -> Errno {
        self.errno
    }

    /// Something that was there a moment ago.
    pub(crate) fn gone(doing: &'static str) -> Self {
        Self { doing, errno: Errno::NODEV, words: None }
    }

    fn from_io(doing: &'static str, error: &io::Error) -> Self {
        Self { doing, errno: Errno::from_io_error(error).unwrap_or(Errno::IO), words: None }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.errno)?;
        match &self.words {
            Some(words) => write!(f, " ({words})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message as the kernel writes it.
    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEAD + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn a_refusal_has_the_kernels_words() {
        let mut payload = (-17_i32).to_ne_bytes().to_vec();
        payload.extend([0; HEAD]);
        payload.extend(12_u16.to_ne_bytes());
        payload.extend(NLMSGERR_ATTR_MSG.to_ne_bytes());
        payload.extend(b"in use\0\0");
        let bytes = message(NLMSG_ERROR, NLM_F_ACK_TLVS, &payload);
        let refused = messages(&bytes).next().unwrap().refusal("add a link").unwrap();
        assert_eq!(refused.errno(), Errno::EXIST);
        assert_eq!(refused.to_string(), "add a link: File exists (os error 17) (in use)");
    }

    #[test]
    fn an_acknowledgement_refuses_nothing() {
        let bytes = message(NLMSG_ERROR, 0, &[0; 20]);
        assert_eq!(messages(&bytes).next().unwrap().refusal("x"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_messages_or_none(bytes: Vec<u8>) {
            for message in messages(&bytes) {
                let _ = message.refusal("x");
            }
        }
    }
}
