//! What else Docker's API has. An engine for networks says so, and does not pretend.

use http::StatusCode;
use serde_json::json;

use crate::api::Outcome;
use crate::api::answer::Answer;
use crate::api::route::not_found;
use crate::core::refusal::Refusal;

const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

/// What is below these needs a swarm.
const OF_A_SWARM: [&str; 5] = ["configs", "nodes", "secrets", "services", "tasks"];
/// What is below these is no matter of networks.
const OF_OTHERS: [&str; 11] = [
    "build",
    "commit",
    "containers",
    "distribution",
    "grpc",
    "images",
    "plugins",
    "session",
    "swarm",
    "system",
    "volumes",
];

/// Answers what no handler does: `503` where Docker wants a swarm, `501` for what Docker does and docknet does not, `404`
/// for paths that are none.
pub(in crate::api) fn elsewhere(method: &str, path: &str) -> Outcome {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match (method, path) {
        ("GET", "/swarm" | "/swarm/unlockkey") | ("POST", "/swarm/update" | "/swarm/unlock") => {
            return Err(Refusal::Worded(503, NO_MANAGER.to_owned()));
        }
        ("POST", "/swarm/leave") => {
            return Err(Refusal::Worded(503, "This node is not part of a swarm".to_owned()));
        }
        ("GET", "/volumes") => {
            let none: [(); 0] = [];
            return Ok(Answer::json(StatusCode::OK, &json!({ "Volumes": none, "Warnings": null })));
        }
        ("GET", "/plugins") => return Ok(Answer::json(StatusCode::OK, &json!([]))),
        ("POST", "/volumes/prune") => {
            return Ok(Answer::json(
                StatusCode::OK,
                &json!({ "VolumesDeleted": null, "SpaceReclaimed": 0 }),
            ));
        }
        ("POST", "/build/prune") => {
            return Ok(Answer::json(
                StatusCode::OK,
                &json!({ "CachesDeleted": null, "SpaceReclaimed": 0 }),
            ));
        }
        ("POST", "/auth") => {
            return Err(Refusal::Worded(
                501,
                "docknet asks no registry, so there is nobody to log in to".to_owned(),
            ));
        }
        ("GET", plugin) if plugin.starts_with("/plugins/") && plugin.ends_with("/json") => {
            let name = plugin.trim_start_matches("/plugins/").trim_end_matches("/json");
            return Err(Refusal::Worded(404, format!("plugin {name:?} not found")));
        }
        ("GET", volume) if volume.starts_with("/volumes/") => {
            let name = volume.trim_start_matches("/volumes/");
            return Err(Refusal::Worded(404, format!("get {name}: no such volume")));
        }
        _ => {}
    }
    match first {
        _ if !matches!(method, "GET" | "POST" | "PUT" | "DELETE") => Err(not_found()),
        group if OF_A_SWARM.contains(&group) => Err(Refusal::Worded(503, NO_MANAGER.to_owned())),
        group if OF_OTHERS.contains(&group) => Err(not_done(method, path)),
        _ => Err(not_found()),
    }
}

/// What Docker does and this engine does not.
pub(in crate::api) fn not_done(method: &str, path: &str) -> Refusal {
    Refusal::Worded(
        501,
        format!(
            "docknet does not do {method} {path}: it is an engine for networks, and its containers are there to be on them"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn what_is_elsewhere_is_said_as_it_is() {
        for (method, path, status) in [
            ("POST", "/build", 501),
            ("POST", "/session", 501),
            ("POST", "/swarm/init", 501),
            ("GET", "/containers/x/archive", 501),
            ("POST", "/volumes/create", 501),
            ("GET", "/swarm", 503),
            ("POST", "/swarm/leave", 503),
            ("GET", "/nodes", 503),
            ("POST", "/services/create", 503),
            ("GET", "/volumes/v", 404),
            ("GET", "/nosuch", 404),
            ("PUT", "/networks/bridge", 404),
            ("PATCH", "/volumes", 404),
        ] {
            let Err(refusal) = elsewhere(method, path) else { panic!("{method} {path} was done") };
            assert_eq!(refusal.answer(Profile::Docker28).0, status, "{method} {path}");
        }
        assert!(elsewhere("GET", "/volumes").is_ok());
    }
}
