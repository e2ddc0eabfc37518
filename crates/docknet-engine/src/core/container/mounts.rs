//! What of the host's a container sees in places of its own: `-v`, `--mount`, `--tmpfs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::words;
use crate::core::refusal::Refusal;

/// A place in a container with something of its own in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mount {
    pub(crate) target: String,
    pub(crate) read_only: bool,
    pub(crate) what: Mounted,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mounted {
    /// A file or a directory of the host's.
    Host {
        path: String,
        /// Whether a directory is made if nothing is there.
        may_be_made: bool,
    },
    /// Memory, with the options of mount(8).
    Memory(String),
    /// A directory among the container's own files.
    Own,
}

/// Refuses what cannot be.
pub(super) fn check(
    config: &Map<String, Value>,
    host_config: &Map<String, Value>,
) -> Result<(), Refusal> {
    read(config.get("Volumes"), |key| host_config.get(key))
        .map(drop)
        .map_err(|why| Refusal::Worded(400, why))
}

impl Mount {
    /// All that a container asked for. What comes later may be below what comes first.
    pub(crate) fn all(config: &Value, host_config: &Value) -> Vec<Self> {
        // What cannot be was refused when it was made.
        let mut all = read(config.get("Volumes"), |key| host_config.get(key)).unwrap_or_default();
        all.sort_by_key(|mount| mount.target.matches('/').count());
        all
    }
}

fn read<'a>(
    volumes: Option<&Value>,
    host_config: impl Fn(&str) -> Option<&'a Value>,
) -> Result<Vec<Mount>, String> {
    let mut all = Vec::new();
    for bind in words(host_config("Binds")) {
        all.push(bound(bind)?);
    }
    for mount in host_config("Mounts").and_then(Value::as_array).into_iter().flatten() {
        all.push(mounted(mount)?);
    }
    for (target, options) in host_config("Tmpfs").and_then(Value::as_object).into_iter().flatten() {
        let options = options.as_str().unwrap_or_default().to_owned();
        all.push(placed(target, Mounted::Memory(options), false)?);
    }
    for (target, _) in volumes.and_then(Value::as_object).into_iter().flatten() {
        if !all.iter().any(|mount| mount.target == *target) {
            all.push(placed(target, Mounted::Own, false)?);
        }
    }
    Ok(all)
}

/// `/from/host:/inside`, `/from/host:/inside:ro`, or `/inside` alone.
fn bound(text: &str) -> Result<Mount, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match parts[..] {
        [target] => return placed(target, Mounted::Own, false),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return Err(format!("invalid volume specification: '{text}'")),
    };
    if source.is_empty() {
        return Err(format!("invalid volume specification: '{text}'"));
    }
    if !source.starts_with('/') {
        return Err(no_volumes(source, target));
    }
    let what = Mounted::Host { path: source.to_owned(), may_be_made: true };
    placed(target, what, options.split(',').any(|option| option == "ro"))
}

/// One of `--mount`.
fn mounted(mount: &Value) -> Result<Mount, String> {
    let text = |key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default();
    let read_only = mount.get("ReadOnly").and_then(Value::as_bool).unwrap_or_default();
    let what = match (text("Type"), text("Source")) {
        ("bind", source) if source.starts_with('/') => {
            Mounted::Host { path: source.to_owned(), may_be_made: false }
        }
        ("bind", source) => {
            return Err(format!(
                "invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute"
            ));
        }
        ("tmpfs", _) => {
            let options = mount.get("TmpfsOptions");
            let number = |key: &str| options?.get(key)?.as_u64();
            let size = number("SizeBytes").map(|size| format!("size={size}"));
            let mode = number("Mode").map(|mode| format!("mode={mode:o}"));
            Mounted::Memory(size.into_iter().chain(mode).collect::<Vec<_>>().join(","))
        }
        ("volume", "") => Mounted::Own,
        ("volume", name) => return Err(no_volumes(name, text("Target"))),
        (other, _) => return Err(format!("mount type unknown: {other:?}")),
    };
    placed(text("Target"), what, read_only)
}

fn placed(target: &str, what: Mounted, read_only: bool) -> Result<Mount, String> {
    match target.starts_with('/') && !target.trim_matches('/').is_empty() {
        true => Ok(Mount { target: target.to_owned(), read_only, what }),
        false if target.starts_with('/') => {
            Err("invalid specification: destination can't be '/'".to_owned())
        }
        false => Err(format!("invalid mount path: '{target}' mount path must be absolute")),
    }
}

fn no_volumes(name: &str, target: &str) -> String {
    format!(
        "docknet keeps no volumes: in the place of {name:?}, give a directory of the host's for {target}, as in /srv/{name}:{target}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(host_config: &Value) -> Result<Vec<Mount>, String> {
        read(None, |key| host_config.get(key))
    }

    #[test]
    fn all_ways_to_say_it_are_read() {
        let host_config = json!({
            "Binds": ["/srv/data:/data:ro,z", "/scratch"],
            "Mounts": [{ "Type": "bind", "Source": "/srv", "Target": "/s" },
                       { "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 4096, "Mode": 448 } }],
            "Tmpfs": { "/run": "size=1m" },
        });
        let host = |path: &str, may_be_made| Mounted::Host { path: path.to_owned(), may_be_made };
        let mount =
            |target: &str, what, read_only| Mount { target: target.to_owned(), read_only, what };
        assert_eq!(
            all(&host_config).unwrap(),
            [
                mount("/data", host("/srv/data", true), true),
                mount("/scratch", Mounted::Own, false),
                mount("/s", host("/srv", false), false),
                mount("/t", Mounted::Memory("size=4096,mode=700".to_owned()), false),
                mount("/run", Mounted::Memory("size=1m".to_owned()), false),
            ]
        );
    }

    #[test]
    fn what_cannot_be_says_why() {
        for (host_config, why) in [
            (
                json!({ "Binds": ["data:/data"] }),
                "docknet keeps no volumes: in the place of \"data\"",
            ),
            (json!({ "Binds": ["/a:b"] }), "invalid mount path: 'b' mount path must be absolute"),
            (json!({ "Binds": ["/a:/"] }), "invalid specification: destination can't be '/'"),
            (json!({ "Binds": ["/a:/b:c:d"] }), "invalid volume specification: '/a:/b:c:d'"),
            (
                json!({ "Mounts": [{ "Type": "npipe", "Target": "/a" }] }),
                "mount type unknown: \"npipe\"",
            ),
        ] {
            let refused = all(&host_config).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }
}
