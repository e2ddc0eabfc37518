use std::time::Duration;

use super::*;

const N1: NetworkRef<'_> =
    NetworkRef { id: "1111", name: "n1", driver: "bridge", config_only: false };
const N2: NetworkRef<'_> =
    NetworkRef { id: "2222", name: "n2", driver: "bridge", config_only: false };
const NO_LABELS: &BTreeMap<String, String> = &BTreeMap::new();
const BOX: ContainerRef<'_> =
    ContainerRef { id: "bbbb", name: "box", image: "busybox", labels: NO_LABELS };
const KILLED: Ending = Ending { exit_code: 137, ran_for: Duration::from_millis(1900) };

fn recorder(profile: Profile) -> Recorder {
    Recorder::new(profile, Timestamp::from_second(1_700_000_000).unwrap())
}

/// The story that was played to the real engines.
fn story(profile: Profile) -> Vec<Arc<Event>> {
    let mut recorder = recorder(profile);
    recorder.network_create(N1);
    recorder.network_create(N2);
    recorder.container_create(BOX);
    recorder.network_connect(N2, BOX, Occasion::Stopped);
    recorder.network_disconnect(N2, BOX, Occasion::Stopped);
    recorder.container_start(BOX, &[N1]);
    recorder.network_connect(N2, BOX, Occasion::Running);
    recorder.network_disconnect(N2, BOX, Occasion::Running);
    recorder.container_restart(BOX, &[N1], Some((&[15, 9], KILLED)));
    recorder.container_kill(BOX, &[N1], 9, Some(KILLED));
    recorder.container_remove(BOX, Some(137));
    recorder.network_remove(N1);
    recorder.networks_prune([N2]);
    recorder.into_events()
}

/// One word for each: `container start box`.
fn brief(events: &[Arc<Event>]) -> Vec<String> {
    let name = |event: &Event| event.attribute("name").unwrap_or("None").to_owned();
    events.iter().map(|event| format!("{} {} {}", event.kind, event.action, name(event))).collect()
}

#[test]
fn docker_28_tells_the_story_as_recorded() {
    assert_eq!(
        brief(&story(Profile::Docker28)),
        [
            "network create n1",
            "network create n2",
            "container create box",
            "network connect n1",
            "container start box",
            "network connect n2",
            "network disconnect n2",
            "container kill box",
            "container kill box",
            "network disconnect n1",
            "container stop box",
            "container die box",
            "network connect n1",
            "container start box",
            "container restart box",
            "container kill box",
            "network disconnect n1",
            "container die box",
            "container destroy box",
            "network destroy n1",
            "network destroy n2",
            "network prune None",
        ]
    );
}

#[test]
fn docker_26_disconnects_once_more() {
    assert_eq!(
        brief(&story(Profile::Docker26)),
        [
            "network create n1",
            "network create n2",
            "container create box",
            "network disconnect n2",
            "network connect n1",
            "container start box",
            "network connect n2",
            "network disconnect n2",
            "network disconnect n2",
            "container kill box",
            "container kill box",
            "network disconnect n1",
            "container stop box",
            "container die box",
            "network connect n1",
            "container start box",
            "container restart box",
            "container kill box",
            "network disconnect n1",
            "container die box",
            "container destroy box",
            "network destroy n1",
            "network destroy n2",
            "network prune None",
        ]
    );
}

#[test]
fn docker_20_10_dies_before_it_leaves() {
    assert_eq!(
        brief(&story(Profile::Docker20_10)),
        [
            "network create n1",
            "network create n2",
            "container create box",
            "network disconnect n2",
            "network connect n1",
            "container start box",
            "network connect n2",
            "network disconnect n2",
            "network disconnect n2",
            "container kill box",
            "container kill box",
            "container die box",
            "network disconnect n1",
            "container stop box",
            "network connect n1",
            "container start box",
            "container restart box",
            "container kill box",
            "container die box",
            "network disconnect n1",
            "container destroy box",
            "network destroy n1",
            "network destroy n2",
            "network prune None",
        ]
    );
}

#[test]
fn podman_tells_its_own_story() {
    assert_eq!(
        brief(&story(Profile::Podman5)),
        [
            "network create ",
            "network create ",
            "container create box",
            "network connect box",
            "network disconnect box",
            "container init box",
            "container start box",
            "network connect box",
            "network disconnect box",
            "container restart box",
            "container stop box",
            "container die box",
            "container init box",
            "container start box",
            "container kill box",
            "container die box",
            "container cleanup box",
            "container remove box",
            "network remove ",
        ]
    );
}

#[test]
fn a_network_is_the_actor_on_docker_and_the_container_on_podman() {
    let connect = |profile| {
        let mut recorder = recorder(profile);
        recorder.network_connect(N1, BOX, Occasion::Running);
        let event = recorder.into_events().remove(0);
        (event.id.clone(), event.attributes.clone())
    };
    assert_eq!(
        connect(Profile::Docker28),
        ("1111".into(), attributes([("container", "bbbb"), ("name", "n1"), ("type", "bridge")]))
    );
    assert_eq!(
        connect(Profile::Podman5),
        (
            "bbbb".into(),
            attributes([("image", ""), ("name", "box"), ("network", "n1"), ("podId", "")])
        )
    );
}

#[test]
fn a_prune_is_told_even_if_it_took_nothing() {
    let mut recorder = recorder(Profile::Docker28);
    recorder.networks_prune([]);
    let event = recorder.into_events().remove(0);
    assert_eq!((&*event.id, &*event.action), ("", "prune"));
    assert_eq!(event.attributes, attributes([("reclaimed", "0")]));
}

#[test]
fn a_container_tells_its_labels_but_keeps_its_name() {
    let labels = attributes([("la", "lb"), ("name", "shadow"), ("exitCode", "mine")]);
    let mut recorder = recorder(Profile::Docker28);
    recorder.container_exit(ContainerRef { labels: &labels, ..BOX }, &[], KILLED);
    assert_eq!(
        recorder.into_events().remove(0).attributes,
        attributes([
            ("execDuration", "1"),
            ("exitCode", "mine"),
            ("image", "busybox"),
            ("la", "lb"),
            ("name", "box"),
        ])
    );
}

#[test]
fn each_event_of_a_container_has_its_own_facts() {
    let command = ["sh", "-c", "exit 3"].map(str::to_owned);
    let mut recorder = recorder(Profile::Docker28);
    recorder.exec_create(BOX, "ee", &command);
    recorder.exec_start(BOX, "ee", &command[..1]);
    recorder.container_resize(BOX, Resize { height: 20, width: 40 });
    recorder.container_rename(BOX, "old");
    recorder.container_kill(BOX, &[], 1, None);
    let told: Vec<_> = recorder
        .into_events()
        .iter()
        .map(|event| {
            let mut facts = event.attributes.clone();
            facts.retain(|key, _| key != "image" && key != "name");
            (event.action.to_string(), facts)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("exec_create: sh -c exit 3".into(), attributes([("execID", "ee")])),
            ("exec_start: sh ".into(), attributes([("execID", "ee")])),
            ("resize".into(), attributes([("height", "20"), ("width", "40")])),
            ("rename".into(), attributes([("oldName", "/old")])),
            ("kill".into(), attributes([("signal", "1")])),
        ]
    );
}

#[test]
fn an_image_is_named_as_docker_names_it() {
    let labels = attributes([("k", "v")]);
    let image = ImageRef { id: "sha256:0b0b", labels: &labels };
    let mut recorder = recorder(Profile::Docker28);
    recorder.image_import(image, Some("copy:1"));
    recorder.image_untag(image, "copy:1");
    recorder.image_delete(image);
    recorder.image_pull("busybox:latest", "busybox", NO_LABELS);
    let told: Vec<_> = recorder
        .into_events()
        .iter()
        .map(|event| (event.action.to_string(), event.id.clone(), event.attributes.clone()))
        .collect();
    let id = "sha256:0b0b";
    assert_eq!(
        told,
        [
            ("tag".into(), id.into(), attributes([("k", "v"), ("name", "copy:1")])),
            ("import".into(), id.into(), attributes([("k", "v"), ("name", id)])),
            ("untag".into(), id.into(), attributes([("k", "v"), ("name", id)])),
            ("delete".into(), id.into(), attributes([("name", id)])),
            ("pull".into(), "busybox:latest".into(), attributes([("name", "busybox")])),
        ]
    );
}

#[test]
fn each_event_has_a_time_of_its_own() {
    let times: Vec<_> = story(Profile::Docker28).iter().map(|event| event.time_nano).collect();
    assert_eq!(times[0], 1_700_000_000_000_000_000);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_config_only_network_goes_without_a_word() {
    let network = NetworkRef { id: "cccc", name: "base", driver: "bridge", config_only: true };
    let mut recorder = recorder(Profile::Docker28);
    recorder.network_create(network);
    recorder.network_remove(network);
    let events = recorder.into_events();
    assert_eq!(brief(&events), ["network create base"]);
    assert_eq!(events[0].attribute("type"), Some("null"));
}

#[test]
fn a_forced_removal_is_a_kill_on_docker_only() {
    let told = |profile| {
        let mut recorder = recorder(profile);
        recorder.container_remove_forced(BOX, &[N1, N2], KILLED);
        brief(&recorder.into_events())
    };
    assert_eq!(
        told(Profile::Docker28),
        [
            "container kill box",
            "network disconnect n1",
            "network disconnect n2",
            "container die box",
            "container destroy box",
        ]
    );
    assert_eq!(told(Profile::Podman5), ["container die box", "container remove box"]);
}

#[test]
fn a_stop_on_podman_is_an_end() {
    let mut recorder = recorder(Profile::Podman5);
    recorder.container_stop(BOX, &[N1], &[15], KILLED);
    recorder.container_restart(BOX, &[N1], None);
    assert_eq!(
        brief(&recorder.into_events()),
        [
            "container die box",
            "container cleanup box",
            "container restart box",
            "container init box",
            "container start box",
        ]
    );
}

#[test]
fn podman_names_an_image_by_its_name_and_its_bare_id() {
    let image = ImageRef { id: "sha256:0b0b", labels: NO_LABELS };
    let mut recorder = recorder(Profile::Podman5);
    recorder.image_import(image, Some("docker.io/library/copy:1"));
    recorder.image_untag(image, "docker.io/library/copy:1");
    recorder.image_delete(image);
    let events = recorder.into_events();
    let actions: Vec<_> = events.iter().map(|event| &*event.action).collect();
    assert_eq!(actions, ["tag", "untag", "delete"]);
    let name = attributes([("image", ""), ("name", "docker.io/library/copy:1"), ("podId", "")]);
    assert!(events.iter().all(|event| event.id == "0b0b" && event.attributes == name));
}
