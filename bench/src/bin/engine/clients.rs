//! Many clients at once.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use docknet::Client;
use docknet_bench::report::{Report, Samples};
use docknet_engine::Engine;
use tokio::runtime::Runtime;

const CLIENTS: [usize; 5] = [1, 4, 16, 64, 256];

/// What clients do, again and again.
#[derive(Clone, Copy)]
enum Work {
    /// Each makes a network of its own, and removes it.
    Write,
    /// All look at one network.
    Read,
}

pub fn measure(dir: &Path, quick: bool, report: &mut Report) -> Result<()> {
    let share = if quick { 4 } else { 1 };
    for clients in CLIENTS {
        for (work, title) in [(Work::Write, "write"), (Work::Read, "read")] {
            let runtime = runtime()?;
            let engine = runtime.block_on(Engine::memory().start())?;
            let name = format!("memory_{title}_{clients}_clients");
            of(&runtime, &engine.client(), work, clients, 80_000 / share, &name, report)?;
        }
        let dir = tempfile::tempdir_in(dir)?;
        let runtime = runtime()?;
        let engine = runtime.block_on(Engine::open(dir.path()).start())?;
        let name = format!("disk_write_{clients}_clients");
        of(&runtime, &engine.client(), Work::Write, clients, 4_096 / share, &name, report)?;
    }
    Ok(())
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Operations in a second by all of them together, and how long one of them waits for its own.
fn of(
    runtime: &Runtime,
    client: &Client,
    work: Work,
    clients: usize,
    operations: usize,
    name: &str,
    report: &mut Report,
) -> Result<()> {
    let turns = operations / clients / 2;
    let begun = Instant::now();
    let latency = runtime.block_on(run(client, work, clients, turns))?;
    let rate = (turns * clients * 2) as f64 / begun.elapsed().as_secs_f64();
    report.value(&format!("{name}_rate"), "docknet", rate, "1/s");
    for (quantile, short) in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999")] {
        let waited = latency.quantile(quantile);
        report.value(&format!("{name}_{short}"), "docknet", waited, "µs");
    }
    Ok(())
}

/// How long each operation took, in microseconds.
async fn run(client: &Client, work: Work, clients: usize, turns: usize) -> Result<Samples> {
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(turns * 2);
                for _ in 0..turns {
                    for half in 0..2 {
                        let (request, status) = request(work, number, half)?;
                        let begun = Instant::now();
                        let answer = client.send(request).await?;
                        took.push(begun.elapsed().as_secs_f64() * 1e6);
                        ensure!(answer.status() == status, "{}", answer.status());
                    }
                }
                anyhow::Ok(took)
            })
        })
        .collect();
    let mut all = Samples::default();
    for task in tasks {
        task.await??.into_iter().for_each(|took| all.add(took));
    }
    Ok(all)
}

/// One of the two operations of a turn, and the status that answers it.
fn request(work: Work, number: usize, half: usize) -> Result<(http::Request<bytes::Bytes>, u16)> {
    Ok(match (work, half) {
        (Work::Read, _) => (http::Request::get("/networks/bridge").body("".into())?, 200),
        (Work::Write, 0) => {
            let body = format!(r#"{{"Name":"n{number}"}}"#);
            (http::Request::post("/networks/create").body(body.into())?, 201)
        }
        (Work::Write, _) => {
            (http::Request::delete(format!("/networks/n{number}")).body("".into())?, 204)
        }
    })
}
