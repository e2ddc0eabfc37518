//! Running one behaviour.

use std::time::Duration;

use crate::lab::Lab;
use crate::{Behaviour, Difference, Engine, differences, panics};

/// How long a behaviour may take. The slowest are those that wait until Docker has looked 15 s for a plugin.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a behaviour went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold, as is known: the failure's text, and the row that knows it.
    Differs(String, &'static Difference),
    /// It should hold and does not, or the other way round.
    Failed(String),
    /// The engine does not have what is needed to look.
    NotApplicable(&'static str),
}

/// Runs a behaviour on an engine, and removes what it made, however it went.
pub async fn check(engine: &Engine, behaviour: &Behaviour) -> Outcome {
    if let Some(need) = behaviour.needs.iter().find(|need| !engine.meets(**need)) {
        return Outcome::NotApplicable(need.missing());
    }
    panics::catch();
    let lab = Lab::new(behaviour.name, &engine.nodes);
    let went = run(engine, behaviour, &lab).await;
    let cleaned = lab.clean_up().await;
    let difference = differences::of(behaviour.name, engine);
    match (went, cleaned, difference) {
        (Ok(()), Ok(()), None) => Outcome::Passed,
        (Ok(()), Err(left), None) => Outcome::Failed(format!("it holds, but {left}")),
        (Ok(()), _, Some(row)) => Outcome::Failed(format!(
            "it holds, and is known to differ here with {:?}: the row is out of date",
            row.words
        )),
        (Err(failure), _, Some(row)) if failure.contains(row.words) => {
            Outcome::Differs(failure, row)
        }
        (Err(failure), _, Some(row)) => {
            Outcome::Failed(format!("{failure}; it is known to differ here with {:?}", row.words))
        }
        (Err(failure), Ok(()), None) => Outcome::Failed(failure),
        (Err(failure), Err(left), None) => Outcome::Failed(format!("{failure}; and {left}")),
    }
}

async fn run(engine: &Engine, behaviour: &Behaviour, lab: &Lab) -> Result<(), String> {
    let (client, run) = (engine.client().clone(), behaviour.run);
    let mut task = tokio::spawn(lab.enter(async move { run(&client).await }));
    match tokio::time::timeout(TIME_LIMIT, &mut task).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(format!("{error} [{:?}]", error.kind())),
        Ok(Err(_panicked)) => Err(lab.panic().unwrap_or_else(|| "it panicked".to_owned())),
        Err(_elapsed) => {
            task.abort();
            let _cancelled = task.await;
            Err(format!("it was not done within {} s", TIME_LIMIT.as_secs()))
        }
    }
}
