//! What is wrong with a file of cases, and where.

use std::ops::Range;
use toml::Spanned;

/// Why a file of cases cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CasesError {
    /// It is not written as it must be.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// A value cannot be what it stands for.
    #[error("line {line}: `{value}` is {what}")]
    Value {
        /// What it is, or rather is not.
        what: &'static str,
        /// The value.
        value: String,
        /// Its line, from 1.
        line: usize,
        /// Its place in octets.
        span: Range<usize>,
    },
    /// A name is not among those that there are.
    #[error("line {line}: there is no {what} `{value}`")]
    Unknown {
        /// What should have the name.
        what: &'static str,
        /// The name.
        value: String,
        /// Its line, from 1.
        line: usize,
        /// Its place in octets.
        span: Range<usize>,
        /// The names that there are.
        known: Vec<String>,
    },
}

pub(super) type Read<T> = Result<T, CasesError>;

impl CasesError {
    /// Finds the line of what is wrong, which only the text can tell.
    pub(super) fn with_line_in(mut self, text: &str) -> Self {
        if let Self::Value { line, span, .. } | Self::Unknown { line, span, .. } = &mut self {
            *line = text.bytes().take(span.start).filter(|octet| *octet == b'\n').count() + 1;
        }
        self
    }
}

/// A value cannot be what it stands for.
pub(super) fn wrong<T, V: ToString>(what: &'static str, value: &Spanned<V>) -> Read<T> {
    let (span, value) = (value.span(), value.get_ref().to_string());
    Err(CasesError::Value { what, value, line: 0, span })
}

/// A name is not among those that there are.
pub(super) fn wrong_of<T>(
    what: &'static str,
    value: &Spanned<String>,
    known: impl IntoIterator<Item = String>,
) -> Read<T> {
    let (span, value) = (value.span(), value.get_ref().clone());
    Err(CasesError::Unknown { what, value, line: 0, span, known: known.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::super::Cases;
    use super::CasesError;

    const PLATFORM: &str = "[settings]\ndomains = [\"example.com\"]\n[[account]]\naor = \"alice@example.com\"\n\
                            [[carrier]]\nname = \"telco\"\ngateways = [{ name = \"gw1\", host = \"192.0.2.1\" }]\n";

    /// Line 8 begins after the platform.
    fn error(rest: &str) -> CasesError {
        Cases::read(&format!("{PLATFORM}{rest}")).expect_err("it cannot be read")
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let case =
            |rest: &str| format!("[[case]]\nname = \"x\"\ncall = \"1\"\nexpect = []\n{rest}");
        let from = "from = \"alice@example.com\"\n";
        for (rest, expected) in [
            (
                "[[account]]\naor = \"bob\"\n".to_owned(),
                "line 9: `bob` is no address; write user@domain",
            ),
            (
                "[[account]]\naor = \"b@x.example\"\nforward = { bussy = \"sip:x@y.example\" }\n"
                    .to_owned(),
                "line 10: there is no condition `bussy`",
            ),
            ("[[route]]\ncarrier = \"telko\"\n".to_owned(), "line 9: there is no carrier `telko`"),
            (
                case("from = \"alise@example.com\""),
                "line 12: there is no caller `alise@example.com`",
            ),
            (case("from = \"trunk 192.0.2.9\""), "line 12: there is no caller `trunk 192.0.2.9`"),
            (
                case("from = \"unproved bob@example.com\""),
                "line 12: there is no caller `unproved bob@example.com`",
            ),
            (case(&format!("{from}down = [\n\"gw2\"]")), "line 14: there is no gateway `gw2`"),
            (
                case(&format!("{from}now = \"noon\"")),
                "line 13: `noon` is no time; write it as 2026-01-05T12:00:00Z",
            ),
            (
                case(&format!("{from}balance = {{ \"alice@example.com\" = \"much\" }}")),
                "line 13: `much` is no amount of money; write it as 1.50",
            ),
        ] {
            assert_eq!(error(&rest).to_string(), expected, "{rest}");
        }
    }

    #[test]
    fn names_that_there_are_come_with_the_error() {
        let CasesError::Unknown { known, .. } = error("[[route]]\ncarrier = \"telko\"\n") else {
            panic!("another error")
        };
        assert_eq!(known, ["telco"]);
    }
}
