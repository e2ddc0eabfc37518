//! The picture for Graphviz.

use std::fmt::Write;

use super::model::Graph;

/// An undirected graph: a cluster a part, networks as boxes, containers as ellipses, addresses at the edges.
pub(crate) fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "graph docknet {\n  graph [rankdir=LR, fontname=\"sans-serif\"]\n  node [fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\", fontsize=10]\n",
    );
    for (at, part) in graph.parts.iter().enumerate() {
        // A String takes anything.
        let _ = writeln!(out, "  subgraph cluster_{at} {{\n    style=rounded\n    color=gray");
        for network in &part.networks {
            let style = if network.internal {
                "style=\"dashed\""
            } else {
                "style=\"filled\", fillcolor=\"#e8f1fb\""
            };
            let lines = [network.name.clone(), network.driver.clone()]
                .into_iter()
                .chain(network.subnets.iter().cloned());
            let internal = network.internal.then(|| "internal".to_owned());
            let label: Vec<_> = lines.chain(internal).collect();
            let _ = writeln!(
                out,
                "    {} [shape=box, {style}, label={}]",
                quoted(&["network ", &network.name].concat()),
                quoted(&label.join("\n"))
            );
        }
        for container in &part.containers {
            let node = quoted(&["container ", &container.name].concat());
            let style = if container.running { "" } else { ", style=dotted" };
            let _ = writeln!(
                out,
                "    {node} [shape=ellipse{style}, label={}]",
                quoted(&container.name)
            );
            for endpoint in &container.endpoints {
                let label: Vec<_> = endpoint
                    .addresses
                    .iter()
                    .chain(&endpoint.aliases)
                    .filter(|text| !text.is_empty())
                    .cloned()
                    .collect();
                let network = quoted(&["network ", &endpoint.network].concat());
                let _ =
                    writeln!(out, "    {network} -- {node} [label={}]", quoted(&label.join("\n")));
            }
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

/// A text as Graphviz reads it: only quotes and backslashes mean something; control characters are shown.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push('\u{fffd}'),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;

    #[test]
    fn the_picture_for_graphviz() {
        insta::assert_snapshot!(dot(&lab::shop()));
    }

    #[test]
    fn no_name_ends_its_quotes() {
        assert_eq!(quoted("a\"] evil \\\n\u{1b}"), "\"a\\\"] evil \\\\\\n\u{fffd}\"");
    }
}
