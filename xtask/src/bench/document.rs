//! BENCHMARKS.md, from what was measured.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

use super::profiles;
use super::record::Record;
use crate::step::{Step, root};

/// Of each chapter: its name, its title, and what is measured how.
const CHAPTERS: [(&str, &str, &str); 5] = [
    (
        "sdk",
        "Calls of the SDK",
        "A server in a process of its own answers with bytes that were made beforehand, as Docker 28.5 writes them: a network is 3 KB, a \
         list of 1,000 networks with ten containers each 3 MB. So what is measured is the client. The bare socket writes and reads the \
         same bytes as docknet, and looks at none of them: less a client cannot cost. `docknet` is the async client on a runtime of \
         one thread, `docknet blocking` the one without `await`, docker-py stays in one Python, and the docker CLI is a process a \
         call. `_64_at_once` is 64 calls together: tasks of one thread with docknet and bollard, threads with docknet blocking and \
         docker-py. `_cpu` is processor time, `_allocations` and `_peak` are how often a call asks for memory and how much more there \
         is at most during it (of the docker CLI: all of the process), `_requests` what the server counted. `_info` and `_attrs` read \
         each network of a list, into types and into a tree; bollard's list always does, docknet's when somebody looks. `dockerd_` is \
         the same against Docker itself.",
    ),
    (
        "program",
        "The program",
        "`docknet` and `docker network` as whole processes, from start to end, on the same dockerd, in turns. The docker CLI is Debian's, \
         run outside of the container that dockerd is in.",
    ),
    (
        "engine",
        "The engine in memory, and on disk",
        "The engine and its client in one process. A figure that ends in a number is of an engine with that many networks, ten running \
         containers on each. `_per_network` is of a list, divided by what there is. `bytes_` is what the process grew by, in a process of \
         its own. `_clients` are tasks that do one operation after the other: a network that is made and removed (`write`), a network \
         that is looked at (`read`); `_rate` is what all of them do in a second, `_p50` to `_p999` how long one of them waits.",
    ),
    (
        "kernel",
        "Networks on the kernel",
        "Every engine makes the same networks over the same API, asked by docknet's SDK over a Unix socket, one request at a time, each \
         engine in a network namespace of its own. A figure that ends in a number is with that many networks; `few` is an engine that \
         has ten all the time. `no disk` is ours without a state on disk; the others have theirs on the same disk as we do. `the kernel \
         alone` is the same links, addresses and nothing else, made with netlink. `_gone` is until the kernel has taken away what a \
         removal left behind its answer. dockerd has its proxy for published ports, as it comes; `no \
         proxy` is another one with `--userland-proxy=false`, and ten networks. TCP goes from one container to another of its network, \
         `out_` to a namespace beside the host by masquerading, `published_` from the host's 127.0.0.1 to a port that a container \
         publishes. `row_` is one of six of the same call in a \
         row, but for the first. Others are one call after a rest, while everybody else had a turn: the processor slept, and its caches held \
         something else.",
    ),
    (
        "build",
        "What a dependency costs",
        "A program that lists networks, built from nothing with docknet and with bollard, both with their default features, in release \
         mode; its size is without symbols. `crates` is the dependency and all that it takes.",
    ),
];

pub(super) fn of(records: &[Record], quick: bool) -> Result<String> {
    let how = if quick { " --quick" } else { "" };
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench{how} --write`; the goals are the project's own.\n\n{}\n{METHOD}",
        machine(records)?
    );
    for (chapter, title, prose) in CHAPTERS {
        let _ = write!(text, "\n## {title}\n\n{}\n", wrapped(prose));
        for note in records.iter().filter(|record| record.is(chapter, "note")) {
            let _ = write!(text, "{}\n\n", note.text("text").unwrap_or_default());
        }
        goals(&mut text, records, chapter);
        short(&mut text, records, chapter);
        figures(&mut text, records, chapter);
    }
    Ok(text)
}

const METHOD: &str = "\
Everybody has a turn after the other, round by round, so that what else the machine does hits all alike. A figure is the median of the
rounds, with the first and the last decile behind it. What was measured in turns is compared round by round, and the ratio is the median
of these: *at most* and *at least* are ours by theirs, *times as fast* is theirs by ours. `SHORT` says that a goal is not reached.
";

fn machine(records: &[Record]) -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.unwrap_or("unknown").trim_start_matches([' ', '\t', ':']);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let rustc = Step::new("rustc", "rustc").arg("--version").output()?;
    let commit = Step::new("git", "git").words("rev-parse --short HEAD").within(root()).output()?;
    let mut rows = vec![
        ("CPU".to_owned(), format!("{model}, {cores} cores")),
        (
            "kernel".to_owned(),
            format!("Linux {}", kernel.split('-').next().unwrap_or_default().trim()),
        ),
        ("compiler".to_owned(), rustc.trim().to_owned()),
        ("docknet".to_owned(), format!("commit {}", commit.trim())),
    ];
    for record in records.iter().filter(|record| record.text("kind") == Some("peer")) {
        let of = |field| record.text(field).unwrap_or("unknown").to_owned();
        let row = (of("name"), of("version"));
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    let mut text = "| | |\n|---|---|\n".to_owned();
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    Ok(text)
}

fn goals(text: &mut String, records: &[Record], chapter: &str) {
    let mut ratios = records.iter().filter(|record| record.is(chapter, "ratio")).peekable();
    if ratios.peek().is_none() {
        return;
    }
    text.push_str("| figure | ours | peer | ratio | goal | |\n|---|--:|--:|--:|---|---|\n");
    for record in ratios {
        let of = |field| record.text(field).unwrap_or_default();
        let unit = of("unit");
        let side = |field| {
            record
                .number(field)
                .map_or_else(String::new, |value| format!("{} {unit}", number(value)))
        };
        let ratio = record.number("ratio").map_or_else(String::new, number);
        let ratio = ratio + &spread(record);
        let _ = writeln!(
            text,
            "| `{}` | {} | {} {} | {ratio} | {} | {} |",
            of("name"),
            side("own"),
            of("whose"),
            side("peer"),
            of("goal"),
            of("verdict"),
        );
    }
    text.push('\n');
}

/// Where the time goes of what falls short.
fn short(text: &mut String, records: &[Record], chapter: &str) {
    let ratios = records.iter().filter(|record| record.is(chapter, "ratio"));
    let short = ratios.filter(|record| record.text("verdict") == Some("SHORT"));
    let mut by_profile: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for name in short.filter_map(|record| record.text("name")) {
        let profile = profiles::of(chapter, name);
        match by_profile.iter_mut().find(|(known, _)| *known == profile) {
            Some((_, names)) => names.push(name),
            None => by_profile.push((profile, vec![name])),
        }
    }
    for (profile, names) in by_profile {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let profile = profile.unwrap_or("Nobody has looked where the time goes.");
        let _ = writeln!(text, "{}", wrapped(&format!("**Short:** {names}. {profile}")));
    }
}

/// A row a figure, a column for each of those who have any.
fn figures(text: &mut String, records: &[Record], chapter: &str) {
    let figures: Vec<_> = records.iter().filter(|record| record.is(chapter, "figure")).collect();
    let names = distinct(figures.iter().filter_map(|record| record.text("name")));
    let all = distinct(figures.iter().filter_map(|record| record.text("whose")));
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "| | | {} |", all.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "--:|".repeat(all.len()));
    for name in names {
        let of = |whose: &str| {
            let same = |record: &&&Record| {
                record.text("name") == Some(name) && record.text("whose") == Some(whose)
            };
            figures.iter().find(same)
        };
        let unit = all.iter().find_map(|whose| of(whose)?.text("unit")).unwrap_or_default();
        let cells =
            all.iter().map(|whose| of(whose).map_or_else(String::new, |record| cell(record)));
        let cells: Vec<_> = cells.collect();
        let _ = writeln!(text, "| `{name}` | {unit} | {} |", cells.join(" | "));
    }
}

fn cell(record: &Record) -> String {
    record.number("value").map_or_else(String::new, number) + &spread(record)
}

fn spread(record: &Record) -> String {
    match (record.number("low"), record.number("high"), record.number("n")) {
        (Some(low), Some(high), Some(n)) if n > 2.0 => {
            format!(" ({}–{})", number(low), number(high))
        }
        _ => String::new(),
    }
}

/// In lines as long as other documents have them.
fn wrapped(prose: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in prose.split(' ') {
        let long = word.chars().count() + 1;
        if width + long > 140 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
        }
        text.push_str(word);
        width += long;
    }
    text + "\n"
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    all.fold(Vec::new(), |mut seen, one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
        seen
    })
}

/// Three digits that count, and thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        least if least >= 100.0 || value.fract() == 0.0 => 0,
        least if least >= 10.0 => 1,
        _ => 2,
    };
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !whole[..at].ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::*;

    #[test]
    fn what_falls_short_says_where_the_time_goes() {
        let record = |name: &str, verdict: &str| {
            let line = serde_json::json!({
                "kind": "ratio", "chapter": "sdk", "name": name, "verdict": verdict,
            });
            Record::parse(&line.to_string()).unwrap()
        };
        let records = [
            record("sdk_get", "SHORT"),
            record("sdk_get_cpu", "SHORT"),
            record("sdk_list_1000", "ok"),
            record("unheard_of", "SHORT"),
        ];
        let mut text = String::new();
        short(&mut text, &records, "sdk");
        assert!(
            text.starts_with("**Short:** `sdk_get`, `sdk_get_cpu`. A `get` is 4 system calls"),
            "{text}"
        );
        assert!(
            text.ends_with("**Short:** `unheard_of`. Nobody has looked where the time goes.\n\n"),
            "{text}"
        );
    }

    #[test]
    fn prose_is_in_lines() {
        let text = wrapped(&["word"; 40].join(" "));
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [139, 59]);
        assert_eq!(text.split_whitespace().count(), 40);
    }

    #[test]
    fn numbers_are_short_and_can_be_read() {
        let shown = [0.0, 1.0, 0.514, 35.26, 1234.5, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "1", "0.51", "35.3", "1,234", "1,234,567"]);
    }

    #[test]
    fn everybody_has_a_column_and_a_goal_its_verdict() {
        let records = [
            r#"{"chapter":"sdk","kind":"figure","name":"get","whose":"docknet","value":80.25,"low":79.0,"high":85.5,"n":15,"unit":"µs"}"#,
            r#"{"chapter":"sdk","kind":"figure","name":"get","whose":"bollard","value":300.0,"low":300.0,"high":300.0,"n":1,"unit":"µs"}"#,
            r#"{"chapter":"sdk","kind":"figure","name":"list","whose":"bollard","value":2.5,"low":2.5,"high":2.5,"n":1,"unit":"ms"}"#,
            r#"{"chapter":"sdk","kind":"ratio","name":"get_to_floor","own":80.25,"peer":55.0,"whose":"bare socket","unit":"µs","ratio":1.46,"low":1.4,"high":1.5,"n":15,"goal":"at most 1.6","verdict":"ok"}"#,
        ]
        .map(|line| Record::parse(line).unwrap());
        let mut text = String::new();
        goals(&mut text, &records, "sdk");
        figures(&mut text, &records, "sdk");
        figures(&mut text, &records, "kernel");
        assert_eq!(
            text,
            "| figure | ours | peer | ratio | goal | |\n|---|--:|--:|--:|---|---|\n\
             | `get_to_floor` | 80.2 µs | bare socket 55 µs | 1.46 (1.40–1.50) | at most 1.6 | ok |\n\n\
             | | | docknet | bollard |\n|---|---|--:|--:|\n\
             | `get` | µs | 80.2 (79–85.5) | 300 |\n\
             | `list` | ms |  | 2.50 |\n"
        );
    }
}
