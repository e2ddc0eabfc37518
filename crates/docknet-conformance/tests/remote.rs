//! An engine of another machine, over TLS and over SSH: a real dockerd and a real sshd.
//!
//! They come from `cargo xtask engines up docker28`, and `cargo xtask engines env` says where they are. They listen in a
//! network namespace of their own:
//!
//! ```sh
//! eval "$(cargo xtask engines env)"
//! nsenter --net="$DOCKNET_NETNS" cargo test -p docknet-conformance --test remote
//! ```
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use docknet::{Client, ClientBuilder, Error, ErrorKind, TlsOptions};

mod tls {
    use super::*;

    #[tokio::test]
    async fn by_the_builder() {
        let options = || {
            let [ca, certificate, key] = ["ca.pem", "cert.pem", "key.pem"].map(pem);
            TlsOptions::new().ca(ca).identity(certificate, key)
        };
        lists(&by_tls(options())).await;
        lists(&by_tls(TlsOptions::from_dir(tls_dir()).unwrap())).await;
        let https = variable("DOCKNET_TLS_HOST").replace("tcp://", "https://");
        let client = Client::builder().host(https).tls(options()).build().unwrap();
        lists(&client).await;
        let named = variable("DOCKNET_TLS_HOST").replace("127.0.0.1", "localhost");
        lists(&Client::builder().host(named).tls(options()).build().unwrap()).await;
    }

    #[test]
    fn by_the_environment() {
        let (host, dir) = (variable("DOCKNET_TLS_HOST"), variable("DOCKNET_TLS_DIR"));
        let common = [("DOCKER_HOST", &*host), ("DOCKER_CERT_PATH", &*dir)];
        assert_eq!(elsewhere(common, [("DOCKER_TLS_VERIFY", "1")]), "found bridge");
        assert_eq!(elsewhere(common, [("DOCKER_TLS", "1")]), "found bridge");
        // Without either it is plain HTTP, as with the docker CLI.
        let plain = elsewhere(common, []);
        assert!(plain.contains("this port is for TLS"), "{plain}");
    }

    #[test]
    fn by_a_context_of_the_docker_cli() {
        let dir = Dir::new("context");
        let config = dir.0.to_str().unwrap();
        let endpoint = {
            let (host, tls) = (variable("DOCKNET_TLS_HOST"), variable("DOCKNET_TLS_DIR"));
            format!("host={host},ca={tls}/ca.pem,cert={tls}/cert.pem,key={tls}/key.pem")
        };
        docker(config, &["context", "create", "far-away", "--docker", &endpoint]);
        let common = [("DOCKER_CONFIG", config)];
        assert_eq!(elsewhere(common, [("DOCKER_CONTEXT", "far-away")]), "found bridge");
        docker(config, &["context", "use", "far-away"]);
        assert_eq!(elsewhere(common, []), "found bridge");
        let unknown = elsewhere(common, [("DOCKER_CONTEXT", "far")]);
        assert!(unknown.contains("there is no context \"far\""), "{unknown}");
    }

    #[tokio::test]
    async fn another_ca_is_refused() {
        let [ca, certificate, key] = ["other-ca.pem", "cert.pem", "key.pem"].map(pem);
        let options = TlsOptions::new().ca(ca).identity(certificate, key);
        refuses(&by_tls(options.clone()), ErrorKind::Connect, "not trusted").await;
        lists(&by_tls(options.without_verification())).await;
    }

    #[tokio::test]
    async fn another_name_is_refused() {
        let host = variable("DOCKNET_TLS_HOST").replace("127.0.0.1", "127.0.0.2");
        let proxy = Proxy::start("127.0.0.2", &variable("DOCKNET_TLS_HOST")).await;
        let host = host.replace(":2376", &format!(":{}", proxy.0));
        let options = TlsOptions::from_dir(tls_dir()).unwrap();
        let client = Client::builder().host(&host).tls(options.clone()).build().unwrap();
        refuses(&client, ErrorKind::Connect, "not for 127.0.0.2").await;
        let options = options.without_verification();
        lists(&Client::builder().host(&host).tls(options).build().unwrap()).await;
    }

    /// The refusal comes after our part of the handshake, on the way of the answer. It must arrive each time.
    #[tokio::test]
    async fn a_client_that_is_not_known_is_told() {
        let [ca, certificate, key] = ["ca.pem", "other-cert.pem", "other-key.pem"].map(pem);
        let none = TlsOptions::new().ca(ca);
        for _ in 0..20 {
            refuses(&by_tls(none.clone()), ErrorKind::Connect, "wants a certificate").await;
            let other = none.clone().identity(certificate.clone(), key.clone());
            refuses(&by_tls(other), ErrorKind::Connect, "refused the certificate").await;
        }
    }

    #[tokio::test]
    async fn plain_http_is_told_to_use_tls() {
        let client = Client::connect(&variable("DOCKNET_TLS_HOST").replace("tcp:", "http:"));
        refuses(&client.unwrap(), ErrorKind::Config, "this port is for TLS").await;
    }

    fn by_tls(options: TlsOptions) -> Client {
        Client::builder().host(variable("DOCKNET_TLS_HOST")).tls(options).build().unwrap()
    }

    fn tls_dir() -> PathBuf {
        variable("DOCKNET_TLS_DIR").into()
    }

    fn pem(name: &str) -> Vec<u8> {
        fs::read(tls_dir().join(name)).unwrap()
    }

    fn docker(config: &str, arguments: &[&str]) {
        let mut command = Command::new("docker");
        let output = command.args(["--config", config]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// Another address of the same engine: it copies bytes.
    struct Proxy(u16);

    impl Proxy {
        async fn start(address: &str, to: &str) -> Self {
            let listener = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let to = to.strip_prefix("tcp://").unwrap().to_owned();
            tokio::spawn(async move {
                loop {
                    let (mut near, _) = listener.accept().await.unwrap();
                    let mut far = tokio::net::TcpStream::connect(&to).await.unwrap();
                    tokio::spawn(async move {
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    });
                }
            });
            Self(port)
        }
    }
}

mod ssh {
    use super::*;

    #[tokio::test]
    async fn calls_share_a_connection() {
        let config = Config::new("shared");
        let client = config.client();
        for _ in 0..20 {
            lists(&client).await;
        }
        assert_eq!((config.connections(), config.processes().len()), (1, 1));

        drop(client);
        config.ends().await;
    }

    #[tokio::test]
    async fn calls_at_the_same_time_have_connections_of_their_own() {
        let config = Config::new("concurrent");
        let client = config.builder().max_connections(4).build().unwrap();
        let calls = (0..20).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { lists(&client).await })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        assert!((2..=4).contains(&config.connections()), "{}", config.connections());
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_no_process() {
        let config = Config::new("dropped");
        let client = config.client();
        let call = tokio::time::timeout(Duration::from_millis(30), client.ping()).await;
        assert!(call.is_err(), "{call:?}");
        config.ends().await;
        lists(&client).await;
    }

    #[tokio::test]
    async fn a_connection_whose_process_died_is_replaced() {
        let config = Config::new("died");
        let client = config.client();
        lists(&client).await;
        for process in config.processes() {
            let killed = Command::new("kill").arg(process.to_string()).status().unwrap();
            assert!(killed.success());
        }
        while !config.processes().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lists(&client).await;
        assert_eq!(config.connections(), 2);
    }

    #[tokio::test]
    async fn events_come_through() {
        let config = Config::new("events");
        let client = config.client();
        let mut watch = client.networks().watch();
        watch.next().await.unwrap().unwrap();
        let name = format!("docknet-remote-{}", std::process::id());
        let network = client.networks().create(name.as_str()).await.unwrap();
        let change = tokio::time::timeout(Duration::from_secs(30), watch.next()).await;
        network.remove().await.unwrap();
        assert!(matches!(change, Ok(Some(Ok(_)))), "{change:?}");
    }

    #[tokio::test]
    async fn a_socket_can_be_named() {
        let config = Config::new("socket");
        let at = |path: &str| {
            let host = format!("{}{path}", variable("DOCKNET_SSH_HOST"));
            config.builder().host(host).build().unwrap()
        };
        lists(&at("/var/run/docker.sock")).await;
        refuses(&at("/nowhere/$(id)'.sock"), ErrorKind::Connect, "/nowhere/$(id)'.sock").await;
    }

    #[tokio::test]
    async fn the_words_of_ssh_are_passed_on() {
        let config = Config::new("words");
        let unknown = config.builder().host("ssh://no-such-host.invalid").build().unwrap();
        refuses(&unknown, ErrorKind::Connect, "Could not resolve hostname").await;

        let nobody = config.builder().host("ssh://127.0.0.1:1").build().unwrap();
        refuses(&nobody, ErrorKind::Connect, "Connection refused").await;

        let missing = config.builder().ssh_config("/nowhere/ssh_config").build().unwrap();
        refuses(&missing, ErrorKind::Connect, "/nowhere/ssh_config").await;
    }

    #[tokio::test]
    async fn another_key_is_refused() {
        let dir = Dir::new("keys");
        let key = dir.0.join("key");
        let mut command = Command::new("ssh-keygen");
        let made = command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let config = Config::replaced("key", "IdentityFile", key.to_str().unwrap());
        refuses(&config.client(), ErrorKind::Connect, "Permission denied").await;
    }

    /// It would be a question at a terminal; a library asks none.
    #[tokio::test]
    async fn an_unknown_host_key_is_refused() {
        let config = Config::replaced("host-key", "UserKnownHostsFile", "/dev/null");
        refuses(&config.client(), ErrorKind::Connect, "Host key verification failed").await;
    }

    #[tokio::test]
    async fn a_machine_without_docker_says_so() {
        let config = Config::new("no-docker");
        let script = r##"
            printf '#!/bin/sh\nPATH=/nowhere exec /bin/sh "$@"\n' > /tmp/without-docker
            chmod +x /tmp/without-docker
            grep -q ^without-docker: /etc/passwd || echo without-docker:x:0:0::/:/tmp/without-docker >> /etc/passwd
        "##;
        let target = variable("DOCKNET_SSH_HOST").replace("ssh://", "");
        let mut command = Command::new("ssh");
        let made = command.arg("-F").arg(&config.file).arg(target).arg(script).status();
        assert!(made.unwrap().success());
        let host = variable("DOCKNET_SSH_HOST").replace("ssh://", "ssh://without-docker@");
        let client = config.builder().host(host).build().unwrap();
        refuses(&client, ErrorKind::Connect, "docker: not found").await;
    }

    /// Settings for `ssh` that are the lab's and also count connections.
    struct Config {
        dir: Dir,
        file: PathBuf,
    }

    impl Config {
        fn new(name: &str) -> Self {
            let dir = Dir::new(name);
            let log = dir.0.join("connections");
            let lab = fs::read_to_string(variable("DOCKNET_SSH_CONFIG")).unwrap();
            let text = format!(
                "PermitLocalCommand yes\nLocalCommand echo connected >> {}\n{lab}",
                log.display()
            );
            let file = dir.0.join("config");
            fs::write(&file, text).unwrap();
            Self { dir, file }
        }

        /// The first value of a setting counts.
        fn replaced(name: &str, setting: &str, value: &str) -> Self {
            let config = Self::new(name);
            let text = fs::read_to_string(&config.file).unwrap();
            let lines = text.lines().filter(|line| !line.trim().starts_with(setting));
            let lines = lines.collect::<Vec<_>>().join("\n");
            fs::write(&config.file, format!("{setting} {value}\n{lines}\n")).unwrap();
            config
        }

        fn builder(&self) -> ClientBuilder {
            let host = variable("DOCKNET_SSH_HOST");
            Client::builder().host(host).ssh_config(&self.file).timeout(Duration::from_secs(60))
        }

        fn client(&self) -> Client {
            self.builder().build().unwrap()
        }

        /// How many times `ssh` logged in.
        fn connections(&self) -> usize {
            fs::read_to_string(self.dir.0.join("connections")).map_or(0, |log| log.lines().count())
        }

        /// Each `ssh` that runs with these settings.
        fn processes(&self) -> Vec<u32> {
            let ours = |arguments: &str| arguments.contains(self.file.to_str().unwrap());
            let running = children().into_iter().filter(|(_, arguments)| ours(arguments));
            running.map(|(id, _)| id).collect()
        }

        /// Waits until all of them have ended, and until somebody has waited for each.
        async fn ends(&self) {
            let unattended = || children().iter().any(|(_, arguments)| arguments.is_empty());
            for _ in 0..500 {
                if self.processes().is_empty() && !unattended() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("left over: {:?}", children());
        }
    }

    /// The children of this process that are `ssh`, with their arguments; those that ended have none.
    fn children() -> Vec<(u32, String)> {
        let of_us = |id: u32| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = |name: &str| {
                status
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(|value| value.trim().to_owned())
            };
            let ours = line("PPid:")? == std::process::id().to_string() && line("Name:")? == "ssh";
            let arguments = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
            ours.then_some((id, arguments))
        };
        let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter_map(|name| of_us(name.to_str()?.parse().ok()?)).collect()
    }
}

async fn lists(client: &Client) {
    let networks = client.networks().list().await.unwrap();
    assert!(networks.iter().any(|network| network.name() == "bridge"), "{networks:?}");
}

async fn refuses(client: &Client, kind: ErrorKind, words: &str) {
    let error = client.networks().list().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{words:?} is not in: {error}");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see the top of this file"))
}

/// What a client by the environment finds, in a process with this environment.
fn elsewhere<const N: usize, const M: usize>(
    common: [(&str, &str); N],
    more: [(&str, &str); M],
) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env(CHILD, "1").envs(common).envs(more);
    let output = command.args(["--exact", "finds", "--nocapture"]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let line = output.split("[[").nth(1).and_then(|rest| rest.split("]]").next());
    line.unwrap_or_else(|| panic!("{output}")).to_owned()
}

const CHILD: &str = "DOCKNET_TEST_CHILD";

/// Only the above makes use of this.
#[tokio::test]
async fn finds() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let find = async || Ok::<_, Error>(Client::from_env()?.networks().get("bridge").await?);
    match find().await {
        Ok(network) => println!("[[found {}]]", network.name()),
        Err(error) => println!("[[{error}]]"),
    }
}

/// A directory, gone at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("docknet-remote-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
