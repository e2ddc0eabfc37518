//! The engine itself: `/_ping`, `/version`, `/info`, and what it does not do.

mod elsewhere;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

pub(super) use self::elsewhere::{elsewhere, not_done};
use super::answer::Answer;
use super::containers::DRIVER;
use super::images::architecture;
use super::{Api, version};
use crate::Profile;
use crate::core::container::Status;

const OURS: &str = env!("CARGO_PKG_VERSION");

/// `GET /_ping`
pub(super) fn ping(api: &Api) -> Answer {
    let mut answer =
        Answer::typed(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from_static(b"OK"));
    let headers = &mut answer.headers;
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    // The builder is not there in any version; clients fall back to the old one, and are told then.
    headers.insert("builder-version", HeaderValue::from_static("1"));
    match api.engine.profile {
        Profile::Docker20_10 => {}
        Profile::Docker26 | Profile::Docker28 => {
            headers.insert("swarm", HeaderValue::from_static("inactive"));
        }
        Profile::Podman5 => {
            headers.insert("libpod-buildah-version", HeaderValue::from_static("1.39.3"));
        }
    }
    answer
}

/// `GET /version`
pub(super) fn version(api: &Api) -> Answer {
    let profile = api.engine.profile;
    let (oldest, newest) = version::range(profile);
    let (arch, kernel) = (architecture(), kernel());
    let component = match profile {
        Profile::Podman5 => "Podman Engine",
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => "Engine",
    };
    let mut details = json!({
        "ApiVersion": newest.to_string(), "Arch": arch, "BuildTime": "", "Experimental": "false", "GitCommit": "",
        "GoVersion": "", "KernelVersion": kernel, "MinAPIVersion": oldest.to_string(), "Os": "linux",
    });
    if let Some(details) = details.as_object_mut().filter(|_| profile == Profile::Podman5) {
        details.insert("APIVersion".to_owned(), played(profile).into());
        details.insert("MinAPIVersion".to_owned(), "4.0.0".into());
    }
    Answer::json(
        StatusCode::OK,
        &json!({
            "Platform": { "Name": format!("docknet {OURS}") },
            "Components": [
                { "Name": component, "Version": played(profile), "Details": details },
                { "Name": "docknet", "Version": OURS, "Details": {} },
            ],
            "Version": played(profile),
            "ApiVersion": newest.to_string(),
            "MinAPIVersion": oldest.to_string(),
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": arch,
            "KernelVersion": kernel,
            "BuildTime": "",
        }),
    )
}

/// `GET /info`
pub(super) fn info(api: &Api) -> Answer {
    let profile = api.engine.profile;
    let state = api.engine.read();
    let count = |statuses: &[Status]| {
        state.containers().filter(|container| statuses.contains(&container.status)).count()
    };
    let facts = json!({
        "ID": state.engine.id,
        "Containers": state.container_count(),
        "ContainersRunning": count(&[Status::Running]),
        "ContainersPaused": count(&[Status::Paused]),
        "ContainersStopped": count(&[Status::Created, Status::Exited]),
        "Images": state.images.count(),
        "Driver": DRIVER,
        "Plugins": {
            "Volume": [],
            "Network": drivers(profile),
            "Authorization": null,
            "Log": [],
        },
        "IPv4Forwarding": true,
        "SecurityOptions": security(api),
        "SystemTime": jiff::Timestamp::now(),
        "KernelVersion": kernel(),
        "OperatingSystem": api.engine.on.name(),
        "OSType": "linux",
        "Architecture": std::env::consts::ARCH,
        "NCPU": std::thread::available_parallelism().map_or(1, usize::from),
        "MemTotal": memory(),
        "Name": "docknet",
        "ServerVersion": played(profile),
        "Swarm": {
            "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": "",
            "RemoteManagers": null,
        },
    });
    let mut info = nothing_to_tell();
    if let (Some(info), Value::Object(facts)) = (info.as_object_mut(), facts) {
        info.extend(facts);
        if profile == Profile::Docker28 {
            info.insert("FirewallBackend".to_owned(), json!({ "Driver": "none" }));
        }
    }
    Answer::json(StatusCode::OK, &info)
}

/// What programs are kept from, where there are any.
fn security(api: &Api) -> Vec<&'static str> {
    match api.engine.on.filters_calls() {
        true => vec!["name=seccomp,profile=builtin"],
        false => Vec::new(),
    }
}

/// The drivers of networks, as an engine calls them.
fn drivers(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Podman5 => &["bridge", "macvlan", "ipvlan"],
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => {
            &["bridge", "host", "ipvlan", "macvlan", "null"]
        }
    }
}

/// What clients may look for and an engine without processes and files has nothing to tell of.
fn nothing_to_tell() -> Value {
    json!({
        "DriverStatus": null, "MemoryLimit": false, "SwapLimit": false, "CpuCfsPeriod": false, "CpuCfsQuota": false,
        "CPUShares": false, "CPUSet": false, "PidsLimit": false, "Debug": false, "NFd": 0, "OomKillDisable": false,
        "NGoroutines": 0, "LoggingDriver": "none", "CgroupDriver": "none", "NEventsListener": 0, "OSVersion": "",
        "IndexServerAddress": "", "RegistryConfig": null, "GenericResources": null, "DockerRootDir": "",
        "HttpProxy": "", "HttpsProxy": "", "NoProxy": "", "Labels": [], "ExperimentalBuild": false, "Runtimes": {},
        "DefaultRuntime": "", "LiveRestoreEnabled": false, "Isolation": "", "InitBinary": "",
        "ContainerdCommit": { "ID": "" }, "RuncCommit": { "ID": "" }, "InitCommit": { "ID": "" },
        "SecurityOptions": [], "Warnings": null,
    })
}

/// `GET /system/df`
pub(super) fn disk_usage(api: &Api) -> Answer {
    let state = api.engine.read();
    let size: u64 = state.images.iter().map(|image| image.size).sum();
    let now = jiff::Timestamp::now();
    let images = super::images::summaries(&state);
    let containers = super::containers::summaries(&state, api.engine.profile, now);
    let empty: [(); 0] = [];
    Answer::json(
        StatusCode::OK,
        &json!({
            "LayersSize": size, "Images": images, "Containers": containers, "Volumes": empty, "BuildCache": empty,
        }),
    )
}

/// What every answer says of its server.
pub(super) fn server(profile: Profile) -> String {
    let like = match profile {
        Profile::Podman5 => "Libpod",
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => "Docker",
    };
    format!("docknet/{OURS} (linux; like {like}/{})", played(profile))
}

/// The version of the engine that this one answers like.
pub(super) fn played(profile: Profile) -> &'static str {
    match profile {
        Profile::Docker20_10 => "20.10.24",
        Profile::Docker26 => "26.1.5",
        Profile::Docker28 => "28.5.2",
        Profile::Podman5 => "5.4.2",
    }
}

/// The release of this kernel; nothing where it does not say.
fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

/// This machine's memory in bytes, zero where it does not say.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.strip_suffix("kB")?.trim().parse().ok());
    total.map_or(0, |kibibytes: u64| kibibytes * 1024)
}
