//! Where engines are known to do something else.

use crate::{Engine, Product, Version};

/// A behaviour that some engines are known not to have. The behaviour is run there all the same, and must fail with these
/// words: a row that is no longer true is a failure.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The behaviour's name.
    pub behaviour: &'static str,
    /// Where.
    pub engines: Engines,
    /// A part of the failure's text: what happens there instead.
    pub words: &'static str,
    /// Why that is so.
    pub why: &'static str,
}

/// Some versions of a product.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Engines {
    /// The product.
    pub product: Product,
    /// The oldest version; every one if there is none.
    pub from: Option<Version>,
    /// The version with which it ends.
    pub before: Option<Version>,
}

impl Engines {
    /// Whether this engine is one of them.
    #[must_use]
    pub fn matches(&self, engine: &Engine) -> bool {
        engine.product == self.product
            && self.from.is_none_or(|from| from <= engine.version)
            && self.before.is_none_or(|before| engine.version < before)
    }
}

/// The difference that is known for a behaviour on an engine.
pub(crate) fn of(behaviour: &str, engine: &Engine) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|row| row.behaviour == behaviour && row.engines.matches(engine))
}

const DOCKER: Engines = Engines { product: Product::Docker, from: None, before: None };
const DOCKER_BEFORE_26: Engines = Engines { before: Some(Version(26, 0)), ..DOCKER };
const DOCKER_BEFORE_28: Engines = Engines { before: Some(Version(28, 0)), ..DOCKER };
const PODMAN: Engines = Engines { product: Product::Podman, from: None, before: None };

const fn row(
    behaviour: &'static str,
    engines: Engines,
    words: &'static str,
    why: &'static str,
) -> Difference {
    Difference { behaviour, engines, words, why }
}

/// Every known difference, by chapter.
pub const DIFFERENCES: &[Difference] = &[
    // connect
    //
    //
    // create
    //
    //
    // swarm
];
