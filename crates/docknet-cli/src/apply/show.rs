//! A plan for people, and for programs.

use anstyle::Style;
use serde_json::{Value, json};

use super::plan::{Change, EndpointChange, EndpointKind, Kind, Plan};
use crate::output::visible;
use crate::terminal::{ERROR, GOOD, WARNING};

/// What changes, a line a thing; nothing for what stays as it is.
pub(crate) fn lines(plan: &Plan) -> Vec<(Style, String)> {
    let mut lines = Vec::new();
    for change in &plan.changes {
        let (style, text) = match change.kind {
            Kind::Create => {
                (GOOD, format!("+ network {}{}", visible(&change.network), subnets(change)))
            }
            Kind::Keep if change.endpoints.is_empty() => continue,
            Kind::Keep => (Style::new(), format!("  network {}", visible(&change.network))),
            Kind::Recreate => (
                WARNING,
                format!("~ network {} (made anew: {})", visible(&change.network), why(change)),
            ),
            Kind::Remove => (ERROR, format!("- network {}", visible(&change.network))),
        };
        lines.push((style, text));
        lines.extend(change.endpoints.iter().flat_map(endpoint));
    }
    lines
}

fn subnets(change: &Change) -> String {
    let subnets: Vec<_> = change.subnets().map(|subnet| subnet.to_string()).collect();
    if subnets.is_empty() { String::new() } else { format!(" ({})", subnets.join(", ")) }
}

/// `subnet 10.0.0.0/24 → 10.1.0.0/24; 3 endpoints move with their settings`
fn why(change: &Change) -> String {
    let mut reasons: Vec<_> = change
        .differences
        .iter()
        .map(|why| {
            format!("{} {} → {}", visible(&why.field), visible(&why.found), visible(&why.wanted))
        })
        .collect();
    let moved =
        change.endpoints.iter().filter(|endpoint| endpoint.kind == EndpointKind::Move).count();
    if moved > 0 {
        reasons.push(match moved {
            1 => "1 endpoint moves with its settings".to_owned(),
            moved => format!("{moved} endpoints move with their settings"),
        });
    }
    reasons.join("; ")
}

fn endpoint(endpoint: &EndpointChange) -> Vec<(Style, String)> {
    let name = visible(&endpoint.container.name);
    let (style, text) = match endpoint.kind {
        EndpointKind::Connect => (GOOD, format!("    + container {name}{}", settings(endpoint))),
        EndpointKind::Move => (WARNING, format!("    ~ container {name}{}", settings(endpoint))),
        EndpointKind::Reconnect => {
            (WARNING, format!("    ~ container {name} (connected anew){}", settings(endpoint)))
        }
    };
    let notes =
        endpoint.notes.iter().map(|note| (Style::new(), format!("      {}", visible(note))));
    [(style, text)].into_iter().chain(notes).collect()
}

fn settings(endpoint: &EndpointChange) -> String {
    let spec = endpoint.wanted();
    let addresses =
        spec.ipv4.map(|ip| ip.to_string()).into_iter().chain(spec.ipv6.map(|ip| ip.to_string()));
    let mut settings = addresses.map(|ip| format!(" {ip}")).collect::<String>();
    if !spec.aliases.is_empty() {
        settings.push_str(&format!(" aka {}", visible(&spec.aliases.join(", "))));
    }
    settings
}

/// The same as data.
pub(crate) fn json(plan: &Plan) -> Value {
    let changes: Vec<_> = plan.changes.iter().map(|change| {
        let kind = match change.kind {
            Kind::Create => "create",
            Kind::Keep => "keep",
            Kind::Recreate => "recreate",
            Kind::Remove => "remove",
        };
        let differences: Vec<_> = change.differences.iter()
            .map(|why| json!({ "Field": why.field, "Found": why.found, "Wanted": why.wanted }))
            .collect();
        let endpoints: Vec<_> = change.endpoints.iter().map(|endpoint| {
            let kind = match endpoint.kind {
                EndpointKind::Connect => "connect",
                EndpointKind::Move => "move",
                EndpointKind::Reconnect => "reconnect",
            };
            json!({
                "Container": endpoint.container.name,
                "Id": endpoint.container.id,
                "Change": kind,
                "Settings": endpoint.wanted(),
                "Notes": endpoint.notes,
            })
        }).collect();
        json!({ "Network": change.network, "Change": kind, "Differences": differences, "Endpoints": endpoints })
    }).collect();
    json!({ "Changes": !plan.is_empty(), "Networks": changes })
}
