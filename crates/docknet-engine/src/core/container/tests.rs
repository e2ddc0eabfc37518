//! A container's life, edge by edge, and what holds whatever happens.

use std::collections::BTreeSet;
use std::net::IpAddr;

use docknet_types::{ApiVersion, MacAddr};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Profile;
use crate::core::endpoint::{self, Connect, Disconnect};
use crate::core::event::Event;
use crate::core::host::Host;
use crate::core::image;
use crate::core::network::{self, CreateNetwork};
use crate::core::refusal::Refusal;
use crate::core::state::{EngineRecord, State};
use crate::core::tx::{Draw, Given, Supply, Tx};

/// An engine's state with nothing around it.
struct World {
    profile: Profile,
    state: State,
    host: Host,
    dice: Counting,
    clock: i64,
    /// What the last operation told.
    events: Vec<Arc<Event>>,
}

/// Numbers in their order.
#[derive(Default)]
struct Counting(u64);

impl Draw for Counting {
    fn id(&mut self) -> String {
        self.0 += 1;
        format!("{:016x}{:048x}", self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15), self.0)
    }

    fn mac(&mut self) -> MacAddr {
        self.0 += 1;
        let [.., a, b] = self.0.to_be_bytes();
        MacAddr::new([2, 0, 0, 0, a, b])
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 += 1;
        usize::try_from(self.0).unwrap() % limit
    }
}

impl World {
    fn new(profile: Profile) -> Self {
        let state = State::new(profile, EngineRecord::default());
        let (host, dice) = (Host::default(), Counting::default());
        let mut world =
            Self { profile, state, host, dice, clock: 1_700_000_000, events: Vec::new() };
        world.act(network::add_predefined).unwrap();
        world
            .act(|tx| {
                image::add(tx, "busybox");
                Ok(())
            })
            .unwrap();
        for (name, subnet) in [("n1", "10.10.1.0/29"), ("n2", "10.10.2.0/29")] {
            let wish: CreateNetwork = serde_json::from_value(
                json!({ "Name": name, "IPAM": { "Config": [{ "Subnet": subnet }] } }),
            )
            .unwrap();
            world.act(|tx| network::create(tx, wish)).unwrap();
        }
        world
    }

    fn act<T>(
        &mut self,
        decide: impl FnOnce(&mut Tx<'_>) -> Result<T, Refusal>,
    ) -> Result<T, (u16, String)> {
        self.clock += 1;
        let now = Timestamp::from_second(self.clock).unwrap();
        let given = Given {
            profile: self.profile,
            now,
            host: &self.host,
            draw: &mut self.dice,
            supply: Supply::Plenty,
        };
        let mut tx = Tx::new(self.state.clone(), given);
        let value = decide(&mut tx).map_err(|refusal| refusal.answer(self.profile))?;
        let decided = tx.decided();
        self.state = decided.state;
        self.events = decided.events;
        Ok(value)
    }

    fn create(&mut self, name: &str, body: Value) -> Result<Vec<String>, (u16, String)> {
        self.create_at(ApiVersion::new(1, 51), name, body)
    }

    fn create_at(
        &mut self,
        version: ApiVersion,
        name: &str,
        mut body: Value,
    ) -> Result<Vec<String>, (u16, String)> {
        body["Image"] = json!("busybox");
        let body = serde_json::from_value(body).unwrap();
        let wish = CreateContainer { name: name.to_owned(), version, body };
        self.act(|tx| create(tx, wish)).map(|created| created.warnings)
    }

    fn on(&mut self, name: &str, network: &str) {
        self.create(name, json!({ "HostConfig": { "NetworkMode": network } })).unwrap();
        self.act(|tx| start(tx, name)).unwrap();
    }

    fn get(&self, name: &str) -> Container {
        Container::clone(self.state.container_named(name).unwrap())
    }

    fn address(&self, name: &str, network: &str) -> Option<String> {
        let container = self.state.container_named(name)?;
        let endpoint = container.attachments.get(network)?.endpoint.clone()?;
        endpoint.addresses().next().map(|ip: IpAddr| ip.to_string())
    }

    fn told(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| format!("{} {}", event.kind.as_str(), event.action))
            .collect()
    }
}

fn conflict(message: &str) -> Result<(), (u16, String)> {
    Err((409, message.to_owned()))
}

#[test]
fn every_edge_of_a_life() {
    type Act = fn(&mut Tx<'_>) -> Result<(), Refusal>;
    let all: [(&str, Act); 8] = [
        ("start", |tx| start(tx, "box").map(drop)),
        ("stop", |tx| ask_to_stop(tx, "box", &StopWish::default()).map(drop)),
        ("kill", |tx| kill(tx, "box", "")),
        ("hup", |tx| kill(tx, "box", "HUP")),
        ("pause", |tx| pause(tx, "box")),
        ("unpause", |tx| unpause(tx, "box")),
        ("restart", |tx| restart(tx, "box", &StopWish::default())),
        ("remove", |tx| remove(tx, "box", Remove::default())),
    ];
    use Status::{Created, Exited, Paused, Running};
    // What becomes of it, or the status of the refusal.
    for (from, becomes) in [
        (
            Created,
            [Ok(Running), Ok(Created), Err(409), Err(409), Err(409), Err(500), Ok(Running), Err(0)],
        ),
        (
            Exited,
            [Ok(Running), Ok(Exited), Err(409), Err(409), Err(409), Err(500), Ok(Running), Err(0)],
        ),
        (
            Running,
            [
                Ok(Running),
                Ok(Exited),
                Ok(Exited),
                Ok(Running),
                Ok(Paused),
                Err(500),
                Ok(Running),
                Err(409),
            ],
        ),
        (
            Paused,
            [
                Err(409),
                Ok(Exited),
                Ok(Exited),
                Ok(Running),
                Err(409),
                Ok(Running),
                Ok(Running),
                Err(409),
            ],
        ),
    ] {
        for ((name, act), becomes) in all.iter().zip(becomes) {
            let mut world = World::new(Profile::Docker28);
            world.create("box", json!({ "HostConfig": { "NetworkMode": "n1" } })).unwrap();
            if from != Created {
                world.act(|tx| start(tx, "box")).unwrap();
            }
            match from {
                Exited => world.act(|tx| kill(tx, "box", "")).unwrap(),
                Paused => world.act(|tx| pause(tx, "box")).unwrap(),
                Created | Running => {}
            }
            let done = world.act(act).map_err(|(status, _)| status);
            let now = world.state.container_named("box").map(|container| container.status);
            match (done, becomes) {
                (Ok(()), Ok(status)) => assert_eq!(now, Some(status), "{from:?} {name}"),
                (Ok(()), Err(0)) => assert_eq!(now, None, "{from:?} {name}"),
                (done, becomes) => {
                    assert_eq!(done.err(), becomes.err(), "{from:?} {name}");
                    assert_eq!(now, Some(from), "{from:?} {name}");
                }
            }
            check(&world);
        }
    }
}

#[test]
fn a_stop_kills_what_does_not_end_and_tells_of_both() {
    let mut world = World::new(Profile::Docker28);
    world.on("box", "n1");
    assert_eq!(world.told(), ["network connect", "container start"]);
    world.act(|tx| ask_to_stop(tx, "box", &StopWish::default())).unwrap();
    assert_eq!(
        world.told(),
        [
            "container kill",
            "container kill",
            "network disconnect",
            "container stop",
            "container die"
        ]
    );
    let container = world.get("box");
    assert_eq!((container.exit_code, container.status), (137, Status::Exited));
    assert_eq!(world.address("box", "n1"), None);
    assert!(container.attachments.contains_key("n1"));
}

#[test]
fn an_init_lets_a_container_end_by_itself() {
    let mut world = World::new(Profile::Docker28);
    world.create("box", json!({ "HostConfig": { "Init": true } })).unwrap();
    world.act(|tx| start(tx, "box")).unwrap();
    world.act(|tx| ask_to_stop(tx, "box", &StopWish::default())).unwrap();
    assert_eq!(world.get("box").exit_code, 143);
    world.act(|tx| start(tx, "box")).unwrap();
    world.act(|tx| kill(tx, "box", "WINCH")).unwrap();
    assert_eq!(world.get("box").status, Status::Running);
    world.act(|tx| kill(tx, "box", "HUP")).unwrap();
    assert_eq!(world.get("box").exit_code, 129);
}

#[test]
fn addresses_are_given_back_at_a_stop_and_kept_at_a_restart() {
    let mut world = World::new(Profile::Docker28);
    ["c1", "c2"].into_iter().for_each(|name| world.on(name, "n1"));
    assert_eq!(world.address("c2", "n1").as_deref(), Some("10.10.1.3"));
    world.act(|tx| ask_to_stop(tx, "c1", &StopWish::default())).unwrap();
    world.on("c3", "n1");
    assert_eq!(world.address("c3", "n1").as_deref(), Some("10.10.1.2"));
    world.act(|tx| start(tx, "c1")).unwrap();
    assert_eq!(world.address("c1", "n1").as_deref(), Some("10.10.1.4"));
    world.act(|tx| restart(tx, "c1", &StopWish::default())).unwrap();
    assert_eq!(world.address("c1", "n1").as_deref(), Some("10.10.1.4"));
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let mut world = World::new(Profile::Docker28);
    let endpoints = json!({ "n1": {}, "nosuch": {} });
    let body = json!({ "HostConfig": { "NetworkMode": "n1" }, "NetworkingConfig": { "EndpointsConfig": endpoints } });
    world.create("box", body).unwrap();
    let refused = world.act(|tx| start(tx, "box"));
    assert_eq!(
        refused,
        Err((404, "failed to set up container networking: network nosuch not found".to_owned()))
    );
    assert_eq!(world.get("box").status, Status::Created);
    check(&world);
}

#[test]
fn a_network_that_it_ran_on_is_meant_by_its_id() {
    let mut world = World::new(Profile::Docker28);
    world.on("box", "n1");
    world.act(|tx| ask_to_stop(tx, "box", &StopWish::default())).unwrap();
    let id = world.state.find_network("n1").unwrap().id.clone();
    world.act(|tx| network::remove(tx, "n1", network::RemoveNetwork { force: false })).unwrap();
    let wish: CreateNetwork = serde_json::from_value(json!({ "Name": "n1" })).unwrap();
    world.act(|tx| network::create(tx, wish)).unwrap();
    let why = format!("failed to set up container networking: network {id} not found");
    assert_eq!(world.act(|tx| start(tx, "box")), Err((404, why)));
}

#[test]
fn a_mac_of_the_creation_is_used_and_one_of_a_connect_is_not() {
    let mac = "92:d0:c6:0a:29:36";
    for (profile, of_connect) in [(Profile::Docker28, false), (Profile::Podman5, true)] {
        let mut world = World::new(profile);
        let body = json!({
            "HostConfig": { "NetworkMode": "n1" },
            "NetworkingConfig": { "EndpointsConfig": { "n1": { "MacAddress": mac } } },
        });
        world.create("box", body).unwrap();
        let wish = serde_json::from_value(
            json!({ "Container": "box", "EndpointConfig": { "MacAddress": mac } }),
        );
        let wish: Connect = wish.unwrap();
        world.act(|tx| endpoint::connect(tx, "n2", wish)).unwrap();
        world.act(|tx| start(tx, "box")).unwrap();
        let has = |network: &str| {
            let endpoint = world.get("box").attachments[network].endpoint.clone().unwrap();
            endpoint.mac.unwrap().to_string() == mac
        };
        assert!(has("n1"));
        assert_eq!(has("n2"), of_connect, "{profile:?}");
    }
}

#[test]
fn a_mac_of_the_whole_container_goes_to_its_main_network() {
    let (one, two) = ("92:d0:c6:0a:29:35", "92:d0:c6:0a:29:36");
    let body = |own: &str| {
        json!({
            "MacAddress": one,
            "HostConfig": { "NetworkMode": "n1" },
            "NetworkingConfig": { "EndpointsConfig": { "n1": { "MacAddress": own } } },
        })
    };
    let mut world = World::new(Profile::Docker28);
    assert_eq!(world.create("new", body("")).unwrap().len(), 1);
    assert_eq!(world.create("other", body(two)).unwrap_err().0, 400);
    assert!(world.create_at(ApiVersion::new(1, 43), "old", body(two)).unwrap().is_empty());
    for name in ["new", "old"] {
        assert_eq!(world.get(name).attachments["n1"].config.mac_address, one, "{name}");
    }
    let mut alone = body(two);
    alone.as_object_mut().unwrap().remove("MacAddress");
    world.create_at(ApiVersion::new(1, 43), "ignored", alone).unwrap();
    assert_eq!(world.get("ignored").attachments["n1"].config.mac_address, "");
}

#[test]
fn a_shared_namespace_wants_its_owner_to_run() {
    let mut world = World::new(Profile::Docker28);
    world.create("base", json!({ "HostConfig": { "NetworkMode": "n1" } })).unwrap();
    world.create("box", json!({ "HostConfig": { "NetworkMode": "container:base" } })).unwrap();
    assert_eq!(world.get("box").namespace_of(), Some(world.get("base").id.as_str()));
    let why = "cannot join network namespace of a non running container: container base is created";
    assert_eq!(world.act(|tx| start(tx, "box").map(drop)), conflict(why));
    world.act(|tx| start(tx, "base")).unwrap();
    world.act(|tx| start(tx, "box")).unwrap();
    assert!(world.get("box").attachments.is_empty());
}

#[test]
fn a_name_follows_to_the_networks() {
    let mut world = World::new(Profile::Docker28);
    world.on("box", "n1");
    world.act(|tx| rename(tx, "box", "moved")).unwrap();
    let container = world.get("moved");
    let network = world.state.find_network("n1").unwrap();
    assert_eq!(network.endpoints.get(&container.id).unwrap().name, "moved");
    let names = container.attachments["n1"].dns_names.clone().unwrap();
    assert_eq!(names, ["moved".to_owned(), container.id.short().to_owned()]);
    world.create("other", json!({})).unwrap();
    let (status, why) = world.act(|tx| rename(tx, "other", "moved")).unwrap_err();
    assert_eq!(status, 409);
    assert!(
        why.starts_with("Error when allocating new name: Conflict. The container name \"/moved\""),
        "{why}"
    );
}

#[test]
fn who_is_to_be_forgotten_goes_when_it_stops() {
    let mut world = World::new(Profile::Docker28);
    world.create("box", json!({ "HostConfig": { "AutoRemove": true } })).unwrap();
    world.act(|tx| start(tx, "box")).unwrap();
    world.act(|tx| kill(tx, "box", "")).unwrap();
    assert_eq!(
        world.told(),
        ["container kill", "network disconnect", "container die", "container destroy"]
    );
    assert!(world.state.container_named("box").is_none());
    check(&world);
}

#[test]
fn names_are_made_up_where_none_is_asked_for() {
    let mut world = World::new(Profile::Docker28);
    for _ in 0..60 {
        world.create("", json!({})).unwrap();
    }
    assert_eq!(world.state.container_count(), 60);
    check(&world);
}

/// What holds whatever happened.
fn check(world: &World) {
    let mut addresses = BTreeSet::new();
    for network in world.state.networks() {
        for (id, endpoint) in &network.endpoints {
            let container = world.state.container(id).expect("an endpoint's container is there");
            assert!(container.is_running(), "{} has an endpoint and does not run", container.name);
            let attachment = &container.attachments[&network.config.name];
            assert_eq!(attachment.endpoint.as_ref(), Some(endpoint));
            assert_eq!(endpoint.name, container.name);
            for ip in endpoint.addresses() {
                assert!(addresses.insert(ip), "{ip} was given twice");
            }
        }
    }
    for container in world.state.containers() {
        assert_eq!(
            world.state.container_named(&container.name).map(|found| &found.id),
            Some(&container.id)
        );
        for attachment in
            container.attachments.values().filter(|attachment| attachment.endpoint.is_some())
        {
            let network = world.state.network(attachment.network.as_ref().unwrap()).unwrap();
            assert!(network.endpoints.contains_key(&container.id));
        }
    }
}

#[derive(Clone, Debug)]
enum Move {
    Connect(usize, usize),
    Create(usize, usize),
    Disconnect(usize, usize),
    Kill(usize),
    Pause(usize),
    Remove(usize, bool),
    RemoveNetwork(usize),
    Rename(usize, usize),
    Restart(usize),
    Start(usize),
    Stop(usize),
    Unpause(usize),
}

const NAMES: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];
const NETWORKS: [&str; 5] = ["n1", "n2", "bridge", "host", "none"];

fn moves() -> impl Strategy<Value = Move> {
    let (name, network) = (0..NAMES.len(), 0..NETWORKS.len());
    prop_oneof![
        3 => (name.clone(), network.clone()).prop_map(|(a, b)| Move::Connect(a, b)),
        1 => (name.clone(), network.clone()).prop_map(|(a, b)| Move::Create(a, b)),
        1 => (name.clone(), network).prop_map(|(a, b)| Move::Disconnect(a, b)),
        1 => name.clone().prop_map(Move::Kill),
        1 => name.clone().prop_map(Move::Pause),
        1 => (name.clone(), any::<bool>()).prop_map(|(a, force)| Move::Remove(a, force)),
        1 => (0..2_usize).prop_map(Move::RemoveNetwork),
        1 => (name.clone(), name.clone()).prop_map(|(a, b)| Move::Rename(a, b)),
        1 => name.clone().prop_map(Move::Restart),
        3 => name.clone().prop_map(Move::Start),
        1 => name.clone().prop_map(Move::Stop),
        1 => name.prop_map(Move::Unpause),
    ]
}

impl World {
    fn make(&mut self, one: &Move) {
        // Refusals are fine: what holds must hold all the same.
        let _ = match *one {
            Move::Connect(c, n) => {
                let wish = Connect { container: NAMES[c].to_owned(), endpoint_config: None };
                self.act(|tx| endpoint::connect(tx, NETWORKS[n], wish))
            }
            Move::Create(c, n) => self
                .create(
                    NAMES[c],
                    json!({ "HostConfig": { "NetworkMode": NETWORKS[n], "AutoRemove": c == 4 } }),
                )
                .map(drop),
            Move::Disconnect(c, n) => {
                let wish = Disconnect { container: NAMES[c].to_owned(), force: false };
                self.act(|tx| endpoint::disconnect(tx, NETWORKS[n], &wish))
            }
            Move::Kill(c) => self.act(|tx| kill(tx, NAMES[c], "")),
            Move::Pause(c) => self.act(|tx| pause(tx, NAMES[c])),
            Move::Remove(c, force) => self.act(|tx| remove(tx, NAMES[c], Remove { force })),
            Move::RemoveNetwork(n) => self.act(|tx| {
                network::remove(tx, NETWORKS[n], network::RemoveNetwork { force: false })
            }),
            Move::Rename(c, d) => self.act(|tx| rename(tx, NAMES[c], NAMES[d])),
            Move::Restart(c) => self.act(|tx| restart(tx, NAMES[c], &StopWish::default())),
            Move::Start(c) => self.act(|tx| start(tx, NAMES[c])).map(drop),
            Move::Stop(c) => {
                self.act(|tx| ask_to_stop(tx, NAMES[c], &StopWish::default())).map(drop)
            }
            Move::Unpause(c) => self.act(|tx| unpause(tx, NAMES[c])),
        };
    }
}

proptest! {
    #[test]
    fn no_sequence_gives_an_address_twice_or_leaves_an_endpoint(moves in prop::collection::vec(moves(), 0..60)) {
        for profile in [Profile::Docker28, Profile::Docker20_10] {
            let mut world = World::new(profile);
            for one in &moves {
                world.make(one);
                check(&world);
            }
        }
    }
}
