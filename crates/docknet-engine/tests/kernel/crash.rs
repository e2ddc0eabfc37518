//! `kill -9` of a daemon whose networks are on the kernel, at random moments, with clients at work. The next one finds what
//! was answered, and the kernel has exactly that: no link, address, rule or namespace more or less.
//!
//! `DOCKNET_CRASH_ROUNDS=1000 cargo test -p docknet-engine --features kernel --test kernel crash -- --nocapture` kills more.

pub(crate) mod daemon;
#[path = "../crash/harness.rs"]
#[expect(dead_code, reason = "what is for processes that acknowledge by themselves")]
pub(crate) mod harness;
#[path = "../crash/observed.rs"]
#[expect(dead_code, reason = "subnets are tried out in the other test")]
mod observed;
mod told;
mod traffic;
#[path = "../crash/work.rs"]
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use docknet::Client;
use docknet_engine::Sandbox;
use serde_json::Value;

use self::daemon::{Daemon, State};
use self::observed::Observed;
use self::told::Told;
use self::work::Work;
use crate::lab::{Lab, ip};

const ROUNDS: u64 = 120;
/// So many of them one after the other on the same state.
const ON_ONE_STATE: u64 = 10;
/// What each client does at first, so that there is something to lose.
const BEFORE: usize = 15;
/// How long clients work.
const WORK: Duration = Duration::from_millis(40);
/// How long an engine may take to start before it is killed: at times, longer than it takes.
const START: Duration = Duration::from_millis(200);
/// For links to be taken away.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_on_the_kernel_after_each_crash_and_nothing_else() {
    let mut rng = harness::rng();
    let lab = Lab::new().await;
    let mut machine = Machine::new(&lab, 0).await;
    let state = State::new();
    let mut story = Story::new(rng.u64(..));
    let (mut killed, mut operations) = (0, 0);
    for round in 0..harness::rounds_or(ROUNDS) {
        if round > 0 && round % ON_ONE_STATE == 0 {
            // All is forgotten: by the engine alone, or by the machine, too.
            state.forget();
            if rng.bool() {
                state.release();
                machine.end().await;
                machine = Machine::new(&lab, round).await;
            }
            story = Story::new(rng.u64(..));
        }
        while rng.u8(..4) == 0 {
            let daemon = Daemon::start(&machine.host, &state);
            thread::sleep(up_to(&mut rng, START));
            daemon.kill();
            killed += 1;
        }
        let daemon = Daemon::start(&machine.host, &state);
        daemon.wait_until_it_answers();
        let client = daemon.client();
        story.check(&format!("round {round}"), &client, &machine, &state).await;
        if client.networks().find(work::SHARED).await.unwrap().is_none() {
            client.networks().create(work::SHARED).await.unwrap();
            let load = Load::begin(&client, &story.work, BEFORE);
            story.go_on(load.end().await);
        }
        let load = Load::begin(&client, &story.work, usize::MAX);
        thread::sleep(up_to(&mut rng, WORK));
        daemon.kill();
        killed += 1;
        let answered = load.end().await;
        operations += answered.len();
        story.go_on(answered);
    }
    let daemon = Daemon::start(&machine.host, &state);
    daemon.wait_until_it_answers();
    story.check("at the end", &daemon.client(), &machine, &state).await;
    println!("{killed} daemons were killed, {operations} operations were answered");
}

fn up_to(rng: &mut fastrand::Rng, longest: Duration) -> Duration {
    Duration::from_micros(rng.u64(..u64::try_from(longest.as_micros()).unwrap()))
}

/// What a daemon has as its host.
pub(crate) struct Machine {
    name: String,
    client: Client,
    pub(crate) host: Sandbox,
}

impl Machine {
    async fn new(lab: &Lab, number: u64) -> Self {
        let name = format!("machine{number}");
        let host = lab.container(&name, "none").await;
        for task in 0..work::TASKS {
            let parent = work::parent(task);
            ip(&host, &format!("link add {parent} up type veth peer name {parent}-end"));
            ip(&host, &format!("link set {parent}-end up"));
        }
        Self { name, client: lab.client.clone(), host }
    }

    async fn end(self) {
        self.client.containers().get(&self.name).await.unwrap().stop().await.unwrap();
    }
}

/// Clients at work, and what they were answered: whose operation, the number of it, and the id it gave.
struct Load {
    clients: tokio::task::JoinSet<()>,
    answered: Arc<Mutex<Vec<(usize, u64, String)>>>,
}

impl Load {
    fn begin(client: &Client, work: &Work, operations: usize) -> Self {
        let answered = Arc::new(Mutex::new(Vec::new()));
        let mut clients = tokio::task::JoinSet::new();
        for task in 0..work::TASKS {
            let (client, mut work, answered) = (client.clone(), work.clone(), answered.clone());
            clients.spawn(async move {
                for _ in 0..operations {
                    let (index, operation) = work.next(task);
                    let Ok(id) = operation.carry_out(&client).await else { return };
                    work.done(task, index);
                    answered.lock().unwrap().push((task, index, id));
                }
            });
        }
        Self { clients, answered }
    }

    /// Once they have done it all, or nobody answers any more.
    async fn end(mut self) -> Vec<(usize, u64, String)> {
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.answered.lock().unwrap())
    }
}

/// The programs that are said to run, and those that do.
fn programs(observed: &Observed, state: &State) -> (BTreeSet<i64>, BTreeSet<i64>) {
    let running = observed.containers.values().filter(|one| one["State"]["Running"] == true);
    let told = running.map(|one| one["State"]["Pid"].as_i64().unwrap()).collect();
    let (_, held) = state.held().unwrap_or_default();
    (told, held.into_iter().map(i64::from).collect())
}

/// What a client sees once what was killed before the crash has ended, and that is told: until then, one answer differs from
/// the next.
async fn settled(client: &Client, state: &State) -> Observed {
    let begun = Instant::now();
    let mut before = Observed::read(client).await;
    loop {
        let now = Observed::read(client).await;
        let (told, held) = programs(&now, state);
        if (now == before && told == held) || begun.elapsed() > PATIENCE {
            return now;
        }
        before = now;
    }
}

/// What has to be there.
struct Story {
    work: Work,
    checks: u64,
    /// The ids of networks, as they were seen or answered last.
    networks: BTreeMap<String, String>,
    /// The addresses of endpoints that were seen.
    endpoints: BTreeMap<String, String>,
    /// The namespaces of containers that were seen running, by when they were started.
    namespaces: BTreeMap<(String, String), u64>,
}

impl Story {
    fn new(seed: u64) -> Self {
        Self {
            work: Work::new(seed),
            checks: 0,
            networks: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            namespaces: BTreeMap::new(),
        }
    }

    fn go_on(&mut self, answered: Vec<(usize, u64, String)>) {
        for (task, index, id) in answered {
            if let Some(network) = self.work.done(task, index).makes {
                self.networks.insert(network, id);
            }
        }
    }

    async fn check(&mut self, when: &str, client: &Client, machine: &Machine, state: &State) {
        let observed = settled(client, state).await;
        observed.check_invariants(when);
        for (name, id) in self.networks.iter().filter(|(name, _)| self.work.owns(name)) {
            if let Some(found) = observed.network_id(name) {
                assert_eq!(found, id, "{when}: {name} is another network");
            }
        }
        // What was under way may have been done in part, and is done anew: with a namespace that is another one.
        let under_way: Vec<String> =
            (0..work::TASKS).map(|task| self.work.next(task).1.path).collect();
        for task in 0..work::TASKS {
            self.work.settle(task, &observed.of_task(task), when);
        }
        let id = |network: &Value| network["Id"].as_str().unwrap().to_owned();
        let ids = observed.networks.iter().map(|(name, network)| (name.clone(), id(network)));
        self.networks = ids.collect();
        let expected = Told::expected(&observed);
        let begun = Instant::now();
        let mut found = Told::found(machine, state);
        while found.has_links_that_are_gone() {
            assert!(begun.elapsed() < PATIENCE, "{when}: links that are gone stay: {found:#?}");
            thread::sleep(Duration::from_millis(5));
            found = Told::found(machine, state);
        }
        told::assert_same(when, &expected, &found);
        self.check_that_nothing_moved(when, &observed, state, &under_way);
        let (told, held) = programs(&observed, state);
        assert_eq!(told, held, "{when}: what is said to run, and what does");
        if self.is_packets_turn() {
            traffic::check(when, &observed, state);
            traffic::check_ports(when, expected.published(), machine, state);
        }
    }

    /// Packets take long, and are tried now and then.
    fn is_packets_turn(&mut self) -> bool {
        self.checks += 1;
        self.checks.is_multiple_of(3)
    }

    /// Endpoints keep their addresses, and containers their namespaces.
    fn check_that_nothing_moved(
        &mut self,
        when: &str,
        observed: &Observed,
        state: &State,
        under_way: &[String],
    ) {
        let mut running = BTreeSet::new();
        for (name, container) in &observed.containers {
            if container["State"]["Running"] != true {
                continue;
            }
            let networks = container["NetworkSettings"]["Networks"].as_object().unwrap();
            for endpoint in networks.values() {
                let id = endpoint["EndpointID"].as_str().unwrap().to_owned();
                let place = format!("{name}: {endpoint}");
                let before = self.endpoints.entry(id).or_insert_with(|| place.clone());
                assert_eq!(*before, place, "{when}: an endpoint has changed");
            }
            let id = container["Id"].as_str().unwrap().to_owned();
            let namespace = state.namespace_number(&id);
            let key = (id, container["State"]["StartedAt"].as_str().unwrap().to_owned());
            let before = self.namespaces.insert(key.clone(), namespace);
            let stops = |path: &String| path.contains(&format!("containers/{name}"));
            if let Some(before) = before.filter(|_| !under_way.iter().any(stops)) {
                assert_eq!(namespace, before, "{when}: {name} has another namespace");
            }
            running.insert(key);
        }
        self.namespaces.retain(|key, _| running.contains(key));
    }
}
