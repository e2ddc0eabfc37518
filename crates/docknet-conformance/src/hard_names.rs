//! Names that would go astray in a URL.

use docknet::{Client, EndpointSpec, ErrorKind, Filters, Network, Result};

use crate::behaviours;
use crate::expect::refused;
use crate::inside::addresses;
use crate::stage::Stage;

behaviours!(
    hard_names:
    work_everywhere_or_are_refused [Containers],
    that_are_paths_stay_in_their_segment [Containers],
    that_are_not_there_are_not_found [Exclusive],
    that_are_empty_are_refused,
);

/// What follows a name of our own. Each would end, leave or change the path if it were not written well.
const TAILS: &[&str] = &[
    " b",
    "éseau",
    "/b",
    "//b",
    "?force=1",
    "#b",
    "100%",
    "%2e%2e",
    "/../containers/x",
    "/..",
    "/.",
    "/",
    "\\",
    "\"",
    "+",
    "&filters={}",
    ":",
    ";",
    "\u{1f433}",
];

/// Names that are nothing but trouble, and so cannot have a part of our own.
const WHOLE: &[&str] = &["..", ".", "../containers/x", "/", "//", "%2e%2e", "?", "#", "…"];

/// A network of any name is created, found, listed, connected and removed by that name; or refused as `InvalidSpec`.
pub async fn work_everywhere_or_are_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    for tail in TAILS {
        let name = format!("{}{tail}", stage.name("n"));
        by_every_call(&stage, &name, container.name()).await?;
    }
    Ok(())
}

/// A network whose whole name is a path, or a part of one, is no other network and no list of them.
pub async fn that_are_paths_stay_in_their_segment(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    for name in WHOLE {
        by_every_call(&stage, name, container.name()).await?;
    }
    Ok(())
}

/// A name that is not there is `NotFound`, however it is written: never another network, never a list.
pub async fn that_are_not_there_are_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let bystander = stage.network("net").await?;
    let astray = format!("x/../{}", bystander.name());
    let query = format!("{}?force=1", bystander.name());
    for name in ["../containers/json", "../networks", ".", "..", "a/..", &astray, &query] {
        let kinds = [ErrorKind::NotFound, ErrorKind::InvalidSpec];
        refused(stage.client().networks().get(name).await, &kinds);
        refused(stage.client().networks().remove(name).await, &kinds);
        let found = stage.client().networks().find(name).await;
        assert!(!matches!(found, Ok(Some(_))), "{name:?} is {found:?}");
    }
    let mut bystander = bystander;
    bystander.reload().await
}

/// An empty name is refused before anything is sent.
pub async fn that_are_empty_are_refused(client: &Client) -> Result<()> {
    refused(client.networks().get("").await, &[ErrorKind::InvalidSpec]);
    refused(client.networks().remove("").await, &[ErrorKind::InvalidSpec]);
    refused(client.containers().get("").await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// One network of this name, through every call that takes a name.
async fn by_every_call(stage: &Stage, name: &str, container: &str) -> Result<()> {
    let networks = stage.client().networks();
    let subnet = docknet::Pool::new(crate::lab::subnet().into());
    let spec = stage.spec_named(name).pool(subnet);
    let made = match networks.create(&spec).await {
        Ok(made) => made,
        Err(error) if stage.is_podman().await? => {
            refused::<Network>(Err(error), &[ErrorKind::InvalidSpec]);
            return Ok(());
        }
        // Another run of this suite has it for the moment.
        Err(error) if error.kind() == ErrorKind::NameTaken && WHOLE.contains(&name) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    assert!(made.name() == name, "made {name:?}, called {:?}", made.name());
    assert!(networks.get(name).await? == made, "{name:?} gets another one");
    assert!(networks.find(name).await?.as_ref() == Some(&made), "{name:?} finds another one");
    assert!(networks.ensure(&spec).await? == made, "{name:?} is not ensured");
    let pattern = name.chars().flat_map(|c| {
        let escape = c.is_ascii_punctuation().then_some('\\');
        escape.into_iter().chain([c])
    });
    let pattern = format!("^{}$", pattern.collect::<String>());
    let listed = networks.list_with(&Filters::new().name(pattern)).await?;
    assert!(listed == std::slice::from_ref(&made), "{name:?} lists {listed:?}");

    made.connect(container, EndpointSpec::new()).await?;
    let found = networks.get(name).await?.containers().await?;
    assert!(found.len() == 1 && found[0].name() == container, "on {name:?} are {found:?}");
    let inside = addresses(&found[0]).await?;
    assert!(inside.len() == 2, "on {name:?} it has not two addresses, but {inside:?}");
    assert!(found[0].endpoints().contains_key(name), "{:?}", found[0].endpoints().keys());
    refused(networks.remove(name).await, &[ErrorKind::InUse]);
    made.disconnect(container).await?;
    networks.remove(name).await?;
    assert!(networks.find(name).await?.is_none(), "{name:?} is still there");
    Ok(())
}
