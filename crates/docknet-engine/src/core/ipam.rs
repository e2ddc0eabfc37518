//! Address management: which subnets are taken, which addresses of a network, and what of a request is refused.
//!
//! Everything here is a value: a clone costs nothing and shares what does not change, so a refusal leaves the state as it
//! was and a reader keeps what it has.

mod addresses;
mod allocate;
mod config;
mod endpoint;
mod go_net;
mod intervals;
mod number;
mod pools;
#[cfg(test)]
mod recorded;
mod refusal;
mod routes;
mod rules;
mod subnets;
mod validate;

pub(crate) use self::addresses::AddressRefusal;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::addresses::Addresses;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::allocate::Allocation;
pub(crate) use self::allocate::{Families, FamilyWish, PoolState, Wish, allocate};
pub(crate) use self::config::{EndpointIpam, PoolConfig, shown};
pub(crate) use self::endpoint::{
    Configured, endpoint_mistakes, mac_mistake, refused_at_start, refused_when_asked,
    sysctl_mistakes,
};
pub(crate) use self::go_net::{parse_ip, parse_prefix};
pub(crate) use self::number::Family;
pub(crate) use self::pools::default_pools;
pub(crate) use self::refusal::IpamRefusal;
pub(crate) use self::routes::HostRoutes;
pub(crate) use self::subnets::Subnets;
pub(crate) use self::validate::{ValidPool, validate};
