//! Why a text is not taken, and where.

use std::fmt;

/// A place in the text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Place {
    /// The place of a byte offset in a text; an offset past its end counts as its end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let mut place = Self { line: 1, column: 1 };
        for (_, c) in text.char_indices().take_while(|(at, _)| *at < offset) {
            if c == '\n' {
                place.line += 1;
                place.column = 1;
            } else {
                place.column += 1;
            }
        }
        place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More bytes than the limit.
    #[error("the message has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// What came.
        size: usize,
        /// What may come.
        limit: usize,
    },
    /// Nothing but white space.
    #[error("the message is empty; send a SOAP 1.1 envelope")]
    Empty,
    /// A character encoding that is not read here.
    #[error("character set `{0}` is not supported; send UTF-8, ISO-8859-1 or US-ASCII")]
    Charset(String),
    /// A byte that the character encoding does not have there.
    #[error(
        "byte 0x{byte:02X} at offset {offset} (line {line}) is not {charset}; \
         name the character set in the XML declaration"
    )]
    Byte {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: usize,
        /// The same as a line.
        line: usize,
        /// The encoding in force.
        charset: &'static str,
    },
    /// A character that XML 1.0 §2.2 forbids, literally or as a reference.
    #[error("{place}: character U+{code:04X} is not allowed in XML")]
    Character {
        /// The code point.
        code: u32,
        /// Where it stands.
        place: Place,
    },
    /// A document type declaration (SOAP 1.1 §3).
    #[error("{0}: a DOCTYPE is not allowed in a SOAP message; remove it")]
    Doctype(Place),
    /// A reference to an entity that XML does not define by itself.
    #[error("{place}: entity `&{name};` is not defined; only &lt; &gt; &amp; &quot; &apos; are")]
    Entity {
        /// The entity's name.
        name: String,
        /// Where it is used.
        place: Place,
    },
    /// A prefix without a declaration in scope.
    #[error("{place}: namespace prefix `{prefix}` is not declared")]
    Prefix {
        /// The prefix.
        prefix: String,
        /// Where it is used.
        place: Place,
    },
    /// A bound other than the size.
    #[error("{place}: {what}; the limit is {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
        /// Where it was passed.
        place: Place,
    },
    /// Any other breach of XML 1.0.
    #[error("{place}: {problem}")]
    Syntax {
        /// What is wrong.
        problem: String,
        /// Where.
        place: Place,
    },
}
