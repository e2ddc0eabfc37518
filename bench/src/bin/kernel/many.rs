//! Many calls without a pause: networks that come and go, and a hundred that go at once.

use anyhow::Result;

use crate::WITHOUT_PROXY;
use crate::calls::flat;
use crate::contender::{Contender, SAMPLES};
use docknet_bench::report::{Goal, Report, Samples, Side};

const PRUNED: usize = 100;
/// How often a network comes and goes before somebody else has a turn. Ours leaves the kernel work for later: that must
/// be so often that it counts.
const CYCLES: u32 = 60;
const CYCLES_OF_OTHERS: u32 = 4;

/// Create, connect, disconnect, remove, again and again.
pub fn churn(
    contenders: &mut [Contender],
    size: usize,
    turns: usize,
    report: &mut Report,
) -> Result<()> {
    let mut all = Both::of(contenders);
    for _ in 0..turns {
        for (contender, both) in contenders.iter_mut().zip(&mut all) {
            if contender.title == WITHOUT_PROXY {
                continue;
            }
            let times = if contender.is_ours() { CYCLES } else { CYCLES_OF_OTHERS };
            let links = contender.links()?;
            let took = contender.churn(SAMPLES, times)?;
            both.answered.add_time(took);
            both.gone.add_time(took + contender.settle(links)? / times);
        }
    }
    report_all("churn", contenders, size, &all, 10.0, report);
    Ok(())
}

pub fn prune(contenders: &mut [Contender], size: usize, report: &mut Report) -> Result<()> {
    let mut all = Both::of(contenders);
    for turn in 0..3 {
        for (contender, both) in contenders.iter_mut().zip(&mut all) {
            // Theirs take half a minute. With a proxy for ports or without is the same here, as above.
            if contender.title == WITHOUT_PROXY {
                continue;
            }
            if contender.is_ours() || (turn == 0 && size != crate::SIZES[1]) {
                let links = contender.links()?;
                let took = contender.prune(2 * SAMPLES, PRUNED)?;
                both.answered.add_time(took);
                both.gone.add_time(took + contender.settle(links)?);
            }
        }
    }
    report_all("prune_100", contenders, size, &all, 30.0, report);
    Ok(())
}

/// What it took until the last answer, and until nothing was left to be done.
#[derive(Clone, Default)]
struct Both {
    answered: Samples,
    gone: Samples,
}

impl Both {
    fn of(contenders: &[Contender]) -> Vec<Self> {
        vec![Self::default(); contenders.len()]
    }
}

fn report_all(
    what: &str,
    contenders: &[Contender],
    size: usize,
    all: &[Both],
    goal: f64,
    report: &mut Report,
) {
    let name = format!("{what}_{size}");
    let of = |title: &str| {
        let place = contenders.iter().position(|contender| contender.title == title)?;
        all.get(place).map(|both| &both.answered).filter(|samples| !samples.is_empty())
    };
    for (contender, both) in contenders.iter().zip(all) {
        if both.answered.is_empty() {
            continue;
        }
        report.figure(&name, contender.title, &both.answered, "ms");
        if contender.is_ours() {
            report.figure(&format!("{name}_gone"), contender.title, &both.gone, "ms");
        }
    }
    if let (Some(dockerd), Some(own)) = (of("dockerd"), of("docknet")) {
        let name = format!("{name}_dockerd_to_docknet");
        let (own, dockerd) = (Side("docknet", own), Side("dockerd", dockerd));
        report.ratio(&name, own, dockerd, "ms", Goal::Faster(goal));
    }
    flat(&name, size, of, report);
}
