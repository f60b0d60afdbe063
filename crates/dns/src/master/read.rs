//! Reads a master file: entries, `$ORIGIN` and `$TTL` (RFC 2308 section 4), owners and times that are left out.

use super::data;
use super::words::{Line, Lines, Mistake, Place, Word};
use super::write::name_text;
use crate::name::Name;
use crate::rdata::RecordType;

/// How many mistakes are told; what comes behind is not read.
pub const MOST_MISTAKES: usize = 20;
/// How many records a file can have.
pub const MOST_RECORDS: usize = 1_000_000;
/// Highest TTL (RFC 2181 section 8).
const MAX_TTL: u64 = 0x7fff_ffff;
/// How many characters of what stands in the file a mistake repeats.
const SHOWN: usize = 60;

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where its owner stands, or what comes first of it.
    pub place: Place,
    /// Where its data begins.
    pub data_place: Place,
    /// Its owner.
    pub owner: Name,
    /// Time to live in seconds.
    pub ttl: u32,
    /// Its type.
    pub kind: RecordType,
    /// Its data as the API takes values, the priority of MX and SRV left out; names fully qualified with their final dot.
    pub value: String,
    /// Priority of MX and SRV, preference of NAPTR; 0 otherwise.
    pub priority: u16,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Its records, in the order of the file.
    pub entries: Vec<Entry>,
    /// What is allowed and most often not meant, such as a name that lacks its final dot.
    pub doubts: Vec<Mistake>,
}

/// What entries take from those before.
pub(super) struct Reader {
    pub(super) origin: Option<Name>,
    default_ttl: Option<u32>,
    owner: Option<Name>,
    /// The last TTL that was written (RFC 1035 section 5.1), for files without `$TTL`.
    last_ttl: Option<u32>,
    contents: Contents,
}

/// Reads a whole file; `origin` completes relative names until the file has a `$ORIGIN`.
///
/// Whether the records make a zone is not looked at.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of the file, at most [`MOST_MISTAKES`].
pub fn read(text: &str, origin: Option<&Name>) -> Result<Contents, Vec<Mistake>> {
    let mut lines = Lines::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut reader = Reader {
        origin: origin.cloned(),
        default_ttl: None,
        owner: None,
        last_ttl: None,
        contents: Contents::default(),
    };
    let mut mistakes = Vec::new();
    while let Some(line) = lines.next() {
        let done = line.and_then(|line| reader.line(&line));
        mistakes.extend(done.err());
        if reader.contents.entries.len() > MOST_RECORDS {
            let what = format!("the file has more than {MOST_RECORDS} records");
            mistakes.push(Mistake::new(lines.place(), what));
        }
        if mistakes.len() >= MOST_MISTAKES || reader.contents.entries.len() > MOST_RECORDS {
            break;
        }
    }
    if mistakes.is_empty() { Ok(reader.contents) } else { Err(mistakes) }
}

impl Reader {
    fn line(&mut self, line: &Line<'_>) -> Result<(), Mistake> {
        match line.words.split_first() {
            None => Ok(()),
            Some((first, rest))
                if !line.indented && !first.quoted && first.text.starts_with('$') =>
            {
                self.control(first, rest)
            }
            Some((first, rest)) => {
                let words = if line.indented { line.words.as_slice() } else { rest };
                self.record(line, first, words)
            }
        }
    }

    fn control(&mut self, entry: &Word<'_>, words: &[Word<'_>]) -> Result<(), Mistake> {
        let one = |what: &str| match words {
            [word] => Ok(word),
            [] => Err(Mistake::new(entry.place, format!("{} is followed by {what}", entry.text))),
            [_, more, ..] => {
                Err(Mistake::new(more.place, format!("{} is followed by {what} alone", entry.text)))
            }
        };
        match entry.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                self.origin = Some(self.name(one("a name")?)?);
                Ok(())
            }
            "$TTL" => {
                self.default_ttl = Some(time(one("a time")?)?);
                Ok(())
            }
            "$INCLUDE" => Err(Mistake::new(
                entry.place,
                "$INCLUDE is not followed, so that a file can read no other one; put the other file's lines here",
            )),
            "$GENERATE" => Err(Mistake::new(
                entry.place,
                "$GENERATE is BIND's alone; `named-compilezone -F text` writes a file with the records themselves",
            )),
            _ => Err(Mistake::new(
                entry.place,
                format!(
                    "there is no `{}`; there are $ORIGIN and $TTL, and \\$ begins a name",
                    shown(entry.text)
                ),
            )),
        }
    }

    fn record(
        &mut self,
        line: &Line<'_>,
        first: &Word<'_>,
        words: &[Word<'_>],
    ) -> Result<(), Mistake> {
        let owner = if line.indented {
            self.owner.clone().ok_or_else(|| {
                let what = "the line begins with white space, which stands for the name before, and there is none; \
                            begin it with a name, @ for the zone itself";
                Mistake::new(first.place, what)
            })?
        } else {
            self.name(first)?
        };
        // Entries without a name that follow a wrong one are this one's all the same.
        self.owner = Some(owner.clone());
        let (mut ttl, mut class) = (None, false);
        let mut words = words;
        let kind = loop {
            let Some((word, rest)) = words.split_first() else {
                let what = "the record ends before its type; write name, TTL, IN, type and data";
                return Err(Mistake::new(first.place, what));
            };
            words = rest;
            if word.text.eq_ignore_ascii_case("IN") && !class {
                class = true;
            } else if ttl.is_none() && word.text.starts_with(|c: char| c.is_ascii_digit()) {
                ttl = Some(time(word)?);
            } else {
                break kind(word)?;
            }
        };
        let ttl = ttl.or(self.default_ttl).or(self.last_ttl);
        let data = data::read(self, first.place, kind, words)?;
        // RFC 1035 section 5.1 and what everybody does: the SOA's minimum when nothing else says it.
        let ttl = ttl.or(data.minimum).ok_or_else(|| {
            let what = "nothing says how long the record lives; begin the file with $TTL 3600";
            Mistake::new(first.place, what)
        })?;
        self.last_ttl = Some(ttl);
        let data_place = words.first().map_or(first.place, |word| word.place);
        let (value, priority) = (data.value, data.priority);
        self.contents.entries.push(Entry {
            place: first.place,
            data_place,
            owner,
            ttl,
            kind,
            value,
            priority,
        });
        Ok(())
    }

    /// A name, completed with the origin when it does not end with a dot.
    pub(super) fn name(&mut self, word: &Word<'_>) -> Result<Name, Mistake> {
        let wrong = |what: String| Mistake::new(word.place, what);
        if word.quoted {
            return Err(wrong(format!(
                "\"{}\" is a text and no name; take the quotes away",
                shown(word.text)
            )));
        }
        let missing = || {
            let what = format!(
                "`{}` is relative, and nothing says to what; end it with a dot, write $ORIGIN \
                 before, or name the zone",
                shown(word.text)
            );
            Mistake::new(word.place, what)
        };
        if word.text == "@" {
            return self.origin.clone().ok_or_else(missing);
        }
        let read = Name::parse(word.text);
        let read =
            read.map_err(|error| wrong(format!("`{}` is no name: {error}", shown(word.text))))?;
        if is_absolute(word.text) {
            return Ok(read);
        }
        let origin = self.origin.as_ref().ok_or_else(missing)?;
        let wire = read.as_wire();
        let labels = wire.get(..wire.len() - 1).unwrap_or_default();
        let whole = Name::from_wire(&[labels, origin.as_wire()].concat());
        let whole = whole.map_err(|error| {
            wrong(format!(
                "`{}` with {} behind it is no name: {error}",
                shown(word.text),
                name_text(origin)
            ))
        })?;
        // The mistake that everybody makes once.
        if origin.label_count() > 0
            && read.label_count() > origin.label_count()
            && read.is_within(origin)
            && self.contents.doubts.len() < MOST_MISTAKES
        {
            let what = format!(
                "`{0}` lacks its final dot and so means {1}; write `{0}.` if it is the whole name",
                shown(word.text),
                name_text(&whole)
            );
            self.contents.doubts.push(Mistake::new(word.place, what));
        }
        Ok(whole)
    }
}

/// Whether the last dot is one that ends a name, and no escaped one.
fn is_absolute(text: &str) -> bool {
    let Some(before) = text.strip_suffix('.') else { return false };
    let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
    backslashes % 2 == 0
}

/// A type of records that a zone can have.
fn kind(word: &Word<'_>) -> Result<RecordType, Mistake> {
    let wrong = |what: String| Err(Mistake::new(word.place, what));
    let text = word.text;
    if ["CH", "HS", "CS", "ANY", "NONE"].iter().any(|class| text.eq_ignore_ascii_case(class)) {
        return wrong(format!("the class {text} is not served; write IN or nothing"));
    }
    if word.quoted {
        return wrong(format!(
            "\"{}\" stands where the type should; write A, AAAA, MX and the like",
            shown(text)
        ));
    }
    match RecordType::parse(text) {
        Some(kind) if kind.is_data() => Ok(kind),
        Some(kind) => wrong(format!("{kind} is a type of questions and not of records")),
        None => {
            let near = RecordType::nearest(text);
            let advice = near.map_or_else(
                || {
                    "types without a name are written TYPE and a number, such as TYPE65280"
                        .to_owned()
                },
                |near| format!("did you mean {near}?"),
            );
            wrong(format!("`{}` is no record type; {advice}", shown(text)))
        }
    }
}

/// A time in seconds, or in parts with units as in 1h30m.
pub(super) fn time(word: &Word<'_>) -> Result<u32, Mistake> {
    let wrong = || {
        let what = format!(
            "`{}` is no time; write seconds, or parts such as 1w2d3h4m5s",
            shown(word.text)
        );
        Mistake::new(word.place, what)
    };
    let (mut total, mut number, mut open) = (0_u64, None::<u64>, false);
    for c in word.text.chars() {
        if let Some(digit) = c.to_digit(10) {
            let grown = number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into());
            number = Some(grown);
            open = true;
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(wrong()),
        };
        let part = number.take().ok_or_else(wrong)?;
        total = total.saturating_add(part.saturating_mul(unit));
        open = false;
    }
    if word.quoted || word.text.is_empty() {
        return Err(wrong());
    }
    if open {
        total = total.saturating_add(number.unwrap_or(0));
    }
    let seconds = u32::try_from(total).ok().filter(|_| total <= MAX_TTL);
    seconds.ok_or_else(|| {
        let what = format!(
            "`{}` is longer than DNS can say; write at most {MAX_TTL} seconds",
            shown(word.text)
        );
        Mistake::new(word.place, what)
    })
}

/// What stands in the file, as much as a mistake repeats.
pub(super) fn shown(text: &str) -> String {
    let mut out: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push_str("...");
    }
    out
}
