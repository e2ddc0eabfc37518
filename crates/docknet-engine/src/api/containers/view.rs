//! A container as inspections and lists show it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use docknet_types::{ApiVersion, MacAddr};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::endpoint_view::{AddressView, EndpointViews, Style};
use crate::Profile;
use crate::core::container::{
    self, CONFIG, Container, HOST_CONFIG, Mount, Mounted, Port, Shown, Status,
};

/// What Go makes of a time that is none.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The fields of Docker's `container.InspectResponse`, in its order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspection<'a> {
    id: &'a str,
    created: Timestamp,
    path: &'a str,
    args: Vec<&'a str>,
    state: StateView,
    image: &'a str,
    resolv_conf_path: &'static str,
    hostname_path: &'static str,
    hosts_path: &'static str,
    log_path: &'static str,
    name: String,
    restart_count: u64,
    driver: &'static str,
    platform: &'static str,
    mount_label: &'static str,
    process_label: &'static str,
    app_armor_profile: &'static str,
    #[serde(rename = "ExecIDs")]
    exec_ids: Option<()>,
    host_config: Shown<'a>,
    graph_driver: GraphDriver,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_root_fs: Option<u64>,
    mounts: Vec<MountView>,
    config: ConfigView<'a>,
    network_settings: NetworkSettings<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StateView {
    status: Status,
    running: bool,
    paused: bool,
    restarting: bool,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    dead: bool,
    pid: u32,
    exit_code: i64,
    error: &'static str,
    started_at: String,
    finished_at: String,
}

/// A file or a directory of the host's that a container sees.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MountView {
    r#type: &'static str,
    source: String,
    destination: String,
    mode: &'static str,
    #[serde(rename = "RW")]
    writable: bool,
    propagation: &'static str,
}

/// The storage driver, without what Docker tells of its own.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphDriver {
    data: Option<()>,
    name: &'static str,
}

/// `Config`, with the host name that was chosen.
struct ConfigView<'a>(&'a Container);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings<'a> {
    bridge: &'static str,
    #[serde(rename = "SandboxID")]
    sandbox_id: &'static str,
    sandbox_key: &'static str,
    ports: BTreeMap<String, Option<Vec<PortView>>>,
    hairpin_mode: bool,
    #[serde(rename = "LinkLocalIPv6Address")]
    link_local_ipv6_address: &'static str,
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    link_local_ipv6_prefix_len: u8,
    #[serde(rename = "SecondaryIPAddresses")]
    secondary_ip_addresses: Option<()>,
    #[serde(rename = "SecondaryIPv6Addresses")]
    secondary_ipv6_addresses: Option<()>,
    #[serde(flatten)]
    bridge_address: AddressView<'a>,
    mac_address: String,
    /// Clients of old do not get them.
    #[serde(skip_serializing_if = "Option::is_none")]
    networks: Option<EndpointViews<'a>>,
}

/// Whether the sizes of files are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sizes {
    Left,
    Told(u64),
}

impl<'a> Inspection<'a> {
    pub(super) fn of(
        container: &'a Container,
        profile: Profile,
        version: ApiVersion,
        sizes: Sizes,
    ) -> Self {
        let config = &*container.config;
        let mut command = container.command();
        Self {
            id: container.id.as_str(),
            created: container.created,
            path: command.next().unwrap_or_default(),
            args: command.collect(),
            state: StateView::of(container),
            image: &config.image_id,
            resolv_conf_path: "",
            hostname_path: "",
            hosts_path: "",
            log_path: "",
            name: format!("/{}", container.name),
            restart_count: 0,
            driver: DRIVER,
            platform: "linux",
            mount_label: "",
            process_label: "",
            app_armor_profile: "",
            exec_ids: None,
            host_config: Shown { fields: HOST_CONFIG, asked: &config.host_config },
            graph_driver: GraphDriver { data: None, name: DRIVER },
            size_rw: (sizes != Sizes::Left).then_some(0),
            size_root_fs: sizes.size(),
            mounts: MountView::all(container),
            config: ConfigView(container),
            network_settings: NetworkSettings::of(container, Style::inspection(profile, version)),
        }
    }
}

impl<'a> Inspection<'a> {
    /// With the number of its process.
    #[cfg(kernel)]
    pub(super) fn with_process(mut self, pid: u32) -> Self {
        self.state.pid = pid;
        self
    }

    /// With the networks of another container, whose namespace it shares: Podman shows them.
    pub(super) fn with_networks_of(mut self, other: &'a Container, style: Style) -> Self {
        self.network_settings = NetworkSettings::of(other, style);
        self
    }
}

impl MountView {
    fn all(container: &Container) -> Vec<Self> {
        let config = &container.config;
        let all = Mount::all(&config.config, &config.host_config).into_iter();
        let of_the_host = all.filter_map(|mount| match mount.what {
            Mounted::Host { path, .. } => Some(Self {
                r#type: "bind",
                source: path,
                destination: mount.target,
                mode: if mount.read_only { "ro" } else { "" },
                writable: !mount.read_only,
                propagation: "rprivate",
            }),
            Mounted::Memory(_) | Mounted::Own => None,
        });
        of_the_host.collect()
    }
}

/// The storage driver that is told of: none is needed.
pub(crate) const DRIVER: &str = "docknet";

impl StateView {
    fn of(container: &Container) -> Self {
        let time = |time: Option<Timestamp>| {
            time.map_or_else(|| NEVER.to_owned(), |time| time.to_string())
        };
        let running = container.is_running();
        Self {
            status: container.status,
            running,
            paused: container.status == Status::Paused,
            restarting: false,
            oom_killed: false,
            dead: false,
            pid: 0,
            exit_code: if running { 0 } else { container.exit_code },
            error: "",
            started_at: time(container.started),
            finished_at: time(container.finished),
        }
    }
}

impl Serialize for ConfigView<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(container) = self;
        let mut asked = container.config.config.clone();
        if let Some(asked) = asked.as_object_mut()
            && container.namespace_of().is_none()
        {
            asked.insert("Hostname".to_owned(), Value::from(container.hostname.clone()));
        }
        Shown { fields: CONFIG, asked: &asked }.serialize(serializer)
    }
}

impl<'a> NetworkSettings<'a> {
    fn of(container: &'a Container, style: Style) -> Self {
        Self {
            bridge: "",
            sandbox_id: "",
            sandbox_key: "",
            ports: ports(container),
            hairpin_mode: false,
            link_local_ipv6_address: "",
            link_local_ipv6_prefix_len: 0,
            secondary_ip_addresses: None,
            secondary_ipv6_addresses: None,
            bridge_address: style.default_address(container),
            mac_address: style
                .default_network(container)
                .and_then(|endpoint| endpoint.mac)
                .as_ref()
                .map(MacAddr::to_string)
                .unwrap_or_default(),
            networks: style.by_network.then_some(EndpointViews { container, style }),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PortView {
    host_ip: String,
    host_port: String,
}

/// The ports of a container that runs, and where they can be reached.
fn ports(container: &Container) -> BTreeMap<String, Option<Vec<PortView>>> {
    if !container.is_running() {
        return BTreeMap::new();
    }
    let view = |port: Port| {
        let published = container.published.iter().filter(|one| one.port == port);
        let all: Vec<_> = published
            .map(|one| PortView {
                host_ip: one.at.ip().to_string(),
                host_port: one.at.port().to_string(),
            })
            .collect();
        (port.to_string(), Some(all).filter(|all| !all.is_empty()))
    };
    container::ports::shown(container).into_iter().map(view).collect()
}

/// The same in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PortSummary {
    #[serde(rename = "IP", skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    private_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_port: Option<u16>,
    r#type: &'static str,
}

fn port_summaries(container: &Container) -> Vec<PortSummary> {
    if !container.is_running() {
        return Vec::new();
    }
    let summary = |port: Port, at: Option<SocketAddr>| PortSummary {
        ip: at.map(|at| at.ip()),
        private_port: port.number,
        public_port: at.map(|at| at.port()),
        r#type: port.protocol.as_str(),
    };
    let published = |port| container.published.iter().any(|one| one.port == port);
    let open = container::ports::shown(container).into_iter().filter(|port| !published(*port));
    open.map(|port| summary(port, None))
        .chain(container.published.iter().map(|one| summary(one.port, Some(one.at))))
        .collect()
}

/// The fields of Docker's `container.Summary`, in its order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::api) struct Summary<'a> {
    id: &'a str,
    names: [String; 1],
    image: &'a str,
    #[serde(rename = "ImageID")]
    image_id: &'a str,
    command: String,
    created: i64,
    ports: Vec<PortSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_root_fs: Option<u64>,
    labels: &'a BTreeMap<String, String>,
    state: Status,
    status: String,
    host_config: Map<String, Value>,
    network_settings: SummarySettings<'a>,
    mounts: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SummarySettings<'a> {
    networks: EndpointViews<'a>,
}

impl<'a> Summary<'a> {
    pub(super) fn of(
        container: &'a Container,
        profile: Profile,
        now: Timestamp,
        sizes: Sizes,
    ) -> Self {
        let config = &*container.config;
        let mode = Value::from(config.network_mode.clone());
        Self {
            id: container.id.as_str(),
            names: [format!("/{}", container.name)],
            image: &config.image,
            image_id: &config.image_id,
            command: container.command().map(quoted).collect::<Vec<_>>().join(" "),
            created: container.created.as_second(),
            ports: port_summaries(container),
            size_root_fs: sizes.size(),
            labels: &config.labels,
            state: container.status,
            status: status(container, now),
            host_config: Map::from_iter([("NetworkMode".to_owned(), mode)]),
            network_settings: SummarySettings {
                networks: EndpointViews { container, style: Style::list(profile) },
            },
            mounts: [],
        }
    }
}

impl Sizes {
    fn size(self) -> Option<u64> {
        match self {
            Self::Left => None,
            Self::Told(size) => Some(size),
        }
    }
}

/// Docker puts quotes around an argument with a blank in it.
fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_owned() }
}

fn status(container: &Container, now: Timestamp) -> String {
    let since = |time: Option<Timestamp>| {
        roughly(time.map_or(0, |time| now.duration_since(time).as_secs()))
    };
    match container.status {
        Status::Created => "Created".to_owned(),
        Status::Exited => {
            format!("Exited ({}) {} ago", container.exit_code, since(container.finished))
        }
        Status::Paused => format!("Up {} (Paused)", since(container.started)),
        Status::Running => format!("Up {}", since(container.started)),
    }
}

/// A time as people say it, in Docker's words.
pub(super) fn roughly(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    let days = hours / 24;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if days < 14 => format!("{days} days"),
        () if days < 60 => format!("{} weeks", days / 7),
        () if days < 730 => format!("{} months", days / 30),
        () => format!("{} years", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_dockers_words() {
        for (seconds, words) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (5400, "2 hours"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (14 * 86400, "2 weeks"),
            (60 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] {
            assert_eq!(roughly(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn a_word_with_a_blank_is_quoted() {
        assert_eq!(["sh", "-c", "sleep 9"].map(quoted).join(" "), "sh -c 'sleep 9'");
    }
}
