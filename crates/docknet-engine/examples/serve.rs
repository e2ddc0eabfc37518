//! The engine on a socket, for any Docker client:
//!
//! ```sh
//! cargo run --example serve -- --host unix:///tmp/docknet.sock
//! docker -H unix:///tmp/docknet.sock network create backend
//! ```
//!
//! Flags: `--host ADDRESS` (may be given several times), `--like docker28|docker26|docker20|podman5`, `--state DIR`,
//! `--link NAME[=ADDRESS/PREFIX]`, `--image NAME`, `--seed NUMBER`.
#![expect(clippy::print_stdout, reason = "a program that says where it listens")]

use std::error::Error;

use docknet_engine::{Engine, EngineBuilder, Profile};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut hosts = Vec::new();
    let mut builder = Engine::memory();
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        builder = match flag.as_str() {
            "--host" => {
                hosts.push(value.parse()?);
                builder
            }
            "--like" => builder.like(profile(&value)?),
            "--state" => builder.state(value),
            "--link" => link(builder, &value)?,
            "--image" => builder.image(value),
            "--seed" => builder.seed(value.parse()?),
            other => return Err(format!("unknown flag {other}").into()),
        };
    }
    let engine = builder.start().await?;
    let mut servers = Vec::new();
    for host in &hosts {
        servers.push(engine.serve(host).await?);
    }
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    for server in &servers {
        println!("listening on {}", server.address());
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    for server in servers {
        server.shutdown().await;
    }
    Ok(())
}

fn profile(name: &str) -> Result<Profile, Box<dyn Error>> {
    Ok(match name {
        "docker20" => Profile::Docker20_10,
        "docker26" => Profile::Docker26,
        "docker28" => Profile::Docker28,
        "podman5" => Profile::Podman5,
        other => {
            return Err(
                format!("--like {other}: there are docker20, docker26, docker28, podman5").into()
            );
        }
    })
}

fn link(builder: EngineBuilder, text: &str) -> Result<EngineBuilder, Box<dyn Error>> {
    Ok(match text.split_once('=') {
        Some((name, address)) => builder.link(name, [address.parse()?]),
        None => builder.link(text, []),
    })
}
