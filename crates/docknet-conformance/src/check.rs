//! Running one behaviour.

use std::time::Duration;

use crate::lab::Lab;
use crate::{Behaviour, Difference, Engine, differences, panics};

/// How long a behaviour may take. The slowest are those that wait until Docker has looked 15 s for a plugin.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

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
    let lab = Lab::on(engine, behaviour.name);
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use docknet::{Body, BoxFuture, Client, Error, ErrorKind, Result, Transport};

    use super::*;
    use crate::{Needs, Run};

    /// An engine that has nothing, or one network that is left over and stays.
    #[derive(Debug)]
    struct Stub {
        networks: &'static str,
    }

    impl Transport for Stub {
        fn send(
            &self,
            request: http::Request<Bytes>,
        ) -> BoxFuture<'_, Result<http::Response<Body>>> {
            let path = request.uri().path();
            let body = match path {
                "/version" => r#"{"Version":"28.5.2","Platform":{"Name":""}}"#,
                "/_ping" => "OK",
                _ if path.ends_with("/version") => r#"{"Version":"28.5.2","Platform":{"Name":""}}"#,
                _ if path.ends_with("/info") => "{}",
                _ if path.ends_with("/networks") => self.networks,
                _ => "[]",
            };
            let mut response = http::Response::new(Body::from(body));
            response.headers_mut().insert("api-version", http::HeaderValue::from_static("1.51"));
            Box::pin(async { Ok(response) })
        }

        fn describe(&self) -> String {
            "a stub".to_owned()
        }
    }

    async fn outcome(name: &'static str, needs: &'static [Needs], run: Run) -> Outcome {
        let client = Client::with_transport(Stub { networks: "[]" });
        let engine = Engine::of("stub", vec![client]).await.unwrap();
        check(&engine, &Behaviour { name, group: "test", needs, run, source: "" }).await
    }

    fn failure(outcome: Outcome) -> String {
        match outcome {
            Outcome::Failed(words) => words,
            other => panic!("{other:?}"),
        }
    }

    /// A row of the differences is for this one.
    const KNOWN: &str = "drivers::unknown_is_refused_at_once";

    #[tokio::test]
    async fn holds_or_fails_by_an_error_or_a_panic() {
        assert!(matches!(outcome("a", &[], |_| Box::pin(async { Ok(()) })).await, Outcome::Passed));
        let error =
            outcome("a", &[], |_| Box::pin(async { Err(Error::new(ErrorKind::InUse, "busy")) }));
        assert_eq!(failure(error.await), "busy [InUse]");
        let panic = outcome("a", &[], |_| Box::pin(async { panic!("one and {}", "other") })).await;
        assert!(failure(panic).starts_with("one and other (crates/"));
        let task = outcome("a", &[], |_| {
            Box::pin(async {
                crate::lab::together([async { panic!("in a task") }]).await;
                Ok(())
            })
        });
        assert!(failure(task.await).starts_with("in a task ("));
    }

    #[tokio::test]
    async fn a_known_difference_must_be_there() {
        let same =
            outcome(KNOWN, &[], |_| Box::pin(async { panic!("it took more than five seconds") }));
        assert!(matches!(same.await, Outcome::Differs(..)));
        let none = failure(outcome(KNOWN, &[], |_| Box::pin(async { Ok(()) })).await);
        assert!(none.contains("the row is out of date"), "{none}");
        let other = failure(outcome(KNOWN, &[], |_| Box::pin(async { panic!("else") })).await);
        assert!(other.contains("it is known to differ here with"), "{other}");
    }

    #[tokio::test]
    async fn what_is_needed_and_missing_is_not_applicable() {
        let run: Run = |_| Box::pin(async { panic!("it must not run") });
        assert!(matches!(outcome("a", &[Needs::Swarm], run).await, Outcome::NotApplicable(_)));
    }

    #[tokio::test]
    async fn what_is_left_behind_is_a_failure() {
        let lab = Lab::new(
            "a",
            &[Client::with_transport(Stub { networks: r#"[{"Id":"8dc8","Name":"left-over"}]"# })],
        );
        lab.enter(async { crate::lab::adopt("left-over") }).await;
        let left = lab.clean_up().await.unwrap_err();
        assert!(left.contains("left-over"), "{left}");
    }
}
