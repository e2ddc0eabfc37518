//! What is printed, and what DIFFERENCES.md says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::diff::places;
use super::known::Known;
use super::recording::Entry;
use super::verdict::{Difference, Tally, Verdict};

/// Of a long text so many characters are shown.
const WIDTH: usize = 240;
/// Of two bodies so many places that differ.
const PLACES: usize = 12;

const BEGIN: &str = "<!-- golden: begin -->";
const END: &str = "<!-- golden: end -->";

/// The differences, those with a reason first, and then the figures.
pub(super) fn text(verdict: &Verdict<'_>) -> String {
    let mut text = String::new();
    let (known, unexplained): (Vec<_>, Vec<_>) =
        verdict.differences.iter().partition(|difference| difference.known.is_some());
    for difference in known.iter().chain(&unexplained) {
        show(&mut text, difference);
    }
    table(&mut text, verdict);
    text
}

fn table(text: &mut String, verdict: &Verdict<'_>) {
    let mut row = |name: &str, tally: Tally| {
        let of = |count: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand at the most")]
            let share = 100.0 * count as f64 / tally.cases.max(1) as f64;
            format!("{count:>5} {share:>6.1} %")
        };
        let _ = writeln!(
            text,
            "{name:<12}{:>7}   {}   {}",
            tally.cases,
            of(tally.words),
            of(tally.body)
        );
    };
    for (group, tally) in &verdict.groups {
        row(group, *tally);
    }
    row("all", verdict.total());
    let unexplained = verdict.unexplained().count();
    let _ = writeln!(
        text,
        "(cases; agree in status and message; in all of the body)\n\
         {} differences, {unexplained} of them without a reason",
        verdict.differences.len()
    );
}

fn show(text: &mut String, difference: &Difference<'_>) {
    let request = |entry: &Entry| shortened(&entry.request);
    let _ = writeln!(text, "{}", difference.case());
    match (difference.recorded, difference.ours) {
        (Some(recorded), Some(ours)) => {
            let _ = writeln!(text, "  asked     {}", request(recorded));
            if recorded.request != ours.request {
                let _ = writeln!(text, "  asked us  {}", request(ours));
            }
            compare(text, recorded, ours);
        }
        (Some(recorded), None) => {
            let _ = writeln!(text, "  asked     {}", request(recorded));
            let _ = writeln!(text, "  recorded  {}\n  ours      was not asked", brief(recorded));
        }
        (None, Some(ours)) => {
            let _ = writeln!(text, "  asked us  {}", request(ours));
            let _ = writeln!(text, "  recorded  was not asked\n  ours      {}", brief(ours));
        }
        (None, None) => {}
    }
    if let Some(known) = difference.known {
        let _ = writeln!(text, "  why       {}: {}", known.what, known.why);
    }
    text.push('\n');
}

/// All of it where the bodies are of another kind, else the places.
fn compare(text: &mut String, recorded: &Entry, ours: &Entry) {
    let places = places(&recorded.body, &ours.body);
    let as_a_whole = places.iter().any(|place| place.path.is_empty());
    if recorded.status != ours.status || recorded.media != ours.media || as_a_whole {
        let _ = writeln!(text, "  recorded  {}\n  ours      {}", brief(recorded), brief(ours));
        return;
    }
    let value =
        |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), |v| shortened(&v.to_string()));
    for place in places.iter().take(PLACES) {
        let (recorded, ours) = (value(place.recorded), value(place.ours));
        let _ = writeln!(
            text,
            "  at        {}\n  recorded  {recorded}\n  ours      {ours}",
            place.path
        );
    }
    if places.len() > PLACES {
        let _ = writeln!(text, "            and at {} more places", places.len() - PLACES);
    }
}

fn brief(entry: &Entry) -> String {
    let status = entry.status.map_or(String::new(), |status| format!("{status} "));
    let media = if entry.media.is_empty() { "" } else { &format!("{} ", entry.media) };
    format!("{status}{media}{}", shortened(&entry.body.to_string()))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Brings the part of the document that is the table's up to date.
pub(super) fn write_document(file: &Path, table: &[Known]) -> Result<()> {
    let document = fs::read_to_string(file).unwrap_or_default();
    let written = with_section(&document, table);
    fs::write(file, written).with_context(|| format!("golden: cannot write {}", file.display()))?;
    eprintln!("golden: {} is up to date", file.display());
    Ok(())
}

/// The document with the section between the markers made anew, or put at its end.
pub(super) fn with_section(document: &str, table: &[Known]) -> String {
    let section = format!("{BEGIN}\n{}{END}\n", section(table));
    let parts = document
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{section}{}", after.trim_start_matches('\n')),
        None if document.is_empty() => format!("# Differences\n\n{section}"),
        None => format!("{}\n\n{section}", document.trim_end()),
    }
}

fn section(table: &[Known]) -> String {
    let mut text = String::new();
    for known in table {
        let engines = match known.like {
            [] => "all".to_owned(),
            some => some.iter().map(|like| like.title()).collect::<Vec<_>>().join(", "),
        };
        let cases: Vec<String> = known.cases.iter().map(|case| format!("`{case}`")).collect();
        let _ = writeln!(
            text,
            "\n### {}\n\n{}\n\nUnlike: {engines}. Cases: {}.",
            known.what,
            known.why,
            cases.join(", ")
        );
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served::Like;

    const TABLE: &[Known] = &[Known {
        what: "Pools do not run out",
        cases: &["pools/*", "leaks/x"],
        like: &[Like::Docker28],
        why: "They are 30.",
    }];

    #[test]
    fn only_what_is_between_the_markers_is_written_anew() {
        let document = format!("# Mine\n\n{BEGIN}\nstale\n{END}\nlast\n");
        let written = with_section(&document, TABLE);
        assert!(written.starts_with("# Mine\n\n") && written.ends_with("\nlast\n"), "{written}");
        assert!(written.contains("\n### Pools do not run out\n\nThey are 30.\n"), "{written}");
        assert!(written.contains("Unlike: Docker 28.5. Cases: `pools/*`, `leaks/x`."), "{written}");
        assert!(!written.contains("stale"));
        assert_eq!(with_section(&written, TABLE), written);
        assert_eq!(with_section(&with_section("", TABLE), TABLE), with_section("", TABLE));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(WIDTH + 1);
        assert_eq!(shortened(&text).chars().count(), WIDTH + 3);
        assert_eq!(shortened("é"), "é");
    }
}
