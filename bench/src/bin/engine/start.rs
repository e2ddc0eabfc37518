//! Starting an engine, and what is left of one that ended.

use std::time::Instant;

use anyhow::Result;
use docknet_bench::report::{Report, Samples};
use docknet_engine::Engine;

use crate::memory::resident;

pub async fn measure(report: &mut Report) -> Result<()> {
    let (mut starts, mut firsts) = (Samples::default(), Samples::default());
    for _ in 0..200 {
        let start = Instant::now();
        let client = Engine::memory().start().await?.client();
        starts.add(start.elapsed().as_secs_f64() * 1e6);
        client.networks().create("first").await?;
        firsts.add(start.elapsed().as_secs_f64() * 1e6);
    }
    report.figure("start", "docknet", &starts, "µs");
    report.figure("start_and_create", "docknet", &firsts, "µs");
    let before = resident()?;
    for _ in 0..1_000 {
        let client = Engine::memory().start().await?.client();
        client.networks().create("first").await?;
    }
    let left = (resident()? - before) / 1_000.0;
    report.value("left_of_an_engine", "docknet", left, "bytes");
    Ok(())
}
