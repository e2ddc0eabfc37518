//! Networks and who is connected, as they are seen while they change.

mod frame;
mod screen;

use std::collections::BTreeMap;

pub(crate) use self::frame::frame;
pub(crate) use self::screen::Screen;
use crate::output::natural;
use crate::survey::{Survey, addresses, subnets};

/// What is shown: networks by name, with who is on them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) networks: Vec<Network>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) subnets: String,
    pub(crate) internal: bool,
    /// By the container's name.
    pub(crate) members: BTreeMap<String, Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) addresses: String,
    pub(crate) state: String,
}

impl Scene {
    pub(crate) fn of(survey: &Survey) -> Self {
        let mut networks: Vec<_> = survey
            .networks
            .iter()
            .map(|network| {
                let info = network.info();
                let members = survey.endpoints(network).map(|(container, endpoint)| {
                    let addresses = addresses(endpoint).join(", ");
                    (
                        container.name().to_owned(),
                        Member { addresses, state: container.status().to_string() },
                    )
                });
                Network {
                    id: network.short_id().to_owned(),
                    name: network.name().to_owned(),
                    driver: info.driver.to_string(),
                    subnets: subnets(info).join(", "),
                    internal: info.internal,
                    members: members.collect(),
                }
            })
            .collect();
        networks.sort_by(|one, other| natural(&one.name, &other.name));
        Self { networks }
    }

    /// What is otherwise than it was: networks by id, and members of networks by id and name.
    pub(crate) fn changes(&self, before: &Self) -> Changes {
        let old: BTreeMap<_, _> =
            before.networks.iter().map(|network| (&network.id, network)).collect();
        let mut changes = Changes::default();
        for network in &self.networks {
            let Some(old) = old.get(&network.id) else {
                changes.networks.push(network.id.clone());
                continue;
            };
            for (name, member) in &network.members {
                if old.members.get(name) != Some(member) {
                    changes.members.push((network.id.clone(), name.clone()));
                }
            }
            if old.members.keys().any(|name| !network.members.contains_key(name)) {
                changes.networks.push(network.id.clone());
            }
        }
        changes
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    networks: Vec<String>,
    members: Vec<(String, String)>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(id: &str, members: &[&str]) -> Network {
        let member = |name: &&str| {
            (
                (*name).to_owned(),
                Member { addresses: "10.7.0.2".to_owned(), state: "running".to_owned() },
            )
        };
        Network {
            id: id.to_owned(),
            name: id.to_owned(),
            driver: "bridge".to_owned(),
            subnets: "10.7.0.0/24".to_owned(),
            internal: false,
            members: members.iter().map(member).collect(),
        }
    }

    #[test]
    fn changes_are_what_came_and_where_somebody_went() {
        let before = Scene { networks: vec![network("a", &["x"]), network("b", &["x"])] };
        let after = Scene {
            networks: vec![network("a", &["x", "y"]), network("b", &[]), network("c", &["z"])],
        };
        let changes = after.changes(&before);
        assert_eq!(changes.networks, ["b", "c"]);
        assert_eq!(changes.members, [("a".to_owned(), "y".to_owned())]);
        assert!(after.changes(&after).is_empty());
    }
}
