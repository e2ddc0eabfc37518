//! `kill -9` of a process with an engine in it, at random moments, with clients at work: what was answered is there, what
//! was not is there as a whole or not at all, and the engine goes on from it.
//!
//! `DOCKNET_CRASH_ROUNDS=500 cargo test -p docknet-engine --test crash -- --nocapture` kills 500.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![cfg(feature = "disk")]

#[path = "crash/harness.rs"]
mod harness;
#[path = "crash/observed.rs"]
mod observed;
#[path = "crash/work.rs"]
mod work;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use docknet_engine::{Durability, Engine};

use self::harness::Death;
use self::observed::Observed;
use self::work::Work;

const CHILD: &str = "clients_work_until_the_process_is_killed";
const DIR: &str = "DOCKNET_CRASH_DIR";
const DURABILITY: &str = "DOCKNET_CRASH_DURABILITY";
const WORK: &str = "DOCKNET_CRASH_WORK";

/// How many processes are killed unless somebody wants more.
const ROUNDS: u64 = 200;
/// So many of them one after the other on the same state.
const ON_ONE_STATE: u64 = 8;
/// How long a process may work.
const LONGEST: Duration = Duration::from_millis(150);

#[test]
fn what_was_answered_survives_and_what_was_refused_never_was() {
    let mut rng = harness::rng();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let mut work = Work::new(rng.u64(..));
    let (mut operations, mut unanswered) = (0, 0);
    for round in 0..harness::rounds_or(ROUNDS) {
        if round % ON_ONE_STATE == 0 && dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
            work = Work::new(rng.u64(..));
        }
        let death = Death::random(&mut rng, LONGEST);
        let durability = if rng.bool() { "immediate" } else { "process" };
        let mut child = harness::child_of(CHILD);
        child.env(DIR, &dir).env(DURABILITY, durability).env(WORK, work.to_string());
        let mut ids = BTreeMap::new();
        for line in harness::kill(&mut child, death) {
            let words: Vec<&str> = line.split(' ').collect();
            let [task, index, id] = words[..] else { panic!("{line}") };
            let op = work.done(task.parse().unwrap(), index.parse().unwrap());
            if let Some(network) = op.makes {
                ids.insert(network, id.to_owned());
            }
            operations += 1;
        }
        let observed = runtime.block_on(observe(&dir));
        let context = format!("round {round}, {death:?}, {durability}");
        observed.check_invariants(&context);
        // What was answered to be there is there under the id that was answered.
        for (name, id) in ids.iter().filter(|(name, _)| work.owns(name)) {
            if let Some(found) = observed.network_id(name) {
                assert_eq!(found, id, "{context}: {name} is another network");
            }
        }
        for task in 0..work::TASKS {
            unanswered += usize::from(work.settle(task, &observed.of_task(task), &context));
        }
    }
    println!("{operations} operations were answered, {unanswered} were done and not answered");
    assert!(operations > 0);
}

/// The state as an engine finds it, and a try whether that engine works.
async fn observe(dir: &Path) -> Observed {
    let engine = Engine::open(dir).durability(Durability::Process).start().await.unwrap();
    let client = engine.client();
    let observed = Observed::read(&client).await;
    let network = client.networks().create("tried").await.unwrap();
    let subnet = network.info().ipam.pools[0].subnet.unwrap();
    assert!(observed.is_free(&subnet), "{subnet} was given a second time");
    network.remove().await.unwrap();
    observed
}

#[test]
#[ignore = "the process that the test above kills"]
fn clients_work_until_the_process_is_killed() {
    if !harness::is_child_of(CHILD) {
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(async {
        let dir = std::env::var_os(DIR).unwrap();
        let durability = match std::env::var(DURABILITY).unwrap().as_str() {
            "immediate" => Durability::Immediate,
            _ => Durability::Process,
        };
        let mut builder = Engine::open(dir).durability(durability).image("busybox");
        for task in 0..work::TASKS {
            builder = builder.link(work::parent(task), []);
        }
        let client = builder.start().await.unwrap().client();
        if client.networks().find(work::SHARED).await.unwrap().is_none() {
            client.networks().create(work::SHARED).await.unwrap();
        }
        let work: Work = std::env::var(WORK).unwrap().parse().unwrap();
        harness::ready();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..work::TASKS {
            let (client, mut work) = (client.clone(), work.clone());
            tasks.spawn(async move {
                loop {
                    let (index, op) = work.next(task);
                    let id = op.carry_out(&client).await.unwrap();
                    work.done(task, index);
                    harness::acknowledge(&format!("{task} {index} {id}"));
                }
            });
        }
        // None of them ends but by a panic, which ends the process: the test sees that.
        tasks.join_next().await.unwrap().unwrap();
    });
}
