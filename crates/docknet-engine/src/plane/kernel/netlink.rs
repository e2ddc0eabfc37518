//! Requests to the kernel on a netlink socket, one after the other.

use std::fmt;
use std::io;

use netlink_sys::{Socket, SocketAddr};
use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_send_buffer_size, set_socket_send_buffer_size_force};

use super::message::{Message, Messages, attribute, messages, text, word};

/// A socket of the namespace in which it was opened. It stays there, whatever thread uses it.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
    received: Vec<u8>,
    /// How long a message may be, as far as it is known.
    room: usize,
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
        Ok(Self { socket, sequence: 0, received: Vec::with_capacity(BIGGEST), room: BIGGEST })
    }

    /// Asks for these things, in one go and in order; looks at what the kernel tells beside its acknowledgements. It goes on
    /// after one that it refuses: the first of those is told.
    pub(crate) fn ask(
        &mut self,
        doing: &'static str,
        requests: Messages,
        mut look: impl FnMut(&Message<'_>),
    ) -> Result<(), Refused> {
        if requests.count() == 0 {
            return Ok(());
        }
        let failed = |error: io::Error| Refused::from_io(doing, &error);
        let (first, mut waits) = self.numbers(requests.count());
        let count = waits;
        self.socket.send(&requests.numbered(first), 0).map_err(failed)?;
        let mut answer = Ok(());
        while waits > 0 {
            let Self { socket, received, .. } = self;
            for message in receive(socket, received).map_err(failed)? {
                match message.kind {
                    _ if message.sequence.wrapping_sub(first) >= count => {}
                    NLMSG_ERROR => {
                        let done = message.refused(doing);
                        answer = answer.and(done);
                        waits = waits.saturating_sub(1);
                    }
                    _ => look(&message),
                }
            }
        }
        answer
    }

    /// Looks at all there is of something. What changes meanwhile makes it begin anew.
    pub(crate) fn list<T: Default>(
        &mut self,
        doing: &'static str,
        kind: u16,
        head: &[u8],
        mut look: impl FnMut(&mut T, &Message<'_>),
    ) -> Result<T, Refused> {
        for _ in 0..MOST_TRIES {
            let mut all = T::default();
            if self.dump(doing, kind, head, |message| look(&mut all, message))? {
                return Ok(all);
            }
        }
        let words = Some("it changed each time it was looked at".to_owned());
        Err(Refused { doing, errno: Errno::INTR, words })
    }

    /// Sends a batch of changes that happen as one, or not at all, with its begin and its end around them. Only refusals are
    /// answered: acknowledgements of thousands would not find room. They are there once it is sent, as the kernel does all
    /// of it before that returns.
    pub(crate) fn transact(&mut self, doing: &'static str, batch: Messages) -> Result<(), Refused> {
        let failed = |error: io::Error| Refused::from_io(doing, &error);
        let changes = batch.count();
        let (begin, _) = self.numbers(changes.saturating_add(2));
        let batch = batch.numbered(begin);
        self.make_room(batch.len()).map_err(failed)?;
        self.socket.send(&batch, 0).map_err(failed)?;
        let mut answer = Ok(());
        loop {
            let Self { socket, received, .. } = self;
            received.clear();
            match socket.recv(received, MSG_DONTWAIT) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return answer,
                Err(error) => {
                    let broken = Err(failed(error));
                    return answer.and(broken);
                }
            }
            for message in messages(received) {
                // One where its begin is refuses the whole batch.
                let is_ours = message.sequence.wrapping_sub(begin) <= changes.saturating_add(1);
                if message.kind == NLMSG_ERROR && is_ours && answer.is_ok() {
                    answer = message.refused(doing);
                }
            }
        }
    }

    /// All rules at once may be more than a socket takes as it comes. Whoever is no root gets as much as the system allows.
    fn make_room(&mut self, length: usize) -> io::Result<()> {
        if length > self.room {
            let room = length.next_power_of_two();
            set_socket_send_buffer_size_force(&self.socket, room)
                .or_else(|_| set_socket_send_buffer_size(&self.socket, room))?;
            self.room = room;
        }
        Ok(())
    }

    /// Whether what was looked at did not change meanwhile.
    fn dump(
        &mut self,
        doing: &'static str,
        kind: u16,
        head: &[u8],
        mut look: impl FnMut(&Message<'_>),
    ) -> Result<bool, Refused> {
        let failed = |error: io::Error| Refused::from_io(doing, &error);
        let mut request = Messages::default();
        request.framed(kind, NLM_F_DUMP, head, |_| {});
        let (number, _) = self.numbers(1);
        self.socket.send(&request.numbered(number), 0).map_err(failed)?;
        let mut whole = true;
        loop {
            let Self { socket, received, .. } = self;
            for message in receive(socket, received).map_err(failed)? {
                if message.sequence != number {
                    continue;
                }
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.kind {
                    NLMSG_ERROR | NLMSG_DONE => return message.refused(doing).map(|()| whole),
                    _ => look(&message),
                }
            }
        }
    }

    /// The kernel's number for this socket: changes that others are told of have it.
    pub(crate) fn port(&self) -> io::Result<u32> {
        let mut address = SocketAddr::new(0, 0);
        self.socket.get_address(&mut address)?;
        Ok(address.port_number())
    }

    /// The next numbers of messages: the first of them, and how many.
    fn numbers(&mut self, count: u32) -> (u32, u32) {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        (first, count)
    }
}

/// The kernel's own limit of what it puts into one answer to a list.
const BIGGEST: usize = 64 * 1024;
const MOST_TRIES: usize = 16;
const HEAD: usize = 16;

// linux/socket.h
const MSG_DONTWAIT: i32 = 0x40;
// linux/netlink.h
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLM_F_DUMP: u16 = 0x300;
const NLMSGERR_ATTR_MSG: u16 = 1;

fn receive<'a>(
    socket: &Socket,
    buffer: &'a mut Vec<u8>,
) -> io::Result<impl Iterator<Item = Message<'a>>> {
    buffer.clear();
    socket.recv(buffer, 0)?;
    Ok(messages(buffer))
}

impl Message<'_> {
    /// What an error, or the end of a list, says was refused.
    fn refused(&self, doing: &'static str) -> Result<(), Refused> {
        let code = word(self.payload, 0).map_or(0, u32::cast_signed);
        if code == 0 {
            return Ok(());
        }
        // An error repeats the head of what it is about; the end of a list does not.
        let rest = if self.kind == NLMSG_ERROR { 4 + HEAD } else { 4 };
        let words = (self.flags & NLM_F_ACK_TLVS != 0)
            .then(|| attribute(self.payload.get(rest..).unwrap_or_default(), NLMSGERR_ATTR_MSG))
            .flatten();
        let errno = Errno::from_raw_os_error(code.saturating_neg());
        Err(Refused { doing, errno, words: words.map(text) })
    }
}

impl Refused {
    /// Whether the link that it was about is not there.
    pub(crate) fn is_gone(&self) -> bool {
        self.errno() == Errno::NODEV
    }

    pub(crate) fn errno(&self) -> Errno {
        self.errno
    }

    /// Something that was there a moment ago.
    pub(crate) fn gone(doing: &'static str) -> Self {
        Self { doing, errno: Errno::NODEV, words: None }
    }

    pub(crate) fn from_io(doing: &'static str, error: &io::Error) -> Self {
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

/// Links may go by themselves at any time: with their namespace, with their other end, by somebody else's hand.
pub(crate) fn unless_gone(done: Result<(), Refused>) -> Result<(), Refused> {
    match done {
        Err(refused) if refused.is_gone() => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as the kernel writes it: its code, the head of what it is about, and attributes.
    fn error(code: i32, flags: u16, attributes: impl FnOnce(&mut Messages)) -> Vec<u8> {
        let mut head = code.to_ne_bytes().to_vec();
        head.extend([0; HEAD]);
        let mut bytes = Messages::default();
        bytes.framed(NLMSG_ERROR, flags, &head, attributes);
        bytes.numbered(1)
    }

    #[test]
    fn a_refusal_has_the_kernels_words() {
        let bytes = error(-17, NLM_F_ACK_TLVS, |message| {
            message.text(NLMSGERR_ATTR_MSG, "in use");
        });
        let refused = messages(&bytes).next().unwrap().refused("add a link").unwrap_err();
        assert_eq!(refused.errno(), Errno::EXIST);
        assert_eq!(refused.to_string(), "add a link: File exists (os error 17) (in use)");
    }

    #[test]
    fn an_acknowledgement_refuses_nothing() {
        let bytes = error(0, 0, |_| {});
        assert_eq!(messages(&bytes).next().unwrap().refused("x"), Ok(()));
    }
}
