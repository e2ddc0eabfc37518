//! The units for systemd under a systemd of the test's own, which has no other units and none of the host's files to write to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use docknet::{Client, ContainerSpec, ContainerStatus, EndpointSpec};
use tempfile::TempDir;

use crate::{DOCKNET, Process, networks, wait_until};

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contrib/systemd");

/// Makes a system out of the host's files, with `docknet` and its units installed as these say, and starts systemd on it.
/// Writes go to memory. Its directory, the program, the units and the name of its control group come as arguments.
const BOOT: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir upper work root cgroup
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
for hidden in etc/systemd/system usr/lib/systemd/system usr/lib/systemd/system-generators \
    dev run tmp var sys proc; do
    mount -t tmpfs tmpfs "root/$hidden"
done
mkdir root/dev/pts root/dev/shm root/var/lib root/var/tmp root/run/lock
for device in null zero full random urandom tty; do
    touch "root/dev/$device"
    mount --bind "/dev/$device" "root/dev/$device"
done
mount -t proc proc root/proc
mount -t sysfs sysfs root/sys
mount -t devpts devpts root/dev/pts

install -m 755 "$2" root/usr/bin/docknet
install -m 644 "$3"/docknet.socket "$3"/docknet.service root/etc/systemd/system
cd root/etc/systemd/system
for target in sysinit basic sockets shutdown; do
    printf '[Unit]\nDefaultDependencies=no\n' >"$target.target"
done
printf '[Unit]\nWants=docknet.socket\n' >multi-user.target
mkdir docknet.service.d
printf '[Service]\nStandardError=append:/run/docknet.log\n' >docknet.service.d/log.conf
cd "$1"

# The root of its control groups is a group of its own.
mount -t cgroup2 cgroup2 cgroup
mkdir "cgroup/$4"
echo $$ >"cgroup/$4/cgroup.procs"
exec unshare --cgroup -- sh -ec '
    mount -t cgroup2 cgroup2 root/sys/fs/cgroup
    cd root
    pivot_root . tmp
    umount -l tmp
    exec env -i container=docknet /usr/lib/systemd/systemd --unit=multi-user.target
'
"#;

struct System {
    /// Whose only child is systemd.
    manager: Process,
    pid: u32,
    group: String,
    dir: TempDir,
}

impl System {
    fn boot() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let group = format!("docknet-test-{}", std::process::id());
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc"]);
        command.args(["--", "sh", "-ec", BOOT, "sh"]);
        command.arg(dir.path()).args([DOCKNET, UNITS, &group]);
        let manager = Process::start(&mut command);
        let children = format!("/proc/{0}/task/{0}/children", manager.0.id());
        let mut system = Self { manager, pid: 0, group, dir };
        wait_until("systemd is there", || {
            assert!(system.manager.0.try_wait().unwrap().is_none(), "{:?}", system.manager.ended());
            let child = fs::read_to_string(&children).unwrap();
            system.pid = child.trim().parse().unwrap_or(0);
            let name = fs::read_to_string(format!("/proc/{}/comm", system.pid));
            name.is_ok_and(|name| name == "systemd\n")
        });
        wait_until("it listens", || system.path("/run/docknet.sock").exists());
        system
    }

    /// One of its files.
    fn path(&self, path: &str) -> PathBuf {
        format!("/proc/{}/root{path}", self.pid).into()
    }

    fn url(&self) -> String {
        format!("unix://{}", self.path("/run/docknet.sock").display())
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new("nsenter");
        command.args([format!("--target={}", self.pid).as_str(), "--mount", "--pid", "--"]);
        command.args(line.split(' ')).output().unwrap()
    }

    fn systemctl(&self, line: &str) -> String {
        let output = self.run(&format!("systemctl {line}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}\n{}", self.log());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A property of the service.
    fn shown(&self, property: &str) -> String {
        self.systemctl(&format!("show --value --property={property} docknet.service"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("/run/docknet.log")).unwrap_or_default()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // With it all that it started ends.
        let _ = self.manager.0.kill();
        let _ = self.manager.0.wait();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", CLEAN, "sh"]).arg(self.dir.path());
        let _ = command.arg(&self.group).status();
    }
}

/// Takes the control group away, once nothing is in it any more.
const CLEAN: &str = r#"
mount -t cgroup2 cgroup2 "$1"
for _ in $(seq 100); do
    find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -d "$1/$2" ] || exit 0
    sleep 0.05
done
"#;

#[test]
fn systemd_starts_it_when_somebody_comes_and_programs_outlive_it() {
    let system = System::boot();
    let verified = system.run("systemd-analyze verify --man=no docknet.service docknet.socket");
    let said = String::from_utf8(verified.stderr).unwrap();
    assert!(verified.status.success() && said.is_empty(), "{said}");
    let socket = fs::metadata(system.path("/run/docknet.sock")).unwrap();
    assert_eq!((socket.mode() & 0o777, socket.uid()), (0o660, 0));
    assert_eq!(system.shown("ActiveState"), "inactive");

    // Who comes first starts it, and waits for it.
    assert_eq!(networks(&system.url()).lines().count(), 3);
    assert_eq!(system.shown("ActiveState"), "active");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::connect(&system.url()).unwrap();
    let web = runtime.block_on(async {
        client.networks().create("front").await.unwrap();
        let spec = ContainerSpec::new("host").name("web").command(["sleep", "600"]);
        let spec = spec.network("front", EndpointSpec::new());
        client.containers().create(spec).await.unwrap().start().await.unwrap();
        client.containers().get("web").await.unwrap()
    });
    let program = web.attrs()["State"]["Pid"].clone();
    let runs_on = || {
        let seen = runtime.block_on(client.containers().get("web")).unwrap();
        assert_eq!(seen.status(), &ContainerStatus::Running);
        assert_eq!(&seen.attrs()["State"]["Pid"], &program);
        let greeted = runtime.block_on(seen.exec(["hostname"])).unwrap();
        assert!(greeted.success(), "{greeted:?}");
    };
    runs_on();

    let first = system.shown("MainPID");
    system.systemctl("restart docknet.service");
    assert_ne!(system.shown("MainPID"), first);
    runs_on();

    // It is started again by systemd; until then its socket is there.
    let second = system.shown("MainPID");
    system.systemctl("kill --kill-whom=main --signal=KILL docknet.service");
    wait_until("it ends", || system.shown("MainPID") != second);
    runs_on();
    assert_eq!(system.shown("NRestarts"), "1");

    system.systemctl("stop docknet.service");
    assert_eq!(
        (system.shown("ActiveState").as_str(), system.shown("Result").as_str()),
        ("inactive", "success")
    );
    assert!(system.path(&format!("/proc/{program}")).exists());
    runs_on();

    runtime.block_on(web.remove()).unwrap();
    wait_until("its program ends", || !system.path(&format!("/proc/{program}")).exists());
    system.systemctl("stop docknet.socket docknet.service");
    assert!(!system.path("/run/docknet.sock").exists());
    wait_until("nobody is left", || {
        let group = system.path("/sys/fs/cgroup/system.slice/docknet.service/cgroup.procs");
        fs::read_to_string(group).unwrap_or_default().is_empty()
    });
}
