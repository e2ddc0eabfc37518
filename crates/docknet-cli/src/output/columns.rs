//! Columns as Go's text/tabwriter makes them, with the settings of the docker CLI.

use unicode_width::UnicodeWidthStr;

/// Puts cells that end with a tab in columns, at least ten wide, three spaces apart. A column reaches over neighbouring
/// lines that have it.
pub(crate) fn columns(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut lines: Vec<Vec<&str>> = Vec::new();
    // A line that is not ended counts if something is in it.
    let ended = text.strip_suffix('\n');
    for line in ended.unwrap_or(text).split('\n') {
        lines.push(line.split(['\t', '\u{b}']).collect());
    }
    let mut writer = Writer { lines: &lines, widths: Vec::new(), out: &mut out };
    writer.block(0, lines.len());
    if ended.is_none() {
        out.pop();
    }
    out
}

struct Writer<'a> {
    lines: &'a [Vec<&'a str>],
    /// Of the columns to the left of this block.
    widths: Vec<usize>,
    out: &'a mut String,
}

impl Writer<'_> {
    /// Writes these lines; the columns from here on are still to be measured.
    fn block(&mut self, from: usize, to: usize) {
        const NARROWEST: usize = 10;
        const APART: usize = 3;
        let column = self.widths.len();
        // What ends a line is no cell of a column.
        let cell = |line: usize| {
            let line = self.lines.get(line)?;
            line.get(column).filter(|_| column + 1 < line.len())
        };
        let mut at = from;
        while at < to {
            let length = (at..to).take_while(|line| cell(*line).is_some()).count();
            if length == 0 {
                self.line(at);
                at += 1;
                continue;
            }
            let widest = (at..at + length).filter_map(cell).map(|cell| cell.width()).max();
            let width = (widest.unwrap_or(0) + APART).max(NARROWEST);
            let mut inner =
                Writer { lines: self.lines, widths: self.widths.clone(), out: self.out };
            inner.widths.push(width);
            inner.block(at, at + length);
            at += length;
        }
    }

    fn line(&mut self, at: usize) {
        let cells = self.lines.get(at).map_or(&[][..], Vec::as_slice);
        for (column, cell) in cells.iter().enumerate() {
            self.out.push_str(cell);
            if let Some(width) = self.widths.get(column) {
                let missing = width.saturating_sub(cell.width());
                self.out.extend(std::iter::repeat_n(' ', missing));
            }
        }
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_or_glued_together(text in "[ab\\t\\n]{0,30}") {
            let cells = |text: &str| {
                text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            let out = columns(&text);
            prop_assert_eq!(cells(&out), cells(&text));
            prop_assert_eq!(out.matches('\n').count(), text.matches('\n').count());
            prop_assert!(!out.contains('\t'));
        }
    }

    #[test]
    fn cells_stand_in_columns() {
        assert_eq!(
            columns("A\tB\nlonger than ten\tx\n"),
            "A                 B\nlonger than ten   x\n"
        );
        assert_eq!(columns("\u{6771}\u{4eac}\tx\nab\ty"), "\u{6771}\u{4eac}      x\nab        y");
    }

    #[test]
    fn a_column_ends_with_a_line_that_does_not_have_it() {
        let text = "a long beginning\tx\nalone\nb\ty\n";
        assert_eq!(columns(text), "a long beginning   x\nalone\nb         y\n");
    }

    #[test]
    fn text_without_tabs_stays_as_it_is() {
        for text in ["", "\n", "a\n\nb", "a\n"] {
            assert_eq!(columns(text), text);
        }
    }
}
