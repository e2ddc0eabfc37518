//! The HTTP API: a request in, an answer out.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod go_json;
pub(crate) mod query;
