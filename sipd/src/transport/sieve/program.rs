//! The program that the system runs for each datagram that comes to a socket (a classic BPF filter, as `bpf(4)` and Linux'
//! `socket(7)` describe it), made out of what is turned away. It has no loops, so that it is as long as what it looks for.
//!
//! It drops what it can prove to be a new request without credentials that is no emergency call, in the usual spelling, and lets
//! everything else through: whatever is spelled otherwise, folded, or longer than it sees. The proof is
//! * one of some methods, and a Request-URI that does not begin like an emergency number,
//! * a line `To: …>` with nothing behind, where a tag would be (RFC 3261 section 20.39),
//! * `uthorization` nowhere, so that nobody is dropped who has answered a challenge.

use std::collections::BTreeSet;

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    /// How many instructions are left out when a comparison is true,
    pub(super) yes: u8,
    /// and when it is not.
    pub(super) no: u8,
    pub(super) value: u32,
}

/// What is let through of those that would be dropped: those whose random number is below this one, of all of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Below(pub(super) u32);

/// What is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dropped<'n> {
    /// New calls: how many of them are let through.
    pub(super) calls: Option<Below>,
    /// Other new requests: how many of them are let through.
    pub(super) others: Option<Below>,
    /// Numbers that are emergency numbers.
    pub(super) emergency: &'n BTreeSet<String>,
}

/// The longest program that there can be, in instructions.
const LONGEST: usize = 4096;
/// With more emergency numbers calls are not dropped.
const MOST_NUMBERS: usize = 64;
/// Where a datagram begins: behind the header of UDP.
const BEGIN: u32 = 8;
/// How many methods other than INVITE are dropped.
const OTHER_METHODS: u8 = 5;
/// The methods other than INVITE that are dropped, by their first four octets.
const OTHERS: [&[u8; 4]; OTHER_METHODS as usize] = [b"REGI", b"OPTI", b"MESS", b"SUBS", b"PUBL"];
/// Where the field To begins at the latest: behind so many octets.
const TO_WITHIN: u32 = 510;
/// How long it is at most, in octets.
const TO_LONGEST: u32 = 110;
/// So many of its octets are looked at before it is asked again whether there are more.
const TO_STEP: u32 = 8;
/// The longest message that is dropped, in octets.
const MESSAGE_LONGEST: u32 = 1_472;
/// Fewer octets hold no credentials from their name's second letter on.
const CREDENTIALS_SHORTEST: u32 = 67;

const LOAD: u16 = 0x20;
const LOAD_AT_X: u16 = 0x40;
const LOAD_OCTET_AT_X: u16 = 0x50;
const LOAD_VALUE: u16 = 0x00;
const LOAD_LENGTH: u16 = 0x80;
const LOAD_X: u16 = 0x01;
const JUMP: u16 = 0x05;
const IS: u16 = 0x15;
const IS_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const ADD_X: u16 = 0x0c;
const SUBTRACT_X: u16 = 0x1c;
const AND: u16 = 0x54;
const SHIFT_RIGHT: u16 = 0x74;
const TO_X: u16 = 0x07;
/// Where a random number is read.
const RANDOM: u32 = (-0x1000_i32 + 56).cast_unsigned();

/// The program; `None` when nothing is dropped.
pub(super) fn program(dropped: &Dropped<'_>) -> Option<Vec<Instruction>> {
    let calls = dropped.calls.filter(|_| dropped.emergency.len() <= MOST_NUMBERS);
    if calls.is_none() && dropped.others.is_none() {
        return None;
    }
    let mut made = Assembly::default();
    made.let_through_unless_long(BEGIN + 2 * CREDENTIALS_SHORTEST);
    let mut wanted = Vec::new();
    if let Some(below) = calls {
        wanted.push(made.call(below, dropped.emergency));
    }
    if let Some(below) = dropped.others {
        wanted.push(made.other(below));
    }
    made.let_through();
    made.land(&wanted);
    made.find_to();
    made.find_credentials();
    (made.0.len() <= LONGEST).then_some(made.0)
}

/// Instructions as they are put together. What a step does not decide goes on behind it.
#[derive(Default)]
struct Assembly(Vec<Instruction>);

/// A jump whose aim is not known yet: its place.
struct Open(usize);

impl Assembly {
    fn put(&mut self, code: u16, value: u32) {
        self.compare(code, value, 0, 0);
    }

    fn compare(&mut self, code: u16, value: u32, yes: u8, no: u8) {
        self.0.push(Instruction { code, yes, no, value });
    }

    fn let_through(&mut self) {
        self.put(RETURN, u32::MAX);
    }

    fn drop(&mut self) {
        self.put(RETURN, 0);
    }

    fn jump(&mut self) -> Open {
        self.put(JUMP, 0);
        Open(self.0.len() - 1)
    }

    /// Makes jumps lead here.
    fn land(&mut self, jumps: &[Open]) {
        let here = self.0.len();
        for Open(from) in jumps {
            if let Some(jump) = self.0.get_mut(*from) {
                jump.value = u32::try_from(here - from - 1).unwrap_or_default();
            }
        }
    }

    /// Lets through what is shorter than so many octets, the header of UDP among them.
    fn let_through_unless_long(&mut self, octets: u32) {
        self.put(LOAD_LENGTH, 0);
        self.compare(IS_AT_LEAST, octets, 1, 0);
        self.let_through();
    }

    /// Lets through unless what is loaded is this.
    fn let_through_unless(&mut self, value: u32) {
        self.compare(IS, value, 1, 0);
        self.let_through();
    }

    /// Lets through when what is loaded is this.
    fn let_through_if(&mut self, value: u32) {
        self.compare(IS, value, 0, 1);
        self.let_through();
    }

    /// Leaves it to chance whether there is more to look at.
    fn let_some_through(&mut self, Below(below): Below) {
        self.put(LOAD, RANDOM);
        self.compare(IS_AT_LEAST, below, 1, 0);
        self.let_through();
    }

    /// Tells new calls, by their first line, from all else; the jump is for these.
    fn call(&mut self, below: Below, emergency: &BTreeSet<String>) -> Open {
        self.put(LOAD, BEGIN);
        self.compare(IS, word(b"INVI"), 1, 0);
        let other = self.jump();
        self.put(LOAD, BEGIN + 3);
        self.let_through_unless(word(b"ITE "));
        self.put(LOAD, BEGIN + 7);
        self.let_through_unless(word(b"sip:"));
        for number in emergency.iter().map(String::as_bytes).filter(|number| !number.is_empty()) {
            self.put(LOAD, BEGIN + 11);
            let length = number.len().min(4);
            let mut octets = [0; 4];
            octets.iter_mut().zip(number).for_each(|(to, from)| *to = *from);
            if length < 4 {
                self.put(AND, u32::MAX << (8 * (4 - length)));
            }
            self.let_through_if(word(&octets));
        }
        // A number may be hidden in escapes.
        for shift in [24, 16, 8, 0] {
            self.put(LOAD, BEGIN + 11);
            self.put(SHIFT_RIGHT, shift);
            self.put(AND, 0xff);
            self.let_through_if(u32::from(b'%'));
        }
        self.let_some_through(below);
        let found = self.jump();
        self.land(&[other]);
        found
    }

    /// Tells other new requests from all else; the jump is for these.
    fn other(&mut self, below: Below) -> Open {
        self.put(LOAD, BEGIN);
        for (number, method) in (1..).zip(OTHERS) {
            // Behind the methods left, and the jump that is for none of them.
            self.compare(IS, word(method), OTHER_METHODS - number + 1, 0);
        }
        let none = self.jump();
        self.let_some_through(below);
        let found = self.jump();
        self.land(&[none]);
        found
    }

    /// Looks for words of which each begins one octet behind the one before: whatever they stand for is seen as one of them at one
    /// of so many places, that far apart from each other. Leads behind the next instruction when there is one, and to it otherwise.
    fn seek(&mut self, begin: u32, places: u8, words: &[&[u8; 4]]) {
        let apart = u8::try_from(words.len()).unwrap_or_default();
        for place in 0..places {
            self.put(LOAD, begin + u32::from(apart * place));
            let behind = (places - 1 - place) * (apart + 1);
            for (number, seen) in (0..).zip(words) {
                self.compare(IS, word(seen), behind + apart - number, 0);
            }
        }
    }

    /// Lets through what has no field To of the usual form, or one with a tag.
    fn find_to(&mut self) {
        // Behind the shortest first line: `\r\nTo: ` is seen as one of three words at every third octet.
        const SEEN: [&[u8; 4]; 3] = [b"\r\nTo", b"\nTo:", b"To: "];
        const PLACES: u8 = 10;
        const BLOCK: u32 = 3 * PLACES as u32;
        let mut found = Vec::new();
        let mut begin = BEGIN + 12;
        while begin < BEGIN + TO_WITHIN {
            self.let_through_unless_long(begin + BLOCK + 4);
            self.seek(begin, PLACES, &SEEN);
            self.put(JUMP, 2);
            self.put(LOAD_X, begin - 1);
            found.push(self.jump());
            begin += BLOCK;
        }
        self.let_through();
        self.land(&found);
        // Where exactly it begins: within the block, which is there.
        let mut exact = Vec::new();
        for place in 0..BLOCK {
            self.put(LOAD_AT_X, place);
            self.compare(IS, word(b"\nTo:"), 0, 2);
            self.put(LOAD_VALUE, place);
            exact.push(self.jump());
        }
        self.let_through();
        self.land(&exact);
        self.put(ADD_X, 0);
        self.put(TO_X, 0);
        let mut closed = Vec::new();
        for place in 4..TO_LONGEST {
            if place % TO_STEP == 4 {
                self.put(LOAD_LENGTH, 0);
                self.put(SUBTRACT_X, 0);
                self.compare(IS_AT_LEAST, place + TO_STEP + 4, 1, 0);
                self.let_through();
            }
            self.put(LOAD_OCTET_AT_X, place);
            self.let_through_if(u32::from(b'\n'));
            self.compare(IS, u32::from(b'>'), 0, 2);
            self.put(LOAD_AT_X, place + 1);
            closed.push(self.jump());
        }
        self.let_through();
        // Nothing but the end of the line, which is not folded (section 7.3.1).
        self.land(&closed);
        self.put(SHIFT_RIGHT, 8);
        for folded in [b' ', b'\t'] {
            self.let_through_if(word(&[0, b'\r', b'\n', folded]));
        }
        self.put(SHIFT_RIGHT, 8);
        self.let_through_unless(word(b"\0\0\r\n"));
    }

    /// Lets through what may have credentials, and drops the rest.
    fn find_credentials(&mut self) {
        // `uthorizati` is seen as one of seven words at every seventh octet.
        const SEEN: [&[u8; 4]; 7] = [b"utho", b"thor", b"hori", b"oriz", b"riza", b"izat", b"zati"];
        const PLACES: u8 = 9;
        const BLOCK: u32 = 7 * PLACES as u32;
        let mut begin = BEGIN + 12;
        while begin < BEGIN + MESSAGE_LONGEST {
            self.put(LOAD_LENGTH, 0);
            self.compare(IS_AT_LEAST, begin + BLOCK + 4, 1, 0);
            self.drop();
            self.seek(begin, PLACES, &SEEN);
            self.put(JUMP, 1);
            self.let_through();
            begin += BLOCK;
        }
        self.let_through();
    }
}

const fn word(octets: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the program lets a datagram through, as the system runs it.
    fn lets_through(program: &[Instruction], octets: &[u8], random: u32) -> bool {
        let packet = [&[0; 8], octets].concat();
        let word = |place: usize, length: usize| {
            let octets = packet.get(place..place + length)?;
            Some(octets.iter().fold(0, |all: u32, octet| all << 8 | u32::from(*octet)))
        };
        let (mut a, mut x, mut at) = (0_u32, 0_u32, 0);
        loop {
            let Instruction { code, yes, no, value } = program[at];
            at += 1;
            let loaded = match code {
                LOAD if value == RANDOM => Some(random),
                LOAD => word(value as usize, 4),
                LOAD_AT_X => word((x + value) as usize, 4),
                LOAD_OCTET_AT_X => word((x + value) as usize, 1),
                LOAD_VALUE => Some(value),
                LOAD_LENGTH => Some(u32::try_from(packet.len()).expect("short")),
                ADD_X => Some(a.wrapping_add(x)),
                SUBTRACT_X => Some(a.wrapping_sub(x)),
                AND => Some(a & value),
                SHIFT_RIGHT => Some(a >> value),
                _ => {
                    match code {
                        LOAD_X => x = value,
                        TO_X => x = a,
                        JUMP => at += value as usize,
                        IS => at += usize::from(if a == value { yes } else { no }),
                        IS_AT_LEAST => at += usize::from(if a >= value { yes } else { no }),
                        RETURN => return value > 0,
                        _ => panic!("{code:#x} is no instruction"),
                    }
                    continue;
                }
            };
            // The system drops a datagram of which the program reads what is not there.
            a = loaded.expect("within the datagram");
        }
    }

    fn numbers() -> BTreeSet<String> {
        ["112", "7", "116117"].map(str::to_owned).into()
    }

    fn all(emergency: &BTreeSet<String>) -> Vec<Instruction> {
        let dropped = Dropped { calls: Some(Below(0)), others: Some(Below(0)), emergency };
        program(&dropped).expect("a program")
    }

    /// A request whose fields before To, of To and behind it are these.
    fn request(start: &str, before: &str, to: &str, behind: &str) -> Vec<u8> {
        format!(
            "{start} SIP/2.0\r\n{before}Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n\
             {to}From: Alice <sip:alice@example.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710@pc33\r\n\
             CSeq: 314159 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:alice@192.0.2.1>\r\n\
             Subject: xx\r\n{behind}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn new_requests_are_dropped() {
        let (program, to) = (all(&numbers()), "To: <sip:bob@example.com>\r\n");
        for (start, to) in [
            ("INVITE sip:bob@example.com", to),
            ("INVITE sip:8112@example.com", to),
            ("INVITE sip:11@example.com", to),
            ("INVITE sip:b@a", "To: \"Bob; <x\" <sip:bob@example.com;user=phone>\r\n"),
            ("REGISTER sip:example.com", to),
            ("OPTIONS sip:example.com", to),
            ("MESSAGE sip:112@example.com", to),
            ("SUBSCRIBE sip:bob@example.com", to),
            ("PUBLISH sip:bob@example.com", to),
        ] {
            // Wherever it stands, and however long the message is.
            for more in 0..200 {
                let before = format!("X: {}\r\n", "y".repeat(more));
                assert!(
                    !lets_through(&program, &request(start, &before, to, ""), 0),
                    "{start} {to} {more}"
                );
                let behind = format!("X: {}\r\n", "y".repeat(5 * more));
                assert!(
                    !lets_through(&program, &request(start, "", to, &behind), 0),
                    "{start} {to} {more}"
                );
            }
        }
    }

    #[test]
    fn to_may_stand_at_the_end() {
        let program = all(&numbers());
        let begin = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds\r\n\
                     From: <sip:alice@example.com>;tag=1928301774\r\nCall-ID: a84b4c76e66710@pc33\r\n\
                     CSeq: 314159 INVITE\r\nTo: <sip:bob@example.com>";
        let is_dropped = |end: &str| {
            let octets = format!("{begin}{end}").into_bytes();
            // Nothing is read that is not there.
            (0..octets.len()).for_each(|length| {
                lets_through(&program, &octets[..length], 0);
            });
            !lets_through(&program, &octets, 0)
        };
        for (end, tagged) in [
            ("\r\nMax-Forwards: 70\r\n\r\n", ";tag=x\r\nMax-Forwards: 70\r\n\r\n"),
            ("\r\nContent-Length: 0\r\n\r\n", "\r\n ;tag=x\r\n\r\n"),
        ] {
            assert!(is_dropped(end) && !is_dropped(tagged), "{end}");
        }
    }

    #[test]
    fn all_else_is_let_through() {
        let (program, to) = (all(&numbers()), "To: <sip:bob@example.com>\r\n");
        let call = "INVITE sip:bob@example.com";
        for (start, to) in [
            // Calls for help, and what may be one.
            ("INVITE sip:112@example.com", to),
            ("INVITE sip:112;phone-context=+1@example.com", to),
            ("INVITE sip:1%312@example.com", to),
            ("INVITE sip:%3112@example.com", to),
            ("INVITE sip:7@example.com", to),
            ("INVITE sip:116117@example.com", to),
            ("INVITE sips:112@example.com", to),
            ("INVITE tel:112", to),
            ("INVITE urn:service:sos", to),
            // Inside a dialog, and what may be.
            (call, "To: <sip:bob@example.com>;tag=x\r\n"),
            (call, "To: <sip:bob@example.com> ;tag=x\r\n"),
            (call, "To: <sip:bob@example.com>\r\n ;tag=x\r\n"),
            (call, "To: <sip:bob@example.com>\r\n\t;tag=x\r\n"),
            (call, "To: \"<>\" <sip:bob@example.com>;tag=x\r\n"),
            (call, "To: sip:bob@example.com;tag=x\r\n"),
            (call, "To: sip:bob@example.com\r\n"),
            (call, "TO: <sip:bob@example.com>\r\n"),
            (call, "t: <sip:bob@example.com>;tag=x\r\n"),
            (call, "Reply-To: <sip:bob@example.com>\r\nTo: <sip:bob@example.com>;tag=x\r\n"),
            ("INFO sip:bob@example.com", to),
            ("BYE sip:bob@example.com", to),
            ("ACK sip:bob@example.com", to),
            ("CANCEL sip:bob@example.com", to),
            ("REFER sip:bob@example.com", to),
            ("INVITES sip:bob@example.com", to),
            ("SIP/2.0 200", to),
        ] {
            for more in 0..100 {
                let before = format!("X: {}\r\n", "y".repeat(more));
                let request = request(start, &before, to, "");
                assert!(lets_through(&program, &request, 0), "{start} {to} {more}");
            }
        }
        for more in 0..100 {
            // Answers to challenges, wherever they stand.
            let filler = format!("X: {}\r\n", "y".repeat(more));
            for name in ["Authorization", "Proxy-Authorization", "authorization"] {
                let field = format!(
                    "{name}: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:d\", response=\"{:032}\"\r\n",
                    0
                );
                for request in [
                    request(call, &(filler.clone() + &field), to, ""),
                    request(call, "", to, &(filler.clone() + &field)),
                ] {
                    assert!(lets_through(&program, &request, 0), "{name} {more}");
                }
            }
            // Longer than is looked at.
            let long = request(call, "", to, &format!("X: {}\r\n", "y".repeat(1_500 + more)));
            assert!(lets_through(&program, &long, 0));
            let late = request(call, &format!("X: {}\r\n", "y".repeat(500 + more)), to, "");
            assert!(lets_through(&program, &late, 0));
            // Whatever is cut or empty; nothing is read that is not there.
            let whole = request(call, "", to, "");
            assert!(lets_through(&program, &whole[..more], 0));
        }
        let whole = request(call, "", to, "");
        (0..whole.len()).for_each(|length| {
            lets_through(&program, &whole[..length], 0);
        });
    }

    #[test]
    fn some_are_let_through() {
        let emergency = numbers();
        let call = request("INVITE sip:bob@a", "", "To: <sip:bob@a>\r\n", "");
        let other = request("REGISTER sip:a", "", "To: <sip:bob@a>\r\n", "");
        for (calls, others, random, of_calls, of_others) in [
            (Some(Below(8)), None, 7, true, true),
            (Some(Below(8)), None, 8, false, true),
            (None, Some(Below(8)), 8, true, false),
            (Some(Below(9)), Some(Below(8)), 8, true, false),
        ] {
            let program = program(&Dropped { calls, others, emergency: &emergency }).expect("one");
            assert_eq!(lets_through(&program, &call, random), of_calls);
            assert_eq!(lets_through(&program, &other, random), of_others);
        }
        assert_eq!(program(&Dropped { calls: None, others: None, emergency: &emergency }), None);
    }

    #[test]
    fn it_is_never_too_long() {
        let some = |most: usize| (0..most).map(|n| format!("{n:04}")).collect::<BTreeSet<_>>();
        assert!(all(&some(MOST_NUMBERS)).len() <= LONGEST);
        let (calls, emergency) = (Some(Below(0)), some(MOST_NUMBERS + 1));
        let only_calls = Dropped { calls, others: None, emergency: &emergency };
        assert_eq!(program(&only_calls), None, "calls are not dropped when there are so many");
        assert!(program(&Dropped { others: calls, ..only_calls }).is_some());
    }
}
