//! The whole suite on our own engine, in this process: what any contributor can run.

use std::sync::Arc;

use docknet_conformance::{Behaviour, Engine, Outcome, all, check};
use docknet_engine::Profile;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn our_engine_in_memory_is_as_the_suite_demands() {
    demand(Engine::embedded("docknet", Profile::Docker28).await.unwrap()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn our_engine_on_the_kernel_is_as_the_suite_demands() {
    demand(Engine::on_kernel("docknet", Profile::Docker28).await.unwrap()).await;
}

async fn demand(engine: Engine) {
    let engine = Arc::new(engine);
    let (alone, beside): (Vec<_>, Vec<_>) = all().into_iter().partition(Behaviour::is_exclusive);
    let mut tasks = JoinSet::new();
    let places = Arc::new(Semaphore::new(4));
    for behaviour in beside {
        let (engine, places) = (engine.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await;
            (behaviour.name, check(&engine, &behaviour).await)
        });
    }
    let mut outcomes = tasks.join_all().await;
    for behaviour in alone {
        outcomes.push((behaviour.name, check(&engine, &behaviour).await));
    }
    let looked = |(_, outcome): &&(&str, Outcome)| !matches!(outcome, Outcome::NotApplicable(_));
    assert!(outcomes.iter().filter(looked).count() > 250, "hardly anything was looked at");
    let failed: Vec<_> = outcomes
        .iter()
        .filter_map(|(name, outcome)| match outcome {
            Outcome::Failed(words) => Some(format!("{name}: {words}")),
            _ => None,
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
