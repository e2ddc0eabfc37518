//! `docknet watch`.

use std::io::{Read, Write};
use std::pin::Pin;
use std::time::Duration;

use clap::Args;
use docknet::{Change, Client, ErrorKind};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::failure::{Failure, Outcome};
use crate::output::{Data, visible};
use crate::session::Session;
use crate::survey::Survey;
use crate::watch::{Changes, Scene, Screen, frame};

/// A live table of networks and what is connected to them
#[derive(Args, Debug)]
#[command(after_help = "\
On a terminal the table is drawn anew with each change; `q` or Ctrl-C ends it. Into a pipe each change is a line.

Examples:
  docknet watch
  docknet watch --format json | jq -c 'select(.Change == \"created\")'")]
pub(crate) struct Watch {
    /// Print changes as lines, also on a terminal
    #[arg(long)]
    lines: bool,

    /// How to print changes: text, or json for an object a line
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

impl Watch {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        if self.lines || self.format == Data::Json || !session.terminal().is_watched() {
            return self.lines(session, client).await;
        }
        table(session, client).await
    }

    async fn lines(&self, session: &Session, client: &Client) -> Outcome {
        let mut changes = client.networks().watch();
        let mut out = session.out();
        let mut lost = false;
        while let Some(change) = changes.next().await {
            let change = match change {
                Ok(change) => change,
                // It tries again by itself: said once.
                Err(error) => {
                    if !std::mem::replace(&mut lost, true) {
                        Failure::of("reach the engine", &error).report(session.terminal());
                    }
                    if error.kind() == ErrorKind::Config {
                        return Err(Failure::Told(1));
                    }
                    continue;
                }
            };
            lost = false;
            for change in describe(&change) {
                match self.format {
                    Data::Json => writeln!(out, "{change}")?,
                    Data::Text => writeln!(out, "{}", text(&change))?,
                }
            }
            out.flush()?;
        }
        Ok(())
    }
}

/// A change as objects: one, but for a list of all there is.
fn describe(change: &Change) -> Vec<Value> {
    let one = |what: &str, network: &str, id: &str| json!({ "Change": what, "Network": network, "Id": id });
    match change {
        Change::Resync(all) => {
            let mut objects = vec![json!({ "Change": "all", "Networks": all.len() })];
            for details in all {
                let mut object =
                    one("there", details.network.name(), details.network.id().as_str());
                let names: Vec<_> =
                    details.containers.iter().map(|container| container.name()).collect();
                object["Containers"] = json!(names);
                objects.push(object);
            }
            objects
        }
        Change::Created(network) => vec![one("created", network.name(), network.id().as_str())],
        Change::Removed { id, name } => vec![one("removed", name, id.as_str())],
        Change::Attached { network, name, container } => {
            let mut object = one("attached", name, network.as_str());
            object["Container"] = json!(container);
            vec![object]
        }
        Change::Detached { network, name, container } => {
            let mut object = one("detached", name, network.as_str());
            object["Container"] = json!(container);
            vec![object]
        }
        _ => Vec::new(),
    }
}

fn text(change: &Value) -> String {
    let of = |key: &str| {
        visible(change.get(key).and_then(Value::as_str).unwrap_or_default()).into_owned()
    };
    let container = of("Container").chars().take(12).collect::<String>();
    let network = of("Network");
    match of("Change").as_str() {
        "all" => format!("{} networks", change["Networks"]),
        "there" => {
            let names =
                change["Containers"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let names: Vec<_> = names.map(|name| visible(name).into_owned()).collect();
            format!("  {network}  {}", names.join(", ")).trim_end().to_owned()
        }
        "created" => format!("+ network {network}"),
        "removed" => format!("- network {network}"),
        "attached" => format!("+ container {container} on {network}"),
        "detached" => format!("- container {container} off {network}"),
        _ => String::new(),
    }
}

/// How long a change is marked as one.
const FRESH: Duration = Duration::from_secs(2);
/// Changes that come together are drawn together.
const TOGETHER: Duration = Duration::from_millis(60);

async fn table(session: &Session, client: &Client) -> Outcome {
    let interrupt = session.interrupt().await?;
    let mut resized = signal(SignalKind::window_change())
        .map_err(|error| Failure::new(format!("cannot watch the terminal: {error}")))?;
    let mut changes = client.networks().watch();
    // Asked before the screen is taken: who cannot be reached is an error where it can be read.
    let mut scene = Scene::of(&Survey::take(client).await?);
    let mut fresh = Changes::default();
    let mut state = String::new();
    let mut redraw = None;
    let mut fade = None;
    let mut keys = keys();
    // An engine that does not answer must not keep anybody from leaving.
    let mut look: Option<Look<'_>> = None;
    let screen = Screen::open(*session.terminal())?;
    loop {
        let (width, height) = session.terminal().size().unwrap_or((80, 24));
        let title =
            format!("{}  {} networks{state}  (q ends)", client.host(), scene.networks.len());
        screen.draw(&frame(&scene, &fresh, &title, width, height))?;
        tokio::select! {
            () = interrupt.came() => return Ok(()),
            key = keys.recv() => if matches!(key, Some(b'q' | b'Q' | 4)) {
                return Ok(());
            },
            _ = resized.recv() => {}
            change = changes.next() => match change {
                Some(Ok(_)) => {
                    state.clear();
                    redraw = redraw.or_else(|| Some(Instant::now() + TOGETHER));
                }
                Some(Err(error)) => state = format!("  not reached: {}", error.message()),
                None => return Ok(()),
            },
            () = until(redraw), if look.is_none() => {
                redraw = None;
                look = Some(Box::pin(Survey::take(client)));
            }
            survey = seen(&mut look) => {
                look = None;
                match survey {
                    Ok(survey) => {
                        let next = Scene::of(&survey);
                        let changes = next.changes(&scene);
                        if !changes.is_empty() {
                            fresh = changes;
                            fade = Some(Instant::now() + FRESH);
                        }
                        scene = next;
                    }
                    // The next change tries again.
                    Err(_) => "  not reached".clone_into(&mut state),
                }
            }
            () = until(fade) => {
                fade = None;
                fresh = Changes::default();
            }
        }
    }
}

type Look<'a> = Pin<Box<dyn Future<Output = Outcome<Survey>> + 'a>>;

async fn seen(look: &mut Option<Look<'_>>) -> Outcome<Survey> {
    match look {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// What is typed. The thread waits for a key until the program ends.
fn keys() -> mpsc::Receiver<u8> {
    let (typed, keys) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut key = [0];
        while matches!(std::io::stdin().read(&mut key), Ok(1)) {
            if typed.blocking_send(key[0]).is_err() {
                return;
            }
        }
        // Where nothing is typed any more, the end comes by a signal.
        std::thread::park();
    });
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_line() {
        let removed = Change::Removed { id: "4f66".into(), name: "back\u{1b}end".to_owned() };
        assert_eq!(text(&describe(&removed)[0]), "- network back\\u{1b}end");
        let attached = Change::Attached {
            network: "4f66".into(),
            name: "backend".to_owned(),
            container: "0123456789abcdef".into(),
        };
        assert_eq!(text(&describe(&attached)[0]), "+ container 0123456789ab on backend");
        assert_eq!(text(&describe(&Change::Resync(Vec::new()))[0]), "0 networks");
    }
}
