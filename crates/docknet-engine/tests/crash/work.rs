//! What the clients of the process do, and what is there after each step of it. The process and the test that kills it
//! work it out alike, from a seed and from how far each client is.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use docknet::Client;
use fastrand::Rng;
use serde_json::{Value, json};

pub(crate) const TASKS: usize = 8;
/// A network on which containers of all clients are.
pub(crate) const SHARED: &str = "shared";

/// How far all clients are.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    seed: u64,
    tasks: Vec<Task>,
}

/// How far one client is, and what it should find.
#[derive(Clone, Debug, Default)]
struct Task {
    done: u64,
    owned: Owned,
}

/// What one client has made, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) networks: BTreeSet<String>,
    pub(crate) containers: BTreeMap<String, Place>,
}

/// A container's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) running: bool,
    pub(crate) on: BTreeSet<String>,
}

/// One operation of one client.
pub(crate) struct Operation {
    method: &'static str,
    pub(crate) path: String,
    body: Value,
    /// Whether the engine has to do it, or to refuse it.
    taken: bool,
    /// The network that it makes, if it does.
    pub(crate) makes: Option<String>,
    then: Owned,
}

impl Work {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, tasks: vec![Task::default(); TASKS] }
    }

    /// What this client does next, and the number of it.
    pub(crate) fn next(&self, task: usize) -> (u64, Operation) {
        let Task { done, owned } = &self.tasks[task];
        let mut rng = Rng::with_seed(self.seed ^ ((task as u64) << 56) ^ (done + 1));
        // Neighbouring seeds give similar first numbers.
        rng.u64(..);
        (done + 1, owned.next(task, &mut rng))
    }

    /// Notes that this client's next operation, which has this number, was answered.
    pub(crate) fn done(&mut self, task: usize, index: u64) -> Operation {
        let (next, operation) = self.next(task);
        assert_eq!(index, next, "client {task} was answered out of order");
        self.tasks[task].done = index;
        self.tasks[task].owned = operation.then.clone();
        operation
    }

    /// Whether this network should be there after all that was answered.
    pub(crate) fn owns(&self, network: &str) -> bool {
        self.tasks.iter().any(|task| task.owned.networks.contains(network))
    }

    /// What is there must be what was answered, or that and the operation that was under way: then it counts as done.
    pub(crate) fn settle(&mut self, task: usize, found: &Owned, context: &str) -> bool {
        if self.tasks[task].owned == *found {
            return false;
        }
        let (index, operation) = self.next(task);
        assert!(
            operation.then == *found,
            "{context}: client {task} was answered {} operations\nthat should leave {:?}\nor, with {} {} {}, {:?}\nand there is {found:?}",
            index - 1,
            self.tasks[task].owned,
            operation.method,
            operation.path,
            operation.body,
            operation.then,
        );
        self.done(task, index);
        true
    }
}

impl Owned {
    fn next(&self, task: usize, rng: &mut Rng) -> Operation {
        let network = format!("t{task}-n{}", rng.u8(..4));
        let container = format!("t{task}-c{}", rng.u8(..4));
        let place = self.containers.get(&container);
        let mut then = self.clone();
        let there = |name: &str| name == SHARED || self.networks.contains(name);
        match rng.u8(..15) {
            0 | 1 => {
                let taken = then.networks.insert(network.clone());
                let body = network_body(task, &network);
                Operation {
                    makes: taken.then_some(network),
                    ..post("/networks/create", body, taken, then)
                }
            }
            // Several networks that nobody uses, to be removed by one operation.
            2 => {
                let name = format!("t{task}-loose{}", rng.u8(..3));
                let taken = then.networks.insert(name.clone());
                let label = format!("t{task}");
                let body = json!({ "Name": name, "Labels": { label: "" }, "EnableIPv6": true });
                Operation {
                    makes: taken.then_some(name),
                    ..post("/networks/create", body, taken, then)
                }
            }
            3 => {
                then.networks.retain(|name| !name.contains("-loose"));
                let filters = format!("%7B%22label%22%3A%5B%22t{task}%22%5D%7D");
                post(&format!("/networks/prune?filters={filters}"), Value::Null, true, then)
            }
            4 if self.is_unused(&network) => {
                let taken = then.networks.remove(&network);
                Operation {
                    method: "DELETE",
                    ..post(&format!("/networks/{network}"), Value::Null, taken, then)
                }
            }
            5 | 6 => {
                let mode = if there(&network) { network.as_str() } else { SHARED };
                let taken = place.is_none();
                if taken {
                    let place = Place { running: false, on: [mode.to_owned()].into() };
                    then.containers.insert(container.clone(), place);
                }
                let ports = bindings(task, &container);
                let host = json!({ "NetworkMode": mode, "PortBindings": ports });
                // Where programs run, this one does, and does not keep anybody waiting.
                let body = json!({
                    "Image": "busybox", "Cmd": ["sleep", "1000"], "StopSignal": "KILL", "HostConfig": host,
                });
                post(&format!("/containers/create?name={container}"), body, taken, then)
            }
            7 | 12..=14 => {
                if let Some(place) = then.containers.get_mut(&container) {
                    place.running = true;
                }
                post(&format!("/containers/{container}/start"), Value::Null, place.is_some(), then)
            }
            8 => {
                if let Some(place) = then.containers.get_mut(&container) {
                    place.running = false;
                }
                post(&format!("/containers/{container}/stop"), Value::Null, place.is_some(), then)
            }
            9 => {
                let network = if rng.bool() { SHARED.to_owned() } else { network };
                let taken = there(&network)
                    && place.is_some_and(|place| !(place.running && place.on.contains(&network)));
                if let Some(place) = then.containers.get_mut(&container).filter(|_| taken) {
                    place.on.insert(network.clone());
                }
                let body = json!({ "Container": container });
                post(&format!("/networks/{network}/connect"), body, taken, then)
            }
            10 => {
                let network = if rng.bool() { SHARED.to_owned() } else { network };
                let place = then.containers.get_mut(&container);
                let taken = place.is_some_and(|place| place.on.remove(&network));
                let body = json!({ "Container": container });
                post(&format!("/networks/{network}/disconnect"), body, taken, then)
            }
            _ => {
                let force = rng.bool();
                let taken = place.is_some_and(|place| force || !place.running);
                if taken {
                    then.containers.remove(&container);
                }
                let path = format!("/containers/{container}?force={force}");
                Operation { method: "DELETE", ..post(&path, Value::Null, taken, then) }
            }
        }
    }

    /// Whether no container refers to it.
    fn is_unused(&self, network: &str) -> bool {
        self.containers.values().all(|place| !place.on.contains(network))
    }
}

/// The link of the host's that a client's macvlan network is on.
pub(crate) fn parent(task: usize) -> String {
    format!("parent{task}")
}

/// Networks of several kinds. No two of them want the same.
fn network_body(task: usize, name: &str) -> Value {
    match name.chars().last() {
        Some('1') => json!({ "Name": name, "Internal": true }),
        Some('2') => {
            let pool = pool(&format!("10.{task}.2"));
            json!({ "Name": name, "EnableIPv6": true, "IPAM": { "Config": [pool] } })
        }
        Some('3') => {
            let pool = pool(&format!("10.{task}.3"));
            let options = json!({ "parent": parent(task) });
            let ipam = json!({ "Config": [pool] });
            json!({ "Name": name, "Driver": "macvlan", "Options": options, "IPAM": ipam })
        }
        _ => json!({ "Name": name }),
    }
}

fn pool(begin: &str) -> Value {
    json!({ "Subnet": format!("{begin}.0/24"), "Gateway": format!("{begin}.1") })
}

/// The ports that a container publishes: a certain one, one of an address, any one, or none.
fn bindings(task: usize, container: &str) -> Value {
    let port = |base: usize| (base + task).to_string();
    match container.chars().last() {
        Some('1') => json!({ "80/tcp": [{ "HostPort": port(20_000) }] }),
        Some('2') => json!({ "80/tcp": [{ "HostIp": "127.0.0.2", "HostPort": port(21_000) }] }),
        Some('3') => json!({ "80/tcp": [{}], "81/tcp": [{}] }),
        _ => json!({}),
    }
}

fn post(path: &str, body: Value, taken: bool, then: Owned) -> Operation {
    Operation { method: "POST", path: path.to_owned(), body, taken, makes: None, then }
}

impl Operation {
    /// Does it, and gives the id that the engine answered, if any; an error if there was no answer.
    pub(crate) async fn carry_out(&self, client: &Client) -> docknet::Result<String> {
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        let request = http::Request::builder().method(self.method).uri(&self.path);
        let answer = client.send(request.body(body.into()).unwrap()).await?;
        let status = answer.status();
        let body = answer.into_body().collect(1 << 20).await?;
        let taken = status.is_success() || status == 304;
        assert_eq!(taken, self.taken, "{} {}: {status} {body:?}", self.method, self.path);
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        Ok(answer["Id"].as_str().unwrap_or("-").to_owned())
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        self.tasks.iter().try_for_each(|task| write!(f, " {}", task.done))
    }
}

impl FromStr for Work {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u64>().unwrap());
        let mut work = Self::new(numbers.next().unwrap());
        for (task, done) in numbers.enumerate() {
            for index in 1..=done {
                work.done(task, index);
            }
        }
        Ok(work)
    }
}
