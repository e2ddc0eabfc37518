//! The picture in a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::Style;

use super::model::{Container, Endpoint, Graph, Network, Part};
use crate::output::{counted, fit, visible};
use crate::terminal::{self, Terminal};

/// A tree a part: networks, and on each of them who is connected. No line is wider than `width`.
pub(crate) fn text(graph: &Graph, terminal: &Terminal, width: usize) -> String {
    let pen = Pen { terminal: *terminal, width };
    let mut out = String::new();
    let (empty, parts): (Vec<_>, Vec<_>) =
        graph.parts.iter().partition(|part| part.containers.is_empty());
    for (at, part) in parts.iter().enumerate() {
        pen.part(part, (at + 1, parts.len()), &mut out);
    }
    if !empty.is_empty() {
        pen.line(terminal::STRONG, "Nobody is connected to", &mut out);
        for network in empty.iter().flat_map(|part| &part.networks) {
            pen.line(Style::new(), &format!("  {}", title(network)), &mut out);
        }
        out.push('\n');
    }
    if graph.parts.is_empty() {
        pen.line(Style::new(), "There are no networks to draw.", &mut out);
    }
    if !graph.hidden.is_empty() {
        let hidden = format!(
            "not drawn, since nobody uses them: {} (--all draws them)",
            graph.hidden.join(", ")
        );
        pen.line(terminal::FAINT, &hidden, &mut out);
    }
    out
}

struct Pen {
    terminal: Terminal,
    width: usize,
}

impl Pen {
    fn part(&self, part: &Part, (number, of): (usize, usize), out: &mut String) {
        let way = match part.networks.iter().any(|network| network.leads_out) {
            true => "with a way out",
            false => "with no way out",
        };
        let place = if of > 1 { format!("Part {number} of {of}: ") } else { String::new() };
        let caption = format!(
            "{place}{}, {}, {way}",
            counted(part.networks.len(), "network"),
            counted(part.containers.len(), "container")
        );
        self.line(terminal::STRONG, &caption, out);
        let mut members: BTreeMap<&str, Vec<(&Container, &Endpoint)>> = BTreeMap::new();
        for container in &part.containers {
            for endpoint in &container.endpoints {
                members.entry(&endpoint.network).or_default().push((container, endpoint));
            }
        }
        for network in &part.networks {
            let style = if network.internal { terminal::WARNING } else { terminal::GOOD.bold() };
            self.line(style, &format!("  {}", title(network)), out);
            let members = members.get(network.name.as_str()).map_or(&[][..], Vec::as_slice);
            for (at, (container, endpoint)) in members.iter().enumerate() {
                let branch = if at + 1 == members.len() { "└─" } else { "├─" };
                let style = if container.running { Style::new() } else { terminal::FAINT };
                self.line(style, &format!("  {branch} {}", member(container, endpoint)), out);
            }
        }
        out.push('\n');
    }

    fn line(&self, style: Style, text: &str, out: &mut String) {
        let style = self.terminal.style(style);
        // A String takes anything.
        let _ = writeln!(out, "{style}{}{style:#}", fit(text, self.width));
    }
}

/// `backend  bridge  10.8.0.0/24  internal: no way out`
fn title(network: &Network) -> String {
    let mut title = format!("{}  {}", visible(&network.name), visible(&network.driver));
    if network.scope != "local" {
        title.push_str(&format!(" ({})", visible(&network.scope)));
    }
    for subnet in &network.subnets {
        title.push_str(&format!("  {subnet}"));
    }
    if !network.gateways.is_empty() {
        title.push_str(&format!("  gateway {}", network.gateways.join(", ")));
    }
    if network.internal {
        title.push_str("  internal: no way out");
    }
    title
}

/// `web  10.7.0.3  aka www  also on backend`
fn member(container: &Container, endpoint: &Endpoint) -> String {
    let mut text = visible(&container.name).into_owned();
    if endpoint.addresses.is_empty() || !container.running {
        text.push_str(&format!("  ({})", visible(&container.state)));
    }
    for address in endpoint.addresses.iter().filter(|address| !address.is_empty()) {
        text.push_str(&format!("  {address}"));
    }
    if !endpoint.aliases.is_empty() {
        text.push_str(&format!("  aka {}", visible(&endpoint.aliases.join(", "))));
    }
    let others: Vec<_> = container
        .endpoints
        .iter()
        .filter(|other| other.network != endpoint.network)
        .map(|other| other.network.as_str())
        .collect();
    if !others.is_empty() {
        text.push_str(&format!("  also on {}", visible(&others.join(", "))));
    }
    if endpoint.default_route {
        text.push_str("  its way out");
    }
    text
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::lab;
    use super::*;
    use crate::terminal::ColorChoice;

    #[test]
    fn networks_have_their_containers_below() {
        let terminal = Terminal::new(ColorChoice::Never);
        insta::assert_snapshot!(text(&lab::shop(), &terminal, 80));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let terminal = Terminal::new(ColorChoice::Never);
        for width in [10, 40, 80, 120] {
            let text = text(&lab::many(30, 90), &terminal, width);
            assert!(text.lines().all(|line| line.width() <= width));
        }
    }
}
