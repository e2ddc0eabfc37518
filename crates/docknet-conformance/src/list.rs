//! Lists and their filters.

use std::collections::BTreeSet;

use docknet::{Client, Driver, ErrorKind, Filters, Network, NetworkKind, Result, Scope};

use crate::expect::refused;
use crate::{behaviours, lab};

/// Three networks with the label `n` of 1, 2 and 3; the last is internal.
async fn three(client: &Client) -> Result<[Network; 3]> {
    Ok([
        lab::network(client, |spec| spec.label("n", "1").label("odd", "")).await?,
        lab::network(client, |spec| spec.label("n", "2")).await?,
        lab::network(client, |spec| spec.label("n", "3").label("odd", "").internal(true)).await?,
    ])
}

/// The filters match these networks of this behaviour's, and no other of them.
async fn matches(client: &Client, filters: Filters, expected: &[&Network]) -> Result<()> {
    let found = client.networks().list_with(&filters.clone().label(lab::own_label())).await?;
    let names = |networks: &mut dyn Iterator<Item = &Network>| -> BTreeSet<String> {
        networks.map(|network| network.name().to_owned()).collect()
    };
    let found = names(&mut found.iter());
    assert_eq!(found, names(&mut expected.iter().copied()), "{}", filters.to_json());
    Ok(())
}

/// A list has every network, once.
pub async fn has_every_network(client: &Client) -> Result<()> {
    let made = three(client).await?;
    let list = client.networks().list().await?;
    for network in &made {
        assert_eq!(list.iter().filter(|listed| *listed == network).count(), 1, "{network:?}");
    }
    assert!(list.iter().any(|network| network.info().is_predefined()), "{list:?}");
    Ok(())
}

/// A list says of a network what a look at it says, but for who is connected.
pub async fn says_what_get_says(client: &Client) -> Result<()> {
    for made in three(client).await? {
        let list = client.networks().list().await?;
        let listed = list.into_iter().find(|network| *network == made).expect("it is listed");
        let mut info = client.networks().get(made.name()).await?.info().clone();
        info.members.clone_from(&listed.info().members);
        assert_eq!(listed.info(), &info);
    }
    Ok(())
}

/// The name filter takes a part of a name, and an anchored pattern.
pub async fn by_name(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    let name = one.name();
    matches(client, Filters::new().name(name), &[one]).await?;
    matches(client, Filters::new().name(&name[1..name.len() - 1]), &[one]).await?;
    matches(client, Filters::new().name(format!("^{name}$")), &[one]).await?;
    matches(client, Filters::new().name(format!("^{}$", &name[1..])), &[]).await?;
    matches(client, Filters::new().name("^dnc-.*-net$"), &[one, two, three]).await
}

/// Several names are alternatives.
pub async fn by_several_names(client: &Client) -> Result<()> {
    let [one, two, _] = &three(client).await?;
    matches(client, Filters::new().name(one.name()).name(two.name()), &[one, two]).await
}

/// The id filter takes a whole id and the beginning of one.
pub async fn by_id(client: &Client) -> Result<()> {
    let [one, two, _] = &three(client).await?;
    matches(client, Filters::new().id(one.id().as_str()), &[one]).await?;
    matches(client, Filters::new().id(two.short_id()), &[two]).await?;
    matches(client, Filters::new().id(one.short_id()).id(two.short_id()), &[one, two]).await
}

/// The label filter takes a key, and a key with its value; several of them must all match.
pub async fn by_label(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    matches(client, Filters::new().label("n"), &[one, two, three]).await?;
    matches(client, Filters::new().label("n=2"), &[two]).await?;
    matches(client, Filters::new().label("odd"), &[one, three]).await?;
    matches(client, Filters::new().label("odd").label("n=3"), &[three]).await?;
    matches(client, Filters::new().label("n=1").label("n=2"), &[]).await
}

/// A label filter with an empty value matches that value only.
pub async fn by_an_empty_value(client: &Client) -> Result<()> {
    let [one, _, three] = &three(client).await?;
    matches(client, Filters::new().label("odd="), &[one, three]).await?;
    matches(client, Filters::new().label("n="), &[]).await
}

/// The driver filter takes a whole name.
pub async fn by_driver(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    matches(client, Filters::new().driver(Driver::Bridge), &[one, two, three]).await?;
    matches(client, Filters::new().driver("bridg"), &[]).await?;
    matches(client, Filters::new().driver(Driver::Host), &[]).await?;
    matches(client, Filters::new().driver(Driver::Host).driver(Driver::Bridge), &[one, two, three])
        .await
}

/// The type filter tells networks of users from the engine's own.
pub async fn by_type(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    matches(client, Filters::new().kind(NetworkKind::Custom), &[one, two, three]).await?;
    matches(client, Filters::new().kind(NetworkKind::Builtin), &[]).await?;
    let own = client.networks().list_with(&Filters::new().kind(NetworkKind::Builtin)).await?;
    let names: BTreeSet<_> = own.iter().map(Network::name).collect();
    assert!(names.is_superset(&["bridge", "host", "none"].into()), "{names:?}");
    Ok(())
}

/// The scope filter takes a scope.
pub async fn by_scope(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    matches(client, Filters::new().scope(Scope::Local), &[one, two, three]).await?;
    matches(client, Filters::new().scope(Scope::Swarm), &[]).await
}

/// Several filters must all match.
pub async fn by_several_filters(client: &Client) -> Result<()> {
    let [one, two, _] = &three(client).await?;
    let bridges = Filters::new().driver(Driver::Bridge);
    matches(client, bridges.clone().label("n=1").name(one.name()), &[one]).await?;
    matches(client, bridges.label("n=1").name(two.name()), &[]).await
}

/// What no container uses is dangling.
pub async fn dangling_is_what_nobody_uses(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    matches(client, Filters::new().dangling(true), &[one, two, three]).await?;
    matches(client, Filters::new().dangling(false), &[]).await
}

/// What a running container uses is not dangling.
pub async fn dangling_is_not_what_somebody_uses(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    lab::running(client, &[one]).await?;
    matches(client, Filters::new().dangling(true), &[two, three]).await?;
    matches(client, Filters::new().dangling(false), &[one]).await
}

/// Filters that no network matches give none.
pub async fn none_is_an_empty_list(client: &Client) -> Result<()> {
    let nothing = Filters::new().name(lab::name("nowhere"));
    assert_eq!(client.networks().list_with(&nothing).await?, []);
    assert!(client.networks().list_detailed(&nothing).await?.is_empty());
    Ok(())
}

/// A filter that the engine does not know is refused.
pub async fn unknown_filters_are_refused(client: &Client) -> Result<()> {
    for filters in [Filters::new().raw("colour", "blue"), Filters::new().raw("dangling", "perhaps")]
    {
        refused(client.networks().list_with(&filters).await, &[ErrorKind::BadRequest]);
    }
    Ok(())
}

/// A detailed list has the containers of each network, those that never ran and those that ended too.
pub async fn detailed_has_the_containers(client: &Client) -> Result<()> {
    let [one, two, three] = &three(client).await?;
    let running = lab::running(client, &[one, two]).await?;
    let created = lab::created(client, &[one]).await?;
    let exited = lab::exited(client, &[two]).await?;
    let details = client.networks().list_detailed(&Filters::new().label(lab::own_label())).await?;
    for (network, expected) in
        [(one, vec![&running, &created]), (two, vec![&running, &exited]), (three, vec![])]
    {
        let detail =
            details.iter().find(|detail| detail.network == *network).expect("it is listed");
        let found: BTreeSet<_> =
            detail.containers.iter().map(|container| container.id().as_str()).collect();
        let expected: BTreeSet<_> =
            expected.iter().map(|container| container.id().as_str()).collect();
        assert_eq!(found, expected, "{network:?}");
    }
    assert_eq!(details.len(), 3);
    Ok(())
}

/// A plain list tells of no containers, whoever is connected: that costs a look at each network.
pub async fn tells_no_containers(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    lab::running(client, &[&network]).await?;
    let list = client.networks().list().await?;
    let listed = list.iter().find(|listed| **listed == network).expect("it is listed");
    assert!(listed.info().members.is_empty(), "{:?}", listed.info().members);
    let looked_at = client.networks().get(network.name()).await?;
    assert_eq!(looked_at.info().members.len(), 1);
    Ok(())
}

/// The id filter takes any part of an id.
pub async fn by_a_part_of_an_id(client: &Client) -> Result<()> {
    let [one, ..] = &three(client).await?;
    matches(client, Filters::new().id(&one.id().as_str()[20..50]), &[one]).await
}

/// In the older spelling of filters, each value has a switch: it counts, whatever the switch says.
pub async fn by_a_value_that_is_false(client: &Client) -> Result<()> {
    let [one, ..] = &three(client).await?;
    let target = format!("GET /networks?filters={{\"name\":{{\"{}\":false}}}}", one.name());
    let (method, target) = target.split_once(' ').expect("two words");
    let answer = lab::exchange(client, method, target, "").await?;
    let names: Vec<_> = answer.body.as_array().into_iter().flatten().collect();
    assert!(names.len() == 1 && names[0]["Name"] == one.name(), "it lists {}", names.len());
    Ok(())
}

behaviours!(list:
    has_every_network,
    says_what_get_says,
    by_name,
    by_several_names,
    by_id,
    by_label,
    by_an_empty_value,
    by_driver,
    by_type,
    by_scope,
    by_several_filters,
    dangling_is_what_nobody_uses,
    dangling_is_not_what_somebody_uses [Containers],
    none_is_an_empty_list,
    unknown_filters_are_refused,
    detailed_has_the_containers [Containers],
    tells_no_containers [Containers],
    by_a_part_of_an_id,
    by_a_value_that_is_false,
);
