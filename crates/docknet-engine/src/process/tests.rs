use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::process::Command;

use bytes::Bytes;

use super::*;

#[tokio::test]
async fn a_program_says_what_it_has_to_and_ends_with_its_code() {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    let id = id("a");
    processes.start(&id, shell("echo out; echo err >&2; exit 7")).await.unwrap();
    assert_eq!(exits.recv().await, Some((id.clone(), 7)));
    assert_eq!(processes.wait(&id).unwrap().await, Some(7));
    let entries = processes.output(&id).unwrap().read(Since::Beginning);
    let of = |stream| text(entries.iter().filter(|entry| entry.stream == stream));
    assert_eq!((of(Stream::Stdout), of(Stream::Stderr)), ("out\n".to_owned(), "err\n".to_owned()));
}

#[tokio::test]
async fn the_first_program_ignores_term_unless_it_handles_it_and_never_kill() {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    let (deaf, polite) = (id("deaf"), id("polite"));
    processes.start(&deaf, shell("echo ready; read forever")).await.unwrap();
    let trap = "trap 'exit 3' TERM; echo ready; while :; do read forever; done";
    processes.start(&polite, shell(trap)).await.unwrap();
    for id in [&deaf, &polite] {
        said(&processes.output(id).unwrap(), "ready\n").await;
        processes.signal(id, Signal::TERM.as_raw()).unwrap();
    }
    assert_eq!(exits.recv().await, Some((polite, 3)));
    processes.signal(&deaf, Signal::KILL.as_raw()).unwrap();
    assert_eq!(exits.recv().await, Some((deaf.clone(), 137)));
    let gone = processes.signal(&deaf, Signal::KILL.as_raw()).unwrap_err();
    assert_eq!(gone.raw_os_error(), Some(3), "{gone}");
}

#[tokio::test]
async fn what_does_not_start_says_why() {
    let (processes, _exits) = Processes::new(None, None).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "#!/nosuch/interpreter\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (program, code, message) in [
        ("nosuch", 127, r#"exec: "nosuch": executable file not found in $PATH"#.to_owned()),
        ("/etc/passwd", 126, r#"exec: "/etc/passwd": permission denied"#.to_owned()),
        (
            script.to_str().unwrap(),
            127,
            format!("exec {}: no such file or directory", script.display()),
        ),
    ] {
        let launch = launch_of(program_of(&[program]));
        let error = processes.start(&id("a"), launch).await.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string()), (code, message));
    }
    let mut launch = shell("true");
    launch.program.cwd = "/nosuch".into();
    let error = processes.start(&id("a"), launch).await.unwrap_err();
    assert!(error.to_string().starts_with("the working directory /nosuch: "), "{error}");
    assert!(processes.output(&id("a")).is_err());
}

#[tokio::test]
async fn it_sees_its_own_processes_links_name_and_files_and_the_host_does_not() {
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let hosts = fs::read("/etc/hosts").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("hosts");
    fs::write(&own, "10.0.0.9 web\n").unwrap();
    let mut launch = shell(
        "hostname; cat /etc/hosts; ls -d /proc/[0-9]*; ls /sys/class/net; echo $$ $HOME; ls -d /sys/fs/cgroup; \
         cat /proc/sys/net/ipv4/ip_default_ttl",
    );
    launch.hostname = Some("box".to_owned());
    launch.files = vec![(own.clone(), "/etc/hosts".into()), (own, "/etc/no-such-file".into())];
    launch.sysctls = vec![("net.ipv4.ip_default_ttl".to_owned(), "33".into())];
    let said = run(launch).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..3], ["box", "10.0.0.9 web", "/proc/1"], "{said}");
    let rest: Vec<_> = lines
        .iter()
        .skip_while(|line| line.starts_with("/proc/") || line.contains('.') || **line == "box")
        .collect();
    assert_eq!(rest, [&"lo", &"1 /root", &"/sys/fs/cgroup", &"33"], "{said}");
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
    assert_eq!(fs::read("/etc/hosts").unwrap(), hosts);
    assert_ne!(fs::read_to_string("/proc/sys/net/ipv4/ip_default_ttl").unwrap(), "33\n");
}

#[tokio::test]
async fn a_user_has_no_capabilities_and_root_those_of_docker() {
    let status = "grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapBnd)' /proc/self/status";
    let root = run(shell(status)).await;
    // What `docker run busybox grep Cap /proc/self/status` prints.
    assert!(root.contains("CapPrm:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n"), "{root}");
    let mut launch = shell(&format!("{status}; echo again > /dev/stdout"));
    launch.program.user = Some("1234:2345".to_owned());
    launch.program.stdio = Stdio::Pipes { stdin: true };
    let user = run(launch).await;
    assert!(user.contains("Uid:\t1234\t1234\t1234\t1234\n"), "{user}");
    assert!(user.contains("Gid:\t2345\t2345\t2345\t2345\nGroups:\t2345 \n"), "{user}");
    assert!(user.contains("CapPrm:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"), "{user}");
    assert!(user.ends_with("again\n"), "{user}");
}

#[tokio::test]
async fn a_terminal_is_one_with_its_size() {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    let id = id("a");
    let mut launch =
        shell("tty; stty size; read line; stty size; echo got $line; : < /dev/tty && exit 4");
    launch.program.stdio = Stdio::Terminal(Size { rows: 33, columns: 101 });
    processes.start(&id, launch).await.unwrap();
    let output = processes.output(&id).unwrap();
    said(&output, "33 101\r\n").await;
    processes.resize(&id, Size { rows: 44, columns: 102 }).unwrap();
    let input = processes.input(&id).unwrap().unwrap();
    input.write(Bytes::from_static(b"hello\n")).await.unwrap();
    assert_eq!(exits.recv().await, Some((id, 4)));
    let all = text(&output.read(Since::Beginning));
    assert!(all.starts_with("/dev/pts/") && all.ends_with("44 102\r\ngot hello\r\n"), "{all}");
}

#[tokio::test]
async fn standard_input_is_written_and_closed() {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    let id = id("a");
    let mut launch = launch_of(program_of(&["cat"]));
    launch.program.stdio = Stdio::Pipes { stdin: true };
    processes.start(&id, launch).await.unwrap();
    let input = processes.input(&id).unwrap().unwrap();
    let much = Bytes::from(vec![b'x'; 300 << 10]);
    input.write(much.clone()).await.unwrap();
    input.clone().close();
    assert_eq!(exits.recv().await, Some((id.clone(), 0)));
    assert_eq!(text(&processes.output(&id).unwrap().read(Since::Beginning)).len(), much.len());
    assert_eq!(input.write(much).await, Err(stdio::InputClosed));
}

#[tokio::test]
async fn a_command_is_in_the_namespaces_of_its_container() {
    let (processes, _exits) = Processes::new(None, None).unwrap();
    let id = id("a");
    processes.start(&id, shell("echo ready; read forever")).await.unwrap();
    said(&processes.output(&id).unwrap(), "ready\n").await;
    let namespaces =
        "for of in pid mnt uts ipc net; do readlink /proc/self/ns/$of /proc/1/ns/$of; done; exit 9";
    let exec = processes.exec(&id, shell(namespaces).program, Reader::Nobody).await.unwrap();
    assert_eq!(exec.wait().await, Some(9));
    let all = all(exec.output()).await;
    let lines: Vec<_> = all.lines().collect();
    assert_eq!(lines.len(), 10, "{all}");
    for pair in lines.chunks(2) {
        assert_eq!(pair[0], pair[1]);
        let (of, _) = pair[0].split_once(':').unwrap();
        assert_ne!(fs::read_link(format!("/proc/self/ns/{of}")).unwrap(), Path::new(pair[0]));
    }
    let error = processes.exec(&id, program_of(&["nosuch"]), Reader::Nobody).await.unwrap_err();
    assert_eq!(error.exit_code(), 127);
    // The container takes its commands with it.
    let exec = processes
        .exec(&id, shell("echo ready; read forever").program, Reader::Nobody)
        .await
        .unwrap();
    said(exec.output(), "ready\n").await;
    assert_eq!(exec.exit_code(), None);
    processes.signal(&id, Signal::KILL.as_raw()).unwrap();
    assert_eq!(exec.wait().await, Some(137));
    assert_eq!(processes.wait(&id).unwrap().await, Some(137));
    assert!(processes.exec(&id, program_of(&["true"]), Reader::Nobody).await.is_err());
}

#[tokio::test]
async fn a_pause_stops_all_processes() {
    let (processes, _exits) = Processes::new(None, None).unwrap();
    let id = id("a");
    let pid = processes.start(&id, shell("sleep 1000 & echo ready; wait")).await.unwrap();
    said(&processes.output(&id).unwrap(), "ready\n").await;
    let states = || -> Vec<bool> {
        let beside = processes_beside(pid).unwrap();
        let state = |pid: Pid| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap();
            stat.rsplit_once(')').unwrap().1.starts_with(" T")
        };
        beside.into_iter().map(state).collect()
    };
    processes.pause(&id).unwrap();
    // A stop is seen once the process ran into it.
    while !states().iter().all(|stopped| *stopped) {
        tokio::task::yield_now().await;
    }
    assert_eq!(states().len(), 2);
    processes.unpause(&id).unwrap();
    assert!(!states().contains(&true));
}

#[tokio::test]
async fn a_dropped_engine_ends_its_containers_even_those_that_are_starting() {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    processes.start(&id("a"), shell("read forever")).await.unwrap();
    {
        let second = id("b");
        let mut start = std::pin::pin!(processes.start(&second, shell("read forever")));
        // Begun, and not waited for.
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(start.as_mut().poll(context).is_pending())
        });
        assert!(polled.await);
    }
    drop(processes);
    let mut ended = [exits.recv().await.unwrap(), exits.recv().await.unwrap()];
    ended.sort();
    assert_eq!(ended, [(id("a"), 137), (id("b"), 137)]);
    assert_eq!(exits.recv().await, None);
}

/// In a process of its own: other tests open and close descriptors too.
#[test]
fn many_at_once_leave_no_zombie_and_no_descriptor() {
    const ROLE: &str = "many_at_once_leave_no_zombie_and_no_descriptor";
    if env::var_os("DOCKNET_TEST_ROLE").is_none() {
        let status = again(ROLE).status().unwrap();
        assert!(status.success());
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let before = descriptors();
        let (processes, mut exits) = Processes::new(None, None).unwrap();
        let processes = Arc::new(processes);
        let starts = (0..40).map(|at| {
            let processes = Arc::clone(&processes);
            tokio::spawn(async move {
                let mut launch = shell("sleep 1000 & exit 0");
                if at % 2 == 0 {
                    launch.program.stdio = Stdio::Terminal(Size::default());
                }
                processes.start(&id(&at.to_string()), launch).await.unwrap();
            })
        });
        for start in starts.collect::<Vec<_>>() {
            start.await.unwrap();
        }
        for _ in 0..40 {
            let (id, code) = exits.recv().await.unwrap();
            assert_eq!(code, 0);
            processes.forget(&id);
        }
        drop(processes);
        // Closed once the last thread has let go of what it shares.
        assert_eq!(exits.recv().await, None);
        let children = fs::read_to_string("/proc/thread-self/children").unwrap();
        assert_eq!(children, "");
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let children = fs::read_to_string(task.unwrap().path().join("children"));
            assert_eq!(children.unwrap_or_default(), "");
        }
        // The runtime's own three go with its thread, which nothing waits for.
        while descriptors() > before {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_killed_engine_takes_its_containers_along() {
    const ROLE: &str = "a_killed_engine_takes_its_containers_along";
    if env::var_os("DOCKNET_TEST_ROLE").is_some() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (processes, mut exits) = Processes::new(None, None).unwrap();
            let mut launch = shell("sleep 1000 & wait");
            launch.program.stdio = Stdio::Pipes { stdin: false };
            launch.program.user = Some("1234:1234".to_owned());
            let pid = processes.start(&id("a"), launch).await.unwrap();
            println!("\npid {}", pid.as_raw_pid());
            exits.recv().await;
        });
        return;
    }
    let mut engine = again(ROLE).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(engine.stdout.take().unwrap()).lines();
    let pid =
        said.map_while(Result::ok).find_map(|line| line.strip_prefix("pid ").map(str::to_owned));
    let pid = Pid::from_raw(pid.unwrap().parse().unwrap()).unwrap();
    let process = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    engine.kill().unwrap();
    engine.wait().unwrap();
    let mut ended = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
    let limit = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut ended, Some(&limit)).unwrap(), 1, "it still runs");
}

/// This test alone, in another process.
fn again(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([&format!("process::tests::{test}"), "--exact", "--nocapture"]);
    command.env("DOCKNET_TEST_ROLE", test);
    command
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn id(name: &str) -> ContainerId {
    ContainerId::new(name)
}

fn shell(script: &str) -> Launch {
    let mut program = program_of(&["sh", "-c", script]);
    program.stdio = Stdio::Pipes { stdin: true };
    launch_of(program)
}

fn program_of(arguments: &[&str]) -> Program {
    let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    Program {
        arguments: arguments.iter().map(OsString::from).collect(),
        env: vec![variable("PATH", "/usr/bin:/bin"), variable("HOME", "/root")],
        cwd: "/".into(),
        user: None,
        capabilities: DEFAULT_CAPABILITIES,
        filtered: false,
        no_new_privileges: false,
        open_files: None,
        stdio: Stdio::Pipes { stdin: false },
    }
}

fn launch_of(program: Program) -> Launch {
    Launch {
        program,
        network: Some(network()),
        hostname: None,
        root: None,
        mounts: Vec::new(),
        files: Vec::new(),
        sysctls: Vec::new(),
    }
}

/// A new one.
fn network() -> OwnedFd {
    let made = thread::spawn(|| {
        unshare(rustix::thread::UnshareFlags::NEWNET).unwrap();
        OwnedFd::from(fs::File::open("/proc/thread-self/ns/net").unwrap())
    });
    made.join().unwrap()
}

/// To its end, with all that it says.
async fn run(launch: Launch) -> String {
    let (processes, mut exits) = Processes::new(None, None).unwrap();
    processes.start(&id("a"), launch).await.unwrap();
    exits.recv().await.unwrap();
    all(&processes.output(&id("a")).unwrap()).await
}

async fn all(output: &Arc<Output>) -> String {
    let mut follower = output.subscribe(Since::Beginning);
    let mut entries = Vec::new();
    while let Some(said) = follower.next().await {
        let Said::Entry(entry) = said else { panic!("{said:?}") };
        entries.push(entry);
    }
    text(&entries)
}

async fn said(output: &Arc<Output>, wanted: &str) {
    let mut follower = output.subscribe(Since::Beginning);
    while let Some(said) = follower.next().await {
        if matches!(said, Said::Entry(entry) if entry.bytes == wanted) {
            return;
        }
    }
    panic!("it never said {wanted:?}");
}

fn text<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    entries.into_iter().map(|entry| std::str::from_utf8(&entry.bytes).unwrap()).collect()
}
