//! Why a network does not get its subnets, in the words of each engine.

use std::net::IpAddr;

use ipnet::IpNet;

use super::number::Family;
use crate::Profile;

/// A refusal of a network's address configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IpamRefusal {
    /// All that is wrong with what was written, before anything is tried: Docker from 26 on.
    Mistakes(Vec<String>),
    /// The first that is wrong, where the engine stops at it.
    Mistake {
        message: String,
        cause: Option<String>,
    },
    PoolOverlap(IpNet),
    PoolsExhausted(Family),
    /// An IPv4 subnet written as IPv6: Docker 28 looks for it where it is not.
    PoolMisplaced {
        gateway: String,
        subnet: IpNet,
        range: Option<IpNet>,
    },
    /// A pool without bounds, which no driver takes.
    PoolEmpty(Family),
    GatewayInUse(String),
    GatewayOutOfRange(String),
    /// There is no address left for it.
    GatewayNoneLeft,
    GatewayOutside {
        gateway: IpAddr,
        subnet: IpNet,
    },
    RangeOutside {
        end: RangeEnd,
        address: IpAddr,
        subnet: IpNet,
    },
    AuxUnparsable {
        name: String,
        address: String,
        network: String,
    },
    AuxOutside {
        name: String,
        address: String,
        subnet: IpNet,
    },
    AuxInUse {
        name: String,
        address: String,
    },
    NullDriverPool,
    DriverMissing(String),
    /// Neither of the families is enabled.
    NoFamily,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeEnd {
    Start,
    End,
}

impl IpamRefusal {
    /// The status and the message.
    pub(crate) fn answer(&self, profile: Profile) -> (u16, String) {
        match profile {
            Profile::Podman5 => (500, self.podman()),
            Profile::Docker20_10 => (self.status_20_10(), self.docker(profile)),
            Profile::Docker26 | Profile::Docker28 => (self.status(profile), self.docker(profile)),
        }
    }

    /// What Podman says besides the message, where it is not the same.
    pub(crate) fn cause(&self) -> Option<&str> {
        match self {
            Self::Mistake { cause, .. } => cause.as_deref(),
            _ => None,
        }
    }

    fn status(&self, profile: Profile) -> u16 {
        match self {
            Self::Mistakes(_) | Self::NullDriverPool | Self::NoFamily => 400,
            Self::PoolEmpty(Family::V6) if profile == Profile::Docker26 => 500,
            Self::PoolEmpty(_) => 400,
            Self::PoolOverlap(_) | Self::AuxOutside { .. } => 403,
            Self::PoolsExhausted(_) if profile == Profile::Docker28 => 400,
            Self::PoolsExhausted(_) | Self::DriverMissing(_) => 404,
            Self::AuxUnparsable { .. } => 400,
            _ => 500,
        }
    }

    fn status_20_10(&self) -> u16 {
        match self {
            Self::PoolOverlap(_) | Self::AuxOutside { .. } => 403,
            Self::PoolsExhausted(_) | Self::DriverMissing(_) => 404,
            _ => 500,
        }
    }

    fn docker(&self, profile: Profile) -> String {
        let recent = profile == Profile::Docker28;
        match self {
            Self::Mistakes(all) => join_mistakes("invalid network config", all),
            Self::Mistake { message, .. } => message.clone(),
            Self::PoolOverlap(_) => {
                let before = if recent { "invalid pool request: " } else { "" };
                format!("{before}Pool overlaps with other one on this address space")
            }
            Self::PoolsExhausted(_) if recent => {
                "all predefined address pools have been fully subnetted".to_owned()
            }
            Self::PoolsExhausted(family) => format!(
                "could not find an available, non-overlapping {family} address pool among the defaults to assign to the \
                 network"
            ),
            Self::PoolMisplaced { gateway, subnet, range } => {
                let range = range.map_or_else(|| "invalid Prefix".to_owned(), |r| r.to_string());
                format!(
                    "failed to allocate gateway ({gateway}): cannot find address pool for poolID:{subnet}/{range}"
                )
            }
            Self::PoolEmpty(Family::V6) if !recent => {
                "failed to add IPv6 address ::1/0 to bridge: cannot assign requested address"
                    .to_owned()
            }
            Self::PoolEmpty(Family::V4) => "ipv4 pool is empty".to_owned(),
            Self::PoolEmpty(Family::V6) => "ipv6 pool is empty".to_owned(),
            Self::GatewayInUse(ip) => format!("failed to allocate gateway ({ip}): {IN_USE}"),
            Self::GatewayOutOfRange(ip) => {
                let r = if profile == Profile::Docker20_10 { 'R' } else { 'r' };
                format!("failed to allocate gateway ({ip}): {r}equested address is out of range")
            }
            Self::GatewayNoneLeft => {
                let n = if profile == Profile::Docker20_10 { 'N' } else { 'n' };
                format!("failed to allocate gateway (): {n}o available addresses on this pool")
            }
            Self::AuxUnparsable { name, address, network } => format!(
                "non parsable secondary ip address ({name}:{address}) passed for network {network}"
            ),
            Self::AuxOutside { name, address, subnet } => format!(
                "auxiliary address: ({name}:{address}) must belong to the master pool: {subnet}"
            ),
            Self::AuxInUse { name, address } => {
                format!("failed to allocate secondary ip address ({name}:{address}): {IN_USE}")
            }
            Self::NullDriverPool => {
                "null ipam driver does not handle specific address pool requests".to_owned()
            }
            Self::DriverMissing(driver) => format!("plugin \"{driver}\" not found"),
            Self::NoFamily => "IPv4 or IPv6 must be enabled".to_owned(),
            Self::GatewayOutside { .. } | Self::RangeOutside { .. } => self.podman(),
        }
    }

    fn podman(&self) -> String {
        match self {
            Self::PoolOverlap(net) => {
                format!("subnet {net} is already used on the host or by another config")
            }
            Self::PoolsExhausted(_) => "could not find free subnet from subnet pools".to_owned(),
            Self::GatewayOutside { gateway, subnet } => {
                format!("gateway {gateway} not in subnet {subnet}")
            }
            Self::RangeOutside { end, address, subnet } => {
                let end = match end {
                    RangeEnd::Start => "start",
                    RangeEnd::End => "end",
                };
                format!("lease range {end} ip {address} not in subnet {subnet}")
            }
            other => other.docker(Profile::Docker28),
        }
    }
}

const IN_USE: &str = "Address already in use";

/// Several mistakes as Docker lists them: a line each. A single one has no bullet.
pub(crate) fn join_mistakes(heading: &str, mistakes: &[String]) -> String {
    if let [only] = mistakes {
        return format!("{heading}:\n{}", only.trim());
    }
    let lines: Vec<String> =
        mistakes.iter().map(|mistake| format!("* {}", mistake.replace('\n', "\n\t"))).collect();
    format!("{heading}:\n{}", lines.join("\n"))
}
