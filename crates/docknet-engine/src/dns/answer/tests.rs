use proptest::prelude::*;
use simple_dns::QTYPE;

use super::super::directory::{Member, View};
use super::*;

#[test]
fn a_name_of_a_network_has_its_addresses() {
    let asked = ask("web", TYPE::A, Carrier::Udp);
    assert_eq!(asked.answers, ["10.0.0.2"]);
    assert_eq!(asked.ttls, [600]);
    assert_eq!(asked.rcode, RCODE::NoError);
    assert!(asked.flags.contains(
        PacketFlag::RESPONSE | PacketFlag::RECURSION_AVAILABLE | PacketFlag::RECURSION_DESIRED
    ));
    assert!(!asked.flags.contains(PacketFlag::AUTHORITATIVE_ANSWER));
    assert_eq!(ask("web", TYPE::AAAA, Carrier::Udp).answers, ["fd00::2"]);
    let any = ask_raw("web", ANY, IN);
    assert_eq!(any.answers, ["10.0.0.2", "fd00::2"]);
}

#[test]
fn the_case_of_a_question_comes_back() {
    let asked = ask("wEb.FRONT", TYPE::A, Carrier::Udp);
    assert_eq!(asked.answers, ["10.0.0.2"]);
    assert_eq!(asked.names, ["wEb.FRONT", "wEb.FRONT"]);
}

#[test]
fn a_known_name_without_such_records_is_not_asked_of_others() {
    for kind in [u16::from(TYPE::AAAA), u16::from(TYPE::MX), u16::from(TYPE::TXT), 52, 65] {
        let asked = ask_raw("plain", kind, IN);
        assert_eq!((asked.rcode, asked.answers.len()), (RCODE::NoError, 0), "{kind}");
    }
}

#[test]
fn what_we_do_not_know_is_forwarded_whatever_its_type() {
    for (name, kind, class) in [
        ("nobody", 1, IN),
        ("example.org", 1, IN),
        ("example.org", 52, IN),
        ("example.org", 65_280, IN),
        ("", 2, IN),
        ("web", 1, 3),
        ("web", 16, 77),
        ("1.0.0.10.in-addr.arpa", 12, IN),
    ] {
        let answer = answered(&query(name, kind, class), Carrier::Udp);
        assert_eq!(answer, Answer::Forward, "{name} {kind} {class}");
    }
}

#[test]
fn an_address_has_the_name_of_its_container_and_network() {
    let asked = ask("2.0.0.10.in-addr.arpa", TYPE::PTR, Carrier::Udp);
    assert_eq!(asked.answers, ["Web.front"]);
    let six = "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.IP6.ARPA";
    assert_eq!(ask(six, TYPE::PTR, Carrier::Udp).answers, ["Web.front"]);
    assert_eq!(ask(six, TYPE::A, Carrier::Udp).answers, [""; 0]);
}

#[test]
fn only_whole_addresses_are_reversed() {
    assert_eq!(reversed("4.3.2.1.in-addr.arpa"), Some(Ipv4Addr::new(1, 2, 3, 4).into()));
    for name in [
        "3.2.1.in-addr.arpa",
        "5.4.3.2.1.in-addr.arpa",
        "256.3.2.1.in-addr.arpa",
        "+4.3.2.1.in-addr.arpa",
        ".3.2.1.in-addr.arpa",
        "in-addr.arpa",
        "1.ip6.arpa",
        "arpa",
        "",
    ] {
        assert_eq!(reversed(name), None, "{name}");
    }
}

#[test]
fn several_addresses_take_turns() {
    let directory = directory();
    let first = |turn| {
        let asked =
            Asked { directory: &directory, container: &"c".into(), carrier: Carrier::Udp, turn };
        let Answer::Reply(bytes) = answer(&query("many", 1, IN), &asked) else {
            panic!("not answered")
        };
        Seen::of(&bytes).answers.first().cloned().unwrap()
    };
    assert_eq!((first(0), first(1)), ("10.0.1.0".to_owned(), "10.0.1.1".to_owned()));
    assert_eq!((first(100), first(usize::MAX)), (first(0), first(usize::MAX % 100)));
}

#[test]
fn what_does_not_fit_is_cut_and_marked() {
    // 12 of header, 10 of question, 16 a record.
    let asked = ask("many", TYPE::A, Carrier::Udp);
    assert!(asked.flags.contains(PacketFlag::TRUNCATION));
    assert_eq!(asked.answers.len(), (512 - 22) / 16);
    let asked = ask("many", TYPE::A, Carrier::Tcp);
    assert!(!asked.flags.contains(PacketFlag::TRUNCATION));
    assert_eq!(asked.answers.len(), 100);
}

#[test]
fn who_says_that_it_takes_more_gets_more() {
    let sized = |size| {
        let Answer::Reply(bytes) = answered(&edns("many", size, 0), Carrier::Udp) else {
            panic!("not answered")
        };
        assert!(bytes.len() <= usize::from(size.max(512)));
        let seen = Seen::of(&bytes);
        assert_eq!(seen.udp, Some(1232));
        (seen.answers.len(), seen.flags.contains(PacketFlag::TRUNCATION))
    };
    assert_eq!(sized(4096), (100, false));
    assert_eq!(sized(1000), ((1000 - 33) / 16, true));
    assert_eq!(sized(0), sized(512));
}

#[test]
fn another_version_of_edns_is_told_so() {
    let Answer::Reply(bytes) = answered(&edns("web", 1232, 1), Carrier::Udp) else {
        panic!("not answered")
    };
    let seen = Seen::of(&bytes);
    assert_eq!((seen.rcode, seen.answers.len()), (RCODE::BADVERS, 0));
}

#[test]
fn what_is_not_one_question_is_refused() {
    let good = query("web", 1, IN);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        match answered(&bytes, Carrier::Udp) {
            Answer::Reply(reply) => Some((reply.len(), header_buffer::rcode(&reply).unwrap())),
            _ => None,
        }
    };
    let refused = |rcode| Some((12, rcode));
    assert_eq!(changed(&|bytes| bytes[5] = 2), refused(RCODE::FormatError));
    assert_eq!(changed(&|bytes| bytes[5] = 0), refused(RCODE::FormatError));
    assert_eq!(changed(&|bytes| bytes[10] = 0xff), refused(RCODE::FormatError));
    assert_eq!(changed(&|bytes| bytes.truncate(14)), refused(RCODE::FormatError));
    // A name that points at itself.
    assert_eq!(changed(&|bytes| bytes[12] = 0xc0), refused(RCODE::FormatError));
    assert_eq!(changed(&|bytes| bytes[2] |= 0x10), refused(RCODE::NotImplemented));
    // An answer, and less than a header.
    assert_eq!(changed(&|bytes| bytes[2] |= 0x80), None);
    assert_eq!(changed(&|bytes| bytes.truncate(11)), None);
}

#[test]
fn a_refusal_has_the_id_and_the_opcode_of_its_query_and_no_other_flags() {
    let mut bytes = query("web", 1, IN);
    bytes[2] |= 0x2e;
    let Answer::Reply(reply) = answered(&bytes, Carrier::Udp) else { panic!("not answered") };
    assert_eq!(reply, [0x12, 0x34, 0xa9, 0x84, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_failure_repeats_the_question() {
    let seen = Seen::of(&failure(&query("example.org", 1, IN)));
    assert_eq!(seen.rcode, RCODE::ServerFailure);
    assert_eq!(seen.names, ["example.org"]);
    for (kind, class) in [(52, IN), (65_280, IN), (16, 77)] {
        let query = query("example.org", kind, class);
        assert_eq!(failure(&query)[HEADER..], query[HEADER..]);
    }
    assert_eq!(failure(b""), bare(b"", RCODE::ServerFailure));
}

#[test]
fn a_label_with_a_dot_is_nobody() {
    let mut bytes = query("web-front", 1, IN);
    bytes[16] = b'.';
    assert_eq!(answered(&bytes, Carrier::Udp), Answer::Forward);
}

#[test]
fn a_name_too_long_for_dns_is_ours_all_the_same() {
    let asked = ask("9.0.0.10.in-addr.arpa", TYPE::PTR, Carrier::Udp);
    assert_eq!((asked.rcode, asked.answers.len()), (RCODE::NoError, 0));
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        sane(&bytes)?;
    }

    /// Most random bytes end at the header: these do not.
    #[test]
    fn no_query_that_went_wrong_breaks_it(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = match which {
            0 => query("many", 1, IN),
            1 => query("2.0.0.10.in-addr.arpa", 12, IN),
            2 => edns("web", 1232, 0),
            _ => query("example.org", 28, IN),
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.index(bytes.len().min(8)));
        bytes.extend(tail);
        sane(&bytes)?;
    }
}

fn sane(bytes: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(failure(bytes).len() <= 512);
    if let Answer::Reply(reply) = answered(bytes, Carrier::Udp) {
        prop_assert_eq!(&reply[..2], &bytes[..2]);
        prop_assert!(reply[2] & QR != 0);
        prop_assert!(reply.len() <= usize::from(u16::MAX));
        if reply.len() > HEADER {
            let end = question_end(bytes).unwrap();
            prop_assert_eq!(&reply[HEADER..end], &bytes[HEADER..end]);
            prop_assert!(Seen::of(&reply).answers.len() <= 100);
        }
    }
    Ok(())
}

/// An answer, as its reader sees it.
struct Seen {
    flags: PacketFlag,
    rcode: RCODE,
    /// Of the question and of the answers.
    names: Vec<String>,
    answers: Vec<String>,
    ttls: Vec<u32>,
    udp: Option<u16>,
}

impl Seen {
    fn of(bytes: &[u8]) -> Self {
        let mut known = bytes.to_vec();
        if let Some(end) = question_end(bytes) {
            known.splice(end - 4..end, A_IN);
        }
        let packet = Packet::parse(&known).unwrap();
        assert_eq!(packet.id(), u16::from_be_bytes([bytes[0], bytes[1]]));
        let names = packet.questions.iter().map(|question| question.qname.to_string());
        Self {
            flags: PacketFlag::from_bits_truncate(u16::from_be_bytes([bytes[2], bytes[3]])),
            rcode: packet.rcode(),
            names: names.chain(packet.answers.iter().map(|it| it.name.to_string())).collect(),
            answers: packet
                .answers
                .iter()
                .map(|record| match &record.rdata {
                    RData::A(a) => Ipv4Addr::from(a.address).to_string(),
                    RData::AAAA(aaaa) => Ipv6Addr::from(aaaa.address).to_string(),
                    RData::PTR(ptr) => ptr.0.to_string(),
                    other => format!("{other:?}"),
                })
                .collect(),
            ttls: packet.answers.iter().map(|record| record.ttl).collect(),
            udp: packet.opt().map(|opt| opt.udp_packet_size),
        }
    }
}

fn ask(name: &str, kind: TYPE, carrier: Carrier) -> Seen {
    match answered(&query(name, kind.into(), IN), carrier) {
        Answer::Reply(bytes) => Seen::of(&bytes),
        other => panic!("{name}: {other:?}"),
    }
}

fn ask_raw(name: &str, kind: u16, class: u16) -> Seen {
    match answered(&query(name, kind, class), Carrier::Udp) {
        Answer::Reply(bytes) => Seen::of(&bytes),
        other => panic!("{name}: {other:?}"),
    }
}

fn answered(query: &[u8], carrier: Carrier) -> Answer {
    let directory = directory();
    let asked = Asked { directory: &directory, container: &"c".into(), carrier, turn: 0 };
    answer(query, &asked)
}

fn query(name: &str, kind: u16, class: u16) -> Vec<u8> {
    let mut packet = Packet::new_query(0x1234);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let kind = QTYPE::TYPE(TYPE::from(kind));
    let name = Name::new(name).unwrap();
    packet.questions.push(Question::new(name, kind, CLASS::IN.into(), false));
    let mut bytes = packet.build_bytes_vec().unwrap();
    let end = bytes.len();
    bytes[end - 2..].copy_from_slice(&class.to_be_bytes());
    bytes
}

fn edns(name: &str, size: u16, version: u8) -> Vec<u8> {
    let bytes = query(name, 1, IN);
    let mut packet = Packet::parse(&bytes).unwrap();
    *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: size, version });
    packet.build_bytes_vec().unwrap()
}

/// `c` sees `front`: `Web`, `plain` without IPv6, a hundred that are called `many`, and one with a name that is too long.
fn directory() -> Directory {
    let directory = Directory::new();
    let network = "n".into();
    let join = |container: &str, names: &[&str], ipv4: [u8; 4], ipv6: Option<&str>| {
        directory.join(
            &network,
            "front",
            Member {
                container: container.into(),
                names: names.iter().map(|&name| name.to_owned()).collect(),
                ipv4: Some(ipv4.into()),
                ipv6: ipv6.map(|ip| ip.parse().unwrap()),
            },
        );
    };
    join("web", &["Web"], [10, 0, 0, 2], Some("fd00::2"));
    join("plain", &["plain"], [10, 0, 0, 3], None);
    join("long", &["x".repeat(64).as_str()], [10, 0, 0, 9], None);
    for at in 0..100 {
        join(&format!("many{at:03}"), &["many"], [10, 0, 1, at], None);
    }
    directory
        .open("c".into(), View { networks: vec![("n".into(), Vec::new())], ..Default::default() });
    directory
}
