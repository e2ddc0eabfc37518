//! The picture as SVG.

mod layout;
mod measure;
mod panel;

use std::fmt::Write;

use self::layout::{Page, layout};
use super::model::Graph;

/// What is drawn, in pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Circle { x: f64, y: f64, r: f64, class: &'static str, style: Option<String> },
    Line { points: Vec<(f64, f64)>, class: &'static str, style: Option<String> },
    Rect { x: f64, y: f64, width: f64, height: f64, class: &'static str },
    Text(Text),
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
struct Text {
    /// The left end; the right one if it stands to the left of it.
    x: f64,
    /// The line that letters stand on.
    y: f64,
    class: Class,
    side: Side,
    text: String,
    /// All of it, where it had to be cut, and what else is known.
    more: Option<String>,
}

/// What a text is: it decides its size and its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Address,
    Alias,
    Caption,
    Name,
    Row,
    Tag,
    Title,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    LeftOf,
    RightOf,
}

/// A picture of its own: it needs no other file, and looks well on light and dark pages.
pub(crate) fn svg(graph: &Graph) -> String {
    let Page { width, height, items } = layout(graph);
    // A String takes anything.
    let mut out = String::with_capacity(items.len() * 120);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Networks and their containers\">"
    );
    out.push_str(STYLE);
    let _ = writeln!(out, "<rect class=\"page\" width=\"100%\" height=\"100%\"/>");
    for item in &items {
        item.write(&mut out);
    }
    out.push_str("</svg>\n");
    out
}

impl Item {
    fn write(&self, out: &mut String) {
        let styled = |style: &Option<String>| {
            style.as_ref().map_or_else(String::new, |style| format!(" style=\"{style}\""))
        };
        let _ = match self {
            Self::Circle { x, y, r, class, style } => {
                writeln!(
                    out,
                    "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\"{}/>",
                    styled(style)
                )
            }
            Self::Line { points, class, style } => {
                let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                writeln!(
                    out,
                    "<polyline class=\"{class}\" points=\"{}\"{}/>",
                    points.join(" "),
                    styled(style)
                )
            }
            Self::Rect { x, y, width, height, class } => {
                writeln!(
                    out,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>"
                )
            }
            Self::Text(text) => text.write(out),
        };
    }
}

impl Text {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let anchor = if self.side == Side::LeftOf { " text-anchor=\"end\"" } else { "" };
        write!(
            out,
            "<text class=\"{}\" x=\"{:.1}\" y=\"{:.1}\"{anchor}>{}",
            self.class.name(),
            self.x,
            self.y,
            escaped(&self.text)
        )?;
        if let Some(more) = &self.more {
            write!(out, "<title>{}</title>", escaped(more))?;
        }
        writeln!(out, "</text>")
    }
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Alias => "alias",
            Self::Caption => "caption",
            Self::Name => "name",
            Self::Row => "row",
            Self::Tag => "tag",
            Self::Title => "title",
        }
    }
}

/// As XML has it: what XML cannot have at all is shown as such.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

const STYLE: &str = "\
<style>
text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.title { font-size: 18px; font-weight: 600 }
.caption { font-size: 12px; fill: #59636e }
.name { font-size: 14px; font-weight: 600 }
.row { font-size: 13px }
.tag { font-size: 11px; fill: #59636e }
.alias { font-size: 11px; fill: #59636e }
.address { font-size: 12px; font-family: ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace }
.page { fill: #f6f8fa }
.part { fill: #ffffff; stroke: #d1d9e0 }
.network { fill: #eaf3fd; stroke: #4f8fd9; stroke-width: 1.5 }
.internal { fill: #fdf5e6; stroke: #bf8700; stroke-width: 1.5; stroke-dasharray: 7 4 }
.rule { fill: none; stroke: #d1d9e0 }
.running { fill: #1f883d }
.stopped { fill: #ffffff; stroke: #818b98; stroke-width: 1.5 }
.outside { fill: none; stroke: #818b98; stroke-width: 2 }
.arrow { fill: none; stroke: #818b98; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.joint { stroke: #ffffff; stroke-width: 1 }
.joins { fill: none; stroke-width: 2.5; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.caption, .tag, .alias { fill: #9198a1 }
.page { fill: #0d1117 }
.part { fill: #151b23; stroke: #3d444d }
.network { fill: #13233a; stroke: #4f8fd9 }
.internal { fill: #2b2211; stroke: #d4a72c }
.rule { stroke: #3d444d }
.running { fill: #3fb950 }
.stopped { fill: #151b23; stroke: #9198a1 }
.joint { stroke: #151b23 }
}
</style>
";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lab;
    use super::*;

    /// The texts of a page, with the rectangles that they cover.
    fn texts(page: &Page) -> Vec<(String, [f64; 4])> {
        let texts = page.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text),
            _ => None,
        });
        texts
            .map(|text| {
                let (width, size) =
                    (measure::width(text.class, &text.text), measure::size(text.class));
                let left = if text.side == Side::LeftOf { text.x - width } else { text.x };
                (text.text.clone(), [left, text.y - size * 0.8, left + width, text.y + size * 0.2])
            })
            .collect()
    }

    fn check(page: &Page) -> Result<(), TestCaseError> {
        let mut texts = texts(page);
        texts.sort_by(|(_, one), (_, other)| one[1].total_cmp(&other[1]));
        for (at, (text, rect)) in texts.iter().enumerate() {
            prop_assert!(
                rect[0] >= 0.0 && rect[1] >= 0.0 && rect[2] <= page.width && rect[3] <= page.height,
                "{text} is outside"
            );
            for (other, across) in
                texts.iter().skip(at + 1).take_while(|(_, across)| across[1] < rect[3])
            {
                let apart = rect[2] <= across[0] || across[2] <= rect[0];
                prop_assert!(apart, "{text:?} {rect:?} and {other:?} {across:?} overlap");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_text_covers_another_and_all_are_on_the_page(networks in 1_usize..30, containers in 0_usize..120, long in 0_usize..60) {
            let mut graph = lab::many(networks, containers);
            for part in &mut graph.parts {
                for network in &mut part.networks {
                    network.driver.push_str(&"x".repeat(long));
                    network.subnets.push(format!("fd00:{}::/64", "1:".repeat(long % 5)));
                }
                for container in &mut part.containers {
                    for endpoint in &mut container.endpoints {
                        endpoint.aliases.push("W".repeat(long));
                        endpoint.addresses.push("fd00:1234:5678:9abc:def0:1234:5678:9abc".to_owned());
                    }
                }
            }
            check(&layout(&graph))?;
        }
    }

    #[test]
    fn it_is_xml_and_the_same_each_time() {
        let mut graph = lab::shop();
        graph.parts[0].containers[0].name = "<script>\"&\u{1b}\u{ffff}".to_owned();
        let picture = svg(&graph);
        roxmltree::Document::parse(&picture).unwrap();
        assert!(!picture.contains("<script>"));
        assert_eq!(picture, svg(&graph));
    }

    #[test]
    fn a_hundred_networks_are_wider_than_high_and_none_is_missing() {
        let graph = lab::many(100, 0);
        let page = layout(&graph);
        assert!(
            page.width < 3.0 * page.height && page.height < 3.0 * page.width,
            "{} x {}",
            page.width,
            page.height
        );
        let names = texts(&page).iter().filter(|(text, _)| text.starts_with("network-")).count();
        assert_eq!(names, 100);
    }

    #[test]
    fn nothing_at_all_is_a_picture_too() {
        let graph = Graph { engine: String::new(), parts: Vec::new(), hidden: Vec::new() };
        check(&layout(&graph)).unwrap();
    }
}
