//! Containers: `/containers`.

mod ended;
mod endpoint_view;
#[cfg(test)]
mod tests;
mod view;

use bytes::Bytes;
use docknet_types::ApiVersion;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::ended::Later;
pub(super) use self::ended::{End, Watch};
use self::endpoint_view::Style;
pub(super) use self::view::DRIVER;
use self::view::{Inspection, Sizes, Summary};
use super::answer::{Answer, AnswerBody, Duplex, RAW_STREAM};
use super::go_json::shapes;
use super::route::not_found;
use super::{Api, Call, Outcome, system};
use crate::Profile;
use crate::core::container::{
    self, Changed, Container, CreateBody, CreateContainer, Remove, Status, StopWish,
};
use crate::core::filter::{ContainerFacts, ContainerListFilter, NetworkPruneFilter};
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::tx::Tx;

/// From this version on a stop takes a signal, and streams say that they have frames (API changelog, 1.42).
const SIGNAL_AND_FRAMES: ApiVersion = ApiVersion::new(1, 42);
const FRAMES: HeaderValue = HeaderValue::from_static("application/vnd.docker.multiplexed-stream");
/// Docker takes no bodies at a start. What is shorter is no object with anything in it.
const SHORTEST_BODY: u64 = 7;

/// What is below `/containers/` and has an id.
pub(super) async fn route(api: &Api, method: &str, path: &str, call: Call) -> Outcome {
    let Some(rest) = path.strip_prefix("/containers/").filter(|rest| !rest.is_empty()) else {
        return Err(not_found());
    };
    let (term, what) = match rest.rsplit_once('/') {
        Some((term, what)) if !term.is_empty() => (term, what),
        _ => (rest, ""),
    };
    match (method, what) {
        ("GET", "json") => inspect(api, term, &call),
        ("GET", "logs") => logs(api, term, &call),
        ("GET", "top") => top(api, term, &call),
        ("GET", "stats") => without_processes(api, term, "tell what a container uses"),
        ("GET", "changes") if api.engine.on.runs_programs() => {
            without_processes(api, term, "tell what a container changed")
        }
        ("GET", "changes") => found(api, term).map(|_| Answer::json(StatusCode::OK, &Value::Null)),
        ("GET" | "PUT", "archive") | ("GET", "export") | ("HEAD", "archive") => {
            without_processes(api, term, "copy files of containers")
        }
        ("GET", "ws") => Err(system::not_done(method, path)),
        ("POST", "attach") => attach(api, term, call).await,
        ("POST", "exec") => super::exec::create(api, term, call).await,
        ("POST", "kill") => kill(api, term, &call).await,
        ("POST", "pause") => changed(api, term, container::pause).await,
        ("POST", "rename") => rename(api, term, &call).await,
        ("POST", "resize") => resize(api, term, &call).await,
        ("POST", "restart") => restart(api, term, &call).await,
        ("POST", "start") => start(api, term, &call).await,
        ("POST", "stop") => stop(api, term, &call).await,
        ("POST", "unpause") => changed(api, term, container::unpause).await,
        ("POST", "update") => update(api, term).await,
        ("POST", "wait") => wait(api, term, &call),
        ("DELETE", _) => remove(api, rest, &call).await,
        _ => Err(not_found()),
    }
}

/// `GET /containers/json`
pub(super) fn list(api: &Api, call: &Call) -> Outcome {
    let profile = api.engine.profile;
    let limit =
        call.query.parse_int("limit").map_err(|why| Refusal::Worded(500, why))?.unwrap_or(0);
    let limit = usize::try_from(limit).unwrap_or(0);
    let filters = call.filters(profile)?;
    let filter = ContainerListFilter::new(&filters).map_err(Refusal::Filter)?;
    let state = api.engine.read();
    let bound = |term: Option<&str>| {
        term.map(|term| state.find_container(term).map(|found| age(found))).transpose()
    };
    let (before, since) = (bound(filter.before())?, bound(filter.since())?);
    let all = call.query.bool("all")
        || limit > 0
        || filter.asks_for_stopped()
        || before.is_some()
        || since.is_some();
    let mut containers: Vec<&Container> = state
        .containers()
        .map(|container| &**container)
        .filter(|container| all || container.is_running())
        .filter(|container| before.is_none_or(|before| age(container) < before))
        .filter(|container| since.is_none_or(|since| age(container) > since))
        .filter(|container| matches(&state, &filter, container))
        .collect();
    containers.sort_by_key(|container| std::cmp::Reverse(age(container)));
    if limit > 0 {
        containers.truncate(limit);
    }
    let now = Timestamp::now();
    let with_sizes = SizesAsked::of(call);
    let shown: Vec<Summary<'_>> = containers
        .into_iter()
        .map(|container| Summary::of(container, profile, now, sizes(&state, container, with_sizes)))
        .collect();
    Ok(Answer::json(StatusCode::OK, &shown))
}

/// `POST /containers/create`
pub(super) async fn create(api: &Api, call: Call) -> Outcome {
    let version = call.version;
    let name = call.query.text("name").to_owned();
    let body: CreateBody = call.json(api, &shapes::CONTAINER_CREATE).await?;
    let wish = CreateContainer { name, version, body };
    let created = api.write(move |tx| container::create(tx, wish)).await?;
    let body = json!({ "Id": created.id, "Warnings": created.warnings });
    Ok(Answer::json(StatusCode::CREATED, &body))
}

/// `POST /containers/prune`
pub(super) async fn prune(api: &Api, call: &Call) -> Outcome {
    let profile = api.engine.profile;
    let filters = call.filters(profile)?;
    let filter =
        NetworkPruneFilter::new(&filters, Timestamp::now(), profile).map_err(Refusal::Filter)?;
    let deleted = api.write(move |tx| Ok(container::prune(tx, &filter))).await?;
    let deleted = Some(deleted).filter(|ids| !ids.is_empty());
    Ok(Answer::json(StatusCode::OK, &json!({ "ContainersDeleted": deleted, "SpaceReclaimed": 0 })))
}

/// All containers, as a list has them.
pub(super) fn summaries(state: &State, profile: Profile, now: Timestamp) -> Vec<Summary<'_>> {
    state
        .containers()
        .map(|container| {
            Summary::of(container, profile, now, sizes(state, container, SizesAsked::Yes))
        })
        .collect()
}

/// When it was made; of two at the same time, one is older, too.
fn age(container: &Container) -> (Timestamp, &str) {
    (container.created, container.id.as_str())
}

fn matches(state: &State, filter: &ContainerListFilter, container: &Container) -> bool {
    let networks = container.attachments.iter().map(|(name, attachment)| {
        let found = attachment.network.as_ref().or_else(|| {
            let network = state.find_network(name).ok()?;
            Some(&network.id)
        });
        (name.as_str(), found.map(|id| id.as_str()).unwrap_or_default())
    });
    filter.matches(&ContainerFacts {
        id: container.id.as_str(),
        name: &container.name,
        image: &container.config.image,
        image_id: &container.config.image_id,
        labels: &container.config.labels,
        state: container.status.as_str(),
        health: "none",
        exit_code: (container.status == Status::Exited).then_some(container.exit_code),
        networks,
    })
}

/// Whether a client asks for the sizes of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SizesAsked {
    No,
    Yes,
}

impl SizesAsked {
    fn of(call: &Call) -> Self {
        if call.query.bool("size") { Self::Yes } else { Self::No }
    }
}

fn sizes(state: &State, container: &Container, asked: SizesAsked) -> Sizes {
    match asked {
        SizesAsked::Yes => {
            Sizes::Told(state.images.get(&container.config.image_id).map_or(0, |image| image.size))
        }
        SizesAsked::No => Sizes::Left,
    }
}

fn found(api: &Api, term: &str) -> Result<Container, Refusal> {
    api.engine.read().find_container(term).map(|container| Container::clone(container))
}

fn inspect(api: &Api, term: &str, call: &Call) -> Outcome {
    let state = api.engine.read();
    let container = state.find_container(term)?;
    let sizes = sizes(&state, container, SizesAsked::of(call));
    let mut shown = Inspection::of(container, api.engine.profile, call.version, sizes);
    #[cfg(kernel)]
    if container.is_running()
        && let Some(pid) = super::programs::of(&api.engine, container)
            .and_then(|processes| processes.pid(&container.id))
    {
        shown = shown.with_process(pid);
    }
    if api.engine.profile == Profile::Podman5
        && let Some(other) = container.namespace_of()
        && let Ok(other) = state.find_container(other)
    {
        let style = Style::inspection(api.engine.profile, call.version);
        shown = shown.with_networks_of(other, style);
    }
    Ok(Answer::json(StatusCode::OK, &shown))
}

async fn start(api: &Api, term: &str, call: &Call) -> Outcome {
    let length = call
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > SHORTEST_BODY)
        || call.headers.contains_key(TRANSFER_ENCODING)
    {
        let why = "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24";
        return Err(Refusal::Worded(400, why.to_owned()));
    }
    let owned = term.to_owned();
    let inside = api.look_inside(term).await;
    let start = move |tx: &mut Tx<'_>| {
        tx.inside = inside;
        container::start(tx, &owned)
    };
    match api.write(start).await {
        Ok(changed) => Ok(no_content(changed)),
        Err(refusal) => {
            // One that was to go at its end has none to go at.
            if let Ok(container) = found(api, term)
                && container.config.runs
                && container.config.auto_remove
                && !container.is_running()
            {
                let (id, wish) = (container.id.to_string(), Remove { force: false });
                api.write(move |tx| container::remove(tx, &id, wish)).await?;
            }
            Err(refusal)
        }
    }
}

async fn stop(api: &Api, term: &str, call: &Call) -> Outcome {
    let (wish, grace) = stop_wish(call)?;
    Ok(no_content(stop_within(api, term, wish, grace).await?))
}

async fn restart(api: &Api, term: &str, call: &Call) -> Outcome {
    let (wish, grace) = stop_wish(call)?;
    if found(api, term)?.config.runs {
        stop_within(api, term, wish.clone(), grace).await?;
    }
    let inside = api.look_inside(term).await;
    let term = term.to_owned();
    let restart = move |tx: &mut Tx<'_>| {
        tx.inside = inside;
        container::restart(tx, &term, &wish)
    };
    api.write(restart).await?;
    Ok(no_content(Changed::Yes))
}

/// How long to wait matters where programs run, and must be a number everywhere.
fn stop_wish(call: &Call) -> Result<(StopWish, Option<i64>), Refusal> {
    let grace = call.query.parse_int("t").map_err(|why| Refusal::Worded(500, why))?;
    let signal = Some(call.query.text("signal")).filter(|_| call.version >= SIGNAL_AND_FRAMES);
    Ok((StopWish { signal: signal.unwrap_or_default().to_owned() }, grace))
}

#[cfg(kernel)]
use super::programs::stop as stop_within;

/// Nothing runs here that could take its time.
#[cfg(not(kernel))]
async fn stop_within(
    api: &Api,
    term: &str,
    wish: StopWish,
    _grace: Option<i64>,
) -> Result<Changed, Refusal> {
    let term = term.to_owned();
    let asked = api.write(move |tx| container::ask_to_stop(tx, &term, &wish)).await?;
    Ok(match asked {
        container::Asked::Done(changed) => changed,
        container::Asked::Waits(_) => Changed::Yes,
    })
}

async fn kill(api: &Api, term: &str, call: &Call) -> Outcome {
    let (term, signal) = (term.to_owned(), call.query.text("signal").to_owned());
    api.write(move |tx| container::kill(tx, &term, &signal)).await?;
    Ok(no_content(Changed::Yes))
}

async fn changed(
    api: &Api,
    term: &str,
    change: fn(&mut Tx<'_>, &str) -> Result<(), Refusal>,
) -> Outcome {
    let term = term.to_owned();
    api.write(move |tx| change(tx, &term)).await?;
    Ok(no_content(Changed::Yes))
}

async fn rename(api: &Api, term: &str, call: &Call) -> Outcome {
    let (term, name) = (term.to_owned(), call.query.text("name").to_owned());
    api.write(move |tx| container::rename(tx, &term, &name)).await?;
    Ok(no_content(Changed::Yes))
}

async fn remove(api: &Api, term: &str, call: &Call) -> Outcome {
    if call.query.bool("link") {
        let why = "Conflict, cannot remove the default link name of the container";
        return found(api, term).and(Err(Refusal::Worded(500, why.to_owned())));
    }
    let (term, wish) = (term.to_owned(), Remove { force: call.query.bool("force") });
    api.write(move |tx| container::remove(tx, &term, wish)).await?;
    Ok(no_content(Changed::Yes))
}

async fn update(api: &Api, term: &str) -> Outcome {
    let term = term.to_owned();
    api.write(move |tx| container::update(tx, &term)).await?;
    Ok(Answer::json(StatusCode::OK, &json!({ "Warnings": null })))
}

async fn resize(api: &Api, term: &str, call: &Call) -> Outcome {
    let size = |name: &str, what: &str| {
        let text = call.query.text(name);
        text.parse::<u32>().map_err(|_| {
            Refusal::Worded(400, format!("invalid resize {what} {text:?}: invalid syntax"))
        })
    };
    let (height, width) = (size("h", "height")?, size("w", "width")?);
    #[cfg(kernel)]
    if let Ok(container) = found(api, term)
        && let Some(processes) = super::programs::of(&api.engine, &container)
    {
        super::programs::resize(processes, &container.id, height, width);
    }
    let term = term.to_owned();
    api.write(move |tx| container::resize(tx, &term, height, width)).await?;
    Ok(Answer::empty(StatusCode::OK))
}

fn no_content(changed: Changed) -> Answer {
    Answer::empty(match changed {
        Changed::Yes => StatusCode::NO_CONTENT,
        Changed::No => StatusCode::NOT_MODIFIED,
    })
}

/// The head of the answer comes at once and the rest when the container has ended: a client begins to wait, and starts it
/// then.
fn wait(api: &Api, term: &str, call: &Call) -> Outcome {
    let watch = Watch::new(&api.engine);
    let condition = call.query.text("condition");
    let (end, at_once) = match condition {
        "" | "not-running" => (End::Exit, true),
        "next-exit" => (End::Exit, false),
        "removed" => (End::Removal, false),
        _ => {
            return Err(Refusal::Worded(
                400,
                format!("invalid condition: {}", super::go_json::text::quote(condition)),
            ));
        }
    };
    let container = found(api, term)?;
    let words = |code: i64| json!({ "StatusCode": code });
    if at_once && !container.is_running() {
        return Ok(Answer::json(StatusCode::OK, &words(container.exit_code)));
    }
    let body = async move {
        let code = watch.until(end, container.id, container.exit_code).await;
        Bytes::from(format!("{}\n", words(code)))
    };
    let mut answer = Answer::typed(StatusCode::OK, "application/json", Bytes::new());
    answer.body = AnswerBody::Stream(Box::pin(Later::new(body)));
    Ok(answer)
}

/// Where nothing runs, nothing was ever written. Whoever follows stays until the container ends.
fn logs(api: &Api, term: &str, call: &Call) -> Outcome {
    let watch = Watch::new(&api.engine);
    let container = found(api, term)?;
    if !call.query.bool("stdout") && !call.query.bool("stderr") {
        return Err(Refusal::Worded(
            400,
            "Bad parameters: you must choose at least one stream".to_owned(),
        ));
    }
    let mut answer = Answer::empty(StatusCode::OK);
    answer.headers.insert(CONTENT_TYPE, stream_type(&container, call.version));
    #[cfg(kernel)]
    if let Some(processes) = super::programs::of(&api.engine, &container) {
        answer.body = super::programs::logs(processes, &container, call)?;
        return Ok(answer);
    }
    if call.query.bool("follow") && container.is_running() {
        let body = async move {
            watch.until(End::Exit, container.id, container.exit_code).await;
            Bytes::new()
        };
        answer.body = AnswerBody::Stream(Box::pin(Later::new(body)));
    }
    Ok(answer)
}

fn stream_type(container: &Container, version: ApiVersion) -> HeaderValue {
    let has_terminal =
        container.config.config.get("Tty").and_then(Value::as_bool).unwrap_or_default();
    if has_terminal || version < SIGNAL_AND_FRAMES { RAW_STREAM } else { FRAMES }
}

/// Where nothing runs, nothing comes out, and what goes in is dropped, until the container ends.
async fn attach(api: &Api, term: &str, call: Call) -> Outcome {
    let watch = Watch::new(&api.engine);
    let owned = term.to_owned();
    let container = api.write(move |tx| container::attach(tx, &owned)).await?;
    let mut answer = Answer::empty(StatusCode::SWITCHING_PROTOCOLS);
    if call.headers.contains_key(UPGRADE) {
        answer.headers.insert(CONTENT_TYPE, stream_type(&container, call.version));
    }
    #[cfg(kernel)]
    if let Some(processes) = super::programs::of(&api.engine, &container) {
        answer.body = super::programs::attach(api, processes.clone(), &container, &call)?;
        return Ok(answer);
    }
    let stays = call.query.bool("stream") && container.status != Status::Exited;
    answer.body = AnswerBody::Hijack(Box::new(move |connection| {
        Box::pin(async move {
            if stays {
                hold(connection, watch, &container).await;
            }
        })
    }));
    Ok(answer)
}

/// Keeps a connection open until the container ends, or until the client goes.
async fn hold(mut connection: Box<dyn Duplex>, watch: Watch, container: &Container) {
    let ended = watch.until(End::Exit, container.id.clone(), container.exit_code);
    tokio::pin!(ended);
    let mut dropped = [0; 1024];
    loop {
        tokio::select! {
            _ = &mut ended => break,
            read = connection.read(&mut dropped) => match read {
                // The client says no more, and may still listen.
                Ok(0) => {
                    ended.await;
                    break;
                }
                Ok(_) => {}
                Err(_) => return,
            },
        }
    }
    // Who is gone needs no farewell.
    let _ = connection.shutdown().await;
}

#[cfg_attr(not(kernel), expect(unused_variables, reason = "nothing runs"))]
fn top(api: &Api, term: &str, call: &Call) -> Outcome {
    let container = found(api, term)?;
    if !container.is_running() {
        return Err(Refusal::NotRunning(container.id));
    }
    #[cfg(kernel)]
    if let Some(processes) = super::programs::of(&api.engine, &container) {
        let listed = super::programs::top(processes, &container.id, call.query.text("ps_args"))?;
        return Ok(Answer::json(StatusCode::OK, &listed));
    }
    without_processes(api, term, "run processes")
}

/// What cannot be said of a container in which nothing runs.
fn without_processes(api: &Api, term: &str, what: &str) -> Outcome {
    found(api, term)?;
    Err(Refusal::Worded(
        501,
        format!(
            "docknet does not {what}: it is an engine for networks, and its containers are there to be on them"
        ),
    ))
}
