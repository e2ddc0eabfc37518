//! How many files this process may have open.

use std::io;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What programs in containers have: what this process had.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Lets this process have as many files open as it may at all. An engine on the kernel has some for each container that
/// runs, and a shell allows a thousand, which two hundred containers use up. Programs in containers have the limit that
/// there was before.
///
/// # Errors
/// If the system refuses.
pub fn raise_open_file_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    BEFORE.get_or_init(|| limit);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

/// The limit for programs, if it is not that of this process.
pub(crate) fn limit_before() -> Option<Rlimit> {
    BEFORE.get().copied()
}
