//! Real container engines for the tests, side by side: each from Debian's packages, in a root
//! and in namespaces of its own.

mod api;
mod apt;
mod catalog;
mod command;
mod instance;
mod lab;
mod network;
mod process;
mod remote;
mod running;
mod swarm;
mod template;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

pub(crate) use catalog::{Name, PARENT, PARENT_ADDRESS};
pub(crate) use lab::install_tools;
pub(crate) use running::Running;

use catalog::{Node, Suite};
use command::in_parallel;
use instance::How;
use lab::Lab;
use running::Reach;
use template::Template;

/// Brings up those that are not up, building what is missing.
pub(crate) fn up(names: &[Name]) -> Result<Running> {
    let lab = Lab::open()?;
    let names = &distinct(names);
    if !down_among(&lab, names)?.is_empty() {
        let _lock = lab.lock()?;
        bring_up(&lab, names)?;
    }
    reach(&lab, names)
}

/// Stops engines and everything in them. Their state stays.
pub(crate) fn down(names: &[Name]) -> Result<()> {
    let lab = Lab::open()?;
    let _lock = lab.lock()?;
    stop(&lab, &distinct(names), How::Ask)
}

/// Gives every engine the state it had when it was new.
pub(crate) fn reset(names: &[Name]) -> Result<Running> {
    let lab = Lab::open()?;
    let names = &distinct(names);
    let _lock = lab.lock()?;
    forget_in(&lab, names)?;
    bring_up(&lab, names)?;
    reach(&lab, names)
}

/// Stops engines, which are new when they are started again.
pub(crate) fn forget(names: &[Name]) -> Result<()> {
    let lab = Lab::open()?;
    let _lock = lab.lock()?;
    forget_in(&lab, &distinct(names))
}

/// Stops all engines and deletes everything, downloads included.
pub(crate) fn purge() -> Result<()> {
    let lab = Lab::open()?;
    let _lock = lab.lock()?;
    stop(&lab, &Name::ALL, How::Kill)?;
    lab.clear()
}

/// Which of these engines are up, and how to reach them.
pub(crate) fn running(names: &[Name]) -> Result<Running> {
    reach(&Lab::open()?, names)
}

/// One line per engine.
pub(crate) fn status() -> Result<String> {
    let lab = Lab::open()?;
    let nodes: Vec<&Node> = Node::all().collect();
    let lines = in_parallel(&nodes, |node| {
        let socket = lab.socket(node);
        let state = if instance::is_running(&lab, node) {
            match api::get_json(&socket, "/version") {
                Ok(version) => {
                    let field = |name: &str| version[name].as_str().unwrap_or("?").to_owned();
                    let (version, api) = (field("Version"), field("ApiVersion"));
                    format!("up      {version:<14} API {api:<5} unix://{}", socket.display())
                }
                Err(error) => format!("silent  {error:#}"),
            }
        } else if Template::of(&lab, node.suite).is_built() {
            "down".to_owned()
        } else {
            "absent".to_owned()
        };
        Ok(format!("{:<9} {state}", node.name))
    })?;
    Ok(lines.into_iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    }))
}

/// Runs a command in place of this program, in the namespaces of an engine.
pub(crate) fn enter(name: &str, command: &[&str]) -> Result<()> {
    let terminal = std::env::var("TERM").unwrap_or_else(|_| "dumb".to_owned());
    let error = inside(name)?
        .arg(format!("TERM={terminal}"))
        .args(if command.is_empty() { &["bash"] } else { command })
        .exec();
    Err(error).context("cannot run nsenter")
}

/// The sockets of all engines are here, and each engine sees them at [`SOCKETS_INSIDE`].
pub(crate) fn sockets() -> Result<PathBuf> {
    Ok(Lab::open()?.run())
}

pub(crate) const SOCKETS_INSIDE: &str = "/lab";

/// Runs what is added to it in the namespaces of an engine; variables may come first.
pub(crate) fn inside(name: &str) -> Result<Command> {
    let lab = Lab::open()?;
    let Some(node) = Node::all().find(|node| node.name == name) else {
        let all: Vec<&str> = Node::all().map(|node| node.name).collect();
        bail!("engines: no engine '{name}', only {}", all.join(", "));
    };
    let Some(init) = instance::init(&lab, node) else {
        bail!("engines: {name} is not up");
    };
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--target={init}"))
        .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--", "env", "-i", "HOME=/root"])
        .args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"])
        .arg("PODMAN_IGNORE_CGROUPSV1_WARNING=1");
    Ok(command)
}

/// The files of `busybox:latest`, as docker28 has them.
pub(crate) fn busybox() -> Result<PathBuf> {
    let lab = Lab::open()?;
    let _lock = lab.lock()?;
    template::build_missing(&lab, &BTreeSet::from([Suite::Sid]))?;
    Ok(Template::of(&lab, Suite::Sid).busybox())
}

/// Gives the engine at this socket the `busybox:latest` that docker28 has.
pub(crate) fn load_busybox(socket: &Path) -> Result<()> {
    instance::import(&busybox()?, socket)
}

/// The docker CLI of docker28's root as a command of this machine's, words with blanks between them: with the libraries of that
/// root, and nothing started in between.
pub(crate) fn docker_cli() -> Result<String> {
    let root = Template::of(&Lab::open()?, Suite::Sid).root().join("usr");
    let libraries = root.join(format!("lib/{}-linux-gnu", std::env::consts::ARCH));
    let entries = fs::read_dir(&libraries).context("engines: docker28 was never up")?;
    let mut names = entries.flatten().map(|entry| entry.path());
    let loader = names.find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux"))
    });
    let loader = loader.with_context(|| format!("no loader in {}", libraries.display()))?;
    let docker = root.join("bin/docker");
    Ok(format!("{} --library-path {} {}", loader.display(), libraries.display(), docker.display()))
}

fn forget_in(lab: &Lab, names: &[Name]) -> Result<()> {
    stop(lab, names, How::Kill)?;
    names.iter().flat_map(|name| name.nodes()).try_for_each(|node| instance::forget(lab, node))
}

fn bring_up(lab: &Lab, names: &[Name]) -> Result<()> {
    // Another process may have done it while this one waited for the lock.
    let names = down_among(lab, names)?;
    install_tools()?;
    let suites: BTreeSet<_> =
        names.iter().flat_map(|name| name.nodes()).map(|node| node.suite).collect();
    template::build_missing(lab, &suites)?;
    in_parallel(&names, |name| {
        let start = Instant::now();
        start_engine(lab, *name).with_context(|| format!("engines: {name}"))?;
        eprintln!("engines: {name} is up after {:.1} s", start.elapsed().as_secs_f32());
        Ok(())
    })?;
    Ok(())
}

fn start_engine(lab: &Lab, name: Name) -> Result<()> {
    let nodes = name.nodes();
    if !nodes.iter().all(|node| instance::answers(lab, node)) {
        // Whatever is left of an earlier start, for all nodes alike: they share a wire.
        in_parallel(nodes, |node| instance::stop(lab, node, How::Kill))?;
        network::make(lab, nodes)?;
        in_parallel(nodes, |node| instance::start(lab, node))?;
    }
    in_parallel(nodes, |node| instance::load_image(lab, node))?;
    swarm::form(lab, nodes)?;
    Ok(())
}

fn stop(lab: &Lab, names: &[Name], how: How) -> Result<()> {
    let nodes: Vec<&Node> = names.iter().flat_map(|name| name.nodes()).collect();
    in_parallel(&nodes, |node| instance::stop(lab, node, how))?;
    Ok(())
}

/// Each once, in the usual order.
fn distinct(names: &[Name]) -> Vec<Name> {
    BTreeSet::from_iter(names.iter().copied()).into_iter().collect()
}

/// Those that are not up.
fn down_among(lab: &Lab, names: &[Name]) -> Result<Vec<Name>> {
    let up = in_parallel(names, |name| {
        let nodes = name.nodes();
        let formed = nodes.len() < 2 || swarm::is_formed(lab, nodes);
        Ok(formed && nodes.iter().all(|node| instance::is_up(lab, node)))
    })?;
    Ok(names.iter().copied().zip(up).filter(|(_, up)| !up).map(|(name, _)| name).collect())
}

fn reach(lab: &Lab, names: &[Name]) -> Result<Running> {
    let nodes: Vec<&'static Node> = names.iter().flat_map(|name| name.nodes()).collect();
    let up = in_parallel(&nodes, |node| Ok(instance::is_up(lab, node)))?;
    let nodes = nodes.into_iter().zip(up).filter(|(_, up)| *up);
    let reach = |(node, _): (&'static Node, bool)| Reach {
        node,
        netns: lab.netns(node),
        socket: lab.socket(node),
        remote: node.remote.then(|| lab.remote(node)),
    };
    Ok(Running { nodes: nodes.map(reach).collect() })
}
