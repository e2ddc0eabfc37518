//! Answers as an engine writes them, always the same.

use std::fmt::Write as _;

/// How many containers each network has.
const CONTAINERS: usize = 10;

/// A whole answer, head and body, for this target of a request; 404 for any other.
pub fn answer(target: &str, networks: usize) -> Vec<u8> {
    let (path, _query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.strip_prefix("/v1.").and_then(|rest| rest.split_once('/')) {
        Some((_version, rest)) => rest,
        None => path.trim_start_matches('/'),
    };
    match path {
        "_ping" => http("200 OK", "Api-Version: 1.51\r\nServer: Docker/28.5.2 (linux)\r\n", "OK"),
        "version" => json(r#"{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}"#),
        "networks" => json(&list(networks)),
        one if one.starts_with("networks/") => json(&network(0)),
        _ => http(
            "404 Not Found",
            "Content-Type: application/json\r\n",
            r#"{"message":"page not found"}"#,
        ),
    }
}

fn json(body: &str) -> Vec<u8> {
    let headers = "Api-Version: 1.51\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\n\
                   Ostype: linux\r\nServer: Docker/28.5.2 (linux)\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n";
    http("200 OK", headers, body)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn list(networks: usize) -> String {
    let all: Vec<_> = (0..networks).map(network).collect();
    format!("[{}]\n", all.join(","))
}

/// About 3 KB, as Docker 28 writes it.
fn network(number: usize) -> String {
    let (high, low) = (number / 256 % 256, number % 256);
    let mut containers = String::new();
    for container in 0..CONTAINERS {
        let _ = write!(
            containers,
            r#"{}"{:064x}":{{"Name":"shop_worker_{container}","EndpointID":"{:064x}","MacAddress":"02:42:0a:{high:02x}:{low:02x}:{:02x}","IPv4Address":"10.{high}.{low}.{}/24","IPv6Address":""}}"#,
            if container == 0 { "" } else { "," },
            0x9e37_79b9_7f4a_7c15_u128 * (number * CONTAINERS + container + 1) as u128,
            0xc2b2_ae3d_27d4_eb4f_u128 * (number * CONTAINERS + container + 1) as u128,
            container + 2,
            container + 2,
        );
    }
    format!(
        r#"{{"Name":"shop_backend_{number}","Id":"{:064x}","Created":"2026-11-24T09:12:{:02}.483920174Z","Scope":"local","Driver":"bridge","EnableIPv4":true,"EnableIPv6":false,"IPAM":{{"Driver":"default","Options":{{}},"Config":[{{"Subnet":"10.{high}.{low}.0/24","Gateway":"10.{high}.{low}.1"}}]}},"Internal":false,"Attachable":false,"Ingress":false,"ConfigFrom":{{"Network":""}},"ConfigOnly":false,"Containers":{{{containers}}},"Options":{{"com.docker.network.bridge.name":"br-shop{number}","com.docker.network.driver.mtu":"1500"}},"Labels":{{"com.docker.compose.network":"backend","com.docker.compose.project":"shop{number}","com.docker.compose.version":"2.40.3"}}}}"#,
        0xff51_afd7_ed55_8ccd_u128 * (number + 1) as u128,
        number % 60,
    )
}
