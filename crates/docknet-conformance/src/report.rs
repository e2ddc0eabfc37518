//! How it all went: the table that is kept in the repository, and JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Behaviour, Difference, Engine, Needs, Outcome};

/// How one behaviour went on one engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// The behaviour.
    pub behaviour: Behaviour,
    /// The engine's name.
    pub engine: String,
    /// How it went.
    pub outcome: Outcome,
    /// How long it took, cleaning included.
    pub took: Duration,
}

impl Line {
    /// A line of a report.
    #[must_use]
    pub fn new(behaviour: Behaviour, engine: &Engine, outcome: Outcome, took: Duration) -> Self {
        Self { behaviour, engine: engine.name.clone(), outcome, took }
    }

    /// The outcome in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.outcome {
            Outcome::Passed => "ok",
            Outcome::Differs(..) => "differs",
            Outcome::Failed(_) => "FAILED",
            Outcome::NotApplicable(_) => "n/a",
        }
    }

    /// Whether it is as it should be; nothing if that could not be seen.
    #[must_use]
    pub const fn passed(&self) -> Option<bool> {
        match self.outcome {
            Outcome::Passed | Outcome::Differs(..) => Some(true),
            Outcome::Failed(_) => Some(false),
            Outcome::NotApplicable(_) => None,
        }
    }
}

/// The behaviours that no engine could show, with the need that none of them meets.
#[must_use]
pub fn never_applicable(
    behaviours: &[Behaviour],
    engines: &[Engine],
) -> Vec<(&'static str, Needs)> {
    let unmet = |behaviour: &Behaviour| {
        let met = |need: &&Needs| engines.iter().any(|engine| engine.meets(**need));
        behaviour.needs.iter().find(|need| !met(need)).map(|need| (behaviour.name, *need))
    };
    behaviours.iter().filter_map(unmet).collect()
}

/// Everything, for programs.
#[must_use]
pub fn json(engines: &[Engine], lines: &[Line]) -> Value {
    let engines = engines.iter().map(|engine| {
        json!({
            "name": engine.name, "product": engine.product.to_string(), "version": engine.full_version,
            "api_version": engine.api_version,
        })
    });
    let results = lines.iter().map(|line| {
        let words = match &line.outcome {
            Outcome::Passed => Value::Null,
            Outcome::Differs(words, _) | Outcome::Failed(words) => words.as_str().into(),
            Outcome::NotApplicable(reason) => (*reason).into(),
        };
        json!({
            "behaviour": line.behaviour.name, "engine": line.engine, "outcome": line.word(), "words": words,
            "seconds": line.took.as_secs_f64(),
        })
    });
    json!({ "engines": engines.collect::<Vec<_>>(), "results": results.collect::<Vec<_>>() })
}

const INTRODUCTION: &str = "\
# Compatibility

What docknet does on which engine. Every row is a function of `docknet-conformance` that was run against the real
engines above the columns; `cargo xtask test` runs them all and writes this file.

- `✓` it holds.
- `differs` it does not hold, and that is known: the note has what happens there instead, and why. The suite demands
  that it happens, so that a note that is no longer true is a failure.
- `–` the engine does not have what it takes to look, such as a swarm.

`docknet` is our own engine in memory, in the process of the suite; `docknet-socket` is the same behind a socket. Its
containers have no processes: what others show inside a container, it shows in what it tells of it.
";

/// The table that is kept in the repository: nothing in it changes unless an engine or a behaviour does.
#[must_use]
pub fn table(engines: &[Engine], lines: &[Line]) -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str("\n| engine | version | API |\n|---|---|---|\n");
    for engine in engines {
        let version = engine.full_version.split('+').next().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} {version} | {} |",
            engine.name, engine.product, engine.api_version
        );
    }
    let results: BTreeMap<_, _> = lines
        .iter()
        .map(|line| ((line.behaviour.name, line.engine.as_str()), &line.outcome))
        .collect();
    let mut notes = Notes::default();
    let mut group = "";
    for behaviour in in_order(lines) {
        if behaviour.group != group {
            group = behaviour.group;
            let _ = write!(text, "\n## {}\n\n| |", group.replace('_', " "));
            for engine in engines {
                let _ = write!(text, " {} |", engine.name);
            }
            let _ = writeln!(text, "\n|---|{}", ":-:|".repeat(engines.len()));
        }
        let _ = write!(text, "| {}<br>`{}` |", cell(&behaviour.sentence()), behaviour.name);
        for engine in engines {
            let outcome = results.get(&(behaviour.name, engine.name.as_str()));
            let _ = write!(text, " {} |", notes.mark(outcome.copied()));
        }
        text.push('\n');
    }
    notes.write(&mut text);
    text
}

/// What was run, in the order of the suite.
fn in_order(lines: &[Line]) -> Vec<Behaviour> {
    let ran =
        |behaviour: &Behaviour| lines.iter().any(|line| line.behaviour.name == behaviour.name);
    crate::all().into_iter().filter(ran).collect()
}

/// The notes below the table, one a difference, in the order in which they come.
#[derive(Default)]
struct Notes(Vec<&'static Difference>);

impl Notes {
    fn mark(&mut self, outcome: Option<&Outcome>) -> String {
        match outcome {
            Some(Outcome::Passed) => "✓".to_owned(),
            Some(Outcome::Differs(_, row)) => format!("differs[^{}]", self.number(row)),
            Some(Outcome::Failed(_)) => "FAILED".to_owned(),
            Some(Outcome::NotApplicable(_)) | None => "–".to_owned(),
        }
    }

    fn number(&mut self, row: &'static Difference) -> usize {
        let same = |known: &&Difference| (known.words, known.why) == (row.words, row.why);
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(row);
            self.0.len() - 1
        });
        at + 1
    }

    fn write(&self, text: &mut String) {
        if !self.0.is_empty() {
            text.push_str("\n## Notes\n\n");
        }
        for (at, row) in self.0.iter().enumerate() {
            let _ = writeln!(text, "[^{}]: “{}”: {}", at + 1, row.words, row.why);
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_written_once_however_often_it_is_meant() {
        let rows: Vec<_> = crate::DIFFERENCES
            .iter()
            .filter(|row| {
                row.behaviour.starts_with("names::") && row.words.starts_with("names must")
            })
            .collect();
        let mut notes = Notes::default();
        let marks: Vec<_> = rows
            .iter()
            .map(|row| notes.mark(Some(&Outcome::Differs(String::new(), row))))
            .collect();
        assert_eq!(marks, ["differs[^1]", "differs[^1]", "differs[^1]"]);
        let mut text = String::new();
        notes.write(&mut text);
        assert_eq!(text.matches("[^1]: “names must match").count(), 1, "{text}");
    }

    #[test]
    fn what_no_engine_meets_is_told() {
        let behaviours = crate::all();
        let unmet = never_applicable(&behaviours, &[]);
        let needy = behaviours.iter().filter(|behaviour| !behaviour.needs.is_empty()).count();
        assert_eq!(unmet.len(), needy);
        assert!(unmet.contains(&("drivers::macvlan", Needs::Parent)), "{unmet:?}");
    }
}
