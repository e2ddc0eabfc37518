//! Texts of a width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text, or as much of it as fits, with a sign that there is more.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitting = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > width {
            break;
        }
        fitting.push(c);
    }
    if width > 0 {
        fitting.push('…');
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_where_it_shows() {
        assert_eq!(fit("backend", 7), "backend");
        assert_eq!(fit("backend", 6), "backe…");
        assert_eq!(fit("東京東京", 5), "東京…");
        assert_eq!(fit("x", 0), "");
    }
}
