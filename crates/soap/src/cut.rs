//! Pieces of a message as they may stand in a fault or a log line.

/// At most `length` characters, on one line.
pub(crate) fn cut(text: &str, length: usize) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(length).map(one_line).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_broken_texts_are_cut_and_joined() {
        for (text, expected) in
            [("", ""), ("abc", "abc"), ("abcd", "abc…"), ("a\nb", "a b"), ("é\u{0}\u{85}€", "é  …")]
        {
            assert_eq!(cut(text, 3), expected);
        }
    }
}
