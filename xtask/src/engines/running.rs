//! How to reach the engines that are up.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::catalog::{Node, PARENT};
use super::remote::Remote;

/// Engines that are up.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub(super) nodes: Vec<Reach>,
}

#[derive(Debug)]
pub(super) struct Reach {
    pub(super) node: &'static Node,
    pub(super) netns: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) remote: Option<Remote>,
}

impl Running {
    /// What the tests look for in their environment.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        if self.nodes.is_empty() {
            return Vec::new();
        }
        let sockets: Vec<String> = self
            .nodes
            .iter()
            .map(|reach| format!("{}=unix://{}", reach.node.name, reach.socket.display()))
            .collect();
        let mut env = vec![
            ("DOCKNET_ENGINES", sockets.join(",")),
            ("DOCKNET_MACVLAN_PARENT", PARENT.to_owned()),
        ];
        for reach in &self.nodes {
            let Some(remote) = &reach.remote else { continue };
            env.extend([
                ("DOCKNET_NETNS", reach.netns.display().to_string()),
                ("DOCKNET_SSH_CONFIG", remote.ssh_config().display().to_string()),
                ("DOCKNET_SSH_HOST", format!("ssh://{}", Remote::SSH_ALIAS)),
                ("DOCKNET_TLS_DIR", remote.tls().display().to_string()),
                ("DOCKNET_TLS_HOST", Remote::TLS_HOST.to_owned()),
            ]);
        }
        env
    }

    /// The socket of a node that is up.
    pub(crate) fn socket(&self, node: &str) -> Option<&Path> {
        let reach = self.nodes.iter().find(|reach| reach.node.name == node)?;
        Some(&reach.socket)
    }

    /// The same as lines for a shell.
    pub(crate) fn exports(&self) -> String {
        self.env().into_iter().fold(String::new(), |mut lines, (key, value)| {
            let _ = writeln!(lines, "export {key}={}", quote(&value));
            lines
        })
    }
}

fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:.,=-_".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::Name;
    use super::*;

    fn reach(name: Name, lab: &str) -> impl Iterator<Item = Reach> {
        name.nodes().iter().map(move |node| Reach {
            node,
            netns: format!("/run/netns/docknet-{}", node.name).into(),
            socket: format!("{lab}/run/{}.sock", node.name).into(),
            remote: node.remote.then(|| Remote { dir: format!("{lab}/remote").into() }),
        })
    }

    #[test]
    fn nothing_is_exported_when_nothing_is_up() {
        assert_eq!(Running::default().exports(), "");
    }

    #[test]
    fn every_node_is_named_with_its_socket() {
        let nodes = reach(Name::Podman5, "/l").chain(reach(Name::Swarm, "/l")).collect();
        assert_eq!(
            Running { nodes }.exports(),
            "export DOCKNET_ENGINES=podman5=unix:///l/run/podman5.sock,\
             swarm1=unix:///l/run/swarm1.sock,swarm2=unix:///l/run/swarm2.sock\n\
             export DOCKNET_MACVLAN_PARENT=parent0\n"
        );
    }

    #[test]
    fn tls_and_ssh_come_with_the_engine_that_has_them() {
        let running = Running { nodes: reach(Name::Docker28, "/l").collect() };
        assert_eq!(
            running.env()[2..],
            [
                ("DOCKNET_NETNS", "/run/netns/docknet-docker28".to_owned()),
                ("DOCKNET_SSH_CONFIG", "/l/remote/ssh/ssh_config".to_owned()),
                ("DOCKNET_SSH_HOST", "ssh://docknet-docker28".to_owned()),
                ("DOCKNET_TLS_DIR", "/l/remote/tls".to_owned()),
                ("DOCKNET_TLS_HOST", "tcp://127.0.0.1:2376".to_owned()),
            ]
        );
    }

    #[test]
    fn odd_paths_are_quoted() {
        let running = Running { nodes: reach(Name::Docker20, "/it's").collect() };
        assert!(running.exports().contains(r"='docker20=unix:///it'\''s/run/docker20.sock'"));
    }
}
