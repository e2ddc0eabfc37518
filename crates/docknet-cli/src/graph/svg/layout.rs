//! Where everything is.

use super::measure::{fitted, width};
use super::panel::{Panel, panel};
use super::{Class, Item, Side, Text};
use crate::graph::model::{Graph, Part};

#[derive(Debug)]
pub(super) struct Page {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) items: Vec<Item>,
}

const MARGIN: f64 = 24.0;
const TITLE: f64 = 44.0;
const BETWEEN: f64 = 20.0;
const LEGEND: f64 = 40.0;

/// Parts in columns, as many as make the page about as wide as a screen is.
pub(super) fn layout(graph: &Graph) -> Page {
    let panels = panels(graph);
    let column = panels.iter().map(|panel| panel.width).fold(480.0, f64::max);
    let (count, tops) = columns(&panels, column);
    let legend = legend();
    let width =
        (2.0 * MARGIN + column * count + BETWEEN * (count - 1.0)).max(legend.width + 2.0 * MARGIN);

    let mut items = Vec::new();
    let title = if graph.engine.is_empty() {
        "Networks".to_owned()
    } else {
        format!("Networks of {}", graph.engine)
    };
    let (text, more) = fitted(Class::Title, &title, width - 2.0 * MARGIN);
    items.push(Item::Text(Text {
        x: MARGIN,
        y: MARGIN + 16.0,
        class: Class::Title,
        side: Side::RightOf,
        text,
        more,
    }));
    let mut bottom = MARGIN + TITLE;
    for (panel, (x, y)) in panels.into_iter().zip(tops) {
        let (x, y) = (MARGIN + x, MARGIN + TITLE + y);
        bottom = bottom.max(y + panel.height);
        items.extend(panel.items.into_iter().map(|item| item.moved(x, y)));
    }
    items.extend(legend.items.into_iter().map(|item| item.moved(MARGIN, bottom + BETWEEN)));
    Page { width, height: bottom + BETWEEN + LEGEND, items }
}

/// A panel a part; networks that nobody uses share one.
fn panels(graph: &Graph) -> Vec<Panel> {
    let (empty, parts): (Vec<_>, Vec<_>) =
        graph.parts.iter().partition(|part| part.containers.is_empty());
    let count = parts.len();
    let mut panels: Vec<_> = parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| {
            let way = if part.networks.iter().any(|network| network.leads_out) {
                "leads out"
            } else {
                "no way out"
            };
            let (networks, containers) = (part.networks.len(), part.containers.len());
            let number =
                if count > 1 { format!("Part {} of {count} · ", at + 1) } else { String::new() };
            let s = |number: usize| if number == 1 { "" } else { "s" };
            let caption = format!(
                "{number}{networks} network{} · {containers} container{} · {way}",
                s(networks),
                s(containers)
            );
            panel(&caption, part)
        })
        .collect();
    let mut networks = empty.into_iter().flat_map(|part| part.networks.clone()).peekable();
    while networks.peek().is_some() {
        // Not one tower of them.
        let some = networks.by_ref().take(12).collect();
        panels.push(panel("Nobody is connected", &Part { networks: some, containers: Vec::new() }));
    }
    panels
}

/// A way to put panels in columns.
struct Columns {
    /// How far the page is from what it should look like.
    off: f64,
    count: f64,
    /// Where each panel is.
    places: Vec<(f64, f64)>,
}

/// How many columns there are, and where each panel goes: to the end of the column that is the shortest by then.
fn columns(panels: &[Panel], column: f64) -> (f64, Vec<(f64, f64)>) {
    const WIDE: f64 = 1.5;

    let mut best: Option<Columns> = None;
    for count in 1..=panels.len().clamp(1, 12) {
        let mut ends = vec![0.0_f64; count];
        let mut places = Vec::with_capacity(panels.len());
        for panel in panels {
            let (mut x, mut shortest) = (0.0, 0);
            for (at, end) in ends.iter().enumerate() {
                if *end < ends[shortest] {
                    shortest = at;
                }
            }
            for _ in 0..shortest {
                x += column + BETWEEN;
            }
            places.push((x, ends[shortest]));
            ends[shortest] += panel.height + BETWEEN;
        }
        let height = ends.iter().copied().fold(1.0, f64::max) + TITLE + LEGEND;
        let columns = ends.iter().fold(0.0, |count, _| count + 1.0);
        let off = (columns * (column + BETWEEN) / height / WIDE).ln().abs();
        if best.as_ref().is_none_or(|best| off < best.off) {
            best = Some(Columns { off, count: columns, places });
        }
    }
    best.map_or((1.0, Vec::new()), |best| (best.count, best.places))
}

/// What the signs mean.
fn legend() -> Panel {
    let mut items = Vec::new();
    let mut x = 0.0;
    let mut entry = |sign: &dyn Fn(f64) -> Vec<Item>, words: &str| {
        items.extend(sign(x));
        x += 26.0;
        items.push(Item::Text(Text {
            x,
            y: 13.0,
            class: Class::Caption,
            side: Side::RightOf,
            text: words.to_owned(),
            more: None,
        }));
        x += width(Class::Caption, words) + 18.0;
    };
    let line = |x: f64, class: &'static str, style: Option<String>| {
        vec![Item::Line { points: vec![(x, 9.0), (x + 20.0, 9.0)], class, style }]
    };
    entry(
        &|x| vec![Item::Circle { x: x + 10.0, y: 9.0, r: 4.5, class: "running", style: None }],
        "runs",
    );
    entry(
        &|x| vec![Item::Circle { x: x + 10.0, y: 9.0, r: 4.0, class: "stopped", style: None }],
        "does not run",
    );
    entry(
        &|x| vec![Item::Rect { x, y: 2.0, width: 20.0, height: 14.0, class: "internal" }],
        "internal",
    );
    entry(&|x| line(x, "outside", None), "leads out");
    entry(
        &|x| line(x, "joins", Some("stroke: #8250df".to_owned())),
        "one container on several networks",
    );
    Panel { width: x, height: 20.0, items }
}

impl Item {
    fn moved(self, right: f64, down: f64) -> Self {
        match self {
            Self::Circle { x, y, r, class, style } => {
                Self::Circle { x: x + right, y: y + down, r, class, style }
            }
            Self::Line { points, class, style } => Self::Line {
                points: points.into_iter().map(|(x, y)| (x + right, y + down)).collect(),
                class,
                style,
            },
            Self::Rect { x, y, width, height, class } => {
                Self::Rect { x: x + right, y: y + down, width, height, class }
            }
            Self::Text(text) => Self::Text(Text { x: text.x + right, y: text.y + down, ..text }),
        }
    }
}
