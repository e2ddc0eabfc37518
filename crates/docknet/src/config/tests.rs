use std::collections::BTreeMap;
use std::fs;

use super::*;

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");

/// A directory of the docker CLI, gone at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("docknet-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn context(&self, id: &str, meta: &str) {
        self.write(&format!("contexts/meta/{id}/meta.json"), meta);
    }

    fn certificates(&self, path: &str, names: &[&str]) {
        for name in names {
            self.write(
                &format!("{path}/{name}"),
                fs::read(Path::new(CERTIFICATES).join(name)).unwrap(),
            );
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn env<const N: usize>(variables: [(&str, &str); N]) -> Environment {
    read(variables).unwrap()
}

fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Environment> {
    let variables = BTreeMap::from(variables);
    Environment::read(|name| variables.get(name).map(OsString::from), None)
}

fn target(wishes: Wishes, env: &Environment) -> Result<Target> {
    resolve(wishes, env, |_| false)
}

fn host(wishes: Wishes, env: &Environment) -> String {
    target(wishes, env).unwrap().host.to_string()
}

fn says(wishes: Wishes, env: &Environment, words: &[&str]) {
    let error = target(wishes, env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} is not in {error}");
    }
}

fn wish_context(name: &str) -> Wishes {
    Wishes { context: Some(name.to_owned()), ..Wishes::default() }
}

fn wish_host(host: &str) -> Wishes {
    Wishes { host: Some(host.to_owned()), ..Wishes::default() }
}

#[test]
fn the_first_that_says_something_wins() {
    let dir = Dir::new("order");
    for name in ["wish", "variable", "current"] {
        dir.context(
            name,
            &format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"tcp://{name}"}}}}}}"#),
        );
    }
    dir.write("config.json", r#"{"auths":{},"currentContext":"current"}"#);
    let config = dir.0.to_str().unwrap();
    let all = env([
        ("DOCKER_CONFIG", config),
        ("DOCKER_HOST", "tcp://host"),
        ("DOCKER_CONTEXT", "variable"),
    ]);
    let no_host =
        env([("DOCKER_CONFIG", config), ("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "variable")]);
    let only_config = env([("DOCKER_CONFIG", config)]);

    let both = Wishes { context: Some("wish".to_owned()), ..wish_host("tcp://wish-host") };
    assert_eq!(host(both, &all), "tcp://wish-host");
    assert_eq!(host(wish_context("wish"), &all), "tcp://wish");
    assert_eq!(host(Wishes::default(), &all), "tcp://host");
    assert_eq!(host(Wishes::default(), &no_host), "tcp://variable");
    assert_eq!(host(Wishes::default(), &only_config), "tcp://current");
    let here = Wishes { config_dir: Some(dir.0.clone()), ..Wishes::default() };
    assert_eq!(host(here, &env([("DOCKER_CONFIG", "/nowhere")])), "tcp://current");
    // No home, no settings.
    assert_eq!(host(Wishes::default(), &env([])), "unix:///var/run/docker.sock");

    // The context `default` is none.
    let default = "unix:///var/run/docker.sock";
    assert_eq!(host(wish_context("default"), &all), "tcp://host");
    assert_eq!(host(wish_context("default"), &no_host), default);
    let variable = env([("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "default")]);
    assert_eq!(host(Wishes::default(), &variable), default);
    dir.write("config.json", r#"{"currentContext":"default"}"#);
    assert_eq!(host(Wishes::default(), &only_config), default);
    dir.write("config.json", "{}");
    assert_eq!(host(Wishes::default(), &only_config), default);
}

#[test]
fn the_home_directory_is_where_settings_are() {
    let environment = Environment::read(|_| None, Some("/home/me".into())).unwrap();
    assert_eq!(environment.config_dir, Some("/home/me/.docker".into()));
    assert_eq!(Environment::read(|_| None, Some("".into())).unwrap().config_dir, None);
}

#[test]
fn the_first_usual_socket_that_is_there_is_the_default() {
    let environment = env([("XDG_RUNTIME_DIR", "/run/user/7")]);
    let mut there = vec![
        "/run/docknet.sock",
        "/run/user/7/docknet.sock",
        "/run/podman/podman.sock",
        "/run/user/7/podman/podman.sock",
        "/run/user/7/docker.sock",
        "/run/docker.sock",
        "/var/run/docker.sock",
    ];
    while let Some(first) = there.last() {
        let exists = |path: &Path| there.iter().any(|there| Path::new(there) == path);
        let target = resolve(Wishes::default(), &environment, exists).unwrap();
        assert_eq!(target.host.to_string(), format!("unix://{first}"));
        there.pop();
    }
    assert_eq!(host(Wishes::default(), &environment), "unix:///var/run/docker.sock");
}

#[test]
fn nothing_wrong_becomes_the_default() {
    let dir = Dir::new("wrong");
    let config = dir.0.to_str().unwrap();
    let environment = env([("DOCKER_CONFIG", config)]);
    says(wish_context("prod"), &environment, &["prod", "there is none", config]);

    dir.context("1", r#"{"Name":"one","Endpoints":{"docker":{"Host":"localhost:2375"}}}"#);
    dir.context("2", r#"{"Name":"two","Endpoints":{"kubernetes":{}}}"#);
    dir.context("3", r#"{"Name":"three","Endpoints":{"docker":{"Host":""}}}"#);
    dir.write("contexts/meta/stray", "a file");
    says(wish_context("prod"), &environment, &["prod", "one, three, two"]);
    says(wish_context("one"), &environment, &["context", "1/meta.json", "localhost:2375"]);
    says(wish_context("two"), &environment, &["two", "endpoint", "2/meta.json"]);
    says(wish_context("three"), &environment, &["three", "host", "3/meta.json"]);
    let variable = env([("DOCKER_CONFIG", config), ("DOCKER_CONTEXT", "prod")]);
    says(Wishes::default(), &variable, &["DOCKER_CONTEXT", "prod"]);

    dir.context("4", "{");
    says(wish_context("prod"), &environment, &["prod", "4/meta.json"]);
    let fine = "tcp://fine";
    dir.context("5", &format!(r#"{{"Name":"fine","Endpoints":{{"docker":{{"Host":"{fine}"}}}}}}"#));
    assert_eq!(host(wish_context("fine"), &environment), fine);

    dir.write("config.json", r#"{"currentContext":"prod"}"#);
    says(Wishes::default(), &environment, &["currentContext", "config.json", "prod"]);
    dir.write("config.json", r#"{"currentContext":7}"#);
    says(Wishes::default(), &environment, &["config.json"]);
    dir.write("config.json", "");
    says(Wishes::default(), &environment, &["config.json"]);
    fs::remove_file(dir.0.join("config.json")).unwrap();
    fs::create_dir(dir.0.join("config.json")).unwrap();
    says(Wishes::default(), &environment, &["cannot read", "config.json"]);

    says(
        Wishes::default(),
        &env([("DOCKER_HOST", "/run/x.sock")]),
        &["DOCKER_HOST", "/run/x.sock"],
    );
    says(wish_context("prod"), &env([]), &["prod", "DOCKER_CONFIG"]);
}

#[test]
fn variables_are_read_strictly() {
    let version = |text| read([("DOCKER_API_VERSION", text)]).unwrap().api_version();
    assert_eq!(version("1.44").unwrap(), Some(ApiVersion::new(1, 44)));
    assert_eq!(version("").unwrap(), None);
    let error = version("latest").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("DOCKER_API_VERSION") && error.to_string().contains("latest")
    );
}

#[cfg(unix)]
#[test]
fn variables_that_are_no_text_are_named() {
    use std::os::unix::ffi::OsStringExt;

    let broken = |_: &str| Some(OsString::from_vec(b"tcp://\xff".to_vec()));
    let error = Environment::read(broken, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("DOCKER_HOST"), "{error}");
}

/// How a target uses TLS: with verification or without, or not.
fn tls(wishes: Wishes, env: &Environment) -> Option<(bool, String)> {
    let tls = target(wishes, env).unwrap().tls?;
    Some((tls.verifies(), format!("{tls:?}")))
}

const FULL: &str = "TlsOptions { ca: true, identity: true, verify: true }";
const EMPTY: &str = "TlsOptions { ca: false, identity: false, verify: true }";

#[test]
fn the_environment_asks_for_tls() {
    let dir = Dir::new("tls");
    dir.certificates("certs", &["ca.pem", "cert.pem", "key.pem"]);
    dir.certificates("config", &["ca.pem"]);
    let certs = dir.0.join("certs");
    let config = dir.0.join("config");
    let (certs, config) = (certs.to_str().unwrap(), config.to_str().unwrap());
    let tcp = || wish_host("tcp://h");

    let verify = env([("DOCKER_TLS_VERIFY", "0"), ("DOCKER_CERT_PATH", certs)]);
    assert_eq!(tls(tcp(), &verify), Some((true, FULL.to_owned())));
    let both = env([("DOCKER_TLS", "1"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", certs)]);
    assert_eq!(tls(tcp(), &both), Some((true, FULL.to_owned())));
    let unverified = env([("DOCKER_TLS", "1"), ("DOCKER_CERT_PATH", certs)]);
    assert_eq!(
        tls(tcp(), &unverified),
        Some((false, FULL.replace("verify: true", "verify: false")))
    );
    let only_path = env([("DOCKER_TLS_VERIFY", ""), ("DOCKER_CERT_PATH", certs)]);
    assert_eq!(tls(tcp(), &only_path), None);
    let in_config = env([("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CONFIG", config)]);
    assert_eq!(
        tls(tcp(), &in_config),
        Some((true, FULL.replace("identity: true", "identity: false")))
    );
    let nothing_there = env([("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CONFIG", "/nowhere")]);
    assert_eq!(tls(tcp(), &nothing_there), Some((true, EMPTY.to_owned())));
    says(
        tcp(),
        &env([("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/nowhere")]),
        &["DOCKER_CERT_PATH", "/nowhere"],
    );

    // The others know by themselves.
    for host in ["http://h", "unix:///h", "ssh://h"] {
        assert_eq!(tls(wish_host(host), &verify), None);
        let wishes = Wishes { tls: Some(TlsOptions::new()), ..wish_host(host) };
        says(wishes, &env([]), &[host, "TLS"]);
    }
    assert_eq!(tls(wish_host("https://h"), &env([])), Some((true, EMPTY.to_owned())));
    assert_eq!(tls(wish_host("https://h"), &unverified), Some((true, FULL.to_owned())));
    assert_eq!(tls(wish_host("https://h"), &only_path), Some((true, FULL.to_owned())));

    // The program's own word comes first.
    let wishes = Wishes { tls: Some(TlsOptions::new()), ..tcp() };
    assert_eq!(tls(wishes, &verify), Some((true, EMPTY.to_owned())));
}

#[test]
fn a_context_brings_its_own_certificates() {
    let dir = Dir::new("context-tls");
    let context = |id: &str, host: &str, skip: bool| {
        dir.context(id, &format!(
            r#"{{"Name":"{id}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":{skip}}}}}}}"#
        ));
    };
    context("full", "tcp://h", false);
    dir.certificates("contexts/tls/full/docker", &["ca.pem", "cert.pem", "key.pem"]);
    context("plain", "tcp://h", false);
    context("skip", "tcp://h", true);
    context("https", "https://h", false);
    context("broken", "tcp://h", false);
    dir.certificates("contexts/tls/broken/docker", &["ca.pem", "cert.pem"]);
    context("empty", "tcp://h", false);
    dir.certificates("contexts/tls/empty/docker", &[]);
    context("ssh", "ssh://h", false);
    fs::create_dir_all(dir.0.join("contexts/tls/empty/docker")).unwrap();

    let environment = env([
        ("DOCKER_CONFIG", dir.0.to_str().unwrap()),
        ("DOCKER_TLS", "1"),
        ("DOCKER_TLS_VERIFY", "1"),
        ("DOCKER_CERT_PATH", CERTIFICATES),
    ]);
    let of = |name| tls(wish_context(name), &environment);
    assert_eq!(of("full"), Some((true, FULL.to_owned())));
    assert_eq!(of("plain"), None);
    assert_eq!(of("empty"), None);
    assert_eq!(of("ssh"), None);
    assert_eq!(of("skip"), Some((false, EMPTY.replace("verify: true", "verify: false"))));
    assert_eq!(of("https"), Some((true, EMPTY.to_owned())));
    says(wish_context("broken"), &environment, &["cert.pem", "key.pem"]);
    let wishes = Wishes { tls: Some(TlsOptions::new()), ..wish_context("full") };
    assert_eq!(tls(wishes, &environment), Some((true, EMPTY.to_owned())));
}
