//! Which cases agree, and why others do not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::known::{self, Known};
use super::recording::{Entry, Recording};
use crate::served::Like;

#[derive(Debug)]
pub(super) struct Verdict<'a> {
    /// In the order of the recording.
    pub(super) groups: Vec<(String, Tally)>,
    pub(super) differences: Vec<Difference<'a>>,
    /// Patterns of the table that fit no difference.
    pub(super) unused: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) cases: usize,
    /// Agree in status and message.
    pub(super) words: usize,
    /// Agree in all.
    pub(super) body: usize,
}

/// A case that does not agree in all; one of the two is there.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) recorded: Option<&'a Entry>,
    pub(super) ours: Option<&'a Entry>,
    pub(super) known: Option<&'a Known>,
}

impl<'a> Verdict<'a> {
    pub(super) fn of(
        recorded: &'a Recording,
        ours: &'a Recording,
        groups: &[String],
        like: Like,
        table: &'a [Known],
    ) -> Self {
        let answers: BTreeMap<&str, &Entry> =
            ours.entries.iter().map(|entry| (entry.case.as_str(), entry)).collect();
        let in_scope = |entry: &&Entry| groups.iter().any(|group| group == entry.group());

        let mut tallies: Vec<(String, Tally)> =
            groups.iter().map(|group| (group.clone(), Tally::default())).collect();
        let mut differences = Vec::new();
        let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
        for entry in recorded.entries.iter().filter(in_scope) {
            seen.insert(&entry.case, ());
            let Some((_, tally)) = tallies.iter_mut().find(|(group, _)| group == entry.group())
            else {
                continue;
            };
            let answer = answers.get(entry.case.as_str()).copied();
            let words = answer.is_some_and(|answer| agree_in_words(entry, answer));
            let body = words && answer.is_some_and(|answer| agree_in_body(entry, answer));
            // What the recorder did not ask, as an earlier answer of the case was another, shows
            // that no second time. It is a difference, but not a case.
            tally.cases += usize::from(answer.is_some());
            tally.words += usize::from(words);
            tally.body += usize::from(body);
            if !body {
                let known = known_of(table, &entry.case, like);
                differences.push(Difference { recorded: Some(entry), ours: answer, known });
            }
        }
        for entry in ours.entries.iter().filter(in_scope) {
            if !seen.contains_key(entry.case.as_str()) {
                let known = known_of(table, &entry.case, like);
                differences.push(Difference { recorded: None, ours: Some(entry), known });
            }
        }
        let unused = unused(table, &differences, groups, like);
        Self { groups: tallies, differences, unused }
    }

    pub(super) fn total(&self) -> Tally {
        self.groups.iter().fold(Tally::default(), |sum, (_, tally)| Tally {
            cases: sum.cases + tally.cases,
            words: sum.words + tally.words,
            body: sum.body + tally.body,
        })
    }

    pub(super) fn unexplained(&self) -> impl Iterator<Item = &Difference<'a>> {
        self.differences.iter().filter(|difference| difference.known.is_none())
    }
}

impl Difference<'_> {
    pub(super) fn case(&self) -> &str {
        self.recorded.or(self.ours).map(|entry| entry.case.as_str()).unwrap_or_default()
    }
}

fn agree_in_words(recorded: &Entry, ours: &Entry) -> bool {
    recorded.status == ours.status && recorded.words() == ours.words()
}

fn agree_in_body(recorded: &Entry, ours: &Entry) -> bool {
    recorded.media == ours.media && plain(&recorded.body) == plain(&ours.body)
}

/// The body without what the recorder leaves in it and no engine answers twice alike.
fn plain(body: &Value) -> Value {
    body.clone()
}

fn known_of<'a>(table: &'a [Known], case: &str, like: Like) -> Option<&'a Known> {
    table.iter().find(|known| known.covers(case, like))
}

/// A pattern must fit a difference wherever its cases are asked at all.
fn unused(
    table: &[Known],
    differences: &[Difference<'_>],
    groups: &[String],
    like: Like,
) -> Vec<&'static str> {
    let asked = |pattern: &str| {
        let group = pattern.split('/').next().unwrap_or_default();
        groups.iter().any(|name| name == group)
    };
    let fits = |pattern: &str| differences.iter().any(|d| known::fits(pattern, d.case()));
    table
        .iter()
        .filter(|known| known.is_for(like))
        .flat_map(|known| known.cases.iter().copied())
        .filter(|pattern| asked(pattern) && !fits(pattern))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Known] = &[Known {
        what: "W",
        cases: &["a/two", "a/six", "b/one"],
        like: &[Like::Docker28],
        why: "because",
    }];

    fn recording(entries: &str) -> Recording {
        Recording::parse(&format!(r#"{{"engine":{{}},"entries":[{entries}]}}"#)).unwrap()
    }

    fn entry(case: &str, status: u16, body: &str) -> String {
        format!(r#"{{"case":"{case}","request":"","status":{status},"type":"","body":{body}}}"#)
    }

    #[test]
    fn every_answer_is_counted_once_and_differences_need_a_row() {
        let recorded = recording(
            &[
                entry("a/one", 200, "1"),
                entry("a/two", 200, "1"),
                entry("a/three", 404, r#"{"message":"x"}"#),
                entry("a/four", 404, r#"{"message":"x"}"#),
                entry("a/five", 200, "1"),
                entry("b/one", 200, "1"),
            ]
            .join(","),
        );
        let ours = recording(
            &[
                entry("a/one", 200, "1"),
                entry("a/two", 200, "2"),
                entry("a/three", 404, r#"{"message":"x","more":1}"#),
                entry("a/four", 404, r#"{"message":"y"}"#),
                entry("a/more", 200, "1"),
            ]
            .join(","),
        );
        let groups = ["a".to_owned()];
        let verdict = Verdict::of(&recorded, &ours, &groups, Like::Docker28, TABLE);
        assert_eq!(verdict.total(), Tally { cases: 4, words: 3, body: 1 });
        let cases: Vec<_> = verdict.unexplained().map(Difference::case).collect();
        assert_eq!(cases, ["a/three", "a/four", "a/five", "a/more"]);
        assert_eq!(verdict.unused, ["a/six"], "b is not asked, two fits");

        let verdict = Verdict::of(&recorded, &ours, &groups, Like::Docker26, TABLE);
        assert_eq!(verdict.unexplained().count(), 5, "the row is of another engine");
        assert_eq!(verdict.unused, [""; 0]);
    }
}
