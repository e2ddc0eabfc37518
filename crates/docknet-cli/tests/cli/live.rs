//! Commands that stay, and what happens to those that are interrupted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use docknet_engine::Fault;

use crate::lab::Lab;

#[test]
fn the_demo_needs_nothing() {
    let mut lab = Lab::start();
    lab.run("-H unix:///nowhere.sock demo");
    // Which of the two the engine names depends on their ids.
    let drawn = regex::Regex::new(r#"name:"(web|db)" id:"[0-9a-f]{12}"|\b[0-9a-f]{12}\b"#).unwrap();
    insta::assert_snapshot!(drawn.replace_all(lab.transcript(), "[ID]"));
}

#[test]
fn a_state_on_disk_is_an_engine_too() {
    let mut lab = Lab::start();
    let state = lab.path("state").display().to_string();
    lab.run(&format!("-H state://{state} ls --format '{{{{.Name}}}}'"));
    lab.run(&format!("-H state://{state} create --subnet 10.7.0.0/24 kept"));
    lab.run(&format!("-H state://{state} create kept"));
    lab.run(&format!("-H state://{state} inspect --format '{{{{.Name}}}}' kept"));
    lab.run("state dump nowhere");
    lab.run("-H state://state -H state://state ls");
    // Its ids are drawn anew each time.
    let ids = regex::Regex::new(r"\b[0-9a-f]{64}\b").unwrap();
    insta::assert_snapshot!(ids.replace_all(lab.transcript(), "[ID]"));

    let mut dump = Lab::start();
    dump.run(&format!("state dump {state}"));
    assert!(dump.transcript().contains("\"name\": \"kept\""), "{}", dump.transcript());
}

#[test]
fn an_engine_is_served_until_it_is_told_to_stop() {
    let mut lab = Lab::start();
    let socket = lab.path("own.sock");
    let mut serving =
        lab.spawn(&format!("serve -H unix://{} --like docker-20.10", socket.display()));
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("listening on unix://{}\n", socket.display()));
    lab.run(&format!("-H unix://{} version", socket.display()));
    lab.run(&format!("serve -H unix://{}", socket.display()));
    lab.run("serve -H nonsense");
    lab.run("serve --like docker-1.0");
    insta::assert_snapshot!(lab.transcript());
    signal(&serving, "TERM");
    assert!(serving.wait().unwrap().success());
    assert!(!socket.exists());
}

#[test]
fn completion_asks_the_engine() {
    let lab = Lab::start();
    lab.network("front");
    lab.network("back");
    lab.container("web");
    lab.container("db");
    lab.connect("back", "db", docknet::EndpointSpec::new());
    for (words, fitting) in [
        (vec!["docknet", "rm", "f"], vec!["front"]),
        (vec!["docknet", "disconnect", "back", ""], vec!["db"]),
        (vec!["docknet", "connect", "back", ""], vec!["web"]),
        (vec!["docknet", "cre"], vec!["create"]),
        (vec!["docknet", "ls", "--filter", "dr"], vec!["driver="]),
    ] {
        let last = (words.len() - 1).to_string();
        let output = crate::lab::docknet(&lab.path("."))
            .env("DOCKER_HOST", lab.host())
            .env("COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", last)
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "true")
            .env("_CLAP_IFS", "\n")
            .arg("--")
            .args(&words)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let found: Vec<_> = text.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(found, fitting, "{words:?}");
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_script_for_each_shell_and_a_page_for_each_command() {
    for shell in ["bash", "zsh", "fish"] {
        let mut lab = Lab::start();
        lab.run(&format!("completion {shell}"));
        let asks = regex::Regex::new(&format!(r#"COMPLETE="?{shell}"?"#)).unwrap();
        assert!(asks.is_match(lab.transcript()), "{}", lab.transcript());
    }
    let mut lab = Lab::start();
    lab.run("completion powershell");
    lab.run("man pages");
    insta::assert_snapshot!(lab.transcript());
    let page = std::fs::read_to_string(lab.path("pages/docknet-create.1")).unwrap();
    assert!(page.starts_with(".ie"), "{page}");
}

#[test]
fn who_stops_reading_hears_no_complaint() {
    let lab = Lab::start();
    for words in ["ls", "inspect bridge", "graph", "--help"] {
        let mut child = lab.spawn(words);
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), child.wait().unwrap().success()), ("", true), "{words}");
    }
}

#[test]
fn an_interrupted_create_leaves_nothing_behind() {
    let mut lab = Lab::start();
    let fault = Fault::delay(Duration::from_secs(2)).on("POST", "/networks/create");
    lab.engine.faults().add(fault);
    let child = lab.spawn("create backend");
    lab.until(|engine| engine.faults().pending() == 0);
    signal(&child, "INT");
    let (status, said) = end(child);
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(
        said.contains("interrupted: network `backend` was made, and is removed again"),
        "{said}"
    );
    lab.run("ls --filter name=backend -q");
    assert_eq!(lab.transcript(), "$ docknet ls --filter name=backend -q\n\n");
}

#[test]
fn an_interrupted_rm_begins_nothing_more() {
    let mut lab = Lab::start();
    for name in ["one", "two"] {
        lab.network(name);
    }
    lab.engine.faults().add(Fault::delay(Duration::from_secs(2)).on("DELETE", "/networks/*"));
    let child = lab.spawn("rm one two");
    lab.until(|engine| engine.faults().pending() == 0);
    signal(&child, "INT");
    let (status, said) = end(child);
    assert_eq!(status.code(), Some(130), "{said}");
    lab.run("ls --filter type=custom --format '{{.Name}}'");
    assert!(lab.transcript().ends_with("\ntwo\n\n"), "{}", lab.transcript());
}

#[test]
fn changes_are_lines_where_nobody_looks() {
    let lab = Lab::start();
    let mut child = lab.spawn("watch");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "3 networks");
    let mut rest: Vec<_> = lines.by_ref().take(3).collect();
    rest.sort();
    assert_eq!(rest, ["  bridge", "  host", "  none"]);
    lab.network("backend");
    assert_eq!(lines.next().unwrap(), "+ network backend");
    signal(&child, "TERM");
    child.wait().unwrap();
}

fn signal(child: &Child, name: &str) {
    let pid = rustix::process::Pid::from_child(child);
    let signal = match name {
        "INT" => rustix::process::Signal::INT,
        _ => rustix::process::Signal::TERM,
    };
    rustix::process::kill_process(pid, signal).unwrap();
}

/// What became of it, and what it said on stderr.
fn end(mut child: Child) -> (ExitStatus, String) {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap(), said)
}
