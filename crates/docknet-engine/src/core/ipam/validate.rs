//! What is wrong with an address configuration as it is written.

use std::net::IpAddr;

use ipnet::IpNet;

use super::allocate::Families;
use super::config::PoolConfig;
use super::go_net::{Zone, parse_addr, parse_cidr, parse_ip, parse_prefix};
use super::number::Family;
use super::refusal::IpamRefusal;
use crate::Profile;

/// A pool that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidPool {
    /// As it was written: refusals quote it.
    pub(crate) config: PoolConfig,
    pub(crate) subnet: IpNet,
    pub(crate) range: Option<IpNet>,
    pub(crate) gateway: Option<IpAddr>,
    /// An IPv4 subnet within IPv6, as it was written.
    pub(crate) mapped: Option<IpNet>,
}

/// Checks what a client wrote, before anything is tried. All mistakes at once where the engine does so.
pub(crate) fn validate(
    profile: Profile,
    configs: &[PoolConfig],
    families: Families,
) -> Result<Vec<ValidPool>, IpamRefusal> {
    match profile {
        Profile::Docker26 | Profile::Docker28 => {
            let mistakes: Vec<String> =
                configs.iter().flat_map(|config| mistakes(config, families)).collect();
            if !mistakes.is_empty() {
                return Err(IpamRefusal::Mistakes(mistakes));
            }
        }
        Profile::Docker20_10 => first_mistake_20_10(configs, families)?,
        Profile::Podman5 => first_mistake_podman(configs)?,
    }
    Ok(configs.iter().filter_map(valid).collect())
}

/// What was found right, parsed.
fn valid(config: &PoolConfig) -> Option<ValidPool> {
    let (_, subnet) = parse_cidr(&config.subnet)?;
    Some(ValidPool {
        subnet,
        range: parse_cidr(&config.range).map(|(_, range)| range),
        gateway: parse_ip(&config.gateway),
        mapped: parse_prefix(&config.subnet)
            .filter(|net| Family::of_net(net) != Family::of_net(&subnet)),
        config: config.clone(),
    })
}

/// Docker 26 and 28. Subnets of IPv6 are not looked into while it is off.
fn mistakes(config: &PoolConfig, families: Families) -> Vec<String> {
    let Some(subnet) = parse_prefix(&config.subnet) else {
        return vec![format!("invalid subnet {}: {NOTATION}", config.subnet)];
    };
    if Family::of_net(&subnet) == Family::V6 && !families.v6.is_on() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if subnet != subnet.trunc() {
        found.push(format!("invalid subnet {subnet}: it should be {}", subnet.trunc()));
    }
    found.extend(range_mistakes(&config.range, &subnet));
    if let Some(why) = address_mistake(&config.gateway, &subnet) {
        found.push(format!("invalid gateway {}: {why}", config.gateway));
    }
    for (name, address) in &config.aux {
        if let Some(why) = address_mistake(address, &subnet) {
            found.push(format!("invalid auxiliary address {name}: {why}"));
        }
    }
    found
}

const NOTATION: &str = "invalid CIDR block notation";

fn range_mistakes(text: &str, subnet: &IpNet) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let Some(range) = parse_prefix(text) else {
        return vec![format!("invalid ip-range {text}: {NOTATION}")];
    };
    let family = Family::of_net(subnet);
    if Family::of_net(&range) != family {
        return vec![format!("invalid ip-range {text}: parent subnet is an {family} block")];
    }
    let mut found = Vec::new();
    if range.prefix_len() < subnet.prefix_len() {
        found.push(format!(
            "invalid ip-range {text}: CIDR block is bigger than its parent subnet {subnet}"
        ));
    }
    if range != range.trunc() {
        found.push(format!("invalid ip-range {range}: it should be {}", range.trunc()));
    }
    if !subnet.contains(&range.trunc()) && !range.contains(&subnet.trunc()) {
        found.push(format!(
            "invalid ip-range {text}: parent subnet {subnet} doesn't contain ip-range"
        ));
    }
    found
}

fn address_mistake(text: &str, subnet: &IpNet) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let Some((ip, zone)) = parse_addr(text) else {
        return Some("invalid address".to_owned());
    };
    let family = Family::of_net(subnet);
    if Family::of(ip) != family {
        return Some(format!("parent subnet is an {family} block"));
    }
    let inside = subnet.contains(&ip) && zone == Zone::Missing;
    (!inside).then(|| format!("parent subnet {subnet} doesn't contain this address"))
}

/// Docker 20.10 stops at the first: all subnets, then the gateway and the range of each that is used, IPv4 first.
fn first_mistake_20_10(configs: &[PoolConfig], families: Families) -> Result<(), IpamRefusal> {
    let mut pools = Vec::new();
    for config in configs {
        let Some((_, subnet)) = parse_cidr(&config.subnet) else {
            let text = &config.subnet;
            return Err(mistake(format!("Invalid subnet {text} : invalid CIDR address: {text}")));
        };
        pools.push((config, subnet));
    }
    for family in [Family::V4, Family::V6] {
        let used = family == Family::V4 || families.v6.is_on();
        for (config, subnet) in
            pools.iter().filter(|(_, net)| used && Family::of_net(net) == family)
        {
            let gateway = &config.gateway;
            if !gateway.is_empty() && parse_ip(gateway).is_none() {
                let message = format!("invalid gateway address {gateway} in Ipam configuration");
                return Err(mistake(message));
            }
            if let Some(why) = range_mistake_20_10(&config.range, subnet) {
                let message = format!(
                    "failed to parse pool request for address space \"LocalDefault\" pool \"{}\" subpool \"{}\": {why}",
                    config.subnet, config.range
                );
                return Err(mistake(message));
            }
        }
    }
    Ok(())
}

fn range_mistake_20_10(text: &str, subnet: &IpNet) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let Some((_, range)) = parse_cidr(text) else {
        return Some("Invalid Address SubPool".to_owned());
    };
    (Family::of_net(&range) != Family::of_net(subnet)).then(|| {
        format!(
            "failed to compute range's lowest ip address: cannot compute host portion ip address because ip and mask \
             are not compatible: (net.IP{{{}}}, net.IPMask{{{}}})",
            go_bytes(range.network()),
            go_bytes(subnet.netmask())
        )
    })
}

/// The octets of an address as Go prints a slice of them.
fn go_bytes(ip: IpAddr) -> String {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:#x}")).collect();
    hex.join(", ")
}

/// Podman reads all of it first, and then finds out whether there is a subnet.
fn first_mistake_podman(configs: &[PoolConfig]) -> Result<(), IpamRefusal> {
    let cidr = |what: &str, text: &str| {
        let cause = format!("invalid CIDR address: {text}");
        let message = format!("failed to parse {what}: {cause}");
        IpamRefusal::Mistake { message, cause: Some(cause) }
    };
    for PoolConfig { subnet, range, gateway, .. } in configs {
        if !subnet.is_empty() && parse_cidr(subnet).is_none() {
            return Err(cidr("subnet", subnet));
        }
        if !gateway.is_empty() && parse_ip(gateway).is_none() {
            return Err(mistake(format!("failed to parse gateway ip {gateway}")));
        }
        if !range.is_empty() && parse_cidr(range).is_none() {
            return Err(cidr("ip range", range));
        }
    }
    if configs.iter().any(|config| config.subnet.is_empty()) {
        return Err(mistake("subnet ip is nil".to_owned()));
    }
    Ok(())
}

const fn mistake(message: String) -> IpamRefusal {
    IpamRefusal::Mistake { message, cause: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::allocate::FamilyWish;
    use super::*;

    const DUAL: Families = Families { v4: FamilyWish::On, v6: FamilyWish::On };
    const ONLY_V4: Families = Families { v4: FamilyWish::On, v6: FamilyWish::Off };

    fn answer(profile: Profile, families: Families, json: &str) -> Option<String> {
        let configs: Vec<PoolConfig> = serde_json::from_str(json).unwrap();
        validate(profile, &configs, families).err().map(|why| why.answer(profile).1)
    }

    #[test]
    fn all_mistakes_come_at_once_and_in_order() {
        let json = r#"[
            {"Subnet":"10.3.0.5/24","IPRange":"10.4.0.1/16","Gateway":"foo",
             "AuxiliaryAddresses":{"b":"fd00::1","a":"10.9.0.1"}},
            {"Subnet":"foo","Gateway":"bar"},
            {"Subnet":"fd00::/64","Gateway":"fd00::1%eth0","IPRange":"fd00::/80x"}
        ]"#;
        let all = "invalid network config:\n\
            * invalid subnet 10.3.0.5/24: it should be 10.3.0.0/24\n\
            * invalid ip-range 10.4.0.1/16: CIDR block is bigger than its parent subnet 10.3.0.5/24\n\
            * invalid ip-range 10.4.0.1/16: it should be 10.4.0.0/16\n\
            * invalid ip-range 10.4.0.1/16: parent subnet 10.3.0.5/24 doesn't contain ip-range\n\
            * invalid gateway foo: invalid address\n\
            * invalid auxiliary address a: parent subnet 10.3.0.5/24 doesn't contain this address\n\
            * invalid auxiliary address b: parent subnet is an IPv4 block\n\
            * invalid subnet foo: invalid CIDR block notation\n\
            * invalid ip-range fd00::/80x: invalid CIDR block notation\n\
            * invalid gateway fd00::1%eth0: parent subnet fd00::/64 doesn't contain this address";
        assert_eq!(answer(Profile::Docker28, DUAL, json).as_deref(), Some(all));
        assert_eq!(answer(Profile::Docker26, DUAL, json).as_deref(), Some(all));
        // The others stop at the first that they look at.
        let first = "Invalid subnet foo : invalid CIDR address: foo";
        assert_eq!(answer(Profile::Docker20_10, DUAL, json).as_deref(), Some(first));
        let first = "failed to parse gateway ip foo";
        assert_eq!(answer(Profile::Podman5, DUAL, json).as_deref(), Some(first));
    }

    #[test]
    fn nobody_looks_into_a_subnet_of_ipv6_while_it_is_off() {
        let json = r#"[{"Subnet":"fd00::5/64","Gateway":"foo","IPRange":"bar"}]"#;
        assert_eq!(answer(Profile::Docker28, ONLY_V4, json), None);
        assert_eq!(answer(Profile::Docker20_10, ONLY_V4, json), None);
        assert!(answer(Profile::Docker28, DUAL, json).is_some());
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_makes_it_panic(
            subnet in "[0-9a-f:./% ]{0,24}",
            range in "[0-9a-f:./]{0,20}",
            gateway in "[0-9a-f:.%é]{0,16}",
            aux in "[0-9a-f:.]{0,16}",
        ) {
            let aux = [("a".to_owned(), aux)].into();
            let config = PoolConfig { subnet, range, gateway, aux };
            for profile in [Profile::Docker28, Profile::Docker26, Profile::Docker20_10, Profile::Podman5] {
                if let Err(why) = validate(profile, std::slice::from_ref(&config), DUAL) {
                    prop_assert!(!why.answer(profile).1.is_empty());
                }
            }
        }
    }
}
