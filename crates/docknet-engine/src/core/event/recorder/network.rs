//! What happens to networks.

use docknet_types::EventKind;

use super::{ContainerRef, Recorder, attributes};
use crate::Profile;

#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) driver: &'a str,
    /// Docker calls its driver `null`, and does not tell when it goes.
    pub(crate) config_only: bool,
}

/// When a container joins or leaves a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// By a call, while the container does not run.
    Stopped,
    /// By a call, while the container runs.
    Running,
}

impl Recorder {
    pub(crate) fn network_create(&mut self, network: NetworkRef<'_>) {
        self.network(network, "create");
    }

    /// A network is removed by name or id.
    pub(crate) fn network_remove(&mut self, network: NetworkRef<'_>) {
        if self.is_podman() {
            self.network(network, "remove");
        } else if !network.config_only {
            self.network(network, "destroy");
        }
    }

    /// A prune takes these networks, perhaps none. Podman does not tell.
    pub(crate) fn networks_prune<'a>(
        &mut self,
        networks: impl IntoIterator<Item = NetworkRef<'a>>,
    ) {
        if self.is_podman() {
            return;
        }
        for network in networks {
            self.network_remove(network);
        }
        self.add(EventKind::Network, "prune", "", attributes([("reclaimed", "0")]));
    }

    /// A call to connect. Docker tells of it when the container has a sandbox, so at its start at the latest.
    pub(crate) fn network_connect(
        &mut self,
        network: NetworkRef<'_>,
        container: ContainerRef<'_>,
        occasion: Occasion,
    ) {
        if self.is_podman() || occasion == Occasion::Running {
            self.membership(network, container, "connect");
        }
    }

    /// A call to disconnect. Docker before 28 tells of it once more than it happens.
    pub(crate) fn network_disconnect(
        &mut self,
        network: NetworkRef<'_>,
        container: ContainerRef<'_>,
        occasion: Occasion,
    ) {
        let live = usize::from(occasion == Occasion::Running);
        let times = match self.profile {
            Profile::Docker20_10 | Profile::Docker26 => 1 + live,
            Profile::Docker28 => live,
            Profile::Podman5 => 1,
        };
        for _ in 0..times {
            self.membership(network, container, "disconnect");
        }
    }

    fn network(&mut self, network: NetworkRef<'_>, action: &'static str) {
        let attributes = if self.is_podman() {
            attributes([
                ("driver", network.driver),
                ("image", ""),
                ("name", ""),
                ("network", network.name),
                ("podId", ""),
            ])
        } else {
            let driver = if network.config_only { "null" } else { network.driver };
            attributes([("name", network.name), ("type", driver)])
        };
        self.add(EventKind::Network, action, network.id, attributes);
    }

    pub(super) fn membership(
        &mut self,
        network: NetworkRef<'_>,
        container: ContainerRef<'_>,
        action: &'static str,
    ) {
        if self.is_podman() {
            let attributes = attributes([
                ("image", ""),
                ("name", container.name),
                ("network", network.name),
                ("podId", ""),
            ]);
            self.add(EventKind::Network, action, container.id, attributes);
        } else {
            let attributes = attributes([
                ("container", container.id),
                ("name", network.name),
                ("type", network.driver),
            ]);
            self.add(EventKind::Network, action, network.id, attributes);
        }
    }
}
