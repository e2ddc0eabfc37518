//! `docknet serve --kernel` as a service: what a service manager does with it, and two of them, and one of an ordinary user.
//! It needs root, and makes network namespaces.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod systemd;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use docknet::{Client, ContainerSpec, EndpointSpec};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const DOCKNET: &str = env!("CARGO_BIN_EXE_docknet");
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Asks it to end, and gives its exit code and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.ended()
    }

    fn ended(&mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let mut said = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Its containers run nothing.
const SERVE: [&str; 4] = ["serve", "--kernel", "--image", "busybox"];

/// What a service manager gives a service, and hears from it.
struct Manager {
    dir: TempDir,
    notified: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let notified = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        notified.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { dir, notified }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("unix://{}", self.path(name).display())
    }

    /// `docknet serve --kernel`, and these words.
    fn serve(&self, words: &[&str]) -> Command {
        let mut command = Command::new(DOCKNET);
        command.args(SERVE).args(words);
        command.env("NOTIFY_SOCKET", self.path("notify"));
        command
    }

    /// The same in a network namespace of its own, as if that were the host's.
    fn serve_on_a_machine(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--net", "--", DOCKNET]).args(SERVE).args(words);
        command.env("NOTIFY_SOCKET", self.path("notify"));
        command
    }

    fn hears(&self) -> String {
        let mut words = [0; 64];
        let length = self.notified.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    }
}

/// The names of the networks of an engine.
fn networks(url: &str) -> String {
    let output = Command::new(DOCKNET).args(["-H", url, "ls", "-q"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A network with a container that runs.
fn use_it(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(url).unwrap();
        client.networks().create("front").await.unwrap();
        let spec = ContainerSpec::new("busybox").name("web").network("front", EndpointSpec::new());
        client.containers().create(spec).await.unwrap().start().await.unwrap();
    });
}

#[test]
fn a_socket_is_handed_over_and_the_manager_is_told() {
    let manager = Manager::new();
    let listener = UnixListener::bind(manager.path("given.sock")).unwrap();
    // Whoever comes before the service does waits.
    let mut early = UnixStream::connect(manager.path("given.sock")).unwrap();
    early.set_read_timeout(Some(PATIENCE)).unwrap();
    early.write_all(b"GET /_ping HTTP/1.1\r\nHost: docknet\r\nConnection: close\r\n\r\n").unwrap();

    // The third descriptor, of the process that this one becomes.
    const HAND_OVER: &str = r#"export LISTEN_PID=$$; exec "$@" 3<&0 0</dev/null"#;
    let start = || {
        let handed: OwnedFd = listener.try_clone().unwrap().into();
        let mut command = Command::new("sh");
        command.args(["-c", HAND_OVER, "sh", DOCKNET]).args(SERVE).arg("--isolated");
        command.env("NOTIFY_SOCKET", manager.path("notify")).env("LISTEN_FDS", "1");
        Process::start(command.stdin(handed))
    };
    let service = start();
    assert_eq!(manager.hears(), "READY=1");
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("OK"), "{answer}");
    assert_eq!(networks(&manager.url("given.sock")).lines().count(), 3);
    let ended = service.end();
    assert_eq!(ended.0, Some(0), "{}", ended.1);
    assert_eq!(manager.hears(), "STOPPING=1");
    // The socket is the manager's, and the next one is given it again.
    assert!(manager.path("given.sock").exists());
    let again = start();
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(networks(&manager.url("given.sock")).lines().count(), 3);
    assert_eq!(again.end().0, Some(0));
}

#[test]
fn nothing_is_left_of_a_service_that_ended() {
    let manager = Manager::new();
    let url = manager.url("own.sock");
    let service = Process::start(&mut manager.serve(&["--isolated", "-H", &url]));
    assert_eq!(manager.hears(), "READY=1");
    use_it(&url);
    // A link from each of its namespaces to one of ours goes when the namespace does.
    let mut ours = Command::new("unshare");
    let ours = Process::start(ours.args(["--net", "--", "sleep", "600"]));
    let pid = ours.0.id();
    wait_until("it has a namespace", || namespace_of(pid) != namespace_of(std::process::id()));
    let held = held_namespaces(service.0.id());
    assert_eq!(held.len(), 2, "the networks' and the container's: {held:?}");
    for (at, path) in held.values().enumerate() {
        let line = format!("link add probe type veth peer name probe{at} netns {pid}");
        ip(path, &line).unwrap();
    }
    let of_ours = PathBuf::from(format!("/proc/{pid}/ns/net"));
    let probes = || ip(&of_ours, "-br link").unwrap().matches("probe").count();
    assert!(probes() >= held.len());

    let (code, said) = service.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(manager.hears(), "STOPPING=1");
    assert!(!manager.path("own.sock").exists());
    wait_until("its namespaces are gone", || probes() == 0);
}

#[test]
fn one_state_has_one_engine_and_so_has_one_machine() {
    let manager = Manager::new();
    let state = manager.path("state").display().to_string();
    let (first, second) = (manager.url("first.sock"), manager.url("second.sock"));
    let words = ["--state", &state, "-H", &first];
    let service = Process::start(&mut manager.serve_on_a_machine(&words));
    assert_eq!(manager.hears(), "READY=1");

    let words = ["--state", &state, "-H", &second];
    let (code, said) = Process::start(&mut manager.serve_on_a_machine(&words)).ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&state) && said.contains("another"), "{said}");
    // Nor can two have their networks in one place.
    let mut beside = Command::new("nsenter");
    beside.arg(format!("--net=/proc/{}/ns/net", service.0.id()));
    beside.args(["--", DOCKNET, "serve", "--kernel", "-H", &second]);
    let (code, said) = Process::start(&mut beside).ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another docknet engine has its networks here"), "{said}");
    assert!(!manager.path("second.sock").exists());
    // The first one has not noticed.
    assert_eq!(networks(&first).lines().count(), 3);
    assert_eq!(service.end().0, Some(0));

    // Once it ended, the next one may have it.
    let words = ["--state", &state, "-H", &second];
    let next = Process::start(&mut manager.serve_on_a_machine(&words));
    assert_eq!(manager.hears(), "STOPPING=1");
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(next.end().0, Some(0));
}

#[test]
fn containers_are_not_limited_by_a_shells_limit_of_open_files() {
    let manager = Manager::new();
    let url = manager.url("own.sock");
    let mut command = Command::new("prlimit");
    command.args([
        "--nofile=80:4096",
        "--",
        DOCKNET,
        "serve",
        "--kernel",
        "--isolated",
        "-H",
        &url,
    ]);
    command.env("NOTIFY_SOCKET", manager.path("notify"));
    let service = Process::start(&mut command);
    assert_eq!(manager.hears(), "READY=1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = runtime.block_on(async {
        let client = Client::connect(&url).unwrap();
        client.networks().create("front").await.unwrap();
        let mut last = None;
        for number in 0..40 {
            let spec = ContainerSpec::new("host").command(["sleep", "600"]);
            let spec = spec.name(format!("web{number}")).network("front", EndpointSpec::new());
            let container = client.containers().create(spec).await.unwrap();
            container.start().await.unwrap();
            last = Some(container);
        }
        // A program has the limit that the engine was started with.
        let told = last.unwrap().exec(["sh", "-c", "ulimit -Sn"]).await.unwrap();
        told.stdout_text().trim().to_owned()
    });
    assert_eq!(limit, "80");
    assert_eq!(service.end().0, Some(0));
}

#[test]
fn a_namespace_of_somebody_elses_is_connected() {
    let manager = Manager::new();
    let url = manager.url("own.sock");
    let service = Process::start(&mut manager.serve(&["--isolated", "-H", &url]));
    assert_eq!(manager.hears(), "READY=1");
    let docknet = |words: &str| {
        Command::new(DOCKNET).args(["-H", &url]).args(words.split(' ')).output().unwrap()
    };
    assert!(docknet("create --subnet 10.7.0.0/24 front").status.success());
    let mut theirs = Command::new("unshare");
    let theirs = Process::start(theirs.args(["--net", "--", "sleep", "600"]));
    let pid = theirs.0.id();
    wait_until("it has a namespace", || namespace_of(pid) != namespace_of(std::process::id()));
    let namespace = PathBuf::from(format!("/proc/{pid}/ns/net"));
    let connect = |namespace: &str| {
        docknet(&format!("connect --ip 10.7.0.9 --namespace {namespace} front blue"))
    };
    let refused = connect("/proc/self/ns/nobody");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("cannot make container `blue` of namespace"), "{said}");
    assert!(said.contains("there is no network namespace"), "{said}");
    let done = connect(namespace.to_str().unwrap());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(ip(&namespace, "-br addr").unwrap().contains("10.7.0.9/24"));
    assert!(docknet("disconnect front blue").status.success());
    assert!(!ip(&namespace, "-br addr").unwrap().contains("10.7.0.9/24"));
    assert_eq!(service.end().0, Some(0));
}

#[test]
fn its_unit_lets_it_do_all_that_it_does() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contrib/systemd/docknet.service");
    let unit = fs::read_to_string(unit).unwrap();
    let bounds = unit.lines().filter_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let kept: Vec<String> = bounds
        .flat_map(|names| names.split(' '))
        .map(|name| format!("+{}", name.strip_prefix("CAP_").unwrap().to_lowercase()))
        .collect();
    assert!(kept.len() > 10, "{kept:?}");
    let manager = Manager::new();
    let url = manager.url("own.sock");
    let mut command = Command::new("setpriv");
    command.arg(format!("--bounding-set=-all,{}", kept.join(","))).arg("--");
    command.arg(DOCKNET).args(SERVE).args(["--isolated", "-H", &url]);
    command.env("NOTIFY_SOCKET", manager.path("notify"));
    let service = Process::start(&mut command);
    assert_eq!(manager.hears(), "READY=1");
    use_it(&url);
    // Nothing in a container can write to the file of the program.
    let own = rustix::fs::statvfs(format!("/proc/{}/exe", service.0.id())).unwrap();
    assert!(own.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    // A process of somebody else's is entered: that of a container's user, and one beside.
    let mut theirs = Command::new("unshare");
    let theirs =
        theirs.args(["--net", "--", "setpriv", "--reuid=65534", "--clear-groups", "sleep", "600"]);
    let theirs = Process::start(theirs);
    let namespace = format!("/proc/{}/ns/net", theirs.0.id());
    wait_until("it has a namespace, and its user", || {
        let owner = fs::metadata(format!("/proc/{}", theirs.0.id())).unwrap().uid();
        owner == 65534
    });
    let connect = ["-H", &url, "connect", "--namespace", &namespace, "front", "theirs"];
    let connected = Command::new(DOCKNET).args(connect).output().unwrap();
    assert!(connected.status.success(), "{}", String::from_utf8_lossy(&connected.stderr));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ids = runtime.block_on(async {
        let client = Client::connect(&url).unwrap();
        let bindings = serde_json::json!({ "80/tcp": [{ "HostPort": "80" }] });
        let spec = ContainerSpec::new("host").name("user").command(["sleep", "600"]);
        let spec = spec.extra("User", "1000:1000").host_config("PortBindings", bindings);
        let spec = spec.network("front", EndpointSpec::new());
        let container = client.containers().create(spec).await.unwrap();
        container.start().await.unwrap();
        container.exec(["id", "-u"]).await.unwrap()
    });
    assert_eq!(ids.stdout_text(), "1000\n", "{ids:?}");
    assert_eq!(service.end().0, Some(0));
}

#[test]
fn an_ordinary_user_has_networks_too() {
    let manager = Manager::new();
    let docknet = for_everybody(&manager);
    let url = manager.url("user.sock");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    command.arg(&docknet).args(SERVE).args(["-H", &url]);
    command.env("NOTIFY_SOCKET", manager.path("notify"));
    let mut service = Process::start(&mut command);
    wait_until("it answers", || {
        let ended = service.0.try_wait().unwrap();
        assert!(ended.is_none(), "{:?}", service.ended());
        manager.path("user.sock").exists()
    });
    assert_eq!(manager.hears(), "READY=1");
    use_it(&url);
    assert!(networks(&url).lines().count() > 3);
    assert_eq!(service.end().0, Some(0));
    assert!(!manager.path("user.sock").exists());
}

#[test]
fn an_ordinary_user_is_told_where_there_are_no_user_namespaces() {
    let manager = Manager::new();
    let docknet = for_everybody(&manager);
    let root = manager.path("root");
    fs::create_dir(&root).unwrap();
    // Nobody may make them who has another root directory.
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c"]);
    command.arg(r#"mount --bind / "$1" && exec chroot --userspec=65534:65534 "$@""#);
    command.arg("sh").arg(&root).arg(&docknet);
    command.args(["serve", "--kernel", "-H", &manager.url("user.sock")]);
    let (code, said) = Process::start(&mut command).ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot enter a user namespace"), "{said}");
    assert!(said.contains("hint: run it as root, or without `--kernel`"), "{said}");
}

/// The program where all may run it, in a directory where all may make a socket.
fn for_everybody(manager: &Manager) -> PathBuf {
    let docknet = manager.path("docknet");
    fs::copy(DOCKNET, &docknet).unwrap();
    for path in [manager.dir.path(), &docknet, &manager.path("notify")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    docknet
}

fn namespace_of(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/ns/net")).unwrap()
}

/// Network namespaces that a process holds open, each once.
fn held_namespaces(pid: u32) -> BTreeMap<PathBuf, PathBuf> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let open = open.filter_map(|entry| {
        let path = entry.unwrap().path();
        let target = fs::read_link(&path).ok()?;
        target.to_str()?.starts_with("net:[").then_some((target, path))
    });
    open.collect()
}

fn ip(namespace: &Path, line: &str) -> Result<String, String> {
    let output = Command::new("nsenter")
        .arg(format!("--net={}", namespace.display()))
        .args(["--", "ip"])
        .args(line.split(' '))
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: it took too long");
        thread::sleep(Duration::from_millis(10));
    }
}
