//! Output that several commands share.

mod table;

pub(crate) use self::table::Table;
