//! A stream in any pieces: the frames do not depend on where it was cut, they add up to the stream, and what the
//! framer holds stays bounded. The first octet says how the rest is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::framing::{Frame, Framer, PONG};
use ngn_sip::message::{Limits, Message};

const LIMITS: Limits = Limits { octets: 4096, fields: 64 };

fuzz_target!(|data: &[u8]| {
    let Some((seed, stream)) = data.split_first() else { return };
    let whole = read(stream, |_| usize::MAX);
    // Lengths that look random but follow from the input alone.
    let mut state = u32::from(*seed) | 0x100;
    let pieces = read(stream, |_| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) as usize % (1 + usize::from(*seed % 64)) + 1
    });
    assert_eq!(whole.0, pieces.0, "the frames depend on the cuts");
    assert_eq!(whole.1.is_some(), pieces.1.is_some(), "the end depends on the cuts");
    if whole.1.is_some() && stream.len() <= LIMITS.octets {
        // Where all fits, the same is wrong with it; beyond that, how much has arrived may decide.
        assert_eq!(whole.1, pieces.1);
    }
    let mut rest = stream;
    for frame in &whole.0 {
        let octets: &[u8] = match frame {
            Frame::Message(octets) => octets,
            Frame::Ping | Frame::Pong => PONG,
        };
        rest = rest.strip_prefix(octets).expect("the frames are the stream");
        if let Frame::Message(octets) = frame {
            assert!(octets.len() <= LIMITS.octets);
            if let Ok(message) = Message::parse(octets.clone(), &LIMITS) {
                // Nothing may hide behind what the parser took for the end.
                assert_eq!(message.to_bytes().len(), octets.len(), "the parser sees another end");
            }
        }
    }
});

fn read(stream: &[u8], mut length: impl FnMut(usize) -> usize) -> (Vec<Frame>, Option<String>) {
    let mut framer = Framer::new(LIMITS);
    let mut frames = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(length(rest.len()).min(rest.len()));
        rest = after;
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => {
                    assert!(framer.next_frame().is_ok_and(|frame| frame.is_none()));
                    assert!(!framer.is_inside_message());
                    assert_eq!(fault.response("t").and_then(|r| r.status()), fault.respond);
                    return (frames, Some(fault.reason.to_string()));
                }
            }
        }
    }
    (frames, None)
}
