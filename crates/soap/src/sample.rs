//! Sample values of every type of the table, for round-trip tests.

use crate::codec::{Complex, Decoder, Value};
use crate::ports::Operation;
use crate::schema::Kind;
use crate::writer::Writer;
use crate::xml::Document;
use crate::{Auth, Limits, Request, Style, decode};

/// Bytes that decide what a sample looks like; proptest makes and shrinks them.
pub(crate) struct Source<'b> {
    bytes: &'b [u8],
    /// Lists and booleans are always given, as in replies (R3, R13).
    full: bool,
}

impl<'b> Source<'b> {
    pub(crate) fn new(bytes: &'b [u8], full: bool) -> Self {
        Self { bytes, full }
    }

    fn byte(&mut self) -> u8 {
        match self.bytes {
            [first, rest @ ..] => {
                self.bytes = rest;
                *first
            }
            [] => 0,
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }
}

pub(crate) trait Sample: Sized {
    /// Whether a reply may leave it without a value.
    const NULLABLE: bool = true;
    fn sample(source: &mut Source<'_>) -> Self;
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Source<'_>) -> Self {
        let given = !source.byte().is_multiple_of(3) || (source.full && !T::NULLABLE);
        given.then(|| T::sample(source))
    }
}

impl<T: Sample> Sample for Vec<T> {
    const NULLABLE: bool = false;
    fn sample(source: &mut Source<'_>) -> Self {
        let len = source.byte() % 3;
        (0..len).map(|_| T::sample(source)).collect()
    }
}

impl Sample for Vec<u8> {
    fn sample(source: &mut Source<'_>) -> Self {
        let len = source.byte() % 40;
        (0..len).map(|_| source.byte()).collect()
    }
}

impl Sample for String {
    fn sample(source: &mut Source<'_>) -> Self {
        const PIECES: &[&str] = &[
            "a",
            "Zz",
            "0",
            " ",
            "\t",
            "\n",
            "\r",
            "\r\n",
            "<",
            ">",
            "&",
            "&amp;",
            "]]>",
            "\"",
            "'",
            "é",
            "€",
            "\u{10348}",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "<voice-mailbox>",
            "%",
            "null",
        ];
        let len = source.byte() % 6;
        (0..len).map(|_| source.pick(PIECES)).collect()
    }
}

impl Sample for bool {
    const NULLABLE: bool = false;
    fn sample(source: &mut Source<'_>) -> Self {
        source.byte() % 2 == 1
    }
}

impl Sample for i32 {
    fn sample(source: &mut Source<'_>) -> Self {
        let any = Self::from_le_bytes(source.bytes());
        source.pick(&[any, any % 100, Self::MIN, Self::MAX])
    }
}

impl Sample for i64 {
    fn sample(source: &mut Source<'_>) -> Self {
        let any = Self::from_le_bytes(source.bytes());
        source.pick(&[any, any % 100, Self::MIN, Self::MAX, Self::from(i32::MAX) + 1])
    }
}

impl Sample for u32 {
    fn sample(source: &mut Source<'_>) -> Self {
        let any = Self::from_le_bytes(source.bytes());
        source.pick(&[any, any % 100, 0, Self::MAX])
    }
}

impl Sample for u16 {
    fn sample(source: &mut Source<'_>) -> Self {
        Self::from_le_bytes(source.bytes())
    }
}

impl Sample for f64 {
    fn sample(source: &mut Source<'_>) -> Self {
        let any = Self::from_le_bytes(source.bytes());
        // What is no number cannot be written, and `clamp` lets it through.
        let any = if any.is_nan() { 0.0 } else { any };
        source.pick(&[any, 12.5, -0.0, 1e300, 1e-300, 0.1]).clamp(-1e301, 1e301)
    }
}

/// Encode and decode one type, and compare.
pub(crate) struct RoundTrip {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8], Style, bool) -> Result<(), String>,
}

impl RoundTrip {
    pub(crate) const fn of<T>(name: &'static str) -> Self
    where
        T: Complex + Value + Sample + PartialEq + std::fmt::Debug + Named,
    {
        Self { name, run: round_trip::<T> }
    }
}

/// A type of the table, by itself.
pub(crate) trait Named {
    const KIND: Kind;
}

fn round_trip<T>(bytes: &[u8], style: Style, full: bool) -> Result<(), String>
where
    T: Value + Sample + PartialEq + std::fmt::Debug + Named,
{
    let sample = T::sample(&mut Source::new(bytes, full));
    let mut out = Writer::new(style, !full);
    out.open(
        "x",
        &[
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
            ("xmlns:SOAP-ENC", "http://schemas.xmlsoap.org/soap/encoding/"),
            ("xmlns:ngnpro", "urn:AGProjects:NGNPro"),
        ],
    );
    sample.encode("value", &T::KIND, &mut out);
    out.close("x");
    let text = out.into_bytes();
    let shown = || String::from_utf8_lossy(&text).into_owned();
    let limits = Limits::default();
    let document =
        Document::parse(&text, None, &limits).map_err(|e| format!("{e}: {}", shown()))?;
    let element = document.root().and_then(|root| root.children().next()).ok_or("no element")?;
    let decoded = Decoder::new(&document, style, &limits)
        .value::<T>(element, "value", &T::KIND)
        .map_err(|e| format!("{e}: {}", shown()))?;
    if decoded.as_ref() == Some(&sample) {
        Ok(())
    } else {
        Err(format!("{sample:?}\n{decoded:?}\n{}", shown()))
    }
}

/// Encode and decode the call of one operation, and compare.
pub(crate) struct CallRoundTrip {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8], Style) -> Result<(), String>,
}

impl CallRoundTrip {
    pub(crate) const fn of<O>() -> Self
    where
        O: Operation + Sample + PartialEq + Clone,
        Request: From<O>,
    {
        Self { name: O::NAME, run: call_round_trip::<O> }
    }
}

fn call_round_trip<O>(bytes: &[u8], style: Style) -> Result<(), String>
where
    O: Operation + Sample + PartialEq + Clone,
    Request: From<O>,
{
    let mut source = Source::new(bytes, false);
    let sample = O::sample(&mut source);
    let auth = Option::<Auth>::sample(&mut source);
    let expected = Request::from(sample.clone());
    let text = expected.encode(auth.as_ref(), style);
    let shown = || String::from_utf8_lossy(&text).into_owned();
    let call = decode(&text, None, &Limits::default())
        .map_err(|rejected| format!("{}: {}", rejected.fault, shown()))?;
    if call.auth == auth && call.request == expected && call.style == style {
        Ok(())
    } else {
        Err(format!("{expected:?}\n{call:?}\n{}", shown()))
    }
}
