//! Programs go on while their engine is replaced.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use docknet::{Client, Container, ContainerSpec, ContainerStatus, EndpointSpec};
use docknet_engine::{Engine, Sandbox};

use crate::crash::harness;
use crate::lab::{Lab, StateDir, logs, next_engine, until};

const HOLDER: &str = "held::holds_programs";

#[test]
#[ignore = "the process that holds programs for the tests here"]
fn holds_programs() {
    if harness::is_child_of(HOLDER) {
        docknet_engine::hold_programs().unwrap();
    }
}

/// This program, as the holder.
pub(crate) fn holder() -> Vec<OsString> {
    let command = harness::child_of(HOLDER);
    let variables = command.get_envs().map(|(name, value)| {
        let mut pair = name.to_owned();
        pair.push("=");
        pair.push(value.unwrap());
        pair
    });
    let variables: Vec<OsString> = variables.collect();
    ["env".into()]
        .into_iter()
        .chain(variables)
        .chain([command.get_program().to_owned()])
        .chain(command.get_args().map(OsString::from))
        .collect()
}

/// Where one engine follows the other.
struct Place {
    dir: StateDir,
    machine: Sandbox,
    _lab: Lab,
}

impl Place {
    /// With its first engine, which has a network `front`.
    async fn begin() -> (Self, Engine) {
        let lab = Lab::new().await;
        let machine = lab.container("machine", "none").await;
        let place = Self { dir: StateDir::new(), machine, _lab: lab };
        let engine = place.open().await;
        engine.client().networks().create("front").await.unwrap();
        (place, engine)
    }

    async fn open(&self) -> Engine {
        let builder = || Engine::kernel().inside(&self.machine).state(self.dir.path());
        next_engine(|| builder().held_by(holder())).await
    }
}

async fn run(client: &Client, name: &str, line: &str) -> Container {
    let spec = ContainerSpec::new("host").command(["sh", "-c", line]).name(name);
    let made = client.containers().create(spec.network("front", EndpointSpec::new())).await;
    let made = made.unwrap();
    made.start().await.unwrap();
    made
}

async fn pid(client: &Client, name: &str) -> u64 {
    let shown = client.containers().get(name).await.unwrap();
    let pid = shown.attrs()["State"]["Pid"].as_u64().unwrap();
    assert_ne!(pid, 0, "{name} does not run");
    pid
}

/// The numbers of processes that hold programs in this state.
pub(crate) fn holders(dir: &Path) -> Vec<i32> {
    let socket = dir.join("programs.sock");
    let holds = |process: &Path| {
        // The socket on which it listens is its standard input, and of the network namespace that it was started in.
        let stdin = std::fs::read_link(process.join("fd/0")).ok()?;
        let inode = stdin.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned();
        let sockets = std::fs::read_to_string(process.join("net/unix")).ok()?;
        let mut lines = sockets.lines().map(str::split_whitespace);
        let mut own = lines.find(|line| line.clone().nth(6) == Some(&inode))?;
        (Path::new(own.next_back()?) == socket).then_some(())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path()).map(|()| pid)
    });
    pids.collect()
}

/// Ends them, and the programs with them.
pub(crate) fn kill_holders(dir: &Path) {
    for holder in holders(dir) {
        let pid = rustix::process::Pid::from_raw(holder).unwrap();
        // It may be about to end by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// The processes that one has started, and that have not ended.
pub(crate) fn children(of: i32) -> Vec<i32> {
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else { continue };
        // The name of its program is in brackets, and may have blanks.
        let mut behind = stat.rsplit(") ").next().unwrap().split(' ');
        let (state, parent) = (behind.next().unwrap(), behind.next().unwrap());
        if state != "Z" && parent == of.to_string() {
            found.push(process.file_name().to_str().unwrap().parse().unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_outlive_the_engine() {
    let (place, engine) = Place::begin().await;
    // As a shell gives it: not closed when another program is executed.
    let inherited = place.dir.path().join("inherited");
    let file = std::fs::File::create(&inherited).unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let client = engine.client();
    run(&client, "web", "trap 'exit 3' TERM; while :; do sleep 0.05; done").await;
    run(&client, "told", "echo begun; sleep 0.5; echo the end; exit 9").await;
    let first = pid(&client, "web").await;
    let holder = holders(place.dir.path());
    assert_eq!(holder.len(), 1);
    let files = |process: &str| -> Vec<PathBuf> {
        let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        open.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).collect()
    };
    assert!(files("self").contains(&inherited));
    assert!(!files(&holder[0].to_string()).contains(&inherited));
    drop((client, engine));
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;

    let engine = place.open().await;
    let client = engine.client();
    let web = client.containers().get("web").await.unwrap();
    assert_eq!((web.status(), pid(&client, "web").await), (&ContainerStatus::Running, first));
    // What ended meanwhile is told, with its last words.
    until("the end of the other one is told", async || {
        client.containers().get("told").await.unwrap().info().exit_code == Some(9)
    })
    .await;
    assert_eq!(logs(&client, "told").await, "begun\nthe end\n");
    // It is as any other: it can be looked into, put on networks, and stopped.
    let back = client.networks().create("back").await.unwrap();
    back.connect(&web, EndpointSpec::new()).await.unwrap();
    let hosts = web.exec(["cat", "/etc/hosts"]).await.unwrap();
    assert!(hosts.stdout_text().contains("172.19.0.2"), "{}", hosts.stdout_text());
    web.stop().await.unwrap();
    assert_eq!(client.containers().get("web").await.unwrap().info().exit_code, Some(3));
    assert!(!std::fs::exists(format!("/proc/{first}")).unwrap());
    // With nothing to hold and nobody to hold it for, nobody is left.
    drop((client, engine, web, back));
    until("the holder ends", async || holders(place.dir.path()).is_empty()).await;

    // What one that ended has said is there until it is removed.
    let engine = place.open().await;
    let client = engine.client();
    assert_eq!(logs(&client, "told").await, "begun\nthe end\n");
    let told = client.containers().get("told").await.unwrap();
    told.start().await.unwrap();
    until("it has said it again", async || {
        logs(&client, "told").await == "begun\nthe end\nbegun\nthe end\n"
    })
    .await;
    let own = place.dir.path().join("containers").join(told.id().as_str());
    assert!(own.join("log").exists());
    told.remove().await.unwrap();
    assert!(!own.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_while_it_is_held_ends() {
    let (place, engine) = Place::begin().await;
    run(&engine.client(), "web", "sleep 600").await;
    let first = pid(&engine.client(), "web").await;
    drop(engine);
    let engine = place.open().await;
    let web = engine.client().containers().get("web").await.unwrap();
    web.remove().await.unwrap();
    until("its program ends", async || !std::fs::exists(format!("/proc/{first}")).unwrap()).await;
    // By hand: nothing is to be left.
    run(&engine.client(), "web", "sleep 600").await;
    engine.end_programs().await;
    until("it has ended", async || {
        let shown = engine.client().containers().get("web").await.unwrap();
        shown.info().exit_code == Some(137)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_killed_takes_programs_with_it_and_the_next_one_takes_over() {
    let (place, engine) = Place::begin().await;
    let client = engine.client();
    let web = run(&client, "web", "sleep 600").await;
    let first = pid(&client, "web").await;
    let holder = rustix::process::Pid::from_raw(holders(place.dir.path())[0]).unwrap();
    rustix::process::kill_process(holder, rustix::process::Signal::KILL).unwrap();
    until("its container ends", async || {
        client.containers().get("web").await.unwrap().info().exit_code == Some(255)
    })
    .await;
    until("its program ends", async || !std::fs::exists(format!("/proc/{first}")).unwrap()).await;
    web.start().await.unwrap();
    assert!(web.exec(["true"]).await.unwrap().success());
    web.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_the_state_of_an_engine_that_is_stopped_ends_nothing() {
    let (place, first) = Place::begin().await;
    let client = first.client();
    let web = run(&client, "web", "sleep 600").await;
    let before = pid(&client, "web").await;
    drop((client, web, first));

    let looked = Engine::open(place.dir.path()).start().await.unwrap();
    let networks = looked.client().networks().list().await.unwrap();
    assert!(networks.iter().any(|network| network.name() == "front"));
    let seen = looked.client().containers().get("web").await.unwrap();
    assert_eq!(seen.status(), &ContainerStatus::Running);
    drop((networks, seen, looked));

    let next = place.open().await;
    assert_eq!(pid(&next.client(), "web").await, before);
    next.end_programs().await;
}
