//! `docknet connect`.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, ContainerSpec, EndpointSpec, ErrorKind};

use crate::about::About;
use crate::arguments::{setting, value};
use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Connect a container to a network
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet connect backend web
  docknet connect --ip 192.168.52.9 --alias db --alias postgres backend db1
  docknet connect --gw-priority 10 uplink router
  docknet connect --namespace /run/netns/blue backend blue        on docknet's own engine
  docknet connect --mac-address 02:42:c0:a8:34:09 backend web     from API 1.54 on")]
pub(crate) struct Connect {
    #[arg(add = ArgValueCandidates::new(complete::networks))]
    network: String,

    #[arg(add = ArgValueCandidates::new(complete::unconnected))]
    container: String,

    /// Its IPv4 address
    #[arg(long, value_name = "IP")]
    ip: Option<String>,

    /// Its IPv6 address
    #[arg(long, value_name = "IP")]
    ip6: Option<String>,

    /// Its hardware address
    #[arg(long, value_name = "MAC")]
    mac_address: Option<String>,

    /// A link-local address beside its own
    #[arg(long = "link-local-ip", value_name = "IP", value_delimiter = ',')]
    link_local: Vec<String>,

    /// Another name by which the others on this network find it
    #[arg(long = "alias", value_name = "NAME", value_delimiter = ',')]
    aliases: Vec<String>,

    /// A name by which it finds another container
    #[arg(long = "link", value_name = "CONTAINER[:ALIAS]", add = ArgValueCandidates::new(complete::containers))]
    links: Vec<String>,

    /// An option of the network's driver
    #[arg(long = "driver-opt", value_name = "KEY=VALUE", value_delimiter = ',')]
    options: Vec<String>,

    /// Of a container's networks the one with the highest number has the default gateway
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    gw_priority: Option<i64>,

    /// Make the container first, of the network namespace at this path: /run/netns/NAME, or
    /// /proc/PID/ns/net
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    namespace: Option<String>,
}

impl Connect {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let endpoint = self.endpoint()?;
        let client = session.client().await?;
        let interrupt = session.interrupt().await?;
        let what = format!("connect container `{}` to network `{}`", self.container, self.network);
        let connect = async {
            if let Some(path) = &self.namespace {
                return self.bring(client, path, endpoint).await;
            }
            let network = client.networks().get(&self.network).await;
            let network = network.map_err(|error| Failure::of(&what, &error))?;
            interrupt.check()?;
            network.connect(&self.container, endpoint).await.map_err(|error| {
                let failure = Failure::of(&what, &error);
                match error.kind() {
                    ErrorKind::AlreadyConnected => failure.hint(format!(
                        "for other settings disconnect it first: `docknet disconnect {} {}`",
                        self.network, self.container
                    )),
                    _ => failure,
                }
            })
        };
        let done: Outcome = session.waiting(&what, connect).await;
        done?;
        if interrupt.has_come() {
            session.say(format!(
                "container `{}` is connected to network `{}` all the same",
                self.container, self.network
            ));
        }
        interrupt.check()
    }

    /// Makes a container of a namespace that is there, on the network at once.
    async fn bring(&self, client: &Client, path: &str, endpoint: EndpointSpec) -> Outcome {
        let what = format!("make container `{}` of namespace `{path}`", self.container);
        if !About::ask(client).await?.has_namespaces() {
            return Err(Failure::new(format!("cannot {what}: the engine does not know how to"))
                .hint("an engine of `docknet serve --kernel` does"));
        }
        let failed = |error| Failure::of(&what, &error);
        let spec = ContainerSpec::new("").command(["sh"]).name(&self.container);
        let spec = spec.label("docknet.namespace", path).network(&self.network, endpoint);
        let container = client.containers().create(spec).await.map_err(failed)?;
        if let Err(error) = container.start().await {
            container.remove().await.map_err(failed)?;
            return Err(failed(error));
        }
        Ok(())
    }

    fn endpoint(&self) -> Outcome<EndpointSpec> {
        let mut endpoint = EndpointSpec::new();
        if let Some(ip) = said(&self.ip) {
            endpoint = endpoint.ipv4(value::<Ipv4Addr>("--ip", ip, "192.168.52.9")?);
        }
        if let Some(ip) = said(&self.ip6) {
            endpoint = endpoint.ipv6(value::<Ipv6Addr>("--ip6", ip, "2001:db8::33")?);
        }
        if let Some(mac) = said(&self.mac_address) {
            endpoint = endpoint.mac(value("--mac-address", mac, "02:42:c0:a8:34:09")?);
        }
        for ip in &self.link_local {
            endpoint = endpoint.link_local(value("--link-local-ip", ip, "169.254.34.68")?);
        }
        for alias in &self.aliases {
            endpoint = endpoint.alias(alias);
        }
        for link in &self.links {
            let (container, alias) = link.split_once(':').unwrap_or((link, link));
            endpoint = endpoint.link(container, alias);
        }
        for option in &self.options {
            let (key, value) = setting(option)
                .ok()
                .filter(|_| option.contains('='))
                .ok_or_else(|| Failure::new(format!("`--driver-opt {option}` is not KEY=VALUE")))?;
            endpoint = endpoint.driver_opt(key.trim(), value.trim());
        }
        if let Some(priority) = self.gw_priority {
            endpoint = endpoint.gateway_priority(priority);
        }
        Ok(endpoint)
    }
}

/// A flag whose value is empty is one that was not given, as scripts have it.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}
