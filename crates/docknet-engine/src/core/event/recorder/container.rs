//! What happens to containers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use docknet_types::EventKind;

use super::{NetworkRef, Recorder, attributes};
use crate::Profile;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerRef<'a> {
    pub(crate) id: &'a str,
    /// Without a slash.
    pub(crate) name: &'a str,
    /// As the request named it.
    pub(crate) image: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
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

    /// A running container is stopped by these signals. Podman tells of the end only.
    pub(crate) fn container_stop(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        signals: &[u8],
        ending: Ending,
    ) {
        if self.is_podman() {
            self.container_exit(container, networks, ending);
        } else {
            self.stopped(container, networks, signals, ending);
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
        match stop {
            Some((_, ending)) if self.is_podman() => {
                self.container(container, "stop", []);
                self.die(container, ending);
            }
            Some((signals, ending)) => self.stopped(container, networks, signals, ending),
            None => {}
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

    /// A container whose program was asked to end has ended.
    pub(crate) fn container_stopped(&mut self, container: ContainerRef<'_>) {
        if !self.is_podman() {
            self.container(container, "stop", []);
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

    /// `exit_code` is of the last run, if there was one: Podman still tells it.
    pub(crate) fn container_remove(&mut self, container: ContainerRef<'_>, exit_code: Option<i64>) {
        if !self.is_podman() {
            self.container(container, "destroy", []);
        } else if let Some(exit_code) = exit_code {
            self.container(container, "remove", [("containerExitCode", &*exit_code.to_string())]);
        } else {
            self.container(container, "remove", []);
        }
    }

    /// A container is removed while it runs. Podman does not tell of the signal.
    pub(crate) fn container_remove_forced(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        ending: Ending,
    ) {
        if self.is_podman() {
            self.die(container, ending);
        } else {
            self.container_kill(container, networks, 9, Some(ending));
        }
        self.container_remove(container, Some(ending.exit_code));
    }

    /// A prune takes these containers, perhaps none, each with the exit code of its last run.
    pub(crate) fn containers_prune<'a>(
        &mut self,
        containers: impl IntoIterator<Item = (ContainerRef<'a>, Option<i64>)>,
    ) {
        for (container, exit_code) in containers {
            self.container_remove(container, exit_code);
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

    /// As Docker stops a container.
    fn stopped(
        &mut self,
        container: ContainerRef<'_>,
        networks: &[NetworkRef<'_>],
        signals: &[u8],
        ending: Ending,
    ) {
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

/// The program, a blank, the arguments: a program without arguments keeps the blank, as in Docker.
fn exec_action(action: &str, command: &[String]) -> String {
    let (program, arguments) = match command.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments.join(" ")),
        None => ("", String::new()),
    };
    format!("{action}: {program} {arguments}")
}
