//! `docknet serve`.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use docknet::IpNet;
use docknet_engine::{Engine, EngineBuilder, ListenAddress, Profile, ServeError, Server};
use rustix::fs::{Access, access};

use crate::failure::{Failure, Outcome};
use crate::rootless;
use crate::service;
use crate::session::Session;

/// Serve an engine of our own to any Docker client
#[derive(Args, Debug)]
#[command(after_help = "\
-H says where to listen here, and may be given several times: unix:///path or tcp://127.0.0.1:2375. \
Without it, /run/docknet.sock as root, and docknet.sock in $XDG_RUNTIME_DIR for others. Whoever may write to the socket \
controls the engine: it is private, and TCP has no TLS.

Examples:
  docknet serve                                          in memory: all is forgotten at the end
  docknet serve --state /var/lib/docknet
  docknet serve --kernel --state /var/lib/docknet        real bridges, addresses and NAT
  docknet serve --kernel --isolated                      the same where nobody sees it
  docknet serve -H unix:///tmp/old.sock --like docker-20.10
  DOCKER_HOST=unix:///run/docknet.sock docker network ls")]
pub(crate) struct Serve {
    /// Keep nothing on disk: all is forgotten at the end; so it is without --state
    #[arg(long, conflicts_with = "state")]
    memory: bool,

    /// Keep the state in this directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    state: Option<PathBuf>,

    /// Make real networks on this machine's kernel: as root; others get them isolated, in a user namespace
    #[arg(long, conflicts_with_all = ["memory", "links"])]
    kernel: bool,

    /// Make them in a network namespace of their own, which goes with the engine
    #[arg(long, requires = "kernel")]
    isolated: bool,

    /// Answer as this engine does: docker-20.10, docker-26, docker-28 or podman-5
    #[arg(long, value_name = "ENGINE", default_value = "docker-28", hide_possible_values = true)]
    like: Like,

    /// Pretend that the host has this link, with these addresses: a parent of macvlan networks, say
    #[arg(long = "link", value_name = "NAME[=ADDRESS/PREFIX,…]", value_parser = link)]
    links: Vec<Link>,

    /// A name that stands for an image, without files: its containers run nothing [default: busybox, but with --kernel]
    #[arg(long = "image", value_name = "NAME")]
    images: Vec<String>,

    /// The same ids and hardware addresses each time
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// The first word, known to nobody else, by which this program holds the programs of containers.
pub(crate) const HOLD: &str = "hold-programs";

impl Serve {
    /// Whether an ordinary user needs a namespace for it.
    pub(crate) fn needs_root(&self) -> bool {
        self.kernel
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Like {
    #[value(name = "docker-20.10", alias = "docker20")]
    Docker20,
    #[value(name = "docker-26", aliases = ["docker-26.1", "docker26"])]
    Docker26,
    #[value(name = "docker-28", aliases = ["docker-28.5", "docker28"])]
    Docker28,
    #[value(name = "podman-5", aliases = ["podman-5.4", "podman5"])]
    Podman5,
}

#[derive(Clone, Debug)]
struct Link {
    name: String,
    addresses: Vec<IpNet>,
}

impl Serve {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let inherited = service::sockets()?;
        let addresses = match inherited.is_empty() {
            true => addresses(session.hosts())?,
            false => Vec::new(),
        };
        if !inherited.is_empty() && !session.hosts().is_empty() {
            session.warn("-H says nothing here: a service manager has handed sockets over");
        }
        #[cfg(target_os = "linux")]
        if self.kernel
            && let Err(why) = docknet_engine::raise_open_file_limit()
        {
            session.warn(format!("few containers have room: cannot have more files open: {why}"));
        }
        if let Some(why) = rootless::open_to_containers() {
            session.warn(format!(
                "root in a container of an image could change the file of this program: {why}"
            ));
        }
        let interrupt = session.interrupt().await?;
        let engine = self
            .engine()
            .start()
            .await
            .map_err(|error| Failure::new(format!("cannot start the engine: {error}")))?;
        let mut servers = Vec::new();
        for address in &addresses {
            servers.push(engine.serve(address).await.map_err(|error| refused(&error))?);
        }
        for socket in inherited {
            servers.push(engine.serve_inherited(socket).map_err(|error| refused(&error))?);
        }
        announce(session, &servers)?;
        service::tell("READY=1");
        interrupt.came().await;
        service::tell("STOPPING=1");
        for server in servers {
            server.shutdown().await;
        }
        // A service goes on where it was when it is started again. A hand leaves nothing behind.
        #[cfg(target_os = "linux")]
        if interrupt.was_by_hand() {
            engine.end_programs().await;
        }
        Ok(())
    }

    fn engine(&self) -> EngineBuilder {
        let on = match (self.kernel, self.isolated || rootless::is_entered()) {
            (false, _) => Engine::memory(),
            (true, false) => Engine::kernel(),
            (true, true) => Engine::kernel().isolated(),
        };
        let mut builder = on.like(match self.like {
            Like::Docker20 => Profile::Docker20_10,
            Like::Docker26 => Profile::Docker26,
            Like::Docker28 => Profile::Docker28,
            Like::Podman5 => Profile::Podman5,
        });
        if let Some(dir) = &self.state {
            builder = builder.state(dir);
            // The program that runs, whatever has become of its file.
            builder = builder.held_by(["/proc/self/exe", HOLD]);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        for link in &self.links {
            builder = builder.link(&link.name, link.addresses.iter().copied());
        }
        // On the kernel images have files, and whoever asks for one that has none is to hear of it.
        let default = ["busybox".to_owned()];
        let images = match self.images.as_slice() {
            [] if !self.kernel => &default[..],
            images => images,
        };
        images.iter().fold(builder, |builder, image| builder.image(image))
    }
}

/// Where to listen: as asked for, or a socket that is this user's own.
fn addresses(hosts: &[String]) -> Outcome<Vec<ListenAddress>> {
    if hosts.is_empty() {
        let socket = default_socket()?;
        return Ok(vec![
            format!("unix://{}", socket.display()).parse().map_err(|error| refused(&error))?,
        ]);
    }
    hosts.iter().map(|host| host.parse().map_err(|error| refused(&error))).collect()
}

fn default_socket() -> Outcome<PathBuf> {
    // Whoever is root of a user namespace only may not write there.
    let may_write = || access("/run", Access::WRITE_OK).is_ok();
    if rustix::process::geteuid().is_root() && may_write() {
        return Ok("/run/docknet.sock".into());
    }
    if let Some(dir) = env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        return Ok(PathBuf::from(dir).join("docknet.sock"));
    }
    Err(Failure::new("there is no $XDG_RUNTIME_DIR to put a socket in")
        .hint("say where: `docknet serve -H unix:///path/docknet.sock`"))
}

fn refused(error: &ServeError) -> Failure {
    Failure::new(error.to_string())
}

fn announce(session: &Session, servers: &[Server]) -> Outcome {
    let mut out = session.out();
    for server in servers {
        writeln!(out, "listening on {}", server.address())?;
    }
    out.flush()?;
    if let Some(server) = servers.first() {
        session.say(format!(
            "hint: `docknet -H {0} ls`, or `DOCKER_HOST={0} docker network ls`; Ctrl-C ends it",
            server.address()
        ));
    }
    Ok(())
}

fn link(text: &str) -> Result<Link, String> {
    let (name, addresses) = text.split_once('=').unwrap_or((text, ""));
    let parse = |address: &str| {
        address
            .parse()
            .map_err(|error| format!("`{address}`: {error}, as in `eth0=198.51.100.1/24`"))
    };
    let addresses = addresses
        .split(',')
        .filter(|address| !address.is_empty())
        .map(parse)
        .collect::<Result<_, _>>()?;
    Ok(Link { name: name.to_owned(), addresses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_have_addresses() {
        assert_eq!(link("eth0").unwrap().addresses, []);
        let both = link("eth0=198.51.100.1/24,fd00::1/64").unwrap();
        assert_eq!((both.name.as_str(), both.addresses.len()), ("eth0", 2));
        assert!(link("eth0=nonsense").unwrap_err().contains("198.51.100.1/24"));
    }
}
