//! A thousand clients at once: no address twice, no duplicate name, no lost update, no deadlock, and nothing half done by
//! those that went away.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use docknet::{Client, ContainerSpec, EndpointSpec, ErrorKind, Filters, Result};
use docknet_engine::{Engine, Server};

const CLIENTS: usize = 1_000;
/// Networks on which containers of many clients are.
const SHARED: usize = 10;

/// An engine, a client in its process, and one on a socket of it.
struct Both {
    client: Client,
    remote: Client,
    _server: Server,
    _dir: tempfile::TempDir,
}

impl Both {
    async fn start() -> Self {
        let engine = Engine::memory().image("busybox").start().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let address = format!("unix://{}", dir.path().join("engine.sock").display());
        let server = engine.serve(&address.parse().unwrap()).await.unwrap();
        let remote = Client::connect(&address).unwrap();
        let client = engine.client();
        for number in 0..SHARED {
            client.networks().create(shared(number).as_str()).await.unwrap();
        }
        Self { client, remote, _server: server, _dir: dir }
    }

    /// Half of them are here, half are not.
    fn client(&self, number: usize) -> Client {
        if number.is_multiple_of(2) { self.client.clone() } else { self.remote.clone() }
    }
}

fn shared(number: usize) -> String {
    format!("shared{}", number % SHARED)
}

/// Runs a task for each client, to its end.
async fn all<F>(task: impl Fn(usize) -> F)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let tasks: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(task(number))).collect();
    for (number, task) in tasks.into_iter().enumerate() {
        task.await.unwrap().unwrap_or_else(|error| panic!("client {number}: {error}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_thousand_clients_do_at_once_is_all_there() {
    let both = Both::start().await;
    all(|number| live(both.client(number), number)).await;
    check(&both.client).await;
    // The odd ones went; of the others there is all.
    let networks = both.client.networks().list_with(&Filters::new().name("^own")).await.unwrap();
    let names: BTreeSet<_> = networks.iter().map(|network| network.name().to_owned()).collect();
    let expected: BTreeSet<_> = (0..CLIENTS)
        .filter(|number| !number.is_multiple_of(3))
        .map(|number| format!("own{number}"))
        .collect();
    assert_eq!((names.len(), names), (networks.len(), expected));
    let containers = both.client.containers().list_all(&Filters::new()).await.unwrap();
    assert_eq!(containers.len(), CLIENTS);
    for container in containers {
        let number: usize = container.name().strip_prefix("renamed").unwrap().parse().unwrap();
        let joined: BTreeSet<_> = container.endpoints().keys().cloned().collect();
        let own = (!number.is_multiple_of(3)).then(|| format!("own{number}"));
        let expected: BTreeSet<_> =
            own.into_iter().chain([shared(number), shared(number + 1)]).collect();
        assert_eq!(joined, expected, "{number}");
    }
    all(|number| die(both.client(number), number)).await;
    assert_eq!(both.client.networks().list().await.unwrap().len(), 3);
    // Every subnet and every address is free again.
    let network = both.client.networks().create("last").await.unwrap();
    assert_eq!(network.info().ipam.pools[0].subnet, Some("172.18.0.0/16".parse().unwrap()));
}

/// A network of its own, a container on this and on two shared ones, another name; a third of them leave their own network.
async fn live(client: Client, number: usize) -> Result<()> {
    let own = client.networks().create(format!("own{number}").as_str()).await?;
    let name = format!("container{number}");
    let spec = ContainerSpec::new("busybox").name(&name).network_mode(shared(number).as_str());
    let container = client.containers().create(spec).await?;
    own.connect(&name, EndpointSpec::new()).await?;
    container.start().await?;
    let body = format!(r#"{{"Container":"{name}","EndpointConfig":{{"Aliases":["other"]}}}}"#);
    post(&client, &format!("/networks/{}/connect", shared(number + 1)), body).await?;
    post(&client, &format!("/containers/{name}/rename?name=renamed{number}"), String::new())
        .await?;
    if number.is_multiple_of(3) {
        own.disconnect(container.id().as_str()).await?;
        own.remove().await?;
    }
    Ok(())
}

async fn die(client: Client, number: usize) -> Result<()> {
    let container = client.containers().get(&format!("renamed{number}")).await?;
    container.stop().await?;
    container.remove().await?;
    if !number.is_multiple_of(3) {
        client.networks().remove(&format!("own{number}")).await?;
    }
    // The last one that goes puts out the light; any of them may be it.
    for shared in [shared(number), shared(number + 1)] {
        match client.networks().remove(&shared).await {
            Err(error) if matches!(error.kind(), ErrorKind::InUse | ErrorKind::NotFound) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Without a look at the network, of which a debug build writes and reads every member.
async fn post(client: &Client, path: &str, body: String) -> Result<()> {
    let request = http::Request::post(path).body(body.into()).unwrap();
    let answer = client.send(request).await?;
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_who_want_one_name_one_gets_it() {
    let both = Both::start().await;
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = both.client(number);
            tokio::spawn(async move {
                match client.networks().create("wanted").await {
                    Ok(network) => Some(network.id().to_string()),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::NameTaken, "{error}");
                        None
                    }
                }
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        winners.extend(task.await.unwrap());
    }
    let found = both.client.networks().get("wanted").await.unwrap();
    assert_eq!(winners, [found.id().to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_small_network_gives_each_of_its_addresses_once() {
    let both = Both::start().await;
    let pool = docknet::Pool::new("10.9.0.0/25".parse().unwrap());
    let spec = docknet::NetworkSpec::new("small").pool(pool);
    both.client.networks().create(spec).await.unwrap();
    let tasks: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client = both.client(number);
            tokio::spawn(async move {
                let spec =
                    ContainerSpec::new("busybox").name(format!("c{number}")).network_mode("small");
                let container = client.containers().create(spec).await.unwrap();
                match container.start().await {
                    Ok(()) => true,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::AddressesExhausted, "{error}");
                        false
                    }
                }
            })
        })
        .collect();
    let mut started = 0;
    for task in tasks {
        started += usize::from(task.await.unwrap());
    }
    // Neither the network's, nor the gateway's, nor the one for broadcasts.
    assert_eq!(started, 125);
    check(&both.client).await;
}

/// While networks and containers come and go, whoever looks sees each operation as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_a_part_of_an_operation() {
    let both = Both::start().await;
    let writer = {
        let client = both.client(1);
        tokio::spawn(async move {
            let spec = ContainerSpec::new("busybox").name("two").network_mode("shared0");
            let container = client.containers().create(spec).await.unwrap();
            let other = client.networks().get("shared1").await.unwrap();
            other.connect("two", EndpointSpec::new()).await.unwrap();
            for _ in 0..300 {
                container.start().await.unwrap();
                container.stop().await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        // It is on both networks or on none, in one answer.
        let found = both.client.containers().list_all(&Filters::new()).await.unwrap().pop();
        if let Some(container) = found {
            let endpoints = container.endpoints();
            let up = endpoints.values().filter(|endpoint| endpoint.ipv4().is_some()).count();
            let expected = if container.info().is_running() { endpoints.len() } else { 0 };
            assert_eq!(up, expected, "{}", container.attrs());
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

/// A future is dropped after so many polls: what it was to do is done as a whole, or not at all.
#[cfg(feature = "disk")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_are_given_up_leave_nothing_half_done() {
    let dir = tempfile::tempdir().unwrap();
    let builder = Engine::open(dir.path()).durability(docknet_engine::Durability::Process);
    let engine = builder.image("busybox").start().await.unwrap();
    let client = engine.client();
    for number in 0..SHARED {
        client.networks().create(shared(number).as_str()).await.unwrap();
    }
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                for turn in 0..5 {
                    let patience = (number + turn) % 6;
                    let name = format!("given-up{}", number % 40);
                    let own = format!("own{}", number % 40);
                    let spec = ContainerSpec::new("busybox")
                        .name(&name)
                        .network_mode(shared(number).as_str())
                        .network(shared(number + 1), EndpointSpec::new());
                    give_up(patience, client.networks().create(own.as_str())).await;
                    give_up(patience, client.containers().create(spec)).await;
                    if let Ok(container) = client.containers().get(&name).await {
                        give_up(patience, container.start()).await;
                        give_up(patience, async {
                            client
                                .networks()
                                .get(&own)
                                .await?
                                .connect(&name, EndpointSpec::new())
                                .await
                        })
                        .await;
                        if turn % 2 == 0 {
                            give_up(patience, container.stop()).await;
                            give_up(patience, container.remove()).await;
                        }
                    }
                    if turn % 3 == 0 {
                        give_up(patience, client.networks().remove(&own)).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // Whatever was begun is done before this is: operations stand in line.
    client.networks().create("after").await.unwrap();
    check(&client).await;
    let shown = picture(&client).await;
    drop((client, engine));
    let again = Engine::open(dir.path()).start().await.unwrap();
    assert_eq!(picture(&again.client()).await, shown);
}

/// Polls so often, and then drops it.
async fn give_up<T>(patience: usize, call: impl Future<Output = Result<T>>) {
    let mut call = Box::pin(call);
    let mut polls = 0;
    poll_fn(|cx| {
        let done = call.as_mut().poll(cx).is_ready();
        polls += 1;
        if done || polls > patience { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Every network and its members.
async fn picture(client: &Client) -> BTreeMap<String, Vec<String>> {
    let networks = client.networks().list_detailed(&Filters::new()).await.unwrap();
    let mut picture = BTreeMap::new();
    for details in networks {
        let network = client.networks().get(details.network.id().as_str()).await.unwrap();
        let info = network.info();
        let members = info.members.iter().map(|(id, member)| format!("{id} {:?}", member.ipv4));
        picture.insert(network.id().to_string(), members.collect());
    }
    picture
}

/// Names are there once, subnets do not overlap, addresses are there once, and networks agree with containers.
async fn check(client: &Client) {
    let (mut names, mut subnets) = (BTreeSet::new(), Vec::new());
    let mut members = BTreeSet::new();
    for network in client.networks().list().await.unwrap() {
        assert!(names.insert(network.name().to_owned()), "{} is there twice", network.name());
        let network = client.networks().get(network.id().as_str()).await.unwrap();
        let info = network.info();
        subnets.extend(info.ipam.pools.iter().filter_map(|pool| pool.subnet));
        let mut addresses = BTreeSet::new();
        for (container, member) in &info.members {
            let address = member.ipv4.unwrap();
            assert!(addresses.insert(address), "{address} is on {} twice", network.name());
            members.insert((network.name().to_owned(), container.to_string(), address.addr()));
        }
    }
    subnets.sort_unstable();
    for pair in subnets.windows(2) {
        assert!(!pair[0].contains(&pair[1]), "{} and {} overlap", pair[0], pair[1]);
    }
    let mut joined = BTreeSet::new();
    for container in client.containers().list_all(&Filters::new()).await.unwrap() {
        let up = container.endpoints().iter().filter_map(|(name, endpoint)| {
            Some((name.clone(), container.id().to_string(), endpoint.ipv4()?.addr()))
        });
        joined.extend(up);
    }
    assert_eq!(members, joined);
}
