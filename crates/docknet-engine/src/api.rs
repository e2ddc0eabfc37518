//! The HTTP API: a request in, an answer out.

pub(crate) mod answer;
pub(crate) mod body;
mod containers;
mod events;
mod exec;
pub(crate) mod go_json;
mod images;
mod networks;
pub(crate) mod query;
mod route;
mod system;
mod version;

use std::sync::Arc;

use docknet_types::ApiVersion;
use http::{HeaderMap, Method, Request, StatusCode};

use self::answer::Answer;
use self::body::RequestBody;
use self::query::Query;
use crate::core::refusal::Refusal;
use crate::engine::Inner;

/// The API of one engine.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) engine: Arc<Inner>,
}

/// A request whose path was understood.
pub(crate) struct Call {
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
    /// The version in which it is spoken to.
    pub(crate) version: ApiVersion,
}

/// What a handler gives.
type Outcome = Result<Answer, Refusal>;

impl Api {
    pub(crate) fn new(engine: Arc<Inner>) -> Self {
        Self { engine }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: Request<RequestBody>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Some(clean) = route::cleaned(parts.uri.path()) {
            return Answer::moved(&clean, parts.uri.query());
        }
        let mut answer = match version::take(self.engine.profile, parts.uri.path()) {
            Ok((version, path)) => {
                let query = Query::parse(parts.uri.query().unwrap_or_default());
                let call = Call { query, headers: parts.headers, body, version };
                self.route(&parts.method, &route::decoded(path), call)
                    .await
                    .unwrap_or_else(|refusal| self.refuse(&refusal))
            }
            Err(answer) => answer,
        };
        if parts.method == Method::HEAD {
            answer = answer.without_body();
        }
        version::sign(self.engine.profile, &mut answer.headers);
        answer
    }

    /// The answer to a request that is refused.
    fn refuse(&self, refusal: &Refusal) -> Answer {
        let (status, message) = refusal.answer(self.engine.profile);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Answer::refusal(status, &message)
    }
}
