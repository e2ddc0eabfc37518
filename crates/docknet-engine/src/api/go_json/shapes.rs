//! The structs that Docker reads bodies into.

use super::{Field, Kind, Shape, Since};

const STRINGS: Kind = Kind::Slice(&Kind::String);
const STRING_MAP: Kind = Kind::Map(&Kind::String);

pub(crate) static NETWORK_CREATE: Shape = Shape::new(
    "network.CreateRequest",
    &[
        Field::new("Name", Kind::String),
        of_network("CheckDuplicate", Kind::Pointer(&Kind::Bool)),
        of_network("Driver", Kind::String),
        of_network("Scope", Kind::String),
        of_network("EnableIPv4", Kind::Pointer(&Kind::Bool)).since(Since::Docker28),
        of_network("EnableIPv6", Kind::Pointer(&Kind::Bool)),
        of_network("IPAM", Kind::Pointer(&Kind::Struct(&IPAM))),
        of_network("Internal", Kind::Bool),
        of_network("Attachable", Kind::Bool),
        of_network("Ingress", Kind::Bool),
        of_network("ConfigOnly", Kind::Bool),
        of_network("ConfigFrom", Kind::Pointer(&Kind::Struct(&CONFIG_REFERENCE))),
        of_network("Options", STRING_MAP),
        of_network("Labels", STRING_MAP),
    ],
)
.earlier("types.NetworkCreateRequest");

const fn of_network(name: &'static str, kind: Kind) -> Field {
    Field::new(name, kind).embedded_in("NetworkCreate")
}

static IPAM: Shape = Shape::new(
    "network.IPAM",
    &[
        Field::new("Driver", Kind::String),
        Field::new("Options", STRING_MAP),
        Field::new("Config", Kind::Slice(&Kind::Struct(&IPAM_CONFIG))),
    ],
);

static IPAM_CONFIG: Shape = Shape::new(
    "network.IPAMConfig",
    &[
        Field::new("Subnet", Kind::String),
        Field::new("IPRange", Kind::String),
        Field::new("Gateway", Kind::String),
        Field::new("AuxiliaryAddresses", STRING_MAP),
    ],
);

static CONFIG_REFERENCE: Shape =
    Shape::new("network.ConfigReference", &[Field::new("Network", Kind::String)]);

pub(crate) static NETWORK_CONNECT: Shape = Shape::new(
    "network.ConnectOptions",
    &[
        Field::new("Container", Kind::String),
        Field::new("EndpointConfig", Kind::Pointer(&Kind::Struct(&ENDPOINT_SETTINGS))),
    ],
)
.earlier("types.NetworkConnect");

static ENDPOINT_SETTINGS: Shape = Shape::new(
    "network.EndpointSettings",
    &[
        Field::new("IPAMConfig", Kind::Pointer(&Kind::Struct(&ENDPOINT_IPAM_CONFIG))),
        Field::new("Links", STRINGS),
        Field::new("Aliases", STRINGS),
        Field::new("MacAddress", Kind::String),
        Field::new("DriverOpts", STRING_MAP),
        Field::new("GwPriority", Kind::Int).since(Since::Docker28),
        Field::new("NetworkID", Kind::String),
        Field::new("EndpointID", Kind::String),
        Field::new("Gateway", Kind::String),
        Field::new("IPAddress", Kind::String),
        Field::new("IPPrefixLen", Kind::Int),
        Field::new("IPv6Gateway", Kind::String),
        Field::new("GlobalIPv6Address", Kind::String),
        Field::new("GlobalIPv6PrefixLen", Kind::Int),
        Field::new("DNSNames", STRINGS).since(Since::Docker26),
    ],
);

static ENDPOINT_IPAM_CONFIG: Shape = Shape::new(
    "network.EndpointIPAMConfig",
    &[
        Field::new("IPv4Address", Kind::String),
        Field::new("IPv6Address", Kind::String),
        Field::new("LinkLocalIPs", STRINGS),
    ],
);

pub(crate) static NETWORK_DISCONNECT: Shape = Shape::new(
    "network.DisconnectOptions",
    &[Field::new("Container", Kind::String), Field::new("Force", Kind::Bool)],
)
.earlier("types.NetworkDisconnect");

/// What is not typed here goes on as it came: an inspection shows it again.
pub(crate) static CONTAINER_CREATE: Shape = Shape::new(
    "container.CreateRequest",
    &[
        of_container("Hostname", Kind::String),
        of_container("Domainname", Kind::String),
        of_container("User", Kind::String),
        of_container("AttachStdin", Kind::Bool),
        of_container("AttachStdout", Kind::Bool),
        of_container("AttachStderr", Kind::Bool),
        of_container("ExposedPorts", Kind::Named("nat.PortSet", &Kind::Map(&Kind::Unit))),
        of_container("Tty", Kind::Bool),
        of_container("OpenStdin", Kind::Bool),
        of_container("StdinOnce", Kind::Bool),
        of_container("Env", STRINGS),
        of_container("Cmd", Kind::Words),
        of_container("Healthcheck", Kind::Any),
        of_container("ArgsEscaped", Kind::Bool),
        of_container("Image", Kind::String),
        of_container("Volumes", Kind::Map(&Kind::Unit)),
        of_container("WorkingDir", Kind::String),
        of_container("Entrypoint", Kind::Words),
        of_container("NetworkDisabled", Kind::Bool),
        of_container("MacAddress", Kind::String),
        of_container("OnBuild", STRINGS),
        of_container("Labels", STRING_MAP),
        of_container("StopSignal", Kind::String),
        of_container("StopTimeout", Kind::Pointer(&Kind::Int)),
        of_container("Shell", Kind::Words),
        Field::new("HostConfig", Kind::Pointer(&Kind::Struct(&HOST_CONFIG))),
        Field::new("NetworkingConfig", Kind::Pointer(&Kind::Struct(&NETWORKING_CONFIG))),
    ],
)
.earlier("runconfig.ContainerConfigWrapper")
.keeping_unknown()
.refusing_empty_bodies()
.through_interface();

const fn of_container(name: &'static str, kind: Kind) -> Field {
    Field::new(name, kind).embedded_in("Config")
}

static HOST_CONFIG: Shape = Shape::new(
    "container.HostConfig",
    &[
        Field::new("Binds", STRINGS),
        Field::new("ContainerIDFile", Kind::String),
        Field::new("NetworkMode", Kind::Named("container.NetworkMode", &Kind::String)),
        Field::new(
            "PortBindings",
            Kind::Named("nat.PortMap", &Kind::Map(&Kind::Slice(&Kind::Struct(&PORT_BINDING)))),
        ),
        Field::new("RestartPolicy", Kind::Struct(&RESTART_POLICY)),
        Field::new("AutoRemove", Kind::Bool),
        Field::new("VolumeDriver", Kind::String),
        Field::new("VolumesFrom", STRINGS),
        Field::new("Annotations", STRING_MAP).since(Since::Docker26),
        Field::new("CapAdd", Kind::Words),
        Field::new("CapDrop", Kind::Words),
        Field::new("Dns", STRINGS),
        Field::new("DnsOptions", STRINGS),
        Field::new("DnsSearch", STRINGS),
        Field::new("ExtraHosts", STRINGS),
        Field::new("GroupAdd", STRINGS),
        Field::new("IpcMode", Kind::Named("container.IpcMode", &Kind::String)),
        Field::new("Links", STRINGS),
        Field::new("OomScoreAdj", Kind::Int),
        Field::new("PidMode", Kind::Named("container.PidMode", &Kind::String)),
        Field::new("Privileged", Kind::Bool),
        Field::new("PublishAllPorts", Kind::Bool),
        Field::new("ReadonlyRootfs", Kind::Bool),
        Field::new("SecurityOpt", STRINGS),
        Field::new("StorageOpt", STRING_MAP),
        Field::new("Tmpfs", STRING_MAP),
        Field::new("UTSMode", Kind::Named("container.UTSMode", &Kind::String)),
        Field::new("UsernsMode", Kind::Named("container.UsernsMode", &Kind::String)),
        Field::new("ShmSize", Kind::Int64),
        Field::new("Sysctls", STRING_MAP),
        Field::new("Runtime", Kind::String),
        Field::new("Memory", Kind::Int64).embedded_in("Resources"),
        Field::new("NanoCpus", Kind::Int64).embedded_in("Resources"),
        Field::new("CpuShares", Kind::Int64).embedded_in("Resources"),
        Field::new("PidsLimit", Kind::Pointer(&Kind::Int64)).embedded_in("Resources"),
        Field::new("Init", Kind::Pointer(&Kind::Bool)),
    ],
)
.keeping_unknown();

static PORT_BINDING: Shape = Shape::new(
    "nat.PortBinding",
    &[Field::new("HostIp", Kind::String), Field::new("HostPort", Kind::String)],
);

static RESTART_POLICY: Shape = Shape::new(
    "container.RestartPolicy",
    &[
        Field::new("Name", Kind::Named("container.RestartPolicyMode", &Kind::String)),
        Field::new("MaximumRetryCount", Kind::Int),
    ],
);

static NETWORKING_CONFIG: Shape = Shape::new(
    "network.NetworkingConfig",
    &[Field::new("EndpointsConfig", Kind::Map(&Kind::Pointer(&Kind::Struct(&ENDPOINT_SETTINGS))))],
);

pub(crate) static EXEC_CREATE: Shape = Shape::new(
    "container.ExecOptions",
    &[
        Field::new("User", Kind::String),
        Field::new("Privileged", Kind::Bool),
        Field::new("Tty", Kind::Bool),
        Field::new("ConsoleSize", CONSOLE_SIZE).since(Since::Docker26),
        Field::new("AttachStdin", Kind::Bool),
        Field::new("AttachStderr", Kind::Bool),
        Field::new("AttachStdout", Kind::Bool),
        Field::new("DetachKeys", Kind::String),
        Field::new("Env", STRINGS),
        Field::new("WorkingDir", Kind::String),
        Field::new("Cmd", STRINGS),
        Field::new("Detach", Kind::Bool),
    ],
)
.earlier("types.ExecConfig");

pub(crate) static EXEC_START: Shape = Shape::new(
    "container.ExecStartOptions",
    &[
        Field::new("Detach", Kind::Bool),
        Field::new("Tty", Kind::Bool),
        Field::new("ConsoleSize", CONSOLE_SIZE).since(Since::Docker26),
    ],
)
.earlier("types.ExecStartCheck");

/// Height and width. An array of two in Go, which takes lists of any length.
const CONSOLE_SIZE: Kind = Kind::Pointer(&Kind::Named("[2]uint", &Kind::Slice(&Kind::Uint)));

/// Filters: the values that each key has, and whether they count.
pub(crate) static FILTERS: Kind = Kind::Map(&Kind::Map(&Kind::Bool));

/// Filters, as clients before API 1.22 write them.
pub(crate) static FILTER_LISTS: Kind = Kind::Map(&STRINGS);
