//! Network namespaces that others have made, as containers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builder::On;
use super::{Engine, Inner, Sandbox, SandboxError};
use crate::core::container;
use crate::core::host::Inside;
use crate::core::tx::Supply;
use crate::plane::Namespace;
use crate::plane::kernel::brought;

impl Engine {
    /// Takes a network namespace that somebody else has made in as a running container of this name: one of `ip netns add`,
    /// at `/run/netns/NAME`, or that of a process, at `/proc/PID/ns/net`. It is on no network until it is connected to one;
    /// then it has what every container has: addresses, names, and 127.0.0.11 to look them up.
    ///
    /// The namespace is used as it is, and nothing of it is taken away: when the container is stopped, its links, rules and
    /// routes go, and no others. A default route that was there before stays, and is not replaced.
    ///
    /// A client does the same with the label `docknet.namespace` of a new container, whose value is the path, and then has all
    /// of a container's settings.
    ///
    /// ```
    /// use std::process::{Command, Stdio};
    ///
    /// use docknet_engine::Engine;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if !std::fs::read_to_string("/proc/self/status")?.contains("Uid:\t0\t0") { return Ok(()); }
    /// let engine = Engine::kernel().isolated().start().await?;
    /// let network = engine.client().networks().create("backend").await?;
    /// // A program that the test starts as it likes.
    /// let mut program = Command::new("unshare").args(["--net", "cat"]).stdin(Stdio::piped()).spawn()?;
    /// # while std::fs::read_link(format!("/proc/{}/ns/net", program.id()))? == std::fs::read_link("/proc/self/ns/net")? {
    /// #     std::thread::sleep(std::time::Duration::from_millis(5));
    /// # }
    ///
    /// let web = engine.adopt("web", format!("/proc/{}/ns/net", program.id())).await?;
    /// network.connect("web", Default::default()).await?;
    /// let shown = web.command("ip").arg("addr").output()?;
    /// assert!(String::from_utf8(shown.stdout)?.contains("172.18.0.2/16"));
    /// # program.kill()?;
    /// # program.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no network namespace at the path, or it is the engine's own, or another container's, or the name is taken;
    /// or the engine is in memory.
    pub async fn adopt(
        &self,
        name: &str,
        namespace: impl AsRef<Path>,
    ) -> Result<Sandbox, SandboxError> {
        let refused = |why: String| SandboxError::new(why);
        if matches!(self.0.on, On::Memory) {
            return Err(refused("containers of an engine in memory have no namespace".to_owned()));
        }
        let path = namespace.as_ref();
        let Some(path) = path.to_str().map(str::to_owned) else {
            return Err(refused(format!("{} cannot be written down", path.display())));
        };
        let name = name.to_owned();
        let made = self.0.write(Supply::Plenty, move |tx| {
            let id = container::adopt(tx, name, &path)?;
            container::start(tx, id.as_str())?;
            Ok(id)
        });
        let id = made.await.map_err(|why| refused(why.answer(self.0.profile).1))?;
        self.sandbox(id.as_str()).await
    }
}

impl Inner {
    /// What there is in the namespace of a container, if it brought one along; nothing if it cannot be found.
    pub(crate) async fn look_inside(self: &Arc<Self>, container: &str) -> Inside {
        let state = self.read();
        let Ok(container) = state.find_container(container) else { return Inside::default() };
        let container = container.clone();
        let Some(path) = container.brings().filter(|_| !matches!(self.on, On::Memory)) else {
            return Inside::default();
        };
        let path = PathBuf::from(path);
        let open = match container.is_running() {
            true => {
                let writer = self.writer.clone().lock_owned().await;
                Some(writer.plane.namespace(&container.id).map(|(namespace, _)| namespace))
            }
            false => None,
        };
        let looked = tokio::task::spawn_blocking(move || {
            let endpoints = container.attachments.values();
            let endpoints = endpoints.filter_map(|attachment| attachment.endpoint.as_ref());
            let own: Vec<_> = endpoints.filter_map(|one| one.interface.as_deref()).collect();
            let namespace = open.unwrap_or_else(|| Namespace::at(&path))?;
            brought::look(&namespace, &own)
        });
        // Whoever opens it says what is wrong.
        looked.await.ok().and_then(Result::ok).unwrap_or_default()
    }
}
