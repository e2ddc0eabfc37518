//! Output that several commands share.

mod columns;
mod list_format;
mod natural;
mod table;
mod visible;

pub(crate) use self::columns::columns;
pub(crate) use self::list_format::ListFormat;
pub(crate) use self::natural::natural;
pub(crate) use self::table::Table;
pub(crate) use self::visible::{visible, visible_json};
