//! What a container runs, where containers run anything.

use std::collections::BTreeMap;

use docknet_types::ContainerId;
use serde_json::Value;

use super::{Confinement, Container, Mount, words};
use crate::core::image;
use crate::core::step::Outlook;

/// A container's first program, and what it finds around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) container: ContainerId,
    pub(crate) namespace: Whose,
    /// Over whose files it runs.
    pub(crate) root: Root,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) command: Command,
    pub(crate) hostname: String,
    pub(crate) domain: Option<String>,
    pub(crate) files: Files,
    /// By name.
    pub(crate) sysctls: Vec<(String, String)>,
}

/// The files that a program sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// The host's own.
    Host,
    /// Those of an image, with what the container changed of them.
    Image { id: String, read_only: bool, privileged: bool },
}

/// What is run, by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// `HOME` is its user's if it is not among these.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) directory: String,
    /// `user`, `user:group`, or their numbers; empty for root.
    pub(crate) user: String,
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) confinement: Confinement,
}

/// What of root's powers a program has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) all: bool,
    /// Beside those that Docker gives, as they were named.
    pub(crate) added: Vec<String>,
    pub(crate) dropped: Vec<String>,
}

/// The network namespace that a program is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Host,
    Of(ContainerId),
}

/// What goes into the files that libraries look into for names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// Lines of `/etc/hosts`: what was asked for, as `name:address`.
    pub(crate) extra_hosts: Vec<String>,
    pub(crate) addresses: Vec<std::net::IpAddr>,
    pub(crate) dns: Vec<String>,
    pub(crate) search: Vec<String>,
    pub(crate) options: Vec<String>,
    /// Whether names are asked for at 127.0.0.11.
    pub(crate) resolved: bool,
}

/// Docker's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Program {
    /// None where there is nothing to run.
    pub(crate) fn of(container: &Container, outlook: &Outlook) -> Option<Self> {
        if !container.config.runs {
            return None;
        }
        let host_config = &container.config.host_config;
        let list = |key: &str| -> Vec<String> {
            words(host_config.get(key)).into_iter().map(str::to_owned).collect()
        };
        let namespace = match (container.mode_is_host(), container.namespace_of()) {
            (true, _) => Whose::Host,
            (false, Some(other)) => Whose::Of(ContainerId::from(other)),
            (false, None) => Whose::Of(container.id.clone()),
        };
        let is_set = |key: &str| host_config.get(key).and_then(Value::as_bool).unwrap_or_default();
        let root = match image::is_host(&container.config.image_id) {
            true => Root::Host,
            false => Root::Image {
                id: container.config.image_id.clone(),
                read_only: is_set("ReadonlyRootfs"),
                privileged: is_set("Privileged"),
            },
        };
        let sysctls = host_config.get("Sysctls").and_then(Value::as_object).into_iter().flatten();
        let sysctls =
            sysctls.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into())));
        Some(Self {
            container: container.id.clone(),
            namespace,
            root,
            mounts: Mount::all(&container.config.config, host_config),
            command: Command::first(container),
            hostname: container.hostname.clone(),
            domain: text(container, "Domainname").filter(|name| !name.is_empty()),
            files: Files {
                extra_hosts: list("ExtraHosts"),
                addresses: outlook.addresses().collect(),
                dns: list("Dns"),
                search: list("DnsSearch"),
                options: list("DnsOptions"),
                resolved: !container.mode_is_host(),
            },
            sysctls: sysctls.collect(),
        })
    }
}

impl Command {
    /// The first one of a container.
    fn first(container: &Container) -> Self {
        let flag = |key: &str| {
            container.config.config.get(key).and_then(Value::as_bool).unwrap_or_default()
        };
        Self {
            words: container.command().map(str::to_owned).collect(),
            user: text(container, "User").unwrap_or_default(),
            tty: flag("Tty"),
            stdin: flag("OpenStdin"),
            ..Self::beside(container, flag("Tty"), &[])
        }
    }

    /// Nothing yet, in the surroundings of a container's.
    pub(crate) fn beside(container: &Container, tty: bool, env: &[String]) -> Self {
        let config = &container.config;
        let mut all = BTreeMap::from([
            ("PATH".to_owned(), PATH.to_owned()),
            ("HOSTNAME".to_owned(), container.hostname.clone()),
        ]);
        if tty {
            all.insert("TERM".to_owned(), "xterm".to_owned());
        }
        let asked = words(config.config.get("Env")).into_iter();
        let pairs = asked.chain(env.iter().map(String::as_str));
        all.extend(
            pairs
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let host_config = |key: &str| words(config.host_config.get(key));
        let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let privileged = config.host_config.get("Privileged").and_then(Value::as_bool);
        let added = owned(host_config("CapAdd"));
        let mut dropped = owned(host_config("CapDrop"));
        let makes_devices = |name: &String| {
            matches!(name.to_uppercase().trim_start_matches("CAP_"), "ALL" | "MKNOD")
        };
        let mut confinement = Confinement::of(&config.host_config);
        if image::is_host(&config.image_id) {
            // Nothing of the host's is kept from it.
            confinement.filtered = false;
        }
        // Docker gives it, and has control groups say which devices may be made. There are none here.
        if !image::is_host(&config.image_id) && !added.iter().any(makes_devices) {
            dropped.push("MKNOD".to_owned());
        }
        Self {
            env: all.into_iter().collect(),
            directory: text(container, "WorkingDir")
                .filter(|directory| !directory.is_empty())
                .unwrap_or_else(|| "/".to_owned()),
            capabilities: Capabilities { all: privileged.unwrap_or_default(), added, dropped },
            confinement,
            ..Self::default()
        }
    }
}

fn text(container: &Container, key: &str) -> Option<String> {
    Some(container.config.config.get(key)?.as_str()?.to_owned())
}
