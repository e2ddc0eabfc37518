//! Images: `/images`.

mod archive;
mod take;
mod view;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};
#[cfg(kernel)]
use tokio::sync::MutexGuard;

use self::take::Sent;
pub(super) use self::view::architecture;
use self::view::{ImageSummary, ImageView};
use super::answer::Answer;
use super::route::{between, not_found};
use super::{Api, Call, Outcome, system};
use crate::core::image::{self, BadReference, Force, Image, Reference, Removal, Source, Taken};
use crate::core::refusal::Refusal;
use crate::core::state::State;

/// `GET /images/json`
pub(super) fn list(api: &Api, call: &Call) -> Outcome {
    let filters = call.filters(api.engine.profile)?;
    let state = api.engine.read();
    let wanted: Vec<String> = filters.values("reference").map(str::to_owned).collect();
    let dangling = match filters.values("dangling").next() {
        Some("true" | "1") => Some(true),
        Some(_) => Some(false),
        None => None,
    };
    let is_wanted = |tag: &String| {
        wanted.is_empty()
            || wanted.iter().any(|wanted| {
                wanted == tag || tag.rsplit_once(':').is_some_and(|(name, _)| name == wanted)
            })
    };
    let mut images: Vec<_> = state
        .images
        .iter()
        .filter(|image| dangling.is_none_or(|dangling| dangling == image.tags.is_empty()))
        .filter(|image| wanted.is_empty() || image.tags.iter().any(is_wanted))
        .collect();
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    let shown: Vec<_> =
        images.into_iter().map(|image| ImageSummary::of(image, users(&state, image))).collect();
    Ok(Answer::json(StatusCode::OK, &shown))
}

/// All images, as a list has them.
pub(super) fn summaries(state: &State) -> Vec<ImageSummary<'_>> {
    state.images.iter().map(|image| ImageSummary::of(image, users(state, image))).collect()
}

fn users(state: &State, image: &Image) -> usize {
    state.containers().filter(|container| container.config.image_id == image.id).count()
}

/// `POST /images/create`: an import of files, or what would be a pull if there were a registry.
pub(super) async fn create(api: &Api, call: Call) -> Outcome {
    let query = &call.query;
    let named = |name: &str, tag: &str| match (name, tag) {
        ("", _) => Ok(None),
        (name, "") => parse(name).map(Some),
        (name, tag) if tag.starts_with("sha256:") => parse(&format!("{name}@{tag}")).map(Some),
        (name, tag) => parse(&format!("{name}:{tag}")).map(Some),
    };
    match (query.text("fromImage"), query.text("fromSrc")) {
        ("", "") => Err(Refusal::Worded(400, "invalid reference format".to_owned())),
        ("", "-") => {
            let name = named(query.text("repo"), query.text("tag"))?;
            let mut settings = Map::new();
            for line in query.all("changes") {
                image::change(&mut settings, line).map_err(|why| Refusal::Worded(400, why))?;
            }
            let _turn = turn(api).await;
            let taken = take::import(api, call.body, settings).await;
            let taken = taken.map_err(|why| Refusal::Worded(500, why.to_string()))?;
            let id = register(api, Source::Import, name, taken).await?;
            Ok(progress(&[json!({ "status": id })]))
        }
        ("", _) => Err(Refusal::Worded(
            501,
            "docknet does not fetch files: send them with fromSrc=-".to_owned(),
        )),
        (image, _) => {
            let name = named(image, query.text("tag"))?;
            let Some(name) = name else { return Err(not_found()) };
            let (tag, shown) =
                (name.tag.clone().unwrap_or_else(|| "latest".to_owned()), name.tagged());
            register(api, Source::Pull, Some(name), Taken::default()).await?;
            Ok(progress(&[
                json!({ "status": format!("Pulling {shown}"), "id": tag }),
                json!({ "status": "docknet asks no registry: the name stands for an image with nothing in it" }),
                json!({ "status": format!("Status: Downloaded newer image for {shown}") }),
            ]))
        }
    }
}

/// `POST /images/load`
pub(super) async fn load(api: &Api, call: Call) -> Outcome {
    let _turn = turn(api).await;
    let sent = match take::load(api, call.body).await {
        Ok(sent) => sent,
        Err(why) => {
            let why = why.to_string();
            return Ok(progress(&[json!({ "errorDetail": { "message": why }, "error": why })]));
        }
    };
    let mut lines = Vec::new();
    for Sent { names, taken } in sent {
        let tags: Vec<String> = names.iter().map(Reference::tagged).collect();
        let id = api
            .write(move |tx| {
                let mut names = names.into_iter();
                let id = image::register(tx, Source::Load, names.next().as_ref(), taken);
                for name in names {
                    image::tag(tx, &id, &name.tagged())?;
                }
                Ok(id)
            })
            .await?;
        match tags.is_empty() {
            true => lines.push(json!({ "stream": format!("Loaded image ID: {id}\n") })),
            false => lines.extend(
                tags.iter().map(|tag| json!({ "stream": format!("Loaded image: {tag}\n") })),
            ),
        }
    }
    Ok(progress(&lines))
}

/// What is below `/images/`.
pub(super) async fn route(api: &Api, method: &str, path: &str, call: Call) -> Outcome {
    let id = |suffix| between(path, "/images/", suffix);
    match method {
        "GET" => {
            if let Some(term) = id("/json") {
                let state = api.engine.read();
                return Ok(Answer::json(StatusCode::OK, &ImageView::of(state.images.find(term)?)));
            }
            if let Some(term) = id("/history").or_else(|| id("/get")) {
                api.engine.read().images.find(term)?;
            }
            system::elsewhere(method, path)
        }
        "POST" if path == "/images/prune" => prune(api).await,
        "POST" => match id("/tag") {
            Some(term) => tag(api, term, &call).await,
            None => system::elsewhere(method, path),
        },
        "DELETE" => remove(api, id("").ok_or_else(not_found)?, &call).await,
        _ => Err(not_found()),
    }
}

async fn tag(api: &Api, term: &str, call: &Call) -> Outcome {
    let name = match (call.query.text("repo"), call.query.text("tag")) {
        (repo, "") => repo.to_owned(),
        (repo, tag) => format!("{repo}:{tag}"),
    };
    let term = term.to_owned();
    api.write(move |tx| image::tag(tx, &term, &name)).await?;
    Ok(Answer::empty(StatusCode::CREATED))
}

async fn remove(api: &Api, term: &str, call: &Call) -> Outcome {
    let force = if call.query.bool("force") { Force::Yes } else { Force::No };
    let term = term.to_owned();
    let _turn = turn(api).await;
    let removed = api.write(move |tx| image::remove(tx, &term, force)).await?;
    clear(api, &removed).await;
    Ok(Answer::json(StatusCode::OK, &removed))
}

async fn prune(api: &Api) -> Outcome {
    let _turn = turn(api).await;
    let (deleted, size) = api.write(|tx| Ok(image::prune(tx))).await?;
    clear(api, &deleted).await;
    let deleted = Some(deleted).filter(|deleted| !deleted.is_empty());
    Ok(Answer::json(StatusCode::OK, &json!({ "ImagesDeleted": deleted, "SpaceReclaimed": size })))
}

async fn register(
    api: &Api,
    source: Source,
    name: Option<Reference>,
    taken: Taken,
) -> Result<String, Refusal> {
    api.write(move |tx| Ok(image::register(tx, source, name.as_ref(), taken))).await
}

/// Where files of images are kept, they come and go one image after the other.
#[cfg(kernel)]
async fn turn(api: &Api) -> Option<MutexGuard<'_, ()>> {
    match &api.engine.images {
        Some(images) => Some(images.turn().await),
        None => None,
    }
}

#[cfg(not(kernel))]
async fn turn(_: &Api) {}

/// The files of images that are gone go, too.
#[cfg(kernel)]
async fn clear(api: &Api, removed: &[Removal]) {
    let Some(images) = api.engine.images.clone() else { return };
    let deleted = removed.iter().filter_map(|removal| match removal {
        Removal::Deleted(id) => Some(id.clone()),
        Removal::Untagged(_) => None,
    });
    let deleted: Vec<String> = deleted.collect();
    let cleared = move || deleted.iter().for_each(|id| images.remove(id));
    tokio::task::spawn_blocking(cleared).await.ok();
}

#[cfg(not(kernel))]
async fn clear(_: &Api, _: &[Removal]) {}

fn parse(name: &str) -> Result<Reference, Refusal> {
    Reference::parse(name).map_err(|BadReference(why)| Refusal::BadImageReference(why))
}

/// What a client shows while it waits: a value a line.
fn progress(lines: &[Value]) -> Answer {
    let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    Answer::typed(StatusCode::OK, "application/json", Bytes::from(text))
}
