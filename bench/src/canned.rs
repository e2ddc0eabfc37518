//! Answers as an engine writes them, always the same.

use std::fmt::Write as _;

/// What the engine has.
#[derive(Clone, Copy)]
pub struct Held {
    pub networks: usize,
    /// How many containers each network has.
    pub members: usize,
}

/// A whole answer, head and body, to a request of this method and target; 404 to any other.
pub fn answer(request: &str, held: Held) -> Vec<u8> {
    let (method, target) = request.split_once(' ').unwrap_or(("GET", request));
    let (path, _query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.strip_prefix("/v1.").and_then(|rest| rest.split_once('/')) {
        Some((_version, rest)) => rest,
        None => path.trim_start_matches('/'),
    };
    match (method, path) {
        ("HEAD", "_ping") => http("200 OK", PING, ""),
        (_, "_ping") => http("200 OK", PING, "OK"),
        (_, "version") => {
            json("200 OK", r#"{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}"#)
        }
        (_, "networks") => json("200 OK", &list(held.networks, |number| network(number, held))),
        (_, "networks/create") => {
            json("201 Created", &format!(r#"{{"Id":"{}","Warning":""}}"#, id(1)))
        }
        ("DELETE", _) => b"HTTP/1.1 204 No Content\r\nApi-Version: 1.51\r\n\r\n".to_vec(),
        (_, one) if one.starts_with("networks/") => json("200 OK", &network(0, held)),
        (_, "containers/json") => json("200 OK", &list(held.members, listed)),
        (_, one) if one.starts_with("containers/") => json("200 OK", &inspected(0)),
        _ => json("404 Not Found", r#"{"message":"page not found"}"#),
    }
}

const PING: &str = "Api-Version: 1.51\r\nServer: Docker/28.5.2 (linux)\r\n";

fn json(status: &str, body: &str) -> Vec<u8> {
    let headers = "Api-Version: 1.51\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\n\
                   Ostype: linux\r\nServer: Docker/28.5.2 (linux)\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n";
    http(status, headers, body)
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn list(many: usize, one: impl Fn(usize) -> String) -> String {
    let all: Vec<_> = (0..many).map(one).collect();
    format!("[{}]\n", all.join(","))
}

fn id(number: usize) -> String {
    format!("{:064x}", 0x9e37_79b9_7f4a_7c15_u128 * number as u128)
}

/// About 3 KB with ten containers, as Docker 28 writes it.
fn network(number: usize, held: Held) -> String {
    let (high, low) = (number / 256 % 256, number % 256);
    let mut containers = String::new();
    for container in 0..held.members {
        let _ = write!(
            containers,
            r#"{}"{}":{{"Name":"shop_worker_{container}","EndpointID":"{:064x}","MacAddress":"02:42:0a:{high:02x}:{low:02x}:{:02x}","IPv4Address":"10.{high}.{low}.{}/24","IPv6Address":""}}"#,
            if container == 0 { "" } else { "," },
            id(number * held.members + container + 1),
            0xc2b2_ae3d_27d4_eb4f_u128 * (number * held.members + container + 1) as u128,
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

/// A container as a list has it.
fn listed(number: usize) -> String {
    format!(
        r#"{{"Id":"{}","Names":["/shop_worker_{number}"],"Image":"busybox","ImageID":"sha256:{}","Command":"sleep 1d","Created":1764000000,"Ports":[],"Labels":{{"com.docker.compose.project":"shop"}},"State":"running","Status":"Up 2 hours","HostConfig":{{"NetworkMode":"shop_backend_0"}},"NetworkSettings":{{"Networks":{{"shop_backend_0":{}}}}},"Mounts":[]}}"#,
        id(number + 1),
        id(7),
        endpoint(number),
    )
}

/// A container by itself.
fn inspected(number: usize) -> String {
    format!(
        r#"{{"Id":"{}","Created":"2026-11-24T09:12:00.483920174Z","Path":"sleep","Args":["1d"],"State":{{"Status":"running","Running":true,"Pid":4242,"ExitCode":0}},"Image":"sha256:{}","Name":"/shop_worker_{number}","Config":{{"Hostname":"worker","Image":"busybox","Labels":{{"com.docker.compose.project":"shop"}}}},"HostConfig":{{"NetworkMode":"shop_backend_0"}},"NetworkSettings":{{"Networks":{{"shop_backend_0":{}}}}}}}"#,
        id(number + 1),
        id(7),
        endpoint(number),
    )
}

fn endpoint(number: usize) -> String {
    format!(
        r#"{{"IPAMConfig":null,"Links":null,"Aliases":null,"MacAddress":"02:42:0a:00:00:02","DriverOpts":null,"NetworkID":"{}","EndpointID":"{}","Gateway":"10.0.0.1","IPAddress":"10.0.0.2","IPPrefixLen":24,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"DNSNames":["shop_worker_{number}"]}}"#,
        id(3),
        id(number + 100),
    )
}
