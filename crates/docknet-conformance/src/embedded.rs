//! Our own engine in this process, with nothing between it and its client.

use bytes::Bytes;
use docknet::{Error, ErrorKind, Result};
use docknet_engine::Profile;
use http::Request;

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

    /// docknet's engine on the kernel of this machine, in a network namespace of its own, with the same. It takes root.
    ///
    /// Where `DOCKNET_KERNEL_IMAGE` names an archive with the files of busybox, containers run its programs.
    ///
    /// # Errors
    /// What the kernel refuses, or a look at the engine meets.
    #[cfg(target_os = "linux")]
    pub async fn on_kernel(name: impl Into<String>, profile: Profile) -> Result<Self> {
        let misuse = |error: String| Error::new(ErrorKind::Config, error);
        let engine = docknet_engine::Engine::kernel().isolated().like(profile);
        let archive = std::env::var_os("DOCKNET_KERNEL_IMAGE");
        let engine = if archive.is_some() { engine } else { engine.image(lab::IMAGE) };
        let engine = engine.start().await.map_err(|error| misuse(error.to_string()))?;
        if let Some(archive) = archive {
            let archive = std::fs::read(archive).map_err(|error| misuse(error.to_string()))?;
            let import = Request::post("/images/create?fromSrc=-&repo=busybox&changes=CMD%20sh")
                .body(Bytes::from(archive))
                .map_err(|error| misuse(error.to_string()))?;
            let _progress: serde_json::Value = engine.client().request(import).await?;
        }
        let host = engine.host().await.map_err(|error| misuse(error.to_string()))?;
        for line in [
            format!("link add {PARENT} type bridge"),
            format!("addr add {PARENT_ADDRESS} dev {PARENT}"),
            format!("link set {PARENT} up"),
        ] {
            let done = host.command("ip").args(line.split(' ')).output();
            let done = done.map_err(|error| misuse(format!("ip: {error}")))?;
            if !done.status.success() {
                return Err(misuse(String::from_utf8_lossy(&done.stderr).into_owned()));
            }
        }
        Ok(Self::of(name, vec![engine.client()]).await?.beside(PARENT))
    }
}
