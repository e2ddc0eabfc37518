//! Who is on a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use docknet::{Body, BoxFuture, Client, EndpointSpec, Filters, Result, Transport};

use crate::behaviours;
use crate::stage::{Stage, failed};

behaviours!(
    members:
    are_those_that_run [Containers],
    come_in_one_request [Containers],
    that_vanish_are_left_out [Containers],
    of_a_detailed_list_may_be_stopped [Containers],
);

/// A network's containers are those that run on it, and no others.
pub async fn are_those_that_run(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    assert!(network.containers().await?.is_empty(), "a new network is not empty");
    let runs = stage.running_on("runs", &network).await?;
    let joined = stage.running("joined").await?;
    network.connect(&joined, EndpointSpec::new()).await?;
    let stopped = stage.running_on("stopped", &network).await?;
    stopped.stop_within(2).await?;
    stage.running("elsewhere").await?;
    let mut found = network.containers().await?;
    found.sort_by(|a, b| a.name().cmp(b.name()));
    assert!(found == [joined.clone(), runs.clone()], "found {found:?}");
    network.disconnect(&joined).await?;
    let found = network.containers().await?;
    assert!(found == [runs], "after a disconnection {found:?}");
    Ok(())
}

/// They come in one request, however many there are.
pub async fn come_in_one_request(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    for number in 0..4 {
        stage.running_on(&format!("web{number}"), &network).await?;
    }
    let counter = Counter { client: client.clone(), requests: Arc::default() };
    let counted = Client::with_transport(counter.clone());
    let network = counted.networks().get(network.id().as_str()).await?;
    let before = counter.requests.load(Ordering::Relaxed);
    let found = network.containers().await?;
    let requests = counter.requests.load(Ordering::Relaxed) - before;
    assert!(found.len() == 4, "found {found:?}");
    assert!(requests == 1, "{requests} requests");
    Ok(())
}

/// Containers that go while one looks are left out, and are no error.
pub async fn that_vanish_are_left_out(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let stays = stage.running_on("stays", &network).await?;
    let mut goes = Vec::new();
    for number in 0..4 {
        goes.push(stage.running_on(&format!("goes{number}"), &network).await?);
    }
    let removal = tokio::spawn(async move {
        for container in goes {
            container.remove().await?;
        }
        Ok(())
    });
    while !removal.is_finished() {
        // An engine in this process answers at once: the removal must have its turn.
        tokio::task::yield_now().await;
        let found = network.containers().await?;
        assert!(found.contains(&stays), "the one that stays is not in {found:?}");
    }
    removal.await.map_err(|error| failed(error.to_string()))??;
    let found = network.containers().await?;
    assert!(found == [stays], "at last {found:?}");
    Ok(())
}

/// A detailed list has the stopped containers, too.
pub async fn of_a_detailed_list_may_be_stopped(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let runs = stage.running_on("runs", &network).await?;
    let ended = stage.running_on("ended", &network).await?;
    ended.stop_within(2).await?;
    let spec = stage.idle("new").network(network.name(), EndpointSpec::new());
    let new = stage.create(spec).await?;
    let named = Filters::new().name(network.name());
    let details = client.networks().list_detailed(&named).await?;
    let details = details.iter().find(|details| details.network == network);
    let details = details.ok_or_else(|| failed("the network is not in the list"))?;
    for container in [&runs, &ended, &new] {
        let there = details.containers.iter().filter(|one| *one == container).count();
        assert!(there == 1, "{} is there {there} times", container.name());
    }
    assert!(details.containers.len() == 3, "{:?}", details.containers);
    Ok(())
}

/// Sends through another client, and counts.
#[derive(Clone, Debug)]
struct Counter {
    client: Client,
    requests: Arc<AtomicUsize>,
}

impl Transport for Counter {
    fn send(
        &self,
        mut request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>>> {
        Box::pin(async move {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let target = request.uri().to_string();
            // The other client puts the version before the path itself.
            let bare = match target.strip_prefix("/v1.").and_then(|rest| rest.find('/')) {
                Some(end) => &target["/v1.".len() + end..],
                None => &target,
            };
            *request.uri_mut() = bare.parse().map_err(|_| failed(format!("no path: {bare}")))?;
            self.client.send(request).await
        })
    }

    fn describe(&self) -> String {
        self.client.host()
    }
}
