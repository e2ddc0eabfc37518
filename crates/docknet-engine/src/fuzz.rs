//! Targets for fuzzing: each takes any bytes, does with them what a client or a damaged disk could, and panics where the
//! engine does not keep a promise. No part of the public API.
//!
//! `fuzz/` at the root of the workspace runs them; a test here replays what was found.

mod bodies;
mod endpoints;
mod filters;
mod invariants;
mod lab;
mod names;
mod records;
mod requests;
mod sequence;
#[cfg(feature = "disk")]
mod store;
mod subnets;

pub use self::bodies::bodies;
pub use self::endpoints::endpoints;
pub use self::filters::filters;
pub use self::names::names;
pub use self::records::records;
pub use self::requests::requests;
pub use self::sequence::sequence;
#[cfg(feature = "disk")]
pub use self::store::store;
pub use self::subnets::subnets;
use crate::Profile;

/// Whose engine it is: the first byte decides, and the rest is for the target.
fn profile(data: &[u8]) -> (Profile, &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    (PROFILES[usize::from(*first) % PROFILES.len()], rest)
}

/// `0` to `3` in a corpus.
const PROFILES: [Profile; 4] =
    [Profile::Docker20_10, Profile::Docker26, Profile::Docker28, Profile::Podman5];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::catch_unwind;
    use std::path::{Path, PathBuf};

    /// Gives a target every file of its corpus.
    fn replay(name: &str, target: fn(&[u8])) {
        let folder = root().join("corpus").join(name);
        let files =
            fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for file in files {
            let data = fs::read(&file).unwrap();
            assert!(catch_unwind(|| target(&data)).is_ok(), "{} fails", file.display());
        }
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
    }

    macro_rules! replayed {
        ($($target:ident)*) => {
            $(
                #[test]
                fn $target() {
                    replay(stringify!($target), super::$target);
                    let program = root().join("fuzz_targets").join(concat!(stringify!($target), ".rs"));
                    assert!(program.is_file(), "{} is missing", program.display());
                }
            )*
        };
    }

    replayed! { bodies endpoints filters names records requests sequence subnets }

    #[cfg(feature = "disk")]
    replayed! { store }
}
