//! An image as inspections and lists show it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::containers::DRIVER;
use crate::core::image::Image;

/// The fields of Docker's `image.InspectResponse` that say something here.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImageView<'a> {
    id: &'a str,
    repo_tags: &'a [String],
    repo_digests: [(); 0],
    parent: &'static str,
    comment: &'a str,
    created: jiff::Timestamp,
    docker_version: &'static str,
    author: &'static str,
    architecture: &'a str,
    os: &'static str,
    size: u64,
    graph_driver: Value,
    #[serde(rename = "RootFS")]
    root_fs: Value,
    metadata: Value,
    config: Value,
}

/// The fields of Docker's `image.Summary`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::api) struct ImageSummary<'a> {
    containers: usize,
    created: i64,
    id: &'a str,
    labels: Option<&'a Value>,
    parent_id: &'static str,
    repo_digests: [(); 0],
    repo_tags: &'a [String],
    shared_size: i64,
    size: u64,
}

impl<'a> ImageView<'a> {
    pub(super) fn of(image: &'a Image) -> Self {
        Self {
            id: &image.id,
            repo_tags: &image.tags,
            repo_digests: [],
            parent: "",
            comment: &image.comment,
            created: image.created,
            docker_version: "",
            author: "",
            architecture: match image.architecture.as_str() {
                "" => architecture(),
                known => known,
            },
            os: "linux",
            size: image.size,
            graph_driver: json!({ "Data": null, "Name": DRIVER }),
            root_fs: match image.layers.is_empty() {
                true => json!({ "Type": "layers" }),
                false => json!({ "Type": "layers", "Layers": image.layers }),
            },
            metadata: json!({ "LastTagTime": image.created }),
            config: settings(image),
        }
    }
}

impl<'a> ImageSummary<'a> {
    pub(super) fn of(image: &'a Image, containers: usize) -> Self {
        Self {
            containers,
            created: image.created.as_second(),
            id: &image.id,
            labels: image.settings.get("Labels"),
            parent_id: "",
            repo_digests: [],
            repo_tags: &image.tags,
            shared_size: -1,
            size: image.size,
        }
    }
}

/// What its containers are made with, with what nobody said of it.
fn settings(image: &Image) -> Value {
    let nobodys = json!({
        "Cmd": if image.has_files { Value::Null } else { json!(["sh"]) },
        "Entrypoint": null, "Env": null, "Labels": null, "OnBuild": null, "User": "", "Volumes": null, "WorkingDir": "",
    });
    let Value::Object(mut all) = nobodys else { return nobodys };
    all.extend(image.settings.clone());
    Value::Object(all)
}

/// This machine's, as Go calls it.
pub(in crate::api) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
