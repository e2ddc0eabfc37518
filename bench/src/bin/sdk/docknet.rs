//! This SDK, with `await` and without.

use std::hint::black_box;
use std::path::Path;
use std::thread;

use anyhow::{Result, anyhow};
use docknet::{Client, Network, blocking};
use docknet_bench::cost::{Cost, measured};
use tokio::runtime::Runtime;

use super::{AT_ONCE, Contender, Task, at_once, runtime};

pub struct Docknet {
    runtime: Runtime,
    client: Client,
    name: String,
    network: Network,
}

impl Docknet {
    pub fn new(socket: &Path, name: &str) -> Result<Self> {
        let (runtime, client) = (runtime()?, client(socket)?);
        let network = runtime.block_on(client.networks().get(name))?;
        Ok(Self { runtime, client, name: name.to_owned(), network })
    }

    async fn call(&self, task: Task) -> Result<()> {
        let networks = self.client.networks();
        match task {
            Task::Get => drop(black_box(networks.get(&self.name).await?)),
            Task::GetMany => self.get_many().await?,
            Task::List => drop(black_box(networks.list().await?)),
            Task::ListTyped => {
                for network in networks.list().await? {
                    drop(black_box(network.info().clone()));
                }
            }
            Task::ListTrees => {
                for network in networks.list().await? {
                    black_box(network.attrs());
                }
            }
            Task::CreateRemove => networks.create("made").await?.remove().await?,
            Task::Containers => drop(black_box(self.network.containers().await?)),
        }
        Ok(())
    }

    async fn get_many(&self) -> Result<()> {
        at_once(|| {
            let (client, name) = (self.client.clone(), self.name.clone());
            async move { client.networks().get(&name).await }
        })
        .await
    }
}

fn client(socket: &Path) -> Result<Client> {
    Ok(Client::builder().host(format!("unix://{}", socket.display())).build()?)
}

impl Contender for Docknet {
    fn name(&self) -> &'static str {
        "docknet"
    }

    fn has(&self, _: Task) -> bool {
        true
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

pub struct Blocking {
    client: blocking::Client,
    name: String,
    network: blocking::Network,
    /// A client for each thread that calls while others do.
    many: Vec<blocking::Client>,
}

impl Blocking {
    pub fn new(socket: &Path, name: &str) -> Result<Self> {
        let new = || anyhow::Ok(blocking::Client::of(client(socket)?)?);
        let many = (0..AT_ONCE).map(|_| new()).collect::<Result<_>>()?;
        let client = new()?;
        let network = client.networks().get(name)?;
        Ok(Self { client, name: name.to_owned(), network, many })
    }

    fn get_many(&self, calls: u32) -> Result<()> {
        let get = |client: &blocking::Client| {
            for _ in 0..calls {
                drop(black_box(client.networks().get(&self.name)?));
            }
            anyhow::Ok(())
        };
        thread::scope(|scope| {
            let calling: Vec<_> =
                self.many.iter().map(|client| scope.spawn(move || get(client))).collect();
            calling.into_iter().try_for_each(|calling| {
                calling.join().unwrap_or_else(|_| Err(anyhow!("a thread broke down")))
            })
        })
    }
}

impl Contender for Blocking {
    fn name(&self) -> &'static str {
        "docknet blocking"
    }

    fn has(&self, task: Task) -> bool {
        !matches!(task, Task::ListTyped | Task::ListTrees)
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let networks = self.client.networks();
        measured(|| {
            if task == Task::GetMany {
                return self.get_many(calls);
            }
            for _ in 0..calls {
                match task {
                    Task::Get => drop(black_box(networks.get(&self.name)?)),
                    Task::CreateRemove => networks.create("made")?.remove()?,
                    Task::Containers => drop(black_box(self.network.containers()?)),
                    _ => drop(black_box(networks.list()?)),
                }
            }
            Ok(())
        })
    }
}
