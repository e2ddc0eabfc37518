//! An engine, and what it is asked for.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use docknet::{
    Client, Container, ContainerSpec, EndpointSpec, Filters, Network, NetworkSpec, Pool,
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::namespace::Namespace;
use crate::served::Served;

pub const IMAGE: &str = "busybox";
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Contender {
    pub title: &'static str,
    runtime: Runtime,
    pub client: Client,
    pub process: u32,
    ours: Option<Served>,
    /// A container that runs, and is connected to the default network only.
    probe: Container,
    /// How many networks it has at most.
    most: usize,
    filled: usize,
}

/// A container that stays.
pub struct Member {
    pub namespace: Namespace,
    pub address: Ipv4Addr,
    pub gateway: IpAddr,
}

/// What is asked of a network, in this order.
pub const CALLS: [&str; 6] = ["create", "inspect", "list", "connect", "disconnect", "remove"];

impl Contender {
    pub fn ours(served: Served) -> Result<Self> {
        let host = format!("unix://{}", served.socket.display());
        let mut own = Self::new(served.title, &host, served.process())?;
        own.ours = Some(served);
        Ok(own)
    }

    pub fn at(title: &'static str, host: &str) -> Result<Self> {
        let path = host.strip_prefix("unix://").context("not a Unix socket")?;
        let listener = rustix::net::sockopt::socket_peercred(UnixStream::connect(path)?)?;
        Self::new(title, host, u32::try_from(listener.pid.as_raw_nonzero().get())?)
    }

    fn new(title: &'static str, host: &str, process: u32) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = Client::builder().host(host).no_timeout().build()?;
        let probe = runtime.block_on(async {
            let probe = client.containers().create(idle("probe")).await?;
            probe.start().await?;
            anyhow::Ok(probe)
        });
        let probe = probe.with_context(|| format!("{title}: no container"))?;
        Ok(Self { title, runtime, client, process, ours: None, probe, most: 0, filled: 0 })
    }

    pub fn grows(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Whether it still takes part where there are so many networks.
    pub fn stays(&self, size: usize) -> bool {
        self.most >= size || self.is_ours()
    }

    /// Which release it says that it is.
    pub fn version(&self) -> Result<String> {
        let ask = http::Request::get("/version").body("".into())?;
        let version: serde_json::Value = self.runtime.block_on(self.client.request(ask))?;
        Ok(version["Version"].as_str().unwrap_or("unknown").to_owned())
    }

    pub fn is_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// So many networks, as far as it goes.
    pub fn fill(&mut self, size: usize) -> Result<()> {
        let size = size.min(self.most);
        self.runtime.block_on(async {
            while self.filled < size {
                self.client.networks().create(spec("fill", self.filled)?).await?;
                self.filled += 1;
            }
            Ok(())
        })
    }

    /// Waits until the links that it takes away behind its answers are gone: until there are no more than so many. How long
    /// that took.
    pub fn settle(&mut self, links: usize) -> Result<Duration> {
        let begun = Instant::now();
        while let Some(served) = &mut self.ours
            && served.links()? > links
        {
            ensure!(begun.elapsed() < PATIENCE, "{}: links that are gone stay", self.title);
            thread::sleep(Duration::from_millis(10));
        }
        Ok(begun.elapsed())
    }

    /// How many links it has; others do not leave any for later.
    pub fn links(&mut self) -> Result<usize> {
        self.ours.as_mut().map_or(Ok(0), Served::links)
    }

    /// Makes so many networks, uses and removes them: each call that many times in a row. What one took.
    pub fn cycle(&self, number: usize, times: u32) -> Result<[Duration; CALLS.len()]> {
        let networks = self.client.networks();
        let specs = (number..).take(usize::try_from(times)?).map(|number| spec("sample", number));
        let specs = specs.collect::<Result<Vec<_>>>()?;
        self.runtime.block_on(async {
            let (create, made) = each(specs, async |spec| networks.create(spec).await).await?;
            let ids = made.iter().map(|network| network.id().as_str());
            let (inspect, _) = each(ids, async |id| networks.get(id).await).await?;
            let (list, all) = each(0..times, async |_| networks.list().await).await?;
            // Of one of them.
            let list = list.div_f64(all.iter().map(Vec::len).max().unwrap_or_default() as f64);
            let connect =
                async |network: &Network| network.connect(&self.probe, EndpointSpec::new()).await;
            let (connect, _) = each(&made, connect).await?;
            let disconnect = async |network: &Network| network.disconnect(&self.probe).await;
            let (disconnect, _) = each(&made, disconnect).await?;
            let (remove, _) = each(made, Network::remove).await?;
            Ok([create, inspect, list, connect, disconnect, remove])
        })
    }

    /// The same again and again, without looking: what one takes.
    pub fn churn(&self, number: usize, times: u32) -> Result<Duration> {
        let networks = self.client.networks();
        self.runtime.block_on(async {
            let begun = Instant::now();
            for _ in 0..times {
                let network = networks.create(spec("churn", number)?).await?;
                network.connect(&self.probe, EndpointSpec::new()).await?;
                network.disconnect(&self.probe).await?;
                network.remove().await?;
            }
            Ok(begun.elapsed() / times)
        })
    }

    /// Makes so many networks and prunes them.
    pub fn prune(&self, first: usize, many: usize) -> Result<Duration> {
        let networks = self.client.networks();
        self.runtime.block_on(async {
            for number in first..first + many {
                networks.create(spec("pruned", number)?.label("pruned", "yes")).await?;
            }
            let filters = Filters::new().label("pruned=yes");
            let (took, pruned) = timed(networks.prune(&filters)).await?;
            if pruned.networks_deleted.len() != many {
                bail!("{}: {} of {many} pruned", self.title, pruned.networks_deleted.len());
            }
            Ok(took)
        })
    }

    /// Starts a container on one of its networks, and removes it. What the start took.
    pub fn start(&self, published: Option<u16>) -> Result<Duration> {
        self.runtime.block_on(async {
            let spec = publishing(idle("started"), published);
            let spec = spec.network(filler(0), EndpointSpec::new());
            let container = self.client.containers().create(spec).await?;
            let (took, ()) = timed(container.start()).await?;
            container.stop_within(0).await?;
            container.remove().await?;
            Ok(took)
        })
    }

    /// Where its bridges are.
    pub fn host(&mut self) -> Result<Namespace> {
        let process = self.ours.as_mut().map_or(Ok(self.process), Served::host)?;
        Namespace::at(Path::new(&format!("/proc/{process}/ns/net")))
    }

    /// A container on one of its networks that stays, with this port of its published, if any.
    pub fn member(&mut self, name: &str, published: Option<u16>) -> Result<Member> {
        let container = self.runtime.block_on(async {
            let spec = publishing(idle(name), published);
            let spec = spec.network(filler(0), EndpointSpec::new());
            let mut container = self.client.containers().create(spec).await?;
            container.start().await?;
            container.reload().await?;
            anyhow::Ok(container)
        })?;
        let endpoint = container.endpoints().get(&filler(0)).context("it has no endpoint")?;
        let address = endpoint.ipv4().context("it has no address")?.addr();
        let gateway = endpoint.gateway.context("it has no gateway")?;
        let path = match &mut self.ours {
            Some(served) => PathBuf::from(format!("/proc/{}/ns/net", served.inside(name)?)),
            // As its daemon sees it.
            None => {
                let key = container.attrs()["NetworkSettings"]["SandboxKey"].as_str();
                // Its /var/run is a link that would lead into our own /run.
                let key = key.map(|key| key.strip_prefix("/var").unwrap_or(key));
                let key = key.and_then(|key| key.strip_prefix("/run/"));
                let key = key.context("it has no namespace in /run")?;
                Path::new(&format!("/proc/{}/root/run", self.process)).join(key)
            }
        };
        let namespace = Namespace::at(&path).with_context(|| path.display().to_string())?;
        Ok(Member { namespace, address, gateway })
    }

    /// Removes the two containers that a chapter had.
    pub fn remove_members(&self) -> Result<()> {
        ["near", "far"].iter().try_for_each(|name| self.remove_member(name))
    }

    fn remove_member(&self, name: &str) -> Result<()> {
        self.runtime.block_on(async {
            let container = self.client.containers().get(name).await?;
            container.stop_within(0).await?;
            container.remove().await?;
            Ok(())
        })
    }
}

/// Those of these titles.
pub fn titled<'a>(
    contenders: &'a mut [Contender],
    titles: &'a [&str],
) -> impl Iterator<Item = &'a mut Contender> {
    contenders.iter_mut().filter(|contender| titles.contains(&contender.title))
}

/// One call after the other. What one of a row took, and the answers.
async fn each<A, T>(
    all: impl IntoIterator<Item = A>,
    mut call: impl AsyncFnMut(A) -> docknet::Result<T>,
) -> Result<(Duration, Vec<T>)> {
    let (mut answers, mut took) = (Vec::new(), Vec::new());
    for one in all {
        let (one, answer) = timed(call(one)).await?;
        took.push(one);
        answers.push(answer);
    }
    Ok((of_a_row(&took), answers))
}

/// What one of these took, the first of several aside: that is one after a rest.
pub fn of_a_row(took: &[Duration]) -> Duration {
    let later = if let [_, later @ ..] = took
        && !later.is_empty()
    {
        later
    } else {
        took
    };
    later.iter().sum::<Duration>().div_f64(later.len() as f64)
}

async fn timed<T>(call: impl Future<Output = docknet::Result<T>>) -> Result<(Duration, T)> {
    let begun = Instant::now();
    let answer = call.await?;
    Ok((begun.elapsed(), answer))
}

/// A container that does nothing, and ends at once when it is stopped.
fn idle(name: &str) -> ContainerSpec {
    let command = ["sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"];
    ContainerSpec::new(IMAGE).name(name).command(command)
}

/// With this port of its at the same one of the host's.
fn publishing(spec: ContainerSpec, port: Option<u16>) -> ContainerSpec {
    let Some(port) = port else { return spec };
    let name = format!("{port}/tcp");
    let bindings = json!({ &name: [{ "HostPort": port.to_string() }] });
    spec.extra("ExposedPorts", json!({ name: {} })).host_config("PortBindings", bindings)
}

fn filler(number: usize) -> String {
    format!("fill{number}")
}

/// Each with a subnet of its own: the default ones do not last for a thousand.
fn spec(name: &str, number: usize) -> Result<NetworkSpec> {
    let [_, a, b, c] = u32::try_from(number * 16)?.to_be_bytes();
    let pool = Pool::new(format!("10.{a}.{b}.{c}/28").parse()?);
    Ok(NetworkSpec::new(format!("{name}{number}")).pool(pool))
}

/// Networks that come and go have other numbers than those that stay.
pub const SAMPLES: usize = 100_000;
