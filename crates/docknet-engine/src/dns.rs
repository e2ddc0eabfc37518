//! The resolver that containers find at 127.0.0.11.
//!
//! `directory` knows who is where, `answer` decides, `server` carries bytes, `resolv` writes the files that libraries read.

mod answer;
mod directory;



pub(crate) use self::directory::{Directory, Forward, Member, View};
