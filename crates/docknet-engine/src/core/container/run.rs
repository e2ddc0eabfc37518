//! Starting, stopping and what is between.

use std::sync::Arc;
use std::time::Duration;

use docknet_types::ContainerId;
use jiff::Timestamp;

use super::manage::forget;
use super::signal::{self, KILL, TERM};
use super::{Container, Program, Status, ports};
use crate::Profile;
use crate::core::endpoint::{attach, check_settings, detach, podman};
use crate::core::event::{Ending, NetworkRef};
use crate::core::network::Network;
use crate::core::refusal::Refusal;
use crate::core::step::{Outlook, Sandbox, Step};
use crate::core::tx::Tx;

/// Whether an operation found something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    No,
    Yes,
}

/// How a container is to be stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StopWish {
    /// Instead of the container's own; empty if that will do.
    pub(crate) signal: String,
}

/// Starts a container, with all its places on networks or not at all.
pub(crate) fn start(tx: &mut Tx<'_>, term: &str) -> Result<Changed, Refusal> {
    let mut container = found(tx, term)?;
    match container.status {
        Status::Running => return Ok(Changed::No),
        Status::Paused => return Err(Refusal::PausedAtStart(container.id)),
        Status::Created | Status::Exited => {}
    }
    let networks = bring_up(tx, &mut container)?;
    tx.events.container_start(container.event_ref(), &refs(&networks));
    tx.put_container(container);
    Ok(Changed::Yes)
}

/// Stops a container. Nobody waits: what would not end by itself is killed at once.
fn stop(tx: &mut Tx<'_>, term: &str, wish: &StopWish) -> Result<Changed, Refusal> {
    let mut container = found(tx, term)?;
    if !container.is_running() {
        return Ok(Changed::No);
    }
    let signals = stop_signals(&container, wish)
        .map_err(|why| Refusal::Worded(500, format!("cannot stop container: {term}: {why}")))?;
    let (networks, ending) = take_down(tx, &mut container, ended_by(&signals));
    tx.events.container_stop(container.event_ref(), &refs(&networks), &signals, ending);
    settle(tx, container);
    Ok(Changed::Yes)
}

/// Stops a container, if it runs, and starts it. It keeps its addresses unless somebody takes them in between, which
/// nobody can here.
pub(crate) fn restart(tx: &mut Tx<'_>, term: &str, wish: &StopWish) -> Result<(), Refusal> {
    let mut container = found(tx, term)?;
    let refused =
        |why: Refusal| Refusal::While(format!("Cannot restart container {term}"), Box::new(why));
    let mut stopped = None;
    if container.is_running() {
        let signals =
            stop_signals(&container, wish).map_err(|why| refused(Refusal::BadSignal(why)))?;
        let (networks, ending) = take_down(tx, &mut container, ended_by(&signals));
        stopped = Some((networks, signals, ending));
    }
    match bring_up(tx, &mut container) {
        Ok(networks) => {
            let stop = stopped.as_ref().map(|(_, signals, ending)| (signals.as_slice(), *ending));
            tx.events.container_restart(container.event_ref(), &refs(&networks), stop);
            tx.put_container(container);
            Ok(())
        }
        Err(why) => Err(refused(why)),
    }
}

/// Sends a signal; without one, kills.
pub(crate) fn kill(tx: &mut Tx<'_>, term: &str, signal: &str) -> Result<(), Refusal> {
    let refused =
        |why: Refusal| Refusal::While(format!("cannot kill container: {term}"), Box::new(why));
    let signal = match signal {
        "" => KILL,
        name => signal::parse(name).map_err(|why| refused(Refusal::BadSignal(why)))?,
    };
    let mut container = found(tx, term).map_err(refused)?;
    if !container.is_running() {
        return Err(refused(Refusal::NotRunning(container.id)));
    }
    if container.config.runs && signal != KILL {
        // What becomes of it, its program decides.
        tx.step(Step::Signal(container.id.clone(), signal));
        tx.events.container_kill(container.event_ref(), &[], signal, None);
        return Ok(());
    }
    if signal::ends(signal, has_init(&container)) {
        let (networks, ending) = take_down(tx, &mut container, ended_by(&[signal]));
        tx.events.container_kill(container.event_ref(), &refs(&networks), signal, Some(ending));
        settle(tx, container);
        return Ok(());
    }
    // Docker wakes a paused container for a signal, unless it has one for its stop and this is another.
    let own = own_stop_signal(&container);
    if own.is_none_or(|own| own == signal) {
        container.status = Status::Running;
    }
    tx.events.container_kill(container.event_ref(), &[], signal, None);
    tx.put_container(container);
    Ok(())
}

/// What becomes of a container that is asked to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is done, or there was nothing to do.
    Done(Changed),
    /// Its program has heard of it.
    Waits(ContainerId),
}

/// Asks a container's program to end. One that runs none is stopped.
pub(crate) fn ask_to_stop(tx: &mut Tx<'_>, term: &str, wish: &StopWish) -> Result<Asked, Refusal> {
    let container = found(tx, term)?;
    if !container.config.runs || !container.is_running() {
        return stop(tx, term, wish).map(Asked::Done);
    }
    let signals = stop_signals(&container, wish)
        .map_err(|why| Refusal::Worded(500, format!("cannot stop container: {term}: {why}")))?;
    let first = signals.first().copied().unwrap_or(TERM);
    tx.step(Step::Signal(container.id.clone(), first));
    tx.events.container_kill(container.event_ref(), &[], first, None);
    Ok(Asked::Waits(container.id))
}

/// Ends a stop: a program that is still there is killed.
pub(crate) fn end_stop(tx: &mut Tx<'_>, id: &ContainerId) -> Result<(), Refusal> {
    let Ok(mut container) = found(tx, id.as_str()) else { return Ok(()) };
    if container.is_running() {
        let (networks, ending) = take_down(tx, &mut container, ended_by(&[KILL]));
        tx.events.container_stop(container.event_ref(), &refs(&networks), &[KILL], ending);
        settle(tx, container);
    } else {
        tx.events.container_stopped(container.event_ref());
    }
    Ok(())
}

/// A container's program has ended by itself.
pub(crate) fn ended(tx: &mut Tx<'_>, id: &ContainerId, exit_code: i64) -> Result<(), Refusal> {
    let Ok(mut container) = found(tx, id.as_str()) else { return Ok(()) };
    if !container.is_running() {
        return Ok(());
    }
    let (networks, ending) = take_down(tx, &mut container, exit_code);
    tx.events.container_exit(container.event_ref(), &refs(&networks), ending);
    settle(tx, container);
    Ok(())
}

pub(crate) fn pause(tx: &mut Tx<'_>, term: &str) -> Result<(), Refusal> {
    let mut container = found(tx, term)?;
    match container.status {
        Status::Created | Status::Exited => return Err(Refusal::NotRunning(container.id)),
        Status::Paused => return Err(Refusal::AlreadyPaused(container.id)),
        Status::Running => container.status = Status::Paused,
    }
    if container.config.runs {
        tx.step(Step::Pause(container.id.clone()));
    }
    tx.events.container_pause(container.event_ref());
    tx.put_container(container);
    Ok(())
}

pub(crate) fn unpause(tx: &mut Tx<'_>, term: &str) -> Result<(), Refusal> {
    let mut container = found(tx, term)?;
    if container.status != Status::Paused {
        return Err(Refusal::NotPaused(container.id));
    }
    container.status = Status::Running;
    if container.config.runs {
        tx.step(Step::Unpause(container.id.clone()));
    }
    tx.events.container_unpause(container.event_ref());
    tx.put_container(container);
    Ok(())
}

pub(super) fn found(tx: &Tx<'_>, term: &str) -> Result<Container, Refusal> {
    tx.state.find_container(term).map(|container| Container::clone(container))
}

/// What an event tells of networks.
pub(super) fn refs(networks: &[Arc<Network>]) -> Vec<NetworkRef<'_>> {
    networks.iter().map(|network| network.event_ref()).collect()
}

/// Kills a container that runs, for a removal, and tells of both.
pub(super) fn end(tx: &mut Tx<'_>, container: &mut Container) {
    let (networks, ending) = take_down(tx, container, ended_by(&[KILL]));
    tx.events.container_remove_forced(container.event_ref(), &refs(&networks), ending);
}

/// Puts a container on its networks, the one of its mode first, and gives these in order.
fn bring_up(tx: &mut Tx<'_>, container: &mut Container) -> Result<Vec<Arc<Network>>, Refusal> {
    if let Some(other) = container.namespace_of() {
        check_namespace(tx, other)?;
    }
    let mode = Container::network_of_mode(tx.given.profile, &container.config.network_mode);
    let found = tx.state.find_network(mode).ok();
    let mode = found.map_or(mode, |network| &network.config.name).to_owned();
    let mut keys: Vec<String> = container.attachments.keys().cloned().collect();
    keys.sort_by_key(|key| *key != mode);
    let mut networks = Vec::with_capacity(keys.len());
    if tx.given.profile == Profile::Podman5 {
        // To Podman these are ways to have no network.
        keys.retain(|key| !matches!(key.as_str(), "host" | "none"));
    }
    tx.step(Sandbox::of(container).map(Step::OpenSandbox));
    for key in keys {
        let network =
            join(tx, container, &key).map_err(|why| Refusal::Networking(Box::new(why)))?;
        networks.push(network);
    }
    container.status = Status::Running;
    let outlook = Outlook::of(&tx.state, container);
    if tx.inside.leads_out != (false, false) && ports::are_wanted(container) {
        return Err(Refusal::Networking(Box::new(Refusal::Worded(
            400,
            SENDS_ELSEWHERE.to_owned(),
        ))));
    }
    container.published = ports::publish(&tx.state, container, &outlook)
        .map_err(|why| Refusal::Networking(Box::new(why)))?;
    tx.turn(container, Arc::default());
    tx.step(Program::of(container, &outlook).map(|program| Step::Run(Arc::new(program))));
    container.started = Some(tx.given.now);
    Ok(networks)
}

/// What a published port answers would go another way than the question came.
const SENDS_ELSEWHERE: &str =
    "ports cannot be published of a network namespace that has a default route of its own";

/// Puts a container on one of its networks.
fn join(tx: &mut Tx<'_>, container: &mut Container, key: &str) -> Result<Arc<Network>, Refusal> {
    let Some(attachment) = container.attachments.get(key) else {
        return Err(Refusal::NetworkNotFound(key.to_owned()));
    };
    let network = match &attachment.network {
        Some(id) => tx.state.network(id).ok_or_else(|| Refusal::NetworkNotFound(id.to_string()))?,
        None => tx.state.find_network(key)?,
    };
    let network = network.clone();
    if tx.given.profile == Profile::Podman5 {
        podman::join(tx, container, key, &network)?;
        return Ok(network);
    }
    if tx.given.profile.checks_endpoints_late() {
        check_settings(tx.given.profile, &network, &attachment.config)?;
    }
    // Docker honours one that was asked for when the container was made.
    let mac = container.attachments.get(key).and_then(|attachment| attachment.wanted_mac);
    attach(tx, container, key, &network, mac)?;
    Ok(network)
}

/// Another container's namespace is there while that one runs.
fn check_namespace(tx: &Tx<'_>, other: &str) -> Result<(), Refusal> {
    let other = tx.state.find_container(other).map_err(|refusal| {
        let (_, message) = refusal.answer(tx.given.profile);
        Refusal::Worded(500, format!("joining network namespace of container: {message}"))
    })?;
    if other.is_running() {
        return Ok(());
    }
    Err(Refusal::Worded(
        409,
        format!(
            "cannot join network namespace of a non running container: container {} is {}",
            other.name,
            other.status.as_str()
        ),
    ))
}

/// Takes a container off its networks, which it keeps for the next time, and says how it ended.
fn take_down(
    tx: &mut Tx<'_>,
    container: &mut Container,
    exit_code: i64,
) -> (Vec<Arc<Network>>, Ending) {
    let keys: Vec<String> = container.attachments.keys().cloned().collect();
    let mut networks = Vec::with_capacity(keys.len());
    let before = Outlook::of(&tx.state, container);
    if container.config.runs {
        tx.step(Step::Signal(container.id.clone(), KILL));
    }
    container.status = Status::Exited;
    container.published.clear();
    tx.turn(container, before);
    for key in keys {
        let attachment =
            container.attachments.get(&key).filter(|attachment| attachment.endpoint.is_some());
        let network =
            attachment.and_then(|attachment| tx.state.network(attachment.network.as_ref()?));
        networks.extend(network.cloned());
        detach(tx, container, &key);
    }
    tx.step(Sandbox::of(container).map(Step::CloseSandbox));
    container.exit_code = exit_code;
    container.finished = Some(tx.given.now);
    let ending = Ending {
        exit_code: container.exit_code,
        ran_for: between(container.started, tx.given.now),
    };
    (networks, ending)
}

/// The exit code of a program that such signals end.
fn ended_by(signals: &[u8]) -> i64 {
    128 + i64::from(signals.last().copied().unwrap_or(KILL))
}

/// Takes a container in that has ended, or forgets it if nobody wants to see it again.
fn settle(tx: &mut Tx<'_>, container: Container) {
    match container.config.auto_remove {
        true => forget(tx, &container),
        false => tx.put_container(container),
    }
}

fn between(from: Option<Timestamp>, to: Timestamp) -> Duration {
    from.and_then(|from| Duration::try_from(to.duration_since(from)).ok()).unwrap_or_default()
}

/// The signals that end a container: what it is to be stopped with, and a kill if that does not do it.
fn stop_signals(container: &Container, wish: &StopWish) -> Result<Vec<u8>, String> {
    let first = match wish.signal.as_str() {
        "" => own_stop_signal(container).unwrap_or(TERM),
        name => signal::parse(name)?,
    };
    Ok(match signal::ends(first, has_init(container)) {
        true => vec![first],
        false => vec![first, KILL],
    })
}

fn own_stop_signal(container: &Container) -> Option<u8> {
    signal::parse(container.config.config.get("StopSignal")?.as_str()?).ok()
}

fn has_init(container: &Container) -> bool {
    container
        .config
        .host_config
        .get("Init")
        .and_then(serde_json::Value::as_bool)
        .unwrap_or_default()
}
