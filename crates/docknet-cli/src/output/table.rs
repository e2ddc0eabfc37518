//! Columns as the docker CLI has them.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Rows whose cells stand in columns: three spaces apart and at least ten wide, as the docker CLI prints them.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    const APART: usize = 3;
    const NARROWEST: usize = 10;

    pub(crate) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        let mut table = Self { rows: Vec::new() };
        table.row(header);
        table
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self
                .rows
                .iter()
                .filter(|row| column + 1 < row.len())
                .filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.width()).max().unwrap_or(0);
            (widest + Self::APART).max(Self::NARROWEST)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                out.write_all(cell.as_bytes())?;
                if at + 1 < row.len() {
                    write!(out, "{:1$}", "", width - cell.width())?;
                }
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
