//! What becomes of a connection through `ssh`, with scripts in its place.
#![cfg(all(unix, feature = "ssh"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use docknet::Client;

/// Answers requests for as long as there are any.
const SERVE: &str = r#"
end=$(printf '\r')
while read -r line; do
    if [ "$line" = "$end" ]; then
        printf 'HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nServer: a script\r\nContent-Length: 2\r\n\r\nOK'
        $then
    fi
done
"#;

#[test]
fn answers_come_through() {
    assert_eq!(seen("answer", SERVE), "found a script");
    // The next call finds the process gone, and starts another.
    assert_eq!(seen("once", &format!("then=exit{SERVE}")), "found a script");
}

#[test]
fn words_do_not_stand_in_the_way_of_answers() {
    let flood = "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2";
    assert_eq!(seen("flood", &format!("{flood}{SERVE}")), "found a script");
}

#[test]
fn the_end_of_what_was_said_is_passed_on() {
    let said = seen("said", "echo Warning >&2; echo Permission denied >&2; exit 255");
    let words = "Connect: ping: cannot connect to ssh://nowhere: Warning; Permission denied (ssh ended with exit status: 255)";
    assert_eq!(said, words);

    let long = seen("long", "echo the start >&2; seq 10000 >&2; echo the end >&2; exit 1");
    assert!(long.contains("10000; the end (") && !long.contains("the start"), "{long}");
    assert!(long.len() < 8192, "{}", long.len());

    assert!(seen("silent", "exit 3").contains("ssh ended with exit status: 3 and said nothing"));
    assert!(seen("signal", "kill -9 $$").contains("signal: 9"));
}

#[test]
fn words_are_waited_for_until_the_process_ends_and_no_longer() {
    let late = "exec 0<&- 1>&-; sleep 0.2; echo too late? >&2; exit 1";
    assert!(seen("late", late).contains("too late?"));

    // As the process that `ControlPersist` leaves behind.
    let start = Instant::now();
    let held = "sleep 20 </dev/null >/dev/null & echo held open >&2; exit 255";
    assert!(seen("held", held).contains("held open"));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn what_is_no_answer_is_told() {
    let text = seen("text", "echo Welcome to this machine; cat > /dev/null");
    assert!(text.starts_with("Protocol: ") && text.contains("not HTTP"), "{text}");
    let half = seen("half", "printf 'HTTP/1.1 200 OK\\r\\n'; echo reset >&2; exit 255");
    assert!(half.starts_with("Protocol: ") && half.contains("ssh://nowhere"), "{half}");
}

#[test]
fn a_missing_ssh_is_told() {
    let dir = dir("missing");
    fs::create_dir_all(&dir).unwrap();
    let error = run(&dir, &dir);
    let _ = fs::remove_dir(&dir);
    assert!(error.starts_with("Connect: ") && error.contains("has to be installed"), "{error}");
}

fn dir(name: &str) -> String {
    let dir = std::env::temp_dir().join(format!("docknet-ssh-{}-{name}", std::process::id()));
    dir.to_str().unwrap().to_owned()
}

/// What a client meets whose `ssh` is this script.
fn seen(name: &str, script: &str) -> String {
    let dir = dir(name);
    fs::create_dir_all(&dir).unwrap();
    let file = format!("{dir}/ssh");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let seen = run(&dir, &format!("{dir}:/usr/bin:/bin"));
    let _ = fs::remove_dir_all(&dir);
    seen
}

/// Where `ssh` is is a matter of the whole process: each case has its own.
fn run(dir: &str, path: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env(CHILD, dir).env("PATH", path);
    let output = command.args(["--exact", "calls", "--nocapture"]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let line = output.split("[[").nth(1).and_then(|rest| rest.split("]]").next());
    line.unwrap_or_else(|| panic!("{output}")).to_owned()
}

const CHILD: &str = "DOCKNET_TEST_CHILD";

/// Only the above makes use of this. Calls twice, and looks whether anything is left over.
#[test]
fn calls() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let client = Client::builder().host("ssh://nowhere").timeout(Duration::from_secs(30));
    let client = client.build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [first, second] = [0, 100].map(|pause| {
        std::thread::sleep(Duration::from_millis(pause));
        runtime.block_on(client.ping()).map_err(|error| format!("{:?}: {error}", error.kind()))
    });
    assert_eq!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    drop(runtime);
    drop(client);
    assert_eq!(children(), [""; 0]);
    println!("[[{}]]", first.map_or_else(|error| error, |ping| format!("found {}", ping.server)));
}

/// The state of each child of this process; of one that ended too, if nobody waited for it.
fn children() -> Vec<String> {
    let us = format!("PPid:\t{}\n", std::process::id());
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let statuses =
        entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok());
    statuses.filter(|status| status.contains(&us)).collect()
}
