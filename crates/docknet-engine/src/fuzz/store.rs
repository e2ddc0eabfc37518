//! Any bytes where the state should be.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::lab::Lab;
use crate::Profile;

/// The first byte is what is done: with an even one the rest is the file. With an odd one, the rest changes a file that is
/// right, five bytes at a time: where (three bytes), how (`0` to `2`: set, flip, cut off), and with what.
pub fn store(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let file = if first % 2 == 0 { rest.to_vec() } else { damaged(rest) };
    let folder = Folder::new("store");
    fs::create_dir_all(folder.path()).expect("a directory");
    fs::write(folder.path().join("state.redb"), file).expect("a file");
    match Lab::on_disk(Profile::Docker28, folder.path()) {
        Ok(lab) => {
            lab.check();
            lab.call("POST", "/networks/create", r#"{"Name":"new"}"#);
            lab.call("GET", "/networks", "");
            lab.check();
        }
        Err(why) => {
            let words = why.to_string();
            assert!(words.contains("state.redb"), "it does not name the file: {words}");
            assert!(why.store().is_some(), "it is not about the store: {words}");
        }
    }
}

fn damaged(changes: &[u8]) -> Vec<u8> {
    let mut file = valid().to_vec();
    for change in changes.chunks_exact(5) {
        let at =
            usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let at = at % file.len().max(1);
        match (change[3] % 3, file.get_mut(at)) {
            (0, Some(byte)) => *byte = change[4],
            (1, Some(byte)) => *byte ^= change[4],
            _ => file.truncate(at),
        }
    }
    file
}

/// The file of an engine with a network and a container on it.
fn valid() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = Folder::new("valid");
        let lab = Lab::on_disk(Profile::Docker28, folder.path()).expect("a new state");
        for (target, body) in [
            ("/networks/create", r#"{"Name":"net","IPAM":{"Config":[{"Subnet":"10.5.0.0/24"}]}}"#),
            (
                "/containers/create?name=run",
                r#"{"Image":"host","HostConfig":{"NetworkMode":"net"}}"#,
            ),
            ("/containers/run/start", ""),
        ] {
            assert!(lab.call("POST", target, body).status < 300, "{target}");
        }
        drop(lab);
        fs::read(folder.path().join("state.redb")).expect("a state")
    })
}

/// A place for a state, which is gone with it.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("docknet-fuzz-{}-{name}-{number}", std::process::id());
        Self(std::env::temp_dir().join(own))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
