//! Output that several commands share.

mod columns;
mod fit;
mod list_format;
mod natural;
mod table;
mod visible;

use clap::ValueEnum;

pub(crate) use self::columns::columns;
pub(crate) use self::fit::fit;
pub(crate) use self::list_format::ListFormat;
pub(crate) use self::natural::natural;
pub(crate) use self::table::Table;
pub(crate) use self::visible::{visible, visible_json, visible_lines};

/// How a command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Data {
    Json,
    Text,
}

/// `1 network`, `2 networks`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
