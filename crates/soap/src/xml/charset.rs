//! Bytes to text: byte order mark, XML declaration, Content-Type, in that order (W13).

use std::borrow::Cow;

use super::XmlError;
use crate::cut::cut;

/// The encodings that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Latin1,
    Ascii,
}

impl Charset {
    fn from_label(label: &str) -> Result<Self, XmlError> {
        match label.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" => {
                Ok(Self::Latin1)
            }
            "us-ascii" | "ascii" => Ok(Self::Ascii),
            _ => Err(XmlError::Charset(cut(label, 40))),
        }
    }
}

/// Decodes a message. A declaration in the document wins over `content_type`, since proxies and frameworks
/// set the header without reading the document; a byte order mark wins over both (RFC 7303 §3.3).
pub(super) fn decode<'b>(
    body: &'b [u8],
    content_type: Option<&str>,
) -> Result<Cow<'b, str>, XmlError> {
    if let Some(rest) = body.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest, 3);
    }
    // UTF-16 and UTF-32, with or without a mark: the first two bytes show a zero or the mark.
    if let [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..] = body {
        return Err(XmlError::Charset("UTF-16".to_owned()));
    }
    let charset = match declared(body) {
        Some(label) => Charset::from_label(&label)?,
        None => match content_type {
            Some(label) => Charset::from_label(label.trim_matches(['"', '\'']))?,
            None => Charset::Utf8,
        },
    };
    match charset {
        Charset::Utf8 => utf8(body, 0),
        // ISO-8859-1 is the first 256 code points of Unicode.
        Charset::Latin1 => Ok(body.iter().map(|b| char::from(*b)).collect()),
        Charset::Ascii => match body.iter().position(|b| !b.is_ascii()) {
            Some(at) => Err(refused(body, at, 0, "US-ASCII")),
            None => utf8(body, 0),
        },
    }
}

fn utf8(body: &[u8], skipped: usize) -> Result<Cow<'_, str>, XmlError> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => Err(refused(body, error.valid_up_to(), skipped, "UTF-8")),
    }
}

fn refused(body: &[u8], at: usize, skipped: usize, charset: &'static str) -> XmlError {
    XmlError::Byte {
        byte: body.get(at).copied().unwrap_or_default(),
        offset: at + skipped,
        line: 1 + body.iter().take(at).filter(|b| **b == b'\n').count(),
        charset,
    }
}

/// The `encoding` of the XML declaration, which all encodings above write in ASCII.
fn declared(body: &[u8]) -> Option<String> {
    let start = body.iter().position(|b| !b.is_ascii_whitespace())?;
    let head: String = body.iter().skip(start).take(256).map(|b| char::from(*b)).collect();
    let declaration = head.strip_prefix("<?xml")?.split_once("?>")?.0;
    let (before, after) = declaration.split_once("encoding")?;
    if !before.ends_with([' ', '\t', '\r', '\n']) {
        return None;
    }
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value.get(1..)?.split_once(quote)?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], content_type: Option<&str>) -> String {
        decode(body, content_type).unwrap().into_owned()
    }

    #[test]
    fn w13_the_xml_declaration_is_honoured() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>";
        assert!(text(latin, None).contains("<a>é</a>"));
        assert!(text(latin, Some("utf-8")).contains("<a>é</a>"), "it wins over the header");
        let spaced = b"\r\n<?xml version=\"1.0\"\tencoding = \"latin1\" ?><a>\xFC</a>";
        assert!(text(spaced, None).contains('ü'));
    }

    #[test]
    fn w13_the_content_type_counts_without_a_declaration() {
        assert_eq!(text(b"<a>\xE9</a>", Some("\"ISO-8859-1\"")), "<a>é</a>");
        assert_eq!(text("<a>é</a>".as_bytes(), Some("UTF-8")), "<a>é</a>");
        assert_eq!(text("<a>é</a>".as_bytes(), None), "<a>é</a>");
    }

    #[test]
    fn a_byte_order_mark_wins() {
        let body = b"\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA9</a>";
        assert!(text(body, Some("us-ascii")).ends_with("<a>é</a>"));
    }

    #[test]
    fn bytes_outside_the_encoding_are_named() {
        let cases: [(&[u8], Option<&str>, &str); 4] = [
            (
                b"<a>\n\xE9</a>",
                None,
                "byte 0xE9 at offset 4 (line 2) is not UTF-8; \
                 name the character set in the XML declaration",
            ),
            (
                b"\xEF\xBB\xBF<a>\xFF",
                None,
                "byte 0xFF at offset 6 (line 1) is not UTF-8; \
                 name the character set in the XML declaration",
            ),
            (
                b"<a>\xE9</a>",
                Some("us-ascii"),
                "byte 0xE9 at offset 3 (line 1) is not US-ASCII; \
                 name the character set in the XML declaration",
            ),
            (
                b"<a>\xED\xA0\x80</a>",
                None,
                "byte 0xED at offset 3 (line 1) is not UTF-8; \
                 name the character set in the XML declaration",
            ),
        ];
        for (body, content_type, expected) in cases {
            assert_eq!(decode(body, content_type).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn other_encodings_are_refused_by_name() {
        for (body, content_type, name) in [
            (&b"<?xml version='1.0' encoding='windows-1252'?><a/>"[..], None, "windows-1252"),
            (b"<a/>", Some("koi8-r"), "koi8-r"),
            (b"\xFF\xFE<\0a\0", None, "UTF-16"),
            (b"\xFE\xFF\0<\0a", None, "UTF-16"),
            (b"<\0a\0", None, "UTF-16"),
            (b"\0<\0a", Some("utf-8"), "UTF-16"),
        ] {
            assert_eq!(decode(body, content_type), Err(XmlError::Charset(name.to_owned())));
        }
    }
}
