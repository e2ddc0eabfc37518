//! Addresses of engines, and what clients make of them and of the environment.

use std::process::Command;

use docknet::{Client, ErrorKind, Host};
use proptest::prelude::*;

#[test]
fn addresses_keep_their_text() {
    let addresses = [
        "unix:///run/docker.sock",
        "unix:///run/a:b@c?d#e%20",
        "tcp://localhost",
        "tcp://localhost:2375",
        "tcp://10.0.0.1:1",
        "tcp://[::1]",
        "tcp://[::1]:65535",
        "tcp://[fe80::1%eth0]:2375",
        "http://a_b.c-d:80",
        "https://engine.example",
        "https://engine.example:2376",
        "ssh://build1",
        "ssh://root@build1",
        "ssh://me@corp.example@build1:2222",
        "ssh://[2001:db8::1]:22/run/x.sock",
        "ssh://root@build1/run/podman/podman.sock",
    ];
    for address in addresses {
        assert_eq!(address.parse::<Host>().unwrap().to_string(), address);
    }
    for (loose, strict) in
        [("tcp://h/", "tcp://h"), ("https://h:1/", "https://h:1"), ("ssh://h/", "ssh://h")]
    {
        assert_eq!(loose.parse::<Host>().unwrap(), strict.parse().unwrap());
    }
}

#[test]
fn what_is_no_address_is_refused_with_a_reason() {
    let cases = [
        ("", "empty"),
        ("/run/docker.sock", "unix:///run/docker.sock"),
        ("localhost:2375", "tcp://localhost:2375"),
        ("npipe:////./pipe/docker_engine", "named pipes"),
        ("fd://", "fd://"),
        ("ftp://host", "ftp"),
        ("TCP://host", "TCP"),
        ("://host", "no scheme of engines"),
        ("unix://", "absolute path"),
        ("unix://run/docker.sock", "absolute path"),
        ("unix:///", "absolute path"),
        ("unix:///run/", "absolute path"),
        ("tcp://", "no host"),
        ("tcp://:2375", "no host"),
        ("tcp://host/v1.40", "without a path"),
        ("tcp://host?x", "without a path"),
        ("tcp://user@host", "no user"),
        ("tcp://-host", "begins with '-'"),
        ("tcp://host:", "no port"),
        ("tcp://host:0", "no port"),
        ("tcp://host:+80", "no port"),
        ("tcp://host:65536", "no port"),
        ("tcp://host:http", "no port"),
        ("tcp://::1:2375", "brackets"),
        ("tcp://[::1", "not closed"),
        ("tcp://[::1]2375", "closing bracket"),
        ("tcp://[host]", "IPv6"),
        ("tcp://[]", "IPv6"),
        ("tcp://h\u{f6}st", "'\u{f6}'"),
        ("tcp://ho st", "' '"),
        ("tcp://host\n", "'\\n'"),
        ("tcp://host\u{7f}", "'\\u{7f}'"),
        ("unix:///run/docker.sock\r", "'\\r'"),
        ("ssh://", "no host"),
        ("ssh://-oProxyCommand=id", "begins with '-'"),
        ("ssh://-oProxyCommand=id@host", "begins with '-'"),
        ("ssh://@host", "user"),
        ("ssh://user@", "no host"),
        ("ssh://host?x", "'?'"),
        ("ssh://us%65r@host", "'%'"),
        ("ssh://host/run/", "does not end"),
        ("ssh://user:secret@host", "password"),
        ("tcp://user:secret@host", "no user"),
        ("user:secret@host", "no scheme"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<Host>().unwrap_err();
        let shown = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Config, "{text}");
        assert!(shown.contains(reason), "{text:?}: {shown}");
        assert!(!shown.contains("secret"), "{shown}");
        let named = shown.contains(&format!("{text:?}")) || shown.contains('\u{2026}');
        assert!(named, "{text:?} is not named: {shown}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Host>();
    }

    #[test]
    fn near_misses_do_not_panic_and_hits_read_back(
        text in "(unix|tcp|http|https|ssh|fd)?(://|:|/)[]a-z0-9:@/%?#\\[\\\\ .-]{0,24}"
    ) {
        if let Ok(host) = text.parse::<Host>() {
            prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
        }
    }

    #[test]
    fn good_addresses_are_shown_as_they_were_written(
        scheme in "tcp|http|https|ssh",
        host in "[a-z0-9][a-zA-Z0-9._-]{0,20}|\\[[0-9a-f]{1,4}::[0-9a-f]{1,4}\\]",
        port in proptest::option::of(1..=u16::MAX),
        user in proptest::option::of("[a-z_][a-z0-9_.@-]{0,8}"),
        socket in proptest::option::of("(/[a-z0-9_.-]{1,8}){1,3}"),
    ) {
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let ssh = scheme == "ssh";
        let user = user.filter(|_| ssh).map_or_else(String::new, |user| format!("{user}@"));
        let socket = socket.filter(|_| ssh).unwrap_or_default();
        let text = format!("{scheme}://{user}{host}{port}{socket}");
        prop_assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
    }
}

#[cfg(unix)]
#[test]
fn ports_have_their_defaults() {
    let leads = |host: &str| Client::connect(host).unwrap().host();
    assert_eq!(leads("http://h"), "tcp://h:2375");
    assert_eq!(leads("http://[::1]"), "tcp://[::1]:2375");
    assert_eq!(leads("http://h:80"), "tcp://h:80");
    #[cfg(feature = "ssh")]
    assert_eq!(leads("ssh://h"), "ssh://h");
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_without_its_feature_is_an_error() {
    let error = Client::connect("https://h").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("feature `tls`"), "{error}");
}

#[cfg(not(feature = "ssh"))]
#[test]
fn ssh_without_its_feature_is_an_error() {
    let error = Client::connect("ssh://h").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("feature `ssh`"), "{error}");
}

#[cfg(all(feature = "tls", not(feature = "native-roots")))]
#[test]
fn tls_without_a_ca_is_an_error() {
    let tls = docknet::TlsOptions::new();
    let error = Client::builder().host("tcp://h").tls(tls).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("native-roots"), "{error}");
}

/// The environment of a process is its own: another process has another one.
#[cfg(unix)]
#[test]
fn the_environment_is_asked() {
    let seen = |variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env_clear().env(CHILD, "1").envs(variables.iter().copied());
        let output = command.args(["--exact", "tells_its_host", "--nocapture"]).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let line = output.split("[[").nth(1).and_then(|rest| rest.split("]]").next());
        line.unwrap_or_else(|| panic!("{output}")).to_owned()
    };
    assert_eq!(seen(&[("DOCKER_HOST", "tcp://h:1")]), "tcp://h:1");
    assert_eq!(seen(&[("DOCKER_HOST", "unix:///x")]), "unix:///x");
    assert!(seen(&[("DOCKER_HOST", "x")]).contains("DOCKER_HOST: \"x\" is no address"));
    assert!(seen(&[("DOCKER_CONTEXT", "x"), ("HOME", "/nowhere")]).contains("context \"x\""));
    let bad_version = [("DOCKER_HOST", "unix:///x"), ("DOCKER_API_VERSION", "new")];
    assert!(seen(&bad_version).contains("DOCKER_API_VERSION"));
}

const CHILD: &str = "DOCKNET_TEST_CHILD";

/// Only the test above makes use of this.
#[test]
fn tells_its_host() {
    if std::env::var_os(CHILD).is_some() {
        match Client::from_env() {
            Ok(client) => println!("[[{}]]", client.host()),
            Err(error) => println!("[[{error}]]"),
        }
    }
}
