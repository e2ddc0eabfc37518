//! `docknet demo`.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use clap::Args;
use docknet::{Client, ContainerSpec, Driver, EndpointSpec, Error, Filters, NetworkSpec, Pool};
use docknet_engine::Engine;

use crate::failure::{Failure, Outcome};
use crate::rootless;
use crate::session::Session;
use crate::terminal;

/// Show the main job on an engine of our own: nothing else is needed
#[derive(Args, Debug)]
#[command(after_help = "\
The engine runs in this process and ends with it: nothing is installed, nothing is left. Its networks are real, in a network namespace of their own, where the kernel lets this user have one; else they are in memory.

Examples:
  docknet demo")]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let mut show = Show { session, out: session.out(), begun: Instant::now() };
        show.play().await?;
        show.out.flush()?;
        drop(show);
        Ok(())
    }
}

struct Show<'a, W> {
    session: &'a Session,
    out: W,
    begun: Instant,
}

impl<W: Write> Show<'_, W> {
    async fn play(&mut self) -> Outcome {
        self.note(
            "An engine for Docker networks, in this process. Beside each step: the command for it.",
        )?;
        self.begun = Instant::now();
        let (engine, ground) = start().await?;
        let client = engine.client();
        let version = client.api_version().await?;
        let command = match ground {
            Ground::Kernel => "docknet serve --kernel --isolated",
            Ground::Memory(_) => "docknet serve",
        };
        self.step(command, &format!("an engine is up and speaks Docker's API {version}"))?;
        self.note(&ground.told())?;

        let networks = client.networks();
        let pool = Pool::new("192.168.52.0/24".parse().map_err(broken)?)
            .gateway("192.168.52.254".parse().map_err(broken)?);
        let spec = NetworkSpec::new("network1").driver(Driver::Bridge).pool(pool);
        let network = networks.create(&spec).await?;
        self.step(
            "docknet create --subnet 192.168.52.0/24 --gateway 192.168.52.254 network1",
            &format!("network1 is there: {}", network.short_id()),
        )?;

        for name in ["web", "db"] {
            let container =
                client.containers().create(ContainerSpec::new("busybox").name(name)).await?;
            container.start().await?;
        }
        self.step(
            "docker run -d --name web busybox, and db",
            "two containers that have something to talk about",
        )?;

        network
            .connect(
                "web",
                EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse().map_err(broken)?),
            )
            .await?;
        self.step(
            "docknet connect --ip 192.168.52.9 --alias api network1 web",
            &address(&client, "web").await?,
        )?;
        network.connect("db", EndpointSpec::new()).await?;
        self.step("docknet connect network1 db", &address(&client, "db").await?)?;

        if matches!(ground, Ground::Kernel) {
            self.talk(&engine).await?;
        }

        let members = network.containers().await?;
        let names: Vec<_> = members.iter().map(|container| container.name().to_owned()).collect();
        self.step("docknet ls --containers", &format!("on network1: {}", names.join(", ")))?;

        let Err(error) = networks.create(&spec).await else {
            return Err(unexpected("a second network1"));
        };
        self.refused("docknet create network1", &error)?;
        let Err(error) = network.clone().remove().await else {
            return Err(unexpected("a removal in use"));
        };
        self.refused("docknet rm network1", &error)?;

        for name in ["web", "db"] {
            network.disconnect(name).await?;
        }
        self.step("docknet disconnect network1 web, and db", "nobody is left on it")?;
        let pruned = networks.prune(&Filters::new()).await?;
        self.step(
            "docknet prune --force",
            &format!("removed: {}", pruned.networks_deleted.join(", ")),
        )?;
        drop(client);
        drop(engine);
        writeln!(self.out)?;
        self.note("That was all of it: nothing was installed, and nothing is left.")?;
        self.note("Next: `docknet serve`, and any Docker client finds this engine; `docknet ls`, on the engine that you have.")
    }

    /// A packet of the one to the other, and back.
    async fn talk(&mut self, engine: &Engine) -> Outcome {
        let (web, db) = (engine.sandbox("web").await, engine.sandbox("db").await);
        let (web, db) = (web.map_err(broken)?, db.map_err(broken)?);
        let listener = web.within(|| TcpListener::bind("192.168.52.9:80")).map_err(broken)?;
        self.begun = Instant::now();
        let address = ([192, 168, 52, 9], 80).into();
        let asking = db.within(|| TcpStream::connect_timeout(&address, PATIENCE));
        let asking = asking.map_err(broken)?;
        let (_, peer) = listener.accept().map_err(broken)?;
        drop(asking);
        self.step(
            "docker exec db nc 192.168.52.9 80",
            &format!("web hears {}, over the bridge", peer.ip()),
        )
    }

    fn note(&mut self, text: &str) -> Outcome {
        let faint = self.session.terminal().style(terminal::FAINT);
        Ok(writeln!(self.out, "{faint}{text}{faint:#}")?)
    }

    fn step(&mut self, command: &str, outcome: &str) -> Outcome {
        let (strong, good, faint) = self.styles();
        let took = took(self.begun);
        writeln!(
            self.out,
            "\n{strong}{command}{strong:#}\n  {good}ok{good:#}       {outcome} {faint}({took}){faint:#}"
        )?;
        self.begun = Instant::now();
        Ok(())
    }

    /// A refusal that was to come: its kind, and the engine's words.
    fn refused(&mut self, command: &str, error: &Error) -> Outcome {
        let (strong, _, faint) = self.styles();
        let yellow = self.session.terminal().style(terminal::WARNING);
        let took = took(self.begun);
        writeln!(
            self.out,
            "\n{strong}{command}{strong:#}\n  {yellow}refused{yellow:#}  {:?}: {} {faint}({took}){faint:#}",
            error.kind(),
            error.message(),
        )?;
        self.begun = Instant::now();
        Ok(())
    }

    fn styles(&self) -> (anstyle::Style, anstyle::Style, anstyle::Style) {
        let terminal = self.session.terminal();
        (
            terminal.style(terminal::STRONG),
            terminal.style(terminal::GOOD),
            terminal.style(terminal::FAINT),
        )
    }
}

/// What the demo's networks are made of.
enum Ground {
    Kernel,
    /// And why.
    Memory(String),
}

impl Ground {
    fn told(&self) -> String {
        match self {
            Self::Kernel if rootless::is_entered() => {
                "Its networks are real, in namespaces of this user's own.".to_owned()
            }
            Self::Kernel => {
                "Its networks are real: bridges and addresses on this machine's kernel, in a namespace of their own."
                    .to_owned()
            }
            Self::Memory(why) => format!("Its networks are in memory, as {why}."),
        }
    }
}

async fn start() -> Outcome<(Engine, Ground)> {
    let real = Engine::kernel().isolated().image("busybox").start().await;
    let why = match real {
        Ok(engine) => return Ok((engine, Ground::Kernel)),
        Err(error) => format!("this user may make no others here ({error})"),
    };
    let engine = Engine::memory().image("busybox").start().await;
    let engine =
        engine.map_err(|error| Failure::new(format!("cannot start the engine: {error}")))?;
    Ok((engine, Ground::Memory(why)))
}

/// For a packet that stays within this machine.
const PATIENCE: Duration = Duration::from_secs(5);

async fn address(client: &Client, name: &str) -> Outcome<String> {
    let container = client.containers().get(name).await?;
    let endpoint = container.endpoints().get("network1").and_then(|endpoint| endpoint.ipv4());
    let endpoint = endpoint.ok_or_else(|| unexpected("no address"))?;
    Ok(format!("{name} has {endpoint}"))
}

fn took(begun: Instant) -> String {
    let micros = begun.elapsed().as_micros();
    if micros < 10_000 { format!("{micros} µs") } else { format!("{} ms", micros / 1000) }
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the demo is broken: {error}"))
}

fn unexpected(what: &str) -> Failure {
    broken(format!("{what} was not to be"))
}
