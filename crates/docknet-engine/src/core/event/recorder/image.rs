//! What happens to images.

use std::collections::BTreeMap;

use docknet_types::EventKind;

use super::Recorder;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
}

impl Recorder {
    /// With a name, if it got one. Podman tells of the name only.
    pub(crate) fn image_import(&mut self, image: ImageRef<'_>, name: Option<&str>) {
        if let Some(name) = name {
            self.image_tag(image, name);
        }
        if !self.is_podman() {
            self.image(image, "import", image.id);
        }
    }

    pub(crate) fn image_load(&mut self, image: ImageRef<'_>) {
        let action = if self.is_podman() { "loadfromarchive" } else { "load" };
        self.image(image, action, image.id);
    }

    /// `name` is the new name, as the engine shows it: as short as it goes in Docker (`busybox:latest`), in full in Podman.
    pub(crate) fn image_tag(&mut self, image: ImageRef<'_>, name: &str) {
        self.image(image, "tag", name);
    }

    /// Docker does not say which name went. Podman says that the image is gone, even if it has another name.
    pub(crate) fn image_untag(&mut self, image: ImageRef<'_>, name: &str) {
        if self.is_podman() {
            self.image(image, "untag", name);
            self.image(image, "delete", name);
        } else {
            self.image(image, "untag", image.id);
        }
    }

    /// The image is gone, after its last name. By then its labels are gone too.
    pub(crate) fn image_delete(&mut self, image: ImageRef<'_>) {
        if !self.is_podman() {
            let image = ImageRef { labels: &BTreeMap::new(), ..image };
            self.image(image, "delete", image.id);
        }
    }

    /// `reference` (`busybox:latest`) stands for the id, `name` (`busybox`) is without the tag.
    pub(crate) fn image_pull(
        &mut self,
        reference: &str,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) {
        self.image(ImageRef { id: reference, labels }, "pull", name);
    }

    fn image(&mut self, image: ImageRef<'_>, action: &'static str, name: &str) {
        let mut all = BTreeMap::from([("name".to_owned(), name.to_owned())]);
        if self.is_podman() {
            all.insert("image".into(), String::new());
            all.insert("podId".into(), String::new());
            let id = image.id.strip_prefix("sha256:").unwrap_or(image.id);
            self.add(EventKind::Image, action, id, all);
        } else {
            let mut labels = image.labels.clone();
            labels.append(&mut all);
            self.add(EventKind::Image, action, image.id, labels);
        }
    }
}
