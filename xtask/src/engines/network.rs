//! The network namespaces the engines run in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::catalog::{Node, PARENT};
use super::command::ip;

pub(super) fn path(node: &Node) -> PathBuf {
    Path::new("/run/netns").join(node.netns())
}

/// New namespaces in place of any of an earlier run: what a daemon that was killed has left
/// behind in there would be in its successor's way.
pub(super) fn make(nodes: &[Node]) -> Result<()> {
    for node in nodes {
        delete(node)?;
        let netns = node.netns();
        ip(&format!("netns add {netns}"))?;
        ip(&format!("-n {netns} link set lo up"))?;
    }
    match nodes {
        [first, second] => connect(first, PARENT, second, PARENT)?,
        // The far end only keeps the link up.
        nodes => nodes.iter().try_for_each(|node| connect(node, PARENT, node, "parent1"))?,
    }
    for node in nodes {
        let (netns, address) = (node.netns(), node.address);
        ip(&format!("-n {netns} address add {address}/24 dev {PARENT}"))?;
    }
    Ok(())
}

pub(super) fn delete(node: &Node) -> Result<()> {
    if path(node).exists() && ip(&format!("netns delete {}", node.netns())).is_err() {
        // An empty file is what an interrupted `ip netns add` leaves.
        fs::remove_file(path(node)).context("cannot delete a network namespace")?;
    }
    Ok(())
}

fn connect(first: &Node, device: &str, second: &Node, peer: &str) -> Result<()> {
    let (near, far) = (first.netns(), second.netns());
    ip(&format!("-n {near} link add {device} type veth peer name {peer} netns {far}"))?;
    ip(&format!("-n {near} link set {device} up"))?;
    ip(&format!("-n {far} link set {peer} up"))?;
    Ok(())
}
