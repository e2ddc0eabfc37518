//! Networks: `/networks`.

mod view;

use std::collections::BTreeSet;

use docknet_types::{ApiVersion, NetworkId};
use http::StatusCode;
use serde_json::json;

use self::view::NetworkView;
use super::answer::Answer;
use super::go_json::shapes;
use super::{Api, Call, Outcome};
use crate::Profile;
use crate::core::endpoint::{self, Connect, Disconnect};
use crate::core::filter::{Facts, FilterRefusal, Filters, NetworkListFilter, NetworkPruneFilter};
use crate::core::network::{self, CreateNetwork, Network, RemoveNetwork};
use crate::core::refusal::{MatchedBy, Refusal};
use crate::core::tx::Tx;

/// From this version on a network may be without IPv4 (API changelog, 1.48).
const ENABLE_IPV4: ApiVersion = ApiVersion::new(1, 48);

/// `GET /networks`
pub(super) fn list(api: &Api, call: &Call) -> Outcome {
    let profile = api.engine.profile;
    let filters =
        filters(call, profile, || format!("failed to parse parameters for {}", call.target))?;
    let filter = NetworkListFilter::new(&filters, jiff::Timestamp::now(), profile)
        .map_err(Refusal::Filter)?;
    let state = api.engine.read();
    let used = match profile {
        Profile::Podman5 => Some(network::podman::used(&state)),
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => None,
    };
    let found: Vec<_> = state
        .networks()
        .filter(|network| filter.matches(&facts(network, used.as_ref())))
        .map(|network| NetworkView::in_a_list(network, profile))
        .collect();
    Ok(Answer::json(StatusCode::OK, &found))
}

/// `GET /networks/{id}`
pub(super) fn inspect(api: &Api, term: &str, call: &Call) -> Outcome {
    let profile = api.engine.profile;
    let strict = profile != Profile::Podman5;
    if strict && let Err(why) = call.query.parse_bool("verbose") {
        let verbose = call.query.text("verbose");
        return Err(Refusal::Worded(400, format!("invalid value for verbose: {verbose}: {why}")));
    }
    let state = api.engine.read();
    let network = state.find_network(meant(api, term)).map_err(|refusal| match refusal {
        // An inspection words this in the other order.
        Refusal::NetworkAmbiguous { term, matches, by } => ambiguous(&term, matches, by, profile),
        other => other,
    })?;
    let scope = call.query.first("scope").filter(|scope| strict && !scope.is_empty());
    if scope.is_some_and(|scope| scope != network.config.scope) {
        return Err(Refusal::NetworkNotFound(term.to_owned()));
    }
    let view = NetworkView::inspected(network, profile);
    // Podman calls its default network as it was called.
    let view = if strict || meant(api, term) == term { view } else { view.named(term) };
    Ok(Answer::json(StatusCode::OK, &view))
}

/// `POST /networks/create`
pub(super) async fn create(api: &Api, call: Call) -> Outcome {
    let version = call.version;
    let mut wish: CreateNetwork = call.json(api, &shapes::NETWORK_CREATE).await?;
    if version < ENABLE_IPV4 {
        wish.ipv4 = None;
    }
    let created = api.write(move |tx| network::create(tx, wish)).await?;
    let body = json!({ "Id": created.id, "Warning": created.warning });
    Ok(Answer::json(StatusCode::CREATED, &body))
}

/// `DELETE /networks/{id}`
pub(super) async fn remove(api: &Api, term: &str, call: &Call) -> Outcome {
    let (term, wish) = (term.to_owned(), RemoveNetwork { force: call.query.bool("force") });
    api.write(move |tx| network::remove(tx, &term, wish)).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /networks/prune`
pub(super) async fn prune(api: &Api, call: &Call) -> Outcome {
    let profile = api.engine.profile;
    let filters = filters(call, profile, || "Decode()".to_owned())?;
    let filter = NetworkPruneFilter::new(&filters, jiff::Timestamp::now(), profile)
        .map_err(Refusal::Filter)?;
    let deleted = api.write(move |tx| Ok(network::prune(tx, &filter))).await?;
    // Go's empty list is null; Podman's is not.
    let deleted = Some(deleted).filter(|names| !names.is_empty() || profile == Profile::Podman5);
    Ok(Answer::json(StatusCode::OK, &json!({ "NetworksDeleted": deleted })))
}

/// `POST /networks/{id}/connect`
pub(super) async fn connect(api: &Api, term: &str, call: Call) -> Outcome {
    let term = meant(api, term).to_owned();
    let wish: Connect = call.json(api, &shapes::NETWORK_CONNECT).await?;
    let inside = api.look_inside(&wish.container).await;
    let connect = move |tx: &mut Tx<'_>| {
        tx.inside = inside;
        endpoint::connect(tx, &term, wish)
    };
    api.write(connect).await?;
    Ok(done(api))
}

/// `POST /networks/{id}/disconnect`
pub(super) async fn disconnect(api: &Api, term: &str, call: Call) -> Outcome {
    let term = meant(api, term).to_owned();
    let wish: Disconnect = call.json(api, &shapes::NETWORK_DISCONNECT).await?;
    api.write(move |tx| endpoint::disconnect(tx, &term, &wish)).await?;
    Ok(done(api))
}

/// The network that a client means: Docker's name for the default network is another than Podman's.
fn meant<'a>(api: &Api, term: &'a str) -> &'a str {
    match api.engine.profile {
        Profile::Podman5 => network::podman::meant(term),
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => term,
    }
}

/// The filters of a request; Podman says what it was reading when it could not.
fn filters(
    call: &Call,
    profile: Profile,
    what: impl FnOnce() -> String,
) -> Result<Filters, Refusal> {
    call.filters(profile).map_err(|refusal| match (profile, refusal) {
        (Profile::Podman5, Refusal::Filter(FilterRefusal::Malformed { go })) => {
            Refusal::caused(500, what(), go)
        }
        (_, other) => other,
    })
}

/// 200 and nothing; Podman says OK.
fn done(api: &Api) -> Answer {
    match api.engine.profile {
        Profile::Podman5 => Answer::typed(StatusCode::OK, "text/plain; charset=us-ascii", "OK\n"),
        _ => Answer::empty(StatusCode::OK),
    }
}

/// `used` are the networks in use, where it matters for a filter.
fn facts<'a>(network: &'a Network, used: Option<&BTreeSet<NetworkId>>) -> Facts<'a> {
    let config = &network.config;
    Facts {
        name: &config.name,
        id: network.id.as_str(),
        driver: &config.driver,
        scope: &config.scope,
        labels: &config.labels,
        created: config.created,
        builtin: network.is_predefined(),
        dangling: match used {
            Some(used) => !used.contains(&network.id) && config.name != network::podman::DEFAULT,
            None => !network.is_predefined(),
        },
    }
}

fn ambiguous(term: &str, matches: usize, by: MatchedBy, profile: Profile) -> Refusal {
    match profile {
        Profile::Podman5 => Refusal::NetworkAmbiguous { term: term.to_owned(), matches, by },
        _ => Refusal::Worded(
            400,
            format!("{matches} matches found based on {by}: network {term} is ambiguous"),
        ),
    }
}
