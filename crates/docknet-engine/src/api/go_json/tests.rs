//! What is read, and in what words the rest is refused. The words are recorded from real engines.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const DIALECTS: [Dialect; 4] =
    [Dialect::Docker20_10, Dialect::Docker26, Dialect::Docker28, Dialect::Podman5];

fn create(body: impl AsRef<[u8]>, dialect: Dialect) -> Result<Option<Value>, String> {
    read(&shapes::NETWORK_CREATE, body.as_ref(), dialect)
}

fn created(body: impl AsRef<[u8]>) -> Value {
    create(body, Dialect::Docker28).unwrap().unwrap()
}

#[test]
fn docker_28_refuses_in_the_recorded_words() {
    for (body, message) in [
        (r#"{"Name":7}"#, "number into Go struct field CreateRequest.Name of type string"),
        (r#"{"name":7}"#, "number into Go struct field CreateRequest.name of type string"),
        (
            r#"{"Labels":{"k":1}}"#,
            "number into Go struct field CreateRequest.Labels.k of type string",
        ),
        (
            r#"{"Labels":{"k":{"a":1}}}"#,
            "object into Go struct field CreateRequest.Labels.k of type string",
        ),
        (
            r#"{"Labels":{"a/~b":7}}"#,
            "number into Go struct field CreateRequest.Labels.a~1~0b of type string",
        ),
        (r#"{"Labels":{"1":7}}"#, "number into CreateRequest.Labels.1 of type string"),
        (r#"{"Labels":{"1.5":7}}"#, "number into CreateRequest.Labels.1.5 of type string"),
        (
            r#"{"Labels":{"":7}}"#,
            "number into Go struct field CreateRequest.Labels. of type string",
        ),
        (
            r#"{"Labels":["k=v"]}"#,
            "array into Go struct field CreateRequest.Labels of type map[string]string",
        ),
        (
            r#"{"Internal":"true"}"#,
            "string into Go struct field CreateRequest.Internal of type bool",
        ),
        (
            r#"{"EnableIPv6":"x"}"#,
            "string into Go struct field CreateRequest.EnableIPv6 of type bool",
        ),
        (
            r#"{"IPAM":"default"}"#,
            "string into Go struct field CreateRequest.IPAM of type network.IPAM",
        ),
        (
            r#"{"IPAM":{"Config":{"Subnet":"10.0.0.0/24"}}}"#,
            "object into Go struct field CreateRequest.IPAM.Config of type []network.IPAMConfig",
        ),
        (
            r#"{"IPAM":{"Config":[{"Subnet":10}]}}"#,
            "number into Go struct field CreateRequest.IPAM.Config.0.Subnet of type string",
        ),
        (
            r#"{"IPAM":{"Config":[7]}}"#,
            "number into CreateRequest.IPAM.Config.0 of type network.IPAMConfig",
        ),
        (
            r#"{"Labels":7,"Name":8}"#,
            "number into Go struct field CreateRequest.Labels of type map[string]string",
        ),
        ("[]", "array into Go value of type network.CreateRequest"),
        (r#""g""#, "string into Go value of type network.CreateRequest"),
        ("7", "number into Go value of type network.CreateRequest"),
    ] {
        assert_eq!(
            create(body, Dialect::Docker28),
            Err(format!("invalid JSON: json: cannot unmarshal {message}")),
            "{body}"
        );
    }
}

#[test]
fn keys_in_errors_are_as_they_were_sent() {
    for (body, message) in [
        (
            r#"{"Labels":{"a":"b"},"Labels":7}"#,
            "Go struct field CreateRequest.Labels of type map[string]string",
        ),
        (r#"{"Name":7}x"#, "Go struct field CreateRequest.Name of type string"),
        (r#"{"Labels":{"a.1":7}}"#, "CreateRequest.Labels.a.1 of type string"),
        (
            r#"{"Options":{"\u00e9\ud800":7}}"#,
            "Go struct field CreateRequest.Options.é\u{fffd} of type string",
        ),
        (r#"{"\u004eame":7}"#, "Go struct field CreateRequest.Name of type string"),
        (r#"{"Options":{"\u002f":7}}"#, "Go struct field CreateRequest.Options.~1 of type string"),
        (
            r#"{"ConfigFrom":7}"#,
            "Go struct field CreateRequest.ConfigFrom of type network.ConfigReference",
        ),
        (
            r#"{"IPAM":{"Config":[null,{"Subnet":7}]}}"#,
            "Go struct field CreateRequest.IPAM.Config.1.Subnet of type string",
        ),
        (r#"{"labelſ":7}"#, "Go struct field CreateRequest.labelſ of type map[string]string"),
        (r#"{"LABELS":7}"#, "Go struct field CreateRequest.LABELS of type map[string]string"),
    ] {
        assert_eq!(
            create(body, Dialect::Docker28),
            Err(format!("invalid JSON: json: cannot unmarshal number into {message}")),
            "{body}"
        );
    }
}

#[test]
fn earlier_engines_refuse_in_the_recorded_words() {
    for (body, short, long) in [
        (
            r#"{"Name":7}"#,
            "number into Go struct field NetworkCreateRequest.Name of type string",
            None,
        ),
        (
            r#"{"labels":{"k":1}}"#,
            "number into Go struct field NetworkCreateRequest.Labels of type string",
            Some(
                "number into Go struct field NetworkCreateRequest.NetworkCreate.Labels of type string",
            ),
        ),
        (
            r#"{"IPAM":{"Config":{}}}"#,
            "object into Go struct field IPAM.IPAM.Config of type []network.IPAMConfig",
            Some(
                "object into Go struct field IPAM.NetworkCreate.IPAM.Config of type []network.IPAMConfig",
            ),
        ),
        (
            r#"{"IPAM":{"Config":[{"Subnet":10}]}}"#,
            "number into Go struct field IPAMConfig.IPAM.Config.Subnet of type string",
            Some(
                "number into Go struct field IPAMConfig.NetworkCreate.IPAM.Config.Subnet of type string",
            ),
        ),
        (
            r#"{"IPAM":{"Config":[7]}}"#,
            "number into Go struct field IPAM.IPAM.Config of type network.IPAMConfig",
            Some(
                "number into Go struct field IPAM.NetworkCreate.IPAM.Config of type network.IPAMConfig",
            ),
        ),
        ("[]", "array into Go value of type types.NetworkCreateRequest", None),
    ] {
        let cause = "json: cannot unmarshal";
        let long = long.unwrap_or(short);
        assert_eq!(create(body, Dialect::Docker20_10), Err(format!("{cause} {short}")));
        assert_eq!(create(body, Dialect::Docker26), Err(format!("invalid JSON: {cause} {long}")));
        assert_eq!(create(body, Dialect::Podman5), Err(format!("Decode(): {cause} {long}")));
    }
}

#[test]
fn what_is_no_json_is_refused_in_the_recorded_words() {
    for (body, at_28, at_26) in [
        ("{", "unexpected EOF", None),
        (" ", "got EOF while reading request body", None),
        ("foo", "invalid character 'o' in literal false (expecting 'a')", None),
        (
            "é",
            "invalid character 'é' looking for beginning of value",
            Some("invalid character 'Ã' looking for beginning of value"),
        ),
        (
            "\u{feff}{}",
            r"invalid character '\ufeff' looking for beginning of value",
            Some("invalid character 'ï' looking for beginning of value"),
        ),
        (
            r#""\x""#,
            r"invalid escape sequence `\x` in string",
            Some("invalid character 'x' in string escape code"),
        ),
    ] {
        assert_eq!(create(body, Dialect::Docker28), Err(format!("invalid JSON: {at_28}")));
        let at_26 = at_26.unwrap_or(at_28);
        assert_eq!(create(body, Dialect::Docker26), Err(format!("invalid JSON: {at_26}")));
        assert_eq!(create(body, Dialect::Docker20_10), Err(at_26.to_owned()));
    }
    let deep = format!("{{\"IPAM\":{}", "[".repeat(20_000));
    assert_eq!(create(&deep, Dialect::Docker28), Err("invalid JSON: exceeded max depth".into()));
    assert_eq!(
        create(&deep, Dialect::Docker20_10),
        Err("invalid character '[' exceeded max depth".into())
    );
}

#[test]
fn an_empty_body_is_nothing_read_where_docker_has_it_so() {
    assert_eq!(create("", Dialect::Docker28), Ok(None));
    assert_eq!(create("", Dialect::Docker26), Ok(None));
    let refused = "got EOF while reading request body";
    assert_eq!(create("", Dialect::Docker20_10), Err(refused.into()));
    assert_eq!(create("", Dialect::Podman5), Err("Decode(): EOF".into()));
    assert_eq!(
        read::<Value>(&shapes::CONTAINER_CREATE, b"", Dialect::Docker28),
        Err(format!("invalid JSON: {refused}"))
    );
}

#[test]
fn what_follows_the_value_is_refused_by_new_engines() {
    let refused = Err("unexpected content after JSON".into());
    for body in [r#"{"Name":"g"}x"#, r#"{"Name":"g"}{"Name":"g"}"#] {
        assert_eq!(create(body, Dialect::Docker28), refused);
        assert_eq!(create(body, Dialect::Docker26), refused);
        assert_eq!(create(body, Dialect::Docker20_10), Ok(Some(json!({"Name": "g"}))));
        assert_eq!(create(body, Dialect::Podman5), Ok(Some(json!({"Name": "g"}))));
    }
    // Go asks whether there is another element, and a bracket is none.
    assert_eq!(created("{\"Name\":\"g\"}\n } x"), json!({"Name": "g"}));
    assert_eq!(created("{\"Name\":\"g\"}\n \n"), json!({"Name": "g"}));
}

#[test]
fn keys_are_found_in_any_case_and_come_out_as_the_fields_are_called() {
    assert_eq!(
        created(r#"{"name":"g","INTERNAL":true,"labelſ":{"a":"b"},"Foo":1,"bar":{}}"#),
        json!({"Name": "g", "Internal": true, "Labels": {"a": "b"}})
    );
}

#[test]
fn keys_that_come_twice_are_merged_as_go_does() {
    assert_eq!(created(r#"{"Name":"f","Name":"g"}"#), json!({"Name": "g"}));
    assert_eq!(created(r#"{"Name":"f","name":null}"#), json!({"Name": "f"}));
    assert_eq!(
        created(r#"{"Labels":{"a":"1","b":"2"},"Labels":{"a":"3","c":null}}"#),
        json!({"Labels": {"a": "3", "b": "2", "c": ""}})
    );
    assert_eq!(
        created(r#"{"IPAM":{"Driver":"x"},"IPAM":{"Options":{"a":"b"}}}"#),
        json!({"IPAM": {"Driver": "x", "Options": {"a": "b"}}})
    );
    assert_eq!(created(r#"{"Labels":{"a":"1"},"Labels":null}"#), json!({}));
    assert_eq!(created("null"), json!({}));
}

#[test]
fn fields_that_an_engine_does_not_know_are_ignored() {
    let body = r#"{"Name":"g","EnableIPv4":7}"#;
    assert_eq!(create(body, Dialect::Docker26), Ok(Some(json!({"Name": "g"}))));
    assert!(create(body, Dialect::Docker28).is_err());
}

#[test]
fn invalid_utf8_is_replaced() {
    assert_eq!(created(b"{\"Name\":\"g\xff\"}"), json!({"Name": "g\u{fffd}"}));
}

#[test]
fn containers_keep_what_is_not_known_here() {
    let container =
        |body: &str| read::<Value>(&shapes::CONTAINER_CREATE, body.as_bytes(), Dialect::Docker28);
    let body = json!({
        "Image": "a",
        "Cmd": "sh",
        "HostConfig": {"NetworkMode": "host", "Fancy": [1, -2, 1.5, {"a": null}, 1e300, u64::MAX]},
        "NetworkingConfig": {"EndpointsConfig": {"n": {"GwPriority": -3}, "m": null}},
    });
    let read = container(&body.to_string()).unwrap().unwrap();
    let mut expected = body;
    expected["Cmd"] = json!(["sh"]);
    assert_eq!(read, expected);
}

#[test]
fn containers_are_refused_in_the_words_of_a_real_engine() {
    for (body, at_28, at_26) in [
        (
            r#"{"HostConfig":{"NetworkMode":7}}"#,
            "number into Go struct field .HostConfig.NetworkMode of type container.NetworkMode",
            "number into Go struct field HostConfig.HostConfig.NetworkMode of type container.NetworkMode",
        ),
        (
            r#"{"labels":{"k":7}}"#,
            "number into Go struct field .labels.k of type string",
            "number into Go struct field ContainerConfigWrapper.Config.Labels of type string",
        ),
        (
            "7",
            "number into Go value of type container.CreateRequest",
            "number into Go value of type runconfig.ContainerConfigWrapper",
        ),
        (
            r#"{"Cmd":7}"#,
            "number into Go value of type string",
            "number into Go struct field ContainerConfigWrapper.Config.Cmd of type string",
        ),
        (
            r#"{"Cmd":[7]}"#,
            "array into Go value of type string",
            "array into Go struct field ContainerConfigWrapper.Config.Cmd of type string",
        ),
        (
            r#"{"ExposedPorts":7}"#,
            "number into Go struct field .ExposedPorts of type nat.PortSet",
            "number into Go struct field ContainerConfigWrapper.Config.ExposedPorts of type nat.PortSet",
        ),
        (
            r#"{"ExposedPorts":{"80":7}}"#,
            "number into .ExposedPorts.80 of type struct {}",
            "number into Go struct field ContainerConfigWrapper.Config.ExposedPorts of type struct {}",
        ),
        (
            r#"{"HostConfig":{"PortBindings":{"80":[7]}}}"#,
            "number into .HostConfig.PortBindings.80.0 of type nat.PortBinding",
            "number into Go struct field HostConfig.HostConfig.PortBindings of type nat.PortBinding",
        ),
        (
            r#"{"HostConfig":{"PortBindings":{"80":[{"HostPort":7}]}}}"#,
            "number into Go struct field .HostConfig.PortBindings.80.0.HostPort of type string",
            "number into Go struct field PortBinding.HostConfig.PortBindings.HostPort of type string",
        ),
        (
            r#"{"HostConfig":{"RestartPolicy":7}}"#,
            "number into Go struct field .HostConfig.RestartPolicy of type container.RestartPolicy",
            "number into Go struct field HostConfig.HostConfig.RestartPolicy of type container.RestartPolicy",
        ),
        (
            r#"{"HostConfig":{"Memory":1.5}}"#,
            "number 1.5 into Go struct field .HostConfig.Memory of type int64",
            "number 1.5 into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
        ),
        (
            r#"{"HostConfig":{"ShmSize":1e99}}"#,
            "number 1e99 into Go struct field .HostConfig.ShmSize of type int64",
            "number 1e99 into Go struct field HostConfig.HostConfig.ShmSize of type int64",
        ),
        (
            r#"{"StopTimeout":true}"#,
            "bool into Go struct field .StopTimeout of type int",
            "bool into Go struct field ContainerConfigWrapper.Config.StopTimeout of type int",
        ),
        (
            r#"{"NetworkingConfig":{"EndpointsConfig":{"a":7}}}"#,
            "number into Go struct field .NetworkingConfig.EndpointsConfig.a of type network.EndpointSettings",
            "number into Go struct field NetworkingConfig.NetworkingConfig.EndpointsConfig of type network.EndpointSettings",
        ),
        (
            r#"{"NetworkingConfig":{"EndpointsConfig":{"a":{"IPAMConfig":{"LinkLocalIPs":[7]}}}}}"#,
            "number into .NetworkingConfig.EndpointsConfig.a.IPAMConfig.LinkLocalIPs.0 of type string",
            "number into Go struct field EndpointIPAMConfig.NetworkingConfig.EndpointsConfig.IPAMConfig.LinkLocalIPs of type string",
        ),
    ] {
        for (dialect, message) in [(Dialect::Docker28, at_28), (Dialect::Docker26, at_26)] {
            assert_eq!(
                read::<Value>(&shapes::CONTAINER_CREATE, body.as_bytes(), dialect),
                Err(format!("invalid JSON: json: cannot unmarshal {message}")),
            );
        }
    }
}

#[test]
fn endpoints_and_execs_are_refused_in_the_recorded_words() {
    let refusal =
        |shape, body: &str, dialect| read::<Value>(shape, body.as_bytes(), dialect).unwrap_err();
    let cause = "invalid JSON: json: cannot unmarshal";
    for (shape, body, at_28, at_26) in [
        (
            &shapes::NETWORK_CONNECT,
            r#"{"EndpointConfig":{"Aliases":"web"}}"#,
            "string into Go struct field ConnectOptions.EndpointConfig.Aliases of type []string",
            "string into Go struct field EndpointSettings.EndpointConfig.Aliases of type []string",
        ),
        (
            &shapes::NETWORK_CONNECT,
            r#"{"Container":7}"#,
            "number into Go struct field ConnectOptions.Container of type string",
            "number into Go struct field NetworkConnect.Container of type string",
        ),
        (
            &shapes::NETWORK_CONNECT,
            r#"{"EndpointConfig":[]}"#,
            "array into Go struct field ConnectOptions.EndpointConfig of type network.EndpointSettings",
            "array into Go struct field NetworkConnect.EndpointConfig of type network.EndpointSettings",
        ),
        (
            &shapes::NETWORK_DISCONNECT,
            r#"{"Force":"yes"}"#,
            "string into Go struct field DisconnectOptions.Force of type bool",
            "string into Go struct field NetworkDisconnect.Force of type bool",
        ),
        (
            &shapes::EXEC_CREATE,
            r#"{"Cmd":7}"#,
            "number into Go struct field ExecOptions.Cmd of type []string",
            "number into Go struct field ExecConfig.Cmd of type []string",
        ),
        (
            &shapes::EXEC_CREATE,
            r#"{"ConsoleSize":["a"]}"#,
            "string into ExecOptions.ConsoleSize.0 of type uint",
            "string into Go struct field ExecConfig.ConsoleSize of type uint",
        ),
        (
            &shapes::EXEC_START,
            "7",
            "number into Go value of type container.ExecStartOptions",
            "number into Go value of type types.ExecStartCheck",
        ),
    ] {
        assert_eq!(refusal(shape, body, Dialect::Docker28), format!("{cause} {at_28}"));
        assert_eq!(refusal(shape, body, Dialect::Docker26), format!("{cause} {at_26}"));
    }
    let body = r#"{"EndpointConfig":{"GwPriority":"10"}}"#;
    assert_eq!(
        refusal(&shapes::NETWORK_CONNECT, body, Dialect::Docker28),
        format!(
            "{cause} string into Go struct field ConnectOptions.EndpointConfig.GwPriority of type int"
        )
    );
    assert!(read::<Value>(&shapes::NETWORK_CONNECT, body.as_bytes(), Dialect::Docker26).is_ok());
}

#[test]
fn large_bodies_are_read() {
    let label = format!(r#"{{"Name":"g","Labels":{{"k":"{}"}}}}"#, "v".repeat(20 << 20));
    assert_eq!(created(label)["Labels"]["k"].as_str().map(str::len), Some(20 << 20));
    let labels: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":\"v\"")).collect();
    let body = format!(r#"{{"Labels":{{{}}}}}"#, labels.join(","));
    assert_eq!(created(body)["Labels"].as_object().map(serde_json::Map::len), Some(100_000));
}

fn networks() -> impl Strategy<Value = Value> {
    let text = || any::<String>().prop_map(Value::from);
    let map = || {
        prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)
            .prop_map(|map| json!(map))
    };
    let pool = (text(), map())
        .prop_map(|(subnet, reserved)| json!({"Subnet": subnet, "AuxiliaryAddresses": reserved}));
    let ipam = (text(), map(), prop::collection::vec(pool, 0..3)).prop_map(
        |(driver, options, pools)| json!({"Driver": driver, "Options": options, "Config": pools}),
    );
    (text(), any::<bool>(), map(), ipam).prop_map(|(name, internal, labels, ipam)| {
        json!({"Name": name, "Internal": internal, "Labels": labels, "IPAM": ipam})
    })
}

proptest! {
    #[test]
    fn what_fits_the_shape_is_read_as_serde_json_reads_it(network in networks(), pretty in any::<bool>()) {
        let body = if pretty { serde_json::to_string_pretty(&network) } else { serde_json::to_string(&network) };
        for dialect in DIALECTS {
            prop_assert_eq!(create(body.as_ref().unwrap(), dialect), Ok(Some(network.clone())));
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in r#"(\{"(Name|IPAM|Cmd|HostConfig|labels)":)?[ \[\]{}",:0-9a-fnrtul\\.eE+-]{0,12}\}?"#) {
        for dialect in DIALECTS {
            for shape in [&shapes::NETWORK_CREATE, &shapes::CONTAINER_CREATE, &shapes::EXEC_START] {
                let result = read::<Value>(shape, value.as_bytes(), dialect);
                if let Ok(Some(read)) = result {
                    prop_assert!(read.is_object());
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        for dialect in DIALECTS {
            let result = create(&bytes, dialect);
            prop_assert!(bytes.is_empty() || result != Ok(None));
        }
    }
}
