//! What an engine tells of its networks, as it happens and afterwards.

use std::time::{Duration, SystemTime};

use docknet::{
    Action, Client, Container, EndpointSpec, EventKind, Events, Network, NetworkEvent, Result,
};

use crate::behaviours;
use crate::stage::{Stage, failed};

behaviours!(
    events:
    tell_a_life_in_order [Containers],
    of_a_connection_have_the_networks_id [Containers],
    of_a_disconnection_come_once [Containers],
    come_with_a_start_and_a_stop [Containers],
    are_replayed_and_end_at_a_time [Containers],
    end_when_their_time_comes,
    are_filtered [Containers],
    that_are_dropped_close_their_connection,
    of_a_lazy_stream_begin_with_the_first_poll,
    say_which_driver_and_where [Containers],
    are_filtered_by_a_network [Containers],
    of_what_never_ran_are_none [Containers],
    of_a_prune_say_what_was_freed,
);

/// A network's life is told in its order, with its name and the container that came and went.
pub async fn tell_a_life_in_order(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut events = stage.client().events().networks().open().await?;
    let life = live(&stage).await?;
    let mut told = Vec::new();
    while told.last() != Some(&"destroy") {
        let event = next_of(&mut events, &life).await?;
        if event.name.is_some() || event.action == Action::Connect {
            assert!(event.name.as_deref() == Some(life.network.name()), "{event:?}");
        }
        let about = matches!(event.action, Action::Connect | Action::Disconnect);
        let container = about.then_some(life.container.id());
        assert!(event.container.as_ref() == container, "{event:?}");
        let step = match event.action {
            Action::Create => "create",
            Action::Connect => "connect",
            Action::Disconnect => "disconnect",
            Action::Destroy | Action::Remove => "destroy",
            _ => return Err(failed(format!("{event:?}"))),
        };
        // That it may be told twice is a matter of its own.
        if told.last() != Some(&step) {
            told.push(step);
        }
    }
    assert!(told == ["create", "connect", "disconnect", "destroy"], "told: {told:?}");
    Ok(())
}

/// An event of a connection has the network's id.
pub async fn of_a_connection_have_the_networks_id(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut events = stage.client().events().networks().open().await?;
    let life = live(&stage).await?;
    loop {
        let event = next_of(&mut events, &life).await?;
        if event.action == Action::Connect {
            assert!(event.network.as_ref() == Some(life.network.id()), "{event:?}");
            return Ok(());
        }
    }
}

/// One disconnection is told once.
pub async fn of_a_disconnection_come_once(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut events = stage.client().events().networks().open().await?;
    let life = live(&stage).await?;
    let mut count = 0;
    loop {
        let event = next_of(&mut events, &life).await?;
        match event.action {
            Action::Disconnect => count += 1,
            Action::Destroy | Action::Remove => break,
            _ => {}
        }
    }
    assert!(count == 1, "told {count} times");
    Ok(())
}

/// A container's start connects it to its networks and its stop disconnects it, and both are told.
pub async fn come_with_a_start_and_a_stop(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network(network.name(), EndpointSpec::new());
    let container = stage.create(spec).await?;
    let mut events = stage.client().events().networks().open().await?;
    let life = Life { network, container };
    for (act, expected) in [("start", Action::Connect), ("stop", Action::Disconnect)] {
        match act {
            "start" => life.container.start().await?,
            _ => life.container.stop_within(2).await?,
        }
        let event = next_of(&mut events, &life).await?;
        assert!(event.action == expected, "after the {act}: {event:?}");
        assert!(event.container.as_ref() == Some(life.container.id()), "{event:?}");
    }
    Ok(())
}

/// What was before is told again to those who ask since when, and the stream ends at the time that was given.
pub async fn are_replayed_and_end_at_a_time(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let before = SystemTime::now() - Duration::from_millis(50);
    let life = live(&stage).await?;
    let after = past().await;
    let query = stage.client().events().networks().since(before).until(after);
    let mut events = query.open().await?;
    let mut told = Vec::new();
    while let Some(event) = limited(events.next()).await? {
        let event = event?;
        assert!(event.time() >= before && event.time() <= after, "too early or late: {event:?}");
        assert!(event.kind == EventKind::Network, "{event:?}");
        told.extend(event.as_network().filter(|event| life.is_about(event)));
    }
    let actions: Vec<_> = told.iter().map(|event| event.action.clone()).collect();
    assert!(actions.first() == Some(&Action::Create), "replayed: {actions:?}");
    assert!(matches!(actions.last(), Some(Action::Destroy | Action::Remove)), "{actions:?}");
    assert!(limited(events.next()).await?.is_none(), "it goes on after its end");
    Ok(())
}

/// A stream with an end in the future waits for it, and ends then.
pub async fn end_when_their_time_comes(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let until = SystemTime::now() + Duration::from_millis(2500);
    let mut events = stage.client().events().networks().until(until).open().await?;
    let network = stage.network("net").await?;
    let in_time = SystemTime::now() + Duration::from_secs(1) < until;
    let mut told = false;
    while let Some(event) = limited(events.next()).await? {
        told |= event?.id == network.id().as_str();
    }
    assert!(told || !in_time, "the creation was not told");
    assert!(SystemTime::now() >= until, "it ended before its time");
    Ok(())
}

/// A filter by action leaves only that.
pub async fn are_filtered(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let before = SystemTime::now() - Duration::from_millis(50);
    let life = live(&stage).await?;
    let events = stage.client().events().networks().since(before);
    let mut events = events.filter("event", "connect").open().await?;
    loop {
        let event = limited(events.next()).await?;
        let event = event.ok_or_else(|| failed("the stream ended"))??;
        assert!(event.action == Action::Connect, "{event:?}");
        if event.as_network().is_some_and(|event| life.is_about(&event)) {
            return Ok(());
        }
    }
}

/// Streams that are dropped leave their connections: a hundred and fifty of them do not keep a call from its place.
pub async fn that_are_dropped_close_their_connection(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    for number in 0..150 {
        let query = stage.client().events().networks();
        let mut events = query.open().await?;
        if number % 3 == 0 {
            // Dropped while it waits for something.
            let waiting = tokio::time::timeout(Duration::from_millis(1), events.next()).await;
            if let Ok(Some(Err(error))) = waiting {
                return Err(error);
            }
        }
        drop(events);
    }
    stage.network("net").await?.remove().await
}

/// A lazy stream asks when it is polled, and tells the same.
pub async fn of_a_lazy_stream_begin_with_the_first_poll(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let before = SystemTime::now() - Duration::from_millis(50);
    let network = stage.network("net").await?;
    let mut events = stage.client().events().networks().since(before);
    loop {
        let event = limited(events.next()).await?;
        let event = event.ok_or_else(|| failed("the stream ended"))??;
        if event.id == network.id().as_str() {
            assert!(event.action == Action::Create, "{event:?}");
            return Ok(());
        }
    }
}

/// An event has the network's name and its driver, and says that it is of this node alone.
pub async fn say_which_driver_and_where(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let told = told_of_a_life(&stage).await?;
    for event in &told {
        let driver = event.attributes.get("type").map(String::as_str);
        assert!(driver == Some("bridge") && event.scope == "local", "{event:?}");
        assert!(event.attributes.contains_key("name"), "{event:?}");
    }
    assert!(told.len() >= 4, "told: {told:?}");
    Ok(())
}

/// A filter by a network takes its name and its id, and what is about another one is not told.
pub async fn are_filtered_by_a_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let before = SystemTime::now() - Duration::from_millis(50);
    let life = live(&stage).await?;
    stage.network("other").await?;
    let after = past().await;
    for by in [life.network.id().as_str(), life.network.name()] {
        let query = stage.client().events().networks().since(before).until(after);
        let mut events = query.filter("network", by).open().await?;
        let mut count = 0;
        while let Some(event) = limited(events.next()).await? {
            let event = event?;
            let about = event.as_network().is_some_and(|event| life.is_about(&event));
            assert!(about, "by {by}: {event:?}");
            count += 1;
        }
        assert!(count >= 4, "{count} events by {by}");
    }
    Ok(())
}

/// A container that never ran is connected and cut off without a word: nothing has happened yet.
pub async fn of_what_never_ran_are_none(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.create(stage.idle("web")).await?;
    let mut events = stage.client().events().networks().open().await?;
    network.connect(&container, EndpointSpec::new()).await?;
    network.disconnect(&container).await?;
    network.clone().remove().await?;
    let event = next_of(&mut events, &Life { network, container }).await?;
    let gone = matches!(event.action, Action::Destroy | Action::Remove);
    assert!(gone, "told: {:?}", event.action);
    Ok(())
}

/// A prune is told as one, with what it freed: networks take no space.
pub async fn of_a_prune_say_what_was_freed(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut events = stage.client().events().networks().open().await?;
    let nothing = docknet::Filters::new().label(stage.name("no-such-label"));
    while let Err(error) = stage.client().networks().prune(&nothing).await {
        if !error.message().contains("a prune operation is already running") {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    loop {
        let event = limited(events.next()).await?;
        let event = event.ok_or_else(|| failed("the stream ended"))??;
        if let Some(freed) = event.attributes.get("reclaimed") {
            assert!(freed == "0" && event.id.is_empty(), "{event:?}");
            return Ok(());
        }
    }
}

/// A time after all that happened so far, and before now.
async fn past() -> SystemTime {
    let time = SystemTime::now() + Duration::from_millis(50);
    tokio::time::sleep(Duration::from_millis(60)).await;
    time
}

/// A network that came and went, and the container that was on it meanwhile.
struct Life {
    network: Network,
    container: Container,
}

impl Life {
    fn is_about(&self, event: &NetworkEvent) -> bool {
        event.network.as_ref() == Some(self.network.id())
            || event.name.as_deref() == Some(self.network.name())
    }
}

async fn live(stage: &Stage) -> Result<Life> {
    let container = stage.running("web").await?;
    let network = stage.network("net").await?;
    network.connect(&container, EndpointSpec::new()).await?;
    network.disconnect(&container).await?;
    network.clone().remove().await?;
    Ok(Life { network, container })
}

async fn next_of(events: &mut Events, life: &Life) -> Result<NetworkEvent> {
    let next = async {
        loop {
            let event = events.next().await.ok_or_else(|| failed("the stream ended"))??;
            if let Some(event) = event.as_network().filter(|event| life.is_about(event)) {
                return Ok(event);
            }
        }
    };
    limited(next).await?
}

async fn limited<T>(next: impl Future<Output = T>) -> Result<T> {
    let limit = tokio::time::timeout(Duration::from_secs(15), next);
    limit.await.map_err(|_| failed("no event within fifteen seconds"))
}

/// All that is told of a network's life.
async fn told_of_a_life(stage: &Stage) -> Result<Vec<docknet::Event>> {
    let before = SystemTime::now() - Duration::from_millis(50);
    let life = live(stage).await?;
    let after = past().await;
    let query = stage.client().events().networks().since(before).until(after);
    let mut events = query.open().await?;
    let mut told = Vec::new();
    while let Some(event) = limited(events.next()).await? {
        let event = event?;
        if event.as_network().is_some_and(|event| life.is_about(&event)) {
            told.push(event);
        }
    }
    Ok(told)
}
