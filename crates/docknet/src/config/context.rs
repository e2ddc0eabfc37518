//! The contexts of the docker CLI.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{TlsOptions, within, wrong};
use crate::{Host, Result};

/// The name of the current context, if the docker CLI's settings have one.
pub(super) fn current(file: &Path) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Settings {
        #[serde(rename = "currentContext", default)]
        context: Option<String>,
    }
    let Some(bytes) = read(file)? else {
        return Ok(None);
    };
    let settings: Settings = serde_json::from_slice(&bytes).map_err(|error| {
        wrong(format!("{} does not read as it should: {error}", file.display()))
    })?;
    Ok(settings.context.filter(|name| !name.is_empty()))
}

/// A context: a name for an engine and the way there.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) host: Host,
    skip_verification: bool,
    tls_dir: PathBuf,
}

impl Context {
    /// Finds a context by its name.
    pub(super) fn load(config_dir: Option<&Path>, name: &str) -> Result<Self> {
        let Some(dir) = config_dir else {
            return Err(wrong(format!(
                "there is no context {name:?}, as there is no home directory: set DOCKER_CONFIG"
            )));
        };
        let contexts = dir.join("contexts");
        let (id, meta) = find(&contexts.join("meta"), name)?;
        let wanted =
            |what: &str| wrong(format!("context {name:?} has no {what}: {}", meta.file.display()));
        let endpoint = meta.endpoints.get("docker").ok_or_else(|| wanted("endpoint \"docker\""))?;
        let host = endpoint.host.as_deref().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wanted("host"))?.parse();
        Ok(Self {
            host: host.map_err(|error| within(&meta.file.display().to_string(), &error))?,
            skip_verification: endpoint.skip_verification,
            tls_dir: contexts.join("tls").join(id).join("docker"),
        })
    }

    /// How it uses TLS; none if it does not.
    pub(super) fn tls(&self) -> Result<Option<TlsOptions>> {
        let there = self
            .tls_dir
            .try_exists()
            .map_err(|error| wrong(format!("cannot read {}: {error}", self.tls_dir.display())))?;
        let tls = there.then(|| TlsOptions::from_dir(&self.tls_dir)).transpose()?;
        Ok(match (tls, self.skip_verification) {
            (tls, true) => Some(tls.unwrap_or_default().without_verification()),
            (tls, false) => tls.filter(|tls| !tls.is_empty()),
        })
    }
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name", default)]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, Endpoint>,
    #[serde(skip)]
    file: PathBuf,
}

/// Other tools have endpoints of other kinds there, so that nothing is required.
#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host", default)]
    host: Option<String>,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_verification: bool,
}

/// The directory of a context, and what is in it. The directory's name is a hash of the context's name; looking into
/// each of them costs less than a crate that computes it.
fn find(dir: &Path, name: &str) -> Result<(PathBuf, Meta)> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let entries =
        entries.map_err(|error| wrong(format!("cannot read {}: {error}", dir.display())))?;
    let mut ids = entries.into_iter().map(|entry| entry.file_name()).collect::<Vec<_>>();
    ids.sort();
    let mut names = Vec::new();
    let mut unreadable = None;
    for id in ids {
        match Meta::read(dir.join(&id).join("meta.json")) {
            Ok(Some(meta)) if meta.name == name => return Ok((id.into(), meta)),
            Ok(Some(meta)) => names.push(meta.name),
            Ok(None) => {}
            // It may be a context that nobody asks for.
            Err(error) => unreadable = Some(error),
        }
    }
    if let Some(error) = unreadable {
        return Err(within(&format!("cannot find context {name:?}"), &error));
    }
    names.sort();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(wrong(format!("there is no context {name:?} in {}; there is {known}", dir.display())))
}

impl Meta {
    fn read(file: PathBuf) -> Result<Option<Self>> {
        let Some(bytes) = read(&file)? else {
            return Ok(None);
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(meta) => Ok(Some(Self { file, ..meta })),
            Err(error) => {
                Err(wrong(format!("{} does not read as it should: {error}", file.display())))
            }
        }
    }
}

/// A file, if it is there.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => {
            Err(wrong(format!("cannot read {}: {error}", file.display())).with_source(error))
        }
    }
}
