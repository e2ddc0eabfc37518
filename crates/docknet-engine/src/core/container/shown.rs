//! What an inspection shows of what a container was made with: every field that Docker always has, and its default.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A field, and what it is where nothing was asked for, as JSON; nothing if it is left out then.
type Field = (&'static str, &'static str);

/// `Config` and `HostConfig` with their defaults, in Docker's order.
pub(crate) struct Shown<'a> {
    pub(crate) fields: &'static [Field],
    pub(crate) asked: &'a Value,
}

/// `Config`.
pub(crate) const CONFIG: &[Field] = &[
    ("Hostname", "\"\""),
    ("Domainname", "\"\""),
    ("User", "\"\""),
    ("AttachStdin", "false"),
    ("AttachStdout", "false"),
    ("AttachStderr", "false"),
    ("ExposedPorts", ""),
    ("Tty", "false"),
    ("OpenStdin", "false"),
    ("StdinOnce", "false"),
    ("Env", "null"),
    ("Cmd", "null"),
    ("Healthcheck", ""),
    ("ArgsEscaped", ""),
    ("Image", "\"\""),
    ("Volumes", "null"),
    ("WorkingDir", "\"\""),
    ("Entrypoint", "null"),
    ("NetworkDisabled", ""),
    ("MacAddress", ""),
    ("OnBuild", "null"),
    ("Labels", "{}"),
    ("StopSignal", ""),
    ("StopTimeout", ""),
    ("Shell", ""),
];

/// `HostConfig`.
pub(crate) const HOST_CONFIG: &[Field] = &[
    ("Binds", "null"),
    ("ContainerIDFile", "\"\""),
    ("LogConfig", "{\"Type\":\"json-file\",\"Config\":{}}"),
    ("NetworkMode", "\"\""),
    ("PortBindings", "null"),
    ("RestartPolicy", "{\"Name\":\"no\",\"MaximumRetryCount\":0}"),
    ("AutoRemove", "false"),
    ("VolumeDriver", "\"\""),
    ("VolumesFrom", "null"),
    ("ConsoleSize", "[0,0]"),
    ("Annotations", ""),
    ("CapAdd", "null"),
    ("CapDrop", "null"),
    ("CgroupnsMode", "\"private\""),
    ("Dns", "null"),
    ("DnsOptions", "null"),
    ("DnsSearch", "null"),
    ("ExtraHosts", "null"),
    ("GroupAdd", "null"),
    ("IpcMode", "\"private\""),
    ("Cgroup", "\"\""),
    ("Links", "null"),
    ("OomScoreAdj", "0"),
    ("PidMode", "\"\""),
    ("Privileged", "false"),
    ("PublishAllPorts", "false"),
    ("ReadonlyRootfs", "false"),
    ("SecurityOpt", "null"),
    ("StorageOpt", ""),
    ("Tmpfs", ""),
    ("UTSMode", "\"\""),
    ("UsernsMode", "\"\""),
    ("ShmSize", "67108864"),
    ("Sysctls", ""),
    ("Runtime", "\"runc\""),
    ("Isolation", "\"\""),
    ("CpuShares", "0"),
    ("Memory", "0"),
    ("NanoCpus", "0"),
    ("CgroupParent", "\"\""),
    ("BlkioWeight", "0"),
    ("BlkioWeightDevice", "null"),
    ("BlkioDeviceReadBps", "null"),
    ("BlkioDeviceWriteBps", "null"),
    ("BlkioDeviceReadIOps", "null"),
    ("BlkioDeviceWriteIOps", "null"),
    ("CpuPeriod", "0"),
    ("CpuQuota", "0"),
    ("CpuRealtimePeriod", "0"),
    ("CpuRealtimeRuntime", "0"),
    ("CpusetCpus", "\"\""),
    ("CpusetMems", "\"\""),
    ("Devices", "null"),
    ("DeviceCgroupRules", "null"),
    ("DeviceRequests", "null"),
    ("MemoryReservation", "0"),
    ("MemorySwap", "0"),
    ("MemorySwappiness", "null"),
    ("OomKillDisable", "false"),
    ("PidsLimit", "null"),
    ("Ulimits", "null"),
    ("CpuCount", "0"),
    ("CpuPercent", "0"),
    ("IOMaximumIOps", "0"),
    ("IOMaximumBandwidth", "0"),
    ("Mounts", ""),
    ("Init", ""),
    (
        "MaskedPaths",
        "[\"/proc/asound\",\"/proc/acpi\",\"/proc/interrupts\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/proc/scsi\",\"/sys/firmware\",\"/sys/devices/virtual/powercap\"]",
    ),
    (
        "ReadonlyPaths",
        "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]",
    ),
];

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, default) in self.fields {
            match self.asked.get(name).filter(|value| says_something(name, value)) {
                Some(value) => map.serialize_entry(name, value)?,
                None if default.is_empty() => {}
                None => map.serialize_entry(
                    name,
                    &serde_json::from_str::<Value>(default).unwrap_or_default(),
                )?,
            }
        }
        let known = |name: &str| self.fields.iter().any(|(field, _)| *field == name);
        for (name, value) in self.asked.as_object().into_iter().flatten() {
            if !known(name) && !value.is_null() {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

/// What is zero in Go is not asked for. A list or a map that is empty is shown as such, where Docker shows one at all.
fn says_something(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Object(map) if name == "LogConfig" => {
            map.get("Type").is_some_and(|kind| says_something("", kind))
        }
        Value::Object(map) if name == "RestartPolicy" => {
            map.get("Name").is_some_and(|kind| says_something("", kind))
        }
        Value::Object(map) => !map.is_empty() || matches!(name, "PortBindings" | "Volumes"),
        Value::Bool(_) | Value::Array(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_default_is_json() {
        for (name, default) in CONFIG.iter().chain(HOST_CONFIG) {
            assert!(default.is_empty() || serde_json::from_str::<Value>(default).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_was_asked_for_stands_among_the_defaults() {
        let asked = json!({ "Memory": 7, "LogConfig": { "Type": "" }, "Init": null, "Tmpfs": {}, "Future": 1 });
        let shown = serde_json::to_string(&Shown { fields: HOST_CONFIG, asked: &asked }).unwrap();
        assert!(
            shown.starts_with(
                r#"{"Binds":null,"ContainerIDFile":"","LogConfig":{"Config":{},"Type":"json-file"}"#
            ),
            "{shown}"
        );
        assert!(shown.contains(r#""Memory":7,"NanoCpus":0"#));
        assert!(shown.ends_with(r#""Future":1}"#));
        assert!(!shown.contains("Tmpfs") && !shown.contains("Init"));
    }
}
