//! Bodies of requests, as Go reads them.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::api::go_json::{self, Dialect, Kind, Shape, shapes};
use crate::core::container::CreateBody;
use crate::core::endpoint::{Connect, Disconnect};
use crate::core::network::CreateNetwork;

/// The first byte is the shape, `0` to `5` in a corpus; the rest is the body.
pub fn bodies(data: &[u8]) {
    let (first, body) = data.split_first().unwrap_or((&0, &[]));
    let check: fn(&[u8], Dialect) = match first % 6 {
        0 => |body, dialect| read::<CreateNetwork>(&shapes::NETWORK_CREATE, body, dialect),
        1 => |body, dialect| read::<Connect>(&shapes::NETWORK_CONNECT, body, dialect),
        2 => |body, dialect| read::<Disconnect>(&shapes::NETWORK_DISCONNECT, body, dialect),
        3 => |body, dialect| read::<CreateBody>(&shapes::CONTAINER_CREATE, body, dialect),
        4 => |body, dialect| read::<Value>(&shapes::EXEC_CREATE, body, dialect),
        _ => |body, dialect| read::<Value>(&shapes::EXEC_START, body, dialect),
    };
    for dialect in DIALECTS {
        check(body, dialect);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        as_others_do(text);
    }
}

const DIALECTS: [Dialect; 4] =
    [Dialect::Docker20_10, Dialect::Docker26, Dialect::Docker28, Dialect::Podman5];

fn read<T: DeserializeOwned>(shape: &'static Shape, body: &[u8], dialect: Dialect) {
    match go_json::read::<Value>(shape, body, dialect) {
        Ok(Some(value)) => {
            // What fits the shape fits the type that is made for it; otherwise a client would see words of serde.
            let typed = go_json::read::<T>(shape, body, dialect);
            assert!(typed.is_ok(), "{dialect:?}: {:?}: {value}", typed.err());
            let again = go_json::read::<Value>(shape, value.to_string().as_bytes(), dialect);
            assert_eq!(again, Ok(Some(value)), "{dialect:?}: not the same when it is read again");
        }
        Ok(None) => assert!(body.is_empty(), "{dialect:?}: a body was overlooked"),
        Err(message) => assert!(!message.is_empty(), "{dialect:?}: a refusal without words"),
    }
}

/// What is JSON is JSON for everybody.
fn as_others_do(text: &str) {
    let depth = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    // Others stop at a depth where Go goes on.
    if depth >= 100 {
        return;
    }
    let others = serde_json::from_str::<IgnoredAny>(text).is_ok();
    for dialect in DIALECTS {
        let ours = go_json::unmarshal::<IgnoredAny>(&Kind::Any, text, dialect);
        assert_eq!(ours.is_ok(), others, "{dialect:?}: {:?}", ours.err());
    }
}
