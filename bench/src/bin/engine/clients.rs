//! Many clients at once.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use docknet::Client;
use docknet_engine::Engine;

use crate::print;

const CLIENTS: [usize; 3] = [1, 16, 256];

pub fn in_memory() -> Result<()> {
    for clients in CLIENTS {
        let runtime = runtime()?;
        let engine = runtime.block_on(Engine::memory().start())?;
        let each = runtime.block_on(churn(&engine.client(), clients, 40_000))?;
        print(&format!("memory_write_{clients}_clients"), each, "us");
    }
    Ok(())
}

pub fn on_disk(dir: &Path) -> Result<()> {
    for clients in CLIENTS {
        let dir = tempfile::tempdir_in(dir)?;
        let runtime = runtime()?;
        let engine = runtime.block_on(Engine::open(dir.path()).start())?;
        let each = runtime.block_on(churn(&engine.client(), clients, 3_000))?;
        print(&format!("disk_write_{clients}_clients"), each, "us");
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Each client makes a network and removes it, again and again: the time that passes per operation.
async fn churn(client: &Client, clients: usize, operations: usize) -> Result<f64> {
    let turns = operations / clients / 2;
    let start = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..turns {
                    let body = format!(r#"{{"Name":"n{number}"}}"#);
                    let create = http::Request::post("/networks/create").body(body.into())?;
                    let made = client.send(create).await?;
                    anyhow::ensure!(made.status() == 201, "{}", made.status());
                    let remove = http::Request::delete(format!("/networks/n{number}"));
                    let gone = client.send(remove.body("".into())?).await?;
                    anyhow::ensure!(gone.status() == 204, "{}", gone.status());
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / (turns * clients * 2) as f64)
}
