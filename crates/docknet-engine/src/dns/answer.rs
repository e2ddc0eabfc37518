//! What a query is answered: decided from its bytes and the directory, with no socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docknet_types::ContainerId;
use simple_dns::rdata::{A, AAAA, OPT, PTR, RData};
use simple_dns::{
    CLASS, Label, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE, header_buffer,
};

use super::directory::{Directory, Found};

/// How long whoever asks may remember, in seconds. Docker's figure.
const TTL: u32 = 600;
/// What a packet over UDP may hold if the client says nothing.
const PLAIN_UDP: u16 = 512;
/// What we take over UDP ourselves: no router on the way splits it.
const OUR_UDP: u16 = 1232;

/// Who asks, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) container: &'a ContainerId,
    pub(crate) carrier: Carrier,
    /// Which of several addresses comes first.
    pub(crate) turn: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Udp,
    Tcp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Reply(Vec<u8>),
    /// Nothing that we know: other resolvers may.
    Forward,
    /// Not a query. Whoever sent it waits for nothing.
    Drop,
}

pub(crate) fn answer(query: &[u8], asked: &Asked<'_>) -> Answer {
    match Query::read(query) {
        Ok(query) => query.answer(asked),
        Err(Unreadable::NoQuery) => Answer::Drop,
        Err(Unreadable::Refused(rcode)) => Answer::Reply(bare(query, rcode)),
    }
}

/// The answer to a query that nobody else answered.
pub(crate) fn failure(query: &[u8]) -> Vec<u8> {
    match Query::read(query) {
        Ok(query) => query.reply(RCODE::ServerFailure, Vec::new(), usize::from(PLAIN_UDP)),
        Err(_) => bare(query, RCODE::ServerFailure),
    }
}

/// Where the question of a packet ends, if it has one that is whole. It begins behind the header.
pub(crate) fn question_end(packet: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        match packet.get(at)? {
            0 => break,
            // Longer ones would be pointers, and there is nothing before a question to point at.
            &length if length <= LONGEST_LABEL => at += 1 + usize::from(length),
            _ => return None,
        }
    }
    let end = at + 1 + TYPE_AND_CLASS;
    (end <= packet.len()).then_some(end)
}

struct Query<'a> {
    bytes: &'a [u8],
    /// As it came, for the answer to repeat.
    question: &'a [u8],
    id: u16,
    flags: PacketFlag,
    name: Name<'a>,
    kind: u16,
    class: u16,
    /// What the client says of itself by EDNS: how much it takes, and the version.
    edns: Option<(u16, u8)>,
}

enum Unreadable {
    NoQuery,
    Refused(RCODE),
}

impl<'a> Query<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let malformed = || Unreadable::Refused(RCODE::FormatError);
        if bytes.len() < HEADER
            || header_buffer::has_flags(bytes, PacketFlag::RESPONSE).unwrap_or(true)
        {
            return Err(Unreadable::NoQuery);
        }
        if header_buffer::opcode(bytes) != Ok(simple_dns::OPCODE::StandardQuery) {
            return Err(Unreadable::Refused(RCODE::NotImplemented));
        }
        // Checked before anything is read: memory is set aside for as many records as a header promises.
        let within = |count: simple_dns::Result<u16>, most| count.is_ok_and(|count| count <= most);
        if header_buffer::questions(bytes) != Ok(1)
            || !within(header_buffer::answers(bytes), 1)
            || !within(header_buffer::name_servers(bytes), 1)
            || !within(header_buffer::additional_records(bytes), 2)
        {
            return Err(malformed());
        }
        let end = question_end(bytes).ok_or_else(malformed)?;
        let start = end - TYPE_AND_CLASS;
        let question = bytes.get(HEADER..end).ok_or_else(malformed)?;
        let number = |at| {
            bytes.get(at..at + 2).and_then(|pair| pair.try_into().ok()).map(u16::from_be_bytes)
        };
        let kind = number(start).ok_or_else(malformed)?;
        let class = number(start + 2).ok_or_else(malformed)?;
        // The parser knows only some types of questions, and others may well be asked. It is given one that it knows.
        let mut known = bytes.to_vec();
        known.splice(start..end, A_IN);
        let packet = Packet::parse(&known).map_err(|_| malformed())?;
        if packet.additional_records.iter().any(|record| record.rdata.type_code() == TYPE::OPT) {
            return Err(malformed());
        }
        Ok(Self {
            bytes,
            question,
            id: packet.id(),
            flags: PacketFlag::RESPONSE
                | PacketFlag::RECURSION_AVAILABLE
                | if packet.has_flags(PacketFlag::RECURSION_DESIRED) {
                    PacketFlag::RECURSION_DESIRED
                } else {
                    PacketFlag::empty()
                },
            name: name_on_the_wire(question),
            kind,
            class,
            edns: packet.opt().map(|opt| (opt.udp_packet_size, opt.version)),
        })
    }

    fn answer(&self, asked: &Asked<'_>) -> Answer {
        let room = match (asked.carrier, self.edns) {
            (Carrier::Tcp, _) => u16::MAX,
            (Carrier::Udp, edns) => edns.map_or(PLAIN_UDP, |(size, _)| size.max(PLAIN_UDP)),
        };
        let room = usize::from(room);
        if self.edns.is_some_and(|(_, version)| version != 0) {
            return Answer::Reply(self.reply(RCODE::BADVERS, Vec::new(), room));
        }
        match self.records(asked) {
            Some(records) => Answer::Reply(self.reply(RCODE::NoError, records, room)),
            None => Answer::Forward,
        }
    }

    /// What there is of the type that is asked for. Nothing at all if the name is not ours.
    fn records(&self, asked: &Asked<'_>) -> Option<Vec<RData<'static>>> {
        if self.class != IN && self.class != ANY {
            return None;
        }
        let name = text(&self.name)?;
        let wants = |kind: TYPE| self.kind == u16::from(kind) || self.kind == ANY;
        if let Some(address) = reversed(&name) {
            let host = asked.directory.reverse(asked.container, address)?;
            // A name that is longer than DNS allows is known, but cannot be said.
            let host = Name::new(&host).ok().filter(|_| wants(TYPE::PTR));
            return Some(host.map(|host| RData::PTR(PTR(host.into_owned()))).into_iter().collect());
        }
        match asked.directory.lookup(asked.container, &name) {
            Found::NotOurs => None,
            Found::Addresses { v4, v6 } => {
                let v4 = turned(&v4, asked.turn).filter(|_| wants(TYPE::A));
                let v6 = turned(&v6, asked.turn).filter(|_| wants(TYPE::AAAA));
                let v4 = v4.map(|address| RData::A(A { address: address.to_bits() }));
                Some(v4.chain(v6.map(|ip| RData::AAAA(AAAA { address: ip.to_bits() }))).collect())
            }
        }
    }

    /// With as many of the records as there is room for.
    fn reply(&self, rcode: RCODE, mut records: Vec<RData<'static>>, room: usize) -> Vec<u8> {
        let build = |records: &[RData<'static>], flags| {
            let mut packet = Packet::new_reply(self.id);
            packet.set_flags(self.flags | flags);
            *packet.rcode_mut() = rcode;
            *packet.opt_mut() = self.edns.map(|_| OPT {
                opt_codes: Vec::new(),
                udp_packet_size: OUR_UDP,
                version: 0,
            });
            let question = self.name.clone();
            packet.questions.push(Question::new(question, TYPE::A.into(), CLASS::IN.into(), false));
            packet.answers.extend(
                records.iter().map(|data| {
                    ResourceRecord::new(self.name.clone(), CLASS::IN, TTL, data.clone())
                }),
            );
            let Ok(mut bytes) = packet.build_bytes_vec_compressed() else {
                return bare(self.bytes, RCODE::ServerFailure);
            };
            // Of a type and a class that the writer may not know.
            if let Some(question) = bytes.get_mut(HEADER..HEADER + self.question.len()) {
                question.copy_from_slice(self.question);
            }
            bytes
        };
        let whole = build(&records, PacketFlag::empty());
        if whole.len() <= room {
            return whole;
        }
        let mut left = room.saturating_sub(build(&[], PacketFlag::empty()).len());
        let fit = records.iter().take_while(|data| {
            let rest = left.checked_sub(RECORD + size(data));
            left = rest.unwrap_or_default();
            rest.is_some()
        });
        let fit = fit.count();
        records.truncate(fit);
        build(&records, PacketFlag::TRUNCATION)
    }
}

/// Nothing but the header of a query, turned round.
fn bare(query: &[u8], rcode: RCODE) -> Vec<u8> {
    let mut reply = vec![0; HEADER];
    for (to, from) in reply.iter_mut().zip(query.iter().take(FLAGS + 1)) {
        *to = *from;
    }
    if let [_, _, first, second, ..] = reply.as_mut_slice() {
        *first = *first & OPCODE_AND_RD | QR;
        *second = RA | rcode as u8 & RCODE_BITS;
    }
    reply
}

/// A name as it is in a question, which `question_end` has looked at.
fn name_on_the_wire(mut bytes: &[u8]) -> Name<'_> {
    let mut labels = Vec::new();
    while let Some((&length, rest)) = bytes.split_first()
        && length > 0
        && let Some((label, rest)) = rest.split_at_checked(usize::from(length))
    {
        labels.push(Label::new_unchecked(label));
        bytes = rest;
    }
    Name::new_with_labels(&labels)
}

/// As people write it. Nobody can be called by a name that has no such form.
fn text(name: &Name<'_>) -> Option<String> {
    let mut text = String::new();
    for label in name.as_bytes() {
        let label = std::str::from_utf8(label).ok().filter(|label| !label.contains('.'))?;
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(label);
    }
    Some(text)
}

/// The address that a name under `in-addr.arpa` or `ip6.arpa` stands for.
fn reversed(name: &str) -> Option<IpAddr> {
    let mut labels = name.rsplit('.');
    if !labels.next()?.eq_ignore_ascii_case("arpa") {
        return None;
    }
    let family = labels.next()?;
    if family.eq_ignore_ascii_case("in-addr") {
        let mut octets = [0; 4];
        for octet in &mut octets {
            *octet = labels.next().filter(|label| digits(label))?.parse().ok()?;
        }
        labels.next().is_none().then(|| Ipv4Addr::from(octets).into())
    } else if family.eq_ignore_ascii_case("ip6") {
        let mut bits = 0;
        for _ in 0..32 {
            let digit = labels.next().filter(|label| label.len() == 1)?.chars().next()?;
            bits = bits << 4 | u128::from(digit.to_digit(16)?);
        }
        labels.next().is_none().then(|| Ipv6Addr::from_bits(bits).into())
    } else {
        None
    }
}

/// `parse` takes a plus sign too.
fn digits(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
}

/// All of them, another one first at each turn.
fn turned<T: Copy>(items: &[T], turn: usize) -> impl Iterator<Item = T> {
    let (before, after) = items.split_at(turn.checked_rem(items.len()).unwrap_or_default());
    after.iter().chain(before).copied()
}

/// The most that these data take in a packet.
fn size(data: &RData<'_>) -> usize {
    match data {
        RData::A(_) => 4,
        RData::AAAA(_) => 16,
        _ => 255,
    }
}

// RFC 1035, sections 3.1, 3.2 and 4.1.
const HEADER: usize = 12;
const FLAGS: usize = 2;
const QR: u8 = 0x80;
const OPCODE_AND_RD: u8 = 0x79;
const RA: u8 = 0x80;
const RCODE_BITS: u8 = 0x0f;
const LONGEST_LABEL: u8 = 63;
const TYPE_AND_CLASS: usize = 4;
const A_IN: [u8; TYPE_AND_CLASS] = [0, 1, 0, 1];
const IN: u16 = 1;
const ANY: u16 = 255;
/// A record before its data: a pointer to the name, type, class, TTL, length.
const RECORD: usize = 12;

#[cfg(test)]
mod tests;
