//! A scene as lines of a terminal.

use unicode_width::UnicodeWidthStr;

use super::{Changes, Scene};
use crate::output::{counted, fit, visible};

/// Lines, none of which is wider than was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) look: Look,
}

/// What a line is, for those who can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Changed,
    Faint,
    Head,
    Plain,
}

/// As much of the scene as fits. What does not is counted in the last line.
pub(crate) fn frame(
    scene: &Scene,
    changes: &Changes,
    title: &str,
    width: usize,
    height: usize,
) -> Frame {
    let rows = rows(scene, changes);
    let mut lines = vec![Line { text: fit(&visible(title), width), look: Look::Faint }];
    let widths = widths(&rows, width);
    let head = ["NETWORK", "DRIVER", "SUBNET / ADDRESS", "STATE"].map(str::to_owned);
    lines.push(Line { text: row(&head, &widths, width), look: Look::Head });
    let room = height.saturating_sub(lines.len());
    let shown = if rows.len() <= room { rows.len() } else { room.saturating_sub(1) };
    lines.extend(
        rows.iter()
            .take(shown)
            .map(|cells| Line { text: row(&cells.cells, &widths, width), look: cells.look }),
    );
    if shown < rows.len() {
        let (networks, members) =
            rows.iter().skip(shown).fold((0, 0), |(networks, members), row| match row.is_network {
                true => (networks + 1, members),
                false => (networks, members + 1),
            });
        let (networks, members) = (counted(networks, "network"), counted(members, "container"));
        let rest = format!("… {networks} and {members} more");
        lines.push(Line { text: fit(&rest, width), look: Look::Faint });
    }
    lines.truncate(height);
    Frame { lines }
}

/// Below this width names and addresses are all there is room for.
const NARROW: usize = 60;

struct Row {
    cells: [String; 4],
    look: Look,
    is_network: bool,
}

fn rows(scene: &Scene, changes: &Changes) -> Vec<Row> {
    let mut rows = Vec::new();
    for network in &scene.networks {
        let changed = changes.networks.contains(&network.id);
        rows.push(Row {
            cells: [
                visible(&network.name).into_owned(),
                visible(&network.driver).into_owned(),
                network.subnets.clone(),
                if network.internal { "internal".to_owned() } else { String::new() },
            ],
            look: if changed { Look::Changed } else { Look::Plain },
            is_network: true,
        });
        for (name, member) in &network.members {
            let changed =
                changes.members.iter().any(|(id, member)| *id == network.id && member == name);
            let look = match member.addresses.is_empty() {
                _ if changed => Look::Changed,
                true => Look::Faint,
                false => Look::Plain,
            };
            let cells = [
                format!("  {}", visible(name)),
                String::new(),
                member.addresses.clone(),
                visible(&member.state).into_owned(),
            ];
            rows.push(Row { cells, look, is_network: false });
        }
    }
    rows
}

/// Columns as wide as they need to be; in a narrow terminal names are cut first, since they are the longest as a rule.
fn widths(rows: &[Row], width: usize) -> [usize; 4] {
    const APART: usize = 2;
    const LEAST: [usize; 4] = [12, 6, 16, 8];
    let mut widths = LEAST;
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = cell.width().max(*width);
        }
    }
    if width < NARROW {
        (widths[1], widths[3]) = (0, 0);
    }
    let gaps = APART * (widths.iter().filter(|width| **width > 0).count() - 1);
    for (at, least) in [(0, 20), (2, 18), (0, LEAST[0]), (2, LEAST[2])] {
        let total = widths.iter().sum::<usize>() + gaps;
        if let Some(one) = widths.get_mut(at) {
            *one = (*one).saturating_sub(total.saturating_sub(width)).max(least.min(*one));
        }
    }
    widths
}

fn row(cells: &[String; 4], widths: &[usize; 4], width: usize) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths).filter(|(_, width)| **width > 0) {
        let cell = fit(cell, *width);
        let missing = width.saturating_sub(cell.width()) + 2;
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', missing));
    }
    fit(text.trim_end(), width)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Member, Network};
    use super::*;

    fn scene(networks: usize) -> Scene {
        let network = |at: usize| {
            let members = (0..at % 3).map(|member| {
                let running = member == 0;
                let (addresses, state) = if running {
                    (format!("10.{at}.0.{}", member + 2), "running")
                } else {
                    (String::new(), "exited")
                };
                (format!("container-{member}"), Member { addresses, state: state.to_owned() })
            });
            Network {
                id: format!("id{at}"),
                name: format!("network-with-a-long-name-{at}"),
                driver: "bridge".to_owned(),
                subnets: format!("10.{at}.0.0/24, fd00:{at}::/64"),
                internal: at % 2 == 1,
                members: members.collect(),
            }
        };
        Scene { networks: (0..networks).map(network).collect() }
    }

    fn text(frame: &Frame) -> String {
        frame.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    #[test]
    fn wide_and_narrow() {
        let (scene, none) = (scene(4), Changes::default());
        insta::assert_snapshot!(
            "wide",
            text(&frame(&scene, &none, "unix:///run/docker.sock", 120, 20))
        );
        insta::assert_snapshot!(
            "usual",
            text(&frame(&scene, &none, "unix:///run/docker.sock", 80, 20))
        );
        insta::assert_snapshot!(
            "narrow",
            text(&frame(&scene, &none, "unix:///run/docker.sock", 40, 8))
        );
    }

    #[test]
    fn what_changed_is_told_apart() {
        let changes = Changes {
            networks: vec!["id0".to_owned()],
            members: vec![("id2".to_owned(), "container-0".to_owned())],
        };
        let frame = frame(&scene(3), &changes, "", 100, 20);
        let changed: Vec<_> =
            frame.lines.iter().filter(|line| line.look == Look::Changed).collect();
        assert_eq!(changed.len(), 2);
        assert!(changed[1].text.contains("container-0"));
    }

    proptest! {
        #[test]
        fn no_frame_is_larger_than_the_terminal(networks in 0_usize..40, width in 0_usize..140, height in 0_usize..50) {
            let frame = frame(&scene(networks), &Changes::default(), "a title that is long", width, height);
            prop_assert!(frame.lines.len() <= height);
            prop_assert!(frame.lines.iter().all(|line| line.text.width() <= width));
        }
    }
}
