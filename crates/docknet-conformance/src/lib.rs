//! What a Docker network engine must do, as functions that anyone can run against any engine.
//!
//! A [`Behaviour`] is one `async fn(&Client)`. [`all`] has every one of them; [`check`] runs one, removes what it made
//! and says how it went; [`DIFFERENCES`] says where engines are known to do something else, and each of its rows is
//! checked as well. The program `docknet-conformance` runs everything against several engines at once.
//!
//! ```no_run
//! use docknet_conformance::{Engine, Outcome, all, check};
//!
//! # async fn example() -> docknet::Result<()> {
//! let engine = Engine::connect("mine", ["unix:///run/mine.sock"]).await?;
//! for behaviour in all() {
//!     let outcome = check(&engine, &behaviour).await;
//!     assert!(!matches!(outcome, Outcome::Failed(_)), "{}: {outcome:?}", behaviour.name);
//! }
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

mod behaviour;
mod check;
mod differences;
mod embedded;
mod engine;
pub mod expect;
pub mod lab;
mod panics;
pub mod report;

// Chapters about networks by themselves.
pub mod config_only;
pub mod create;
pub mod drivers;
pub mod ensure;
pub mod get;
pub mod ipam;
pub mod list;
pub mod names;
pub mod options;
pub mod prune;
pub mod remove;

// Chapters about what is connected to networks, and about everything around them.
pub mod addresses;
pub mod concurrency;
pub mod connect;
pub mod containers;
pub mod disconnect;
pub mod effects;
pub mod events;
pub mod hard_names;
mod inside;
pub mod members;
mod stage;
pub mod states;
pub mod swarm;
pub mod watch;
pub mod wording;

pub use self::behaviour::{Behaviour, Needs, Run};
pub use self::check::{Outcome, TIME_LIMIT, check};
pub use self::differences::{DIFFERENCES, Difference, Engines};
pub use self::engine::{Engine, Product, Version};

pub(crate) use self::behaviour::behaviours;

/// In the order in which they are shown.
#[rustfmt::skip]
const CHAPTERS: &[&[Behaviour]] = &[
    create::BEHAVIOURS,
    options::BEHAVIOURS,
    ipam::BEHAVIOURS,
    names::BEHAVIOURS,
    drivers::BEHAVIOURS,
    config_only::BEHAVIOURS,
    ensure::BEHAVIOURS,
    get::BEHAVIOURS,
    list::BEHAVIOURS,
    remove::BEHAVIOURS,
    prune::BEHAVIOURS,
    // What is connected to networks, and everything around them.
    connect::BEHAVIOURS,
    disconnect::BEHAVIOURS,
    states::BEHAVIOURS,
    addresses::BEHAVIOURS,
    effects::BEHAVIOURS,
    containers::BEHAVIOURS,
    members::BEHAVIOURS,
    events::BEHAVIOURS,
    watch::BEHAVIOURS,
    hard_names::BEHAVIOURS,
    concurrency::BEHAVIOURS,
    wording::BEHAVIOURS,
    swarm::BEHAVIOURS,
];

/// Every behaviour, chapter by chapter.
#[must_use]
pub fn all() -> Vec<Behaviour> {
    CHAPTERS.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_behaviour_has_a_name_of_its_own_and_says_what_must_hold() {
        let mut names = BTreeSet::new();
        for behaviour in all() {
            assert!(names.insert(behaviour.name), "{} is there twice", behaviour.name);
            assert!(behaviour.sentence().ends_with('.'), "{} says nothing", behaviour.name);
        }
    }

    #[test]
    fn every_behaviour_that_is_written_is_registered() {
        for chapter in CHAPTERS {
            let written = chapter[0].source.matches("(client: &Client) -> Result<()> {").count();
            assert_eq!(written, chapter.len(), "chapter {}", chapter[0].group);
        }
    }

    #[test]
    fn every_difference_is_of_a_behaviour() {
        let names: BTreeSet<_> = all().iter().map(|behaviour| behaviour.name).collect();
        for difference in DIFFERENCES {
            assert!(names.contains(difference.behaviour), "{}", difference.behaviour);
        }
    }
}
