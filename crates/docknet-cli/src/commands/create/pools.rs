//! Subnets, ranges, gateways and reserved addresses: several flags that belong together by what contains what.

use std::net::IpAddr;

use clap::Args;
use docknet::{IpNet, Pool};

use crate::arguments::{setting, value};
use crate::failure::{Failure, Outcome};

#[derive(Args, Debug)]
#[command(next_help_heading = "Addresses")]
pub(super) struct Flags {
    /// A subnet; may be given several times, for several pools
    #[arg(long = "subnet", value_name = "SUBNET", value_delimiter = ',')]
    subnets: Vec<String>,

    /// Containers get addresses out of this part of the subnet only
    #[arg(long = "ip-range", value_name = "SUBNET", value_delimiter = ',')]
    ranges: Vec<String>,

    /// The subnet's gateway
    #[arg(long = "gateway", value_name = "IP", value_delimiter = ',')]
    gateways: Vec<String>,

    /// An address that no container gets
    #[arg(long = "aux-address", value_name = "NAME=IP", value_parser = setting)]
    reserved: Vec<(String, String)>,

    /// What gives addresses [default: default]
    #[arg(id = "ipam_driver", long = "ipam-driver", value_name = "DRIVER")]
    pub(super) driver: Option<String>,

    /// An option of what gives addresses
    #[arg(id = "ipam_options", long = "ipam-opt", value_name = "KEY=VALUE", value_parser = setting)]
    pub(super) options: Vec<(String, String)>,
}

impl Flags {
    /// Each range, gateway and reserved address with the subnet that it lies in.
    pub(super) fn pools(&self) -> Outcome<Vec<Pool>> {
        let mut drafts: Vec<Draft> = Vec::new();
        for text in &self.subnets {
            let subnet: IpNet = value("--subnet", text, "192.168.52.0/24")?;
            if let Some(other) = drafts.iter().find(|draft| overlap(draft.subnet, subnet)) {
                return Err(Failure::new(format!(
                    "`--subnet {subnet}` overlaps `--subnet {}`",
                    other.subnet
                )));
            }
            drafts.push(Draft { subnet, range: None, gateway: None, reserved: Vec::new() });
        }
        for text in &self.ranges {
            let range: IpNet = value("--ip-range", text, "192.168.52.128/25")?;
            let draft = home("--ip-range", text, range.addr(), &mut drafts)?;
            if let Some(other) = draft.range.replace(range) {
                return Err(twice("ranges", draft.subnet, other, range));
            }
        }
        for text in &self.gateways {
            let gateway: IpAddr = value("--gateway", text, "192.168.52.254")?;
            let draft = home("--gateway", text, gateway, &mut drafts)?;
            if let Some(other) = draft.gateway.replace(gateway) {
                return Err(twice("gateways", draft.subnet, other, gateway));
            }
        }
        for (name, text) in &self.reserved {
            let flag = format!("--aux-address {name}");
            if text.is_empty() {
                return Err(Failure::new(format!("`{flag}` has no address"))
                    .hint("as in `--aux-address printer=192.168.52.9`"));
            }
            let address: IpAddr = text
                .trim()
                .parse()
                .map_err(|error| Failure::new(format!("`{flag}={text}`: {error}")))?;
            let pair = format!("{name}={text}");
            home("--aux-address", &pair, address, &mut drafts)?
                .reserved
                .push((name.clone(), address));
        }
        Ok(drafts.into_iter().map(Draft::pool).collect())
    }
}

struct Draft {
    subnet: IpNet,
    range: Option<IpNet>,
    gateway: Option<IpAddr>,
    reserved: Vec<(String, IpAddr)>,
}

impl Draft {
    fn pool(self) -> Pool {
        let mut pool = Pool::new(self.subnet);
        if let Some(range) = self.range {
            pool = pool.range(range);
        }
        if let Some(gateway) = self.gateway {
            pool = pool.gateway(gateway);
        }
        self.reserved.into_iter().fold(pool, |pool, (name, address)| pool.reserve(name, address))
    }
}

/// The subnet that an address lies in.
fn home<'a>(
    flag: &str,
    text: &str,
    address: IpAddr,
    drafts: &'a mut [Draft],
) -> Outcome<&'a mut Draft> {
    let subnets: Vec<_> = drafts.iter().map(|draft| draft.subnet.to_string()).collect();
    drafts.iter_mut().find(|draft| draft.subnet.contains(&address)).ok_or_else(|| {
        let failure = Failure::new(format!("`{flag} {text}` lies in no subnet of this network"));
        match subnets.is_empty() {
            true => failure.hint("say `--subnet` too: only then may other addresses be chosen"),
            false => failure.hint(format!("its subnets are {}", subnets.join(", "))),
        }
    })
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

fn twice(
    what: &str,
    subnet: IpNet,
    one: impl std::fmt::Display,
    other: impl std::fmt::Display,
) -> Failure {
    Failure::new(format!("{one} and {other} are two {what} for one subnet, {subnet}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(
        subnets: &[&str],
        ranges: &[&str],
        gateways: &[&str],
        reserved: &[(&str, &str)],
    ) -> Flags {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Flags {
            subnets: owned(subnets),
            ranges: owned(ranges),
            gateways: owned(gateways),
            reserved: reserved
                .iter()
                .map(|(name, ip)| ((*name).to_owned(), (*ip).to_owned()))
                .collect(),
            driver: None,
            options: Vec::new(),
        }
    }

    #[test]
    fn each_goes_to_the_subnet_that_it_lies_in() {
        let flags = flags(
            &["10.7.0.0/24", "fd00:7::/64"],
            &["fd00:7::/80"],
            &["fd00:7::1", "10.7.0.254"],
            &[("printer", "10.7.0.9")],
        );
        let pools = flags.pools().unwrap();
        let four = Pool::new("10.7.0.0/24".parse().unwrap())
            .gateway("10.7.0.254".parse().unwrap())
            .reserve("printer", "10.7.0.9".parse().unwrap());
        let six = Pool::new("fd00:7::/64".parse().unwrap())
            .range("fd00:7::/80".parse().unwrap())
            .gateway("fd00:7::1".parse().unwrap());
        assert_eq!(pools, [four, six]);
    }

    #[test]
    fn what_fits_no_subnet_or_one_twice_is_refused() {
        for wrong in [
            flags(&["10.7.0.0/24", "10.7.0.128/25"], &[], &[], &[]),
            flags(&[], &[], &["10.7.0.1"], &[]),
            flags(&["10.7.0.0/24"], &[], &["10.8.0.1"], &[]),
            flags(&["10.7.0.0/24"], &[], &["10.7.0.1", "10.7.0.2"], &[]),
            flags(&["10.7.0.0/24"], &["10.7.0.0/25", "10.7.0.128/25"], &[], &[]),
            flags(&["10.7.0.0/24"], &[], &[], &[("x", "")]),
            flags(&["10.7.0.0/24"], &[], &[], &[("x", "10.8.0.1")]),
            flags(&["10.7.0.0"], &[], &[], &[]),
        ] {
            assert!(wrong.pools().is_err(), "{wrong:?}");
        }
    }
}
