//! `docknet graph`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, ErrorKind};

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::graph::{self, Shown};
use crate::session::Session;
use crate::survey::Survey;

/// Draw the networks and what is connected to them
#[derive(Args, Debug)]
#[command(after_help = "\
What can reach each other is one part; between parts no packet passes. An internal network has no way out.

Examples:
  docknet graph
  docknet graph --all --output networks.svg
  docknet graph --format dot frontend backend | dot -Tpng > networks.png
  docknet graph --format mermaid                      for a README")]
pub(crate) struct Graph {
    /// These networks only
    #[arg(value_name = "NETWORK", add = ArgValueCandidates::new(complete::networks))]
    networks: Vec<String>,

    /// Stopped containers too, and the engine's own networks where nobody uses them
    #[arg(short, long)]
    all: bool,

    /// text, svg, dot, mermaid or json [default: by the name of the output, or text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,

    /// Where to write it instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Dot,
    Json,
    Mermaid,
    Svg,
    Text,
}

impl Graph {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let format = self.format()?;
        let client = session.client().await?;
        let shown = Shown { all: self.all, networks: self.networks.clone() };
        let survey = session.waiting("look at networks", look(client, self.all)).await?;
        for name in &self.networks {
            if !survey
                .networks
                .iter()
                .any(|network| network.name() == name || network.id().as_str().starts_with(name))
            {
                // In the engine's words.
                session
                    .client()
                    .await?
                    .networks()
                    .get(name)
                    .await
                    .map_err(|error| Failure::of(format_args!("draw network `{name}`"), &error))?;
            }
        }
        let graph = graph::Graph::of(&survey, &shown, client.host());
        let picture = match format {
            Format::Dot => graph::dot(&graph),
            Format::Json => {
                serde_json::to_string_pretty(&graph)
                    .map_err(|error| Failure::new(error.to_string()))?
                    + "\n"
            }
            Format::Mermaid => graph::mermaid(&graph),
            Format::Svg => graph::svg(&graph),
            Format::Text => {
                let width = if self.output.is_some() { None } else { session.terminal().size() };
                graph::text(&graph, session.terminal(), width.map_or(100, |(width, _)| width))
            }
        };
        match &self.output {
            Some(path) => write(path, &picture),
            None => {
                let mut out = session.out();
                out.write_all(picture.as_bytes())?;
                Ok(out.flush()?)
            }
        }
    }

    fn format(&self) -> Outcome<Format> {
        let Some(path) = &self.output else { return Ok(self.format.unwrap_or(Format::Text)) };
        let by_name = match path.extension().and_then(|extension| extension.to_str()) {
            Some("dot" | "gv") => Some(Format::Dot),
            Some("json") => Some(Format::Json),
            Some("mmd" | "mermaid") => Some(Format::Mermaid),
            Some("svg") => Some(Format::Svg),
            Some("txt") | None => Some(Format::Text),
            Some(_) => None,
        };
        self.format.or(by_name).ok_or_else(|| {
            Failure::new(format!("`{}` does not tell what to write", path.display()))
                .hint("say it: `--format svg`, dot, mermaid, json or text")
        })
    }
}

/// A list of containers does not tell their aliases: each is looked at, up to so many.
const MOST_LOOKS: usize = 500;

async fn look(client: &Client, all: bool) -> Outcome<Survey> {
    let mut survey = Survey::take(client).await?;
    let shown =
        survey.containers.iter().filter(|container| all || container.info().is_running()).count();
    if shown > MOST_LOOKS {
        return Ok(survey);
    }
    for container in
        survey.containers.iter_mut().filter(|container| all || container.info().is_running())
    {
        match container.reload().await {
            Ok(()) => {}
            // It went while we looked: it is drawn as it was.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(survey)
}

/// All of it or nothing: a picture that was there stays until the new one is whole.
fn write(path: &Path, picture: &str) -> Outcome {
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
    // A device or a pipe is what it is: it takes the picture, and is not replaced by it.
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return std::fs::write(path, picture).map_err(failed);
    }
    let name =
        path.file_name().ok_or_else(|| Failure::new(format!("`{}` is no file", path.display())))?;
    let beside = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = std::fs::write(&beside, picture).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        // Nothing is left of it, if it was there.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}
