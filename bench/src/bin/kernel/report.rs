//! What was measured, a line each, and what is wanted of it.

use std::time::Duration;

#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
}

/// Many times the same.
#[derive(Clone, Default)]
pub struct Samples(Vec<f64>);

/// What is wanted of a ratio.
#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    /// A figure of somebody's: the median, the first and the last decile, and how often it was measured.
    pub fn figure(&mut self, name: &str, whose: &str, samples: &Samples, unit: &str) {
        let (median, low, high) = (samples.median(), samples.quantile(0.1), samples.quantile(0.9));
        let times = samples.0.len();
        self.add(format!(
            "{name:<18} {whose:<22} {median:>9.3} {unit:<5} p10-p90 {low:.3}-{high:.3} n={times}"
        ));
    }

    pub fn ratio(&mut self, name: &str, of: &Samples, to: &Samples, goal: Goal) {
        let ratio = of.median() / to.median();
        let (reached, wanted) = match goal {
            Goal::AtLeast(least) => (ratio >= least, least),
            Goal::AtMost(most) => (ratio <= most, most),
        };
        let verdict = if reached { "ok" } else { "SHORT" };
        self.add(format!("{name:<41} ratio={ratio:.2} goal={wanted} {verdict}"));
    }

    pub fn add(&mut self, line: String) {
        eprintln!("{line}");
        self.lines.push(line);
    }

    /// All of it again, without what was said meanwhile.
    pub fn print(&self) {
        self.lines.iter().for_each(|line| println!("{line}"));
    }
}

impl Samples {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn add_time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn quantile(&self, at: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len().saturating_sub(1)) as f64 * at;
        sorted.get(place.round() as usize).copied().unwrap_or(f64::NAN)
    }
}
