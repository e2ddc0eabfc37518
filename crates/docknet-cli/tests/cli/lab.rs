//! An engine that gives the same ids each time, and the program run on it.

use std::fmt::{self, Write};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use docknet::{Client, ContainerSpec, EndpointSpec, NetworkSpec};
use docknet_engine::{Engine, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) struct Lab {
    // Dropped before the runtime that it needs.
    server: Option<Server>,
    pub(crate) engine: Engine,
    pub(crate) client: Client,
    runtime: Runtime,
    dir: TempDir,
    said: String,
}

impl Lab {
    /// An engine without containers, and with no networks but its own.
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let address = format!("unix://{}", dir.path().join("engine.sock").display());
        let (engine, server) = runtime.block_on(async {
            let engine = Engine::memory()
                .seed(7)
                .image("busybox")
                .link("parent0", ["198.51.100.1/24".parse().unwrap()])
                .start()
                .await
                .unwrap();
            let server = engine.serve(&address.parse().unwrap()).await.unwrap();
            (engine, server)
        });
        let client = engine.client();
        Self { server: Some(server), engine, client, runtime, dir, said: String::new() }
    }

    pub(crate) fn network(&self, spec: impl Into<NetworkSpec>) {
        let networks = self.client.networks();
        self.runtime.block_on(networks.create(spec)).unwrap();
    }

    /// A running container on no network but the default one.
    pub(crate) fn container(&self, name: &str) {
        let containers = self.client.containers();
        self.runtime.block_on(async {
            let spec = ContainerSpec::new("busybox").name(name);
            containers.create(spec).await.unwrap().start().await.unwrap();
        });
    }

    pub(crate) fn stop(&self, container: &str) {
        let containers = self.client.containers();
        self.runtime.block_on(async {
            containers.get(container).await.unwrap().stop().await.unwrap();
        });
    }

    pub(crate) fn connect(&self, network: &str, container: &str, endpoint: EndpointSpec) {
        let networks = self.client.networks();
        self.runtime.block_on(async {
            networks.get(network).await.unwrap().connect(container, endpoint).await.unwrap();
        });
    }

    /// A file in the directory that the program is run in.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `docknet` with these words, split as a shell does, and writes down what came of it.
    pub(crate) fn run(&mut self, words: &str) {
        self.run_with(words, "");
    }

    /// The same, with something to read.
    pub(crate) fn run_with(&mut self, words: &str, stdin: &str) {
        let ran = self.output(words, stdin, &self.host());
        self.said.push_str(&ran);
    }

    /// The same on TCP, as on an engine of another machine.
    pub(crate) fn run_remote(&mut self, words: &str) {
        let address = "tcp://127.0.0.1:0".parse().unwrap();
        let server = self.runtime.block_on(self.engine.serve(&address)).unwrap();
        let ran = self.output(words, "", &server.address().to_string());
        self.runtime.block_on(server.shutdown());
        self.said.push_str(&ran);
    }

    /// Runs the program until it says so, and gives it back: it still runs.
    pub(crate) fn spawn(&self, words: &str) -> Child {
        docknet(self.dir.path())
            .args(shlex::split(words).unwrap())
            .env("DOCKER_HOST", self.host())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until it is so on the engine; a minute, and then it never will be.
    pub(crate) fn until(&self, so: impl Fn(&Engine) -> bool) {
        for _ in 0..6000 {
            if so(&self.engine) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("it did not come");
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.path("engine.sock").display())
    }

    /// What has been written down, for a snapshot: a step a paragraph.
    pub(crate) fn transcript(&self) -> &str {
        &self.said
    }

    fn output(&self, words: &str, stdin: &str, host: &str) -> String {
        let mut child = docknet(self.dir.path())
            .args(shlex::split(words).unwrap())
            .env("DOCKER_HOST", host)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that does not read has ended already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let mut said = format!("$ docknet {}", self.plain(words));
        if !stdin.is_empty() {
            write!(said, " <<< {stdin:?}").unwrap();
        }
        said.push('\n');
        match output.status.code() {
            Some(0) => {}
            Some(code) => writeln!(said, "[exit {code}]").unwrap(),
            None => writeln!(said, "[{}]", output.status).unwrap(),
        }
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            writeln!(said, "{}", self.plain(line)).unwrap();
        }
        for line in String::from_utf8(output.stderr).unwrap().lines() {
            writeln!(said, "! {}", self.plain(line)).unwrap();
        }
        said.push('\n');
        said
    }

    /// A line without what no two runs have in common.
    fn plain(&self, line: &str) -> String {
        let dir = self.dir.path().to_str().unwrap();
        let line = line.replace(dir, "[DIR]").replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        let times = regex::Regex::new(
            r"\b\d{19}\b|\b1[789]\d{8}\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| \+0000 UTC)?|\b\d+(\.\d+)?( ?)(ns|µs|ms)\b",
        );
        times.unwrap().replace_all(&line, "[TIME]").trim_end().to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// The program, with nothing of this machine's environment but where programs are.
pub(crate) fn docknet(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docknet"));
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("TZ", "UTC")
        .env("LANG", "C.UTF-8")
        .env("COLUMNS", "100");
    command
}
