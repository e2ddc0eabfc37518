//! The picture for Mermaid, as Markdown renderers draw it.

use std::fmt::Write;

use super::model::Graph;

/// A flowchart: a subgraph a part, networks as boxes, containers as rounded ones, addresses at the edges.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    let (mut networks, mut containers) = (0_usize, 0_usize);
    for (at, part) in graph.parts.iter().enumerate() {
        // A String takes anything.
        let _ = writeln!(out, "  subgraph part{at}[\" \"]");
        let first = networks;
        for network in &part.networks {
            let mut label =
                format!("<b>{}</b><br/>{}", escaped(&network.name), escaped(&network.driver));
            for subnet in &network.subnets {
                let _ = write!(label, "<br/>{subnet}");
            }
            if network.internal {
                label.push_str("<br/>internal");
            }
            let class = if network.internal { ":::internal" } else { "" };
            let _ = writeln!(out, "    n{networks}[\"{label}\"]{class}");
            networks += 1;
        }
        for container in &part.containers {
            let class = if container.running { "" } else { ":::stopped" };
            let _ = writeln!(out, "    c{containers}(\"{}\"){class}", escaped(&container.name));
            for endpoint in &container.endpoints {
                let Some(place) =
                    part.networks.iter().position(|network| network.name == endpoint.network)
                else {
                    continue;
                };
                let label: Vec<_> = endpoint
                    .addresses
                    .iter()
                    .chain(&endpoint.aliases)
                    .filter(|text| !text.is_empty())
                    .map(|text| escaped(text))
                    .collect();
                let label = if label.is_empty() {
                    String::new()
                } else {
                    format!("|\"{}\"|", label.join("<br/>"))
                };
                let _ = writeln!(out, "    n{} ---{label} c{containers}", first + place);
            }
            containers += 1;
        }
        out.push_str("  end\n");
    }
    out.push_str("  classDef internal stroke-dasharray: 5 5\n  classDef stopped opacity: 0.5\n");
    out
}

/// A text inside quotes: what means something to Mermaid, or to the HTML that it makes, by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | ';' | '`' | '|' | '[' | ']' | '{' | '}' | '(' | ')' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;

    #[test]
    fn the_picture_for_mermaid() {
        insta::assert_snapshot!(mermaid(&lab::shop()));
    }

    #[test]
    fn no_name_ends_its_quotes_or_is_html() {
        assert_eq!(escaped("a\"]<b>#\n"), "a#34;#93;#60;b#62;#35;\u{fffd}");
    }
}
