//! The words of the engines. The first rule that matches wins.
//!
//! Docker words are those of 20.10, 26.1 and 28.5 unless a comment names a version; Podman's are those of 4.3, 5.4 and
//! 5.8. Docker 20.10 and Podman answer 500 to what later Dockers answer with a status that says something.

use super::super::ErrorKind::{
    AddressInUse, AddressNotInPool, AddressesExhausted, AlreadyConnected, AmbiguousName,
    BadRequest, Conflict, InUse, InvalidSpec, NameTaken, NoSuchDriver, NoSwarm, NotConnectable,
    NotConnected, NotFound, NotImplemented, PoolExhausted, PoolOverlap, Predefined, UnsupportedApi,
};
use super::{Rule, Wrapper, rule, wrapper};

pub(super) const WRAPPERS: &[Wrapper] = &[
    // Docker 28, at every start of a container.
    wrapper("failed to set up container networking: ", ""),
    wrapper("Cannot restart container ", ": "),
    wrapper("error while removing network: ", ""),
    // Docker 28, at a create.
    wrapper("invalid pool request: ", ""),
    // Podman, when it creates a container.
    wrapper("container create: ", ""),
    wrapper("creating container storage: ", ""),
    wrapper("make cli opts(): ", ""),
];

const INVALID: &[u16] = &[400, 500];
const FORBIDDEN: &[u16] = &[403, 500];
const TAKEN: &[u16] = &[409, 500];

pub(super) const RULES: &[Rule] = &[
    // The request is no request: its JSON, its filters, its headers. What is wrong inside is `InvalidSpec`.
    // Podman at every body; then at every query.
    rule(BadRequest, INVALID, "Decode(): *"),
    rule(BadRequest, INVALID, "failed to parse parameters for *"),
    // Docker 20.10 at filters.
    rule(BadRequest, INVALID, "json: cannot unmarshal *"),
    rule(BadRequest, INVALID, "unexpected end of JSON input"),
    rule(BadRequest, INVALID, "invalid character *"),
    rule(BadRequest, INVALID, "invalid filter*"),
    rule(BadRequest, INVALID, "invalid dangling filter value *"),
    rule(BadRequest, INVALID, "got more than one value for filter key *"),
    rule(BadRequest, INVALID, "failed to parse value as time or duration: *"),
    rule(BadRequest, INVALID, "more than one until filter specified"),
    rule(BadRequest, INVALID, "specify exactly one timestamp for until"),
    // The call or a part of it is not in the API of this engine.
    rule(UnsupportedApi, &[400], "client version * is too old*"),
    rule(UnsupportedApi, &[400], "client version * is too new*"),
    // Docker 20.10; then later ones when asked by an API below 1.44.
    rule(UnsupportedApi, &[400], "Container cannot be connected to network endpoints: *"),
    rule(UnsupportedApi, &[400], "Container cannot be created with multiple network endpoints: *"),
    // A path nobody serves, which must not pass for a network that is not there: Docker, then Podman.
    rule(UnsupportedApi, &[404], "page not found"),
    rule(UnsupportedApi, &[404], "Not Found"),
    rule(UnsupportedApi, &[405], "Method Not Allowed"),
    rule(NotImplemented, &[503], "Podman does not support service: *"),
    // Swarm.
    rule(NoSwarm, &[403, 500, 503], "This node is not a swarm manager.*"),
    rule(NoSwarm, &[503], "This node is not part of a swarm*"),
    rule(NoSwarm, &[403], "cannot create a swarm scoped network when swarm is not active"),
    rule(NoSwarm, &[403], "Cannot create a multi-host network from a worker node.*"),
    // Names. An invalid one may hold any words.
    rule(InvalidSpec, INVALID, "network name * invalid: names must match *"),
    rule(NameTaken, &[409], "network with name * already exists"),
    rule(NameTaken, TAKEN, "network name * already used: network already exists"),
    // Of a container, from the sources: Docker, then Podman.
    rule(NameTaken, &[409], "Conflict. The container name * is already in use by container *"),
    rule(NameTaken, TAKEN, "the container name * is already in use by *"),
    rule(AmbiguousName, &[400], "network * is ambiguous (* matches found *"),
    rule(AmbiguousName, INVALID, "more than one result for network ID *"),
    // Podman 4.3 answers an inspect with two documents, which is no JSON.
    rule(AmbiguousName, INVALID, "{\"cause\":\"more than one result for network ID *"),
    rule(NotFound, &[500], "unable to find network with name or ID *: network not found"),
    // Docker in a swarm, from the source.
    rule(NotFound, &[500], "network * not found"),
    rule(NotFound, &[500], "Could not attach to network *: rpc error: code = NotFound desc = *"),
    rule(NoSuchDriver, &[404], "plugin \"*\" not found"),
    // Podman 4.3; then later ones.
    rule(NoSuchDriver, INVALID, "unsupported driver *: invalid argument"),
    rule(NoSuchDriver, INVALID, "failed to find driver or plugin *"),
    rule(Predefined, &[403], "operation is not permitted on predefined *"),
    rule(Predefined, &[403], "only one instance of * network is allowed"),
    rule(
        Predefined,
        &[400],
        "rpc error: code = FailedPrecondition desc = network * is a swarm predefined network *",
    ),
    rule(
        Predefined,
        FORBIDDEN,
        "cannot create network with name * because it conflicts with a valid network mode",
    ),
    rule(Predefined, FORBIDDEN, "default network * cannot be removed"),
    // Pools. Two equal ones in one request overlap as well, by Docker's words and so by Podman's.
    rule(PoolOverlap, &[403], "Pool overlaps with other one on this address space"),
    rule(PoolOverlap, FORBIDDEN, "subnet * is already used on the host or by another config"),
    // Podman 6, from the source.
    rule(PoolOverlap, FORBIDDEN, "overlapping subnets detected: *"),
    rule(PoolOverlap, FORBIDDEN, "duplicate subnets detected: *"),
    // Docker up to 26, from 27 on; Podman.
    rule(
        PoolExhausted,
        &[404],
        "could not find an available, non-overlapping IPv* address pool among the defaults *",
    ),
    rule(PoolExhausted, &[400], "all predefined address pools have been fully subnetted"),
    rule(PoolExhausted, INVALID, "could not find free subnet from subnet pools"),
    // Addresses of containers, and of the gateway and auxiliary ones where words alone do not tell whether the spec
    // contradicts itself or, with an IPAM plugin, somebody else was faster: another address helps in both cases.
    rule(AddressInUse, FORBIDDEN, "Address already in use"),
    rule(AddressInUse, FORBIDDEN, "failed to allocate gateway (*): Address already in use"),
    rule(
        AddressInUse,
        FORBIDDEN,
        "failed to allocate secondary ip address (*): Address already in use",
    ),
    rule(AddressInUse, FORBIDDEN, "IPAM error: requested ip address * is already allocated to *"),
    rule(
        AddressesExhausted,
        &[500, 503],
        "no available IPv* addresses on this network's address pools: *",
    ),
    rule(AddressesExhausted, &[500, 503], "no available addresses on this pool"),
    // Pools too small for a gateway; 20.10 has a capital N.
    rule(
        AddressesExhausted,
        &[500, 503],
        "failed to allocate gateway (*): *o available addresses on this pool",
    ),
    rule(AddressesExhausted, &[500, 503], "IPAM error: failed to find free IP in range: *"),
    // Docker 20.10 also says so to an address of the wrong family.
    rule(
        AddressNotInPool,
        INVALID,
        "invalid address *: It does not belong to any of this network's subnets",
    ),
    rule(AddressNotInPool, &[400], "requested address is out of range*"),
    rule(AddressNotInPool, INVALID, "requested static ip * not in any subnet on network *"),
    rule(AddressNotInPool, &[400], "user*specified IP address is supported *"),
    // Docker 26 lists every mistake; one that is no address at all is in no pool either, but is invalid first.
    rule(InvalidSpec, &[400], "invalid *endpoint settings:\n*invalid IPv* address: *"),
    rule(
        AddressNotInPool,
        &[400],
        "invalid *endpoint settings:\n*no configured subnet * IP address *",
    ),
    rule(
        AddressNotInPool,
        &[400],
        "invalid *endpoint settings:\n*user*specified IP address is supported *",
    ),
    // Connecting. Not connected comes first, as it ends with a network's name, which on Docker is any text.
    rule(NotConnected, &[500], "container * is not connected to *network *"),
    rule(AlreadyConnected, &[403], "endpoint with name * already exists in network *"),
    rule(
        AlreadyConnected,
        FORBIDDEN,
        "container * is already connected to network *: network is already connected",
    ),
    rule(
        NotConnectable,
        &[400],
        "container cannot be disconnected from host network or connected to host network",
    ),
    rule(NotConnectable, &[400], "cannot connect container to host network*"),
    rule(NotConnectable, &[400], "cannot disconnect container from host network*"),
    rule(
        NotConnectable,
        &[400],
        "container cannot be connected to multiple networks with one of the networks in *",
    ),
    rule(
        NotConnectable,
        &[400],
        "container sharing network namespace with another container or host *",
    ),
    rule(NotConnectable, &[403], "cannot create endpoint on configuration-only network"),
    rule(NotConnectable, FORBIDDEN, "Could not attach to network * not manually attachable"),
    rule(NotConnectable, TAKEN, "Container * is marked for removal and cannot be connected *"),
    rule(NotConnectable, INVALID, "\"*\" is not supported: invalid network mode"),
    rule(
        NotConnectable,
        INVALID,
        "invalid config provided: * can only be used with Bridge mode networking",
    ),
    rule(NotConnectable, TAKEN, "unable to *connect * container has no network namespace"),
    // In use: a network to be removed, then an interface that a new network or endpoint asks for.
    rule(InUse, &[403], "network * has active endpoints*"),
    rule(InUse, &[403], "configuration network * is in use"),
    rule(InUse, &[400], "rpc error: code = FailedPrecondition desc = network * is in use by *"),
    rule(
        InUse,
        &[400],
        "rpc error: code = FailedPrecondition desc = ingress network cannot be removed because *",
    ),
    rule(InUse, TAKEN, "\"*\" has associated containers with it.*: network is being used"),
    rule(
        InUse,
        FORBIDDEN,
        "cannot create network *: conflicts with network *: networks have same bridge name",
    ),
    rule(InUse, FORBIDDEN, "bridge name * already in use"),
    rule(InUse, FORBIDDEN, "network * is already using parent interface *"),
    rule(InUse, FORBIDDEN, "macvlan network * is already using parent interface *"),
    rule(
        InUse,
        FORBIDDEN,
        "cannot use mode passthru, macvlan network * is already using parent interface *",
    ),
    rule(
        InUse,
        &[500],
        "failed to add interface * to sandbox: error renaming interface *: file exists",
    ),
    // Invalid: networks.
    rule(InvalidSpec, INVALID, "invalid name:*"),
    rule(InvalidSpec, &[500], "open */networks/*: file name too long"),
    rule(InvalidSpec, INVALID, "rpc error: code = InvalidArgument desc = *"),
    rule(InvalidSpec, &[400], "invalid network config:\n*"),
    rule(InvalidSpec, &[400], "IPv4 or IPv6 must be enabled"),
    rule(InvalidSpec, &[400], "IPv4 cannot be disabled in a Swarm scoped network"),
    rule(InvalidSpec, &[403], "Ingress network can only be global scope network"),
    rule(InvalidSpec, &[403], "cannot downgrade network scope for *"),
    rule(
        InvalidSpec,
        &[403],
        "a configuration network cannot depend on another configuration network",
    ),
    rule(InvalidSpec, &[403], "configuration network can only contain network specific fields.*"),
    rule(
        InvalidSpec,
        &[403],
        "network driver options are not supported if the network depends on a configuration network",
    ),
    rule(
        InvalidSpec,
        &[403],
        "user*specified configurations are not supported if the network depends on *",
    ),
    // Pools, gateways, auxiliary addresses. Docker 29 finds them while it reads the JSON.
    rule(InvalidSpec, &[400], "invalid JSON: *ParsePrefix(*): *"),
    rule(InvalidSpec, &[400], "invalid JSON: *ParseAddr(*): *"),
    rule(InvalidSpec, INVALID, "invalid subnet * : *"),
    rule(InvalidSpec, INVALID, "invalid gateway address * in Ipam configuration"),
    rule(InvalidSpec, INVALID, "failed to allocate gateway (*): *equested address is out of range"),
    rule(InvalidSpec, INVALID, "failed to parse pool request for address space *"),
    rule(InvalidSpec, INVALID, "non parsable secondary ip address *"),
    rule(InvalidSpec, &[403], "auxiliary address: * must belong to the master pool: *"),
    rule(InvalidSpec, &[403], "bridge driver doesn't support multiple subnets"),
    rule(InvalidSpec, INVALID, "ipv* pool is empty"),
    rule(InvalidSpec, INVALID, "null ipam driver does not handle specific address *"),
    rule(InvalidSpec, INVALID, "multicast subnet * is not allowed"),
    rule(
        InvalidSpec,
        INVALID,
        "failed to add IPv6 address * to bridge: cannot assign requested address",
    ),
    rule(InvalidSpec, INVALID, "failed to parse subnet: *"),
    rule(InvalidSpec, INVALID, "failed to parse gateway ip *"),
    rule(InvalidSpec, INVALID, "failed to parse ip range: *"),
    rule(InvalidSpec, INVALID, "subnet ip is nil"),
    rule(InvalidSpec, INVALID, "gateway * not in subnet *"),
    rule(InvalidSpec, INVALID, "lease range * not in subnet *"),
    rule(InvalidSpec, INVALID, "ipam driver * is not supported with *"),
    rule(InvalidSpec, INVALID, "macvlan driver needs at least one subnet specified*"),
    // Options of drivers.
    rule(InvalidSpec, INVALID, "failed to parse com.docker.network.* value: *"),
    rule(InvalidSpec, INVALID, "driver-opt * is not a valid bool"),
    rule(InvalidSpec, INVALID, "invalid MTU number: *"),
    rule(InvalidSpec, INVALID, "mtu * is less than zero"),
    rule(InvalidSpec, INVALID, "strconv.*: parsing *"),
    rule(InvalidSpec, INVALID, "gateway mode * can only be used for an internal network"),
    rule(InvalidSpec, INVALID, "existing interface * is not a bridge"),
    rule(InvalidSpec, INVALID, "bridge name * invalid: *"),
    rule(InvalidSpec, INVALID, "network interface name * invalid: *"),
    rule(InvalidSpec, INVALID, "invalid subinterface vlan name *"),
    rule(InvalidSpec, INVALID, "parent interface * does not exist"),
    rule(InvalidSpec, INVALID, "vlan id must be between *"),
    rule(InvalidSpec, INVALID, "requested *vlan mode * is not valid*"),
    // The kernel about a value Docker did not check: an interface's name, an MTU.
    rule(InvalidSpec, INVALID, "invalid argument"),
    rule(InvalidSpec, INVALID, "numerical result out of range"),
    rule(
        InvalidSpec,
        INVALID,
        "failed to check bridge interface existence: numerical result out of range",
    ),
    rule(
        InvalidSpec,
        INVALID,
        "failed to add interface * to sandbox: error renaming interface *: numerical result out of range",
    ),
    // Invalid: endpoints.
    rule(InvalidSpec, INVALID, "name or ID cannot be empty"),
    rule(InvalidSpec, INVALID, "invalid name or ID supplied: *"),
    rule(InvalidSpec, &[400], "no EndpointSettings for *"),
    rule(InvalidSpec, &[400], "invalid config for network *"),
    rule(InvalidSpec, &[400], "invalid endpoint settings:\n*"),
    rule(
        InvalidSpec,
        &[400],
        "network-scoped alias is supported only for containers in user defined networks",
    ),
    rule(InvalidSpec, INVALID, "invalid IPv* address: *"),
    rule(InvalidSpec, INVALID, "invalid link*local IP address: *"),
    rule(InvalidSpec, INVALID, "failed to parse the ipv* address *"),
    rule(InvalidSpec, INVALID, "bad format for links: *"),
    rule(InvalidSpec, &[400], "invalid MAC address *"),
    // Docker 29.
    rule(InvalidSpec, &[400], "invalid JSON: *: invalid MAC address"),
    rule(InvalidSpec, &[400], "the container-wide MAC address must match *"),
    rule(InvalidSpec, INVALID, "netavark: *invalid mac length for address: *"),
    // How Linux refuses a MAC that is multicast or zero.
    rule(InvalidSpec, INVALID, "netavark: create veth pair: *Cannot assign requested address*"),
    // Words that start with what the caller chose: last, so that they are not found in a longer message.
    rule(Predefined, &[403], "* is a pre-defined network and cannot be *"),
    rule(AlreadyConnected, &[409], "* is already attached to network *"),
    rule(AmbiguousName, &[400], "* matches found based on *: network * is ambiguous"),
    rule(Conflict, TAKEN, "*: container state improper"),
];
