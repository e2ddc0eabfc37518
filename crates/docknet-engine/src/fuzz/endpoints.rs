//! What a container asks of a network.

use super::lab::Lab;
use super::profile;

/// The first byte is the engine, the rest is the JSON of an `EndpointConfig`. It is asked for by a container that runs and
/// by one that does not, and at the making of a third.
pub fn endpoints(data: &[u8]) {
    let (profile, config) = profile(data);
    let lab = Lab::furnished(profile);
    lab.call("POST", "/networks/net/disconnect", r#"{"Container":"run"}"#);
    for (network, container) in
        [("net", "run"), ("net", "idle"), ("plain", "run"), ("plain", "idle")]
    {
        let body =
            [b"{\"Container\":\"", container.as_bytes(), b"\",\"EndpointConfig\":", config, b"}"];
        lab.call("POST", &format!("/networks/{network}/connect"), body.concat());
        lab.check();
    }
    let body: [&[u8]; 3] = [
        br#"{"Image":"host","HostConfig":{"NetworkMode":"net"},"NetworkingConfig":{"EndpointsConfig":{"net":"#,
        config,
        b"}}}",
    ];
    lab.call("POST", "/containers/create?name=third", body.concat());
    for (method, target) in [
        ("GET", "/networks/net?verbose=true"),
        ("POST", "/containers/idle/start"),
        ("POST", "/containers/third/start"),
        ("GET", "/containers/run/json"),
        ("GET", "/containers/idle/json"),
        ("GET", "/containers/json?all=1"),
        ("POST", "/containers/run/restart"),
        ("POST", "/containers/idle/stop"),
        ("GET", "/containers/third/json"),
        ("DELETE", "/containers/third?force=1"),
    ] {
        lab.call(method, target, "");
        lab.check();
    }
    for network in ["net", "plain"] {
        lab.call("POST", &format!("/networks/{network}/disconnect"), r#"{"Container":"run"}"#);
    }
    lab.check();
    let state = lab.state();
    let left = state.networks().find(|network| {
        matches!(network.config.name.as_str(), "net" | "plain") && !network.endpoints.is_empty()
    });
    assert!(left.is_none(), "somebody is left on {:?}", left.map(|left| &left.config.name));
}
