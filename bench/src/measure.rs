//! Wall and processor time of calls, and what comes out of many of them.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// What some calls cost together.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Runs and measures; the processor time is that of this whole process.
pub fn measured(work: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let (wall, cpu) = (Instant::now(), processor_time());
    work()?;
    Ok(Cost { wall: wall.elapsed(), cpu: processor_time().saturating_sub(cpu) })
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Costs of one call, in microseconds, one a round.
#[derive(Default)]
pub struct Samples {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Samples {
    pub fn add(&mut self, cost: Cost, calls: u32) {
        self.wall.push(cost.wall.as_secs_f64() * 1e6 / f64::from(calls));
        self.cpu.push(cost.cpu.as_secs_f64() * 1e6 / f64::from(calls));
    }

    pub fn wall(&self) -> f64 {
        quantile(&self.wall, 0.5)
    }

    pub fn cpu(&self) -> f64 {
        quantile(&self.cpu, 0.5)
    }

    /// How many times as much as another: the median of the rounds, each of which had both within moments.
    pub fn times(&self, other: &Self) -> (f64, f64) {
        let ratio = |own: &[f64], other: &[f64]| {
            let ratios: Vec<_> = own.iter().zip(other).map(|(own, other)| own / other).collect();
            quantile(&ratios, 0.5)
        };
        (ratio(&self.wall, &other.wall), ratio(&self.cpu, &other.cpu))
    }

    /// The first and the last decile of the wall time.
    pub fn spread(&self) -> (f64, f64) {
        (quantile(&self.wall, 0.1), quantile(&self.wall, 0.9))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(((sorted.len().saturating_sub(1)) as f64 * at).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
