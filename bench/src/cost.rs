//! Wall and processor time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What some work cost.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
}

/// Runs and measures; the processor time is that of this whole process.
pub fn measured(work: impl FnOnce() -> Result<()>) -> Result<Cost> {
    measured_of(UsageWho::RUSAGE_SELF, work)
}

/// Runs a program to its end, which must be a good one.
pub fn measured_program(command: &mut Command) -> Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    measured_of(UsageWho::RUSAGE_CHILDREN, || {
        let status = command.status().with_context(|| format!("{command:?}"))?;
        ensure!(status.success(), "{command:?}: {status}");
        Ok(())
    })
}

/// The most memory that any program had which this process waited for, in bytes.
pub fn peak_of_programs() -> Result<u64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss().unsigned_abs() * 1024)
}

fn measured_of(whom: UsageWho, work: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let (wall, cpu) = (Instant::now(), processor_time(whom)?);
    work()?;
    Ok(Cost { wall: wall.elapsed(), cpu: processor_time(whom)?.saturating_sub(cpu) })
}

fn processor_time(whom: UsageWho) -> Result<Duration> {
    let usage = getrusage(whom)?;
    let micros = |time: TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    let all = micros(usage.user_time()) + micros(usage.system_time());
    Ok(Duration::from_micros(all.unsigned_abs()))
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}
