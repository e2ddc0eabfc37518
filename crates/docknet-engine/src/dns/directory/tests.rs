use proptest::prelude::*;

use super::*;

#[test]
fn a_name_is_known_in_any_case_and_with_its_network() {
    let directory = directory();
    let found = addresses(&["10.0.0.2"], &[]);
    for name in ["web", "WEB", "web.Front", "Web.front", "www", "www.front"] {
        assert_eq!(directory.lookup(&"client".into(), name), found, "{name}");
    }
    for name in ["we", "web.back", "web.front.front", "front", ".front", "", "."] {
        assert_eq!(directory.lookup(&"client".into(), name), Found::NotOurs, "{name}");
    }
}

#[test]
fn names_and_networks_may_have_dots() {
    let directory = directory();
    directory.join(&"n3".into(), "lab.example", member("m", &["db.one"], "10.0.3.2"));
    directory.open("client".into(), view(&["n1", "n3"]));
    let found = addresses(&["10.0.3.2"], &[]);
    assert_eq!(directory.lookup(&"client".into(), "db.one"), found);
    assert_eq!(directory.lookup(&"client".into(), "db.one.lab.example"), found);
    assert_eq!(directory.lookup(&"client".into(), "db.one.lab"), Found::NotOurs);
}

#[test]
fn only_networks_of_the_container_count_and_the_first_that_knows_answers() {
    let directory = directory();
    directory.join(&"n2".into(), "back", member("other", &["web"], "10.0.2.9"));
    let ask = |name| directory.lookup(&"client".into(), name);
    assert_eq!(ask("web"), addresses(&["10.0.0.2"], &[]));
    assert_eq!(ask("web.back"), Found::NotOurs);
    directory.open("client".into(), view(&["n2", "n1"]));
    assert_eq!(ask("web"), addresses(&["10.0.2.9"], &[]));
    assert_eq!(ask("web.front"), addresses(&["10.0.0.2"], &[]));
    directory.close(&"client".into());
    assert_eq!(ask("web"), Found::NotOurs);
}

#[test]
fn a_link_comes_before_a_name_and_hides_it() {
    let directory = directory();
    let linked = |alias: &str, target: &str| View {
        networks: vec![
            ("n1".into(), vec![(alias.to_owned(), target.to_owned())]),
            ("n2".into(), Vec::new()),
        ],
        forward: Forward::Nowhere,
    };
    directory.open("client".into(), linked("DB", "Web"));
    let ask = |name| directory.lookup(&"client".into(), name);
    assert_eq!(ask("db"), addresses(&["10.0.0.2"], &[]));
    assert_eq!(ask("db.front"), addresses(&["10.0.0.2"], &[]));
    assert_eq!(ask("db.back"), Found::NotOurs);
    directory.open("client".into(), linked("web", "gone"));
    assert_eq!(ask("web"), Found::NotOurs);
}

#[test]
fn an_alias_of_several_gives_all_of_them() {
    let directory = directory();
    directory.join(&"n1".into(), "front", member("second", &["web2", "www"], "10.0.0.3"));
    let ask = || directory.lookup(&"client".into(), "www");
    assert_eq!(ask(), addresses(&["10.0.0.3", "10.0.0.2"], &[]));
    directory.leave(&"n1".into(), &"second".into());
    assert_eq!(ask(), addresses(&["10.0.0.2"], &[]));
}

#[test]
fn a_name_without_an_address_of_a_family_is_still_ours() {
    let directory = directory();
    let mut six = member("six", &["six"], "10.0.0.4");
    (six.ipv4, six.ipv6) = (None, "fd00::4".parse().ok());
    directory.join(&"n1".into(), "front", six);
    assert_eq!(directory.lookup(&"client".into(), "six"), addresses(&[], &["fd00::4"]));
}

#[test]
fn who_joins_again_is_renamed() {
    let directory = directory();
    directory.join(&"n1".into(), "front", member("server", &["new"], "10.0.0.7"));
    let ask = |name| directory.lookup(&"client".into(), name);
    assert_eq!(ask("new"), addresses(&["10.0.0.7"], &[]));
    assert_eq!((ask("web"), ask("www")), (Found::NotOurs, Found::NotOurs));
    let reverse = |ip: &str| directory.reverse(&"client".into(), ip.parse().unwrap());
    assert_eq!(reverse("10.0.0.7").as_deref(), Some("new.front"));
    assert_eq!(reverse("10.0.0.2"), None);
}

#[test]
fn an_address_is_told_to_its_neighbours_only() {
    let directory = directory();
    directory.open("stranger".into(), view(&["n2"]));
    let reverse = |who: &str| directory.reverse(&who.into(), "10.0.0.2".parse().unwrap());
    assert_eq!(reverse("client").as_deref(), Some("Web.front"));
    assert_eq!(reverse("stranger"), None);
    assert_eq!(reverse("nobody"), None);
}

#[test]
fn an_address_that_went_to_another_is_not_lost_with_the_first() {
    let directory = directory();
    directory.join(&"n1".into(), "front", member("next", &["next"], "10.0.0.2"));
    directory.leave(&"n1".into(), &"server".into());
    let found = directory.reverse(&"client".into(), "10.0.0.2".parse().unwrap());
    assert_eq!(found.as_deref(), Some("next.front"));
}

#[test]
fn nothing_is_left_of_a_network_without_members() {
    let directory = directory();
    directory.leave(&"n1".into(), &"server".into());
    directory.leave(&"n1".into(), &"server".into());
    directory.leave(&"nowhere".into(), &"server".into());
    assert!(directory.read().networks.is_empty());
}

const NAMES: [&str; 4] = ["a", "b", "c.d", "n0"];

proptest! {
    /// What is kept up to date with each change is what one would find by looking at everybody.
    #[test]
    fn whatever_happens_everybody_is_found_and_nobody_else(
        changes in prop::collection::vec(change(), 0..30),
        order in Just(vec!["n0", "n1", "n2"]).prop_shuffle(),
    ) {
        let directory = Directory::new();
        directory.open("client".into(), view(&order));
        let mut there: BTreeMap<(usize, usize), Member> = BTreeMap::new();
        for (network, container, names) in changes {
            let id = NetworkId::new(format!("n{network}"));
            if let Some(names) = names {
                // The address says who and where.
                let member = member(
                    &format!("c{container}"),
                    &names,
                    &format!("10.0.{network}.{container}"),
                );
                directory.join(&id, &format!("N{network}"), member.clone());
                there.insert((network, container), member);
            } else {
                directory.leave(&id, &format!("c{container}").into());
                there.remove(&(network, container));
            }
        }
        let called = |network: &str, name: &str| -> Vec<Ipv4Addr> {
            let here = there.iter().filter(|((on, _), _)| format!("n{on}") == network);
            let called = here.filter(|(_, it)| it.names.iter().any(|it| it == name));
            called.filter_map(|(_, it)| it.ipv4).collect()
        };
        let found = |v4: Vec<Ipv4Addr>| match v4[..] {
            [] => Found::NotOurs,
            _ => Found::Addresses { v4, v6: Vec::new() },
        };
        let lookup = |name: &str| directory.lookup(&"client".into(), name);
        for name in NAMES {
            let first = order.iter().map(|on| called(on, name)).find(|v4| !v4.is_empty());
            prop_assert_eq!(lookup(name), found(first.unwrap_or_default()));
            for network in &order {
                prop_assert_eq!(lookup(&format!("{name}.{network}")), found(called(network, name)));
            }
        }
        for network in 0..3 {
            for container in 0..4 {
                let name = there.get(&(network, container)).and_then(|it| it.names.first());
                let address = format!("10.0.{network}.{container}").parse().unwrap();
                let named = directory.reverse(&"client".into(), address);
                prop_assert_eq!(named, name.map(|name| format!("{name}.N{network}")));
            }
        }
        let networks: std::collections::BTreeSet<_> = there.keys().map(|(on, _)| on).collect();
        prop_assert_eq!(directory.read().networks.len(), networks.len());
    }
}

/// A network, a container, and its names there if it joins.
fn change() -> impl Strategy<Value = (usize, usize, Option<Vec<&'static str>>)> {
    let names = prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len());
    (0..3_usize, 0..4_usize, prop::option::weighted(0.7, names))
}

/// `server`, that is `Web` and `www` on `front`, and `client`, that sees `front`.
fn directory() -> Directory {
    let directory = Directory::new();
    directory.join(&"n1".into(), "front", member("server", &["Web", "www"], "10.0.0.2"));
    directory.open("client".into(), view(&["n1"]));
    directory
}

fn member(container: &str, names: &[&str], ipv4: &str) -> Member {
    Member {
        container: container.into(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        ipv4: ipv4.parse().ok(),
        ipv6: None,
    }
}

fn view(networks: &[&str]) -> View {
    View {
        networks: networks.iter().map(|&id| (id.into(), Vec::new())).collect(),
        forward: Forward::Nowhere,
    }
}

fn addresses(v4: &[&str], v6: &[&str]) -> Found {
    Found::Addresses {
        v4: v4.iter().map(|ip| ip.parse().unwrap()).collect(),
        v6: v6.iter().map(|ip| ip.parse().unwrap()).collect(),
    }
}
