//! Programs that outlive the engine: a process of their own holds them, waits for them, and keeps the ends of their pipes and
//! terminals open.
//!
//! The engine reads and writes at those ends itself, since it gets them with each program; so what the holder does is little, and
//! it need not be replaced when the engine is. While there is no engine a program goes on until its pipe is full, and waits then.

mod client;
mod holder;
mod wire;

use docknet_types::ContainerId;
use serde::{Deserialize, Serialize};

pub(crate) use self::client::{Holder, hold};
pub use self::holder::hold_programs;
use super::launch::{Launch, LaunchError};
use super::stdio::Ends;

/// What both must have in common. An engine of another version leaves what runs alone, and does not start.
const VERSION: u32 = 3;

/// Names one run of a container's program: the next one is another, under the same id.
type Run = u64;

/// What an engine sends.
#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// First of all: what is there?
    Hello { version: u32 },
    /// With the network namespace.
    Start { run: Run, id: ContainerId, launch: Box<Launch> },
    /// The program's input has ended.
    CloseInput { run: Run },
    /// Nobody asks for it any more. What still runs is killed.
    Forget { run: Run },
}

/// What the holder answers.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    /// It runs, or did when the engine said hello. With the process and our ends of its streams.
    Held {
        run: Run,
        id: ContainerId,
        pid: i32,
        ends: Ends,
    },
    NotStarted {
        run: Run,
        why: LaunchError,
    },
    Ended {
        run: Run,
        code: i64,
    },
    /// That is all there is.
    Welcome {
        version: u32,
    },
}
