//! `cargo xtask test`: every tier of tests, on real engines too.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::engines::{self, Name};
use crate::served::{Like, Served};
use crate::step::{Step, root};
use crate::{bench, clients, compare, golden};

pub(crate) fn run() -> Result<()> {
    let begun = Instant::now();
    engines::install_tools()?;
    Step::cargo("tests without engines")
        .words("test --workspace --all-features --locked --quiet")
        .run()?;
    timed("conformance on the kernel, with programs", programs)?;
    bench::instructions(&[])?;
    Step::cargo("docknet demo").words("run --quiet --locked -- demo").within(root()).run()?;
    Step::cargo("build for the engines").words("build --package docknet-conformance --package docknet --bins --examples --locked --quiet").run()?;

    eprintln!("==> engines");
    // What was left in them, by a run that was cut off or by hand, must not decide what passes.
    let running = engines::reset(&Name::TESTED)?;
    let env = running.env();
    let of = |key: &str| {
        env.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.clone())
            .with_context(|| format!("the engines give no {key}"))
    };

    let engine_of = |name: &str| -> Result<String> {
        let engines = of("DOCKNET_ENGINES")?;
        let prefix = format!("{name}=");
        engines
            .split(',')
            .find_map(|engine| engine.strip_prefix(&prefix))
            .map(str::to_owned)
            .with_context(|| format!("{name} is not up"))
    };
    for example in ["quickstart", "static_addresses", "partition", "blocking"] {
        Step::cargo(format!("example {example}"))
            .words("run --quiet --locked --package docknet --example")
            .arg(example)
            .env("DOCKER_HOST", engine_of("docker28")?)
            .run()?;
    }
    watch(&engine_of("docker28")?)?;

    // Our engine beside the real ones: what they answered, and what their clients see.
    for like in ["docker28", "docker26", "docker20", "podman5"] {
        timed(&format!("golden {like}"), || golden::run(&["--like", like]))?;
    }
    timed("golden on the kernel", || golden::run(&["--kernel"]))?;
    timed("clients", || clients::run(&[]))?;
    timed("clients on the kernel", || clients::run(&["--kernel"]))?;
    // Our command line beside docker's.
    timed("compare", || compare::run(&[]))?;

    // TLS and SSH listen on the loopback of an engine's own network namespace.
    Step::new("TLS and SSH", "nsenter")
        .arg(format!("--net={}", of("DOCKNET_NETNS")?))
        .arg(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .words("test --quiet --locked --offline --package docknet-conformance --test remote")
        .envs(&env)
        .run()?;

    conformance(&env, &of("DOCKNET_ENGINES")?)?;
    eprintln!("all tests passed in {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Our engine on the kernel, with the programs in its containers that the real engines' have.
fn programs() -> Result<()> {
    Step::cargo("conformance on the kernel")
        .words("test --quiet --locked --package docknet-conformance --test embedded kernel")
        .env("DOCKNET_KERNEL_IMAGE", engines::busybox()?)
        .run()
}

/// The real engines, and ours twice: in the process of the suite, and on a socket.
fn conformance(env: &[(&'static str, String)], real: &str) -> Result<()> {
    let served = Served::start(Like::Docker28)?;
    let mut step = Step::cargo("conformance")
        .words("run --quiet --locked --package docknet-conformance -- --complete --again --jobs 3 --table COMPATIBILITY.md")
        .envs(env)
        // In the order of the table's columns.
        .env("DOCKNET_ENGINES", "");
    for engine in real.split(',') {
        step = step.arg("--engine").arg(engine);
    }
    step.words("--embedded docknet --engine")
        .arg(format!("docknet-socket=unix://{}", served.socket().display()))
        .run()
}

fn timed(title: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("==> {title}");
    let begun = Instant::now();
    run().with_context(|| title.to_owned())?;
    eprintln!("    {title} in {:.1} s", begun.elapsed().as_secs_f32());
    Ok(())
}

/// The example that has no end: it must say what is there, and go on until it is ended.
fn watch(host: &str) -> Result<()> {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    eprintln!("==> example watch");
    let mut child = Command::new("target/debug/examples/watch")
        .env("DOCKER_HOST", host)
        .stdout(Stdio::piped())
        .spawn()
        .context("example watch")?;
    let mut line = String::new();
    // Open until the end: it goes on to print, and must find somebody who reads.
    let mut stdout = BufReader::new(child.stdout.take().context("example watch has no output")?);
    stdout.read_line(&mut line)?;
    std::thread::sleep(Duration::from_millis(100));
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    if !line.ends_with("networks:\n") || ended.is_some() {
        bail!("example watch: printed {line:?}, ended with {ended:?}");
    }
    Ok(())
}

fn docker28(env: &[(&'static str, String)]) -> Result<String> {
    let engine = env.iter().find_map(|(key, value)| {
        (*key == "DOCKNET_ENGINES").then(|| value.strip_prefix("docker28=")).flatten()
    });
    engine.map(str::to_owned).context("docker28 is not up")
}

/// The main job, on an engine that this brings up.
pub(crate) fn quickstart() -> Result<()> {
    let running = engines::up(&[Name::Docker28])?;
    Step::cargo("the quickstart example")
        .words("run --quiet --package docknet --example quickstart")
        .env("DOCKER_HOST", docker28(&running.env())?)
        .run()
}
