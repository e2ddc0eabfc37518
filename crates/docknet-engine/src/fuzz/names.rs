//! Networks of any name: made, found, listed, removed.

use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::lab::Lab;
use super::profile;
use crate::Profile;

/// The first byte is the engine; then names, with zeros between them.
pub fn names(data: &[u8]) {
    let (profile, rest) = profile(data);
    let text = String::from_utf8_lossy(rest);
    let lab = Lab::new(profile);
    let mut made: Vec<(String, String)> = Vec::new();
    for name in text.split('\0').take(8) {
        let reply = lab.call("POST", "/networks/create", json!({ "Name": name }).to_string());
        let is_free = !made.iter().any(|(_, other)| other == name);
        if reply.status == 201 {
            assert!(is_free || profile == Profile::Docker20_10, "{name:?} is made twice");
            made.push((text_of(&reply.json, "Id"), name.to_owned()));
        } else if profile != Profile::Podman5 {
            let may =
                !name.trim().is_empty() && !matches!(name, "bridge" | "host" | "none" | "default");
            assert!(!may || !is_free, "{name:?} is refused: {reply:?}");
        }
    }
    lab.check();
    let mut terms: Vec<String> = made.iter().map(|(_, name)| name.clone()).collect();
    terms.extend(made.iter().map(|(id, _)| id.clone()));
    terms.extend(made.iter().filter_map(|(id, _)| id.get(..12).map(str::to_owned)));
    terms.extend(made.iter().filter_map(|(id, _)| id.get(..1).map(str::to_owned)));
    for term in &terms {
        find(&lab, term);
    }
    listed(&lab, &made);
    for term in terms.iter().rev().take(made.len() * 3) {
        remove(&lab, term);
    }
    lab.check();
}

fn text_of(json: &Value, key: &str) -> String {
    json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The network that a term means: an id, a name, the beginning of an id.
fn meant(lab: &Lab, term: &str) -> Result<String, u16> {
    let state = lab.state();
    let all: Vec<(String, String)> = state
        .networks()
        .map(|network| (network.id.to_string(), network.config.name.clone()))
        .collect();
    let only = |found: Vec<&(String, String)>| match found.as_slice() {
        [] => Err(404),
        [(id, _)] => Ok(id.clone()),
        _ => Err(400),
    };
    if let Some((id, _)) = all.iter().find(|(id, _)| id == term) {
        return Ok(id.clone());
    }
    let named: Vec<_> = all.iter().filter(|(_, name)| name == term).collect();
    if !named.is_empty() {
        return only(named);
    }
    only(all.iter().filter(|(id, _)| id.starts_with(term)).collect())
}

/// The path of a network; none if a router would send the client elsewhere, or the name does not fit into a path.
fn path(term: &str) -> Option<String> {
    let is_clean = term.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let path = format!("/networks/{}", utf8_percent_encode(term, NON_ALPHANUMERIC));
    (is_clean && path.parse::<Uri>().is_ok()).then_some(path)
}

fn find(lab: &Lab, term: &str) {
    let Some(path) = path(term) else { return };
    let reply = lab.call("GET", &path, "");
    match meant(lab, term) {
        Ok(id) => {
            assert_eq!((reply.status, text_of(&reply.json, "Id")), (200, id), "{term:?}");
        }
        Err(status) => {
            let podman = lab.profile == Profile::Podman5;
            assert!(podman || reply.status == status, "{term:?}: {reply:?}");
        }
    }
}

fn listed(lab: &Lab, made: &[(String, String)]) {
    let ids = |reply: &super::lab::Reply| -> Vec<String> {
        let list = reply.json.as_array().into_iter().flatten();
        list.map(|network| text_of(network, "Id")).collect()
    };
    let all = ids(&lab.call("GET", "/networks", ""));
    for (id, name) in made {
        assert_eq!(all.iter().filter(|other| *other == id).count(), 1, "{name:?} in the list");
        let filters = json!({ "name": [name] }).to_string();
        let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
        let target = format!("/networks?filters={filters}");
        if target.parse::<Uri>().is_ok() {
            let found = ids(&lab.call("GET", &target, ""));
            assert!(found.contains(id), "{name:?} is not listed by its name");
        }
    }
}

fn remove(lab: &Lab, term: &str) {
    let Some(path) = path(term) else { return };
    let before = lab.state().networks().count();
    let meant = meant(lab, term);
    let reply = lab.call("DELETE", &path, "");
    let gone = before - lab.state().networks().count();
    assert_eq!(gone, usize::from(reply.status == 204), "{term:?}: {reply:?}");
    if let Ok(id) = meant
        && reply.status == 204
    {
        let reply = lab.call("GET", &format!("/networks/{id}"), "");
        assert_eq!(reply.status, 404, "{term:?} is still there");
    }
}
