//! LOC: where something is on earth (RFC 1876).

use super::fields::Fields;
use super::{RdataError, shown};

/// How LOC is written (RFC 1876 section 3).
pub(super) const FORM: &str = "degrees [minutes [seconds]] N|S degrees [minutes [seconds]] E|W altitude[m] [size[m] [horizontal[m] [vertical[m]]]]";

/// Latitude and longitude 0 in the data (RFC 1876 section 2).
const MERIDIAN: u32 = 1 << 31;
/// Thousandths of a second of arc in a degree.
const DEGREE: u32 = 3_600_000;
/// What altitudes are counted from, in centimetres below the reference spheroid.
const FLOOR: i64 = 10_000_000;

pub(super) fn write(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let latitude = angle(fields, "latitude", 90, ["N", "S"])?;
    let longitude = angle(fields, "longitude", 180, ["E", "W"])?;
    let text = fields.word("altitude")?;
    let altitude = metres(text)
        .and_then(|centimetres| u32::try_from(centimetres + FLOOR).ok())
        .ok_or_else(|| location("altitude", text, "metres from -100000.00 to 42849672.95"))?;
    // Defaults: 1 m, 10 km, 10 m (RFC 1876 section 3).
    let size = precision(fields.optional(), "size", 0x12)?;
    let horizontal = precision(fields.optional(), "horizontal precision", 0x16)?;
    let vertical = precision(fields.optional(), "vertical precision", 0x13)?;
    out.extend([0, size, horizontal, vertical]);
    for number in [latitude, longitude, altitude] {
        out.extend(number.to_be_bytes());
    }
    Ok(())
}

fn location(what: &'static str, text: &str, expected: &'static str) -> RdataError {
    RdataError::Location { what, text: shown(text), expected }
}

/// Degrees, minutes and seconds up to the letter of the hemisphere.
fn angle(
    fields: &mut Fields<'_>,
    what: &'static str,
    most: u32,
    letters: [&'static str; 2],
) -> Result<u32, RdataError> {
    let text = fields.word(what)?;
    let degrees = fixed(text, 0).and_then(|degrees| u32::try_from(degrees).ok());
    let degrees = degrees.filter(|degrees| *degrees <= most).ok_or_else(|| {
        let expected = if most == 90 { "degrees from 0 to 90" } else { "degrees from 0 to 180" };
        location(what, text, expected)
    })?;
    let mut thousandths = degrees * DEGREE;
    let mut parts =
        [(0, 59, 60_000, "minutes from 0 to 59"), (3, 59_999, 1, "seconds from 0 to 59.999")]
            .into_iter();
    let positive = loop {
        let text = fields.word(what)?;
        if letters.iter().any(|letter| letter.eq_ignore_ascii_case(text)) {
            break letters.first().is_some_and(|letter| letter.eq_ignore_ascii_case(text));
        }
        let expected = if most == 90 { "N or S" } else { "E or W" };
        let (decimals, limit, unit, range) =
            parts.next().ok_or_else(|| location(what, text, expected))?;
        let part = fixed(text, decimals).and_then(|part| u32::try_from(part).ok());
        let part = part.filter(|part| *part <= limit).ok_or_else(|| location(what, text, range))?;
        thousandths += part * unit;
    };
    if thousandths > most * DEGREE {
        return Err(location(what, text, "the whole angle is beyond the pole or the date line"));
    }
    Ok(if positive { MERIDIAN + thousandths } else { MERIDIAN - thousandths })
}

/// One octet, mantissa and power of ten, for a length in centimetres (RFC 1876 section 2). Smaller digits are cut.
fn precision(text: Option<&str>, what: &'static str, default: u8) -> Result<u8, RdataError> {
    let Some(text) = text else { return Ok(default) };
    let mut mantissa = metres(text)
        .filter(|centimetres| (0..=9_000_000_000).contains(centimetres))
        .ok_or_else(|| location(what, text, "metres from 0 to 90000000.00"))?;
    let mut exponent = 0;
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    Ok(u8::try_from(mantissa).map_or(0, |mantissa| mantissa << 4 | exponent))
}

/// Metres, with or without `m`, in centimetres.
fn metres(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['m', 'M']).unwrap_or(text);
    match text.strip_prefix('-') {
        Some(below) => fixed(below, 2).map(|centimetres| -centimetres),
        None => fixed(text.strip_prefix('+').unwrap_or(text), 2),
    }
}

/// A decimal number with at most so many decimals, as a whole number of the last of them.
fn fixed(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let fraction = match fraction {
        Some(digits) if digits.is_empty() || digits.len() > decimals => return None,
        Some(digits) => digits,
        None => "",
    };
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || whole.len() > 12 || !digits.clone().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zeros = std::iter::repeat_n(b'0', decimals - fraction.len());
    Some(digits.chain(zeros).fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}
