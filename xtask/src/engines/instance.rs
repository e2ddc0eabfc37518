//! One daemon: its state on disk, its namespaces, its start and its end.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::catalog::{Daemon, Node};
use super::command::log_end;
use super::lab::{Lab, delete};
use super::process::{self, Process};
use super::template::Template;
use super::{api, network, remote};

const INIT: &str = include_str!("init.sh");

/// Long enough for a machine that is busy with something else.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Short of what a container gets that ignores its signal to stop.
const ASK_LIMIT: Duration = Duration::from_secs(5);
const KILL_LIMIT: Duration = Duration::from_secs(20);

/// Whether it runs, answers and has its image.
pub(super) fn is_up(lab: &Lab, node: &Node) -> bool {
    is_running(lab, node) && has_image(lab, node)
}

pub(super) fn answers(lab: &Lab, node: &Node) -> bool {
    is_running(lab, node) && api::ping(&lab.socket(node))
}

pub(super) fn is_running(lab: &Lab, node: &Node) -> bool {
    let processes = process::read(&pid_file(lab, node));
    processes.len() == 2 && processes.iter().all(|process| process.is_alive())
}

/// PID 1 of the node's namespaces, while it runs.
pub(super) fn init(lab: &Lab, node: &Node) -> Option<i32> {
    match process::read(&pid_file(lab, node)).as_slice() {
        [_, init] if init.is_alive() => Some(init.id),
        _ => None,
    }
}

/// Starts it in its network namespace and waits until it answers.
pub(super) fn start(lab: &Lab, node: &Node) -> Result<()> {
    let template = Template::of(lab, node.suite);
    prepare(lab, node, &template)?;
    let log = lab.log(node.name);
    let mut child = spawn(lab, node, &template, &log)?;
    let unshare = Process::find(child.id().cast_signed());
    process::write(&pid_file(lab, node), unshare.as_slice())?;
    if let Some(mut go) = child.stdin.take() {
        go.write_all(b"go\n").with_context(|| format!("{} ended", node.name))?;
    }

    let deadline = Instant::now() + START_LIMIT;
    while !api::ping(&lab.socket(node)) {
        if let Some(status) = child.try_wait()? {
            bail!("{} ended: {status}, see {}{}", node.name, log.display(), log_end(&log));
        }
        if Instant::now() > deadline {
            stop(lab, node, How::Kill)?;
            let seconds = START_LIMIT.as_secs();
            bail!(
                "{} does not answer after {seconds} s, see {}{}",
                node.name,
                log.display(),
                log_end(&log)
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    let both: Vec<Process> = unshare.into_iter().chain(unshare.and_then(Process::child)).collect();
    process::write(&pid_file(lab, node), &both)?;
    Ok(())
}

/// Makes sure of `busybox:latest`.
pub(super) fn load_image(lab: &Lab, node: &Node) -> Result<()> {
    if has_image(lab, node) {
        return Ok(());
    }
    import(&Template::of(lab, node.suite).busybox(), &lab.socket(node))
}

/// Gives an engine this archive as `busybox:latest`.
pub(super) fn import(busybox: &Path, socket: &Path) -> Result<()> {
    let archive = fs::read(busybox)?;
    let path = "/images/create?fromSrc=-&repo=busybox&tag=latest&changes=CMD%20%5B%22sh%22%5D";
    api::post(socket, path, "application/x-tar", &archive).context("image of busybox")?;
    Ok(())
}

fn has_image(lab: &Lab, node: &Node) -> bool {
    api::get(&lab.socket(node), "/images/busybox:latest/json")
        .is_ok_and(|answer| answer.status == 200)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The daemon ends on its own terms, with its containers.
    Ask,
    /// For one whose state is not needed any more.
    Kill,
}

/// Ends it with everything that runs in its namespaces, and leaves no trace but its state.
pub(super) fn stop(lab: &Lab, node: &Node, how: How) -> Result<()> {
    // Outside is unshare, which takes the namespaces along when it is killed; inside is their
    // PID 1, which unshare ends with.
    let recorded = process::read(&pid_file(lab, node));
    let outer = recorded.first().copied().filter(|outer| outer.is_alive());
    let inner = recorded.get(1).copied().or_else(|| outer.and_then(Process::child));
    if let Some(inner) = inner.filter(|_| how == How::Ask) {
        inner.signal(Signal::TERM)?;
        inner.ends_within(ASK_LIMIT);
    }
    for process in outer.into_iter().chain(inner) {
        process.signal(Signal::KILL)?;
        if !process.ends_within(KILL_LIMIT) {
            bail!("{}: process {} outlives being killed", node.name, process.id);
        }
    }
    for file in [pid_file(lab, node), lab.socket(node)] {
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot delete {}", file.display()))?;
        }
    }
    network::delete(lab, node)?;
    prune_cgroups(lab, node);
    Ok(())
}

/// Deletes networks, containers, images and settings of a node that is stopped.
pub(super) fn forget(lab: &Lab, node: &Node) -> Result<()> {
    delete(&lab.state(node))
}

fn pid_file(lab: &Lab, node: &Node) -> PathBuf {
    lab.run().join(format!("{}.pid", node.name))
}

fn prepare(lab: &Lab, node: &Node, template: &Template) -> Result<()> {
    let state = lab.state(node);
    let made_from = state.join("template");
    if fs::read_to_string(&made_from).is_ok_and(|id| id != template.id()) {
        forget(lab, node)?;
    }
    let parts = ["data/containerd", "data/containers", "data/docker", "root", "upper", "work"];
    for part in parts {
        fs::create_dir_all(state.join(part))
            .with_context(|| format!("cannot prepare {}", state.display()))?;
    }
    // This is the engine's own `/`, whatever the umask is here.
    fs::set_permissions(state.join("upper"), Permissions::from_mode(0o755))?;
    fs::write(&made_from, template.id())?;
    if node.remote {
        remote::make(lab, node)?;
    }
    Ok(())
}

fn spawn(lab: &Lab, node: &Node, template: &Template, log: &Path) -> Result<Child> {
    let output = File::create(log)?;
    let remote = node.remote.then(|| lab.remote(node));
    let server = remote.map(|remote| remote.server()).unwrap_or_default();
    // setsid, so that the engine outlives the terminal. nsenter, as `ip netns exec` would mount
    // a /sys in which there are no cgroups.
    let child = Command::new("setsid")
        .arg("nsenter")
        .arg(format!("--net={}", lab.netns(node).display()))
        .args(["--", "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"])
        .args(["--propagation", "private", "bash", "-c", INIT, "docknet-init"])
        .args(daemon(lab, node))
        .env("engine", node.name)
        .env("lower", template.root())
        .env("state", lab.state(node))
        .env("sockets", lab.run())
        .env("server", server)
        .stdin(Stdio::piped())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("cannot run setsid")?;
    Ok(child)
}

fn daemon(lab: &Lab, node: &Node) -> Vec<String> {
    let socket = format!("unix:///lab/{}.sock", node.name);
    match node.daemon {
        Daemon::Docker => {
            let mut arguments = vec![
                "dockerd".to_owned(),
                format!("--host={socket}"),
                "--host=unix:///run/docker.sock".to_owned(),
                format!("--cgroup-parent=/{}", lab.namespace(node)),
            ];
            if !node.proxy {
                arguments.push("--userland-proxy=false".to_owned());
            }
            if node.remote {
                arguments.extend(remote::DOCKERD.map(String::from));
            }
            arguments
        }
        Daemon::Podman => {
            ["podman", "system", "service", "--time=0", &socket].map(String::from).to_vec()
        }
    }
}

/// Deletes the cgroups of containers that are gone; those with a process in them stay.
fn prune_cgroups(lab: &Lab, node: &Node) {
    let name = match node.daemon {
        Daemon::Docker => lab.namespace(node),
        Daemon::Podman => "libpod_parent".to_owned(),
    };
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let leftovers: Vec<PathBuf> =
        hierarchies.chain([root.to_owned()]).map(|hierarchy| hierarchy.join(&name)).collect();
    // The kernel takes a moment to let go of a killed process.
    for _ in 0..20 {
        leftovers.iter().for_each(|dir| remove_cgroup(dir));
        if !leftovers.iter().any(|dir| dir.exists()) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn remove_cgroup(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _ = fs::remove_dir(dir);
}
