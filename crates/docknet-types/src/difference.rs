//! Whether a network is what a spec asks for.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Driver, Flavour, NetworkInfo, NetworkSpec, Pool, PoolInfo};

/// A field in which a network is not what a spec asks for.
///
/// ```
/// use docknet_types::{Flavour, NetworkInfo, NetworkSpec};
///
/// let info = NetworkInfo::from_json(r#"{"Name":"a","Driver":"bridge","Internal":false}"#);
/// let differences = NetworkSpec::new("a").internal(true).differences(&info, Flavour::Docker);
/// assert_eq!(differences[0].to_string(), "internal is false, not true");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The setter's name; for labels and options with the key.
    pub field: String,
    /// What the spec asks for.
    pub wanted: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, not {}", self.field, self.found, self.wanted)
    }
}

impl NetworkSpec {
    /// The fields in which a network is not what this spec asks for. What the spec leaves open may be anything, but a spec
    /// that names no driver asks for a bridge, as engines take it. What Podman does not tell is not compared on it.
    #[must_use]
    pub fn differences(&self, info: &NetworkInfo, flavour: Flavour) -> Vec<Difference> {
        let mut found = Compare(Vec::new());
        let driver = if self.config_only == Some(true) { Driver::None } else { Driver::Bridge };
        // A network made from a configuration has its options, labels and pools from there.
        found.text("driver", self.driver.as_ref().unwrap_or(&driver), &info.driver);
        found.optional("scope", self.scope.as_ref(), &info.scope);
        found.optional("internal", self.internal, info.internal);
        found.optional("ipv4", self.ipv4, info.ipv4.unwrap_or(true));
        found.optional("ipv6", self.ipv6, info.ipv6);
        if flavour == Flavour::Docker {
            found.optional("attachable", self.attachable, info.attachable);
            found.optional("ingress", self.ingress, info.ingress);
            found.optional("config_only", self.config_only, info.config_only);
            let found_from = info.config_from.as_deref().unwrap_or_default();
            found.optional("config_from", self.config_from.as_deref(), found_from);
        }
        found.map("label", &self.labels, &info.labels);
        if flavour == Flavour::Podman {
            found.map("option", &told_by_podman(&self.options, &info.options), &info.options);
        } else {
            found.map("option", &self.options, &info.options);
        }
        found.optional("ipam driver", self.ipam.driver.as_deref(), &info.ipam.driver);
        found.map("ipam option", &self.ipam.options, &info.ipam.options);
        if !self.ipam.pools.is_empty() {
            found.pools(&self.ipam.pools, &info.ipam.pools, flavour);
        }
        found.0
    }
}

/// The options that Podman tells of those that are wanted: some it has under names of its own, and the rest it drops or
/// keeps to itself, as it does a bridge's name and a parent.
fn told_by_podman(
    wanted: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let own = |(key, value): (&String, &String)| match key.as_str() {
        "com.docker.network.driver.mtu" | "mtu" => Some(("mtu".to_owned(), value.clone())),
        _ => found.contains_key(key).then(|| (key.clone(), value.clone())),
    };
    wanted.iter().filter_map(own).collect()
}

struct Compare(Vec<Difference>);

impl Compare {
    fn push(
        &mut self,
        field: impl Into<String>,
        wanted: impl fmt::Display,
        found: impl fmt::Display,
    ) {
        self.0.push(Difference {
            field: field.into(),
            wanted: wanted.to_string(),
            found: found.to_string(),
        });
    }

    fn text(&mut self, field: &str, wanted: impl fmt::Display, found: impl fmt::Display) {
        let (wanted, found) = (wanted.to_string(), found.to_string());
        if wanted != found {
            self.push(field, wanted, found);
        }
    }

    fn optional(
        &mut self,
        field: &str,
        wanted: Option<impl fmt::Display>,
        found: impl fmt::Display,
    ) {
        if let Some(wanted) = wanted {
            self.text(field, wanted, found);
        }
    }

    fn map(
        &mut self,
        field: &str,
        wanted: &BTreeMap<String, String>,
        found: &BTreeMap<String, String>,
    ) {
        for (key, value) in wanted {
            match found.get(key) {
                Some(there) if there == value => {}
                Some(there) => self.push(
                    format!("{field} {key:?}"),
                    format!("{value:?}"),
                    format!("{there:?}"),
                ),
                None => self.push(format!("{field} {key:?}"), format!("{value:?}"), "missing"),
            }
        }
    }

    fn pools(&mut self, wanted: &[Pool], found: &[PoolInfo], flavour: Flavour) {
        let subnet_of = |pool: &PoolInfo| pool.subnet.map(|subnet| subnet.trunc());
        for pool in wanted {
            let subnet = pool.subnet.trunc();
            let Some(there) = found.iter().find(|there| subnet_of(there) == Some(subnet)) else {
                self.push("pool", subnet, list(found.iter().filter_map(subnet_of)));
                continue;
            };
            if let Some(gateway) = pool.gateway.filter(|_| pool.gateway != there.gateway) {
                self.push(format!("gateway of {subnet}"), gateway, list(there.gateway));
            }
            // Podman tells neither of these.
            if flavour == Flavour::Podman {
                continue;
            }
            let range = pool.range.map(|range| range.trunc());
            let range_there = there.range.map(|range| range.trunc());
            if let Some(range) = range.filter(|_| range != range_there) {
                self.push(format!("range of {subnet}"), range, list(range_there));
            }
            for (name, ip) in
                pool.reserved.iter().filter(|(name, ip)| there.reserved.get(*name) != Some(*ip))
            {
                self.push(
                    format!("reserved address {name:?} of {subnet}"),
                    ip,
                    list(there.reserved.get(name)),
                );
            }
        }
        for extra in found
            .iter()
            .filter_map(subnet_of)
            .filter(|there| !wanted.iter().any(|pool| pool.subnet.trunc() == *there))
        {
            // An automatic IPv6 pool beside a chosen IPv4 one was asked for by `ipv6(true)`.
            let family_chosen =
                wanted.iter().any(|pool| pool.subnet.addr().is_ipv4() == extra.addr().is_ipv4());
            if family_chosen {
                self.push("pool", "none other", extra);
            }
        }
    }
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: &str = r#"{"Name":"a","Driver":"bridge","Internal":false,"EnableIPv6":false,
        "Options":{"com.docker.network.driver.mtu":"1400"},"Labels":{"app":"shop","tier":"web"},
        "IPAM":{"Driver":"default","Config":[{"Subnet":"10.7.0.0/24","Gateway":"10.7.0.1"}]}}"#;

    fn differences(spec: &NetworkSpec) -> Vec<String> {
        let info = NetworkInfo::from_json(THERE);
        spec.differences(&info, Flavour::Docker).iter().map(ToString::to_string).collect()
    }

    fn pool(subnet: &str) -> Pool {
        Pool::new(subnet.parse().unwrap())
    }

    #[test]
    fn what_is_left_open_may_be_anything() {
        assert_eq!(differences(&NetworkSpec::new("a")), [""; 0]);
        assert_eq!(
            differences(
                &NetworkSpec::new("a").label("app", "shop").pool(pool("10.7.0.9/24")).ipv6(false)
            ),
            [""; 0]
        );
    }

    #[test]
    fn every_field_that_differs_is_named() {
        let spec = NetworkSpec::new("a")
            .driver(Driver::Macvlan)
            .attachable(true)
            .ipv6(true)
            .label("app", "bar")
            .label("owner", "me")
            .option("com.docker.network.driver.mtu", "1500")
            .pool(pool("10.8.0.0/24"))
            .pool(
                pool("10.7.0.0/24")
                    .gateway("10.7.0.254".parse().unwrap())
                    .range("10.7.0.0/25".parse().unwrap()),
            );
        assert_eq!(
            differences(&spec),
            [
                "driver is bridge, not macvlan",
                "ipv6 is false, not true",
                "attachable is false, not true",
                "label \"app\" is \"shop\", not \"bar\"",
                "label \"owner\" is missing, not \"me\"",
                "option \"com.docker.network.driver.mtu\" is \"1400\", not \"1500\"",
                "pool is 10.7.0.0/24, not 10.8.0.0/24",
                "gateway of 10.7.0.0/24 is 10.7.0.1, not 10.7.0.254",
                "range of 10.7.0.0/24 is none, not 10.7.0.0/25",
            ]
        );
    }

    #[test]
    fn what_podman_does_not_tell_is_not_compared() {
        let info =
            NetworkInfo::from_json(r#"{"Name":"a","Driver":"bridge","Options":{"mtu":"1400"}}"#);
        let mtu =
            |value: &str| NetworkSpec::new("a").option("com.docker.network.driver.mtu", value);
        let icc = mtu("1400").option("com.docker.network.bridge.enable_icc", "false");
        assert_eq!(icc.differences(&info, Flavour::Podman), []);
        assert_eq!(
            mtu("1500").differences(&info, Flavour::Podman)[0].to_string(),
            r#"option "mtu" is "1400", not "1500""#
        );
    }

    #[test]
    fn a_pool_too_many_of_a_chosen_family_differs() {
        assert_eq!(differences(&NetworkSpec::new("a").pool(pool("10.9.0.0/24"))).len(), 2);
        assert_eq!(
            differences(&NetworkSpec::new("a").pool(pool("fd00::/64"))),
            ["pool is 10.7.0.0/24, not fd00::/64"]
        );
    }
}
