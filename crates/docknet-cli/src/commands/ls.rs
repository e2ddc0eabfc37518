//! `docknet ls`.

mod containers;
mod entry;

use std::env;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, Error, ErrorKind, Filters};

use self::containers::Members;
use self::entry::{Style, entry, head};
use crate::arguments::filters;
use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::output::{ListFormat, natural};
use crate::session::Session;
use crate::survey::Survey;
use crate::template::TemplateError;

/// List networks
#[derive(Args, Debug)]
#[command(
    args_override_self = true,
    after_help = "\
Fields for templates:
  .ID .Name .Driver .Scope .IPv4 .IPv6 .Internal .Labels .CreatedAt, and .Label \"KEY\";
  with --containers also .Containers, a list of what has .ID .Name .State .MacAddress .IPv4Address
  .IPv6Address

Examples:
  docknet ls --filter driver=bridge --filter label=app=shop
  docknet ls --containers
  docknet ls --format 'table {{.Name}}\\t{{.Driver}}\\t{{.Label \"app\"}}'
  docknet ls --containers --format '{{.Name}}: {{range .Containers}}{{.Name}} {{end}}'"
)]
pub(crate) struct Ls {
    /// Only networks that fit: dangling=BOOL, driver=DRIVER, id=ID, label=KEY or label=KEY=VALUE, name=NAME,
    /// scope=SCOPE, type=builtin or type=custom; may be given several times
    #[arg(short, long, value_name = "KEY=VALUE", allow_hyphen_values = true, add = ArgValueCandidates::new(complete::list_filters))]
    filter: Vec<String>,

    /// How to print them: 'table', 'table TEMPLATE', 'json' for one object a line, or a TEMPLATE as Go has them
    #[arg(long, value_name = "FORMAT", allow_hyphen_values = true)]
    format: Option<String>,

    /// Whole ids
    #[arg(long)]
    no_trunc: bool,

    /// Only ids
    #[arg(short, long)]
    quiet: bool,

    /// Who is connected too, with which addresses; stopped containers as well
    #[arg(long)]
    containers: bool,
}

impl Ls {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let filters = filters(&self.filter, KEYS)?;
        let source = self.source(configured);
        let format =
            ListFormat::parse(&source).map_err(|error| cannot_format(&error, self.containers))?;
        let client = session.client().await?;
        let listing = session.waiting("list networks", survey(client, &filters, self.containers));
        let mut survey = listing.await?;
        survey.networks.sort_by(|one, other| natural(one.name(), other.name()));

        let style = Style {
            whole_ids: self.no_trunc,
            // What goes on to a program is as the engine wrote it.
            escapes: session.terminal().is_watched(),
        };
        let members = self.containers.then(|| Members::of(&survey));
        let rendered = match &members {
            Some(members) if source == TABLE => containers::table(&survey.networks, members, style),
            members => {
                let members = members.as_ref();
                let entries: Vec<_> =
                    survey.networks.iter().map(|network| entry(network, members, style)).collect();
                let rendered = format.render(&head(members.is_some()), &entries);
                rendered.map_err(|error| cannot_format(&error, self.containers))?
            }
        };
        let mut out = session.out();
        out.write_all(rendered.as_bytes())?;
        Ok(out.flush()?)
    }

    /// The format, with docker's short names resolved.
    fn source(&self, configured: impl FnOnce() -> Option<String>) -> String {
        let asked = self.format.clone().filter(|format| !format.is_empty());
        let asked = asked.or_else(|| if self.quiet { None } else { configured() });
        match (asked.as_deref().unwrap_or("table"), self.quiet) {
            ("table", true) => "{{.ID}}".to_owned(),
            ("table", false) => TABLE.to_owned(),
            ("raw", true) => "network_id: {{.ID}}".to_owned(),
            ("raw", false) => {
                "network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n"
                    .to_owned()
            }
            (format, _) => format.to_owned(),
        }
    }
}

const TABLE: &str = "table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}";

/// `networksFormat` of the docker CLI's own settings. What else is wrong with them is not for a list to say.
fn configured() -> Option<String> {
    let dir = env::var_os("DOCKER_CONFIG").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dir = dir.or_else(|| Some(env::home_dir()?.join(".docker")))?;
    format_of(&std::fs::read(dir.join("config.json")).ok()?)
}

fn format_of(config: &[u8]) -> Option<String> {
    let config: serde_json::Value = serde_json::from_slice(config).ok()?;
    let format = config.get("networksFormat")?.as_str()?;
    (!format.is_empty()).then(|| format.to_owned())
}

const KEYS: &str = "dangling, driver, id, label, name, scope and type";

async fn survey(client: &Client, filters: &Filters, containers: bool) -> Outcome<Survey> {
    let networks = client.networks();
    let networks = async { networks.list_with(filters).await.map_err(|error| cannot_list(&error)) };
    let all = async {
        if !containers {
            return Ok(Vec::new());
        }
        let listed = client.containers().list_all(&Filters::new()).await;
        listed.map_err(|error| Failure::of("list containers", &error))
    };
    let (networks, containers) = tokio::try_join!(networks, all)?;
    Ok(Survey { networks, containers })
}

fn cannot_list(error: &Error) -> Failure {
    let failure = Failure::of("list networks", error);
    let refused = matches!(error.kind(), ErrorKind::BadRequest | ErrorKind::InvalidSpec);
    if refused && error.message().contains("filter") {
        failure.hint(format!("the keys are {KEYS}"))
    } else {
        failure
    }
}

fn cannot_format(error: &TemplateError, containers: bool) -> Failure {
    let text = error.to_string();
    let failure = Failure::new(format!("cannot use this format: {text}"));
    if text.contains("field Containers ") && !containers {
        return failure.hint("`.Containers` is there with `--containers`");
    }
    if text.contains("can't evaluate field") {
        return failure.hint("`docknet ls --help` names the fields");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ls(format: Option<&str>, quiet: bool) -> Ls {
        Ls {
            filter: Vec::new(),
            format: format.map(str::to_owned),
            no_trunc: false,
            quiet,
            containers: false,
        }
    }

    #[test]
    fn a_format_that_is_not_given_is_the_configured_one() {
        let configured = || Some("json".to_owned());
        assert_eq!(ls(None, false).source(configured), "json");
        assert_eq!(ls(Some(""), false).source(configured), "json");
        assert_eq!(ls(Some("table"), false).source(configured), TABLE);
        assert_eq!(ls(None, true).source(configured), "{{.ID}}");
        assert_eq!(ls(None, false).source(|| None), TABLE);
        assert_eq!(ls(Some("json"), true).source(configured), "json");
    }

    #[test]
    fn the_configured_format_is_read_from_dockers_settings() {
        assert_eq!(format_of(br#"{"networksFormat":"json"}"#).as_deref(), Some("json"));
        for config in
            [&b"{}"[..], b"", b"[]", br#"{"networksFormat":""}"#, br#"{"networksFormat":1}"#]
        {
            assert_eq!(format_of(config), None);
        }
    }
}
