//! Naming containers and taking them away.

use std::sync::Arc;

use docknet_types::ContainerId;

use super::create::claim;
use super::run::{end, found};
use super::{Container, Status};
use crate::core::endpoint::{Endpoint, names};
use crate::core::event::Resize;
use crate::core::filter::NetworkPruneFilter;
use crate::core::refusal::Refusal;
use crate::core::step::Outlook;
use crate::core::tx::Tx;

/// Gives a container another name, and tells the networks on which it runs.
pub(crate) fn rename(tx: &mut Tx<'_>, term: &str, name: &str) -> Result<(), Refusal> {
    if term.is_empty() || name.is_empty() {
        return Err(Refusal::Worded(400, "Neither old nor new names may be empty".to_owned()));
    }
    let mut container = found(tx, term)?;
    let name = name.strip_prefix('/').unwrap_or(name);
    if container.name == name {
        let why = "Renaming a container with the same name as its current name";
        return Err(Refusal::Worded(400, why.to_owned()));
    }
    let name = claim(tx, name, &format!("/{name}")).map_err(|why| {
        Refusal::While("Error when allocating new name".to_owned(), Box::new(why))
    })?;
    let former = std::mem::replace(&mut container.name, name);
    if container.is_running() {
        rename_endpoints(tx, &mut container);
    }
    tx.events.container_rename(container.event_ref(), &former);
    tx.put_container(container);
    Ok(())
}

fn rename_endpoints(tx: &mut Tx<'_>, container: &mut Container) {
    let before = Outlook::of(&tx.state, container);
    let mut attachments = std::mem::take(&mut container.attachments);
    for attachment in attachments.values_mut() {
        let (Some(network), Some(endpoint)) = (&attachment.network, &attachment.endpoint) else {
            continue;
        };
        let endpoint =
            Arc::new(Endpoint { name: container.name.clone(), ..Endpoint::clone(endpoint) });
        tx.put_endpoint(network, endpoint.clone());
        attachment.endpoint = Some(endpoint);
        // Docker asks nothing of the network here, so that even the default bridge shows names from now on.
        attachment.dns_names = Some(names(container, &attachment.config));
    }
    container.attachments = attachments;
    tx.turn(container, before);
}

/// How a container is to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remove {
    /// Also if it runs.
    pub(crate) force: bool,
}

/// Removes a container.
pub(crate) fn remove(tx: &mut Tx<'_>, term: &str, wish: Remove) -> Result<(), Refusal> {
    let mut container = found(tx, term)?;
    if container.is_running() {
        if !wish.force {
            let paused = container.status == Status::Paused;
            return Err(Refusal::ContainerRuns { term: term.to_owned(), paused });
        }
        end(tx, &mut container);
        tx.remove_container(&container.id);
        return Ok(());
    }
    forget(tx, &container);
    Ok(())
}

/// Removes every container that matches and does not run, and gives their ids.
pub(crate) fn prune(tx: &mut Tx<'_>, filter: &NetworkPruneFilter) -> Vec<ContainerId> {
    let gone: Vec<Arc<Container>> = tx
        .state
        .containers()
        .filter(|container| {
            !container.is_running() && filter.matches(container.created, &container.config.labels)
        })
        .cloned()
        .collect();
    for container in &gone {
        tx.remove_container(&container.id);
    }
    tx.events.containers_prune(
        gone.iter().map(|container| (container.event_ref(), container.last_exit())),
    );
    gone.iter().map(|container| container.id.clone()).collect()
}

/// Takes a container away that does not run.
pub(super) fn forget(tx: &mut Tx<'_>, container: &Container) {
    tx.remove_container(&container.id);
    tx.events.container_remove(container.event_ref(), container.last_exit());
}

/// Tells that somebody listens to a container.
pub(crate) fn attach(tx: &mut Tx<'_>, term: &str) -> Result<Container, Refusal> {
    let container = found(tx, term)?;
    if container.status == Status::Paused {
        let why =
            format!("container {} is paused, unpause the container before attach", container.id);
        return Err(Refusal::Worded(409, why));
    }
    tx.events.container_attach(container.event_ref());
    Ok(container)
}

/// Tells of a terminal's size.
pub(crate) fn resize(tx: &mut Tx<'_>, term: &str, height: u32, width: u32) -> Result<(), Refusal> {
    let container = found(tx, term)?;
    if !container.is_running() {
        return Err(Refusal::NotRunning(container.id));
    }
    tx.events.container_resize(container.event_ref(), Resize { height, width });
    Ok(())
}

/// A container in which a program may be started, and the id of the start.
pub(crate) fn exec(
    tx: &mut Tx<'_>,
    term: &str,
    command: &[String],
) -> Result<(ContainerId, String), Refusal> {
    let container = found(tx, term)?;
    match container.status {
        Status::Created | Status::Exited => return Err(Refusal::NotRunning(container.id)),
        Status::Paused => {
            let why = format!("Container {term} is paused, unpause the container before exec");
            return Err(Refusal::Worded(409, why));
        }
        Status::Running => {}
    }
    let id = tx.given.draw.id();
    tx.events.exec_create(container.event_ref(), &id, command);
    Ok((container.id, id))
}

/// Changes limits, of which none apply here.
pub(crate) fn update(tx: &mut Tx<'_>, term: &str) -> Result<(), Refusal> {
    let container = found(tx, term)?;
    tx.events.container_update(container.event_ref());
    Ok(())
}
