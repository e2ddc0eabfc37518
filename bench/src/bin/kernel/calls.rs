//! One call after the other, everybody in turns: one of each after a rest, or several in a row.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::contender::{CALLS, Contender, SAMPLES};
use crate::floor::Floor;
use docknet_bench::report::{Goal, Report, Samples, Side};

/// Ours takes links away behind its answers, the last of them when nobody wants anything: the next one is not to wait for
/// that.
const REST: Duration = Duration::from_millis(350);

/// How many times as fast as dockerd, and how many times what the kernel takes.
const GOALS: [(&str, f64, Option<f64>); 4] = [
    ("create", 30.0, Some(3.0)),
    ("connect", 5.0, Some(2.0)),
    ("disconnect", 20.0, None),
    ("remove", 20.0, None),
];
const KERNEL: &str = "the kernel alone";
/// How many times as much with many networks as with few.
pub const FLAT: Goal = Goal::AtMost(1.3);

/// How often somebody is asked for the same in a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Once, after the others had theirs: the processor slept, and its caches hold something else.
    Rested,
    /// As a program does that has several networks to make.
    Row,
}

impl Pace {
    fn times(self) -> u32 {
        match self {
            Self::Rested => 1,
            Self::Row => 6,
        }
    }

    /// What figures are called.
    fn name(self) -> &'static str {
        match self {
            Self::Rested => "",
            Self::Row => "row_",
        }
    }
}

pub fn measure(
    contenders: &mut [Contender],
    floor: &mut Floor,
    size: usize,
    pace: Pace,
    turns: usize,
    report: &mut Report,
) -> Result<()> {
    let times = pace.times();
    let mut all = vec![<[Samples; CALLS.len()]>::default(); contenders.len()];
    let mut floors = <[Samples; 4]>::default();
    for turn in 0..turns + 1 {
        for (contender, samples) in contenders.iter().zip(&mut all) {
            let took = contender.cycle(SAMPLES + turn * usize::try_from(times)?, times)?;
            if contender.is_ours() {
                thread::sleep(REST);
            }
            // The first one is to warm up.
            if turn > 0 {
                samples.iter_mut().zip(took).for_each(|(samples, took)| samples.add_time(took));
            }
        }
        let took = floor.cycle(times)?;
        let took = [took.create, took.connect, took.disconnect, took.remove];
        if turn > 0 {
            floors.iter_mut().zip(took).for_each(|(samples, took)| samples.add_time(took));
        }
    }
    for (at, call) in CALLS.iter().enumerate() {
        let name = format!("{}{call}_{size}", pace.name());
        let of = |title: &str| {
            let place = contenders.iter().position(|contender| contender.title == title)?;
            all.get(place)?.get(at)
        };
        for (contender, samples) in contenders.iter().zip(&all) {
            report.figure(&name, contender.title, &samples[at], "ms");
        }
        let goal = GOALS.iter().zip(&floors).find(|((goal, ..), _)| goal == call);
        if let Some(((_, fast, low), floor)) = goal {
            report.figure(&name, KERNEL, floor, "ms");
            if let (Some(dockerd), Some(own)) = (of("dockerd"), of("docknet")) {
                let name = format!("{name}_dockerd_to_docknet");
                let (own, dockerd) = (Side("docknet", own), Side("dockerd", dockerd));
                report.ratio(&name, own, dockerd, "ms", Goal::Faster(*fast));
            }
            for (title, short) in [("docknet", ""), ("docknet, no disk", "_no_disk")] {
                if let (Some(own), Some(low)) = (of(title), low) {
                    let name = format!("{name}{short}_to_kernel");
                    let (own, floor) = (Side(title, own), Side(KERNEL, floor));
                    report.ratio(&name, own, floor, "ms", Goal::AtMost(*low));
                }
            }
        }
        flat(&name, size, of, report);
    }
    Ok(())
}

/// With many networks, beside the same with few in the same turns.
pub fn flat<'a>(
    name: &str,
    size: usize,
    of: impl Fn(&str) -> Option<&'a Samples>,
    report: &mut Report,
) {
    if size == crate::SIZES[0] {
        return;
    }
    for (title, short) in [("docknet", ""), ("docknet, no disk", "_no_disk")] {
        let with_few = format!("{title}, few");
        if let (Some(many), Some(few)) = (of(title), of(&with_few)) {
            let name = format!("{name}{short}_to_{}", crate::SIZES[0]);
            report.ratio(&name, Side(title, many), Side(&with_few, few), "ms", FLAT);
        }
    }
}

/// Containers, and such that publish a port.
pub fn starts(contenders: &mut [Contender], turns: usize, report: &mut Report) -> Result<()> {
    for (name, port) in [("container_start", None), ("container_start_published", Some(5002))] {
        let mut all = vec![Samples::default(); contenders.len()];
        for _ in 0..turns {
            for (contender, samples) in contenders.iter().zip(&mut all) {
                if contender.title.ends_with("few") {
                    continue;
                }
                samples.add_time(contender.start(port)?);
                thread::sleep(REST);
            }
        }
        for (contender, samples) in contenders.iter().zip(&all).filter(|(_, all)| !all.is_empty()) {
            report.figure(name, contender.title, samples, "ms");
        }
    }
    Ok(())
}
