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
    /// With a name, if it got one.
    pub(crate) fn image_import(&mut self, image: ImageRef<'_>, name: Option<&str>) {
        if let Some(name) = name {
            self.image_tag(image, name);
        }
        self.image(image, "import", image.id);
    }

    pub(crate) fn image_load(&mut self, image: ImageRef<'_>) {
        let action = if self.is_podman() { "loadfromarchive" } else { "load" };
        self.image(image, action, image.id);
    }

    /// `name` is the new name, as short as it goes: `busybox:latest`.
    pub(crate) fn image_tag(&mut self, image: ImageRef<'_>, name: &str) {
        self.image(image, "tag", name);
    }

    /// Docker does not say which name went.
    pub(crate) fn image_untag(&mut self, image: ImageRef<'_>) {
        self.image(image, "untag", image.id);
    }

    /// By then the image's labels are gone.
    pub(crate) fn image_delete(&mut self, image: ImageRef<'_>) {
        let image = ImageRef { labels: &BTreeMap::new(), ..image };
        self.image(image, "delete", image.id);
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
        let mut all = BTreeMap::new();
        if self.is_podman() {
            all.insert("image".into(), String::new());
            all.insert("podId".into(), String::new());
        } else {
            all.extend(image.labels.clone());
        }
        all.insert("name".into(), name.into());
        self.add(EventKind::Image, action, image.id, all);
    }
}
