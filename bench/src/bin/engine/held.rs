//! What calls cost on engines that hold so many networks, ten containers running on each.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use docknet::{Client, ContainerSpec, Driver, EndpointSpec, Filters, NetworkSpec};
use docknet_bench::report::{Goal, Report, Samples, Side};
use docknet_engine::Engine;

use crate::memory::resident;

pub const SIZES: [usize; 3] = [10, 1_000, 10_000];
/// Up to so many, a call is to cost what it costs with few; beyond, what it costs is shown.
const FLAT: usize = 1_000;
const MEMBERS: usize = 10;
/// How often a round does what does not depend on how many networks there are.
const CALLS: usize = 50;

pub async fn measure(largest: usize, rounds: usize, report: &mut Report) -> Result<()> {
    let mut held = Vec::new();
    for networks in SIZES.into_iter().filter(|size| *size <= largest) {
        held.push(Held::new(networks).await?);
    }
    // In turns, so that what else the machine does hits all alike.
    for _ in 0..rounds {
        for engine in &mut held {
            engine.round().await?;
        }
    }
    let Some((few, more)) = held.split_first() else { return Ok(()) };
    for (name, of_few) in &few.samples {
        for Held { networks, samples, .. } in &held {
            report.figure(&format!("{name}_{networks}"), "docknet", &samples[name], "µs");
        }
        for Held { networks, samples, .. } in more {
            let goal = if *networks > FLAT { Goal::None } else { Goal::AtMost(1.3) };
            let with_few = format!("with {}", few.networks);
            let (many, few) = (Side("docknet", &samples[name]), Side(&with_few, of_few));
            report.ratio(&format!("{name}_{networks}_to_{}", SIZES[0]), many, few, "µs", goal);
        }
    }
    Ok(())
}

/// An engine that holds networks.
struct Held {
    networks: usize,
    client: Client,
    prefix: String,
    spare: String,
    samples: BTreeMap<&'static str, Samples>,
}

impl Held {
    async fn new(networks: usize) -> Result<Self> {
        let client = Engine::memory().image("busybox").start().await?.client();
        fill(&client, networks).await?;
        let spare = client.containers().create(ContainerSpec::new("busybox").name("spare")).await?;
        spare.start().await?;
        let prefix = client.networks().get("network-7").await?.id().as_str()[..16].to_owned();
        let spare = spare.name().to_owned();
        Ok(Self { networks, client, prefix, spare, samples: BTreeMap::new() })
    }

    async fn round(&mut self) -> Result<()> {
        let networks = self.client.networks();
        let containers = self.client.containers();
        for call in 0..CALLS {
            let name = format!("network-{}", call * 7_919 % self.networks);
            let member = format!("c-{}-3", call * 7_919 % self.networks);
            let spec = labelled(NetworkSpec::new("made"), call);
            let made = timed(&mut self.samples, "create", networks.create(spec)).await?;
            timed(&mut self.samples, "get", networks.get(&name)).await?;
            timed(&mut self.samples, "get_by_prefix", networks.get(&self.prefix)).await?;
            timed(&mut self.samples, "get_empty", networks.get("made")).await?;
            let endpoint = EndpointSpec::new().alias("api");
            timed(&mut self.samples, "connect", made.connect(&self.spare, endpoint)).await?;
            timed(&mut self.samples, "disconnect", made.disconnect(&self.spare)).await?;
            timed(&mut self.samples, "remove", made.remove()).await?;
            let body = r#"{"Name":"raw","Driver":"bridge"}"#;
            let create = http::Request::post("/networks/create").body(body.into())?;
            timed(&mut self.samples, "post_create", self.client.send(create)).await?;
            let remove = http::Request::delete("/networks/raw").body("".into())?;
            timed(&mut self.samples, "delete", self.client.send(remove)).await?;
            timed(&mut self.samples, "container_get", containers.get(&member)).await?;
            let spec = ContainerSpec::new("busybox").name("another").network_mode(name.as_str());
            let another =
                timed(&mut self.samples, "container_create", containers.create(spec)).await?;
            timed(&mut self.samples, "container_start", another.start()).await?;
            timed(&mut self.samples, "container_stop", another.stop()).await?;
            timed(&mut self.samples, "container_remove", another.remove()).await?;
        }
        for (figure, filters, found) in [
            ("list_by_name_per_network", Filters::new().name("^network-7$"), 1),
            ("list_by_label_per_network", Filters::new().label("number=7"), 1),
            ("list_by_driver_per_network", Filters::new().driver(Driver::Macvlan), 0),
            ("list_per_network", Filters::new().kind("custom"), self.networks),
        ] {
            // Enough of them to be measured.
            let times = (1_000 / self.networks).max(1);
            let start = Instant::now();
            for _ in 0..times {
                anyhow::ensure!(networks.list_with(&filters).await?.len() == found);
            }
            let each = start.elapsed().as_secs_f64() * 1e6 / (times * self.networks) as f64;
            self.samples.entry(figure).or_default().add(each);
        }
        Ok(())
    }
}

/// What networks, containers and endpoints take, in a process in which nothing else was before.
pub async fn bytes(networks: usize, report: &mut Report) -> Result<()> {
    let client = Engine::memory().image("busybox").start().await?.client();
    // Events are kept up to a number: they are no part of what a network costs.
    for _ in 0..2_100 {
        client.networks().create("churn").await?.remove().await?;
    }
    let mut sizes = vec![resident()?];
    sizes.extend(fill(&client, networks).await?);
    let counts = [networks, networks * MEMBERS, networks * MEMBERS];
    for ((what, count), step) in
        ["a_network", "a_container", "an_endpoint"].into_iter().zip(counts).zip(sizes.windows(2))
    {
        let grown = step.iter().rev().copied().reduce(|now, before| now - before);
        let each = grown.unwrap_or_default() / count as f64;
        report.value(&format!("bytes_{what}_{networks}"), "docknet", each, "bytes");
    }
    Ok(())
}

/// Makes the networks, containers on them, and runs these. Gives the memory after each.
async fn fill(client: &Client, networks: usize) -> Result<[f64; 3]> {
    for number in 0..networks {
        let spec = NetworkSpec::new(format!("network-{number}"));
        client.networks().create(labelled(spec, number)).await?;
    }
    let with_networks = resident()?;
    let members = || (0..networks).flat_map(|number| (0..MEMBERS).map(move |m| (number, m)));
    for (number, member) in members() {
        let spec = ContainerSpec::new("busybox")
            .name(format!("c-{number}-{member}"))
            .network_mode(format!("network-{number}").as_str());
        client.containers().create(spec).await?;
    }
    let with_containers = resident()?;
    for (number, member) in members() {
        let path = format!("/containers/c-{number}-{member}/start");
        let started = client.send(http::Request::post(path).body("".into())?).await?;
        anyhow::ensure!(started.status() == 204, "{}", started.status());
    }
    Ok([with_networks, with_containers, resident()?])
}

fn labelled(spec: NetworkSpec, number: usize) -> NetworkSpec {
    spec.label("number", number.to_string())
}

async fn timed<T, E>(
    samples: &mut BTreeMap<&'static str, Samples>,
    name: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let start = Instant::now();
    let done = call.await?;
    samples.entry(name).or_default().add(start.elapsed().as_secs_f64() * 1e6);
    Ok(done)
}
