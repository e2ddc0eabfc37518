//! What happened, as a value and as a line on the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use docknet_types::EventKind;
use serde::{Serialize, Serializer};

use crate::Profile;

mod recorder;

pub(crate) use self::recorder::{
    ContainerRef, Ending, ImageRef, NetworkRef, Occasion, Recorder, Resize,
};

/// One event, in the form of the engine whose profile it was made for.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) action: Cow<'static, str>,
    /// The id of what it is about; empty for a prune.
    pub(crate) id: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) scope: &'static str,
    /// Nanoseconds since 1970.
    pub(crate) time_nano: i64,
    profile: Profile,
    line: OnceLock<Bytes>,
}

impl Event {
    /// The event as JSON with a line feed, as Go's encoder writes it. Made once, however many listen.
    pub(crate) fn line(&self) -> Bytes {
        self.line.get_or_init(|| go_line(self)).clone()
    }

    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }

    /// Docker repeats `status`, `id` and `from` for containers and images, Podman for everything.
    fn has_old_fields(&self) -> bool {
        self.profile == Profile::Podman5
            || matches!(self.kind, EventKind::Container | EventKind::Image)
    }

    /// The image of a container, where there is one: the old field `from`.
    fn from(&self) -> &str {
        match self.kind {
            EventKind::Container => self.attribute("image").unwrap_or_default(),
            _ => "",
        }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(skip_serializing_if = "str::is_empty")]
            status: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            id: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            from: &'a str,
            #[serde(rename = "Type")]
            kind: &'a EventKind,
            #[serde(rename = "Action")]
            action: &'a str,
            #[serde(rename = "Actor")]
            actor: Actor<'a>,
            scope: &'static str,
            time: i64,
            #[serde(rename = "timeNano")]
            time_nano: i64,
        }

        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Actor<'a> {
            #[serde(rename = "ID")]
            id: &'a str,
            attributes: &'a BTreeMap<String, String>,
        }

        let old = self.has_old_fields();
        Wire {
            status: if old { &self.action } else { "" },
            id: if old { &self.id } else { "" },
            from: if old { self.from() } else { "" },
            kind: &self.kind,
            action: &self.action,
            actor: Actor { id: &self.id, attributes: &self.attributes },
            scope: self.scope,
            time: self.time_nano.div_euclid(1_000_000_000),
            time_nano: self.time_nano,
        }
        .serialize(serializer)
    }
}

/// Go writes `<`, `>`, `&` and two line separators as escapes. They occur in strings only, so the text can be searched.
fn go_line(event: &Event) -> Bytes {
    let json = serde_json::to_string(event).unwrap_or_default();
    let mut line = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match c {
            '<' => line.push_str("\\u003c"),
            '>' => line.push_str("\\u003e"),
            '&' => line.push_str("\\u0026"),
            '\u{2028}' => line.push_str("\\u2028"),
            '\u{2029}' => line.push_str("\\u2029"),
            c => line.push(c),
        }
    }
    line.push('\n');
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(profile: Profile, kind: EventKind) -> Event {
        Event {
            kind,
            action: "create".into(),
            id: "8dc8".into(),
            attributes: BTreeMap::from([
                ("image".into(), "busybox".into()),
                ("name".into(), "n1".into()),
            ]),
            scope: "local",
            time_nano: 1_795_572_710_665_777_424,
            profile,
            line: OnceLock::new(),
        }
    }

    fn line(event: &Event) -> String {
        String::from_utf8(event.line().to_vec()).unwrap()
    }

    #[test]
    fn an_event_of_a_network_has_no_old_fields_on_docker() {
        assert_eq!(
            line(&event(Profile::Docker28, EventKind::Network)),
            concat!(
                r#"{"Type":"network","Action":"create","Actor":{"ID":"8dc8","Attributes":{"image":"busybox","name":"n1"}},"#,
                r#""scope":"local","time":1795572710,"timeNano":1795572710665777424}"#,
                "\n"
            )
        );
    }

    #[test]
    fn the_old_fields_come_first_and_in_dockers_order() {
        let container = line(&event(Profile::Docker28, EventKind::Container));
        assert!(
            container.starts_with(r#"{"status":"create","id":"8dc8","from":"busybox","Type":"#)
        );
        let image = line(&event(Profile::Docker28, EventKind::Image));
        assert!(image.starts_with(r#"{"status":"create","id":"8dc8","Type":"image","#));
        let podman = line(&event(Profile::Podman5, EventKind::Network));
        assert!(podman.starts_with(r#"{"status":"create","id":"8dc8","Type":"network","#));
    }

    #[test]
    fn an_action_is_escaped_as_go_does() {
        let mut event = event(Profile::Docker28, EventKind::Container);
        event.action = "exec_create: sh -c a<b && c>\u{2028}d".into();
        let line = line(&event);
        assert!(
            line.contains(r#""Action":"exec_create: sh -c a\u003cb \u0026\u0026 c\u003e\u2028d""#)
        );
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["Action"], *event.action);
    }

    #[test]
    fn the_sdk_reads_what_the_engine_writes() {
        let event = event(Profile::Docker28, EventKind::Network);
        let read: docknet_types::Event = serde_json::from_slice(&event.line()).unwrap();
        assert_eq!((read.id, read.time_nano), (event.id, event.time_nano));
    }
}
