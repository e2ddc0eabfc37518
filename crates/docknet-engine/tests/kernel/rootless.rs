//! Tests of ordinary users.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use docknet_engine::{Engine, run_in_user_namespace};

use crate::images::{import, run, shell, tree};
use crate::lab::{Lab, ask, listen};

/// What a test of this program ends with for an ordinary user, and what it says.
fn as_nobody(test: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(dir.path(), everybody).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
    command.args([test, "--exact", "--ignored", "--nocapture"]).current_dir("/");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_test_of_an_ordinary_user_has_real_networks() {
    let (code, said) = as_nobody("rootless::two_containers_talk");
    // Theirs, and what it started.
    assert_eq!((code, said.matches("1 passed").count()), (Some(0), 2), "{said}");
    assert!(said.contains("they talked"), "{said}");
}

#[test]
fn an_ordinary_user_has_images() {
    let (code, said) = as_nobody("rootless::an_image_runs");
    assert_eq!((code, said.matches("1 passed").count()), (Some(0), 2), "{said}");
    assert!(said.contains("root of nothing but this"), "{said}");
}

#[test]
fn what_fails_there_fails() {
    let (code, said) = as_nobody("rootless::it_fails");
    assert_eq!(code, Some(101), "{said}");
    assert!(said.contains("in its user namespace it failed"), "{said}");
}

#[test]
fn what_is_not_run_there_is_not_taken_for_done() {
    let (code, said) = as_nobody("rootless::it_asks_from_elsewhere");
    assert_eq!(code, Some(101), "{said}");
    assert!(said.contains("did not come here"), "{said}");
}

#[test]
fn who_may_not_make_networks_is_told_what_to_do() {
    let (code, said) = as_nobody("rootless::an_engine_starts");
    assert_eq!((code, said.matches("run_in_user_namespace()").count()), (Some(0), 2), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an ordinary user runs it"]
async fn an_engine_starts() {
    for builder in [Engine::kernel(), Engine::kernel().isolated()] {
        println!("{}", builder.start().await.unwrap_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an ordinary user runs it"]
async fn two_containers_talk() {
    if run_in_user_namespace().unwrap() {
        return;
    }
    let lab = Lab::new().await;
    lab.network("front").await;
    let (web, api) = (lab.container("web", "front").await, lab.container("api", "front").await);
    listen(&web, 80, "they talked");
    println!("{}", ask(&api, (lab.ip("web", "front").await, 80)));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "an ordinary user runs it"]
async fn an_image_runs() {
    if run_in_user_namespace().unwrap() {
        return;
    }
    let lab = Lab::new().await;
    import(&lab.client, "tools", tree(&["sh", "id", "cat", "rm"])).await;
    let line = "id -u; rm -r /etc/group && echo root of nothing but this > /made && cat /made";
    let (said, code) = run(&lab.client, "one", shell("tools", line)).await;
    assert_eq!((said.as_str(), code), ("0\nroot of nothing but this\n", 0));
    print!("{said}");
}

#[test]
#[ignore = "an ordinary user runs it"]
fn it_fails() {
    assert!(run_in_user_namespace().unwrap(), "in the child");
}

#[test]
#[ignore = "an ordinary user runs it"]
fn it_asks_from_elsewhere() {
    let elsewhere = std::thread::Builder::new().name("elsewhere".to_owned());
    let asked = elsewhere.spawn(run_in_user_namespace).unwrap().join().unwrap();
    asked.unwrap();
}
