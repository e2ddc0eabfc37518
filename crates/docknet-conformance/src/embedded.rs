//! Our own engine in this process, with nothing between it and its client.

use docknet::{Error, ErrorKind, Result};
use docknet_engine::Profile;

use crate::{Engine, lab};

/// The link that the engine has beside it where the environment names none, and an address on it.
const PARENT: &str = "parent0";
const PARENT_ADDRESS: &str = "198.51.100.1/24";

impl Engine {
    /// docknet's engine in memory, started for this, with what behaviours need: an image, and a link for macvlan networks.
    ///
    /// ```
    /// use docknet_conformance::{Engine, Product};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> docknet::Result<()> {
    /// let engine = Engine::embedded("ours", docknet_engine::Profile::Docker28).await?;
    /// assert_eq!(engine.product, Product::Docknet);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What a look at it meets.
    pub async fn embedded(name: impl Into<String>, profile: Profile) -> Result<Self> {
        let misuse = |error: String| Error::new(ErrorKind::Config, error);
        let address = PARENT_ADDRESS.parse().map_err(|_| misuse(PARENT_ADDRESS.to_owned()))?;
        let engine = docknet_engine::Engine::memory()
            .like(profile)
            .image(lab::IMAGE)
            .link(PARENT, [address])
            .start()
            .await
            .map_err(|error| misuse(error.to_string()))?;
        Ok(Self::of(name, vec![engine.client()]).await?.beside(PARENT))
    }
}
