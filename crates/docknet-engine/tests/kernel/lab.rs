//! An engine with a namespace of its own as its host, and containers that can be talked to.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use docknet::{Client, ContainerSpec, EndpointSpec, NetworkSpec};
use docknet_engine::{Engine, Sandbox};

pub(crate) struct Lab {
    pub(crate) engine: Engine,
    pub(crate) client: Client,
}

/// For what has to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// For what must not.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

impl Lab {
    pub(crate) async fn new() -> Self {
        let engine = Engine::kernel().isolated().image("app").start().await.unwrap();
        let client = engine.client();
        Self { engine, client }
    }

    pub(crate) async fn network(&self, spec: impl Into<NetworkSpec>) {
        self.client.networks().create(spec).await.unwrap();
    }

    /// A container that runs on this network alone.
    pub(crate) async fn container(&self, name: &str, network: &str) -> Sandbox {
        let spec = ContainerSpec::new("app").name(name).network(network, EndpointSpec::new());
        self.client.containers().create(spec).await.unwrap().start().await.unwrap();
        self.engine.sandbox(name).await.unwrap()
    }

    /// The address of a container on a network.
    pub(crate) async fn ip(&self, container: &str, network: &str) -> IpAddr {
        let container = self.client.containers().get(container).await.unwrap();
        let endpoint = container.info().endpoints.get(network).unwrap().clone();
        endpoint.ipv4().unwrap().addr().into()
    }
}

/// Answers each connection to this port with these words, for as long as the namespace is there.
pub(crate) fn listen(sandbox: &Sandbox, port: u16, words: &'static str) {
    let listener = sandbox.within(|| TcpListener::bind((IpAddr::from([0; 16]), port))).unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = connection.and_then(|mut connection| connection.write_all(words.as_bytes()));
        }
    });
}

/// What is answered there.
pub(crate) fn ask(from: &Sandbox, to: impl Into<SocketAddr>) -> io::Result<String> {
    ask_for(from, to.into(), PATIENCE)
}

/// Checks that nothing is.
pub(crate) fn assert_silent(from: &Sandbox, to: impl Into<SocketAddr>) {
    let to = to.into();
    let answer = ask_for(from, to, LONG_ENOUGH);
    assert!(answer.is_err(), "{to} answers {answer:?}");
}

fn ask_for(from: &Sandbox, to: SocketAddr, patience: Duration) -> io::Result<String> {
    from.within(|| {
        let mut connection = TcpStream::connect_timeout(&to, patience)?;
        connection.set_read_timeout(Some(patience))?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    })
}
