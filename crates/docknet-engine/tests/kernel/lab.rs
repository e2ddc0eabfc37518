//! An engine with a namespace of its own as its host, containers that can be talked to, and an internet.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use docknet::{Client, ContainerSpec, EndpointSpec, NetworkSpec};
use docknet_engine::{Engine, EngineBuilder, Sandbox};
use rustix::mount::{UnmountFlags, unmount};

use crate::held;

/// The host's address where the internet sees it, and a server's there.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
pub(crate) const HOST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
pub(crate) const SERVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

pub(crate) struct Lab {
    pub(crate) engine: Engine,
    pub(crate) client: Client,
    pub(crate) host: Sandbox,
}

/// What the test plays beyond the host.
pub(crate) struct Internet {
    pub(crate) server: Sandbox,
    /// Keeps a process in it, by whose number others find it.
    holder: Child,
}

/// For what has to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// For what must not.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

impl Lab {
    pub(crate) async fn new() -> Self {
        let engine = Engine::kernel().isolated().image("app").start().await.unwrap();
        let host = engine.host().await.unwrap();
        Self { client: engine.client(), engine, host }
    }

    pub(crate) async fn network(&self, spec: impl Into<NetworkSpec>) {
        self.client.networks().create(spec).await.unwrap();
    }

    /// A container that runs on this network alone.
    pub(crate) async fn container(&self, name: &str, network: &str) -> Sandbox {
        self.run(name, network, ContainerSpec::new("app")).await
    }

    pub(crate) async fn run(&self, name: &str, network: &str, spec: ContainerSpec) -> Sandbox {
        let spec = match network {
            "none" => spec.network_mode(docknet::NetworkMode::None),
            network => spec.network(network, EndpointSpec::new()),
        };
        self.client.containers().create(spec.name(name)).await.unwrap().start().await.unwrap();
        self.engine.sandbox(name).await.unwrap()
    }

    /// The address of a container on a network.
    pub(crate) async fn ip(&self, container: &str, network: &str) -> IpAddr {
        self.ips(container, network).await.0
    }

    pub(crate) async fn ips(&self, container: &str, network: &str) -> (IpAddr, Option<IpAddr>) {
        let container = self.client.containers().get(container).await.unwrap();
        let endpoint = container.info().endpoints.get(network).unwrap().clone();
        let v6 = endpoint.ipv6().map(|net| net.addr().into());
        (endpoint.ipv4().unwrap().addr().into(), v6)
    }

    /// A network beyond the host, with one server in it.
    pub(crate) async fn internet(&self) -> Internet {
        let server = self.container("internet", "none").await;
        let holder = server
            .command("sleep")
            .arg("600")
            .with(|command| {
                command.stdout(Stdio::null());
            })
            .spawn()
            .unwrap();
        let pid = holder.id();
        ip(&self.host, &format!("link add up0 type veth peer name up1 netns {pid}"));
        for (sandbox, link, v4, v6) in
            [(&self.host, "up0", HOST, HOST6), (&server, "up1", SERVER, SERVER6)]
        {
            ip(sandbox, &format!("addr add {v4}/24 dev {link}"));
            ip(sandbox, &format!("addr add {v6}/64 dev {link} nodad"));
            ip(sandbox, &format!("link set {link} up"));
        }
        ip(&self.host, &format!("route add default via {SERVER}"));
        ip(&self.host, &format!("-6 route add default via {SERVER6}"));
        Internet { server, holder }
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A directory for an engine's state. With it goes what the engine leaves running for the next one.
pub(crate) struct StateDir(tempfile::TempDir);

impl StateDir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        held::kill_holders(self.path());
        release(self.path());
    }
}

/// An engine of a state that another one had until now: what it did last may be at work for a moment after it is dropped.
pub(crate) async fn next_engine(builder: impl Fn() -> EngineBuilder) -> Engine {
    let begun = Instant::now();
    loop {
        match builder().start().await {
            Err(why) if why.to_string().contains("another") && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            started => return started.unwrap(),
        }
    }
}

/// Lets the namespaces go that are kept in a state's directory.
pub(crate) fn release(state: &Path) {
    let kept = std::fs::read_dir(state.join("namespaces"));
    for kept in kept.into_iter().flatten() {
        let path = kept.unwrap().path();
        while unmount(&path, UnmountFlags::DETACH).is_ok() {}
        // An engine that is about to end may take it away as well.
        let _ = std::fs::remove_file(path);
    }
}

/// What a container's programs have written to their pipes, in the order in which it came.
pub(crate) async fn logs(client: &Client, name: &str) -> String {
    let request = http::Request::get(format!("/containers/{name}/logs?stdout=1&stderr=1"));
    let answer = client.send(request.body("".into()).unwrap()).await.unwrap();
    let mut logs = answer.into_body().collect(1 << 20).await.unwrap();
    let mut said = String::new();
    while logs.len() >= 8 {
        let length = u32::from_be_bytes(logs[4..8].try_into().unwrap());
        let frame = logs.split_to(8 + length as usize);
        said.push_str(std::str::from_utf8(&frame[8..]).unwrap());
    }
    said
}

/// Waits until that holds, but not for long.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: it took too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn ip(sandbox: &Sandbox, line: &str) {
    let done = sandbox.command("ip").args(line.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Answers each connection to this port with these words, for as long as the namespace is there.
pub(crate) fn listen(sandbox: &Sandbox, port: u16, words: &'static str) {
    serve(sandbox, port, move |_| words.to_owned());
}

/// Answers each connection to this port with the address that it comes from.
pub(crate) fn tell_who_asks(sandbox: &Sandbox, port: u16) {
    serve(sandbox, port, |peer| peer.ip().to_canonical().to_string());
}

fn serve(sandbox: &Sandbox, port: u16, answer: impl Fn(SocketAddr) -> String + Send + 'static) {
    let listener = sandbox.within(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))).unwrap();
    thread::spawn(move || {
        while let Ok((mut connection, peer)) = listener.accept() {
            let _ = connection.write_all(answer(peer).as_bytes());
        }
    });
}

/// Answers each packet to this port with these words.
pub(crate) fn listen_udp(sandbox: &Sandbox, port: u16, words: &'static str) {
    let socket = sandbox.within(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port))).unwrap();
    thread::spawn(move || {
        while let Ok((_, peer)) = socket.recv_from(&mut [0; 64]) {
            let _ = socket.send_to(words.as_bytes(), peer);
        }
    });
}

/// What is answered there.
pub(crate) fn ask(from: &Sandbox, to: impl Into<SocketAddr>) -> String {
    let to = to.into();
    let begun = Instant::now();
    loop {
        match ask_for(from, to, PATIENCE) {
            Ok(answer) => return answer,
            // On a busy machine the kernel takes its time to find a neighbour on a link that is new.
            Err(why) if why.kind() == io::ErrorKind::HostUnreachable => {
                assert!(begun.elapsed() < 2 * PATIENCE, "{to}: {why}");
            }
            Err(why) => panic!("{to}: {why}"),
        }
    }
}

/// Checks that nothing is.
pub(crate) fn assert_silent(from: &Sandbox, to: impl Into<SocketAddr>) {
    let to = to.into();
    let answer = ask_for(from, to, LONG_ENOUGH);
    assert!(answer.is_err(), "{to} answers {answer:?}");
}

/// Sends a packet from each of these, by a source of its own, and checks that the internet hears of the second one alone.
/// Nobody answers: what counts is what leaves. Packets keep their order: had the first one left, it would come first.
pub(crate) fn assert_only_the_second_leaves(
    internet: &Internet,
    first: (&Sandbox, &str),
    second: (&Sandbox, &str),
) {
    let heard = internet.server.within(|| UdpSocket::bind((SERVER, 9))).unwrap();
    heard.set_read_timeout(Some(PATIENCE)).unwrap();
    for (from, source) in [first, second] {
        let socket = from.within(|| UdpSocket::bind((source, 0))).unwrap();
        socket.send_to(source.as_bytes(), (SERVER, 9)).unwrap();
    }
    let mut said = [0; 64];
    let (length, _) = heard.recv_from(&mut said).unwrap();
    assert_eq!(String::from_utf8_lossy(&said[..length]), second.1);
}

pub(crate) fn ask_udp(from: &Sandbox, to: impl Into<SocketAddr>) -> String {
    let to = to.into();
    from.within(|| {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(to)?;
        socket.send(b"?")?;
        let mut answer = [0; 64];
        let length = socket.recv(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    })
    .unwrap_or_else(|why| panic!("{to}: {why}"))
}

pub(crate) fn ask_for(from: &Sandbox, to: SocketAddr, patience: Duration) -> io::Result<String> {
    from.within(|| {
        let mut connection = TcpStream::connect_timeout(&to, patience)?;
        connection.set_read_timeout(Some(patience))?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    })
}
