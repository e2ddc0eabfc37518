//! A part of the picture: its networks as boxes below each other, containers as rows in them. Who is on several networks has a line
//! to the right of them that joins its rows; what leads out has one to the left.

use std::collections::BTreeMap;

use super::measure::{fitted, width};
use super::{Class, Item, Side, Text};
use crate::graph::model::{Container, Endpoint, Network, Part};

/// A part as it is drawn, with its upper left corner at nought.
pub(super) struct Panel {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) items: Vec<Item>,
}

const PADDING: f64 = 16.0;
const CAPTION: f64 = 26.0;
const BOX: f64 = 400.0;
const GUTTER: f64 = 34.0;
const BETWEEN: f64 = 14.0;
const LANE: f64 = 11.0;
const ROW: f64 = 24.0;
const ALIASES: f64 = 15.0;
const LINE: f64 = 17.0;
/// Rows begin behind their dot.
const INDENT: f64 = 18.0;

/// Colours that can be told apart on light and on dark.
const COLOURS: [&str; 8] =
    ["#8250df", "#cf222e", "#1f883d", "#bf8700", "#0969da", "#bf3989", "#0598bc", "#bc4c00"];

pub(super) fn panel(caption: &str, part: &Part) -> Panel {
    let mut sheet = Sheet { items: Vec::new(), rows: BTreeMap::new() };
    let mut members: BTreeMap<&str, Vec<(usize, &Container, &Endpoint)>> = BTreeMap::new();
    for (number, container) in part.containers.iter().enumerate() {
        for endpoint in &container.endpoints {
            members.entry(&endpoint.network).or_default().push((number, container, endpoint));
        }
    }
    let leads_out = part.networks.iter().any(|network| network.leads_out);
    let left = PADDING + if leads_out { GUTTER } else { 0.0 };
    let mut y = PADDING + CAPTION;
    let mut doors = Vec::new();
    for network in &part.networks {
        if network.leads_out {
            doors.push(y + LINE);
        }
        let members = members.get(network.name.as_str()).map_or(&[][..], Vec::as_slice);
        y = sheet.network(network, members, left, y) + BETWEEN;
    }
    let height = y - BETWEEN + PADDING;
    let lanes = sheet.joins(left + BOX);
    if let (Some(first), Some(last)) = (doors.first(), doors.last()) {
        sheet.outside(PADDING + 6.0, left, *first, *last, &doors);
    }
    let right = left + BOX + lanes + PADDING;
    let (text, more) = fitted(Class::Caption, caption, right - 2.0 * PADDING);
    sheet.items.push(Item::Text(Text {
        x: PADDING,
        y: PADDING + 10.0,
        class: Class::Caption,
        side: Side::RightOf,
        text,
        more,
    }));
    let mut items = vec![Item::Rect { x: 0.0, y: 0.0, width: right, height, class: "part" }];
    items.append(&mut sheet.items);
    Panel { width: right, height, items }
}

struct Sheet {
    items: Vec<Item>,
    /// Where the rows of each container on several networks are.
    rows: BTreeMap<usize, Vec<f64>>,
}

impl Sheet {
    /// Draws a network's box, and gives the height of its lower end.
    fn network(
        &mut self,
        network: &Network,
        members: &[(usize, &Container, &Endpoint)],
        x: f64,
        top: f64,
    ) -> f64 {
        let at = self.items.len();
        let class = if network.internal { "internal" } else { "network" };
        let tag = match (network.internal, network.scope.as_str()) {
            (true, _) => format!("{} · internal, no way out", network.driver),
            (false, "local") => network.driver.clone(),
            (false, scope) => format!("{} · {scope}", network.driver),
        };
        let mut y = top + 21.0;
        self.pair(
            (x, 0.0),
            y,
            (Class::Name, &network.name),
            (Class::Tag, &tag),
            Some(network.id.clone()),
        );
        for (number, subnet) in network.subnets.iter().enumerate() {
            y += LINE;
            let gateway = network
                .gateways
                .get(number)
                .map(|gateway| format!("gateway {gateway}"))
                .unwrap_or_default();
            self.pair((x, 0.0), y, (Class::Address, subnet), (Class::Tag, &gateway), None);
        }
        y += 11.0;
        if !members.is_empty() {
            self.items.push(Item::Line {
                points: vec![(x + 10.0, y), (x + BOX - 10.0, y)],
                class: "rule",
                style: None,
            });
            y += 4.0;
        }
        for (number, container, endpoint) in members {
            y = self.row(*number, container, endpoint, x, y);
        }
        if !members.is_empty() {
            y += 4.0;
        }
        self.items.insert(at, Item::Rect { x, y: top, width: BOX, height: y - top, class });
        y
    }

    fn row(
        &mut self,
        number: usize,
        container: &Container,
        endpoint: &Endpoint,
        x: f64,
        top: f64,
    ) -> f64 {
        let y = top + 16.0;
        let (class, r) = if container.running { ("running", 4.5) } else { ("stopped", 4.0) };
        self.items.push(Item::Circle { x: x + 18.0, y: y - 4.5, r, class, style: None });
        let mut addresses = endpoint
            .addresses
            .iter()
            .filter(|address| !address.is_empty())
            .cloned()
            .collect::<Vec<_>>();
        let state = if addresses.is_empty() || !container.running {
            container.state.clone()
        } else {
            String::new()
        };
        let mut more = format!("{} ({}, {})", container.name, container.image, container.state);
        if let Some(mac) = &endpoint.mac {
            more.push_str(&format!("\n{mac}"));
        }
        let first = if addresses.is_empty() { String::new() } else { addresses.remove(0) };
        let right = match first.is_empty() {
            true => (Class::Tag, state.as_str()),
            false => (Class::Address, first.as_str()),
        };
        self.pair((x, INDENT), y, (Class::Row, &container.name), right, Some(more));
        if container.endpoints.len() > 1 {
            self.rows.entry(number).or_default().push(y - 4.5);
        }
        let mut bottom = top + ROW;
        let mut second = Vec::new();
        if !endpoint.aliases.is_empty() {
            second.push(format!("aka {}", endpoint.aliases.join(", ")));
        }
        if endpoint.default_route {
            second.push("its way out".to_owned());
        }
        let rest = addresses.join(" ");
        if !second.is_empty() || !rest.is_empty() {
            self.pair(
                (x, INDENT),
                bottom + 6.0,
                (Class::Alias, &second.join(" · ")),
                (Class::Address, &rest),
                None,
            );
            bottom += ALIASES;
        }
        bottom
    }

    /// In the box that begins at `x`: a text at the left, so much further in, and one at the right end of the same line, each cut where they would meet.
    fn pair(
        &mut self,
        (x, indent): (f64, f64),
        y: f64,
        left: (Class, &str),
        right: (Class, &str),
        more: Option<String>,
    ) {
        const MARGIN: f64 = 14.0;
        const GAP: f64 = 12.0;
        let (begin, end) = (x + MARGIN + indent, x + BOX - MARGIN);
        let room = end - begin;
        let most = (room - GAP) * 0.62;
        // What is short leaves its room to the other.
        let right_room = most.max(room - GAP - width(left.0, left.1));
        let (right_text, right_more) = fitted(right.0, right.1, right_room);
        let left_room =
            if right.1.is_empty() { room } else { room - GAP - width(right.0, &right_text) };
        let (left_text, left_more) = fitted(left.0, left.1, left_room);
        let more = match (more, left_more) {
            (Some(more), Some(all)) => Some(format!("{all}\n{more}")),
            (more, all) => more.or(all),
        };
        if !left_text.is_empty() {
            self.items.push(Item::Text(Text {
                x: begin,
                y,
                class: left.0,
                side: Side::RightOf,
                text: left_text,
                more,
            }));
        }
        if !right_text.is_empty() {
            self.items.push(Item::Text(Text {
                x: end,
                y,
                class: right.0,
                side: Side::LeftOf,
                text: right_text,
                more: right_more,
            }));
        }
    }

    /// Draws what joins the rows of containers on several networks, and gives the room that it takes.
    fn joins(&mut self, x: f64) -> f64 {
        let mut ways: Vec<(f64, f64, usize)> = Vec::new();
        for (number, rows) in &self.rows {
            if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
                ways.push((*first, *last, *number));
            }
        }
        ways.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.2.cmp(&other.2)));
        // The lower end of what each lane has so far.
        let mut lanes: Vec<f64> = Vec::new();
        for (first, last, number) in ways {
            let lane = lanes.iter().position(|end| *end + 4.0 < first).unwrap_or(lanes.len());
            match lanes.get_mut(lane) {
                Some(end) => *end = last,
                None => lanes.push(last),
            }
            let lane_x = x + 14.0 + LANE * as_f64(lane);
            let colour = COLOURS[number % COLOURS.len()];
            let rows = self.rows.get(&number).cloned().unwrap_or_default();
            self.items.push(Item::Line {
                points: vec![(lane_x, first), (lane_x, last)],
                class: "joins",
                style: Some(format!("stroke: {colour}")),
            });
            for y in rows {
                self.items.push(Item::Line {
                    points: vec![(x, y), (lane_x, y)],
                    class: "joins",
                    style: Some(format!("stroke: {colour}")),
                });
                self.items.push(Item::Circle {
                    x: lane_x,
                    y,
                    r: 4.0,
                    class: "joint",
                    style: Some(format!("fill: {colour}")),
                });
            }
        }
        if lanes.is_empty() { 0.0 } else { 14.0 + LANE * as_f64(lanes.len()) }
    }

    /// The world outside: a line at the left, with an arrow from each network that leads there.
    fn outside(&mut self, x: f64, left: f64, first: f64, last: f64, doors: &[f64]) {
        // A globe, where the line begins.
        let globe = first - 14.0;
        self.items.push(Item::Circle { x, y: globe - 6.0, r: 6.0, class: "outside", style: None });
        self.items.push(Item::Line {
            points: vec![(x - 6.0, globe - 6.0), (x + 6.0, globe - 6.0)],
            class: "rule",
            style: None,
        });
        self.items.push(Item::Line {
            points: vec![(x, globe), (x, last)],
            class: "outside",
            style: None,
        });
        for y in doors {
            self.items.push(Item::Line {
                points: vec![(left, *y), (x, *y)],
                class: "outside",
                style: None,
            });
            self.items.push(Item::Line {
                points: vec![(x + 7.0, y - 4.0), (x + 1.5, *y), (x + 7.0, y + 4.0)],
                class: "arrow",
                style: None,
            });
        }
    }
}

/// Numbers of things that are drawn: far from where a float is not exact.
fn as_f64(number: usize) -> f64 {
    u32::try_from(number).map_or_else(|_| f64::from(u32::MAX), f64::from)
}
