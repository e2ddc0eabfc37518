//! The events of an operation, in the order and the form of the engine that is played.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use docknet_types::EventKind;
use jiff::Timestamp;

use super::Event;
use crate::Profile;

/// Takes down what an operation does, for the bus to publish once the operation is committed.
///
/// Engines differ in which events there are, in their order and in their attributes. It is decided here and nowhere else: the
/// methods are named after what happens to a network, a container or an image, and each adds as many events as the engine
/// has for it, none included.
#[derive(Debug)]
pub(crate) struct Recorder {
    profile: Profile,
    next_nano: i64,
    events: Vec<Arc<Event>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) driver: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerRef<'a> {
    pub(crate) id: &'a str,
    /// Without a slash.
    pub(crate) name: &'a str,
    /// As the request named it.
    pub(crate) image: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

/// When a container joins or leaves a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// By a call, while the container does not run.
    Stopped,
    /// By a call, while the container runs.
    Running,
}

/// How a container's process ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) exit_code: i64,
    pub(crate) ran_for: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Resize {
    pub(crate) height: u32,
    pub(crate) width: u32,
}

impl Recorder {
    pub(crate) fn new(profile: Profile, now: Timestamp) -> Self {
        let next_nano = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        Self { profile, next_nano, events: Vec::new() }
    }

    pub(crate) fn into_events(self) -> Vec<Arc<Event>> {
        self.events
    }

    fn is_podman(&self) -> bool {
        self.profile == Profile::Podman5
    }

    /// Adds one event. Each is a nanosecond after the one before, so that a time names one event and a client can go on
    /// from the last it saw.
    fn add(
        &mut self,
        kind: EventKind,
        action: impl Into<Cow<'static, str>>,
        id: &str,
        attributes: BTreeMap<String, String>,
    ) {
        self.events.push(Arc::new(Event {
            kind,
            action: action.into(),
            id: id.to_owned(),
            attributes,
            scope: "local",
            time_nano: self.next_nano,
            profile: self.profile,
            line: OnceLock::new(),
        }));
        self.next_nano = self.next_nano.saturating_add(1);
    }
}

/// Networks.
impl Recorder {
    pub(crate) fn network_create(&mut self, network: NetworkRef<'_>) {
        self.network(network, "create");
    }

    /// A network is removed by name or id.
    pub(crate) fn network_remove(&mut self, network: NetworkRef<'_>) {
        let action = if self.is_podman() { "remove" } else { "destroy" };
        self.network(network, action);
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
            self.network(network, "destroy");
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
            attributes([("name", network.name), ("type", network.driver)])
        };
        self.add(EventKind::Network, action, network.id, attributes);
    }

    fn membership(
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

/// Containers.
impl Recorder {
    pub(crate) fn container_create(&mut self, container: ContainerRef<'_>) {
        self.container(container, "create", []);
    }

    /// A container starts, and its networks with it.
    pub(crate) fn container_start(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
    ) {
        if self.is_podman() {
            self.container(container, "init", []);
        } else {
            for network in networks {
                self.membership(*network, container, "connect");
            }
        }
        self.container(container, "start", []);
    }

    /// A running container is stopped by these signals.
    pub(crate) fn container_stop(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        signals: &[u8],
        ending: Ending,
    ) {
        self.stopped(container, networks, signals, ending);
        if self.is_podman() {
            self.container(container, "cleanup", []);
        }
    }

    /// A container is started anew; `stop` says how it was stopped, if it ran.
    pub(crate) fn container_restart(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        stop: Option<(&[u8], Ending)>,
    ) {
        if self.is_podman() {
            self.container(container, "restart", []);
        }
        if let Some((signals, ending)) = stop {
            self.stopped(container, networks, signals, ending);
        }
        self.container_start(container, networks);
        if !self.is_podman() {
            self.container(container, "restart", []);
        }
    }

    /// A signal is sent; `ending` says how the container ended, if it did.
    pub(crate) fn container_kill(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        signal: u8,
        ending: Option<Ending>,
    ) {
        self.signal(container, signal);
        if let Some(ending) = ending {
            self.container_exit(container, networks, ending);
        }
    }

    /// A container ends by itself.
    pub(crate) fn container_exit(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        ending: Ending,
    ) {
        match self.profile {
            Profile::Docker26 | Profile::Docker28 => {
                self.leave(container, networks);
                self.die(container, ending);
            }
            Profile::Docker20_10 => {
                self.die(container, ending);
                self.leave(container, networks);
            }
            Profile::Podman5 => {
                self.die(container, ending);
                self.container(container, "cleanup", []);
            }
        }
    }

    pub(crate) fn container_pause(&mut self, container: ContainerRef<'_>) {
        self.container(container, "pause", []);
    }

    pub(crate) fn container_unpause(&mut self, container: ContainerRef<'_>) {
        self.container(container, "unpause", []);
    }

    pub(crate) fn container_update(&mut self, container: ContainerRef<'_>) {
        self.container(container, "update", []);
    }

    pub(crate) fn container_attach(&mut self, container: ContainerRef<'_>) {
        self.container(container, "attach", []);
    }

    pub(crate) fn container_resize(&mut self, container: ContainerRef<'_>, size: Resize) {
        if !self.is_podman() {
            let (height, width) = (size.height.to_string(), size.width.to_string());
            self.container(container, "resize", [("height", &*height), ("width", &*width)]);
        }
    }

    /// `container` has its new name.
    pub(crate) fn container_rename(&mut self, container: ContainerRef<'_>, old_name: &str) {
        if self.is_podman() {
            self.container(container, "rename", []);
        } else {
            self.container(container, "rename", [("oldName", &*format!("/{old_name}"))]);
        }
    }

    pub(crate) fn container_remove(&mut self, container: ContainerRef<'_>) {
        let action = if self.is_podman() { "remove" } else { "destroy" };
        self.container(container, action, []);
    }

    /// A prune takes these containers, perhaps none.
    pub(crate) fn containers_prune<'a>(
        &mut self,
        containers: impl IntoIterator<Item = ContainerRef<'a>>,
    ) {
        for container in containers {
            self.container_remove(container);
        }
        if !self.is_podman() {
            self.add(EventKind::Container, "prune", "", attributes([("reclaimed", "0")]));
        }
    }

    /// `command` is the program and its arguments. Podman tells of an exec when it starts.
    pub(crate) fn exec_create(
        &mut self,
        container: ContainerRef<'_>,
        exec_id: &str,
        command: &[String],
    ) {
        if !self.is_podman() {
            self.container(container, exec_action("exec_create", command), [("execID", exec_id)]);
        }
    }

    pub(crate) fn exec_start(
        &mut self,
        container: ContainerRef<'_>,
        exec_id: &str,
        command: &[String],
    ) {
        if self.is_podman() {
            self.container(container, "exec", []);
        } else {
            self.container(container, exec_action("exec_start", command), [("execID", exec_id)]);
        }
    }

    pub(crate) fn exec_die(&mut self, container: ContainerRef<'_>, exec_id: &str, exit_code: i64) {
        let exit_code = &*exit_code.to_string();
        if self.is_podman() {
            let facts = [("containerExitCode", exit_code), ("execID", exec_id)];
            self.container(container, "exec_died", facts);
        } else {
            self.container(container, "exec_die", [("execID", exec_id), ("exitCode", exit_code)]);
        }
    }

    /// A stop without what Podman does behind it.
    fn stopped(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        signals: &[u8],
        ending: Ending,
    ) {
        if self.is_podman() {
            self.container(container, "stop", []);
            self.die(container, ending);
            return;
        }
        for signal in signals {
            self.signal(container, *signal);
        }
        if self.profile == Profile::Docker20_10 {
            self.die(container, ending);
            self.leave(container, networks);
            self.container(container, "stop", []);
        } else {
            self.leave(container, networks);
            self.container(container, "stop", []);
            self.die(container, ending);
        }
    }

    fn leave(&mut self, container: ContainerRef<'_>, networks: &[NetworkRef<'_>]) {
        for network in networks {
            self.membership(*network, container, "disconnect");
        }
    }

    fn signal(&mut self, container: ContainerRef<'_>, signal: u8) {
        if self.is_podman() {
            self.container(container, "kill", []);
        } else {
            self.container(container, "kill", [("signal", &*signal.to_string())]);
        }
    }

    fn die(&mut self, container: ContainerRef<'_>, ending: Ending) {
        let exit_code = &*ending.exit_code.to_string();
        let seconds = &*ending.ran_for.as_secs().to_string();
        match self.profile {
            Profile::Docker20_10 => self.container(container, "die", [("exitCode", exit_code)]),
            Profile::Docker26 | Profile::Docker28 => self.container(
                container,
                "die",
                [("execDuration", seconds), ("exitCode", exit_code)],
            ),
            Profile::Podman5 => self.container(
                container,
                "die",
                [("containerExitCode", exit_code), ("exitCode", exit_code)],
            ),
        }
    }

    /// Labels are attributes too. They hide the event's own facts, and are hidden by the image and the name, as in Docker.
    fn container<const N: usize>(
        &mut self,
        container: ContainerRef<'_>,
        action: impl Into<Cow<'static, str>>,
        facts: [(&str, &str); N],
    ) {
        let mut all = attributes(facts);
        all.extend(container.labels.clone());
        if !container.image.is_empty() || self.is_podman() {
            all.insert("image".into(), container.image.into());
        }
        all.insert("name".into(), container.name.into());
        if self.is_podman() {
            all.insert("podId".into(), String::new());
        }
        self.add(EventKind::Container, action, container.id, all);
    }
}

/// Images.
impl Recorder {
    pub(crate) fn image_import(&mut self, image: ImageRef<'_>) {
        self.image(image, "import", image.id);
    }

    pub(crate) fn image_load(&mut self, image: ImageRef<'_>) {
        let action = if self.is_podman() { "loadfromarchive" } else { "load" };
        self.image(image, action, image.id);
    }

    /// `name` is the new name, as short as it goes: `busybox:latest`.
    pub(crate) fn image_tag(&mut self, image: ImageRef<'_>, name: &str) {
        self.image(image, "tag", name);
    }

    /// Docker does not say which name went.
    pub(crate) fn image_untag(&mut self, image: ImageRef<'_>) {
        self.image(image, "untag", image.id);
    }

    /// By then the image's labels are gone.
    pub(crate) fn image_delete(&mut self, image: ImageRef<'_>) {
        let image = ImageRef { labels: &BTreeMap::new(), ..image };
        self.image(image, "delete", image.id);
    }

    /// `reference` (`busybox:latest`) stands for the id, `name` (`busybox`) is without the tag.
    pub(crate) fn image_pull(
        &mut self,
        reference: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) {
        self.image(ImageRef { id: reference, labels }, "pull", name);
    }

    fn image(&mut self, image: ImageRef<'_>, action: &'static str, name: &str) {
        let mut all = BTreeMap::new();
        if self.is_podman() {
            all.insert("image".into(), String::new());
            all.insert("podId".into(), String::new());
        } else {
            all.extend(image.labels.clone());
        }
        all.insert("name".into(), name.into());
        self.add(EventKind::Image, action, image.id, all);
    }
}

/// The program, a blank, the arguments: a program without arguments keeps the blank, as in Docker.
fn exec_action(action: &str, command: &[String]) -> String {
    let (program, arguments) = match command.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments.join(" ")),
        None => ("", String::new()),
    };
    format!("{action}: {program} {arguments}")
}

fn attributes<const N: usize>(facts: [(&str, &str); N]) -> BTreeMap<String, String> {
    facts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests;
