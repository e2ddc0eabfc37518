//! What was measured, a line each, and what is wanted of it.
//!
//! What is measured of somebody is `NAME WHOSE VALUE UNIT`, two of them side by side `NAME ratio=R goal=G ok`, or `SHORT`
//! in place of `ok`. With `DOCKNET_BENCH_REPORT` the same goes to that file as JSON, an object a line.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

/// One chapter of the benchmarks.
pub struct Report {
    chapter: &'static str,
    lines: Vec<String>,
    records: Vec<Value>,
}

/// Many times the same.
#[derive(Clone, Default)]
pub struct Samples(Vec<f64>);

/// Somebody, and what was measured of them.
#[derive(Clone, Copy)]
pub struct Side<'a>(pub &'a str, pub &'a Samples);

/// What is wanted of us beside a peer.
#[derive(Clone, Copy)]
pub enum Goal {
    /// Ours is at least so many times theirs.
    AtLeast(f64),
    /// Ours is at most so many times theirs.
    AtMost(f64),
    /// Theirs is at least so many times ours: we are so many times as fast.
    Faster(f64),
    /// Ours by theirs, and nothing is wanted of it.
    None,
}

impl Report {
    pub fn new(chapter: &'static str) -> Self {
        Self { chapter, lines: Vec::new(), records: Vec::new() }
    }

    /// Which version of a peer took part.
    pub fn peer(&mut self, name: &str, version: &str) {
        self.record("peer", json!({"name": name, "version": version}));
    }

    /// A figure of somebody's: the median, the first and the last decile, and how often it was measured.
    pub fn figure(&mut self, name: &str, whose: &str, samples: &Samples, unit: &str) {
        let (median, (low, high), n) = (samples.median(), samples.spread(), samples.0.len());
        let mut line = format!("{name:<34} {whose:<22} {median:>11.3} {unit:<5}");
        if n > 1 {
            line.push_str(&format!(" p10-p90 {low:.3}-{high:.3} n={n}"));
        }
        self.line(line);
        self.record(
            "figure",
            json!({"name": name, "whose": whose, "value": median, "low": low, "high": high, "n": n, "unit": unit}),
        );
    }

    /// A figure that is the same every time.
    pub fn value(&mut self, name: &str, whose: &str, value: f64, unit: &str) {
        self.figure(name, whose, &Samples(vec![value]), unit);
    }

    /// A number of ours that has to keep below a bound, whatever peers do.
    pub fn bound(&mut self, name: &str, value: f64, most: f64, unit: &str) {
        let verdict = verdict(value <= most);
        self.line(format!("{name} value={value} goal={most} {verdict}"));
        self.record(
            "ratio",
            json!({"name": name, "own": value, "unit": unit, "goal": format!("at most {most} {unit}"),
                "verdict": verdict}),
        );
    }

    /// Ours beside a peer's. What was measured in turns is compared turn by turn, since both had the same machine then.
    pub fn ratio(&mut self, name: &str, own: Side<'_>, peer: Side<'_>, unit: &str, goal: Goal) {
        let (above, below) = match goal {
            Goal::Faster(_) => (peer.1, own.1),
            _ => (own.1, peer.1),
        };
        let ratios = above.by(below);
        let ratio = ratios.median();
        let mut line = format!("{name} ratio={ratio:.2}");
        let (wanted, reached) = match goal {
            Goal::AtLeast(least) => (Some(format!("at least {least}")), ratio >= least),
            Goal::AtMost(most) => (Some(format!("at most {most}")), ratio <= most),
            Goal::Faster(1.0) => (Some("as fast".to_owned()), ratio >= 1.0),
            Goal::Faster(least) => (Some(format!("{least} times as fast")), ratio >= least),
            Goal::None => (None, true),
        };
        if let Goal::AtLeast(goal) | Goal::AtMost(goal) | Goal::Faster(goal) = goal {
            line.push_str(&format!(" goal={goal} {}", verdict(reached)));
        }
        let (low, high) = ratios.spread();
        if ratios.0.len() > 2 {
            line.push_str(&format!(" p10-p90={low:.2}-{high:.2} n={}", ratios.0.len()));
        }
        self.line(line);
        self.record(
            "ratio",
            json!({"name": name, "own": own.1.median(), "peer": peer.1.median(), "unit": unit, "whose": peer.0,
                "ratio": ratio, "low": low, "high": high, "n": ratios.0.len(), "goal": wanted,
                "verdict": wanted.is_some().then(|| verdict(reached))}),
        );
    }

    /// What could not be measured, and why.
    pub fn note(&mut self, text: &str) {
        self.line(format!("# {text}"));
        self.record("note", json!({"text": text}));
    }

    /// All of it again, without what was said meanwhile; and to the file, if one is wanted.
    pub fn finish(self) -> Result<()> {
        self.lines.iter().for_each(|line| println!("{line}"));
        let Some(path) = std::env::var_os("DOCKNET_BENCH_REPORT") else { return Ok(()) };
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        for record in &self.records {
            writeln!(file, "{record}")?;
        }
        Ok(())
    }

    fn line(&mut self, line: String) {
        eprintln!("{line}");
        self.lines.push(line);
    }

    fn record(&mut self, kind: &str, mut record: Value) {
        record["chapter"] = self.chapter.into();
        record["kind"] = kind.into();
        self.records.push(record);
    }
}

fn verdict(reached: bool) -> &'static str {
    if reached { "ok" } else { "SHORT" }
}

impl Samples {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// In milliseconds.
    pub fn add_time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The first and the last decile.
    pub fn spread(&self) -> (f64, f64) {
        (self.quantile(0.1), self.quantile(0.9))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub fn quantile(&self, at: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len().saturating_sub(1)) as f64 * at;
        sorted.get(place.round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// How many times another: turn by turn, or median by median if they had not as many.
    fn by(&self, other: &Self) -> Self {
        if self.0.len() == other.0.len() {
            Self(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
        } else {
            Self(vec![self.median() / other.median()])
        }
    }
}
