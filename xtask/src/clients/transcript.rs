//! What a client said, step by step, without what no two runs have in common.

use std::fmt;
use std::process::ExitStatus;

#[derive(Debug, Default)]
pub(super) struct Transcript {
    steps: Vec<Step>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    /// What was done: the line that begins with `$ `.
    title: String,
    lines: Vec<String>,
}

/// A step that is not the same on both engines, and the lines of it that are not.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) step: String,
    theirs: Vec<String>,
    ours: Vec<String>,
}

impl Transcript {
    pub(super) fn of(text: &str, status: ExitStatus) -> Self {
        let mut transcript = Self::parse(text);
        transcript
            .steps
            .push(Step { title: "the end".to_owned(), lines: vec![status.to_string()] });
        transcript
    }

    fn parse(text: &str) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for line in text.lines() {
            let line = plain(line);
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(title), _) => {
                    steps.push(Step { title: title.to_owned(), ..Step::default() });
                }
                (None, Some(step)) => step.lines.push(line),
                (None, None) => steps.push(Step { title: line, ..Step::default() }),
            }
        }
        Self { steps }
    }

    pub(super) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Step by step: a client does the same on both engines, unless one ends it before.
    pub(super) fn differences(&self, ours: &Self) -> Vec<Difference> {
        let none = Step::default();
        let count = self.steps.len().max(ours.steps.len());
        (0..count)
            .map(|at| (self.steps.get(at).unwrap_or(&none), ours.steps.get(at).unwrap_or(&none)))
            .filter(|(theirs, ours)| theirs != ours)
            .map(|(theirs, ours)| Difference::between(theirs, ours))
            .collect()
    }
}

impl Difference {
    fn between(theirs: &Step, ours: &Step) -> Self {
        if theirs.title != ours.title {
            let all = |step: &Step| {
                [format!("$ {}", step.title)].into_iter().chain(step.lines.clone()).collect()
            };
            return Self { step: theirs.title.clone(), theirs: all(theirs), ours: all(ours) };
        }
        let (a, b) = (&theirs.lines, &ours.lines);
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
        let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        let rest = |lines: &[String]| lines.iter().take(lines.len() - end).cloned().collect();
        Self { step: theirs.title.clone(), theirs: rest(a), ours: rest(b) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        for line in &self.theirs {
            write!(f, "\n  docker28  {line}")?;
        }
        for line in &self.ours {
            write!(f, "\n  ours      {line}")?;
        }
        Ok(())
    }
}

/// The line with ids, times and random MAC addresses as what they are, not as which.
pub(crate) fn plain(line: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "-:._+".contains(c);
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        // A word begins and ends with a letter or a digit.
        let end = if first.is_ascii_alphanumeric() {
            let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().trim_end_matches(['-', ':', '.', '_', '+']).len()
        } else {
            rest.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        plain.push_str(kind(word).unwrap_or(word));
        rest = after;
    }
    plain
}

fn kind(word: &str) -> Option<&'static str> {
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let shaped = |shape: &str| {
        word.len() >= shape.len()
            && word.bytes().zip(shape.bytes()).all(|(byte, as_in)| match as_in {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let mac = || word.len() == 17 && word.split(':').all(|part| part.len() == 2 && hex(part));
    match word.len() {
        64 if hex(word) => Some("<id>"),
        12 if hex(word) => Some("<id12>"),
        10 | 19 if digits(word) => Some("<time>"),
        _ if shaped("0000-00-00") || shaped("00:00:00.") => Some("<time>"),
        // Those with this beginning were asked for.
        _ if mac() && !word.starts_with("92:d0:") => Some("<mac>"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_is_left_out_and_nothing_else() {
        let id = "117f6515ba1a6c663babb6c4fbc5aeeb56309bc7787df5e7e07756f2af73f5d6";
        for (line, expected) in [
            (format!("\"Id\": \"{id}\","), "\"Id\": \"<id>\","),
            (format!("(container={id}, name=x)"), "(container=<id>, name=x)"),
            ("4c3d8651e2bd   cli-full".to_owned(), "<id12>   cli-full"),
            ("2026-11-25T02:19:04.868891055Z network".to_owned(), "<time> network"),
            ("2026-11-25 02:19:04.868891055 +0000 UTC".to_owned(), "<time> <time> +0000 UTC"),
            (
                "\"time\":1795573163,\"timeNano\":1795573163907708815".to_owned(),
                "\"time\":<time>,\"timeNano\":<time>",
            ),
            ("4e:c6:15:c5:b3:b2 92:d0:c6:0a:29:33".to_owned(), "<mac> 92:d0:c6:0a:29:33"),
            ("10.210.1.200/24 fd00:210:2::20/64".to_owned(), "10.210.1.200/24 fd00:210:2::20/64"),
            ("! Error: network é not found.".to_owned(), "! Error: network é not found."),
        ] {
            assert_eq!(plain(&line), expected);
        }
    }

    #[test]
    fn of_a_step_only_the_lines_that_differ_are_shown() {
        let theirs = Transcript::parse("$ one\na\nb\nc\n$ two\n1\n$ three\n");
        let ours = Transcript::parse("$ one\na\nx\ny\nc\n$ two\n1\n");
        let differences = theirs.differences(&ours);
        let shown: Vec<String> = differences.iter().map(Difference::to_string).collect();
        assert_eq!(
            shown,
            [
                "one\n  docker28  b\n  ours      x\n  ours      y",
                "three\n  docker28  $ three\n  ours      $ ",
            ]
        );
        assert!(theirs.differences(&theirs).is_empty());
    }
}
