//! The Debian mirror this machine uses, out of its apt sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// `$DOCKNET_DEBIAN_MIRROR`, else the first Debian archive among the machine's apt sources.
pub(super) fn mirror() -> Result<String> {
    if let Ok(mirror) = env::var("DOCKNET_DEBIAN_MIRROR") {
        return Ok(mirror);
    }
    for file in source_files(Path::new("/etc/apt")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let deb822 = file.extension().is_some_and(|extension| extension == "sources");
        let sources = if deb822 { deb822_sources(&text) } else { one_line_sources(&text) };
        if let Some(source) = sources.into_iter().find(Source::is_debian) {
            return Ok(source.uri);
        }
    }
    bail!("no Debian archive in /etc/apt: set DOCKNET_DEBIAN_MIRROR to the address of one");
}

#[derive(Debug, PartialEq, Eq)]
struct Source {
    uri: String,
    suite: String,
    components: Vec<String>,
}

impl Source {
    /// Whether this is a release itself: all suites are served from there. Security updates are
    /// elsewhere, and the archives of others have neither Debian's suites nor its path.
    fn is_debian(&self) -> bool {
        self.uri.trim_end_matches('/').ends_with("/debian")
            && !self.suite.contains("security")
            && self.components.iter().any(|component| component == "main")
    }
}

/// The files apt reads, in its order.
fn source_files(apt: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "list" || e == "sources"))
        .collect();
    files.sort();
    files.insert(0, apt.join("sources.list"));
    files
}

/// `deb [options] URI SUITE COMPONENT...`
fn one_line_sources(text: &str) -> Vec<Source> {
    let parse = |line: &str| {
        let line = line.split('#').next()?.trim();
        let rest = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t']))?;
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace().map(String::from);
        Some(Source { uri: words.next()?, suite: words.next()?, components: words.collect() })
    };
    text.lines().filter_map(parse).collect()
}

/// Stanzas of `Field: value`, parted by blank lines; a value goes on where a line is indented.
fn deb822_sources(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for stanza in text.split(|line| line.trim().is_empty()) {
        let field = |name: &str| -> Vec<String> {
            let mut words = Vec::new();
            let mut inside = false;
            for line in stanza {
                if line.starts_with([' ', '\t']) {
                    words.extend(line.split_whitespace().filter(|_| inside).map(String::from));
                } else if let Some((key, value)) = line.split_once(':') {
                    inside = key.eq_ignore_ascii_case(name);
                    words.extend(value.split_whitespace().filter(|_| inside).map(String::from));
                }
            }
            words
        };
        let disabled = field("Enabled").iter().any(|word| word.eq_ignore_ascii_case("no"));
        if disabled || !field("Types").iter().any(|kind| kind == "deb") {
            continue;
        }
        for uri in field("URIs") {
            for suite in field("Suites") {
                sources.push(Source { uri: uri.clone(), suite, components: field("Components") });
            }
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian(sources: Vec<Source>) -> Vec<String> {
        sources.into_iter().filter(Source::is_debian).map(|source| source.uri).collect()
    }

    #[test]
    fn one_line_sources_with_options_and_comments() {
        let text = "\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://cloud.example/apt cloud-bookworm main
deb http://security.example/debian-security bookworm-security main
deb\t[ trusted=yes ] http://mirror.example/debian/ bookworm main contrib # ours
deb http://broken.example/debian
";
        assert_eq!(debian(one_line_sources(text)), ["http://mirror.example/debian/"]);
    }

    #[test]
    fn deb822_sources_with_folded_fields() {
        let text = "\
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb-src
URIs: http://source.example/debian
Suites: trixie
Components: main

# a comment does not end a stanza
types: deb deb-src
URIs:
# nor does one within
 http://first.example/debian
 http://second.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 URIs: http://nonsense.example/debian

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main
";
        let mut found = debian(deb822_sources(text));
        found.dedup();
        assert_eq!(found, ["http://first.example/debian", "http://second.example/debian"]);
    }

    #[test]
    fn other_archives_are_not_taken() {
        let text = "deb https://apt.example/pub/repos/apt bookworm-pgdg main\n\
                    deb https://download.example/linux/debian bookworm stable\n";
        assert_eq!(debian(one_line_sources(text)), [""; 0]);
    }
}
