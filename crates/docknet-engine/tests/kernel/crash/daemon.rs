//! An engine on the kernel in a process of its own, and what it keeps.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use docknet::Client;
use docknet_engine::{Durability, Engine, ListenAddress, Sandbox};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::harness;
use crate::{held, lab};

const CHILD: &str = "crash::daemon::serves_until_it_is_killed";
const DIR: &str = "DOCKNET_CRASH_DIR";

pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<String>,
    socket: PathBuf,
}

impl Daemon {
    pub(crate) fn start(machine: &Sandbox, state: &State) -> Self {
        let mut command = harness::child_of(CHILD);
        command.env(DIR, state.dir()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = machine.within(|| command.spawn()).unwrap();
        let lines = harness::lines(&mut child);
        Self { child, lines, socket: socket(state.dir()) }
    }

    pub(crate) fn wait_until_it_answers(&self) {
        let patience = Duration::from_secs(20);
        while self.lines.recv_timeout(patience).expect("the daemon does not start")
            != harness::READY
        {}
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&format!("unix://{}", self.socket.display())).unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(9), "the daemon ended by itself: {status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("socket")
}

#[test]
#[ignore = "the process that the test of crashes kills"]
fn serves_until_it_is_killed() {
    if !harness::is_child_of(CHILD) {
        return;
    }
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let builder = Engine::kernel().state(dir.join("state")).held_by(held::holder());
        let engine = builder.durability(Durability::Process).start().await.unwrap();
        // By the name under which work wants it: containers run programs, which go on when this process is killed.
        let tag = http::Request::post("/images/host/tag?repo=busybox").body("".into()).unwrap();
        engine.client().send(tag).await.unwrap();
        let address = ListenAddress::unix(socket(&dir)).unwrap();
        let _server = engine.serve(&address).await.unwrap();
        harness::ready();
        std::future::pending::<()>().await;
    });
}

/// The directory of a daemon.
pub(crate) struct State(tempfile::TempDir);

impl State {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn namespaces(&self) -> PathBuf {
        self.dir().join("state").join("namespaces")
    }

    /// The process that holds programs, if there is one, and what it holds.
    pub(crate) fn held(&self) -> Option<(i32, Vec<i32>)> {
        let holders = held::holders(&self.dir().join("state"));
        assert!(holders.len() <= 1, "several hold programs: {holders:?}");
        let holder = *holders.first()?;
        Some((holder, held::children(holder)))
    }

    /// Loses everything but the namespaces of containers.
    pub(crate) fn forget(&self) {
        held::kill_holders(&self.dir().join("state"));
        for entry in fs::read_dir(self.dir().join("state")).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                fs::remove_file(path).unwrap();
            } else if path != self.namespaces() {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }

    /// Lets the namespaces of containers go.
    pub(crate) fn release(&self) {
        lab::release(&self.dir().join("state"));
    }

    /// Those that a namespace is kept for.
    pub(crate) fn containers(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.namespaces()) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// How often something is mounted for each of them.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let dir = format!("{}/", self.namespaces().display());
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        points.filter_map(|point| point.strip_prefix(&dir)).map(str::to_owned).collect()
    }

    pub(crate) fn namespace_number(&self, container: &str) -> u64 {
        fs::metadata(self.namespaces().join(container)).unwrap().ino()
    }

    /// Does something in the namespace of a container.
    pub(crate) fn within<T: Send>(&self, container: &str, work: impl FnOnce() -> T + Send) -> T {
        let file = fs::File::open(self.namespaces().join(container)).unwrap();
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        held::kill_holders(&self.dir().join("state"));
        self.release();
    }
}
