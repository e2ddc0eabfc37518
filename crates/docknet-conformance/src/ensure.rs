//! Networks that are made if they are not there.

use docknet::{Client, Driver, ErrorKind, NetworkSpec, Pool, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

/// A spec that says much.
fn much(name: &str) -> NetworkSpec {
    let subnet = lab::subnet();
    let pool = Pool::new(subnet.into()).gateway(lab::host(subnet, 254));
    let spec = NetworkSpec::new(name).labels(lab::labels()).label("app", "shop");
    spec.driver(Driver::Bridge)
        .internal(true)
        .option("com.docker.network.driver.mtu", "1400")
        .pool(pool)
}

/// A network that is not there is made.
pub async fn makes_what_is_not_there(client: &Client) -> Result<()> {
    let spec = much(&lab::name("new"));
    let network = client.networks().ensure(&spec).await?;
    let found = client.networks().get(&spec.name).await?;
    assert_eq!(found.id(), network.id());
    assert!(found.info().internal);
    Ok(())
}

/// A network that is there as the spec has it is given, and nothing is made.
pub async fn gives_what_is_there(client: &Client) -> Result<()> {
    let spec = much(&lab::name("there"));
    let first = client.networks().create(&spec).await?;
    for _ in 0..2 {
        assert_eq!(client.networks().ensure(&spec).await?.id(), first.id());
    }
    assert_eq!(client.networks().ensure(&spec.name).await?.id(), first.id(), "by its name alone");
    Ok(())
}

/// A network that is there and is another is a conflict that names what differs.
pub async fn names_what_differs(client: &Client) -> Result<()> {
    let spec = much(&lab::name("other"));
    let first = client.networks().create(&spec).await?;
    let wanted = |words: &[&str], other: NetworkSpec| {
        let (client, words) =
            (client.clone(), words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        async move {
            let error = refused(client.networks().ensure(other).await, &[ErrorKind::Conflict]);
            for word in words {
                assert!(error.message().contains(&word), "{word:?} is not in {error}");
            }
        }
    };
    wanted(&["label \"app\" is \"shop\", not \"blog\""], spec.clone().label("app", "blog")).await;
    wanted(&["label \"tier\" is missing"], spec.clone().label("tier", "db")).await;
    wanted(&["internal is true, not false"], spec.clone().internal(false)).await;
    wanted(&["driver is bridge, not macvlan"], spec.clone().driver(Driver::Macvlan)).await;
    let two = spec.clone().internal(false).label("tier", "db").ipv6(true);
    wanted(&["internal is", "label \"tier\"", "ipv6 is false, not true"], two).await;
    let mut elsewhere = spec.clone();
    elsewhere.ipam.pools[0] = Pool::new(lab::subnet().into());
    wanted(&["pool is"], elsewhere).await;
    assert_eq!(client.networks().get(&spec.name).await?.attrs(), first.attrs());
    Ok(())
}

/// A network whose name has this one in it is not meant.
pub async fn takes_no_other_for_it(client: &Client) -> Result<()> {
    let (longer, pattern) = (lab::name("x-y-z"), lab::name("a.c"));
    client.networks().create(NetworkSpec::new(&longer).labels(lab::labels())).await?;
    let shorter = longer.trim_end_matches("-z");
    lab::adopt(shorter);
    let network = client.networks().ensure(shorter).await?;
    assert_eq!(network.name(), shorter);
    let alike = pattern.replace("a.c", "abc");
    lab::adopt(&alike);
    client.networks().create(NetworkSpec::new(&alike).labels(lab::labels())).await?;
    assert_eq!(client.networks().ensure(&pattern).await?.name(), pattern);
    Ok(())
}

/// Eight at once all get the same network, and one is made.
pub async fn eight_at_once_get_the_same(client: &Client) -> Result<()> {
    race(client, &much(&lab::name("race"))).await
}

/// Eight at once that leave the subnet to the engine get the same network, and one is made.
pub async fn eight_at_once_without_a_subnet_get_the_same(client: &Client) -> Result<()> {
    race(client, &lab::spec("race")).await
}

/// Eight ensure this at once.
async fn race(client: &Client, spec: &NetworkSpec) -> Result<()> {
    let calls = (0..8).map(|_| {
        let (client, spec) = (client.clone(), spec.clone());
        async move { client.networks().ensure(spec).await }
    });
    let networks = lab::together(calls).await.into_iter().collect::<Result<Vec<_>>>()?;
    let same = networks.iter().filter(|network| **network == networks[0]).count();
    assert_eq!(same, 8, "not all got the same network");
    let all = client.networks().list().await?;
    assert_eq!(all.iter().filter(|network| network.name() == spec.name).count(), 1);
    Ok(())
}

/// What the engine refuses is refused.
pub async fn refuses_what_create_refuses(client: &Client) -> Result<()> {
    let there = lab::network(client, |spec| spec).await?;
    let subnet = there.info().ipam.pools[0].subnet.expect("a subnet");
    let spec = lab::spec("overlap").pool(Pool::new(subnet));
    let error = refused(client.networks().ensure(&spec).await, &[ErrorKind::PoolOverlap]);
    assert_eq!(error.subject(), Some(spec.name.as_str()));
    Ok(())
}

behaviours!(ensure:
    makes_what_is_not_there,
    gives_what_is_there,
    names_what_differs,
    takes_no_other_for_it,
    eight_at_once_get_the_same,
    eight_at_once_without_a_subnet_get_the_same [Exclusive],
    refuses_what_create_refuses,
);
