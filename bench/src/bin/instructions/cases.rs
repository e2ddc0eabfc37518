//! What is counted.

use std::hint::black_box;

use anyhow::Result;
use bytes::Bytes;
use docknet::{
    Body, BoxFuture, Client, ContainerSpec, EndpointSpec, Filters, NetworkSpec, Transport,
};
use docknet_bench::canned::{self, Held};
use docknet_bench::server::Server;
use docknet_engine::Engine;

pub struct Case {
    pub name: &'static str,
    /// How often it is done: often enough that the calls outweigh what differs between two starts of a process.
    pub calls: u32,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// Over a Unix socket: all that a call does.
    Get,
    /// Without one: the answer is taken apart, and read into types.
    List,
    ListTyped,
    /// In memory: from the request to the answer, most of which is what the core decides.
    CreateRemove {
        among: usize,
    },
    ConnectDisconnect {
        among: usize,
    },
    Filter {
        among: usize,
    },
    ListAll {
        among: usize,
    },
    Prune {
        among: usize,
    },
}

const fn case(name: &'static str, calls: u32, what: What) -> Case {
    Case { name, calls, what }
}

pub const CASES: [Case; 10] = [
    case("sdk_get", 100, What::Get),
    case("sdk_list_100", 20, What::List),
    case("sdk_list_100_info", 5, What::ListTyped),
    case("engine_create_remove", 200, What::CreateRemove { among: 10 }),
    case("engine_create_remove_among_1000", 200, What::CreateRemove { among: 1000 }),
    case("engine_connect_disconnect", 200, What::ConnectDisconnect { among: 10 }),
    case("engine_connect_disconnect_among_1000", 200, What::ConnectDisconnect { among: 1000 }),
    case("engine_list_100", 20, What::ListAll { among: 100 }),
    case("engine_filter_of_1000", 20, What::Filter { among: 1000 }),
    case("engine_prune_among_1000", 10, What::Prune { among: 1000 }),
];

const HELD: Held = Held { networks: 100, members: 10 };

impl Case {
    /// Gets ready, and does it so many times.
    pub fn run(&self, calls: u32) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.what.run(calls))
    }
}

impl What {
    async fn run(self, calls: u32) -> Result<()> {
        match self {
            Self::Get => {
                let dir = tempfile::tempdir()?;
                let server = Server::start(dir.path(), HELD)?;
                let host = format!("unix://{}", server.socket.display());
                let networks = Client::connect(&host)?.networks();
                for _ in 0..calls {
                    black_box(networks.get("x").await?);
                }
            }
            Self::List | Self::ListTyped => {
                let networks = Client::with_transport(Canned::new()).networks();
                for _ in 0..calls {
                    for network in black_box(networks.list().await?) {
                        if matches!(self, Self::ListTyped) {
                            black_box(network.info());
                        }
                    }
                }
            }
            Self::CreateRemove { among } => {
                let networks = engine(among).await?.networks();
                for _ in 0..calls {
                    networks.create("made").await?.remove().await?;
                }
            }
            Self::ConnectDisconnect { among } => {
                let client = engine(among).await?;
                let container = client.containers().create(ContainerSpec::new("busybox")).await?;
                container.start().await?;
                let network = client.networks().get("network-7").await?;
                for _ in 0..calls {
                    network.connect(&container, EndpointSpec::new().alias("api")).await?;
                    network.disconnect(&container).await?;
                }
            }
            Self::Filter { among } => {
                let networks = engine(among).await?.networks();
                let filters = Filters::new().label("number=7").name("^network-7$");
                for _ in 0..calls {
                    black_box(networks.list_with(&filters).await?);
                }
            }
            Self::ListAll { among } => {
                let networks = engine(among).await?.networks();
                for _ in 0..calls {
                    black_box(networks.list().await?);
                }
            }
            Self::Prune { among } => {
                let client = engine(among).await?;
                let filters = Filters::new().label("pruned");
                for _ in 0..calls {
                    let spec = NetworkSpec::new("pruned").label("pruned", "yes");
                    client.networks().create(spec).await?;
                    black_box(client.networks().prune(&filters).await?);
                }
            }
        }
        Ok(())
    }
}

/// An engine in memory that has so many networks.
async fn engine(networks: usize) -> Result<Client> {
    let client = Engine::memory().image("busybox").start().await?.client();
    for number in 0..networks {
        let spec = NetworkSpec::new(format!("network-{number}"));
        client.networks().create(spec.label("number", number.to_string())).await?;
    }
    Ok(client)
}

/// Answers with the same bytes every time, at once.
#[derive(Debug)]
struct Canned(Bytes);

impl Canned {
    fn new() -> Self {
        let answer = canned::answer("GET /networks", HELD);
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |end| end + 4);
        Self(Bytes::copy_from_slice(&answer[body..]))
    }
}

impl Transport for Canned {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, docknet::Result<http::Response<Body>>> {
        let mut answer = http::Response::new(Body::from(self.0.clone()));
        // Who asks for it finds out the version, too.
        answer.headers_mut().insert("api-version", http::HeaderValue::from_static("1.51"));
        Box::pin(async { Ok(answer) })
    }

    fn describe(&self) -> String {
        "canned answers".to_owned()
    }
}
