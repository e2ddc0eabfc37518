//! Runs every behaviour against every engine that is given.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

mod arguments;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use docknet_conformance::report::{self, Line};
use docknet_conformance::{Behaviour, Engine, Outcome, all, check};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use self::arguments::{Arguments, HELP, Place};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("docknet-conformance: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("docknet-conformance: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Runs it all and reports; whether everything is as it should be.
async fn run(arguments: &Arguments) -> Result<bool, String> {
    let behaviours: Vec<_> = all()
        .into_iter()
        .filter(|behaviour| arguments.only.iter().all(|part| behaviour.name.contains(part)))
        .collect();
    let mut engines = Vec::new();
    for (name, place) in &arguments.engines {
        let engine = match place {
            Place::At(hosts) => Engine::connect(name, hosts).await,
            Place::Here(profile) => Engine::embedded(name, *profile).await,
        };
        let engine = engine.map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: {} {}, API {}", engine.product, engine.full_version, engine.api_version);
        engines.push(engine);
    }
    let engines = Engine::join_swarms(engines);
    let lines = run_all(&engines, &behaviours, arguments.jobs, arguments.again).await;
    let unseen = match arguments.complete {
        true => report::never_applicable(&behaviours, &engines),
        false => Vec::new(),
    };

    println!();
    for line in &lines {
        if let Outcome::Failed(words) = &line.outcome {
            println!(
                "FAILED {} {}\n    must hold: {}\n    {words}\n",
                line.engine,
                line.behaviour.name,
                line.behaviour.sentence()
            );
        }
    }
    for (behaviour, need) in &unseen {
        println!("FAILED {behaviour}\n    no engine can show it: everywhere {}\n", need.missing());
    }
    summary(&engines, &lines);
    let write = |path: &str, text: String| {
        std::fs::write(path, text).map_err(|error| format!("{path}: {error}"))
    };
    if let Some(path) = &arguments.table {
        write(path, report::table(&engines, &lines))?;
    }
    if let Some(path) = &arguments.json {
        write(path, format!("{:#}\n", report::json(&engines, &lines)))?;
    }
    let count = |passed: bool| lines.iter().filter(|line| line.passed() == Some(passed)).count();
    let failed = count(false) + unseen.len();
    println!("{} passed, {failed} failed", count(true));
    Ok(failed == 0)
}

/// All engines at once; on each of them a few behaviours at a time, and then those that want it for themselves.
async fn run_all(
    engines: &[Engine],
    behaviours: &[Behaviour],
    jobs: usize,
    again: bool,
) -> Vec<Line> {
    let (lines, mut arriving) = unbounded_channel();
    for engine in engines {
        let shown_elsewhere = |behaviour: &Behaviour| {
            behaviour.needs.iter().all(|need| !need.is_of_swarm())
                && engine.is_twin_in_swarm(engines)
        };
        let behaviours: Vec<_> =
            behaviours.iter().filter(|behaviour| !shown_elsewhere(behaviour)).copied().collect();
        let (engine, lines) = (engine.clone(), lines.clone());
        tokio::spawn(async move {
            let (alone, beside): (VecDeque<_>, VecDeque<_>) =
                behaviours.into_iter().partition(Behaviour::is_exclusive);
            let failed = Arc::new(Mutex::new(VecDeque::new()));
            run_some(&engine, beside, jobs, &lines, again.then_some(&failed)).await;
            run_some(&engine, alone, 1, &lines, again.then_some(&failed)).await;
            let failed =
                std::mem::take(&mut *failed.lock().unwrap_or_else(PoisonError::into_inner));
            run_some(&engine, failed, 1, &lines, None).await;
        });
    }
    drop(lines);
    let width = engines.iter().map(|engine| engine.name.len()).max().unwrap_or_default();
    let mut all: Vec<Line> = Vec::new();
    while let Some(line) = arriving.recv().await {
        let why = match &line.outcome {
            Outcome::NotApplicable(reason) => format!(" ({reason})"),
            _ => String::new(),
        };
        println!(
            "{:<7}  {:<width$}  {} {:.2}s{why}",
            line.word(),
            line.engine,
            line.behaviour.name,
            line.took.as_secs_f64()
        );
        all.push(line);
    }
    let place = |line: &Line| behaviours.iter().position(|known| known.name == line.behaviour.name);
    all.sort_by_key(|line| {
        (place(line), engines.iter().position(|known| known.name == line.engine))
    });
    all
}

async fn run_some(
    engine: &Engine,
    behaviours: VecDeque<Behaviour>,
    jobs: usize,
    lines: &UnboundedSender<Line>,
    failed: Option<&Arc<Mutex<VecDeque<Behaviour>>>>,
) {
    let queue = Arc::new(Mutex::new(behaviours));
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        let (engine, queue, lines) = (engine.clone(), queue.clone(), lines.clone());
        let failed = failed.cloned();
        workers.spawn(async move {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            while let Some(behaviour) = next() {
                let started = Instant::now();
                let outcome = check(&engine, &behaviour).await;
                let took = match outcome {
                    Outcome::NotApplicable(_) => Duration::ZERO,
                    _ => started.elapsed(),
                };
                if let (Outcome::Failed(words), Some(failed)) = (&outcome, &failed) {
                    println!("again    {}  {}: {words}", engine.name, behaviour.name);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).push_back(behaviour);
                    continue;
                }
                // Nobody listens any more only if the program ends.
                let _ = lines.send(Line::new(behaviour, &engine, outcome, took));
            }
        });
    }
    while workers.join_next().await.is_some() {}
}

/// A line an engine: how many of its behaviours are as they should be.
fn summary(engines: &[Engine], lines: &[Line]) {
    for engine in engines {
        let count = |word: &str| {
            lines.iter().filter(|line| line.engine == engine.name && line.word() == word).count()
        };
        println!(
            "{}: {} ok, {} differ, {} failed, {} not applicable",
            engine.name,
            count("ok"),
            count("differs"),
            count("FAILED"),
            count("n/a")
        );
    }
}
