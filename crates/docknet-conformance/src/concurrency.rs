//! One client in many hands at once, and calls that are given up half way.

use std::collections::BTreeSet;
use std::time::Duration;

use docknet::{Client, EndpointSpec, ErrorKind, Filters, Network, NetworkSpec, Pool, Result};

use crate::behaviours;
use crate::inside::{has_address, interfaces};
use crate::lab::{subnet, together};
use crate::stage::{Stage, failed, host};

behaviours!(
    concurrency:
    two_hundred_tasks_share_a_client,
    one_of_many_creators_wins,
    all_who_ensure_get_the_same,
    many_join_and_leave_at_once [Containers],
    one_container_joins_many_networks_at_once [Containers],
    calls_given_up_leave_client_and_engine_whole,
    a_connection_given_up_is_all_or_nothing [Containers],
);

/// Two hundred tasks share a client, more than it has connections, and each gets its own answer.
pub async fn two_hundred_tasks_share_a_client(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let fixed = stage.network("fixed").await?;
    let tasks = (0..200).map(|number| {
        let (stage, fixed) = (stage.clone(), fixed.clone());
        async move {
            let networks = stage.client().networks();
            if number % 10 == 0 {
                return come_and_go(&stage, number).await;
            }
            if number % 2 == 0 {
                let found = networks.get(fixed.name()).await?;
                assert!(found == fixed, "a call got the answer of another: {found:?}");
            } else {
                let found = networks.list().await?;
                assert!(found.contains(&fixed), "a list without what is there: {found:?}");
            }
            Ok(())
        }
    });
    all(together(tasks).await)?;
    let named = Filters::new().name(stage.name("n"));
    let left = stage.client().networks().list_with(&named).await?;
    assert!(left.is_empty(), "left over: {left:?}");
    Ok(())
}

/// Of many that create a network of one name at once, one gets it and the others hear that it is taken.
pub async fn one_of_many_creators_wins(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let tasks = (0..12).map(|_| {
        let spec = stage.spec("net").pool(Pool::new(subnet().into()));
        let networks = client.networks();
        async move { networks.create(spec).await }
    });
    let mut winners = Vec::new();
    for created in together(tasks).await {
        match created {
            Ok(network) => winners.push(network),
            Err(error) if error.kind() == ErrorKind::NameTaken => {}
            Err(error) => return Err(error),
        }
    }
    assert!(winners.len() == 1, "winners: {winners:?}");
    Ok(())
}

/// Of many that ensure a network at once, all get the same one.
pub async fn all_who_ensure_get_the_same(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let spec = stage.spec("net").pool(Pool::new(subnet().into()));
    let tasks = (0..12).map(|_| {
        let (networks, spec) = (client.networks(), spec.clone());
        async move { networks.ensure(spec).await }
    });
    let made = all(together(tasks).await)?;
    let ids: BTreeSet<_> = made.iter().map(|network| network.id().as_str()).collect();
    assert!(ids.len() == 1, "several networks: {ids:?}");
    Ok(())
}

/// Containers that join a network at once get an address each, and all of them leave again.
pub async fn many_join_and_leave_at_once(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut network = stage.network("net").await?;
    let mut containers = Vec::new();
    for number in 0..6 {
        containers.push(stage.running(&format!("web{number}")).await?);
    }
    for _ in 0..3 {
        let tasks = containers.clone().into_iter().map(|container| {
            let network = network.clone();
            async move { network.connect(&container, EndpointSpec::new()).await }
        });
        all(together(tasks).await)?;
        network.reload().await?;
        let addresses: BTreeSet<_> =
            network.info().members.values().filter_map(|member| member.ipv4).collect();
        assert!(addresses.len() == containers.len(), "addresses {addresses:?}");
        let tasks = containers.clone().into_iter().map(|container| {
            let network = network.clone();
            async move { network.disconnect(&container).await }
        });
        all(together(tasks).await)?;
        network.reload().await?;
        assert!(network.info().members.is_empty(), "left: {:?}", network.info().members);
    }
    Ok(())
}

/// Many that connect one container to many networks at once each do it, and no interface is lost.
pub async fn one_container_joins_many_networks_at_once(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    let mut networks = Vec::new();
    for number in 0..5 {
        networks.push(stage.network(&format!("net{number}")).await?);
    }
    let tasks = networks.into_iter().map(|network| {
        let container = container.clone();
        async move { network.connect(&container, EndpointSpec::new()).await }
    });
    all(together(tasks).await)?;
    let found = interfaces(&container).await?;
    assert!(found.len() == 6, "interfaces {found:?}");
    Ok(())
}

/// Calls that are given up at any moment leave a client that works, and an engine that tells one story.
pub async fn calls_given_up_leave_client_and_engine_whole(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let fixed = stage.network("fixed").await?;
    let tasks = (0..60_u64).map(|number| {
        let (stage, fixed) = (stage.clone(), fixed.clone());
        async move {
            // From before the first byte is sent until after the answer is there.
            let patience = Duration::from_micros(40 * number * number);
            let networks = stage.client().networks();
            let given_up = tokio::time::timeout(patience, async {
                match number % 5 {
                    0 | 1 => networks.get(fixed.name()).await.map(drop),
                    2 | 3 => networks.list().await.map(drop),
                    _ => networks.create(churn(&stage, number)).await.map(drop),
                }
            });
            given_up.await.unwrap_or(Ok(()))
        }
    });
    all(together(tasks).await)?;
    // What was sent is carried out, whoever waits for it. To create the same once more waits for that, too: the name is
    // taken then, or it was never sent.
    let networks = stage.client().networks();
    let created: Vec<_> = (0..60).filter(|number| number % 5 == 4).collect();
    for number in &created {
        match networks.create(churn(&stage, *number)).await {
            Err(error) if error.kind() != ErrorKind::NameTaken => return Err(error),
            _ => {}
        }
    }
    let ours = Filters::new().name(stage.name("n"));
    let listed = networks.list_with(&ours).await?;
    for number in created {
        let name = churn(&stage, number).name;
        assert!(listed.iter().any(|network| network.name() == name), "{name} is in no list");
    }
    for network in listed {
        network.remove().await?;
    }
    let left = networks.list_with(&ours).await?;
    assert!(left.is_empty(), "left over: {left:?}");
    assert!(networks.get(fixed.name()).await? == fixed, "the fixed one is another now");
    Ok(())
}

/// A connection that is given up half way is there or is not, on both sides alike, and can be made anew.
pub async fn a_connection_given_up_is_all_or_nothing(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let mut network = stage.network_on("net", subnet).await?;
    let mut container = stage.running("web").await?;
    let endpoint = EndpointSpec::new().ipv4(host(subnet, 9));
    for millis in [0, 1, 2, 4, 8, 16, 32] {
        let call = network.connect(&container, endpoint.clone());
        if let Ok(done) = tokio::time::timeout(Duration::from_millis(millis), call).await {
            done?;
        }
        // If the engine got it, it is at work on it now.
        let connected = settle(&mut network, &mut container).await?;
        if !connected {
            network.connect(&container, endpoint.clone()).await?;
        }
        assert!(has_address(&container, host(subnet, 9)).await?, "no address after {millis} ms");
        network.disconnect(&container).await?;
    }
    Ok(())
}

/// Waits until the network and the container say the same twice in a row: whether they are connected.
async fn settle(network: &mut Network, container: &mut docknet::Container) -> Result<bool> {
    let mut last = None;
    for _ in 0..100 {
        network.reload().await?;
        container.reload().await?;
        let shown = network.info().members.contains_key(container.id());
        let inside = interfaces(container).await?.len() == 2;
        let state = (shown && inside, container.endpoints().contains_key(network.name()));
        let same = last == Some(state) && state.0 == state.1;
        last = Some(state);
        if same {
            return Ok(state.0);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(failed(format!("the two sides do not agree: {last:?}")))
}

async fn come_and_go(stage: &Stage, number: u64) -> Result<()> {
    let networks = stage.client().networks();
    let network = networks.create(churn(stage, number)).await?;
    assert!(networks.get(network.name()).await? == network, "not found by its name");
    let listed = networks.list_with(&Filters::new().name(network.name())).await?;
    assert!(listed.contains(&network), "not in the list: {listed:?}");
    networks.remove(network.name()).await
}

fn churn(stage: &Stage, number: u64) -> NetworkSpec {
    stage.spec(&format!("n{number:03}")).pool(Pool::new(subnet().into()))
}

fn all<T>(outcomes: Vec<Result<T>>) -> Result<Vec<T>> {
    outcomes.into_iter().collect()
}
