//! bollard, which reads every answer into types.

use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, Result};
use bollard::Docker;
use bollard::models::NetworkCreateRequest;
use docknet_bench::cost::{Cost, measured};
use tokio::runtime::Runtime;

use super::{Contender, Task, at_once, runtime};

pub struct Bollard {
    runtime: Runtime,
    docker: Docker,
    network: String,
}

impl Bollard {
    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        let socket = socket.to_str().context("a path that is not UTF-8")?;
        let runtime = runtime()?;
        let docker = Docker::connect_with_unix(socket, 120, bollard::API_DEFAULT_VERSION)?;
        Ok(Self { runtime, docker, network: network.to_owned() })
    }

    async fn call(&self, task: Task) -> Result<()> {
        match task {
            Task::Get => drop(black_box(self.docker.inspect_network(&self.network, None).await?)),
            Task::GetMany => self.get_many().await?,
            Task::CreateRemove => {
                let made = NetworkCreateRequest { name: "made".to_owned(), ..Default::default() };
                let made = self.docker.create_network(made).await?;
                self.docker.remove_network(&made.id).await?;
            }
            _ => drop(black_box(self.docker.list_networks(None).await?)),
        }
        Ok(())
    }

    async fn get_many(&self) -> Result<()> {
        at_once(|| {
            let (docker, network) = (self.docker.clone(), self.network.clone());
            async move { docker.inspect_network(&network, None).await }
        })
        .await
    }
}

impl Contender for Bollard {
    fn name(&self) -> &'static str {
        "bollard"
    }

    fn has(&self, task: Task) -> bool {
        matches!(task, Task::Get | Task::GetMany | Task::List | Task::CreateRemove)
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let work = async {
            for _ in 0..calls {
                self.call(task).await?;
            }
            Ok(())
        };
        measured(|| self.runtime.block_on(work))
    }
}
