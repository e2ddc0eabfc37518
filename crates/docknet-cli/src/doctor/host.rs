//! Checks of networks against the host that they are on.

use docknet::Driver;

use super::{Facts, Finding, Severity};
use crate::host::Host;
use crate::pools::{Report, With};

type Found = Result<Vec<Finding>, String>;

pub(super) fn overlaps(facts: &Facts) -> Found {
    let host = host(facts)?;
    let report = Report::new(&facts.survey, None, Some(host));
    let mut findings = Vec::new();
    for overlap in report.overlaps {
        let With::Route { link, tunnel } = overlap.with else { continue };
        let through =
            if tunnel { format!("the tunnel `{link}` (a VPN?)") } else { format!("`{link}`") };
        findings.push(Finding {
            severity: Severity::Warning,
            check: "route-overlap",
            what: format!("network `{}` hides addresses that this host reaches through {through}, or the other way round", overlap.network),
            evidence: vec![format!("subnet {}, route {} dev {link}", overlap.subnet, overlap.other)],
            advice: format!("make `{}` anew with a subnet that is free: `docknet pools --next {}`", overlap.network, overlap.subnet.prefix_len()),
        });
    }
    Ok(findings)
}

/// Packets that are larger than the way out takes are lost where nobody may say so.
pub(super) fn mtu(facts: &Facts) -> Found {
    const DEFAULT: u32 = 1500;

    let host = host(facts)?;
    let Some((uplink, link)) = host.uplink() else {
        return Err("this host has no default route".to_owned());
    };
    let Some(out) = link.mtu else { return Err(format!("the MTU of `{uplink}` is not known")) };
    let mut findings = Vec::new();
    for network in &facts.survey.networks {
        let info = network.info();
        if info.driver != Driver::Bridge || info.internal {
            continue;
        }
        let asked =
            info.options.get("com.docker.network.driver.mtu").or_else(|| info.options.get("mtu"));
        let own = asked.and_then(|mtu| mtu.parse().ok()).unwrap_or(DEFAULT);
        if own > out {
            findings.push(Finding {
                severity: Severity::Warning,
                check: "mtu",
                what: format!("packets of network `{}` may be larger than the way out takes", network.name()),
                evidence: vec![format!("MTU {own}, but {out} on `{uplink}`")],
                advice: format!("make it anew with `--opt com.docker.network.driver.mtu={out}`, or set `mtu` in the engine's configuration"),
            });
        }
    }
    Ok(findings)
}

/// Networks that stand on a link of the host.
pub(super) fn parents(facts: &Facts) -> Found {
    let host = host(facts)?;
    let mut findings = Vec::new();
    for network in &facts.survey.networks {
        let Some(parent) = network.info().options.get("parent") else { continue };
        let evidence = match host.links.get(parent) {
            None => format!("there is no `{parent}`"),
            Some(link) if !link.up => format!("`{parent}` is down"),
            Some(_) => continue,
        };
        findings.push(Finding {
            severity: Severity::Error,
            check: "parent-link",
            what: format!("network `{}` stands on a link that carries nothing", network.name()),
            evidence: vec![evidence],
            advice: format!(
                "`ip link set {parent} up`, or make the network anew with another `--opt parent=`"
            ),
        });
    }
    Ok(findings)
}

pub(super) fn forwarding(facts: &Facts) -> Found {
    let host = host(facts)?;
    let bridges = || {
        facts
            .survey
            .networks
            .iter()
            .map(|network| network.info())
            .filter(|info| info.driver == Driver::Bridge && !info.internal)
    };
    let off = |four: bool, key: &str| Finding {
        severity: Severity::Error,
        check: "forwarding",
        what: format!(
            "this host does not pass on {} packets: containers reach nothing outside",
            if four { "IPv4" } else { "IPv6" }
        ),
        evidence: vec![format!("{key} = 0")],
        advice: format!("`sysctl -w {key}=1`"),
    };
    let mut findings = Vec::new();
    if host.forwards4 == Some(false) && bridges().any(|info| info.ipv4 != Some(false)) {
        findings.push(off(true, "net.ipv4.ip_forward"));
    }
    if host.forwards6 == Some(false) && bridges().any(|info| info.ipv6) {
        findings.push(off(false, "net.ipv6.conf.all.forwarding"));
    }
    Ok(findings)
}

/// A firewall that drops what is passed on, and knows nothing of containers.
pub(super) fn firewall(facts: &Facts) -> Found {
    host(facts)?;
    let rules = facts.forward_rules.as_ref().map_err(Clone::clone)?;
    let open = facts
        .survey
        .networks
        .iter()
        .any(|network| network.info().driver == Driver::Bridge && !network.info().internal);
    let drops =
        rules.lines().any(|rule| matches!(rule.trim(), "-P FORWARD DROP" | "-P FORWARD REJECT"));
    let knows = rules.contains("DOCKER")
        || rules.contains("NETAVARK")
        || rules.contains("-A FORWARD -j ACCEPT");
    if !open || !drops || knows {
        return Ok(Vec::new());
    }
    Ok(vec![Finding {
        severity: Severity::Error,
        check: "firewall",
        what: "this host's firewall drops what containers send, and has no rules of the engine's".to_owned(),
        evidence: rules.lines().take(5).map(str::to_owned).collect(),
        advice: "restart the engine, which puts its rules in place again; another firewall may have flushed them".to_owned(),
    }])
}

fn host(facts: &Facts) -> Result<&Host, String> {
    facts.host.as_ref().map_err(Clone::clone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lab;
    use super::*;
    use crate::host::{Link, Route};

    fn on_a_host() -> Facts {
        let mut facts = lab::facts(&json!([lab::network("a", "1", "10.7.0.0/24")]), &json!([]));
        let route = |to: &str, link: &str| Route {
            to: to.parse().unwrap(),
            link: link.to_owned(),
            metric: 0,
        };
        let link = |mtu, tunnel| Link { mtu: Some(mtu), up: true, tunnel };
        facts.host = Ok(Host {
            links: [("eth0".to_owned(), link(1500, false)), ("wg0".to_owned(), link(1420, true))]
                .into(),
            routes: vec![
                route("0.0.0.0/0", "eth0"),
                route("10.7.0.0/24", "br-111111111111"),
                route("192.0.2.0/24", "wg0"),
            ],
            forwards4: Some(true),
            forwards6: Some(true),
        });
        facts.forward_rules = Ok("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n".to_owned());
        facts
    }

    fn host_of(facts: &mut Facts) -> &mut Host {
        facts.host.as_mut().unwrap()
    }

    #[test]
    fn a_healthy_host_has_no_findings() {
        let facts = on_a_host();
        for check in [overlaps, mtu, parents, forwarding, firewall] {
            assert_eq!(check(&facts), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_route_through_a_tunnel_is_found() {
        let mut facts = on_a_host();
        host_of(&mut facts).routes[2].to = "10.0.0.0/8".parse().unwrap();
        let found = overlaps(&facts).unwrap();
        assert_eq!(found[0].evidence, ["subnet 10.7.0.0/24, route 10.0.0.0/8 dev wg0"]);
        assert!(found[0].what.contains("VPN"));
    }

    #[test]
    fn a_way_out_that_takes_smaller_packets_only_is_found() {
        let mut facts = on_a_host();
        host_of(&mut facts).links.get_mut("eth0").unwrap().mtu = Some(1400);
        assert_eq!(mtu(&facts).unwrap()[0].evidence, ["MTU 1500, but 1400 on `eth0`"]);
        host_of(&mut facts).routes.clear();
        assert!(mtu(&facts).unwrap_err().contains("default route"));
    }

    #[test]
    fn a_parent_that_is_gone_or_down_is_found() {
        let mut network = lab::network("m", "2", "10.9.0.0/24");
        network["Driver"] = json!("macvlan");
        network["Options"] = json!({ "parent": "eth7" });
        let mut facts = lab::facts(&json!([network]), &json!([]));
        facts.host = on_a_host().host;
        assert_eq!(parents(&facts).unwrap()[0].evidence, ["there is no `eth7`"]);
        let link = Link { mtu: None, up: false, tunnel: false };
        host_of(&mut facts).links.insert("eth7".to_owned(), link.clone());
        assert_eq!(parents(&facts).unwrap()[0].evidence, ["`eth7` is down"]);
        host_of(&mut facts).links.insert("eth7".to_owned(), Link { up: true, ..link });
        assert_eq!(parents(&facts), Ok(Vec::new()));
    }

    #[test]
    fn a_host_that_passes_nothing_on_is_found() {
        let mut facts = on_a_host();
        host_of(&mut facts).forwards4 = Some(false);
        host_of(&mut facts).forwards6 = Some(false);
        // No network has IPv6.
        assert_eq!(forwarding(&facts).unwrap().len(), 1);
    }

    #[test]
    fn a_firewall_without_the_engines_rules_is_found() {
        let mut facts = on_a_host();
        facts.forward_rules = Ok("-P FORWARD DROP\n-A FORWARD -i eth0 -j ufw\n".to_owned());
        assert_eq!(firewall(&facts).unwrap()[0].severity, Severity::Error);
        facts.forward_rules = Ok("-P FORWARD ACCEPT\n".to_owned());
        assert_eq!(firewall(&facts), Ok(Vec::new()));
        facts.forward_rules = Err("not root".to_owned());
        assert_eq!(firewall(&facts), Err("not root".to_owned()));
    }
}
