//! The network namespaces the engines run in.

use std::fs;

use anyhow::{Context, Result};

use super::catalog::{Node, PARENT};
use super::command::ip;
use super::lab::Lab;

/// New namespaces in place of any of an earlier run: what a daemon that was killed has left
/// behind in there would be in its successor's way.
pub(super) fn make(lab: &Lab, nodes: &[Node]) -> Result<()> {
    for node in nodes {
        delete(lab, node)?;
        let netns = lab.namespace(node);
        ip(&format!("netns add {netns}"))?;
        ip(&format!("-n {netns} link set lo up"))?;
    }
    match nodes {
        [first, second] => connect(lab, (first, PARENT), (second, PARENT))?,
        // The far end only keeps the link up.
        nodes => {
            nodes.iter().try_for_each(|node| connect(lab, (node, PARENT), (node, "parent1")))?
        }
    }
    for node in nodes {
        let (netns, address) = (lab.namespace(node), node.address);
        ip(&format!("-n {netns} address add {address}/24 dev {PARENT}"))?;
    }
    Ok(())
}

pub(super) fn delete(lab: &Lab, node: &Node) -> Result<()> {
    if lab.netns(node).exists() && ip(&format!("netns delete {}", lab.namespace(node))).is_err() {
        // An empty file is what an interrupted `ip netns add` leaves.
        fs::remove_file(lab.netns(node)).context("cannot delete a network namespace")?;
    }
    Ok(())
}

fn connect(lab: &Lab, near: (&Node, &str), far: (&Node, &str)) -> Result<()> {
    let (netns, device) = (lab.namespace(near.0), near.1);
    let (peer_netns, peer) = (lab.namespace(far.0), far.1);
    ip(&format!("-n {netns} link add {device} type veth peer name {peer} netns {peer_netns}"))?;
    ip(&format!("-n {netns} link set {device} up"))?;
    ip(&format!("-n {peer_netns} link set {peer} up"))?;
    Ok(())
}
