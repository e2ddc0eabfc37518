//! Removing what nobody uses, and saying beforehand what that would be.

use std::fmt;

use docknet_types::{Filters, NetworkInfo, Scope};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde::Deserialize;

use crate::{Client, Error, ErrorKind, InspectOptions, Network, NetworkDetails, Result};

/// What a prune removed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Pruned {
    /// The names of the networks that are gone.
    #[serde(deserialize_with = "null_is_empty")]
    pub networks_deleted: Vec<String>,
    /// Bytes that were freed: none, with networks.
    pub space_reclaimed: u64,
    /// What the engine refused to remove, if this is the outcome of a plan. [`Error::subject`] has the name.
    #[serde(skip)]
    pub refused: Vec<Error>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What a prune would do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The networks that nothing uses.
    pub remove: Vec<Network>,
    /// The networks that match the filters and stay, with the reason.
    pub keep: Vec<(Network, Kept)>,
}

impl PrunePlan {
    /// Removes what is planned, each by its id: what came since is safe, and so is what is in use by now.
    ///
    /// # Errors
    /// None of its own: what was refused is in the outcome.
    pub async fn execute(self) -> Result<Pruned> {
        let mut outcome = Pruned::default();
        for network in self.remove {
            let name = network.name().to_owned();
            match network.remove().await {
                Ok(()) => outcome.networks_deleted.push(name),
                // Somebody else removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => outcome.refused.push(error),
            }
        }
        Ok(outcome)
    }
}

/// Why a network is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// These containers run on it.
    Running(Vec<String>),
    /// These services of the swarm use it.
    Services(Vec<String>),
    /// These containers are stopped, and need it to start again.
    Stopped(Vec<String>),
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(names) => write!(f, "used by {}", names.join(", ")),
            Self::Services(names) => write!(f, "used by the services {}", names.join(", ")),
            Self::Stopped(names) => write!(f, "needed by {}, stopped", names.join(", ")),
        }
    }
}

pub(crate) async fn plan(client: &Client, filters: &Filters) -> Result<PrunePlan> {
    let until = limits(filters, Timestamp::now())?;
    let mut plan = PrunePlan { remove: Vec::new(), keep: Vec::new() };
    for NetworkDetails { network, containers, .. } in
        client.networks().list_detailed(&Filters::new()).await?
    {
        if !matches(network.info(), filters, until) {
            continue;
        }
        let names = |running: bool| -> Vec<String> {
            let those =
                containers.iter().filter(|container| container.info().is_running() == running);
            those.map(|container| container.name().to_owned()).collect()
        };
        let reason = match (names(true), names(false)) {
            (running, _) if !running.is_empty() => Some(Kept::Running(running)),
            (_, stopped) if !stopped.is_empty() => Some(Kept::Stopped(stopped)),
            _ => services(client, &network).await?,
        };
        match reason {
            Some(reason) => plan.keep.push((network, reason)),
            None => plan.remove.push(network),
        }
    }
    Ok(plan)
}

/// The services that use a network of a swarm: other nodes run them, so that only the manager knows.
async fn services(client: &Client, network: &Network) -> Result<Option<Kept>> {
    if network.info().scope != Scope::Swarm {
        return Ok(None);
    }
    let verbose = InspectOptions::new().verbose(true);
    match client.networks().inspect(network.id().as_str(), &verbose).await {
        Ok(network) => {
            let names: Vec<_> =
                network.info().services.keys().filter(|name| !name.is_empty()).cloned().collect();
            Ok((!names.is_empty()).then_some(Kept::Services(names)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn matches(info: &NetworkInfo, filters: &Filters, until: Option<Timestamp>) -> bool {
    let old_enough = until
        .is_none_or(|until| info.created.parse::<Timestamp>().is_ok_and(|created| created < until));
    !info.is_predefined() && !info.ingress && old_enough && filters.match_labels(&info.labels)
}

/// Checks the filters, and reads the time among them.
fn limits(filters: &Filters, now: Timestamp) -> Result<Option<Timestamp>> {
    let invalid = |text: String| Error::new(ErrorKind::InvalidSpec, text);
    if let Some((other, _)) =
        filters.iter().find(|(key, _)| !matches!(*key, "label" | "label!" | "until"))
    {
        return Err(invalid(format!(
            "a prune has no filter {other:?}: it knows label, label! and until"
        )));
    }
    let mut times = filters.values("until");
    let until = times.next().map(|text| read_time(text, now).ok_or_else(|| {
        invalid(format!("{text:?} is no time: an age as in 24h, a date as in 2026-01-31 or 2026-01-31T12:00:00Z, or a Unix time is wanted"))
    })).transpose()?;
    if times.next().is_some() {
        return Err(invalid("more than one `until` is given".to_owned()));
    }
    Ok(until)
}

/// A time as engines read it: an age, an RFC 3339 time or a part of one, or seconds since 1970. A date without an
/// offset is taken as UTC, since nothing tells the engine's time zone.
fn read_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<f64>() {
        let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
        return Timestamp::from_duration(duration).ok();
    }
    if let Ok(age) = text.parse::<SignedDuration>() {
        return now.checked_sub(age).ok();
    }
    let date_time = || TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
    text.parse::<Timestamp>().ok().or_else(date_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_as_engines_do() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (text, time) in [
            ("24h", "2026-01-30T12:00:00Z"),
            ("1h30m", "2026-01-31T10:30:00Z"),
            ("2026-01-01", "2026-01-01T00:00:00Z"),
            ("2026-01-01T10:00:00", "2026-01-01T10:00:00Z"),
            ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("1700000000.5", "2023-11-14T22:13:20.5Z"),
        ] {
            assert_eq!(read_time(text, now), Some(time.parse().unwrap()), "{text}");
        }
        for text in ["", "foo", "24 parsecs", "2026-13-01"] {
            assert_eq!(read_time(text, now), None, "{text}");
        }
    }

    #[test]
    fn refuses_filters_that_a_prune_does_not_have() {
        let now = Timestamp::now();
        for filters in [
            Filters::new().name("a"),
            Filters::new().until("foo"),
            Filters::new().until("1h").until("2h"),
        ] {
            assert_eq!(
                limits(&filters, now).unwrap_err().kind(),
                ErrorKind::InvalidSpec,
                "{filters:?}"
            );
        }
    }

    #[test]
    fn the_engines_own_networks_never_match() {
        let info = |json: &str| NetworkInfo::from_json(json);
        assert!(!matches(&info(r#"{"Name":"bridge","Scope":"local"}"#), &Filters::new(), None));
        assert!(!matches(
            &info(r#"{"Name":"ingress","Scope":"swarm","Ingress":true}"#),
            &Filters::new(),
            None
        ));
        assert!(matches(&info(r#"{"Name":"a","Scope":"local"}"#), &Filters::new(), None));
        // What does not say when it was made is never old enough.
        assert!(!matches(&info(r#"{"Name":"a"}"#), &Filters::new(), Some(Timestamp::MAX)));
    }
}
