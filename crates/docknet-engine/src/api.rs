//! The HTTP API: a request in, an answer out.

pub(crate) mod answer;
pub(crate) mod body;
mod containers;
mod events;
pub(crate) mod exec;
pub(crate) mod go_json;
mod images;
mod networks;
mod podman;
#[cfg(kernel)]
mod programs;
pub(crate) mod query;
mod route;
mod system;
mod version;

use std::sync::Arc;

use docknet_types::ApiVersion;
use http::{HeaderMap, Method, Request, StatusCode};
use serde::de::DeserializeOwned;

use self::answer::Answer;
use self::body::RequestBody;
use self::go_json::{Dialect, Shape};
use self::query::Query;
use crate::Profile;
use crate::core::filter::Filters;
use crate::core::host::Inside;
use crate::core::refusal::Refusal;
use crate::core::tx::{Supply, Tx};
use crate::engine::Inner;
use crate::faults::What;
use crate::serve::Service;

/// Bodies of JSON are held in memory. Docker has no limit; the longest anybody sends are labels of some megabytes.
const LONGEST_BODY: usize = 256 << 20;

/// The API of one engine.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) engine: Arc<Inner>,
    supply: Supply,
}

impl Service for Api {
    async fn answer(&self, request: Request<RequestBody>) -> Answer {
        Self::answer(self, request).await
    }
}

/// A request whose path was understood.
pub(crate) struct Call {
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
    /// The version in which it is spoken to.
    pub(crate) version: ApiVersion,
    /// Path and parameters as they came.
    pub(crate) target: String,
}

impl Call {
    /// The filters of a list, a prune or a stream.
    fn filters(&self, profile: Profile) -> Result<Filters, Refusal> {
        let parsed = self.query.first("filters").map(|text| Filters::parse(text, profile));
        parsed.transpose().map(Option::unwrap_or_default).map_err(Refusal::Filter)
    }

    /// The body, read as Go would; what an empty one means is left to the type's default.
    async fn json<T: DeserializeOwned + Default>(
        self,
        api: &Api,
        shape: &'static Shape,
    ) -> Result<T, Refusal> {
        let profile = api.engine.profile;
        let dialect = Dialect::from(profile);
        let refused = |message: String| match profile {
            Profile::Podman5 => podman::undecoded(&message),
            _ => Refusal::Worded(400, message),
        };
        let body = self
            .body
            .collect(LONGEST_BODY)
            .await
            .map_err(|broken| Refusal::Worded(400, broken.to_string()))?;
        go_json::check_content_type(&self.headers, !body.is_empty(), dialect).map_err(refused)?;
        Ok(go_json::read(shape, &body, dialect).map_err(refused)?.unwrap_or_default())
    }
}

/// What a handler gives.
type Outcome = Result<Answer, Refusal>;

impl Api {
    pub(crate) fn new(engine: Arc<Inner>) -> Self {
        Self { engine, supply: Supply::Plenty }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<RequestBody>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = body.read_if_short().await;
        if let Some(clean) = route::cleaned(parts.uri.path()) {
            return route::moved(&clean, parts.uri.query());
        }
        let mut answer = match version::take(self.engine.profile, parts.uri.path()) {
            Ok((version, path)) => {
                let query = Query::parse(parts.uri.query().unwrap_or_default());
                let target = parts.uri.path_and_query().map_or(path, |target| target.as_str());
                let target = target.to_owned();
                let call = Call { query, headers: parts.headers, body, version, target };
                match self.misrouted(&parts.method, path) {
                    Some(answer) => answer,
                    None => self.call(&parts.method, &route::decoded(path), call).await,
                }
            }
            Err(answer) => *answer,
        };
        version::sign(self.engine.profile, &mut answer.headers);
        answer
    }

    /// Answers a call, unless a test asked for something else.
    async fn call(&self, method: &Method, path: &str, call: Call) -> Answer {
        let fault = self.engine.faults.meet(method, path);
        match fault {
            Some(What::Refuse(status, message)) => {
                return self.refuse(call.version, &Refusal::Worded(status.as_u16(), message));
            }
            Some(What::DropBefore) => return Answer::dropped(),
            Some(What::Delay(time)) => tokio::time::sleep(time).await,
            Some(What::Exhaust) => {
                let api = Self { engine: self.engine.clone(), supply: Supply::Nothing };
                return api.handle(method, path, call).await;
            }
            Some(What::DropAfter) => {
                self.handle(method, path, call).await;
                return Answer::dropped();
            }
            None => {}
        }
        self.handle(method, path, call).await
    }

    async fn handle(&self, method: &Method, path: &str, call: Call) -> Answer {
        let version = call.version;
        if let Some(problem) =
            call.query.problem().filter(|_| self.engine.profile != Profile::Podman5)
        {
            return Answer::refusal(StatusCode::BAD_REQUEST, problem);
        }
        self.route(method, path, call)
            .await
            .unwrap_or_else(|refusal| self.refuse(version, &refusal))
    }

    /// What an engine's router says by itself, where it is stricter than ours.
    fn misrouted(&self, method: &Method, path: &str) -> Option<Answer> {
        match self.engine.profile {
            Profile::Podman5 => podman::misrouted(method, path),
            Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => None,
        }
    }

    /// Does one operation of the engine's.
    async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.engine.write(self.supply, decide).await
    }

    /// What a decision about this container has to know of the namespace that it brought along.
    #[cfg(kernel)]
    async fn look_inside(&self, container: &str) -> Inside {
        self.engine.look_inside(container).await
    }

    #[cfg(not(kernel))]
    fn look_inside(&self, _: &str) -> std::future::Ready<Inside> {
        std::future::ready(Inside::default())
    }

    /// The answer to a request that is refused.
    fn refuse(&self, version: ApiVersion, refusal: &Refusal) -> Answer {
        if self.engine.profile == Profile::Podman5 {
            return podman::refusal(refusal);
        }
        let (status, message) = refusal.answer(self.engine.profile);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        version::refusal(self.engine.profile, version, status, &message)
    }
}
