//! `docknet inspect`.

use std::borrow::Cow;
use std::io::Write;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, ErrorKind, InspectOptions, Network};
use serde_json::Value as Json;

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::output::{natural, visible, visible_json};
use crate::session::Session;
use crate::template::{Mode, Template, TemplateError, indented, network, one_line, raw};

/// Display detailed information on one or more networks
#[derive(Args, Debug)]
#[command(
    args_override_self = true,
    after_help = "\
Examples:
  docknet inspect backend
  docknet inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{end}}' backend frontend
  docknet inspect --format '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}' backend
  docknet inspect --format json backend | jq '.[0].Options'"
)]
pub(crate) struct Inspect {
    /// Networks, by name, by id, or by the beginning of an id
    #[arg(value_name = "NETWORK", required = true, add = ArgValueCandidates::new(complete::networks))]
    networks: Vec<String>,

    /// How to print them: 'json' for one line, or a TEMPLATE as Go has them, for each network
    #[arg(short, long, value_name = "FORMAT", allow_hyphen_values = true)]
    format: Option<String>,

    /// The services and tasks of a swarm's network too
    #[arg(short, long)]
    verbose: bool,

    /// Only in this scope: local, global or swarm
    #[arg(long, value_name = "SCOPE", add = ArgValueCandidates::new(complete::scopes))]
    scope: Option<String>,
}

impl Inspect {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let format = Format::parse(self.format.as_deref().unwrap_or_default());
        // docker's for templates.
        let format = format.map_err(|error| cannot_format(&error).code(64))?;
        let client = session.client().await?;
        let mut options = InspectOptions::new().verbose(self.verbose);
        if let Some(scope) = &self.scope {
            options = options.scope(scope.as_str());
        }

        // What goes on to a program is as the engine wrote it.
        let mut report = Report::new(format, session.terminal().is_watched());
        let mut failures = Vec::new();
        for name in &self.networks {
            let found =
                session.waiting("inspect networks", find(client, name.trim(), &options)).await;
            match found {
                Ok(network) => {
                    failures.extend(report.add(network.attrs_json(), network.attrs()).err())
                }
                Err(failure) => failures.push(failure),
            }
        }
        let text = report.finish();
        let mut out = session.out();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        for failure in &failures {
            failure.report(session.terminal());
        }
        if failures.is_empty() { Ok(()) } else { Err(Failure::Told(1)) }
    }
}

async fn find(client: &Client, name: &str, options: &InspectOptions) -> Outcome<Network> {
    let networks = client.networks();
    let error = match networks.inspect(name, options).await {
        Ok(network) => return Ok(network),
        Err(error) => error,
    };
    let failure = Failure::of(format_args!("inspect network `{name}`"), &error);
    Err(match error.kind() {
        ErrorKind::AmbiguousName => match networks.list().await {
            Ok(all) => failure.hint(candidates(name, &all)),
            Err(_) => failure,
        },
        _ => failure,
    })
}

/// Which networks a name or the beginning of an id may mean.
fn candidates(name: &str, all: &[Network]) -> String {
    let of_name = all.iter().filter(|network| network.name() == name);
    let mut matching: Vec<_> = of_name.collect();
    if matching.is_empty() {
        matching = all.iter().filter(|network| network.id().as_str().starts_with(name)).collect();
    }
    matching.sort_by(|one, other| natural(one.name(), other.name()));
    let one = |network: &&Network| {
        let info = network.info();
        let name = visible(network.name());
        format!("{} ({name}, {}, {})", network.short_id(), info.driver, info.scope)
    };
    let list: Vec<_> = matching.iter().map(one).collect();
    format!("use one of these ids: {}", list.join(", "))
}

fn cannot_format(error: &TemplateError) -> Failure {
    Failure::new(format!("cannot use this format: {error}"))
}

#[derive(Debug)]
enum Format {
    Indented,
    OneLine,
    Template(Template),
}

impl Format {
    fn parse(source: &str) -> Result<Self, TemplateError> {
        match source {
            "" => Ok(Self::Indented),
            "json" => Ok(Self::OneLine),
            template => Template::parse(template).map(Self::Template),
        }
    }
}

/// The output, network by network.
#[derive(Debug)]
struct Report {
    format: Format,
    mode: Mode,
    /// Whether characters are escaped that a terminal would obey.
    escapes: bool,
    parts: Vec<String>,
}

impl Report {
    fn new(format: Format, escapes: bool) -> Self {
        Self { format, mode: Mode::Lenient, escapes, parts: Vec::new() }
    }

    fn add(&mut self, json: &str, attrs: &Json) -> Outcome {
        let Format::Template(template) = &self.format else {
            let shown = if self.escapes { visible_json(json) } else { Cow::Borrowed(json) };
            self.parts.push(shown.into_owned());
            return Ok(());
        };
        let attrs = if self.escapes { &visible_values(attrs) } else { attrs };
        let mut text = String::new();
        let typed = network(attrs)
            .is_ok_and(|value| template.execute(&value, self.mode, &mut text).is_ok());
        if !typed {
            // What docker's struct does not have may be in the engine's JSON. docker stays as strict as this from then on.
            self.mode = Mode::Strict;
            text.clear();
            let done = template.execute(&raw(attrs), self.mode, &mut text);
            done.map_err(|error| cannot_format(&error))?;
        }
        text.push('\n');
        self.parts.push(text);
        Ok(())
    }

    /// What is printed: something in any case, as with docker.
    fn finish(self) -> String {
        match self.format {
            Format::Template(_) if self.parts.is_empty() => "\n".to_owned(),
            Format::Template(_) => self.parts.concat(),
            Format::Indented => indented(&format!("[{}]", self.parts.join(","))) + "\n",
            Format::OneLine => one_line(&format!("[{}]", self.parts.join(","))) + "\n",
        }
    }
}

/// The same tree, made fit for a terminal.
fn visible_values(json: &Json) -> Json {
    match json {
        Json::String(text) => Json::String(visible(text).into_owned()),
        Json::Array(list) => list.iter().map(visible_values).collect(),
        Json::Object(map) => {
            let entry = |(key, value)| (visible(key).into_owned(), visible_values(value));
            map.iter().map(|(key, value): (&String, _)| entry((key, value))).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKEND: &str = r#"{"Name":"backend","Id":"8dc8","New":{"b":1,"a":1.50},"Labels":{}}"#;

    fn report(format: &str, networks: &[&str]) -> (String, usize) {
        let mut report = Report::new(Format::parse(format).unwrap(), false);
        let attrs = |json| serde_json::from_str(json).unwrap();
        let failed = networks.iter().filter(|json| report.add(json, &attrs(json)).is_err()).count();
        (report.finish(), failed)
    }

    #[test]
    fn json_is_the_engines_own() {
        let (text, _) = report("", &[BACKEND, "{}"]);
        assert!(text.contains("\"b\": 1,\n            \"a\": 1.50"), "{text}");
        assert!(text.ends_with("    },\n    {}\n]\n"), "{text}");
        assert_eq!(report("json", &[BACKEND, "{}\n"]).0, format!("[{BACKEND},{{}}]\n"));
    }

    #[test]
    fn a_terminal_is_not_steered_by_what_the_engine_says() {
        let json = r#"{"Name":"a\u001b[31m","Labels":{"b\u009b":"\u007f"}}"#;
        let attrs = serde_json::from_str(json).unwrap();
        for format in
            ["", "json", "{{.}}", "{{json .}}", "{{range $k, $v := .Labels}}{{$k}}{{$v}}{{end}}"]
        {
            let mut report = Report::new(Format::parse(format).unwrap(), true);
            report.add(json, &attrs).unwrap();
            report.add("{\"Name\":\"\u{9b}\"}", &serde_json::json!({"Name": "\u{9b}"})).unwrap();
            let text = report.finish();
            assert!(!text.contains(|char: char| char.is_control() && char != '\n'), "{text:?}");
        }
    }

    #[test]
    fn something_is_printed_even_of_nothing() {
        assert_eq!(report("", &[]).0, "[]\n");
        assert_eq!(report("json", &[]).0, "[]\n");
        assert_eq!(report("{{.ID}}", &[]).0, "\n");
    }

    #[test]
    fn what_dockers_struct_lacks_comes_from_the_json() {
        assert_eq!(report("{{.ID}}", &[BACKEND]), ("8dc8\n".to_owned(), 0));
        assert_eq!(report("{{.Id}} {{.New.b}}", &[BACKEND]), ("8dc8 1\n".to_owned(), 0));
        assert_eq!(report("{{.Nothing}}", &[BACKEND]), ("\n".to_owned(), 1));
    }

    #[test]
    fn after_the_first_look_into_the_json_what_is_missing_is_an_error() {
        let template = "{{with .Labels}}{{.x}}{{end}}{{.Name}}{{.IPAM.Driver}}";
        let labelled = r#"{"Name":"a","Labels":{"y":""}}"#;
        assert_eq!(report(template, &[labelled]), ("<no value>a\n".to_owned(), 0));
        let unfit = r#"{"Name":1,"IPAM":{"Driver":"d"},"Labels":{}}"#;
        assert_eq!(report(template, &[unfit, labelled]), ("1d\n".to_owned(), 1));
    }
}
