//! Bindings as octets: numbers of fixed size, then texts behind their lengths. The address is kept elsewhere.

use ngn_model::{Aor, Binding};

/// The first octet of each binding; where there is a 0 instead, there are no more.
const PRESENT: u8 = 1;
/// In the same octet: there is a `received`.
const RECEIVED: u8 = 2;
/// In the same octet: there is an `instance`.
const INSTANCE: u8 = 4;
/// How many texts a binding has.
const TEXTS: usize = 8;

/// Appends a binding.
pub(super) fn write(out: &mut Vec<u8>, binding: &Binding) {
    let mark = |flag, text: &Option<String>| if text.is_some() { flag } else { 0 };
    out.push(PRESENT | mark(RECEIVED, &binding.received) | mark(INSTANCE, &binding.instance));
    out.extend(binding.expires_at.to_le_bytes());
    out.extend(binding.last_modified.to_le_bytes());
    out.extend(binding.cseq.to_le_bytes());
    out.extend(binding.reg_id.to_le_bytes());
    out.extend(binding.q.to_le_bytes());
    let texts: [&str; TEXTS] = [
        &binding.contact,
        binding.received.as_deref().unwrap_or_default(),
        &binding.path,
        &binding.call_id,
        &binding.user_agent,
        &binding.socket,
        binding.instance.as_deref().unwrap_or_default(),
        &binding.node,
    ];
    for text in texts {
        write_length(out, text.len());
        out.extend(text.as_bytes());
    }
}

/// Seven bits in each octet, the lowest first; the highest bit says that more follow.
fn write_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or(0));
}

/// Reads what [`write`] wrote.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// What comes before the texts.
struct Numbers {
    flags: u8,
    expires_at: i64,
    last_modified: i64,
    cseq: u32,
    reg_id: u32,
    q: u16,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// The next binding, which is one of this address.
    pub(super) fn binding(&mut self, aor: &Aor) -> Option<Binding> {
        let numbers = self.numbers()?;
        let given = |flag: u8, text: String| (numbers.flags & flag != 0).then_some(text);
        Some(Binding {
            aor: aor.clone(),
            contact: self.text()?,
            received: given(RECEIVED, self.text()?),
            path: self.text()?,
            expires_at: numbers.expires_at,
            q: numbers.q,
            call_id: self.text()?,
            cseq: numbers.cseq,
            user_agent: self.text()?,
            socket: self.text()?,
            instance: given(INSTANCE, self.text()?),
            reg_id: numbers.reg_id,
            node: self.text()?,
            last_modified: numbers.last_modified,
        })
    }

    /// When the next binding ends; it is passed over.
    pub(super) fn end(&mut self) -> Option<i64> {
        let numbers = self.numbers()?;
        for _ in 0..TEXTS {
            self.octets()?;
        }
        Some(numbers.expires_at)
    }

    fn numbers(&mut self) -> Option<Numbers> {
        let [flags] = self.take()?;
        (flags != 0).then_some(())?;
        Some(Numbers {
            flags,
            expires_at: i64::from_le_bytes(self.take()?),
            last_modified: i64::from_le_bytes(self.take()?),
            cseq: u32::from_le_bytes(self.take()?),
            reg_id: u32::from_le_bytes(self.take()?),
            q: u16::from_le_bytes(self.take()?),
        })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn octets(&mut self) -> Option<&'a [u8]> {
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let [octet] = self.take()?;
            length |= usize::from(octet & 0x7f).checked_shl(shift)?;
            if octet & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.octets()?).ok()?.to_owned())
    }
}
