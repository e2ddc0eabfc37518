//! Containers, as far as networks need them.

use docknet::{
    Client, Container, ContainerSpec, ContainerStatus, EndpointSpec, ErrorKind, Filters,
    NetworkMode, Result,
};

use crate::behaviours;
use crate::expect::{refused, soon};
use crate::inside::{addresses, interfaces, shell, works};
use crate::lab::has_processes;
use crate::stage::{Stage, within};

behaviours!(
    containers:
    get_takes_ids_names_and_prefixes [Containers],
    lists_tell_running_from_all [Containers],
    lists_are_filtered [Containers],
    a_life_from_create_to_remove [Containers],
    remove_takes_what_runs [Containers],
    create_refuses_names_taken_and_images_missing [Containers],
    a_spec_arrives_whole [Containers],
    auto_remove_removes [Containers],
    exec_tells_output_and_exit_code [Containers, Processes],
    exec_gives_a_mebibyte [Containers, Processes],
    exec_of_nothing_fails [Containers],
    exec_needs_a_running_container [Containers],
    typed_is_what_the_json_says [Containers],
    none_mode_has_a_loopback_only [Containers],
    host_mode_shares_the_hosts_interfaces [Containers],
    container_mode_shares_all [Containers, Processes],
);

/// A container is found by its id, its name and the beginning of its id.
pub async fn get_takes_ids_names_and_prefixes(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.create(stage.idle("web")).await?;
    for by in [container.id().as_str(), container.name(), container.short_id()] {
        let found = client.containers().get(by).await?;
        assert!(found == container, "{by} is {found:?}");
        assert!(found.name() == stage.name("web"), "it is called {:?}", found.name());
    }
    let nobody = client.containers().get(&stage.name("nobody")).await;
    refused(nobody, &[ErrorKind::NotFound]);
    Ok(())
}

/// A list has what runs; `list_all` has the rest as well.
pub async fn lists_tell_running_from_all(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let runs = stage.running("runs").await?;
    let waits = stage.create(stage.idle("waits")).await?;
    let running = client.containers().list().await?;
    assert!(running.contains(&runs), "the running one is not in the list");
    assert!(!running.contains(&waits), "the other one is in the list");
    let all = client.containers().list_all(&Filters::new()).await?;
    assert!(all.contains(&runs) && all.contains(&waits), "not all are in the list of all");
    Ok(())
}

/// A list is narrowed by name, by label, by status and by network, by the network's name as by its id.
pub async fn lists_are_filtered(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let label = stage.name("label");
    let on = stage.idle("on").network(network.name(), EndpointSpec::new());
    let on = stage.run(on.label(&label, "yes")).await?;
    let off = stage.create(stage.idle("off").label(&label, "no")).await?;
    let labelled = Filters::new().label(&label);
    let cases = [
        (labelled.clone(), vec![&on, &off]),
        (Filters::new().label(format!("{label}=yes")), vec![&on]),
        (labelled.clone().status("created"), vec![&off]),
        (labelled.clone().status("running"), vec![&on]),
        (Filters::new().network(network.name()), vec![&on]),
        (Filters::new().network(network.id().as_str()), vec![&on]),
        (Filters::new().name(on.name()), vec![&on]),
    ];
    for (filters, wanted) in cases {
        let found = client.containers().list_all(&filters).await?;
        let same = found.len() == wanted.len() && wanted.iter().all(|one| found.contains(one));
        assert!(same, "{} finds {found:?}", filters.to_json());
    }
    Ok(())
}

/// A container is created, runs, ends and is gone, and says so each time.
pub async fn a_life_from_create_to_remove(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let spec = stage.idle("web").command([
        "sh",
        "-c",
        "trap 'exit 7' TERM; touch /ready; sleep 999 & wait",
    ]);
    let mut container = stage.create(spec).await?;
    assert!(*container.status() == ContainerStatus::Created, "{:?}", container.status());
    container.start().await?;
    container.start().await?;
    container.reload().await?;
    assert!(*container.status() == ContainerStatus::Running, "{:?}", container.status());
    assert!(container.info().is_running(), "it does not run");
    // Until the trap is set, the signal to end is lost on it.
    if has_processes() {
        within(20, "the command is ready", || works(&container, "test -e /ready")).await?;
    }
    container.stop_within(3).await?;
    container.stop().await?;
    container.reload().await?;
    assert!(*container.status() == ContainerStatus::Exited, "{:?}", container.status());
    if has_processes() {
        assert!(container.info().exit_code == Some(7), "{:?}", container.info().exit_code);
    }
    let mut gone = container.clone();
    container.remove().await?;
    refused(gone.reload().await, &[ErrorKind::NotFound]);
    assert!(gone.name() == stage.name("web"), "the handle lost its name");
    refused(gone.start().await, &[ErrorKind::NotFound]);
    refused(gone.remove().await, &[ErrorKind::NotFound]);
    Ok(())
}

/// A running container is removed as well.
pub async fn remove_takes_what_runs(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut network = stage.network("net").await?;
    let container = stage.running_on("web", &network).await?;
    container.remove().await?;
    network.reload().await?;
    assert!(network.info().members.is_empty(), "the network still shows it");
    network.remove().await
}

/// A name that is taken is refused, and so is an image that is not there.
pub async fn create_refuses_names_taken_and_images_missing(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    stage.create(stage.idle("web")).await?;
    refused(stage.create(stage.idle("web")).await, &[ErrorKind::NameTaken]);
    let missing = ContainerSpec::new("docknet.invalid/no-such-image:none");
    refused(stage.create(missing.name(stage.name("no"))).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// What a spec says is what the container has: command, environment, host name, labels.
pub async fn a_spec_arrives_whole(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let spec = stage.idle("web").entrypoint(["env", "-u", "GONE"]).env("FLAG", "a b=c");
    let spec = spec.env("GONE", "x").hostname("box").label("some", "thing");
    let container = stage.run(spec).await?;
    if has_processes() {
        let line = "hostname; echo \"$FLAG\"; tr '\\0' ' ' < /proc/1/cmdline";
        let found = shell(&container, line).await?;
        assert!(found.starts_with("box\na b=c\nsh -c trap"), "inside: {found:?}");
    }
    let config = &container.attrs()["Config"];
    assert!(config["Hostname"] == "box", "host name {}", config["Hostname"]);
    assert!(config["Cmd"][0] == "sh" && config["Cmd"][1] == "-c", "command {}", config["Cmd"]);
    let env = config["Env"].as_array().cloned().unwrap_or_default();
    assert!(env.iter().any(|one| one == "FLAG=a b=c"), "environment {env:?}");
    assert!(container.info().labels["some"] == "thing", "{:?}", container.info().labels);
    assert!(container.info().image.contains("busybox"), "image {}", container.info().image);
    Ok(())
}

/// A container that is to go when it ends is gone after that.
pub async fn auto_remove_removes(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.create(stage.idle("web").auto_remove(true)).await?;
    container.start().await?;
    container.stop_within(3).await?;
    soon("it is gone", async || match client.containers().get(container.name()).await {
        Ok(_) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error),
    })
    .await
}

/// What a command writes comes back with the two streams apart, and so does how it ended.
pub async fn exec_tells_output_and_exit_code(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    let output = container.exec(["sh", "-c", "echo out; echo err >&2; exit 3"]).await?;
    assert!(output.stdout_text() == "out\n", "stdout {:?}", output.stdout_text());
    assert!(output.stderr_text() == "err\n", "stderr {:?}", output.stderr_text());
    assert!(output.exit_code == 3 && !output.success(), "it ended with {}", output.exit_code);
    let silent = container.exec(["true"]).await?;
    assert!(silent.success() && silent.stdout.is_empty(), "{silent:?}");
    let binary = container.exec(["printf", "\\000\\377\\001"]).await?;
    assert!(binary.stdout == [0, 255, 1], "bytes {:?}", binary.stdout);
    Ok(())
}

/// Output of a mebibyte comes back whole.
pub async fn exec_gives_a_mebibyte(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    let line = "seq -w 0 131071 | sed 's/^/x/'";
    let output = container.exec(["sh", "-c", line]).await?;
    assert!(output.stdout.len() == 1 << 20, "{} bytes", output.stdout.len());
    let ordered = output
        .stdout
        .chunks(8)
        .enumerate()
        .all(|(number, piece)| piece == format!("x{number:06}\n").as_bytes());
    assert!(ordered, "the lines are not in their order");
    Ok(())
}

/// A command that does not exist is no silent success: it is an error, or it ends with 126 or 127.
pub async fn exec_of_nothing_fails(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    match container.exec(["/no/such/program"]).await {
        Ok(output) => assert!(matches!(output.exit_code, 126 | 127), "{output:?}"),
        Err(error) => {
            refused::<()>(Err(error), &[ErrorKind::BadRequest, ErrorKind::NotFound]);
        }
    }
    Ok(())
}

/// A command in a container that does not run is an error.
pub async fn exec_needs_a_running_container(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.create(stage.idle("web")).await?;
    refused(container.exec(["true"]).await, &[ErrorKind::Conflict]);
    Ok(())
}

/// What is typed is what the engine's own JSON says, in a list as in an inspection.
pub async fn typed_is_what_the_json_says(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network(network.name(), EndpointSpec::new());
    let inspected = stage.run(spec.label("some", "thing")).await?;
    let named = Filters::new().name(inspected.name());
    let listed = client.containers().list_with(&named).await?;
    assert!(listed.len() == 1, "{listed:?}");
    for seen in [&inspected, &listed[0]] {
        let info = seen.info();
        assert!(info.undecoded.is_empty(), "not read: {:?}", info.undecoded);
        assert!(seen.attrs()["Id"] == info.id.as_str(), "id {}", info.id);
        assert!(info.name == seen.name(), "name {}", info.name);
        assert!(info.labels.get("some").is_some_and(|v| v == "thing"), "{:?}", info.labels);
        let raw = &seen.attrs()["NetworkSettings"]["Networks"][network.name()]["IPAddress"];
        let ip = seen.endpoints()[network.name()].ipv4();
        assert!(ip.is_some_and(|ip| *raw == ip.addr().to_string()), "{raw} and {ip:?}");
    }
    let (a, b) = (inspected.endpoints(), listed[0].endpoints());
    let same = a.keys().eq(b.keys());
    assert!(same, "an inspection shows {:?}, a list {:?}", a.keys(), b.keys());
    let both = (&a[network.name()], &b[network.name()]);
    assert!(both.0.network_id == both.1.network_id, "{both:?}");
    assert!(both.0.mac() == both.1.mac(), "{both:?}");
    Ok(())
}

/// A container without a network has nothing but its loopback.
pub async fn none_mode_has_a_loopback_only(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let spec = stage.idle("web").network_mode(NetworkMode::None);
    let container = stage.run(spec).await?;
    let found = interfaces(&container).await?;
    assert!(found.is_empty(), "interfaces {found:?}");
    assert!(container.info().network_mode == "none", "{}", container.info().network_mode);
    Ok(())
}

/// A container with the host's network sees the host's interfaces.
pub async fn host_mode_shares_the_hosts_interfaces(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let host = |what| stage.idle(what).network_mode(NetworkMode::Host);
    let (a, b) = (stage.run(host("a")).await?, stage.run(host("b")).await?);
    assert!(a.info().network_mode == "host", "{}", a.info().network_mode);
    let shown: Vec<_> = a.endpoints().iter().filter(|(_, endpoint)| endpoint.is_up()).collect();
    assert!(shown.is_empty(), "a container with the host's network has addresses: {shown:?}");
    if !has_processes() {
        return Ok(());
    }
    assert!(namespace(&a).await? == namespace(&b).await?, "two hosts");
    let own = stage.running("own").await?;
    assert!(namespace(&a).await? != namespace(&own).await?, "every container has the host's");
    Ok(())
}

/// A container in the mode of another one has the very same interfaces and addresses.
pub async fn container_mode_shares_all(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let first = stage.running_on("first", &network).await?;
    let mode = NetworkMode::Container(first.name().to_owned());
    let second = stage.run(stage.idle("second").network_mode(mode)).await?;
    assert!(namespace(&first).await? == namespace(&second).await?, "two namespaces");
    assert!(addresses(&first).await? == addresses(&second).await?, "other addresses");
    network.disconnect(&first).await?;
    let left = interfaces(&second).await?;
    assert!(left.is_empty(), "the second one still has {left:?}");
    Ok(())
}

async fn namespace(container: &Container) -> Result<String> {
    shell(container, "readlink /proc/self/ns/net").await
}
