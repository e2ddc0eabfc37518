//! A network as one asks for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ApiVersion, Driver, Ipam, Pool, Scope};

/// From this version on every engine refuses a name that is taken, whatever `CheckDuplicate` says
/// (API changelog, 1.44).
const DUPLICATES_ALWAYS_REFUSED: ApiVersion = ApiVersion::new(1, 44);

/// A network to create. A plain value: print it, store it, compare it, use it again.
///
/// It serialises as the body of `POST /networks/create`, and what is not set is not sent.
///
/// ```
/// use docknet_types::{Driver, NetworkSpec, Pool};
///
/// let spec = NetworkSpec::new("backend")
///     .driver(Driver::Bridge)
///     .pool(Pool::new("10.7.0.0/24".parse()?).gateway("10.7.0.254".parse()?))
///     .internal(true)
///     .label("app", "shop");
/// assert_eq!(spec.name, "backend");
/// assert_eq!(spec, serde_json::from_str(&serde_json::to_string(&spec)?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[must_use]
#[non_exhaustive]
pub struct NetworkSpec {
    /// The name.
    pub name: String,
    /// See [`check_duplicate`](Self::check_duplicate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_duplicate: Option<bool>,
    /// The driver; the engine takes bridge if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// How far it reaches; the driver decides if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whether containers are kept from reaching anything outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<bool>,
    /// Whether standalone containers may join a swarm's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachable: Option<bool>,
    /// Whether this is the routing mesh of a swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<bool>,
    /// Whether this is only a configuration for networks to be made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_only: Option<bool>,
    /// The configuration this network is made from.
    #[serde(skip_serializing_if = "Option::is_none", with = "config_reference")]
    pub config_from: Option<String>,
    /// Address pools.
    #[serde(
        rename = "IPAM",
        skip_serializing_if = "Ipam::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub ipam: Ipam,
    /// Whether containers get IPv4 addresses.
    #[serde(rename = "EnableIPv4", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<bool>,
    /// Whether containers get IPv6 addresses.
    #[serde(rename = "EnableIPv6", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
    /// Options of the driver.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub labels: BTreeMap<String, String>,
}

impl NetworkSpec {
    /// A network of this name, all else as the engine pleases.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets the driver.
    pub fn driver(mut self, driver: impl Into<Driver>) -> Self {
        self.driver = Some(driver.into());
        self
    }

    /// Adds an option of the driver, as in `("com.docker.network.driver.mtu", "1400")`.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }

    /// Adds options of the driver.
    pub fn options<K: Into<String>, V: Into<String>>(
        mut self,
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.options.extend(options.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Sets all of the address management, pools given before included.
    pub fn ipam(mut self, ipam: Ipam) -> Self {
        self.ipam = ipam;
        self
    }

    /// Adds an address pool.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.ipam.pools.push(pool);
        self
    }

    /// Whether a second network of the same name is refused. Only engines before API 1.44 can make one, and only if
    /// this is set to false.
    pub fn check_duplicate(mut self, check: bool) -> Self {
        self.check_duplicate = Some(check);
        self
    }

    /// Whether containers are kept from reaching anything outside the network.
    pub fn internal(mut self, internal: bool) -> Self {
        self.internal = Some(internal);
        self
    }

    /// Adds a label.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Adds labels.
    pub fn labels<K: Into<String>, V: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.labels.extend(labels.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Whether containers get IPv4 addresses (API 1.48; older engines always give them).
    pub fn ipv4(mut self, enable: bool) -> Self {
        self.ipv4 = Some(enable);
        self
    }

    /// Whether containers get IPv6 addresses.
    pub fn ipv6(mut self, enable: bool) -> Self {
        self.ipv6 = Some(enable);
        self
    }

    /// Whether standalone containers may join this network of a swarm.
    pub fn attachable(mut self, attachable: bool) -> Self {
        self.attachable = Some(attachable);
        self
    }

    /// Sets how far the network reaches.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Whether this is the routing mesh of a swarm; a swarm has one.
    pub fn ingress(mut self, ingress: bool) -> Self {
        self.ingress = Some(ingress);
        self
    }

    /// Whether this only keeps a configuration, for [`config_from`](Self::config_from).
    pub fn config_only(mut self, config_only: bool) -> Self {
        self.config_only = Some(config_only);
        self
    }

    /// Takes options, labels and pools from the configuration of this name.
    pub fn config_from(mut self, name: impl Into<String>) -> Self {
        self.config_from = Some(name.into());
        self
    }

    /// The spec as it goes to an engine of this API version: where an engine would make a second network of a name
    /// that is taken, and the spec does not ask for that, it is told not to.
    pub fn for_version(mut self, version: ApiVersion) -> Self {
        if version < DUPLICATES_ALWAYS_REFUSED {
            self.check_duplicate.get_or_insert(true);
        }
        self
    }
}

impl From<&str> for NetworkSpec {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for NetworkSpec {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&String> for NetworkSpec {
    fn from(name: &String) -> Self {
        Self::new(name)
    }
}

impl From<&Self> for NetworkSpec {
    fn from(spec: &Self) -> Self {
        spec.clone()
    }
}

/// `{"Network": name}` on the wire, the name in Rust; an empty name is none.
pub(crate) mod config_reference {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Reference {
        network: String,
    }

    pub(crate) fn serialize<S: Serializer>(
        name: &Option<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        name.clone().map(|network| Reference { network }).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        let reference = Option::<Reference>::deserialize(deserializer)?;
        Ok(reference.map(|reference| reference.network).filter(|name| !name.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        assert_eq!(serde_json::to_string(&NetworkSpec::new("a")).unwrap(), r#"{"Name":"a"}"#);
    }

    #[test]
    fn every_field_has_its_name_on_the_wire() {
        let spec = NetworkSpec::new("all")
            .check_duplicate(true)
            .driver("weave")
            .scope(Scope::Swarm)
            .internal(false)
            .attachable(true)
            .ingress(false)
            .config_only(false)
            .config_from("base")
            .ipam(
                Ipam::new().driver("default").option("o", "p").pool(
                    Pool::new("fd00::/64".parse().unwrap())
                        .range("fd00::/80".parse().unwrap())
                        .gateway("fd00::1".parse().unwrap())
                        .reserve("router", "fd00::2".parse().unwrap()),
                ),
            )
            .ipv4(false)
            .ipv6(true)
            .options([("k", "v")])
            .labels([("l", "m")]);
        let json = serde_json::to_value(&spec).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "Name": "all", "CheckDuplicate": true, "Driver": "weave", "Scope": "swarm", "Internal": false,
                "Attachable": true, "Ingress": false, "ConfigOnly": false, "ConfigFrom": {"Network": "base"},
                "IPAM": {"Driver": "default", "Options": {"o": "p"}, "Config": [{
                    "Subnet": "fd00::/64", "IPRange": "fd00::/80", "Gateway": "fd00::1",
                    "AuxiliaryAddresses": {"router": "fd00::2"},
                }]},
                "EnableIPv4": false, "EnableIPv6": true, "Options": {"k": "v"}, "Labels": {"l": "m"},
            })
        );
        assert_eq!(serde_json::from_value::<NetworkSpec>(json).unwrap(), spec);
    }

    #[test]
    fn duplicates_are_refused_unless_asked_for() {
        let old = ApiVersion::new(1, 41);
        assert_eq!(NetworkSpec::new("a").for_version(old).check_duplicate, Some(true));
        assert_eq!(
            NetworkSpec::new("a").check_duplicate(false).for_version(old).check_duplicate,
            Some(false)
        );
        assert_eq!(NetworkSpec::new("a").for_version(ApiVersion::new(1, 44)).check_duplicate, None);
    }
}
