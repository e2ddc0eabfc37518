//! Which engine, and how to get there: from what the program says and what the environment says.
//!
//! The rules are the docker CLI's. They work on values, so that tests need no environment: only
//! [`Environment::of_process`] reads the real one.

mod context;
mod tls;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use docknet_types::ApiVersion;

use self::context::Context;
#[cfg(feature = "tls")]
pub(crate) use self::tls::Pem;
pub use self::tls::TlsOptions;
use crate::host::{Address, Encryption};
use crate::{Error, ErrorKind, Host, Result};

/// What the program says.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) host: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) tls: Option<TlsOptions>,
    pub(crate) config_dir: Option<PathBuf>,
}

/// What the environment says. A variable that is empty says nothing, as with the docker CLI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    host: Option<String>,
    context: Option<String>,
    api_version: Option<String>,
    tls: bool,
    tls_verify: bool,
    cert_path: Option<PathBuf>,
    config_dir: Option<PathBuf>,
    runtime_dir: Option<PathBuf>,
}

impl Environment {
    pub(crate) fn of_process() -> Result<Self> {
        Self::read(|name| std::env::var_os(name), std::env::home_dir())
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Result<Self> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let text = |name| {
            let value = variable(name).map(OsString::into_string).transpose();
            value.map_err(|value| wrong(format!("{name} is not UTF-8: {value:?}")))
        };
        let home = home.filter(|home| !home.as_os_str().is_empty());
        Ok(Self {
            host: text("DOCKER_HOST")?,
            context: text("DOCKER_CONTEXT")?,
            api_version: text("DOCKER_API_VERSION")?,
            tls: variable("DOCKER_TLS").is_some(),
            tls_verify: variable("DOCKER_TLS_VERIFY").is_some(),
            cert_path: variable("DOCKER_CERT_PATH").map(PathBuf::from),
            config_dir: variable("DOCKER_CONFIG")
                .map(PathBuf::from)
                .or_else(|| home.map(|home| home.join(".docker"))),
            runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
        })
    }

    /// The version of the API to speak, if the environment wants a certain one.
    pub(crate) fn api_version(&self) -> Result<Option<ApiVersion>> {
        let version = self.api_version.as_ref().map(|text| text.parse()).transpose();
        version.map_err(|error| wrong(format!("DOCKER_API_VERSION: {error}")))
    }
}

/// Where to go, and with which certificates if it is through TLS.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) tls: Option<TlsOptions>,
}

/// Decides where to go. What the program says comes first, then the environment, then the docker CLI's settings, then
/// the sockets that engines listen on as a rule.
pub(crate) fn resolve(
    wishes: Wishes,
    env: &Environment,
    exists: impl Fn(&Path) -> bool,
) -> Result<Target> {
    let config_dir = wishes.config_dir.as_deref().or(env.config_dir.as_deref());
    let (host, context) = match choose(&wishes, env, config_dir)? {
        Choice::Host { text, from } => (text.parse().map_err(|error| within(from, &error))?, None),
        Choice::Context { name, from } => {
            let context =
                Context::load(config_dir, &name).map_err(|error| within(&from, &error))?;
            (context.host.clone(), Some(context))
        }
        Choice::Default => (default_host(env, exists)?, None),
    };
    let tls = match (tls_use(&host), wishes.tls, context) {
        (TlsUse::Never, Some(_), _) => {
            return Err(wrong(format!("TLS was asked for, and {host} does not use it")));
        }
        (TlsUse::Never, None, _) => None,
        (_, Some(tls), _) => Some(tls),
        (TlsUse::Always, None, Some(context)) => Some(context.tls()?.unwrap_or_default()),
        (TlsUse::Asked, None, Some(context)) => context.tls()?,
        (TlsUse::Always, None, None) => Some(certificates(env, config_dir)?),
        (TlsUse::Asked, None, None) if env.tls_verify => Some(certificates(env, config_dir)?),
        (TlsUse::Asked, None, None) if env.tls => {
            Some(certificates(env, config_dir)?.without_verification())
        }
        (TlsUse::Asked, None, None) => None,
    };
    Ok(Target { host, tls })
}

/// What says where to go.
enum Choice {
    Host { text: String, from: &'static str },
    Context { name: String, from: String },
    Default,
}

fn choose(wishes: &Wishes, env: &Environment, config_dir: Option<&Path>) -> Result<Choice> {
    if let Some(text) = &wishes.host {
        return Ok(Choice::Host { text: text.clone(), from: "host" });
    }
    let context =
        |name: &str, from: &str| Choice::Context { name: name.to_owned(), from: from.to_owned() };
    match wishes.context.as_deref() {
        // The docker CLI's name for the engine that it uses without a context.
        Some(DEFAULT) => {
            return Ok(match &env.host {
                Some(text) => Choice::Host { text: text.clone(), from: "DOCKER_HOST" },
                None => Choice::Default,
            });
        }
        Some(name) => return Ok(context(name, "context")),
        None => {}
    }
    if let Some(text) = &env.host {
        return Ok(Choice::Host { text: text.clone(), from: "DOCKER_HOST" });
    }
    if let Some(name) = &env.context {
        return Ok(if name == DEFAULT { Choice::Default } else { context(name, "DOCKER_CONTEXT") });
    }
    let Some(dir) = config_dir else {
        return Ok(Choice::Default);
    };
    let file = dir.join("config.json");
    Ok(match context::current(&file)? {
        Some(name) if name != DEFAULT => {
            context(&name, &format!("currentContext of {}", file.display()))
        }
        _ => Choice::Default,
    })
}

const DEFAULT: &str = "default";

/// The first of the usual sockets that is there, Docker's before Podman's before docknet's own. If none is, it is Docker's: the error of
/// connecting to it says what is missing.
fn default_host(env: &Environment, exists: impl Fn(&Path) -> bool) -> Result<Host> {
    if cfg!(not(unix)) {
        let text = "set DOCKER_HOST or a docker context: the default on this system is a named pipe, and these are not supported";
        return Err(wrong(text));
    }
    let of_user = |socket: &str| env.runtime_dir.as_ref().map(|dir| dir.join(socket));
    let usual = [
        Some(PathBuf::from(DOCKER_SOCKET)),
        Some(PathBuf::from("/run/docker.sock")),
        of_user("docker.sock"),
        of_user("podman/podman.sock"),
        Some(PathBuf::from("/run/podman/podman.sock")),
        of_user("docknet.sock"),
        Some(PathBuf::from("/run/docknet.sock")),
    ];
    let socket = usual.into_iter().flatten().find(|socket| exists(socket));
    let socket = socket.unwrap_or_else(|| DOCKER_SOCKET.into());
    format!("unix://{}", socket.display()).parse()
}

/// As the docker CLI has it; on most systems `/var/run` is `/run`.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

enum TlsUse {
    Always,
    Asked,
    Never,
}

fn tls_use(host: &Host) -> TlsUse {
    match host.address() {
        Address::Tcp { encryption: Encryption::Always, .. } => TlsUse::Always,
        Address::Tcp { encryption: Encryption::Asked, .. } => TlsUse::Asked,
        Address::Tcp { .. } | Address::Ssh(_) | Address::Unix(_) => TlsUse::Never,
    }
}

/// The certificates of the environment: in `DOCKER_CERT_PATH`, or else with the docker CLI's settings, if there are any.
fn certificates(env: &Environment, config_dir: Option<&Path>) -> Result<TlsOptions> {
    match (&env.cert_path, config_dir) {
        (Some(dir), _) => {
            TlsOptions::from_dir(dir).map_err(|error| within("DOCKER_CERT_PATH", &error))
        }
        (None, Some(dir)) if dir.is_dir() => TlsOptions::from_dir(dir),
        (None, _) => Ok(TlsOptions::new()),
    }
}

fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, text)
}

/// Says where a wrong value comes from.
fn within(place: &str, error: &Error) -> Error {
    wrong(format!("{place}: {error}"))
}

#[cfg(test)]
mod tests;
