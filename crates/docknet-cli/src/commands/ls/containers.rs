//! Who is connected: `docknet ls --containers`.

use std::rc::Rc;

use docknet::{Container, EndpointInfo, Network};

use super::entry::Style;
use crate::output::{columns, natural};
use crate::survey::Survey;
use crate::template::{Field, Shape, Type, Value};

/// Every endpoint of the containers.
#[derive(Debug)]
pub(super) struct Members {
    /// Sorted by the names of the containers.
    members: Vec<Member>,
}

/// A container on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Member {
    network_id: String,
    network_name: String,
    id: String,
    name: String,
    state: String,
    /// Whether it has a process now.
    runs: bool,
    mac: String,
    ipv4: String,
    ipv6: String,
    /// What it will have when it starts.
    asked: Vec<String>,
}

impl Members {
    pub(super) fn of(survey: &Survey) -> Self {
        let endpoints = survey.containers.iter().flat_map(|container| {
            let endpoints = container.endpoints().iter();
            endpoints.map(move |(name, endpoint)| member(container, name, endpoint))
        });
        let mut members: Vec<_> = endpoints.collect();
        members.sort_by(|one, other| natural(&one.name, &other.name));
        Self { members }
    }

    fn on<'a>(&'a self, id: &'a str, name: &'a str) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| match member.network_id.as_str() {
            // A container that never ran knows its networks by what it was told.
            "" => member.network_name == name || member.network_name == id,
            found => found == id,
        })
    }

    /// For templates and JSON.
    pub(super) fn value(&self, network: &Network, style: Style) -> Value {
        let members = self.on(network.id().as_str(), network.name());
        Value::list(&CONNECTED_TYPE, members.map(|member| member.value(style)).collect())
    }
}

fn member(container: &Container, network: &str, endpoint: &EndpointInfo) -> Member {
    let asked = &endpoint.asked;
    let text = |value: Option<String>| value.unwrap_or_default();
    Member {
        network_id: endpoint.network_id.to_string(),
        network_name: network.to_owned(),
        id: container.id().to_string(),
        name: container.name().to_owned(),
        state: container.status().to_string(),
        runs: container.info().is_running(),
        mac: text(endpoint.mac().map(|mac| mac.to_string())),
        ipv4: text(endpoint.ipv4().map(|ip| ip.to_string())),
        ipv6: text(endpoint.ipv6().map(|ip| ip.to_string())),
        asked: asked
            .ipv4
            .map(|ip| ip.to_string())
            .into_iter()
            .chain(asked.ipv6.map(|ip| ip.to_string()))
            .collect(),
    }
}

impl Member {
    /// `10.7.0.2, fd00::2`, or what is known of one that does not run.
    fn addresses(&self) -> String {
        let now = [&self.ipv4, &self.ipv6];
        let now = now.iter().filter_map(|ip| ip.split('/').next()).filter(|ip| !ip.is_empty());
        let mut addresses = now.collect::<Vec<_>>().join(", ");
        if addresses.is_empty() {
            addresses = self.asked.join(", ");
        }
        match (self.runs, addresses.as_str()) {
            (true, "") => "-".to_owned(),
            (true, _) => addresses,
            (false, "") => format!("({})", self.state),
            (false, _) => format!("{addresses} ({})", self.state),
        }
    }

    fn value(&self, style: Style) -> Value {
        let text = |text: &str| Value::text(style.text(text));
        let fields = [
            Value::text(style.id(&self.id)),
            text(&self.name),
            text(&self.state),
            text(&self.mac),
            text(&self.ipv4),
            text(&self.ipv6),
        ];
        Value::Struct(&CONNECTED, Rc::from(fields))
    }
}

static CONNECTED_TYPE: Type = Type::Struct(&CONNECTED);

/// With the names that docker has for the same in an inspection.
static CONNECTED: Shape = Shape {
    name: "container",
    fields: &[
        Field::of("ID", Type::Text),
        Field::of("Name", Type::Text),
        Field::of("State", Type::Text),
        Field::of("MacAddress", Type::Text),
        Field::of("IPv4Address", Type::Text),
        Field::of("IPv6Address", Type::Text),
    ],
    text: Some(|fields| match fields.get(1) {
        Some(Value::Text(name)) => name.to_string(),
        _ => String::new(),
    }),
};

/// One row a container; what a network has of its own is in the first of its rows.
pub(super) fn table(networks: &[Network], members: &Members, style: Style) -> String {
    let mut text = "NETWORK ID\tNAME\tDRIVER\tSCOPE\tCONTAINER\tADDRESSES\n".to_owned();
    for network in networks {
        let info = network.info();
        let own = [
            style.id(network.id().as_str()),
            style.text(network.name()),
            style.text(info.driver.as_str()),
            style.text(info.scope.as_str()),
        ];
        let rows = members.on(network.id().as_str(), network.name());
        add_rows(&own.join("\t"), rows, style, &mut text);
    }
    laid_out(&text)
}

fn laid_out(rows: &str) -> String {
    // The cells of a network that nobody is on are empty.
    columns(rows).lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn add_rows<'a>(
    own: &str,
    members: impl Iterator<Item = &'a Member>,
    style: Style,
    text: &mut String,
) {
    let mut own = Some(own);
    for member in members {
        text.push_str(own.take().unwrap_or("\t\t\t"));
        let (name, addresses) = (style.text(&member.name), member.addresses());
        text.push_str(&format!("\t{name}\t{addresses}\n"));
    }
    if let Some(own) = own {
        text.push_str(own);
        text.push_str("\t\t\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(network_id: &str, name: &str, ipv4: &str) -> Member {
        Member {
            network_id: network_id.to_owned(),
            network_name: "backend".to_owned(),
            name: name.to_owned(),
            ipv4: ipv4.to_owned(),
            state: "running".to_owned(),
            runs: true,
            ..Member::default()
        }
    }

    #[test]
    fn a_row_a_container_and_the_network_in_the_first() {
        let members = [
            Member { ipv6: "fd00::2/64".to_owned(), ..member("8dc8", "web", "10.7.0.2/24") },
            Member {
                runs: false,
                state: "exited".to_owned(),
                asked: vec!["10.7.0.9".to_owned()],
                ..member("8dc8", "db", "")
            },
            member("8dc8", "idle", ""),
        ];
        let style = Style { whole_ids: false, escapes: true };
        let mut text = String::new();
        add_rows("8dc8\tbackend\tbridge\tlocal", members.iter(), style, &mut text);
        add_rows("30b9\tnone\tnull\tlocal", [].iter(), style, &mut text);
        insta::assert_snapshot!(laid_out(&text), @r"
        8dc8      backend   bridge    local     web       10.7.0.2, fd00::2
                                                db        10.7.0.9 (exited)
                                                idle      -
        30b9      none      null      local
        ");
    }

    #[test]
    fn a_container_that_never_ran_is_found_by_the_name_of_its_network() {
        let members =
            Members { members: vec![member("", "new", ""), member("8dc8", "old", "10.7.0.2/24")] };
        let names = |id: &str, name: &str| {
            members.on(id, name).map(|member| member.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names("8dc8", "backend"), ["new", "old"]);
        assert_eq!(names("backend", "other"), ["new"]);
        assert_eq!(names("9999", "backend2"), [""; 0]);
    }
}
