//! Makes a swarm of two engines: the first manages, the second joins it.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api;
use super::catalog::Node;
use super::lab::Lab;

const LIMIT: Duration = Duration::from_secs(40);

/// Whether both nodes are ready for work.
pub(super) fn is_formed(lab: &Lab, nodes: &[Node]) -> bool {
    matches!(nodes, [manager, worker] if are_ready(lab, manager, worker).unwrap_or(false))
}

/// Forms the swarm, or waits for the one there was before the engines were stopped.
pub(super) fn form(lab: &Lab, nodes: &[Node]) -> Result<()> {
    let [manager, worker] = nodes else { return Ok(()) };
    let (first, second) = (lab.socket(manager), lab.socket(worker));
    if settled_state(&first)? == "inactive" {
        leave(&second)?;
        let init = json!({
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": format!("{}:2377", manager.address),
        });
        api::post_json(&first, "/swarm/init", &init)?;
    }
    if settled_state(&second)? == "inactive" {
        let swarm = api::get_json(&first, "/swarm")?;
        let join = json!({
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": format!("{}:2377", worker.address),
            "RemoteAddrs": [format!("{}:2377", manager.address)],
            "JoinToken": swarm["JoinTokens"]["Worker"],
        });
        api::post_json(&second, "/swarm/join", &join)?;
    }
    let deadline = Instant::now() + LIMIT;
    loop {
        let error = match are_ready(lab, manager, worker) {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(error) => Some(error),
        };
        if Instant::now() > deadline {
            let trouble = error.map(|error| format!(": {error:#}")).unwrap_or_default();
            bail!(
                "the nodes are not ready after {} s{trouble}; `engines reset swarm` begins anew",
                LIMIT.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn are_ready(lab: &Lab, manager: &Node, worker: &Node) -> Result<bool> {
    let nodes = api::get_json(&lab.socket(manager), "/nodes")?;
    for node in [manager, worker] {
        let swarm = swarm_info(&lab.socket(node))?;
        let active = swarm["LocalNodeState"] == "active";
        let ready = nodes
            .as_array()
            .into_iter()
            .flatten()
            .any(|entry| entry["ID"] == swarm["NodeID"] && entry["Status"]["State"] == "ready");
        if !(active && ready) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An engine that was in a swarm before takes a while to find out whether it still is.
fn settled_state(socket: &Path) -> Result<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let info = swarm_info(socket)?;
        match info["LocalNodeState"].as_str().unwrap_or_default() {
            state @ ("active" | "inactive") => return Ok(state.to_owned()),
            state if Instant::now() > deadline => {
                let error = info["Error"].as_str().unwrap_or_default();
                bail!("state of the node is {state} {error}; `engines reset swarm` begins anew");
            }
            _ => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// A swarm whose manager has forgotten it is of no use.
fn leave(socket: &Path) -> Result<()> {
    if swarm_info(socket)?["LocalNodeState"] != "inactive" {
        api::post(socket, "/swarm/leave?force=true", "application/json", &[])
            .context("cannot leave the former swarm")?;
    }
    Ok(())
}

fn swarm_info(socket: &Path) -> Result<Value> {
    Ok(api::get_json(socket, "/info")?["Swarm"].take())
}
