//! Text in columns.

/// Rows under a heading, each column as wide as its widest text; nothing is cut, the last column is not filled up.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|text| text.chars().count()).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    let heading: Vec<String> = heading.iter().map(|text| (*text).to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (text, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{text:<width$}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text of the network as a terminal may show it: no control characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A time span as people read it: `7s`, `3m07s`, `2h00m07s`.
pub(crate) fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest:02}s"),
        _ => format!("{hours}h{minutes:02}m{rest:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = |one: &str, two: &str| vec![one.to_owned(), two.to_owned()];
        let text = table(&["A", "B"], &[row("long", "x"), row("", "y")]);
        assert_eq!(text, "A     B\nlong  x\n      y\n");
    }

    #[test]
    fn spans() {
        let of = [(-5, "0s"), (7_999, "7s"), (187_000, "3m07s"), (7_207_000, "2h00m07s")];
        for (milliseconds, text) in of {
            assert_eq!(span(milliseconds), text);
        }
    }

    #[test]
    fn a_terminal_is_told_nothing_by_the_network() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n"), "a?[2Jb??");
    }
}
