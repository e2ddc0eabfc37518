//! Names of images.

/// The name of an image, without what everybody leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// As people write it: `busybox`, `owner/name`, `host:5000/name`.
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    /// `sha256:…`
    pub(crate) digest: Option<String>,
}

/// Why a text is no name of an image, in Docker's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadReference(pub(crate) String);

impl Reference {
    pub(crate) fn parse(text: &str) -> Result<Self, BadReference> {
        let bad = |why: &str| BadReference(format!("invalid reference format{why}"));
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(bad("")),
            None => (text, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad(""));
        }
        let (domain, path) = domain(path);
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let shown = if domain.is_none() && !path.contains('/') { "library/" } else { "" };
            return Err(bad(&format!(": repository name ({shown}{path}) must be lowercase")));
        }
        if !path.split('/').all(is_component) {
            return Err(bad(""));
        }
        let name = match domain {
            Some(domain) => format!("{domain}/{path}"),
            None => path.strip_prefix("library/").unwrap_or(path).to_owned(),
        };
        Ok(Self { name, tag: tag.map(str::to_owned), digest })
    }

    /// As `name:tag`; the tag is `latest` where none is given.
    pub(crate) fn tagged(&self) -> String {
        format!("{}:{}", self.name, self.tag.as_deref().unwrap_or("latest"))
    }

    /// As Docker repeats it when there is no such image.
    pub(crate) fn asked(&self) -> String {
        match &self.digest {
            Some(digest) => format!("{}@{digest}", self.name),
            None => self.tagged(),
        }
    }
}

/// The registry, unless it is the usual one.
fn domain(path: &str) -> (Option<&str>, &str) {
    match path.split_once('/') {
        Some(("docker.io" | "index.docker.io", rest)) => (None, rest),
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, path),
    }
}

fn is_component(part: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let bytes = part.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (text, tagged) in [
            ("busybox", "busybox:latest"),
            ("busybox:1.36", "busybox:1.36"),
            ("docker.io/library/busybox", "busybox:latest"),
            ("library/busybox", "busybox:latest"),
            ("owner/name:v1", "owner/name:v1"),
            ("docker.io/owner/name", "owner/name:latest"),
            ("localhost:5000/name", "localhost:5000/name:latest"),
            ("ghcr.io/a/b:c", "ghcr.io/a/b:c"),
        ] {
            assert_eq!(
                Reference::parse(text).map(|name| name.tagged()),
                Ok(tagged.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_name_is_refused_in_dockers_words() {
        for (text, why) in [
            ("BAD", "invalid reference format: repository name (library/BAD) must be lowercase"),
            ("a b", "invalid reference format"),
            ("", "invalid reference format"),
            ("a:", "invalid reference format"),
            ("a@sha256:12", "invalid reference format"),
            ("a//b", "invalid reference format"),
        ] {
            assert_eq!(Reference::parse(text), Err(BadReference(why.to_owned())), "{text}");
        }
    }
}
