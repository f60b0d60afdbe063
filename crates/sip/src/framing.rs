//! Messages out of a byte stream (RFC 3261 section 18.3, RFC 5626 section 3.5.1).
//!
//! Octets go in as they arrive, frames come out. A frame that is a message is cut by Content-Length, which a
//! stream requires; whether it is well-formed is for [`Message::parse`](crate::message::Message::parse) to
//! say, and one bad message does not end the connection. When the end of a message cannot be known, nothing
//! after it can be read either: the framer then fails for good and the connection has to be closed.
//!
//! Header lines are told apart exactly as the parser does it, so both always see the same end of the header
//! section and the same Content-Length.

use crate::header::{ContentLength, Header, HeaderError, HeaderName};
use crate::message::{Limits, Malformed, Reason, SectionReader};
use bytes::{Buf, Bytes, BytesMut};

/// What stood in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One message, header section and body.
    Message(Bytes),
    /// Two line ends: the peer wants a [`PONG`] (RFC 5626 section 3.5.1).
    Ping,
    /// One line end: the answer to a ping of ours, or nothing of meaning. The first half of a ping shows as
    /// this too.
    Pong,
}

/// What to send to keep a stream alive.
pub const PING: &[u8] = b"\r\n\r\n";

/// What to answer to a [`Frame::Ping`].
pub const PONG: &[u8] = b"\r\n";

/// Cuts a stream into frames.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    limits: Limits,
    /// What is known of the message at the start of the buffer.
    progress: Progress,
    /// A line end was the last thing that stood before this.
    after_line_end: bool,
}

/// How far the message at the start of the buffer has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Looking for the end of the header section.
    Head {
        /// Where the line begins that is looked at.
        line: usize,
        /// Up to where there is no LF in it.
        searched: usize,
    },
    /// Waiting for octets of the body.
    Body {
        /// Where the message ends.
        end: usize,
    },
    /// Nothing can be read any more.
    Failed,
}

const START: Progress = Progress::Head { line: 0, searched: 0 };

impl Framer {
    /// Begins at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { buffer: BytesMut::new(), limits, progress: START, after_line_end: false }
    }

    /// Takes octets that arrived. Call [`Framer::next_frame`] until it has no more before the next ones, then
    /// the framer never holds more than one message of the largest size and these octets.
    pub fn push(&mut self, octets: &[u8]) {
        if self.progress != Progress::Failed {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Whether the start of a message is there and its end is not: the peer owes octets.
    #[must_use]
    pub fn is_inside_message(&self) -> bool {
        self.progress != Progress::Failed && !self.buffer.is_empty()
    }

    /// The next frame; `None` when more octets are needed.
    ///
    /// After an error the connection must be closed, after sending the response that the error may hold.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Malformed> {
        if let Some(frame) = self.take_line_end() {
            return Ok(Some(frame));
        }
        loop {
            match self.progress {
                Progress::Failed => return Ok(None),
                Progress::Head { line, searched } => {
                    if let Some(head) = self.find_head(line, searched)? {
                        let end = self.message_end(head)?;
                        self.progress = Progress::Body { end };
                    } else {
                        return Ok(None);
                    }
                }
                Progress::Body { end } if self.buffer.len() >= end => {
                    self.progress = START;
                    self.after_line_end = false;
                    return Ok(Some(Frame::Message(self.buffer.split_to(end).freeze())));
                }
                Progress::Body { .. } => return Ok(None),
            }
        }
    }

    /// Takes a line end that stands between messages.
    fn take_line_end(&mut self) -> Option<Frame> {
        if !matches!(self.progress, Progress::Head { .. }) || !self.buffer.starts_with(PONG) {
            return None;
        }
        self.buffer.advance(PONG.len());
        self.progress = START;
        self.after_line_end = !self.after_line_end;
        Some(if self.after_line_end { Frame::Pong } else { Frame::Ping })
    }

    /// Looks for the end of the header section, from the line that begins at `line`.
    fn find_head(&mut self, line: usize, searched: usize) -> Result<Option<usize>, Malformed> {
        let reader = SectionReader::new(&self.buffer);
        // A line end that stands here has been taken off, so a CR with anything after it stands alone.
        let is_lone_cr = self.buffer.starts_with(b"\r") && self.buffer.len() > 1;
        let begins = |b: &u8| SectionReader::may_begin_message(*b);
        if is_lone_cr || !self.buffer.first().is_none_or(begins) {
            return Err(self.fail(Reason::NotSip));
        }
        let (mut line, mut searched) = (line, searched);
        let found = loop {
            if reader.is_empty_line(line) {
                break Some(line + 2);
            }
            match reader.line_end(line, searched) {
                Some(end) => (line, searched) = (end, end),
                None => break None,
            }
        };
        if found.unwrap_or(self.buffer.len()) > self.limits.octets {
            return Err(self.fail(Reason::TooLarge(self.limits.octets)));
        }
        if found.is_none() {
            // A CR at the end may be the first half of the empty line, so the last line is looked at again.
            self.progress = Progress::Head { line, searched: self.buffer.len().max(line) };
        }
        Ok(found)
    }

    /// Where the message ends whose header section ends at `head`.
    fn message_end(&mut self, head: usize) -> Result<usize, Malformed> {
        let reader = SectionReader::new(&self.buffer);
        let wrong = |reason| Reason::Header(HeaderError::new(HeaderName::ContentLength, reason));
        let length = match reader.content_lengths(head, self.limits.fields).as_slice() {
            [] => Err(wrong(HeaderError::MISSING)),
            [Some(text)] => ContentLength::parse(text).map(|l| l.0).map_err(Reason::Header),
            [None] => Err(wrong(HeaderError::NOT_UTF8)),
            _ => Err(wrong(HeaderError::REPEATED)),
        };
        let length = length.map_err(|reason| self.fail(reason))?;
        let end = head.checked_add(length).filter(|end| *end <= self.limits.octets);
        end.ok_or_else(|| self.fail(Reason::TooLarge(self.limits.octets)))
    }

    /// Gives up and says what may be answered.
    fn fail(&mut self, reason: Reason) -> Malformed {
        self.progress = Progress::Failed;
        let octets = std::mem::take(&mut self.buffer).freeze();
        crate::message::refuse(reason, octets, &self.limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    const HEAD: &str = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: sip:a;tag=1\r\n\
                        To: sip:b\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

    fn message(body: &str) -> String {
        format!("{HEAD}X-Fold: a\r\n \r\n\tb\r\nl:\r\n {}\r\n\r\n{body}", body.len())
    }

    /// Feeds a stream in pieces and returns what came out.
    fn frames(stream: &[u8], piece: usize) -> Result<Vec<Frame>, Malformed> {
        let mut framer = Framer::new(Limits { octets: 2000, fields: 50 });
        let mut frames = Vec::new();
        for octets in stream.chunks(piece.max(1)) {
            framer.push(octets);
            while let Some(frame) = framer.next_frame()? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn cuts_at_every_place_alike() {
        let (a, b) = (message(""), message("body\r\n\r\nwith line ends"));
        let stream = format!("{a}{b}\r\n\r\n{a}\r\n{b}");
        let frame = |text: &String| Frame::Message(text.clone().into());
        let expected =
            [frame(&a), frame(&b), Frame::Pong, Frame::Ping, frame(&a), Frame::Pong, frame(&b)];
        for piece in 1..stream.len() {
            assert_eq!(frames(stream.as_bytes(), piece).expect("frames"), expected, "{piece}");
        }
    }

    #[test]
    fn rfc5626_3_5_1_two_line_ends_are_a_ping() {
        use Frame::{Ping, Pong};
        for (stream, expected) in [
            ("\r\n", vec![Pong]),
            ("\r\n\r\n", vec![Pong, Ping]),
            ("\r\n\r\n\r\n\r\n", vec![Pong, Ping, Pong, Ping]),
        ] {
            assert_eq!(frames(stream.as_bytes(), 1).expect("frames"), expected);
        }
    }

    #[test]
    fn fails_for_good_where_the_end_cannot_be_known() {
        for (stream, respond) in [
            (format!("{HEAD}\r\n"), Some(400)),
            (format!("{HEAD}l: 0\r\nContent-Length: 0\r\n\r\n"), Some(400)),
            (format!("{HEAD}l: -1\r\n\r\n"), Some(400)),
            (format!("{HEAD}l: 1999\r\n\r\n"), Some(513)),
            (format!("{HEAD}l: 99999999999999999999999\r\n\r\n"), Some(513)),
            (format!("{HEAD}X: {}", "y".repeat(2000)), Some(513)),
            (format!("{HEAD}\r\n").replacen("OPTIONS", "ACK", 1), None),
            ("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h\r\n\r\n".into(), None),
            ("\u{16}\u{3}\u{1} a TLS hello".into(), None),
            ("\nOPTIONS".into(), None),
            // The parser would skip the CR and so see another end than the framer.
            (format!("\r{}", message("")), None),
        ] {
            let error = frames(stream.as_bytes(), 7).expect_err(&stream);
            assert_eq!(error.respond, respond, "{stream}: {error}");
            assert_eq!(error.response("t").and_then(|r| r.status()), respond);
        }
        let mut framer = Framer::new(Limits::default());
        framer.push(b"\nx");
        assert!(framer.next_frame().is_err());
        framer.push(message("").as_bytes());
        assert_eq!(framer.next_frame().expect("nothing"), None);
        assert!(!framer.is_inside_message());
    }

    #[test]
    fn a_bad_message_does_not_end_the_stream() {
        let bad = message("").replacen("To: sip:b\r\n", "To: \"\r\nno colon\r\nbare\nlf: 1\r\n", 1);
        let stream = format!("{bad}{}", message("x"));
        let frames = frames(stream.as_bytes(), 3).expect("frames");
        let read = |frame: &Frame| match frame {
            Frame::Message(octets) => Message::parse(octets.clone(), &Limits::default()),
            frame => panic!("{frame:?}"),
        };
        let [first, second] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!(read(first).expect_err("malformed").respond, Some(400));
        assert_eq!(read(second).expect("a message").body().as_ref(), b"x");
    }

    /// A bare LF before CRLF ends the header section for the parser; the framer must agree, or the next
    /// message would begin in the middle of this one.
    #[test]
    fn agrees_with_the_parser_about_the_end_of_the_header_section() {
        let odd = format!("{HEAD}l: 0\r\nX: a\n\r\n");
        let stream = format!("{odd}{}", message("x"));
        let frames = frames(stream.as_bytes(), 1).expect("frames");
        assert_eq!(frames, [Frame::Message(odd.into()), Frame::Message(message("x").into())]);
    }
}
