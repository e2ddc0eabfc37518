//! `docknet version`.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use docknet::{ApiVersion, Client, Error, ErrorKind};
use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::output::{Data, visible};
use crate::session::Session;

/// Show the versions of this program and of the engine
#[derive(Args, Debug)]
#[command(after_help = "\
An unreachable engine is reported, and is no error.

Examples:
  docknet version
  docknet version --format json")]
pub(crate) struct Version {
    /// How to print: text or json
    #[arg(short, long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

/// Longer than this nobody waits for a version.
const PATIENCE: Duration = Duration::from_secs(3);

impl Version {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        let asked = tokio::time::timeout(PATIENCE, ask(client)).await;
        let engine =
            asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer in 3 s")));
        let mut out = session.out();
        if self.format == Data::Json {
            let engine = engine
                .unwrap_or_else(|error| json!({ "Host": client.host(), "Error": error.message() }));
            writeln!(out, "{}", json!({ "Client": own(), "Engine": engine }))?;
            return Ok(out.flush()?);
        }
        writeln!(out, "docknet {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(out, "  API        {} to {}", ApiVersion::OLDEST, ApiVersion::NEWEST)?;
        writeln!(out, "engine at {}", visible(&client.host()))?;
        match engine {
            Ok(engine) => {
                let text = |key: &str| {
                    visible(engine.get(key).and_then(Value::as_str).unwrap_or_default())
                        .into_owned()
                };
                writeln!(out, "  Version    {} {}", text("Name"), text("Version"))?;
                writeln!(
                    out,
                    "  API        {} to {}, spoken: {}",
                    text("MinApi"),
                    text("Api"),
                    text("Spoken")
                )?;
                writeln!(out, "  System     {}/{}", text("Os"), text("Arch"))?;
            }
            Err(error) => writeln!(out, "  not reached: {}", visible(error.message()))?,
        }
        Ok(out.flush()?)
    }
}

fn own() -> Value {
    json!({ "Version": env!("CARGO_PKG_VERSION"), "MinApi": ApiVersion::OLDEST.to_string(), "Api": ApiVersion::NEWEST.to_string() })
}

async fn ask(client: &Client) -> docknet::Result<Value> {
    let request = http::Request::get("/version").body(bytes::Bytes::new());
    let request = request.map_err(|error| Error::new(ErrorKind::Misuse, error.to_string()))?;
    let answer: Value = client.request(request).await?;
    let engine = client.engine().await?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    // Docker from Debian's packages has no name of its own; Podman's is that of a component.
    let platform =
        answer.pointer("/Platform/Name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let component = answer.pointer("/Components/0/Name").and_then(Value::as_str);
    let name = match (platform, component) {
        (Some(docknet), _) if docknet.starts_with("docknet") => "docknet, as",
        (_, Some(name)) if name != "Engine" => name,
        _ => "Docker Engine",
    };
    Ok(json!({
        "Host": client.host(),
        "Name": name,
        "Flavour": format!("{:?}", engine.flavour),
        "Version": text("Version"),
        "MinApi": text("MinAPIVersion"),
        "Api": text("ApiVersion"),
        "Spoken": engine.version.to_string(),
        "Os": text("Os"),
        "Arch": text("Arch"),
    }))
}
