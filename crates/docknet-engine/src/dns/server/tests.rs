use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, ResourceRecord, TYPE};

use super::super::directory::{Member, View};
use super::*;
use crate::plane::kernel::links::Links;
use crate::plane::kernel::namespace::Namespace;

/// What is not there within this time is missing. Nothing here waits for it to pass.
const MISSING: Duration = Duration::from_secs(20);

#[test]
fn a_container_asks_for_a_name_of_its_network() {
    let lab = Lab::new(Limits::default());
    let client = lab.client();
    assert_eq!(client.ask("web"), (RCODE::NoError, vec!["10.0.0.2".to_owned()]));
    assert_eq!(client.ask_tcp(&["web", "WEB.front"]), ["10.0.0.2", "10.0.0.2"]);
}

#[test]
fn another_name_is_asked_of_a_resolver_outside() {
    let lab = Lab::new(Limits::default());
    let upstream = lab.upstream(|packet| vec![resolved(packet)]);
    lab.forward_to(&[upstream.address]);
    let client = lab.client();
    assert_eq!(client.ask("example.org"), (RCODE::NoError, vec!["192.0.2.1".to_owned()]));
    let (asked, _) = upstream.asked.recv_timeout(MISSING).unwrap();
    assert_eq!(asked[12..], query("example.org")[12..]);
}

#[test]
fn the_second_resolver_is_asked_if_the_first_is_silent_refuses_or_is_not_there() {
    let lab = Lab::new(impatient(Duration::from_millis(500)));
    let silent = lab.upstream(|_| Vec::new());
    let refusing = lab.upstream(|packet| vec![with_rcode(&resolved(packet), RCODE::Refused)]);
    let good = lab.upstream(|packet| vec![resolved(packet)]);
    let gone = lab.host.within(|| UdpSocket::bind("127.0.0.1:0")?.local_addr()).unwrap();
    let client = lab.client();
    for first in [silent.address, refusing.address, gone] {
        lab.forward_to(&[first, good.address]);
        let (rcode, addresses) = client.ask("example.org");
        assert_eq!(
            (rcode, &addresses[..]),
            (RCODE::NoError, &["192.0.2.1".to_owned()][..]),
            "{first}"
        );
    }
    silent.asked.recv_timeout(MISSING).unwrap();
    refusing.asked.recv_timeout(MISSING).unwrap();
}

#[test]
fn a_query_that_nobody_answers_has_failed() {
    let lab = Lab::new(impatient(Duration::from_millis(30)));
    let silent = lab.upstream(|_| Vec::new());
    let client = lab.client();
    for servers in [&[silent.address][..], &[]] {
        lab.forward_to(servers);
        assert_eq!(client.ask("example.org"), (RCODE::ServerFailure, Vec::new()));
    }
    lab.view(Forward::Nowhere);
    assert_eq!(client.ask("example.org"), (RCODE::ServerFailure, Vec::new()));
    assert_eq!(client.ask("web").1, ["10.0.0.2"]);
}

#[test]
fn an_answer_with_a_wrong_id_or_question_is_not_believed() {
    let lab = Lab::new(Limits::default());
    let upstream = lab.upstream(|packet| {
        let good = resolved(packet);
        let mut wrong_id = answered(packet, [192, 0, 2, 66], 1);
        wrong_id[1] ^= 1;
        let mut wrong_name = answered(packet, [192, 0, 2, 66], 1);
        wrong_name[13] ^= 3;
        vec![wrong_id, wrong_name, packet.to_vec(), b"short".to_vec(), good]
    });
    lab.forward_to(&[upstream.address]);
    assert_eq!(lab.client().ask("example.org").1, ["192.0.2.1"]);
}

#[test]
fn ids_and_ports_are_others_each_time() {
    let lab = Lab::new(Limits::default());
    let upstream = lab.upstream(|packet| vec![resolved(packet)]);
    lab.forward_to(&[upstream.address]);
    let client = lab.client();
    let (ids, ports): (BTreeSet<_>, BTreeSet<_>) = (0..20)
        .map(|_| {
            client.ask("example.org");
            let (asked, from) = upstream.asked.recv_timeout(MISSING).unwrap();
            ([asked[0], asked[1]], from.port())
        })
        .unzip();
    // Two of twenty may happen to be the same.
    assert!(ids.len() > 15 && ports.len() > 15, "{ids:?} {ports:?}");
}

#[test]
fn a_cut_answer_comes_as_it_is_and_the_whole_one_over_tcp() {
    let lab = Lab::new(Limits::default());
    let upstream = lab.upstream(|packet| {
        let mut cut = resolved(packet);
        cut[2] |= 0x02;
        vec![cut]
    });
    lab.forward_to(&[upstream.address]);
    let client = lab.client();
    let reply = client.exchange(&query("example.org"));
    assert!(Packet::parse(&reply).unwrap().has_flags(PacketFlag::TRUNCATION));
    // More than UDP can be expected to carry.
    let listener =
        lab.host.within(|| TcpListener::bind(("127.0.0.1", upstream.address.port()))).unwrap();
    let serve = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let packet = receive(&mut stream).unwrap();
        transmit(&mut stream, &answered(&packet, [192, 0, 2, 2], 900));
    });
    let mut stream = client.connect();
    transmit(&mut stream, &query("example.org"));
    let reply = receive(&mut stream).unwrap();
    assert_eq!(Packet::parse(&reply).unwrap().answers.len(), 900);
    serve.join().unwrap();
}

#[test]
fn our_own_names_wait_for_no_forward() {
    let lab = Lab::new(Limits::default());
    let silent = lab.upstream(|_| Vec::new());
    let listener =
        lab.host.within(|| TcpListener::bind(("127.0.0.1", silent.address.port()))).unwrap();
    lab.forward_to(&[silent.address]);
    let client = lab.client();
    client.send(&query("example.org"));
    silent.asked.recv_timeout(MISSING).unwrap();
    assert_eq!(client.ask("web").1, ["10.0.0.2"]);
    // The same on one connection.
    let mut stream = client.connect();
    transmit(&mut stream, &query("example.org"));
    let (mut upstream, _) = listener.accept().unwrap();
    let forwarded = receive(&mut upstream).unwrap();
    transmit(&mut stream, &query("web"));
    assert_eq!(read_reply(&receive(&mut stream).unwrap()).1, ["10.0.0.2"]);
    // And the other one is answered still, though the client will ask nothing more.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    transmit(&mut upstream, &resolved(&forwarded));
    assert_eq!(read_reply(&receive(&mut stream).unwrap()).1, ["192.0.2.1"]);
    assert!(receive(&mut stream).is_none());
}

#[test]
fn a_container_asks_only_so_much_of_others_at_once() {
    let lab = Lab::new(Limits { forwards: 2, ..Limits::default() });
    let silent = lab.upstream(|_| Vec::new());
    lab.forward_to(&[silent.address]);
    let client = lab.client();
    for _ in 0..2 {
        client.send(&query("example.org"));
        silent.asked.recv_timeout(MISSING).unwrap();
    }
    assert_eq!(client.ask("example.net"), (RCODE::ServerFailure, Vec::new()));
    assert_eq!(client.ask("web").1, ["10.0.0.2"]);
    // What another container asks is its own affair.
    let other = lab.serve("other");
    lab.directory.open(
        "other".into(),
        View { networks: Vec::new(), forward: Forward::To([silent.address].into()) },
    );
    other.send(&query("example.com"));
    let (asked, _) = silent.asked.recv_timeout(MISSING).unwrap();
    assert_eq!(asked[12..], query("example.com")[12..]);
}

#[test]
fn a_place_for_a_question_is_free_again_when_it_is_answered() {
    let lab = Lab::new(Limits { forwards: 1, ..Limits::default() });
    let upstream = lab.upstream(|packet| vec![resolved(packet)]);
    lab.forward_to(&[upstream.address]);
    let client = lab.client();
    for _ in 0..5 {
        assert_eq!(client.ask_tcp(&["web"]), ["10.0.0.2"]);
        assert_eq!(client.ask("example.org").1, ["192.0.2.1"]);
    }
}

#[test]
fn a_connection_too_many_is_closed() {
    let lab = Lab::new(Limits { connections: 1, ..Limits::default() });
    let client = lab.client();
    let mut first = client.connect();
    transmit(&mut first, &query("web"));
    receive(&mut first).unwrap();
    let mut second = client.connect();
    assert!(receive(&mut second).is_none());
    transmit(&mut first, &query("web"));
    assert!(receive(&mut first).is_some());
}

#[test]
fn who_says_nothing_or_nonsense_over_tcp_is_cut_off() {
    let lab = Lab::new(Limits { idle: Duration::from_millis(50), ..Limits::default() });
    let client = lab.client();
    // Nothing at all, half a message, a length that no message has, and an answer instead of a query.
    let mut answer = query("web");
    answer[2] |= 0x80;
    let answer = [&29_u16.to_be_bytes()[..], &answer].concat();
    for bytes in [&b""[..], b"\0\x20\x12\x34", b"\0\x05hello", &answer] {
        let mut stream = client.connect();
        stream.write_all(bytes).unwrap();
        assert!(receive(&mut stream).is_none(), "{bytes:?}");
    }
    assert_eq!(client.ask("web").1, ["10.0.0.2"]);
}

#[test]
fn sockets_are_closed_when_a_container_stops_is_served_anew_or_the_server_is_dropped() {
    let lab = Lab::new(Limits { idle: MISSING * 2, ..Limits::default() });
    let closed = |client: &Client, connection: &mut TcpStream| {
        assert!(receive(connection).is_none());
        // Whoever listened is gone with what it had accepted, or soon after: a datagram then comes back as an error.
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < MISSING, "the socket is still there");
            client.send(&query("web"));
            match client.socket.recv(&mut [0; 512]) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("{error}"),
                _ => {}
            }
        }
    };
    let connected = |client: &Client| {
        let mut stream = client.connect();
        transmit(&mut stream, &query("web"));
        receive(&mut stream).unwrap();
        stream
    };
    let first = lab.client();
    let mut connection = connected(&first);
    let second = lab.serve("c");
    closed(&first, &mut connection);
    let mut connection = connected(&second);
    lab.server.stop(&"c".into());
    lab.server.stop(&"nobody".into());
    closed(&second, &mut connection);
    let third = lab.serve("c");
    let mut connection = connected(&third);
    drop(lab.server);
    closed(&third, &mut connection);
}

/// A host where the server runs, with a loopback of its own, and a container `c` beside it on the network `front`.
struct Lab {
    host: Namespace,
    container: Arc<Namespace>,
    directory: Arc<Directory>,
    server: Server,
}

impl Lab {
    fn new(limits: Limits) -> Self {
        let (host, container) = (Namespace::new().unwrap(), Namespace::new().unwrap());
        for namespace in [&host, &container] {
            let mut links = namespace.within(Links::open).unwrap();
            links.set_up_loopback().unwrap();
        }
        let directory = Arc::new(Directory::new());
        directory.join(
            &"n".into(),
            "front",
            Member {
                container: "web".into(),
                names: vec!["web".to_owned()],
                ipv4: Some(Ipv4Addr::new(10, 0, 0, 2)),
                ipv6: None,
            },
        );
        let shared = Arc::clone(&directory);
        let server = host.within(|| Server::start_with(shared, limits)).unwrap();
        let lab = Self { host, container: Arc::new(container), directory, server };
        lab.view(Forward::Nowhere);
        lab
    }

    fn view(&self, forward: Forward) {
        let networks = vec![("n".into(), Vec::new())];
        self.directory.open("c".into(), View { networks, forward });
    }

    fn forward_to(&self, servers: &[SocketAddr]) {
        self.view(Forward::To(servers.into()));
    }

    fn client(&self) -> Client {
        self.serve("c")
    }

    fn serve(&self, container: &str) -> Client {
        let (sockets, socket) = self
            .container
            .within(|| {
                let sockets = Sockets {
                    udp: UdpSocket::bind("127.0.0.11:0")?,
                    tcp: TcpListener::bind("127.0.0.11:0")?,
                };
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                socket.connect(sockets.udp.local_addr()?)?;
                socket.set_read_timeout(Some(MISSING))?;
                Ok((sockets, socket))
            })
            .unwrap();
        let tcp = sockets.tcp.local_addr().unwrap();
        self.server.serve(container.into(), sockets).unwrap();
        Client { namespace: Arc::clone(&self.container), socket, tcp }
    }

    /// Another resolver, outside: it answers each query with these packets.
    fn upstream(&self, answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Upstream {
        let socket = self.host.within(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        Upstream::run(socket, answers)
    }
}

struct Upstream {
    address: SocketAddr,
    /// Each query that came, and from where.
    asked: std_mpsc::Receiver<(Vec<u8>, SocketAddr)>,
    socket: UdpSocket,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    fn run(socket: UdpSocket, answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let address = socket.local_addr().unwrap();
        let (told, asked) = std_mpsc::channel();
        let receiving = socket.try_clone().unwrap();
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok((length @ 1.., from)) = receiving.recv_from(&mut buffer) {
                let query = &buffer[..length];
                for answer in answers(query) {
                    receiving.send_to(&answer, from).unwrap();
                }
                let _ = told.send((query.to_vec(), from));
            }
        });
        Self { address, asked, socket, thread: Some(thread) }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // An empty datagram ends the thread.
        self.socket.send_to(b"", self.address).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Client {
    namespace: Arc<Namespace>,
    socket: UdpSocket,
    tcp: SocketAddr,
}

impl Client {
    fn send(&self, query: &[u8]) {
        // An error may be that of an earlier datagram.
        let _ = self.socket.send(query);
    }

    fn exchange(&self, query: &[u8]) -> Vec<u8> {
        self.socket.send(query).unwrap();
        let mut buffer = vec![0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        buffer.truncate(length);
        assert_eq!(buffer[..2], query[..2]);
        buffer
    }

    fn ask(&self, name: &str) -> (RCODE, Vec<String>) {
        read_reply(&self.exchange(&query(name)))
    }

    /// One after the other, on one connection.
    fn ask_tcp(&self, names: &[&str]) -> Vec<String> {
        let mut stream = self.connect();
        for name in names {
            transmit(&mut stream, &query(name));
        }
        names.iter().flat_map(|_| read_reply(&receive(&mut stream).unwrap()).1).collect()
    }

    fn connect(&self) -> TcpStream {
        let stream = self.namespace.within(|| TcpStream::connect(self.tcp)).unwrap();
        stream.set_read_timeout(Some(MISSING)).unwrap();
        stream
    }
}

fn impatient(each: Duration) -> Limits {
    Limits { patience: Patience { each, all: each * 4 }, ..Limits::default() }
}

fn query(name: &str) -> Vec<u8> {
    let mut packet = Packet::new_query(0x1234);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(
        Name::new(name).unwrap(),
        TYPE::A.into(),
        CLASS::IN.into(),
        false,
    ));
    packet.build_bytes_vec().unwrap()
}

fn resolved(query: &[u8]) -> Vec<u8> {
    answered(query, [192, 0, 2, 1], 1)
}

/// What a resolver says of any name: this address, so many times.
fn answered(query: &[u8], address: [u8; 4], times: usize) -> Vec<u8> {
    let mut packet = Packet::parse(query).unwrap().into_reply();
    let name = packet.questions[0].qname.clone();
    let data = RData::A(A { address: u32::from_be_bytes(address) });
    let record = ResourceRecord::new(name, CLASS::IN, 60, data);
    packet.answers.extend(std::iter::repeat_n(record, times));
    packet.build_bytes_vec_compressed().unwrap()
}

fn with_rcode(reply: &[u8], rcode: RCODE) -> Vec<u8> {
    let mut packet = Packet::parse(reply).unwrap();
    *packet.rcode_mut() = rcode;
    packet.build_bytes_vec().unwrap()
}

fn read_reply(reply: &[u8]) -> (RCODE, Vec<String>) {
    let packet = Packet::parse(reply).unwrap();
    let addresses = packet.answers.iter().map(|record| match &record.rdata {
        RData::A(a) => Ipv4Addr::from(a.address).to_string(),
        other => panic!("{other:?}"),
    });
    (packet.rcode(), addresses.collect())
}

fn transmit(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
}

/// Nothing if the other side has closed.
fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("{error}"),
        Err(_) => return None,
    }
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    Some(message)
}
