//! The words of a master file: comments, quotes, escapes and parentheses (RFC 1035 section 5.1).

use std::fmt;

/// Most octets of one word; what is longer is no part of any record.
const MAX_WORD: usize = 4 * 65_535;

/// Where something stands in a file; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column in it.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong at one place of a file, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What, in words.
    pub what: String,
}

impl Mistake {
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into() }
    }
}

/// A word as it stands in the file, escapes and all, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) quoted: bool,
    pub(super) place: Place,
}

/// An entry: what ends with a line outside of parentheses.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    pub(super) words: Vec<Word<'a>>,
    /// Whether it begins with white space, which stands for the owner before.
    pub(super) indented: bool,
}

/// Reads a file entry by entry.
pub(super) struct Lines<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, place: Place { line: 1, column: 1 } }
    }

    pub(super) const fn place(&self) -> Place {
        self.place
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        if next == '\n' {
            self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
        } else {
            self.place.column = self.place.column.saturating_add(1);
        }
        Some(next)
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.advance();
        }
    }

    /// The next entry that has words; `None` at the end. After a mistake the rest of its line is skipped.
    pub(super) fn next(&mut self) -> Option<Result<Line<'a>, Mistake>> {
        loop {
            self.peek()?;
            match self.entry() {
                Ok(line) if line.words.is_empty() => {}
                Ok(line) => return Some(Ok(line)),
                Err(mistake) => {
                    self.skip_line();
                    return Some(Err(mistake));
                }
            }
        }
    }

    fn entry(&mut self) -> Result<Line<'a>, Mistake> {
        let blank = |c: char| c == ' ' || c == '\t';
        let mut line = Line { indented: self.peek().is_some_and(blank), ..Line::default() };
        let mut open: Option<Place> = None;
        loop {
            let place = self.place;
            match self.peek() {
                None | Some('\n') if open.is_none() => {
                    self.advance();
                    return Ok(line);
                }
                None => {
                    let place = open.unwrap_or(place);
                    return Err(Mistake::new(
                        place,
                        "this parenthesis is not closed; write ) where the record ends",
                    ));
                }
                Some('\n' | '\r' | ' ' | '\t') => {
                    self.advance();
                }
                Some(';') => self.skip_line(),
                Some('(') => {
                    self.advance();
                    if open.replace(place).is_some() {
                        return Err(Mistake::new(
                            place,
                            "parentheses cannot stand in parentheses; take this one away",
                        ));
                    }
                }
                Some(')') => {
                    self.advance();
                    if open.take().is_none() {
                        let what = "nothing is open that this parenthesis could close; take it away or write \\)";
                        return Err(Mistake::new(place, what));
                    }
                }
                Some('"') => line.words.push(self.quoted()?),
                Some(_) => line.words.push(self.bare()?),
            }
        }
    }

    fn quoted(&mut self) -> Result<Word<'a>, Mistake> {
        let place = self.place;
        self.advance();
        let begin = self.rest;
        loop {
            let length = begin.len() - self.rest.len();
            match self.peek() {
                Some('"') => {
                    self.advance();
                    let text = begin.get(..length).unwrap_or_default();
                    return word(text, true, place);
                }
                None | Some('\n') => {
                    return Err(Mistake::new(
                        place,
                        "this quote is not closed in its line; write \" where the text ends",
                    ));
                }
                Some('\\') => self.escape(place)?,
                Some(_) => {
                    self.advance();
                }
            }
        }
    }

    fn bare(&mut self) -> Result<Word<'a>, Mistake> {
        let (place, begin) = (self.place, self.rest);
        loop {
            match self.peek() {
                None | Some(' ' | '\t' | '\r' | '\n' | ';' | '(' | ')' | '"') => {
                    return word(
                        begin.get(..begin.len() - self.rest.len()).unwrap_or_default(),
                        false,
                        place,
                    );
                }
                Some('\\') => self.escape(place)?,
                Some(_) => {
                    self.advance();
                }
            }
        }
    }

    /// A backslash and the character behind it; whether digits make an octet is looked at where it is used.
    fn escape(&mut self, place: Place) -> Result<(), Mistake> {
        self.advance();
        match self.peek() {
            None | Some('\n' | '\r') => Err(Mistake::new(
                place,
                "a backslash ends the line; write \\\\ for a backslash itself",
            )),
            Some(_) => {
                self.advance();
                Ok(())
            }
        }
    }
}

fn word(text: &str, quoted: bool, place: Place) -> Result<Word<'_>, Mistake> {
    if text.len() > MAX_WORD {
        return Err(Mistake::new(place, "this is longer than a record can be"));
    }
    Ok(Word { text, quoted, place })
}
