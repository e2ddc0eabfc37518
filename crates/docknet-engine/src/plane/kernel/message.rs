//! Netlink messages: a head, and attributes that may have others in them, all of whole words of 32 bits.

/// Messages to the kernel, one after the other, each of which it is to answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    count: u32,
}

/// One message of the kernel's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    /// The socket that asked for what is told.
    pub(crate) port: u32,
    pub(crate) payload: &'a [u8],
}

impl Messages {
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// A message of this kind, with what its family puts before the attributes.
    pub(crate) fn add(
        &mut self,
        kind: u16,
        flags: u16,
        head: &[u8],
        write: impl FnOnce(&mut Self),
    ) {
        self.add_quietly(kind, flags | NLM_F_ACK, head, write);
    }

    /// The same, answered only if it is refused.
    pub(crate) fn add_quietly(
        &mut self,
        kind: u16,
        flags: u16,
        head: &[u8],
        write: impl FnOnce(&mut Self),
    ) {
        self.count += 1;
        self.framed(kind, flags, head, write);
    }

    /// A message that does not count.
    pub(crate) fn framed(
        &mut self,
        kind: u16,
        flags: u16,
        head: &[u8],
        write: impl FnOnce(&mut Self),
    ) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        // Numbers are written when all messages are there; a port of nobody's.
        self.bytes.extend_from_slice(&[0; 8]);
        self.bytes.extend_from_slice(head);
        write(self);
        let length = u32::try_from(self.bytes.len() - at).unwrap_or(u32::MAX);
        self.overwrite(at, &length.to_ne_bytes());
    }

    /// What is sent: these messages with numbers from `first` on.
    pub(crate) fn numbered(mut self, first: u32) -> Vec<u8> {
        let mut at = 0;
        let mut sequence = first;
        while let Some(length) = word(&self.bytes, at) {
            self.overwrite(at + 8, &sequence.to_ne_bytes());
            sequence = sequence.wrapping_add(1);
            at += usize::try_from(length).unwrap_or(usize::MAX).max(HEAD);
        }
        self.bytes
    }

    pub(crate) fn append(&mut self, others: &Self) {
        self.bytes.extend_from_slice(&others.bytes);
        self.count += others.count;
    }

    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// A text, with the zero at its end.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat());
    }

    /// As the machine has numbers.
    pub(crate) fn number(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// As the network has them.
    pub(crate) fn big(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub(crate) fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        self.nest_after(kind | NLA_F_NESTED, &[], write);
    }

    /// The same where something stands before the attributes.
    pub(crate) fn nest_after(&mut self, kind: u16, head: &[u8], write: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.bytes(kind, head);
        write(self);
        let length = u16::try_from(self.bytes.len() - at).unwrap_or(u16::MAX);
        self.overwrite(at, &length.to_ne_bytes());
    }

    fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// The messages in what was received.
pub(crate) fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(word(rest, 0)?).ok()?;
        let message = Message {
            kind: half(rest, 4)?,
            flags: half(rest, 6)?,
            sequence: word(rest, 8)?,
            port: word(rest, 12)?,
            payload: rest.get(HEAD..length)?,
        };
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// The attributes in these bytes: their kinds without flags, and their values.
pub(crate) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(half(rest, 0)?);
        let kind = half(rest, 2)? & !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The value of the attribute of this kind.
pub(crate) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

/// Four bytes as a number.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(crate) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A text, which may end with a zero.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

const HEAD: usize = 16;

// linux/netlink.h
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLA_F_NESTED: u16 = 0x8000;
const NLA_F_NET_BYTEORDER: u16 = 0x4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut all = Messages::default();
        all.add(7, 0x100, &[1, 2, 3, 4], |message| {
            message.text(1, "eth0");
            message.nest(2, |message| message.number(3, 9));
        });
        all.add(8, 0, &[], |_| {});
        assert_eq!(all.count(), 2);
        let bytes = all.numbered(41);
        let read: Vec<_> = messages(&bytes).collect();
        let [first, second] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((first.kind, first.sequence, first.flags), (7, 41, 0x105));
        assert_eq!((second.kind, second.sequence, second.payload), (8, 42, [].as_slice()));
        let inside = &first.payload[4..];
        assert_eq!(attribute(inside, 1).map(text).as_deref(), Some("eth0"));
        let nested = attribute(inside, 2).unwrap();
        assert_eq!(attribute(nested, 3).and_then(|value| word(value, 0)), Some(9));
        assert_eq!(attribute(inside, 4), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_messages_or_none(bytes: Vec<u8>) {
            let read: usize = messages(&bytes)
                .map(|message| attributes(message.payload).count())
                .sum();
            proptest::prop_assert!(read <= bytes.len());
        }
    }
}
