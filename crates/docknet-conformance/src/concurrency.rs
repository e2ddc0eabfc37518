//! One client in many hands at once, and calls that are given up half way.

use std::collections::BTreeSet;
use std::time::Duration;

use docknet::{Client, EndpointSpec, ErrorKind, Filters, Network, NetworkSpec, Pool, Result};
use tokio::task::JoinSet;

use crate::inside::{has_address, interfaces};
use crate::stage::{Stage, check, failed, host, on_stage, soon, subnet, within};

/// Two hundred tasks share a client, more than it has connections, and each gets its own answer.
pub async fn two_hundred_tasks_share_a_client(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let fixed = stage.network("fixed").await?;
        let mut tasks = JoinSet::new();
        for number in 0..200 {
            let (stage, fixed) = (stage.clone(), fixed.clone());
            tasks.spawn(async move {
                let networks = stage.client().networks();
                if number % 10 == 0 {
                    return come_and_go(&stage, number).await;
                }
                if number % 2 == 0 {
                    let found = networks.get(fixed.name()).await?;
                    check!(found == fixed, "a call got the answer of another: {found:?}");
                } else {
                    let found = networks.list().await?;
                    check!(found.contains(&fixed), "a list without what is there: {found:?}");
                }
                Ok(())
            });
        }
        all(tasks).await?;
        let named = Filters::new().name(stage.name("n"));
        let left = stage.client().networks().list_with(&named).await?;
        check!(left.is_empty(), "left over: {left:?}");
        Ok(())
    })
    .await
}

/// Of many that create a network of one name at once, one gets it and the others hear that it is taken.
pub async fn one_of_many_creators_wins(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let mut tasks = JoinSet::new();
        for _ in 0..12 {
            let stage = stage.clone();
            tasks.spawn(async move {
                let spec = stage.spec("net").pool(Pool::new(subnet().into()));
                Ok(stage.client().networks().create(spec).await)
            });
        }
        let mut winners = Vec::new();
        for created in all(tasks).await? {
            match created {
                Ok(network) => {
                    stage.will_remove_network(network.id().as_str());
                    winners.push(network);
                }
                Err(error) if error.kind() == ErrorKind::NameTaken => {}
                Err(error) => return Err(error),
            }
        }
        check!(winners.len() == 1, "winners: {winners:?}");
        Ok(())
    })
    .await
}

/// Of many that ensure a network at once, all get the same one.
pub async fn all_who_ensure_get_the_same(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let subnet = subnet();
        let mut tasks = JoinSet::new();
        for _ in 0..12 {
            let stage = stage.clone();
            tasks.spawn(async move {
                let spec = stage.spec("net").pool(Pool::new(subnet.into()));
                stage.client().networks().ensure(spec).await
            });
        }
        let ids: BTreeSet<_> =
            all(tasks).await?.iter().map(|network| network.id().to_string()).collect();
        ids.iter().for_each(|id| stage.will_remove_network(id));
        check!(ids.len() == 1, "several networks: {ids:?}");
        Ok(())
    })
    .await
}

/// Containers that join a network at once get an address each, and all of them leave again.
pub async fn many_join_and_leave_at_once(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let mut network = stage.network("net").await?;
        let mut containers = Vec::new();
        for number in 0..6 {
            containers.push(stage.running(&format!("web{number}")).await?);
        }
        for _ in 0..3 {
            let mut tasks = JoinSet::new();
            for container in containers.clone() {
                let network = network.clone();
                tasks.spawn(async move { network.connect(&container, EndpointSpec::new()).await });
            }
            all(tasks).await?;
            network.reload().await?;
            let addresses: BTreeSet<_> =
                network.info().members.values().filter_map(|member| member.ipv4).collect();
            check!(addresses.len() == containers.len(), "addresses {addresses:?}");
            let mut tasks = JoinSet::new();
            for container in containers.clone() {
                let network = network.clone();
                tasks.spawn(async move { network.disconnect(&container).await });
            }
            all(tasks).await?;
            network.reload().await?;
            check!(network.info().members.is_empty(), "left: {:?}", network.info().members);
        }
        Ok(())
    })
    .await
}

/// Many that connect one container to many networks at once each do it, and no interface is lost.
pub async fn one_container_joins_many_networks_at_once(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let container = stage.running("web").await?;
        let mut networks = Vec::new();
        for number in 0..5 {
            networks.push(stage.network(&format!("net{number}")).await?);
        }
        let mut tasks = JoinSet::new();
        for network in networks {
            let container = container.clone();
            tasks.spawn(async move { network.connect(&container, EndpointSpec::new()).await });
        }
        all(tasks).await?;
        let found = interfaces(&container).await?;
        check!(found.len() == 6, "interfaces {found:?}");
        Ok(())
    })
    .await
}

/// Calls that are given up at any moment leave a client that works, and an engine that tells one story.
pub async fn calls_given_up_leave_client_and_engine_whole(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let fixed = stage.network("fixed").await?;
        let mut tasks = JoinSet::new();
        for number in 0..60_u64 {
            let (stage, fixed) = (stage.clone(), fixed.clone());
            tasks.spawn(async move {
                // From before the first byte is sent until after the answer is there.
                let patience = Duration::from_micros(40 * number * number);
                let networks = stage.client().networks();
                let given_up = tokio::time::timeout(patience, async {
                    match number % 3 {
                        0 => networks.get(fixed.name()).await.map(drop),
                        1 => networks.list().await.map(drop),
                        _ => networks.create(churn(&stage, number)).await.map(drop),
                    }
                });
                given_up.await.unwrap_or(Ok(()))
            });
        }
        all(tasks).await?;
        // What was sent is carried out, whoever waits for it; then all views agree, and all of it can go.
        let networks = stage.client().networks();
        let ours = Filters::new().name(stage.name("n"));
        for number in 0..60 {
            let name = churn(&stage, number).name;
            soon("every view shows the same", async || {
                let got = networks.find(&name).await?;
                let listed = networks.list_with(&ours).await?;
                Ok(got.is_some() == listed.iter().any(|network| network.name() == name))
            })
            .await?;
        }
        within(30, "nothing is left", async || {
            let left = networks.list_with(&ours).await?;
            for network in &left {
                network.clone().remove().await?;
            }
            Ok(left.is_empty())
        })
        .await?;
        check!(networks.get(fixed.name()).await? == fixed, "the fixed one is another now");
        Ok(())
    })
    .await
}

/// A connection that is given up half way is there or is not, on both sides alike, and can be made anew.
pub async fn a_connection_given_up_is_all_or_nothing(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
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
            check!(has_address(&container, host(subnet, 9)).await?, "no address after {millis} ms");
            network.disconnect(&container).await?;
        }
        Ok(())
    })
    .await
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
    stage.will_remove_network(network.id().as_str());
    check!(networks.get(network.name()).await? == network, "not found by its name");
    let listed = networks.list_with(&Filters::new().name(network.name())).await?;
    check!(listed.contains(&network), "not in the list: {listed:?}");
    networks.remove(network.name()).await
}

fn churn(stage: &Stage, number: u64) -> NetworkSpec {
    stage.spec(&format!("n{number:03}")).pool(Pool::new(subnet().into()))
}

async fn all<T: 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut values = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        values.push(joined.map_err(|error| failed(format!("a task ended badly: {error}")))??);
    }
    Ok(values)
}
