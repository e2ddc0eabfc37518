//! What the program says of itself.

use crate::lab::Lab;

const COMMANDS: [&str; 19] = [
    "apply",
    "completion",
    "connect",
    "create",
    "demo",
    "disconnect",
    "doctor",
    "events",
    "graph",
    "inspect",
    "ls",
    "man",
    "pools",
    "prune",
    "rm",
    "serve",
    "state",
    "version",
    "watch",
];

#[test]
fn each_command_has_its_help() {
    for command in COMMANDS {
        let mut lab = Lab::start();
        lab.run(&format!("{command} --help"));
        insta::assert_snapshot!(format!("help-{command}"), lab.transcript());
    }
}

#[test]
fn the_program_has_its_help() {
    let mut lab = Lab::start();
    lab.run("--help");
    lab.run("-h");
    lab.run("");
    lab.run("--version");
    lab.run("help rm");
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn each_command_is_listed_here() {
    let mut lab = Lab::start();
    lab.run("--help");
    let commands =
        lab.transcript().split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let mut listed: Vec<_> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, COMMANDS);
}
