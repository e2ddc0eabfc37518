//! Those who call.

mod bollard;
mod docknet;
mod floor;
mod programs;

use std::hint::black_box;

use anyhow::Result;
use docknet_bench::allocations::counted;
use docknet_bench::cost::Cost;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

pub use self::bollard::Bollard;
pub use self::docknet::{Blocking, Docknet};
pub use self::floor::Floor;
pub use self::programs::{DOCKER_PY, DockerCli, DockerPy, peak};

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One network.
    Get,
    /// [`AT_ONCE`] times one network.
    GetMany,
    /// Every network.
    List,
    /// Every network, and each read into types.
    ListTyped,
    /// Every network, and each read into a tree.
    ListTrees,
    /// A network is made, and removed again.
    CreateRemove,
    /// The containers of one network.
    Containers,
}

/// How many calls there are at the same time where there are many.
pub const AT_ONCE: usize = 64;

pub trait Contender {
    fn name(&self) -> &'static str;

    /// Whether it has this task.
    fn has(&self, task: Task) -> bool;

    /// Does the task so many times.
    fn run(&mut self, task: Task, calls: u32) -> Result<Cost>;

    /// How often it does a task in the time in which others do it so many times.
    fn share(&self, calls: u32) -> u32 {
        calls
    }

    /// What it allocates to do the task once.
    fn memory(&mut self, task: Task) -> Result<Memory> {
        let (done, allocated) = counted(|| self.run(task, 1));
        done.map(|_| Memory { allocations: Some(allocated.times), peak: allocated.peak })
    }
}

pub struct Memory {
    /// Nobody counts those of other languages.
    pub allocations: Option<u64>,
    pub peak: u64,
}

/// Makes a call [`AT_ONCE`] times at the same time, as tasks of this thread.
async fn at_once<F, T, E>(call: impl Fn() -> F) -> Result<()>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: Into<anyhow::Error> + 'static,
{
    let local = LocalSet::new();
    let tasks: Vec<_> = (0..AT_ONCE).map(|_| local.spawn_local(call())).collect();
    local.await;
    for task in tasks {
        drop(black_box(task.await?.map_err(Into::into)?));
    }
    Ok(())
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
