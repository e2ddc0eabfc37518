//! Networks as a file says: what it wants, what has to be done for it, and doing it.

mod compose;
mod execute;
mod file;
mod plan;
mod show;
mod yaml;

use std::collections::BTreeMap;

use docknet::{EndpointSpec, NetworkSpec};

pub(crate) use self::compose::variables::of_env_file;
pub(crate) use self::execute::{Halted, Watcher, execute};
pub(crate) use self::file::{Context, read};
pub(crate) use self::plan::{Plan, Prune, Situation, plan};
pub(crate) use self::show::{json, lines};

/// The label of networks that an apply made, with the set's name.
pub(crate) const SET_LABEL: &str = "docknet.apply";

/// What a file asks for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// By this label of theirs the networks of the set are known again.
    pub(crate) mark: (String, String),
    /// That name was given. One that was taken from a file's name may be another file's, too.
    pub(crate) named: bool,
    pub(crate) networks: Vec<WantedNetwork>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct WantedNetwork {
    /// Where the file has it, for errors.
    pub(crate) place: String,
    pub(crate) spec: NetworkSpec,
    /// It is somebody else's, and has to be there.
    pub(crate) external: bool,
    /// Who is to be connected, by name or id.
    pub(crate) containers: BTreeMap<String, EndpointSpec>,
}
