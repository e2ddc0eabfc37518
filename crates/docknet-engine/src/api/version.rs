//! Versions of the API: which are spoken, and what stands on every answer.

use docknet_types::ApiVersion;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::answer::Answer;
use crate::Profile;

/// From this version on refusals are JSON.
const JSON_REFUSALS: ApiVersion = ApiVersion::new(1, 24);

/// The versions that an engine speaks, the oldest and the newest.
pub(crate) fn range(profile: Profile) -> (ApiVersion, ApiVersion) {
    match profile {
        Profile::Docker20_10 => (ApiVersion::new(1, 12), ApiVersion::new(1, 41)),
        Profile::Docker26 => (ApiVersion::new(1, 24), ApiVersion::new(1, 45)),
        Profile::Docker28 => (ApiVersion::new(1, 24), ApiVersion::new(1, 51)),
        Profile::Podman5 => (ApiVersion::new(1, 24), ApiVersion::new(1, 41)),
    }
}

/// The version and the rest of a path; the newest one if the path has none. Refuses what is not spoken.
pub(super) fn take(profile: Profile, path: &str) -> Result<(ApiVersion, &str), Box<Answer>> {
    let (oldest, newest) = range(profile);
    let Some((text, rest)) = split(path) else { return Ok((newest, path)) };
    // Go compares number by number, and what is missing or none counts as zero.
    let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
    let version = ApiVersion::new(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if profile == Profile::Podman5 {
        return Ok((version.min(newest), rest));
    }
    let refused =
        |text: &str| Err(Box::new(refusal(profile, version, StatusCode::BAD_REQUEST, text)));
    if version < oldest {
        return refused(&format!(
            "client version {text} is too old. Minimum supported API version is {oldest}, please upgrade your client to a newer version"
        ));
    }
    if version > newest {
        return refused(&format!(
            "client version {text} is too new. Maximum supported API version is {newest}"
        ));
    }
    Ok((version, rest))
}

/// A refusal for a client of this version: those of old get a line of text. Docker 26 has forgotten it.
pub(super) fn refusal(
    profile: Profile,
    version: ApiVersion,
    status: StatusCode,
    message: &str,
) -> Answer {
    let as_text = matches!(profile, Profile::Docker20_10 | Profile::Docker28);
    if as_text && version < JSON_REFUSALS {
        return Answer::typed(status, "text/plain; charset=utf-8", format!("{message}\n"));
    }
    Answer::refusal(status, message)
}

/// `1.51` and `/networks` of `/v1.51/networks`.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    let (version, rest) = rest.split_at(end);
    let is_version =
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_version.then_some((version, rest))
}

/// Puts the headers on that every answer has.
pub(super) fn sign(profile: Profile, headers: &mut HeaderMap) {
    let (_, newest) = range(profile);
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("api-version", &newest.to_string());
    set("docker-experimental", "false");
    set("ostype", "linux");
    set("server", &super::system::server(profile));
}
