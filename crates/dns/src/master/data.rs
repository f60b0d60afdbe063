//! The data of records in master files, as the API takes values: names fully qualified, the priority apart.

use super::parts;
use super::read::{Reader, shown, time};
use super::words::{Mistake, Place, Word};
use super::write::name_text;
use crate::rdata::{self, RecordType};
use crate::txt;

/// What the data of a record is.
pub(super) struct Data {
    pub(super) value: String,
    pub(super) priority: u16,
    /// The last number of an SOA.
    pub(super) minimum: Option<u32>,
}

/// What a word of data is.
#[derive(Clone, Copy)]
enum Part {
    Name,
    Number,
    /// The number that stands apart from the value.
    Priority,
    Time,
    Text,
    Word,
}

/// Reads data; `at` is where its record begins.
pub(super) fn read(
    reader: &mut Reader,
    at: Place,
    kind: RecordType,
    words: &[Word<'_>],
) -> Result<Data, Mistake> {
    use Part::{Name, Number, Priority, Text, Time};
    let generic = words.first().is_some_and(|word| word.text == "\\#" && !word.quoted);
    let mut data = if generic {
        from_octets(reader, at, kind, words)?
    } else if !rdata::parts(kind).is_empty() {
        parts::read(reader, at, kind, words)?
    } else {
        let parts: &[Part] = match kind {
            RecordType::NS | RecordType::CNAME | RecordType::PTR | RecordType::DNAME => &[Name],
            RecordType::MX => &[Priority, Name],
            RecordType::SRV => &[Priority, Number, Number, Name],
            RecordType::NAPTR => &[Number, Number, Text, Text, Text, Name],
            RecordType::SOA => &[Name, Name, Number, Time, Time, Time, Time],
            RecordType::TXT => &[],
            _ => &[Part::Word],
        };
        in_words(reader, at, kind, parts, words)?
    };
    // The reader of the database has the last word; its error names what stands in the file.
    let stored = content(kind, &data.value);
    let encoded = rdata::encode(&kind.to_string(), &stored, data.priority);
    let (_, octets) = encoded.map_err(|error| {
        let what = error.to_string();
        // Of a parameter, its key.
        let key =
            |text: &str| text.split_once('=').map_or(String::new(), |(key, _)| format!("`{key}`"));
        let quoted = |word: &&Word<'_>| {
            let key = key(word.text);
            what.contains(&format!("`{}`", word.text)) || !key.is_empty() && what.contains(&key)
        };
        let place = words.iter().find(quoted).or(words.first()).map_or(at, |word| word.place);
        Mistake::new(place, what)
    })?;
    if !rdata::parts(kind).is_empty()
        && let Some(text) = rdata::text(kind, &octets, "")
    {
        data.value = text;
    }
    Ok(data)
}

fn in_words(
    reader: &mut Reader,
    at: Place,
    kind: RecordType,
    parts: &[Part],
    words: &[Word<'_>],
) -> Result<Data, Mistake> {
    let mut data = Data { value: String::new(), priority: 0, minimum: None };
    let mut written: Vec<String> = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        // TXT is any number of texts; types of plain words have as many as they have.
        let part = match (parts, parts.get(index)) {
            ([], _) => Part::Text,
            ([Part::Word], _) => Part::Word,
            (_, Some(part)) => *part,
            (_, None) => {
                return Err(left_over(kind, word));
            }
        };
        written.push(match part {
            Part::Name => name_text(&reader.name(word)?),
            Part::Text => string(word)?,
            Part::Priority => {
                data.priority = number(word, kind)?;
                continue;
            }
            Part::Number if kind == RecordType::SOA => word.text.to_owned(),
            Part::Number => {
                let number = number(word, kind)?;
                if kind == RecordType::NAPTR && index == 1 {
                    data.priority = number;
                }
                number.to_string()
            }
            Part::Time => {
                let seconds = time(word)?;
                data.minimum = (index == 6).then_some(seconds);
                seconds.to_string()
            }
            Part::Word if word.quoted => return Err(in_quotes(kind, word)),
            Part::Word => word.text.to_owned(),
        });
    }
    if words.len() < parts.len().max(1) {
        return Err(too_early(at, kind, words));
    }
    data.value = written.join(" ");
    Ok(data)
}

pub(super) fn too_early(at: Place, kind: RecordType, words: &[Word<'_>]) -> Mistake {
    let place = words.last().map_or(at, |word| word.place);
    let form = rdata::form(kind).unwrap_or("\\# length hexadecimal");
    Mistake::new(place, format!("the data of {kind} ends too early; it is written: {form}"))
}

pub(super) fn left_over(kind: RecordType, word: &Word<'_>) -> Mistake {
    let what = format!("`{}` is left over behind the data of {kind}", shown(word.text));
    Mistake::new(word.place, what)
}

pub(super) fn in_quotes(kind: RecordType, word: &Word<'_>) -> Mistake {
    let form = rdata::form(kind).unwrap_or_default();
    let what = format!("\"{}\" stands in quotes; {kind} is written: {form}", shown(word.text));
    Mistake::new(word.place, what)
}

fn number(word: &Word<'_>, kind: RecordType) -> Result<u16, Mistake> {
    let digits = !word.quoted && word.text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| word.text.parse().ok()).flatten();
    number.ok_or_else(|| {
        let form = rdata::form(kind).unwrap_or_default();
        let what = format!(
            "`{}` is no whole number from 0 to 65535; {kind} is written: {form}",
            shown(word.text)
        );
        Mistake::new(word.place, what)
    })
}

/// A character string, in quotes and escaped as the database has it.
pub(super) fn string(word: &Word<'_>) -> Result<String, Mistake> {
    let octets = txt::quoted_strings(&format!("\"{}\"", word.text));
    let octets = octets.map_err(|error| {
        let long = matches!(error, txt::TextError::StringTooLong(_));
        let advice = if long { "; cut it into several texts in quotes" } else { "" };
        Mistake::new(word.place, format!("{error}{advice}"))
    })?;
    Ok(txt::quote(octets.first().map(Vec::as_slice).unwrap_or_default()))
}

/// `\# length hexadecimal` (RFC 3597 section 5), which stands for any type's data.
fn from_octets(
    reader: &mut Reader,
    at: Place,
    kind: RecordType,
    words: &[Word<'_>],
) -> Result<Data, Mistake> {
    let joined: Vec<&str> = words.iter().map(|word| word.text).collect();
    let value = joined.join(" ");
    let place = words.first().map_or(at, |word| word.place);
    // Any type without a text form reads it.
    let octets = rdata::encode("TYPE65280", &value, 0);
    let (_, octets) = octets.map_err(|error| Mistake::new(place, error.to_string()))?;
    if rdata::form(kind).is_none() {
        return Ok(Data {
            value: rdata::text(kind, &octets, "").unwrap_or(value),
            priority: 0,
            minimum: None,
        });
    }
    let text = if kind == RecordType::LOC { None } else { rdata::text(kind, &octets, "") };
    let text = text.ok_or_else(|| {
        let form = rdata::form(kind).unwrap_or_default();
        Mistake::new(
            place,
            format!("these octets are no data of {kind} that is known here; it is written: {form}"),
        )
    })?;
    // Its words need no reading: the text is all that there is to say.
    if !rdata::parts(kind).is_empty() {
        return Ok(Data { value: text, priority: 0, minimum: None });
    }
    // What was written of octets has no comments, parentheses or relative names in it.
    let mut lines = super::words::Lines::new(&text);
    let line = lines.next().transpose()?.unwrap_or_default();
    let words: Vec<Word<'_>> = line.words.iter().map(|word| Word { place, ..*word }).collect();
    if words.first().is_some_and(|word| word.text == "\\#") {
        return Err(Mistake::new(place, format!("these octets are no data of {kind}")));
    }
    read(reader, at, kind, &words)
}

/// A value with final dots as the database has it: names without them.
#[must_use]
pub fn content(kind: RecordType, value: &str) -> String {
    let bare = |word: &str| match word.strip_suffix('.') {
        Some(head) if !head.is_empty() => head.to_owned(),
        _ => word.to_owned(),
    };
    match kind {
        RecordType::SOA | RecordType::RP => {
            value.split(' ').map(bare).collect::<Vec<_>>().join(" ")
        }
        RecordType::NS
        | RecordType::CNAME
        | RecordType::PTR
        | RecordType::DNAME
        | RecordType::MX
        | RecordType::SRV
        | RecordType::AFSDB
        | RecordType::NAPTR => match value.rsplit_once(' ') {
            Some((head, name)) => format!("{head} {}", bare(name)),
            None => bare(value),
        },
        RecordType::SVCB | RecordType::HTTPS => {
            let words = value.splitn(3, ' ').enumerate();
            let words =
                words.map(|(index, word)| if index == 1 { bare(word) } else { word.to_owned() });
            words.collect::<Vec<_>>().join(" ")
        }
        _ => value.to_owned(),
    }
}
