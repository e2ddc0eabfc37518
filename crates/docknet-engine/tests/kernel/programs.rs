//! Programs in containers of the image `host`, as clients of the API have them.

use bytes::Bytes;
use docknet::{Container, ContainerSpec, ContainerStatus, EndpointSpec, ErrorKind};
use http::Request;

use crate::lab::{Lab, until};

fn shell(line: &str) -> ContainerSpec {
    ContainerSpec::new("host").command(["sh", "-c", line])
}

async fn made(lab: &Lab, name: &str, spec: ContainerSpec) -> Container {
    let spec = spec.name(name).network("front", EndpointSpec::new());
    lab.client.containers().create(spec).await.unwrap()
}

/// What an answer to this request has in it, whatever its status.
async fn raw(lab: &Lab, request: http::request::Builder) -> (u16, Bytes) {
    let answer = lab.client.send(request.body(Bytes::new()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect(1 << 20).await.unwrap())
}

async fn wait(lab: &Lab, name: &str) -> i64 {
    let (_, body) = raw(lab, Request::post(format!("/containers/{name}/wait"))).await;
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    said["StatusCode"].as_i64().unwrap()
}

async fn logs(lab: &Lab, name: &str, parameters: &str) -> Vec<u8> {
    let path = format!("/containers/{name}/logs?stdout=1&stderr=1&{parameters}");
    raw(lab, Request::get(path)).await.1.to_vec()
}

fn frame(stream: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[stream, 0, 0, 0], &length[..], text.as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_says_and_with_what_it_ends_is_told() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let web = made(&lab, "web", shell("echo out; read line; echo err >&2; exit 7")).await;
    web.start().await.unwrap();
    assert_eq!(wait(&lab, "web").await, 7);
    let info = lab.client.containers().get("web").await.unwrap();
    assert_eq!((info.status(), info.info().exit_code), (&ContainerStatus::Exited, Some(7)));
    let both = [frame(1, "out\n"), frame(2, "err\n")].concat();
    assert_eq!(logs(&lab, "web", "").await, both);
    assert_eq!(logs(&lab, "web", "follow=1").await, both);
    assert_eq!(logs(&lab, "web", "tail=1").await, frame(2, "err\n"));
    let front = lab.client.networks().get("front").await.unwrap();
    assert_eq!(front.containers().await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_find_each_other_by_name() {
    let lab = Lab::new().await;
    lab.network("front").await;
    made(&lab, "web", shell("sleep 600")).await.start().await.unwrap();
    let db = made(&lab, "db", shell("sleep 600")).await;
    db.start().await.unwrap();
    let found = db.exec(["getent", "ahostsv4", "web"]).await.unwrap();
    assert!(found.stdout_text().starts_with("172.18.0.2 "), "{}", found.stdout_text());
    // By a library that reads the files that were written for it.
    let own = db.exec(["getent", "hosts", db.short_id()]).await.unwrap();
    assert!(own.stdout_text().starts_with("172.18.0.3 "), "{}", own.stdout_text());
    assert!(!db.exec(["getent", "ahostsv4", "nobody.front"]).await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_knows_its_own_name_by_the_networks_that_it_is_on() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let back = lab.client.networks().create("back").await.unwrap();
    let web = made(&lab, "web", shell("sleep 600")).await;
    web.start().await.unwrap();
    web.exec(["sh", "-c", "echo 192.0.2.7 own >> /etc/hosts"]).await.unwrap();
    let addresses = async || {
        let told = web.exec(["cat", "/etc/hosts"]).await.unwrap();
        let told = told.stdout_text();
        let lines =
            told.lines().filter(|line| line.ends_with(web.short_id()) || line.ends_with("own"));
        let addresses = lines.filter_map(|line| line.split_whitespace().next());
        addresses.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(addresses().await, ["172.18.0.2", "192.0.2.7"]);
    back.connect("web", EndpointSpec::new()).await.unwrap();
    assert_eq!(addresses().await, ["172.18.0.2", "192.0.2.7", "172.19.0.2"]);
    lab.client.networks().get("front").await.unwrap().disconnect("web").await.unwrap();
    assert_eq!(addresses().await, ["192.0.2.7", "172.19.0.2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_processes_are_listed() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let web = made(&lab, "web", shell("sleep 601 & sleep 602; :")).await;
    let top = async |arguments: &str| {
        let (status, body) =
            raw(&lab, Request::get(format!("/containers/web/top?ps_args={arguments}"))).await;
        (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
    };
    assert_eq!(top("").await.0, 409);
    web.start().await.unwrap();
    until("all of it runs", async || {
        top("").await.1.to_string().matches(r#""sleep 60"#).count() == 2
    })
    .await;
    let (status, listed) = top("-ef").await;
    let titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];
    assert_eq!((status, &listed["Titles"]), (200, &serde_json::json!(titles)));
    let rows = listed["Processes"].as_array().unwrap();
    let column = |at: usize| rows.iter().map(move |row| row[at].as_str().unwrap());
    let mut commands: Vec<_> = column(7).collect();
    commands.sort_unstable();
    assert_eq!(commands, ["sh -c sleep 601 & sleep 602; :", "sleep 601", "sleep 602"]);
    assert!(column(0).all(|user| user == "root"));
    // Their numbers are the host's: the first one is the parent of the others.
    let first = rows[0][1].as_str().unwrap();
    assert_eq!(column(2).filter(|parent| *parent == first).count(), 2, "{listed}");
    assert!(std::fs::exists(format!("/proc/{first}")).unwrap());
    let (_, listed) = top("-o%20pid,comm").await;
    assert_eq!(listed["Titles"], serde_json::json!(["PID", "COMMAND"]));
    assert_eq!(listed["Processes"][0], serde_json::json!([first, "sh"]));
    let (status, refused) = top("--forest").await;
    let why = refused["message"].as_str().unwrap();
    assert!(status == 400 && why.contains("docknet does not run ps"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_asks_first_and_kills_then() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let ready = |line: &str| shell(&format!("{line}; echo ready; while :; do sleep 0.01; done"));
    let polite = made(&lab, "polite", ready("trap 'exit 3' TERM")).await;
    let deaf = made(&lab, "deaf", ready("trap '' TERM")).await;
    for container in [&polite, &deaf] {
        container.start().await.unwrap();
        until("it is ready", async || !logs(&lab, container.name(), "").await.is_empty()).await;
    }
    polite.stop().await.unwrap();
    deaf.stop_within(0).await.unwrap();
    for (name, code) in [("polite", 3), ("deaf", 137)] {
        let now = lab.client.containers().get(name).await.unwrap();
        assert_eq!(now.info().exit_code, Some(code), "{name}");
    }
}

/// As systemd is stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_without_a_name_arrives() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let web =
        made(&lab, "web", shell("trap 'exit 5' 37; echo ready; while :; do sleep 0.02; done"));
    web.await.start().await.unwrap();
    until("it is ready", async || logs(&lab, "web", "").await == frame(1, "ready\n")).await;
    let (status, _) = raw(&lab, Request::post("/containers/web/kill?signal=RTMIN%2B3")).await;
    assert_eq!(status, 204);
    assert_eq!(wait(&lab, "web").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_can_be_started_at_once() {
    let lab = Lab::new().await;
    lab.network("front").await;
    // A program with many others takes its time to end.
    let many = shell("for each in $(seq 300); do sleep 600 & done; echo ready; wait");
    let web = made(&lab, "web", many).await;
    for round in 0..10 {
        web.start().await.unwrap_or_else(|why| panic!("{round}: {why}"));
        until("it is ready", async || !logs(&lab, "web", "").await.is_empty()).await;
        // It is the new program that runs, however late the end of the old one is heard of.
        assert!(web.exec(["true"]).await.unwrap().success(), "{round}");
        let (status, _) = raw(&lab, Request::post("/containers/web/kill")).await;
        assert_eq!(status, 204, "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_says_so_and_leaves_nothing() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let spec = ContainerSpec::new("host").command(["nosuch"]).auto_remove(true);
    let web = made(&lab, "web", spec).await;
    let error = web.start().await.unwrap_err();
    assert!(error.to_string().contains("executable file not found in $PATH"), "{error}");
    let gone = lab.client.containers().get("web").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    // Its address is free again.
    made(&lab, "other", shell("sleep 600")).await.start().await.unwrap();
    assert_eq!(lab.ip("other", "front").await.to_string(), "172.18.0.2");
}
