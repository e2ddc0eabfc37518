//! The words and the status of refusals, as Docker 28.5 has them. An engine that plays it has to have the same ones: its
//! users look for them in logs and in tests.

use docknet::{Client, Container, EndpointSpec, Network, NetworkMode, Result};

use crate::behaviours;
use crate::lab::{self, exchange, subnet};
use crate::stage::Stage;

behaviours!(
    wording:
    of_names_and_bodies [Wording],
    of_drivers [Wording],
    of_subnets_and_gateways [Wording],
    of_ranges_and_reserved_addresses [Wording],
    of_options [Wording],
    of_configurations [Wording],
    of_lookups [Wording],
    of_filters [Wording],
    of_removals [Containers, Wording],
    of_connections [Containers, Wording],
    of_connections_of_what_does_not_run [Containers, Wording],
    of_addresses_that_are_asked_for [Containers, Wording],
    of_disconnections [Containers, Wording],
    of_modes [Containers, Wording],
    of_containers_and_their_networks [Containers, Wording],
);

/// What is asked, with which body, and status and message of the answer. `<n>` is a new name and `<s>` the beginning of a
/// free subnet, in each row others; `<net>`, `<id>` and so on are what the table stands on. `*` in a message is any text.
type Row = (&'static str, &'static str, u16, &'static str);

const CREATE: &str = "POST /networks/create";

/// Names and bodies that make no network are refused with Docker's words, and what may look wrong is taken.
pub async fn of_names_and_bodies(client: &Client) -> Result<()> {
    let table = Table::new(client).await?;
    table
        .holds(&[
            (CREATE, r#"{"Name":""}"#, 400, "invalid name: name is empty"),
            (CREATE, r#"{"Name":"  "}"#, 400, "invalid name: name is empty"),
            (CREATE, r#"{"Name":null}"#, 400, "invalid name: name is empty"),
            (CREATE, "{}", 400, "invalid name: name is empty"),
            (CREATE, "", 400, "invalid name: name is empty"),
            (CREATE, r#"{"Name":"bridge"}"#, 403, "operation is not permitted on predefined bridge network"),
            (CREATE, r#"{"Name":"host"}"#, 403, "operation is not permitted on predefined host network"),
            (CREATE, r#"{"Name":"none"}"#, 403, "operation is not permitted on predefined none network"),
            (CREATE, r#"{"Name":"default"}"#, 403, "operation is not permitted on predefined default network"),
            (CREATE, r#"{"Name":"<net>"}"#, 409, "network with name <net> already exists"),
            (CREATE, r#"{"Name":"<net>","CheckDuplicate":false}"#, 409, "network with name <net> already exists"),
            (CREATE, r#"{"Name":"<n>","Labels":{"k":1}}"#, 400, "invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Labels.k of type string"),
            (CREATE, r#"{"Name":"<n>","Internal":"true"}"#, 400, "invalid JSON: json: cannot unmarshal string into Go struct field CreateRequest.Internal of type bool"),
            (CREATE, r#"{"Name":"<n>""#, 400, "invalid JSON: unexpected EOF"),
            (CREATE, r#"{"Name":"<n>"}x"#, 400, "unexpected content after JSON"),
            (CREATE, r#"{"nAME":"<n>","Unheard":1,"IPAM":{"Config":[{"subnet":"<s>.0/24"}]}}"#, 201, ""),
            (CREATE, r#"{"Name":"<n>","Name":"<n>-2","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]}}"#, 201, ""),
            (CREATE, r#"{"Name":"<n>","Ingress":true}"#, 403, "Ingress network can only be global scope network"),
            (CREATE, r#"{"Name":"<n>","Scope":"swarm"}"#, 403, "cannot create a swarm scoped network when swarm is not active"),
            (CREATE, r#"{"Name":"<n>","Scope":"bogus","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]}}"#, 201, ""),
            (CREATE, r#"{"Name":"<n>","EnableIPv4":false}"#, 400, "IPv4 or IPv6 must be enabled"),
        ])
        .await
}

/// Drivers that cannot be had are refused with Docker's words.
pub async fn of_drivers(client: &Client) -> Result<()> {
    let table = Table::new(client).await?;
    table
        .holds(&[
            (CREATE, r#"{"Name":"<n>","Driver":"host"}"#, 403, "only one instance of \"host\" network is allowed"),
            (CREATE, r#"{"Name":"<n>","Driver":"null"}"#, 403, "only one instance of \"null\" network is allowed"),
            (CREATE, r#"{"Name":"<n>","Driver":"Bridge"}"#, 404, "plugin \"Bridge\" not found"),
            (CREATE, r#"{"Name":"<n>","Driver":"","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]}}"#, 201, ""),
            (CREATE, r#"{"Name":"<n>","Driver":null,"IPAM":{"Config":[{"Subnet":"<s>.0/24"}]}}"#, 201, ""),
            (CREATE, r#"{"Name":"<n>","Driver":"overlay"}"#, 403, "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."),
            (CREATE, r#"{"Name":"<n>","Driver":"macvlan","Options":{"parent":"nosuch0"}}"#, 500, "invalid subinterface vlan name nosuch0, example formatting is eth0.10"),
        ])
        .await
}

/// Subnets and gateways that cannot be are refused with Docker's words, all mistakes at once.
pub async fn of_subnets_and_gateways(client: &Client) -> Result<()> {
    const OVERLAPS: &str =
        "invalid pool request: Pool overlaps with other one on this address space";
    let table = Table::new(client).await?;
    table
        .holds(&[
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"foo"}]}}"#, 400, "invalid network config:\ninvalid subnet foo: invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0"}]}}"#, 400, "invalid network config:\ninvalid subnet <s>.0: invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":" <s>.0/24"}]}}"#, 400, "invalid network config:\ninvalid subnet  <s>.0/24: invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{}]}}"#, 400, "invalid network config:\ninvalid subnet : invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Gateway":"<s>.1"}]}}"#, 400, "invalid network config:\ninvalid subnet : invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.5/24"}]}}"#, 400, "invalid network config:\ninvalid subnet <s>.5/24: it should be <s>.0/24"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"0.0.0.0/0"}]}}"#, 403, OVERLAPS),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<b>.0/24"}]}}"#, 403, OVERLAPS),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<b>.64/26"}]}}"#, 403, OVERLAPS),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"172.17.0.0/24"}]}}"#, 403, OVERLAPS),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/25"},{"Subnet":"<s>.128/25"}]}}"#, 403, "bridge driver doesn't support multiple subnets"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"192.0.2.1"}]}}"#, 400, "invalid network config:\ninvalid gateway 192.0.2.1: parent subnet <s>.0/24 doesn't contain this address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"foo"}]}}"#, 400, "invalid network config:\ninvalid gateway foo: invalid address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"<s>.1/24"}]}}"#, 400, "invalid network config:\ninvalid gateway <s>.1/24: invalid address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"fd00::1"}]}}"#, 400, "invalid network config:\ninvalid gateway fd00::1: parent subnet is an IPv4 block"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"<s>.0"}]}}"#, 500, "failed to allocate gateway (<s>.0): Address already in use"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"<s>.255"}]}}"#, 500, "failed to allocate gateway (<s>.255): Address already in use"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.5/24","Gateway":"192.0.2.1","IPRange":"foo"}]}}"#, 400, "invalid network config:\n* invalid subnet <s>.5/24: it should be <s>.0/24\n* invalid ip-range foo: invalid CIDR block notation\n* invalid gateway 192.0.2.1: parent subnet <s>.5/24 doesn't contain this address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Driver":"null"}}"#, 400, "ipv4 pool is empty"),
        ])
        .await
}

/// Ranges and reserved addresses that cannot be are refused with Docker's words.
pub async fn of_ranges_and_reserved_addresses(client: &Client) -> Result<()> {
    let table = Table::new(client).await?;
    table
        .holds(&[
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","IPRange":"192.0.2.0/25"}]}}"#, 400, "invalid network config:\ninvalid ip-range 192.0.2.0/25: parent subnet <s>.0/24 doesn't contain ip-range"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","IPRange":"10.0.0.0/8"}]}}"#, 400, "invalid network config:\ninvalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet <s>.0/24"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","IPRange":"<s>.129/25"}]}}"#, 400, "invalid network config:\ninvalid ip-range <s>.129/25: it should be <s>.128/25"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","IPRange":"foo"}]}}"#, 400, "invalid network config:\ninvalid ip-range foo: invalid CIDR block notation"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","IPRange":"fd00::/80"}]}}"#, 400, "invalid network config:\ninvalid ip-range fd00::/80: parent subnet is an IPv4 block"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","AuxiliaryAddresses":{"a":"192.0.2.9"}}]}}"#, 400, "invalid network config:\ninvalid auxiliary address a: parent subnet <s>.0/24 doesn't contain this address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","AuxiliaryAddresses":{"a":"foo"}}]}}"#, 400, "invalid network config:\ninvalid auxiliary address a: invalid address"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","Gateway":"<s>.9","AuxiliaryAddresses":{"a":"<s>.9"}}]}}"#, 500, "failed to allocate secondary ip address (a:<s>.9): Address already in use"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","AuxiliaryAddresses":{"a":"<s>.1"}}]}}"#, 500, "failed to allocate secondary ip address (a:<s>.1): Address already in use"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24","AuxiliaryAddresses":{"a":"<s>.9","b":"<s>.9"}}]}}"#, 500, "failed to allocate secondary ip address (*:<s>.9): Address already in use"),
        ])
        .await
}

/// Options that the driver cannot read are refused with Docker's words.
pub async fn of_options(client: &Client) -> Result<()> {
    let table = Table::new(client).await?;
    table
        .holds(&[
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.name":"abcdefghijklmnop"}}"#, 500, "numerical result out of range"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.driver.mtu":"abc"}}"#, 400, "failed to parse com.docker.network.driver.mtu value: abc (strconv.Atoi: parsing \"abc\": invalid syntax)"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.driver.mtu":"-1"}}"#, 400, "invalid MTU number: -1"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.driver.mtu":"70000"}}"#, 500, "invalid argument"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.enable_icc":"maybe"}}"#, 400, "failed to parse com.docker.network.bridge.enable_icc value: maybe (strconv.ParseBool: parsing \"maybe\": invalid syntax)"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.enable_ip_masquerade":"maybe"}}"#, 400, "failed to parse com.docker.network.bridge.enable_ip_masquerade value: maybe (strconv.ParseBool: parsing \"maybe\": invalid syntax)"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.host_binding_ipv4":"maybe"}}"#, 400, "failed to parse com.docker.network.bridge.host_binding_ipv4 value: maybe (nil ip)"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.gateway_mode_ipv4":"isolated"}}"#, 500, "gateway mode 'isolated' can only be used for an internal network"),
            (CREATE, r#"{"Name":"<n>","IPAM":{"Config":[{"Subnet":"<s>.0/24"}]},"Options":{"com.docker.network.bridge.gateway_mode_ipv4":"garbage"}}"#, 400, "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: garbage (unknown gateway mode garbage)"),
        ])
        .await
}

/// Configurations, and networks of them, that cannot be are refused with Docker's words.
pub async fn of_configurations(client: &Client) -> Result<()> {
    const OPERATOR: &str = "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.";
    const OWN: &str = "user specified configurations are not supported if the network depends on a configuration network";
    let mut table = Table::new(client).await?;
    let configuration = table.stage.spec("cfg").config_only(true);
    let configuration = table.stage.create_network(configuration).await?;
    table.stands_on("<cfg>", configuration.name());
    table.stands_on("<cfgid>", configuration.id().as_str());
    table
        .holds(&[
            (CREATE, r#"{"Name":"<n>","ConfigOnly":true,"Internal":true}"#, 403, OPERATOR),
            (CREATE, r#"{"Name":"<n>","ConfigOnly":true,"Attachable":true}"#, 403, OPERATOR),
            (CREATE, r#"{"Name":"<n>","ConfigOnly":true,"ConfigFrom":{"Network":"<cfg>"}}"#, 403, "a configuration network cannot depend on another configuration network"),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"nosuch"}}"#, 404, "configuration network \"nosuch\" does not exist"),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"bridge"}}"#, 404, "configuration network \"bridge\" does not exist"),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"<cfgid>"}}"#, 404, "configuration network \"<cfgid>\" does not exist"),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"<cfg>"},"Labels":{"own":"1"}}"#, 403, OWN),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"<cfg>"},"IPAM":{"Config":[{"Subnet":"<s>.0/24"}]}}"#, 403, OWN),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"<cfg>"},"Options":{"a":"b"}}"#, 403, "network driver options are not supported if the network depends on a configuration network"),
            (CREATE, r#"{"Name":"<n>","ConfigFrom":{"Network":"<cfg>"}}"#, 201, ""),
            ("DELETE /networks/<cfg>", "", 403, "error while removing network: configuration network \"<cfg>\" is in use"),
        ])
        .await
}

/// Networks that are not found are named in Docker's words; words of paths are names like any other.
pub async fn of_lookups(client: &Client) -> Result<()> {
    let mut table = Table::new(client).await?;
    table.stands_on("<ID>", &table.network.id().as_str().to_uppercase());
    table
        .holds(&[
            ("GET /networks/<n>", "", 404, "network <n> not found"),
            ("GET /networks/<id>0", "", 404, "network <id>0 not found"),
            ("GET /networks/<ID>", "", 404, "network <ID> not found"),
            ("GET /networks/create", "", 404, "network create not found"),
            ("GET /networks/prune", "", 404, "network prune not found"),
            ("GET /networks/<net>/foo", "", 404, "network <net>/foo not found"),
            ("GET /networks/<net>?scope=swarm", "", 404, "network <net> not found"),
            ("GET /networks/<net>?scope=garbage", "", 404, "network <net> not found"),
            ("GET /networks/<net>?scope=local&verbose=1", "", 200, ""),
            ("GET /networks/<net>?verbose=garbage", "", 400, "invalid value for verbose: garbage: strconv.ParseBool: parsing \"garbage\": invalid syntax"),
            ("GET /networks/", "", 200, ""),
            ("PUT /networks/<net>", "", 404, "page not found"),
            ("PATCH /networks", "", 404, "page not found"),
        ])
        .await
}

/// Filters that cannot be are refused with Docker's words, and those that say nothing are taken.
pub async fn of_filters(client: &Client) -> Result<()> {
    const DANGLING: &str =
        "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")";
    let table = Table::new(client).await?;
    table
        .holds(&[
            (r#"GET /networks?filters={"foo":["bar"]}"#, "", 400, "invalid filter 'foo'"),
            (r#"GET /networks?filters={"Name":["x"]}"#, "", 400, "invalid filter 'Name'"),
            (r#"GET /networks?filters={"label!":["x"]}"#, "", 400, "invalid filter 'label!'"),
            (r#"GET /networks?filters={"until":["1h"]}"#, "", 400, "invalid filter 'until'"),
            (r#"GET /networks?filters={"type":["foo"]}"#, "", 500, "invalid filter: 'type'='foo'"),
            (r#"GET /networks?filters={"dangling":["foo"]}"#, "", 400, DANGLING),
            (r#"GET /networks?filters={"dangling":["True"]}"#, "", 400, DANGLING),
            (
                r#"GET /networks?filters={"dangling":["true","false"]}"#,
                "",
                400,
                "got more than one value for filter key \"dangling\"",
            ),
            ("GET /networks?filters={", "", 400, "invalid filter"),
            ("GET /networks?filters=", "", 200, ""),
            ("GET /networks?filters={}", "", 200, ""),
            ("GET /networks?filters=null", "", 200, ""),
            (r#"GET /networks?filters={"name":[]}"#, "", 200, ""),
            (
                r#"POST /networks/prune?filters={"until":["foo"]}"#,
                "",
                400,
                "failed to parse value as time or duration: \"foo\"",
            ),
            (
                r#"POST /networks/prune?filters={"until":["1h","2h"]}"#,
                "",
                400,
                "more than one until filter specified",
            ),
            (r#"POST /networks/prune?filters={"name":["x"]}"#, "", 400, "invalid filter 'name'"),
            (
                r#"POST /networks/prune?filters={"dangling":["true"]}"#,
                "",
                400,
                "invalid filter 'dangling'",
            ),
        ])
        .await
}

/// Removals that are refused say why in Docker's words, force or not.
pub async fn of_removals(client: &Client) -> Result<()> {
    const IN_USE: &str = "error while removing network: network <net> has active endpoints (name:\"<web>\" id:\"<end12>\")";
    let table = Table::with_containers(client).await?;
    table
        .holds(&[
            ("DELETE /networks/<n>", "", 404, "network <n> not found"),
            (
                "DELETE /networks/bridge",
                "",
                403,
                "bridge is a pre-defined network and cannot be removed",
            ),
            (
                "DELETE /networks/host",
                "",
                403,
                "host is a pre-defined network and cannot be removed",
            ),
            (
                "DELETE /networks/none",
                "",
                403,
                "none is a pre-defined network and cannot be removed",
            ),
            ("DELETE /networks/<net>", "", 403, IN_USE),
            ("DELETE /networks/<net>?force=1", "", 403, IN_USE),
        ])
        .await
}

/// Connections that are refused say why in Docker's words.
pub async fn of_connections(client: &Client) -> Result<()> {
    let table = Table::with_containers(client).await?;
    table
        .holds(&[
            ("POST /networks/<net>/connect", r#"{"Container":"<web>"}"#, 403, "endpoint with name <web> already exists in network <net>"),
            ("POST /networks/<net>/connect", r#"{"Container":"<n>"}"#, 404, "No such container: <n>"),
            ("POST /networks/<n>/connect", r#"{"Container":"nosuch"}"#, 404, "No such container: nosuch"),
            ("POST /networks/<n>/connect", r#"{"Container":"<web>"}"#, 404, "network <n> not found"),
            ("POST /networks/<net>/connect", r#"{"Container":""}"#, 400, "invalid name or ID supplied: \"\""),
            ("POST /networks/<net>/connect", "", 400, "invalid name or ID supplied: \"\""),
            ("POST /networks/host/connect", r#"{"Container":"<web>"}"#, 400, "cannot connect container to host network - container must be created in host network mode"),
            ("POST /networks/none/connect", r#"{"Container":"<web>"}"#, 400, "container cannot be connected to multiple networks with one of the networks in private (none) mode"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"MacAddress":"foo"}}"#, 400, "invalid MAC address foo"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"NetworkID":"foo"}}"#, 404, "network foo not found"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"LinkLocalIPs":["foo"]}}}"#, 400, "invalid endpoint settings:\ninvalid link-local IP address: foo"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"DriverOpts":{"com.docker.network.endpoint.sysctls":"foo"}}}"#, 400, "invalid endpoint settings:\nunrecognised network interface sysctl 'foo'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"192.0.2.77"}}}"#, 400, "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 192.0.2.77"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"foo"}}}"#, 400, "invalid endpoint settings:\n* invalid IPv4 address: foo\n* no configured subnet or ip-range contain the IP address foo"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b2>.77/24"}}}"#, 400, "invalid endpoint settings:\n* invalid IPv4 address: <b2>.77/24\n* no configured subnet or ip-range contain the IP address <b2>.77/24"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"IPv6Address":"fd00::9"}}}"#, 400, "invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets"),
        ])
        .await
}

/// What does not run is connected again and again, and to what is not there; its start says what is wrong, and its
/// settings are looked at at once.
pub async fn of_connections_of_what_does_not_run(client: &Client) -> Result<()> {
    let table = Table::with_containers(client).await?;
    table
        .holds(&[
            ("POST /networks/<net>/connect", r#"{"Container":"<made>"}"#, 200, ""),
            ("POST /networks/<net>/connect", r#"{"Container":"<made>"}"#, 200, ""),
            ("POST /networks/<net2>/connect", r#"{"Container":"<made>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"192.0.2.77"}}}"#, 400, "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 192.0.2.77"),
            ("POST /networks/<net2>/disconnect", r#"{"Container":"<made>"}"#, 500, "container <madeid> is not connected to the network <net2>"),
            ("POST /networks/<net2>/connect", r#"{"Container":"<made>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b2>.9"}}}"#, 200, ""),
            ("POST /networks/<net2>/connect", r#"{"Container":"<web>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b2>.9"}}}"#, 200, ""),
            ("POST /containers/<made>/start", "", 403, "failed to set up container networking: Address already in use"),
        ])
        .await
}

/// Addresses that somebody has, or nobody may have, are refused with Docker's words. Docker is left with a container that
/// it does not start again, which is why each address is asked for by another one.
pub async fn of_addresses_that_are_asked_for(client: &Client) -> Result<()> {
    let mut table = Table::with_containers(client).await?;
    for (what, number) in [("<a>", 1), ("<c>", 0), ("<d>", 255), ("<e>", 2)] {
        let container = table.stage.running(&format!("asks{number}")).await?;
        table.stands_on(what, container.name());
    }
    table
        .holds(&[
            (
                "POST /networks/<net>/connect",
                r#"{"Container":"<a>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b>.1"}}}"#,
                403,
                "Address already in use",
            ),
            (
                "POST /networks/<net>/connect",
                r#"{"Container":"<c>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b>.0"}}}"#,
                403,
                "Address already in use",
            ),
            (
                "POST /networks/<net>/connect",
                r#"{"Container":"<d>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b>.255"}}}"#,
                403,
                "Address already in use",
            ),
            (
                "POST /networks/<net>/connect",
                r#"{"Container":"<e>","EndpointConfig":{"IPAMConfig":{"IPv4Address":"<b>.2"}}}"#,
                403,
                "Address already in use",
            ),
        ])
        .await
}

/// Disconnections that are refused say why in Docker's words, which are others for what does not run.
pub async fn of_disconnections(client: &Client) -> Result<()> {
    let table = Table::with_containers(client).await?;
    table
        .holds(&[
            (
                "POST /networks/<net2>/disconnect",
                r#"{"Container":"<web>"}"#,
                500,
                "container <webid> is not connected to network <net2>",
            ),
            (
                "POST /networks/<net2>/disconnect",
                r#"{"Container":"<web>","Force":true}"#,
                500,
                "container <webid> is not connected to network <net2>",
            ),
            (
                "POST /networks/<net2>/disconnect",
                r#"{"Container":"<made>"}"#,
                500,
                "container <madeid> is not connected to the network <net2>",
            ),
            (
                "POST /networks/<net>/disconnect",
                r#"{"Container":"<n>"}"#,
                404,
                "No such container: <n>",
            ),
            (
                "POST /networks/<net>/disconnect",
                r#"{"Container":"<n>","Force":true}"#,
                404,
                "endpoint <n> not found",
            ),
            (
                "POST /networks/<n>/disconnect",
                r#"{"Container":"<web>"}"#,
                404,
                "network <n> not found",
            ),
            (
                "POST /networks/<n>/disconnect",
                r#"{"Container":"<web>","Force":true}"#,
                500,
                "container <webid> is not connected to the network <n>",
            ),
        ])
        .await
}

/// Containers that use the network of the host, of another container or none are connected to no other, in Docker's words.
pub async fn of_modes(client: &Client) -> Result<()> {
    const SHARES: &str = "container sharing network namespace with another container or host cannot be connected to any other network";
    let mut table = Table::with_containers(client).await?;
    let modes = [
        ("<host>", NetworkMode::Host),
        ("<none>", NetworkMode::None),
        ("<side>", NetworkMode::Container(table.value("<web>"))),
    ];
    for (number, (what, mode)) in modes.into_iter().enumerate() {
        let spec = table.stage.idle(&format!("mode{number}")).network_mode(mode);
        let container = table.stage.run(spec).await?;
        table.stands_on(what, container.name());
    }
    table
        .holds(&[
            ("POST /networks/<net>/connect", r#"{"Container":"<host>"}"#, 400, SHARES),
            ("POST /networks/<net>/connect", r#"{"Container":"<side>"}"#, 400, SHARES),
            ("POST /networks/<net>/connect", r#"{"Container":"<none>"}"#, 400, "container cannot be connected to multiple networks with one of the networks in private (none) mode"),
            ("POST /networks/host/disconnect", r#"{"Container":"<host>"}"#, 400, "cannot disconnect container from host network - container was created in host network mode"),
            ("POST /networks/none/disconnect", r#"{"Container":"<none>"}"#, 200, ""),
            ("POST /networks/<net>/connect", r#"{"Container":"<none>"}"#, 200, ""),
        ])
        .await
}

/// What a container's creation and start say of its networks are Docker's words.
pub async fn of_containers_and_their_networks(client: &Client) -> Result<()> {
    let mut table = Table::with_containers(client).await?;
    let lost = table.stage.name("lost");
    table.stands_on("<lost>", &lost);
    table
        .holds(&[
            ("POST /containers/create?name=<n>", r#"{"Image":"busybox","HostConfig":{"NetworkMode":"<net>"},"NetworkingConfig":{"EndpointsConfig":{"<net>":null}}}"#, 400, "invalid config for network <net>: EndpointsConfig is nil"),
            ("POST /containers/create?name=<n>", r#"{"Image":"busybox","HostConfig":{"NetworkMode":"<net>"},"NetworkingConfig":{"EndpointsConfig":{"<net>":{"IPAMConfig":{"IPv4Address":"192.0.2.9"}}}}}"#, 400, "invalid config for network <net>: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 192.0.2.9"),
            ("POST /containers/create?name=<n>", r#"{"Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"bridge":{"IPAMConfig":{"IPv4Address":"172.17.0.99"}}}}}"#, 400, "invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only*"),
            ("POST /containers/create?name=<lost>", r#"{"Image":"busybox","HostConfig":{"NetworkMode":"nosuch-<lost>"}}"#, 201, ""),
            ("POST /containers/<lost>/start", "", 404, "failed to set up container networking: network nosuch-<lost> not found"),
        ])
        .await
}

/// What the rows of a table stand on.
struct Table {
    stage: Stage,
    network: Network,
    values: Vec<(&'static str, String)>,
    _containers: Vec<Container>,
}

impl Table {
    /// On a network with a subnet.
    async fn new(client: &Client) -> Result<Self> {
        let stage = Stage::new(client);
        let subnet = subnet();
        let network = stage.network_on("net", subnet).await?;
        let values = vec![
            ("<net>", network.name().to_owned()),
            ("<id>", network.id().to_string()),
            ("<b>", base(subnet)),
        ];
        Ok(Self { stage, network, values, _containers: Vec::new() })
    }

    /// On another network, on a container that runs on the first and on one that never ran, too.
    async fn with_containers(client: &Client) -> Result<Self> {
        let mut table = Self::new(client).await?;
        let other = subnet();
        let second = table.stage.network_on("net2", other).await?;
        let spec = table.stage.idle("web").network(table.network.name(), EndpointSpec::new());
        let web = table.stage.run(spec).await?;
        let made = table.stage.create(table.stage.idle("made")).await?;
        table.stands_on("<net2>", second.name());
        table.stands_on("<b2>", &base(other));
        table.stands_on("<web>", web.name());
        table.stands_on("<webid>", web.id().as_str());
        let endpoint = &web.endpoints()[table.network.name()];
        table.stands_on("<end12>", &endpoint.endpoint_id.chars().take(12).collect::<String>());
        table.stands_on("<made>", made.name());
        table.stands_on("<madeid>", made.id().as_str());
        table._containers = vec![web, made];
        Ok(table)
    }

    fn stands_on(&mut self, what: &'static str, value: &str) {
        self.values.push((what, value.to_owned()));
    }

    fn value(&self, what: &str) -> String {
        let found = self.values.iter().find(|(known, _)| *known == what);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Asks all of it, one row after the other, and demands these answers.
    async fn holds(&self, rows: &[Row]) -> Result<()> {
        let mut wrong = Vec::new();
        for (ask, body, status, message) in rows {
            let (fresh, free) = (lab::name("row"), base(subnet()));
            lab::adopt(&format!("{fresh}-2"));
            let fill = |text: &str| {
                let text = text.replace("<n>", &fresh).replace("<s>", &free);
                let known =
                    |text: String, (what, value): &(&str, String)| text.replace(what, value);
                self.values.iter().fold(text, known)
            };
            let (asked, body) = (fill(ask), fill(body));
            let (method, target) = asked.split_once(' ').unwrap_or_default();
            let answer = exchange(self.stage.client(), method, target, &body).await?;
            let wanted = fill(message);
            let same = match answer.status {
                200..300 => wanted.is_empty(),
                _ => fits(&wanted, &answer.message),
            };
            if answer.status != *status || !same {
                wrong.push(format!(
                    "{asked} {body}: wanted {status} {wanted:?}, got {} {:?}",
                    answer.status, answer.message
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(())
    }
}

/// Whether a text is as it is wanted, where `*` is any text.
fn fits(wanted: &str, text: &str) -> bool {
    // Of several mistakes, each has a line that begins with one.
    let hidden = wanted.replace("\n* ", "\n- ");
    match hidden.split_once('*') {
        Some((before, after)) => {
            let text = text.replace("\n* ", "\n- ");
            text.starts_with(before) && text.ends_with(after)
        }
        None => wanted == text,
    }
}

/// The first three numbers of a subnet of 24 bits.
fn base(subnet: docknet::Ipv4Net) -> String {
    let [a, b, c, _] = subnet.network().octets();
    format!("{a}.{b}.{c}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_unless_it_begins_a_line() {
        assert!(fits("a (*:9): b", "a (x:9): b") && !fits("a (*:9): b", "a (x:9): c"));
        assert!(fits("a:\n* b\n* c", "a:\n* b\n* c") && !fits("a:\n* b\n* c", "a:\n* b\n* d"));
        assert!(fits("a:\n* b*", "a:\n* b and more") && !fits("a:\n* b*", "a:\n* c"));
        assert!(!fits("same", "sam"));
    }
}
