//! Containers of images: programs over an image's own files. The images are made of a few of this machine's programs.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::Command;

use bytes::Bytes;
use docknet::{Client, ExecOutput};
use docknet_engine::Engine;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::lab::{Lab, StateDir, logs, next_engine};

pub(crate) type Archive = Builder<Vec<u8>>;

/// These programs, and what they are linked with.
pub(crate) fn tree(programs: &[&str]) -> Archive {
    let mut archive = Builder::new(Vec::new());
    let mut there = BTreeSet::new();
    for program in programs {
        let path = format!("/usr/bin/{program}");
        let linked = Command::new("ldd").arg(&path).output().unwrap();
        let linked = String::from_utf8(linked.stdout).unwrap();
        let libraries = linked.split_whitespace().filter(|word| word.starts_with('/'));
        for file in libraries.map(str::to_owned).chain([path.clone()]) {
            if there.insert(file.clone()) {
                let mut bytes = fs::File::open(&file).unwrap();
                archive.append_file(file.trim_start_matches('/'), &mut bytes).unwrap();
            }
        }
    }
    link(&mut archive, "bin", "usr/bin");
    file(&mut archive, "etc/passwd", "app:x:1000:1001::/home/app:/bin/sh\n");
    file(&mut archive, "etc/group", "wheel:x:7:app\n");
    archive
}

fn header(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size as u64);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn file(archive: &mut Archive, name: &str, text: impl AsRef<[u8]>) {
    let mut header = header(EntryType::Regular, text.as_ref().len());
    archive.append_data(&mut header, name, text.as_ref()).unwrap();
}

fn link(archive: &mut Archive, name: &str, to: &str) {
    archive.append_link(&mut header(EntryType::Symlink, 0), name, to).unwrap();
}

fn done(archive: Archive) -> Vec<u8> {
    archive.into_inner().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `docker save` writes it.
fn saved(name: &str, settings: &Value, layers: &[Vec<u8>]) -> Vec<u8> {
    let digests = layers.iter().map(|layer| format!("sha256:{}", digest(layer)));
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": settings,
        "rootfs": { "type": "layers", "diff_ids": digests.collect::<Vec<_>>() },
    });
    let config = config.to_string();
    let mut archive = Builder::new(Vec::new());
    let mut names = Vec::new();
    for layer in layers {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(layer).unwrap();
        names.push(format!("blobs/sha256/{}", digest(layer)));
        file(&mut archive, names.last().unwrap(), packed.finish().unwrap());
    }
    let config_name = format!("blobs/sha256/{}", digest(config.as_bytes()));
    file(&mut archive, &config_name, config);
    let manifest = json!([{ "Config": config_name, "RepoTags": [name], "Layers": names }]);
    file(&mut archive, "manifest.json", manifest.to_string());
    done(archive)
}

async fn post(client: &Client, path: &str, body: impl Into<Bytes>) -> (u16, String) {
    let answer = client.send(Request::post(path).body(body.into()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect(1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) async fn import(client: &Client, name: &str, archive: Archive) {
    let (status, said) =
        post(client, &format!("/images/create?fromSrc=-&repo={name}"), done(archive)).await;
    assert_eq!(status, 200, "{said}");
}

/// A container of an image, with this configuration, and what its program said and ended with.
pub(crate) async fn run(client: &Client, name: &str, config: Value) -> (String, i64) {
    start(client, name, config).await;
    end(client, name).await
}

async fn start(client: &Client, name: &str, config: Value) {
    let (status, said) =
        post(client, &format!("/containers/create?name={name}"), config.to_string()).await;
    assert_eq!(status, 201, "{said}");
    let (status, said) = post(client, &format!("/containers/{name}/start"), "").await;
    assert_eq!(status, 204, "{said}");
}

async fn end(client: &Client, name: &str) -> (String, i64) {
    let (_, ended) = post(client, &format!("/containers/{name}/wait"), "").await;
    let ended: Value = serde_json::from_str(&ended).unwrap();
    (logs(client, name).await, ended["StatusCode"].as_i64().unwrap())
}

pub(crate) fn shell(image: &str, line: &str) -> Value {
    json!({ "Image": image, "Cmd": ["sh", "-c", line], "HostConfig": { "NetworkMode": "none" } })
}

async fn exec(client: &Client, name: &str, line: &str) -> ExecOutput {
    client.containers().get(name).await.unwrap().exec(["sh", "-c", line]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sees_its_image_and_nothing_of_the_hosts() {
    let lab = Lab::new().await;
    import(&lab.client, "tools", tree(&["sh", "ls", "cat"])).await;
    let host = tempfile::tempdir().unwrap();
    let mark = host.path().join("mark");
    fs::write(&mark, "the host's").unwrap();
    // Open for whoever is started, as a careless parent leaves it.
    let left = fs::File::open(&mark).unwrap();
    rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).unwrap();
    let line = format!(
        "echo in $PWD; ls /; cat {mark}; cat /proc/1/root{mark}; ls /proc/self/fd; cat /proc/kcore; \
         echo 1 > /proc/sys/kernel/panic; exit 3",
        mark = mark.display()
    );
    let (said, code) = run(&lab.client, "one", shell("tools", &line)).await;
    assert_eq!(code, 3, "{said}");
    assert!(said.starts_with("in /\nbin\ndev\netc\nlib"), "{said}");
    assert!(!said.contains("the host's"), "{said}");
    // The three streams, and the directory that is being listed.
    assert!(said.contains("\n0\n1\n2\n3\n") && !said.contains("\n4\n"), "{said}");
    assert!(said.contains("/proc/sys/kernel/panic: Read-only file system"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_says_how_it_is_run() {
    // As its unit for systemd has it: what is made for a container is not for root alone, all the same.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let lab = Lab::new().await;
    let settings = json!({
        "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo $0 $GREETING; id -u; id -G; echo $HOME; cd ../it && pwd"],
        "Env": ["GREETING=hello", "PATH=/bin"], "User": "app", "WorkingDir": "/made/for/it",
        "Labels": { "by": "image" }, "ExposedPorts": { "80/tcp": {} },
    });
    let archive = saved("app:1", &settings, &[done(tree(&["sh", "id"]))]);
    let (_, said) = post(&lab.client, "/images/load", archive).await;
    assert!(said.contains("Loaded image: app:1"), "{said}");
    let config = json!({ "Image": "app:1", "HostConfig": { "NetworkMode": "none" } });
    let (said, code) = run(&lab.client, "one", config).await;
    assert_eq!(
        (said.as_str(), code),
        ("/bin/sh hello\n1000\n1001 7\n/home/app\n/made/for/it\n", 0)
    );
    let shown = lab.client.containers().get("one").await.unwrap();
    assert_eq!(shown.attrs()["Config"]["Labels"], json!({ "by": "image" }));
    assert_eq!(shown.attrs()["Config"]["ExposedPorts"], json!({ "80/tcp": {} }));
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_lie_over_each_other() {
    let lab = Lab::new().await;
    let mut lowest = tree(&["sh", "ls", "cat"]);
    for name in ["etc/gone", "etc/changed", "old/a", "old/deep/b", "data/file", "stays"] {
        file(&mut lowest, name, "lowest");
    }
    link(&mut lowest, "run", "/data");
    let mut upper = Builder::new(Vec::new());
    file(&mut upper, "etc/.wh.gone", "");
    file(&mut upper, "etc/changed", "upper");
    file(&mut upper, "old/new", "upper");
    file(&mut upper, "old/.wh..wh..opq", "");
    // A link with a slash leads to where it does in a container, and not on the host.
    file(&mut upper, "run/through", "upper");
    // A directory in the place of a file.
    let mut directory = header(EntryType::Directory, 0);
    directory.set_mode(0o755);
    upper.append_data(&mut directory, "stays", &[][..]).unwrap();
    file(&mut upper, "stays/no/more", "upper");
    let hard = &mut header(EntryType::Link, 0);
    upper.append_link(hard, "etc/same", "etc/changed").unwrap();
    let archive = saved("layered", &json!({}), &[done(lowest), done(upper)]);
    let (_, said) = post(&lab.client, "/images/load", archive).await;
    assert!(said.contains("Loaded image: layered"), "{said}");
    let line = "ls /etc /old /data /stays; cat /etc/changed /etc/same";
    let (said, code) = run(&lab.client, "one", shell("layered", line)).await;
    assert_eq!(
        (said.as_str(), code),
        (
            "/data:\nfile\nthrough\n\n/etc:\nchanged\ngroup\nhostname\nhosts\npasswd\nresolv.conf\nsame\n\n\
             /old:\nnew\n\n/stays:\nno\nupperupper",
            0
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_changes_nothing() {
    let state = StateDir::new();
    let engine = Engine::kernel().isolated().state(state.path()).start().await.unwrap();
    let client = engine.client();
    let outside = state.path().join("outside");
    let mut escaping = Builder::new(Vec::new());
    link(&mut escaping, "out", state.path().to_str().unwrap());
    file(&mut escaping, "out/outside", "caught");
    let images = state.path().join("images");
    // It goes nowhere but into the image.
    let (status, said) = post(&client, "/images/create?fromSrc=-", done(escaping)).await;
    assert_eq!(status, 500, "{said}");
    assert!(!outside.exists());
    let mut wrong = saved("wrong", &json!({}), &[done(tree(&["sh"]))]);
    let at = wrong.windows(10).position(|text| text == b"diff_ids\":").unwrap();
    wrong[at + 20] = if wrong[at + 20] == b'0' { b'1' } else { b'0' };
    for (body, why) in [
        (wrong, "and should be sha256:"),
        (b"(\xb5\x2f\xfd, and so on".to_vec(), "compressed with zstd"),
        (b"no archive".to_vec(), "failed to read entire block"),
        (done(tree(&["sh"])), "manifest.json: no such file or directory"),
    ] {
        let (status, said) = post(&client, "/images/load", body).await;
        assert!(status == 200 && said.contains("errorDetail") && said.contains(why), "{said}");
    }
    assert_eq!(fs::read_dir(&images).unwrap().count(), 0);
    let names =
        client.send(Request::get("/images/json").body(Bytes::new()).unwrap()).await.unwrap();
    let names: Value =
        serde_json::from_slice(&names.into_body().collect(1 << 20).await.unwrap()).unwrap();
    assert_eq!(names.as_array().unwrap().len(), 1, "{names}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_changes_is_its_own_until_it_is_removed() {
    let state = StateDir::new();
    let open = async || next_engine(|| Engine::kernel().isolated().state(state.path())).await;
    let engine = open().await;
    let client = engine.client();
    import(&client, "tools", tree(&["sh", "sleep", "cat", "rm"])).await;
    start(&client, "one", shell("tools", "sleep 600")).await;
    start(&client, "two", shell("tools", "sleep 600")).await;
    let made = exec(&client, "one", "echo one > /made; rm /etc/group").await;
    assert!(made.success(), "{made:?}");
    assert!(!exec(&client, "two", "cat /made").await.success());
    assert!(exec(&client, "two", "cat /etc/group").await.success());
    drop((client, engine));

    let engine = open().await;
    let client = engine.client();
    let one = client.containers().get("one").await.unwrap();
    one.start().await.unwrap();
    assert_eq!(exec(&client, "one", "cat /made").await.stdout_text(), "one\n");
    assert!(!exec(&client, "one", "cat /etc/group").await.success());
    let containers = state.path().join("containers");
    assert_eq!(fs::read_dir(&containers).unwrap().count(), 2);
    for name in ["one", "two"] {
        client.containers().get(name).await.unwrap().remove().await.unwrap();
    }
    assert_eq!(fs::read_dir(&containers).unwrap().count(), 0);
    let gone = client.send(Request::delete("/images/tools").body(Bytes::new()).unwrap()).await;
    assert_eq!(gone.unwrap().status(), 200);
    assert_eq!(fs::read_dir(state.path().join("images")).unwrap().count(), 0);
}

/// What runs a script is looked for before the marks take effect that close files.
#[tokio::test(flavor = "multi_thread")]
async fn no_program_comes_by_way_of_the_engines_files() {
    let lab = Lab::new().await;
    // As the engine may have it open, and as whoever starts an engine may.
    let (marked, left) = (fs::File::open("/").unwrap(), fs::File::open("/").unwrap());
    rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).unwrap();
    // The host has it, and the image has not.
    let mut image = tree(&["sh", "sleep"]);
    for file in [&marked, &left] {
        let number = file.as_raw_fd();
        let text = format!("#!/proc/self/fd/{number}/usr/bin/true\n");
        let mut header = header(EntryType::Regular, text.len());
        header.set_mode(0o755);
        image.append_data(&mut header, format!("by{number}"), text.as_bytes()).unwrap();
    }
    import(&lab.client, "tools", image).await;
    start(&lab.client, "runs", shell("tools", "sleep 600")).await;
    let runs = lab.client.containers().get("runs").await.unwrap();
    for file in [&marked, &left] {
        let number = file.as_raw_fd();
        let beside = runs.exec([format!("/by{number}")]).await;
        assert!(!beside.as_ref().is_ok_and(|beside| beside.success()), "{beside:?}");
        let config = json!({ "Image": "tools", "Cmd": [format!("/by{number}")], "HostConfig": { "NetworkMode": "none" } });
        let name = format!("by{number}");
        let (status, _) =
            post(&lab.client, &format!("/containers/create?name={name}"), config.to_string()).await;
        assert_eq!(status, 201);
        let (status, said) = post(&lab.client, &format!("/containers/{name}/start"), "").await;
        assert!(status >= 400 && said.contains("no such file or directory"), "{status} {said}");
    }
    // Nor is a directory of the engine's one to work in.
    let mut config = shell("tools", "true");
    config["WorkingDir"] = json!("/proc/self/fd/3");
    let (status, _) = post(&lab.client, "/containers/create?name=in", config.to_string()).await;
    assert_eq!(status, 201);
    let (status, said) = post(&lab.client, "/containers/in/start", "").await;
    assert!(status >= 400, "{said}");
}

/// Files that somebody is to be looked up in may be anything.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_users_that_never_end_are_not_read() {
    let lab = Lab::new().await;
    for (name, kind) in [("fifo", EntryType::Fifo), ("endless", EntryType::Symlink)] {
        let mut image = tree(&["sh", "true"]);
        // The later one takes the place of the first.
        match kind {
            EntryType::Fifo => {
                image.append_data(&mut header(kind, 0), "etc/passwd", &[][..]).unwrap();
            }
            _ => link(&mut image, "etc/passwd", "/dev/zero"),
        }
        import(&lab.client, name, image).await;
        let (said, code) = run(&lab.client, name, shell(name, "true")).await;
        assert_eq!((said.as_str(), code), ("", 0));
        let mut config = shell(name, "true");
        config["User"] = json!("app");
        let (status, said) =
            post(&lab.client, &format!("/containers/create?name={name}2"), config.to_string())
                .await;
        assert_eq!(status, 201, "{said}");
        let (status, said) = post(&lab.client, &format!("/containers/{name}2/start"), "").await;
        assert!(status >= 400 && said.contains("unable to find user app"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_of_an_image_that_cannot_be_is_refused() {
    let lab = Lab::new().await;
    let settings = json!({ "Cmd": ["true"], "Volumes": { "data": {} } });
    let archive = saved("odd:1", &settings, &[done(tree(&["true"]))]);
    post(&lab.client, "/images/load", archive).await;
    let config = json!({ "Image": "odd:1", "HostConfig": { "Binds": ["/tmp:/seen"] } });
    let (status, said) = post(&lab.client, "/containers/create?name=one", config.to_string()).await;
    assert!(status == 400 && said.contains("data"), "{status} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_refused_what_containers_have_no_use_for() {
    let lab = Lab::new().await;
    import(&lab.client, "tools", tree(&["sh", "grep", "unshare", "sleep", "true"])).await;
    let line = "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; unshare -U true && echo left";
    let config = |options: Value, privileged: bool| {
        let mut config = shell("tools", line);
        config["HostConfig"]["SecurityOpt"] = options;
        config["HostConfig"]["Privileged"] = json!(privileged);
        config
    };
    let refused = "unshare: unshare failed: Operation not permitted";
    for (name, config, filtered, kept) in [
        ("usual", config(json!([]), false), true, 0),
        ("kept", config(json!(["no-new-privileges"]), false), true, 1),
        ("open", config(json!(["seccomp=unconfined"]), false), false, 0),
        ("privileged", config(json!([]), true), false, 0),
    ] {
        let (said, _) = run(&lab.client, name, config).await;
        let (mode, may) = if filtered { (2, refused) } else { (0, "left") };
        for part in [format!("NoNewPrivs:\t{kept}"), format!("Seccomp:\t{mode}"), may.to_owned()] {
            assert!(said.contains(&part), "{name}: {part} is not in {said}");
        }
    }
    // A user without root's powers, and a command beside the program.
    let mut config = shell("tools", "sleep 600");
    config["User"] = json!("app");
    start(&lab.client, "runs", config).await;
    let beside = exec(&lab.client, "runs", line).await;
    assert!(beside.stdout_text().contains("Seccomp:\t2"), "{beside:?}");
    assert!(beside.stderr_text().contains(refused), "{beside:?}");
    let mut config = shell("tools", line);
    config["HostConfig"]["SecurityOpt"] = json!(["seccomp={}"]);
    let (status, said) = post(&lab.client, "/containers/create?name=own", config.to_string()).await;
    assert!(status == 400 && said.contains("seccomp=unconfined"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_of_the_hosts_is_asked_for_is_seen() {
    let lab = Lab::new().await;
    import(&lab.client, "tools", tree(&["sh", "cat", "ls", "mknod"])).await;
    let host = tempfile::tempdir().unwrap();
    let path = |name: &str| host.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("file"), "the host's").unwrap();
    let config = |line: &str| {
        let mut config = shell("tools", line);
        config["HostConfig"] = json!({
            "NetworkMode": "none", "ReadonlyRootfs": true, "Tmpfs": { "/run": "size=64k,mode=700" },
            "Binds": [format!("{}:/data/in:ro", path("")), format!("{}:/out", path("made"))],
            "Mounts": [{ "Type": "bind", "Source": path("file"), "Target": "/etc/one" }],
        });
        config
    };
    let line = "exec 2>&1; cat /data/in/file /etc/one; echo x > /data/in/no; echo out > /out/yes; \
                echo x > /no; echo x > /run/yes; mknod /out/disk b 8 0; ls /run";
    let (said, _) = run(&lab.client, "one", config(line)).await;
    assert!(said.starts_with("the host'sthe host's"), "{said}");
    for refused in [
        "/data/in/no: Read-only file system",
        "/no: Read-only file system",
        "/out/disk: Operation not",
    ] {
        assert!(said.contains(refused), "{refused} in {said}");
    }
    assert!(said.ends_with("yes\n"), "{said}");
    assert_eq!(fs::read_to_string(path("made/yes")).unwrap(), "out\n");
    let mut nowhere = config("true");
    nowhere["HostConfig"]["Mounts"][0]["Source"] = json!("/nowhere/at/all");
    let (status, _) = post(&lab.client, "/containers/create?name=two", nowhere.to_string()).await;
    assert_eq!(status, 201);
    let (status, said) = post(&lab.client, "/containers/two/start", "").await;
    assert!(status == 500 && said.contains("bind source path does not exist"), "{said}");
    let named =
        json!({ "Image": "tools", "Cmd": ["true"], "HostConfig": { "Binds": ["db:/var/db"] } });
    let (status, said) = post(&lab.client, "/containers/create", named.to_string()).await;
    assert!(status == 400 && said.contains("keeps no volumes"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_the_containers_own() {
    let lab = Lab::new().await;
    import(&lab.client, "tools", tree(&["sh", "tty"])).await;
    let mut config = shell("tools", "tty; echo of it > $(tty)");
    config["Tty"] = json!(true);
    start(&lab.client, "one", config).await;
    post(&lab.client, "/containers/one/wait", "").await;
    let path = "/containers/one/logs?stdout=1";
    let logs = lab.client.send(Request::get(path).body(Bytes::new()).unwrap()).await.unwrap();
    let logs = logs.into_body().collect(1 << 20).await.unwrap();
    assert_eq!(logs, "/dev/pts/0\r\nof it\r\n");
}
