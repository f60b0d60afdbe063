//! The data of types that are a list of parts, such as CAA and SVCB.

use super::data::{Data, in_quotes, left_over, string, too_early};
use super::read::Reader;
use super::words::{Mistake, Place, Word};
use super::write::name_text;
use crate::rdata::{Part, RecordType, parts};

/// Puts words together as the database has them; what they say is looked at there.
pub(super) fn read(
    reader: &mut Reader,
    at: Place,
    kind: RecordType,
    words: &[Word<'_>],
) -> Result<Data, Mistake> {
    let parts = parts(kind);
    let last = parts.last().filter(|part| part.is_repeated());
    let needed = parts.len() - usize::from(matches!(last, Some(Part::Parameters)));
    if words.len() < needed {
        return Err(too_early(at, kind, words));
    }
    let mut written: Vec<String> = Vec::with_capacity(words.len());
    let mut rest = words.iter().enumerate().peekable();
    while let Some((index, word)) = rest.next() {
        let part = parts.get(index).or(last).ok_or_else(|| left_over(kind, word))?;
        written.push(match part {
            Part::Name(_) => name_text(&reader.name(word)?),
            Part::String(_) | Part::Strings(_) => string(word)?,
            Part::Text(_) | Part::Filled(_) => format!("\"{}\"", word.text),
            _ if word.quoted => return Err(in_quotes(kind, word)),
            Part::Parameters => {
                let value = rest.next_if(|(_, next)| next.quoted && follows(word, next));
                match (word.text.split_once('='), value) {
                    (Some((key, "")), Some((_, value))) => format!("{key}=\"{}\"", value.text),
                    (Some((key, value)), None) => format!("{key}=\"{value}\""),
                    (None, None) => word.text.to_owned(),
                    (_, Some((_, value))) => return Err(in_quotes(kind, value)),
                }
            }
            _ => word.text.to_owned(),
        });
    }
    Ok(Data { value: written.join(" "), priority: 0, minimum: None })
}

/// Whether a word stands right behind another one, which is bare.
fn follows(bare: &Word<'_>, next: &Word<'_>) -> bool {
    let width = u32::try_from(bare.text.chars().count()).unwrap_or(u32::MAX);
    let column = bare.place.column.saturating_add(width);
    next.place == Place { line: bare.place.line, column }
}
