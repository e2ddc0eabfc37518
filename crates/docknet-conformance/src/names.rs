//! What a name may be, and what a text finds that may be a name or an id.

use docknet::{Client, ErrorKind, Network, NetworkSpec, Pool, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

/// A network of exactly this name, which is removed at the end.
async fn named(client: &Client, name: &str) -> Result<Network> {
    lab::adopt(name);
    lab::network(client, |mut spec| {
        name.clone_into(&mut spec.name);
        spec
    })
    .await
}

/// A network is found, shown and removed by this name, and nothing else is.
async fn works(client: &Client, name: &str) -> Result<()> {
    let beside = lab::network(client, |spec| spec).await?;
    let network = named(client, name).await?;
    assert_eq!(network.name(), name);
    assert_eq!(client.networks().get(name).await?.id(), network.id());
    assert_eq!(client.networks().ensure(name).await?.id(), network.id());
    client.networks().remove(name).await?;
    assert_eq!(client.networks().find(name).await?, None);
    assert_eq!(client.networks().get(beside.name()).await?.id(), beside.id());
    Ok(())
}

/// Dots, hyphens, underscores and capitals are part of a name.
pub async fn plain_characters(client: &Client) -> Result<()> {
    works(client, &format!("{}_A.b-c..d", lab::name("Plain"))).await
}

/// Blanks, letters of any script, and what means something in a URL or in JSON are part of a name.
pub async fn odd_characters(client: &Client) -> Result<()> {
    for odd in
        ["a b", "réseau-ネット", "100%", "%2e%2e", "a?b=c&d#e", "\"quoted\\", "a+b", "^a*[b]$"]
    {
        works(client, &format!("{} {odd}", lab::name("odd"))).await?;
    }
    Ok(())
}

/// Slashes are part of a name.
pub async fn slashes(client: &Client) -> Result<()> {
    let name = lab::name("slash");
    for odd in ["/a", "//a/", "/../containers/a"] {
        works(client, &format!("{name}{odd}")).await?;
    }
    Ok(())
}

/// Control characters are part of a name.
pub async fn control_characters(client: &Client) -> Result<()> {
    works(client, &format!("{}\n\t\u{7f}", lab::name("control"))).await
}

/// A name may have two hundred characters.
pub async fn two_hundred_characters(client: &Client) -> Result<()> {
    works(client, &format!("{:x<200}", lab::name("long"))).await
}

/// A name may have five thousand characters.
pub async fn five_thousand_characters(client: &Client) -> Result<()> {
    works(client, &format!("{:x<5000}", lab::name("very-long"))).await
}

/// An empty name, and one of blanks, is refused.
pub async fn no_name_is_refused(client: &Client) -> Result<()> {
    for name in [" ", ""] {
        let spec =
            NetworkSpec::new(name).labels(lab::labels()).pool(Pool::new(lab::subnet().into()));
        refused(client.networks().create(spec).await, &[ErrorKind::InvalidSpec]);
    }
    Ok(())
}

/// To look for an empty name is refused before anything is sent: the path would be that of the list.
pub async fn no_name_is_never_sent(client: &Client) -> Result<()> {
    let networks = client.networks();
    let get = refused(networks.get("").await, &[ErrorKind::InvalidSpec]);
    let find = refused(networks.find("").await, &[ErrorKind::InvalidSpec]);
    let remove = refused(networks.remove("").await, &[ErrorKind::InvalidSpec]);
    for error in [get, find, remove] {
        assert_eq!(error.status(), None, "{error}");
    }
    Ok(())
}

/// A name never leads out of the networks: what looks like a path to a container removes no container.
pub async fn a_name_never_leaves_the_networks(client: &Client) -> Result<()> {
    let container = lab::running(client, &[]).await?;
    for path in ["../containers/", "..%2fcontainers%2f", "x/../../containers/", "/containers/"] {
        let path = format!("{path}{}", container.id());
        refused(client.networks().remove(&path).await, &[ErrorKind::NotFound]);
        refused(client.networks().get(&path).await, &[ErrorKind::NotFound]);
    }
    assert!(client.containers().get(container.id().as_str()).await?.info().is_running());
    Ok(())
}

/// A query in a name does not reach the engine as one.
pub async fn a_name_is_no_query(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    for tail in ["?force=true", "?", "#", "%00", "/"] {
        let name = format!("{}{tail}", network.name());
        refused(client.networks().remove(&name).await, &[ErrorKind::NotFound]);
    }
    assert_eq!(client.networks().get(network.name()).await?.id(), network.id());
    Ok(())
}

/// A full id wins over a name: of a network whose id is the other's name, the first is found and removed.
pub async fn a_full_id_wins_over_a_name(client: &Client) -> Result<()> {
    let first = lab::network(client, |spec| spec).await?;
    let id = first.id().as_str();
    let second = named(client, id).await?;
    assert_eq!(client.networks().get(id).await?.id(), first.id());
    client.networks().remove(id).await?;
    refused(client.networks().get(first.name()).await, &[ErrorKind::NotFound]);
    assert_eq!(client.networks().get(second.id().as_str()).await?.name(), id);
    Ok(())
}

/// A name wins over the beginning of an id: of a network whose id begins with the other's name, the other is found and removed.
pub async fn a_name_wins_over_the_beginning_of_an_id(client: &Client) -> Result<()> {
    let first = lab::network(client, |spec| spec).await?;
    let second = named(client, first.short_id()).await?;
    assert_eq!(client.networks().get(first.short_id()).await?.id(), second.id());
    client.networks().remove(first.short_id()).await?;
    assert_eq!(client.networks().get(first.short_id()).await?.id(), first.id());
    Ok(())
}

/// The beginning of an id finds the network, if it is the only one.
pub async fn the_beginning_of_an_id_finds(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    for length in [12, 20, 63] {
        let found = client.networks().get(&network.id().as_str()[..length]).await?;
        assert_eq!(found.id(), network.id());
    }
    client.networks().remove(network.short_id()).await?;
    assert_eq!(client.networks().find(network.name()).await?, None);
    Ok(())
}

/// The beginning of several ids is ambiguous: nothing is found, and nothing is removed.
///
/// In a swarm, Docker takes it for that of the only network of the swarm whose id begins so.
pub async fn the_beginning_of_several_ids_is_ambiguous(client: &Client) -> Result<()> {
    // There are sixteen first digits: of seventeen networks two have the same one.
    let mut made: Vec<Network> = Vec::new();
    let shared = loop {
        let network = lab::network(client, |spec| spec).await?;
        let first = network.id().as_str()[..1].to_owned();
        if made.iter().any(|other| other.id().as_str().starts_with(&first)) {
            made.push(network);
            break first;
        }
        made.push(network);
    };
    refused(client.networks().get(&shared).await, &[ErrorKind::AmbiguousName]);
    refused(client.networks().find(&shared).await, &[ErrorKind::AmbiguousName]);
    refused(client.networks().remove(&shared).await, &[ErrorKind::AmbiguousName]);
    for network in &mut made {
        network.reload().await?;
    }
    Ok(())
}

/// However a second network of a name is asked for, the name means one of them or is ambiguous, and the ids tell them apart.
pub async fn two_of_a_name_are_ambiguous(client: &Client) -> Result<()> {
    let networks = client.networks();
    let first = lab::network(client, |spec| spec).await?;
    let second = NetworkSpec::new(first.name()).labels(lab::labels()).check_duplicate(false);
    let second = match networks.create(second.pool(Pool::new(lab::subnet().into()))).await {
        Ok(second) => second,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NameTaken, "{error}");
            assert_eq!(networks.get(first.name()).await?.id(), first.id());
            return Ok(());
        }
    };
    assert!(
        second.warning().is_some_and(|words| words.contains(first.name())),
        "{:?}",
        second.warning()
    );
    refused(networks.get(first.name()).await, &[ErrorKind::AmbiguousName]);
    refused(networks.remove(first.name()).await, &[ErrorKind::AmbiguousName]);
    refused(networks.ensure(first.name()).await, &[ErrorKind::AmbiguousName]);
    second.remove().await?;
    assert_eq!(networks.get(first.name()).await?.id(), first.id());
    Ok(())
}

/// A part of a name, a name in other letters and an id in capitals find nothing.
pub async fn almost_is_not_found(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let name = network.name();
    for almost in
        [&name[..name.len() - 1], &name.to_uppercase(), &network.id().as_str().to_uppercase()]
    {
        // An id may have no letter in it, but for one in a million million.
        refused(client.networks().get(almost).await, &[ErrorKind::NotFound]);
        assert_eq!(client.networks().find(almost).await?, None);
    }
    Ok(())
}

behaviours!(names:
    plain_characters,
    odd_characters,
    slashes,
    control_characters,
    two_hundred_characters,
    five_thousand_characters,
    no_name_is_refused,
    no_name_is_never_sent,
    a_name_never_leaves_the_networks [Containers],
    a_name_is_no_query,
    a_full_id_wins_over_a_name,
    a_name_wins_over_the_beginning_of_an_id,
    the_beginning_of_an_id_finds,
    the_beginning_of_several_ids_is_ambiguous [NoSwarm],
    two_of_a_name_are_ambiguous,
    almost_is_not_found,
);
