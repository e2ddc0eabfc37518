//! Questions that other resolvers are asked, from the namespace of the thread that asks.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use simple_dns::{PacketFlag, RCODE, header_buffer};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::answer::{Carrier, question_end};
use super::server::{read_message, write_message};

/// How often a list of resolvers is gone through.
const ROUNDS: usize = 2;

/// How long others may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// One resolver, each time it is asked. If there are few, they have more.
    pub(crate) each: Duration,
    /// All of them.
    pub(crate) all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { each: Duration::from_secs(2), all: Duration::from_secs(8) }
    }
}

/// Asks one resolver after the other, and each question under an id that nobody can guess.
#[derive(Debug)]
pub(crate) struct Forwarder {
    patience: Patience,
    /// Keyed at random, so what it makes of a count is as good as random.
    secret: RandomState,
    count: AtomicU64,
}

impl Forwarder {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, secret: RandomState::new(), count: AtomicU64::new(0) }
    }

    /// The first answer that says something, under the id of the query. Nothing if there is none in time.
    pub(crate) async fn ask(
        &self,
        query: &[u8],
        carrier: Carrier,
        servers: &[SocketAddr],
    ) -> Option<Vec<u8>> {
        let Patience { each, all } = self.patience;
        let times = u32::try_from(servers.len() * ROUNDS).unwrap_or(u32::MAX);
        let each = each.max(all.checked_div(times).unwrap_or_default());
        let attempts = async {
            for &server in std::iter::repeat_n(servers, ROUNDS).flatten() {
                match timeout(each, self.ask_one(query, carrier, server)).await {
                    Ok(Ok(answer)) if !failed(&answer) => return Some(answer),
                    Ok(Ok(_)) => tracing::debug!(%server, "a resolver refused or failed"),
                    Ok(Err(error)) => {
                        tracing::debug!(%server, %error, "a resolver cannot be asked")
                    }
                    Err(_) => tracing::debug!(%server, "a resolver did not answer in time"),
                }
            }
            None
        };
        timeout(all, attempts).await.ok().flatten()
    }

    async fn ask_one(
        &self,
        query: &[u8],
        carrier: Carrier,
        server: SocketAddr,
    ) -> io::Result<Vec<u8>> {
        let sent = with_id(query, self.id());
        let answer = match carrier {
            Carrier::Udp => over_udp(&sent, server).await?,
            Carrier::Tcp => over_tcp(&sent, server).await?,
        };
        Ok(with_id(&answer, query.first_chunk().copied().unwrap_or_default()))
    }

    fn id(&self) -> [u8; 2] {
        let [first, second, ..] =
            self.secret.hash_one(self.count.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        [first, second]
    }
}

/// From a port of its own, which the kernel chooses.
async fn over_udp(query: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = Vec::new();
    loop {
        socket.readable().await?;
        buffer.resize(usize::from(u16::MAX), 0);
        match socket.try_recv(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                // Anything else is somebody who guesses: the answer may still come.
                if answers(&buffer, query) {
                    return Ok(buffer);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn over_tcp(query: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    write_message(&mut stream, query).await?;
    let answer = read_message(&mut stream).await?;
    if answers(&answer, query) {
        Ok(answer)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is to another question"))
    }
}

/// Whether this is an answer to that: the same id, and the same question to the letter, save that its name may have changed case.
fn answers(answer: &[u8], query: &[u8]) -> bool {
    let question = |packet| {
        let question = question_end(packet).and_then(|end| packet.get(QUESTION..end))?;
        question.split_last_chunk::<TYPE_AND_CLASS>()
    };
    let (Some((name, kind)), Some((asked, asked_kind))) = (question(answer), question(query))
    else {
        return false;
    };
    answer.first_chunk::<2>() == query.first_chunk()
        && header_buffer::has_flags(answer, PacketFlag::RESPONSE).unwrap_or(false)
        && header_buffer::questions(answer) == Ok(1)
        && name.eq_ignore_ascii_case(asked)
        && kind == asked_kind
}

/// Says no more than that another resolver may know.
fn failed(answer: &[u8]) -> bool {
    matches!(header_buffer::rcode(answer), Ok(RCODE::ServerFailure | RCODE::Refused))
}

fn with_id(packet: &[u8], id: [u8; 2]) -> Vec<u8> {
    id.iter().chain(packet.iter().skip(id.len())).copied().collect()
}

const QUESTION: usize = 12;
const TYPE_AND_CLASS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUERY: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01";

    #[test]
    fn an_answer_has_the_id_and_the_question_of_its_query() {
        let changed = |at: usize, byte| {
            let mut bytes = QUERY.to_vec();
            bytes[2] |= 0x80;
            bytes[at] = byte;
            answers(&bytes, QUERY)
        };
        assert!(changed(3, 0x83));
        assert!(changed(13, b'W'));
        assert!(!answers(QUERY, QUERY));
        for (at, byte) in [(0, 0x13), (1, 0x35), (2, 0x01), (5, 0), (5, 2), (13, b'v'), (26, 28)] {
            assert!(!changed(at, byte), "{at}");
        }
        // The type is no letter, even if its byte looks like one.
        let mut query = QUERY.to_vec();
        query[26] = b'A';
        let mut answer = query.clone();
        answer[2] |= 0x80;
        assert!(answers(&answer, &query));
        answer[26] = b'a';
        assert!(!answers(&answer, &query));
    }

    #[test]
    fn an_id_is_put_in_and_nothing_else_changes() {
        assert_eq!(with_id(b"\x01\x02\x03\x04", *b"ab"), b"ab\x03\x04");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(answer in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(!answers(&answer, b""));
            let _ = (answers(&answer, QUERY), failed(&answer));
        }
    }
}
