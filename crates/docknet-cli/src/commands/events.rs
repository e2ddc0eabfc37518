//! `docknet events`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, SystemTime};

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, Event, EventKind, Filters};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde_json::{Value, json};

use crate::arguments;
use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::output::visible;
use crate::session::Session;
use crate::template::{Mode, Template, raw};

/// Print what happens to networks, as it happens
#[derive(Args, Debug)]
#[command(after_help = "\
A line is: time, kind, action, name, and what else is known. It is the same for every engine, and made to be searched.

Examples:
  docknet events
  docknet events --since 1h --until 0s --filter event=disconnect
  docknet events --format '{{.Action}} {{.Actor.Attributes.name}}'
  docknet events --containers --format json | jq .")]
pub(crate) struct Events {
    /// Only those that match: network=, container=, event=, scope=, label=, type=; may be given several times
    #[arg(short, long = "filter", value_name = "KEY=VALUE", add = ArgValueCandidates::new(complete::event_filters))]
    filters: Vec<String>,

    /// Events of containers too
    #[arg(long)]
    containers: bool,

    /// Begin with what the engine remembers since then: 10m, a Unix time, or 2026-11-25T10:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// End at that time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// How to print each: 'json' as the engine has it, or a TEMPLATE as Go has them
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

impl Events {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let format = Format::parse(self.format.as_deref())?;
        let client = session.client().await?;
        let mut events = client.events().filters(&self.filters()?);
        let now = Timestamp::now();
        if let Some(since) = &self.since {
            events = events.since(time("--since", since, now)?);
        }
        let end = self.until.as_ref().map(|until| time("--until", until, now)).transpose()?;
        if let Some(end) = end {
            events = events.until(end);
        }
        let mut events =
            events.open().await.map_err(|error| Failure::of("follow events", &error))?;
        let mut names = Names { client, known: BTreeMap::new() };
        let mut out = session.out();
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| Failure::of("follow events", &error))?;
            match &format {
                Format::Line => writeln!(out, "{}", names.line(&event).await)?,
                Format::Json => writeln!(out, "{}", wire(&event))?,
                Format::Template(template) => {
                    let mut line = String::new();
                    template
                        .execute(&raw(&fields(&event)), Mode::Lenient, &mut line)
                        .map_err(|error| unfit(&error))?;
                    writeln!(out, "{line}")?;
                }
            }
            out.flush()?;
        }
        match end {
            Some(end) if end <= SystemTime::now() => Ok(()),
            _ => Err(Failure::new("the engine ended the events")),
        }
    }

    fn filters(&self) -> Outcome<Filters> {
        let filters =
            arguments::filters(&self.filters, "container, event, label, network, scope and type")?;
        if filters.values("type").next().is_some() {
            return Ok(filters);
        }
        let filters = filters.raw("type", "network");
        Ok(if self.containers { filters.raw("type", "container") } else { filters })
    }
}

#[derive(Debug)]
enum Format {
    Json,
    Line,
    Template(Template),
}

impl Format {
    fn parse(format: Option<&str>) -> Outcome<Self> {
        match format {
            None | Some("") => Ok(Self::Line),
            Some("json") => Ok(Self::Json),
            // docker's exit code for templates.
            Some(source) => {
                Template::parse(source).map(Self::Template).map_err(|error| unfit(&error).code(64))
            }
        }
    }
}

fn unfit(error: &crate::template::TemplateError) -> Failure {
    Failure::new(format!("cannot use this format: {error}"))
}

/// Names of containers, which events of networks do not have.
struct Names<'a> {
    client: &'a Client,
    known: BTreeMap<String, String>,
}

impl Names<'_> {
    async fn line(&mut self, event: &Event) -> String {
        let time = Timestamp::from_nanosecond(event.time_nano.into())
            .map(|time| time.to_zoned_datetime(TimeZone::system()));
        let time = time.map_or_else(
            |_| event.time_nano.to_string(),
            |time| time.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        );
        let container = match event.as_network().and_then(|event| event.container) {
            Some(id) => Some(self.name(id.as_str()).await),
            None => None,
        };
        line(&time, event, container.as_deref())
    }

    /// The name, or the id of one that is gone.
    async fn name(&mut self, id: &str) -> String {
        if let Some(name) = self.known.get(id) {
            return name.clone();
        }
        match self.client.containers().get(id).await {
            Ok(container) => self
                .known
                .entry(id.to_owned())
                .or_insert_with(|| container.name().to_owned())
                .clone(),
            // It may be back under another name later: nothing is remembered.
            Err(_) => id.get(..12).unwrap_or(id).to_owned(),
        }
    }
}

/// `time kind action name`, then what else there is as `key=value`.
fn line(time: &str, event: &Event, container: Option<&str>) -> String {
    let attribute =
        |key: &str| event.attributes.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let network = event.as_network().and_then(|event| event.name);
    let name = network
        .as_deref()
        .or_else(|| attribute("name"))
        .unwrap_or_else(|| event.id.get(..12).unwrap_or(&event.id));
    let mut line = format!(
        "{time} {} {} {}",
        event.kind,
        event.action,
        visible(if name.is_empty() { "-" } else { name })
    );
    if let Some(container) = container {
        line.push_str(&format!(" container={}", visible(container)));
    }
    let told = ["name", "network", "container"];
    let told = if event.kind == EventKind::Network { &told[..] } else { &told[..1] };
    for (key, value) in event
        .attributes
        .iter()
        .filter(|(key, value)| !told.contains(&key.as_str()) && !value.is_empty())
    {
        line.push_str(&format!(" {}={}", visible(key), visible(value)));
    }
    line
}

/// As the API sends it.
fn wire(event: &Event) -> Value {
    json!({
        "Type": event.kind.to_string(),
        "Action": event.action.to_string(),
        "Actor": { "ID": event.id, "Attributes": event.attributes },
        "scope": event.scope,
        "time": event.time_nano / 1_000_000_000,
        "timeNano": event.time_nano,
    })
}

/// As docker's templates know it.
fn fields(event: &Event) -> Value {
    let mut fields = wire(event);
    if let Value::Object(fields) = &mut fields {
        for (wire, field) in [("scope", "Scope"), ("time", "Time"), ("timeNano", "TimeNano")] {
            if let Some(value) = fields.remove(wire) {
                fields.insert(field.to_owned(), value);
            }
        }
    }
    fields
}

/// As docker reads them: a time, or how long ago.
fn time(flag: &str, text: &str, now: Timestamp) -> Outcome<SystemTime> {
    let local = |time: civil::DateTime| TimeZone::system().to_timestamp(time).ok();
    let seconds = || {
        let (whole, nanos) = text.split_once('.').unwrap_or((text, ""));
        let nanos = format!("{nanos:0<9}").get(..9)?.parse().ok()?;
        Timestamp::new(whole.parse().ok()?, nanos).ok()
    };
    let ago = || now.checked_sub(text.parse::<SignedDuration>().ok()?).ok();
    let found = seconds()
        .or_else(|| text.parse().ok())
        .or_else(ago)
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(local))
        .or_else(|| text.parse::<civil::Date>().ok().and_then(|date| local(date.into())));
    let found = found.and_then(|time| Duration::try_from(time.as_duration()).ok());
    found.map(|since| SystemTime::UNIX_EPOCH + since).ok_or_else(|| {
        Failure::new(format!("`{flag} {text}` is no time"))
            .hint("a time is `10m`, `1764064800` or `2026-11-25T10:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &Value) -> Event {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn a_line_says_who_did_what() {
        let connect = event(&json!({
            "Type": "network", "Action": "connect", "scope": "local", "timeNano": 1,
            "Actor": { "ID": "4f66", "Attributes": { "container": "beef", "name": "back\u{1b}", "type": "bridge" } },
        }));
        assert_eq!(
            line("T", &connect, Some("web")),
            "T network connect back\\u{1b} container=web type=bridge"
        );
        let prune = event(
            &json!({ "Type": "network", "Action": "prune", "Actor": { "ID": "", "Attributes": { "reclaimed": "0" } }, "timeNano": 1 }),
        );
        assert_eq!(line("T", &prune, None), "T network prune - reclaimed=0");
    }

    #[test]
    fn times_are_read_as_docker_reads_them() {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let at = |text: &str| {
            let since =
                time("--since", text, now).unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            Timestamp::UNIX_EPOCH.checked_add(since).unwrap().to_string()
        };
        assert_eq!(at("10m"), "2026-11-25T09:50:00Z");
        assert_eq!(at("1h30m"), "2026-11-25T08:30:00Z");
        assert_eq!(at("1764064800"), "2025-11-25T10:00:00Z");
        assert_eq!(at("1764064800.5"), "2025-11-25T10:00:00.5Z");
        assert_eq!(at("2026-01-02T03:04:05+02:00"), "2026-01-02T01:04:05Z");
        assert!(time("--since", "yesterday", now).is_err());
    }
}
