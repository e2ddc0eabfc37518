//! Many calls without a pause: networks that come and go, and a hundred that go at once.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::calls::flat;
use crate::contender::{Contender, SAMPLES};
use crate::report::{Goal, Report, Samples};

/// Longer than ours goes on after it answered a hundred.
const SETTLE: Duration = Duration::from_millis(1_000);
const PRUNED: usize = 100;

/// Create, connect, disconnect, remove, again and again.
pub fn churn(
    contenders: &mut [Contender],
    size: usize,
    turns: usize,
    report: &mut Report,
) -> Result<()> {
    let mut all = vec![Samples::default(); contenders.len()];
    for _ in 0..turns {
        for (contender, samples) in contenders.iter().zip(&mut all) {
            let times = if contender.is_ours() { 100 } else { 4 };
            samples.add_time(contender.churn(SAMPLES, times)?);
            thread::sleep(SETTLE);
        }
    }
    report_all("churn", contenders, size, &all, 10.0, report);
    Ok(())
}

pub fn prune(contenders: &mut [Contender], size: usize, report: &mut Report) -> Result<()> {
    let mut all = vec![Samples::default(); contenders.len()];
    for turn in 0..3 {
        for (contender, samples) in contenders.iter().zip(&mut all) {
            // Theirs take long, and not once like this, once like that.
            if contender.is_ours() || turn == 0 {
                samples.add_time(contender.prune(2 * SAMPLES, PRUNED)?);
                thread::sleep(SETTLE);
            }
        }
    }
    report_all("prune_100", contenders, size, &all, 30.0, report);
    Ok(())
}

fn report_all(
    what: &str,
    contenders: &[Contender],
    size: usize,
    all: &[Samples],
    goal: f64,
    report: &mut Report,
) {
    let name = format!("{what}_{size}");
    let of = |title: &str| {
        all.get(contenders.iter().position(|contender| contender.title == title)?)
    };
    for (contender, samples) in contenders.iter().zip(all) {
        report.figure(&name, contender.title, samples, "ms");
    }
    if let (Some(dockerd), Some(own)) = (of("dockerd"), of("docknet")) {
        let name = format!("{name}_dockerd_to_docknet");
        report.ratio(&name, dockerd, own, Goal::AtLeast(goal));
    }
    flat(&name, size, of, report);
}
