//! Rows of cells.

use std::io::{self, Write};

use super::columns;

/// Rows whose cells stand in columns, as the docker CLI prints them. Cells have no tabs and no line ends.
#[derive(Debug)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new<S: AsRef<str>>(header: impl IntoIterator<Item = S>) -> Self {
        let mut table = Self(String::new());
        table.row(header);
        table
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.0.push('\t');
            }
            self.0.push_str(cell.as_ref());
        }
        self.0.push('\n');
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(columns(&self.0).as_bytes())
    }
}
