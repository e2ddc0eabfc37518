//! Common mistakes that no single command has for itself.

use docknet::NetworkSpec;
use docknet_engine::Fault;

use crate::lab::Lab;

#[test]
fn an_engine_that_is_not_there() {
    let mut lab = Lab::start();
    for words in [
        "-H unix:///nowhere/docker.sock ls",
        "-H tcp://127.0.0.1:9 ls",
        "-H nonsense ls",
        "-H ftp://x ls",
        "-H 127.0.0.1:2375 ls",
        "-c nope ls",
        "-c x -H unix:///x ls",
        "-H ssh://no-such-host.invalid ls",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn words_that_are_no_command() {
    let mut lab = Lab::start();
    for words in ["lst", "--nonsense", "ls nonsense", "inspect", "--color sometimes ls"] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn what_the_engine_says_is_told_in_its_words() {
    let mut lab = Lab::start();
    lab.network(NetworkSpec::new("backend"));
    let faults = [
        Fault::refuse(507, "no space left on device"),
        Fault::refuse(500, "panic: \u{1b}[31mred\u{1b}[0m\u{7}"),
        Fault::refuse(503, ""),
        Fault::drop_before(),
    ];
    for fault in faults {
        lab.engine.faults().add(fault.on("POST", "/networks/create"));
        lab.run("create another");
    }
    insta::assert_snapshot!(lab.transcript());
}
