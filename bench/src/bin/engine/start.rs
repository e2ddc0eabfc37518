//! Starting an engine, and what is left of one that ended.

use std::time::Instant;

use anyhow::Result;
use docknet_engine::Engine;

use crate::memory::resident;
use crate::{median, print};

pub async fn measure() -> Result<()> {
    let (mut starts, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let start = Instant::now();
        let client = Engine::memory().start().await?.client();
        starts.push(start.elapsed().as_secs_f64() * 1e6);
        client.networks().create("first").await?;
        firsts.push(start.elapsed().as_secs_f64() * 1e6);
    }
    print("start", median(&mut starts), "us");
    print("start_and_create", median(&mut firsts), "us");
    let before = resident()?;
    for _ in 0..1_000 {
        let client = Engine::memory().start().await?.client();
        client.networks().create("first").await?;
    }
    print("left_of_an_engine", (resident()? - before) / 1_000.0, "bytes");
    Ok(())
}
