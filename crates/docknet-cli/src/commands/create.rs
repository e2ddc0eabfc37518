//! `docknet create`.

mod pools;

use std::io::Write;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Driver, ErrorKind, Ipam, NetworkSpec, Scope};

use self::pools::Flags;
use crate::arguments::setting;
use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Create a network
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet create backend
  docknet create --subnet 192.168.52.0/24 --gateway 192.168.52.254 network1
  docknet create --ipv6 --subnet 10.7.0.0/24 --subnet fd00:7::/64 dual
  docknet create --if-not-exists --internal --label app=shop db")]
pub(crate) struct Create {
    /// The network's name
    #[arg(value_name = "NETWORK")]
    name: String,

    /// What drives it: bridge, macvlan, ipvlan, overlay, or a plugin
    #[arg(short, long, default_value = "bridge", add = ArgValueCandidates::new(complete::drivers))]
    driver: String,

    /// An option of the driver
    #[arg(short = 'o', long = "opt", value_name = "KEY=VALUE", value_parser = setting)]
    options: Vec<(String, String)>,

    /// A label
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = setting)]
    labels: Vec<(String, String)>,

    /// No way out to other networks
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "BOOL")]
    internal: bool,

    /// Let containers of a swarm's nodes be connected by hand
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "BOOL")]
    attachable: bool,

    /// The swarm's routing mesh
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "BOOL")]
    ingress: bool,

    /// IPv4 addresses, or none with --ipv4=false [default: as the engine has it]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
    ipv4: Option<bool>,

    /// IPv6 addresses [default: as the engine has it]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
    ipv6: Option<bool>,

    /// local or swarm
    #[arg(long, add = ArgValueCandidates::new(complete::scopes))]
    scope: Option<String>,

    /// Only a configuration, that others are made from
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true, value_name = "BOOL")]
    config_only: bool,

    /// The network whose configuration this one has
    #[arg(long, value_name = "NETWORK", add = ArgValueCandidates::new(complete::networks))]
    config_from: Option<String>,

    /// A network of this name that is as asked for is taken as it is; one that is not is an error that names the fields
    #[arg(long)]
    if_not_exists: bool,

    #[command(flatten)]
    pools: Flags,
}

impl Create {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let spec = self.spec()?;
        let networks = session.client().await?.networks();
        let interrupt = session.interrupt().await?;
        let what = format!("create network `{}`", self.name);
        interrupt.check()?;
        let made = async {
            if self.if_not_exists {
                networks.ensure(&spec).await
            } else {
                networks.create(&spec).await
            }
        };
        let made = session.waiting(&what, made).await.map_err(|error| {
            let failure = Failure::of(&what, &error);
            match error.kind() {
                ErrorKind::NameTaken if !self.if_not_exists => {
                    failure.hint("`--if-not-exists` takes the network that is there")
                }
                _ => failure,
            }
        })?;
        if let Some(warning) = made.warning() {
            session.warn(warning);
        }
        if interrupt.has_come() && !self.if_not_exists {
            return match made.remove().await {
                Ok(()) => Err(Failure::new(format!(
                    "interrupted: network `{}` was made, and is removed again",
                    self.name
                ))
                .code(130)),
                Err(error) => Err(Failure::of(
                    format_args!("interrupted, and cannot remove network `{}` again", self.name),
                    &error,
                )
                .code(130)),
            };
        }
        let mut out = session.out();
        writeln!(out, "{}", made.id())?;
        Ok(out.flush()?)
    }

    fn spec(&self) -> Outcome<NetworkSpec> {
        let mut ipam = Ipam::new();
        if let Some(driver) = &self.pools.driver {
            ipam = ipam.driver(driver);
        }
        for (key, value) in &self.pools.options {
            ipam = ipam.option(key, value);
        }
        for pool in self.pools.pools()? {
            ipam = ipam.pool(pool);
        }
        let mut spec = NetworkSpec::new(&self.name)
            .driver(Driver::from(self.driver.as_str()))
            .options(self.options.iter().cloned())
            .labels(self.labels.iter().cloned())
            .ipam(ipam);
        // What was not said is not sent: a newer engine may have another default.
        for (given, set) in [
            (self.internal, NetworkSpec::internal as fn(NetworkSpec, bool) -> NetworkSpec),
            (self.attachable, NetworkSpec::attachable),
            (self.ingress, NetworkSpec::ingress),
            (self.config_only, NetworkSpec::config_only),
        ] {
            if given {
                spec = set(spec, given);
            }
        }
        if let Some(ipv4) = self.ipv4 {
            spec = spec.ipv4(ipv4);
        }
        if let Some(ipv6) = self.ipv6 {
            spec = spec.ipv6(ipv6);
        }
        if let Some(scope) = self.scope.as_deref().filter(|scope| !scope.is_empty()) {
            spec = spec.scope(Scope::from(scope));
        }
        if let Some(config) = &self.config_from {
            spec = spec.config_from(config);
        }
        Ok(spec)
    }
}
