//! Two answers to one query, field by field.

use std::collections::BTreeSet;

use hickory_proto::op::Message;
use hickory_proto::rr::Record;

use super::queries::Query;

/// An answer in a form that can be compared: everything but the order of records and the case of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The extended code included.
    pub(super) rcode: u16,
    /// AA, TC, RD, RA, AD, CD, and what was asked for.
    pub(super) flags: String,
    pub(super) question: Vec<u8>,
    /// How many records come more than once.
    pub(super) repeated: usize,
    /// Answers, authority, additional.
    pub(super) sections: [BTreeSet<String>; 3],
    /// The version and DO.
    pub(super) edns: Option<(u8, bool)>,
}

impl Answer {
    /// Reads an answer; nothing when there was none. Repeated records are noticed by their number.
    pub(super) fn read(query: &Query, octets: Option<&[u8]>) -> Option<Self> {
        let octets = octets?;
        let [_, _, first, second, ..] = *octets else { panic!("no header: {octets:?}") };
        let questions = u16::from_be_bytes([octets[4], octets[5]]);
        let asked = query.octets[12..].iter().take(query.question_length()).copied();
        let question: Vec<u8> =
            octets[12..].iter().take(query.question_length()).copied().collect();
        let question = if questions == 1 { question } else { Vec::new() };
        if questions == 1 {
            assert_eq!(question, asked.collect::<Vec<_>>(), "the question is not as it was asked");
        }
        assert_eq!(octets[..2], query.octets[..2], "another id");
        let flags = [
            (first & 0x80 != 0, "QR"),
            (first & 0x04 != 0, "AA"),
            (first & 0x02 != 0, "TC"),
            (first & 0x01 != 0, "RD"),
            (second & 0x80 != 0, "RA"),
            (second & 0x20 != 0, "AD"),
            (second & 0x10 != 0, "CD"),
        ];
        let flags: Vec<&str> =
            flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        let flags = format!("{} {}", first >> 3 & 15, flags.join(" "));
        // Operations that the library has no name for are answered by a header alone.
        let Ok(message) = Message::from_vec(octets) else {
            let sections = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
            assert_eq!(octets.len(), 12 + question.len(), "it cannot be read: {octets:?}");
            return Some(Self {
                repeated: 0,
                rcode: u16::from(second & 15),
                flags,
                question,
                sections,
                edns: None,
            });
        };
        let edns = message.edns.as_ref();
        let upper = edns.map_or(0, |edns| u16::from(edns.rcode_high()) << 4);
        let set = |records: &[Record]| -> BTreeSet<String> { records.iter().map(line).collect() };
        let sections =
            [&message.answers, &message.authorities, &message.additionals].map(|s| set(s));
        let records = message.answers.len() + message.authorities.len() + message.additionals.len();
        let repeated = records - sections.iter().map(BTreeSet::len).sum::<usize>();
        Some(Self {
            repeated,
            rcode: upper | u16::from(second & 15),
            flags,
            question,
            sections,
            edns: edns.map(|edns| (edns.version(), edns.flags().dnssec_ok)),
        })
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(' ').any(|it| it == flag)
    }

    fn clear(&mut self, flag: &str) {
        self.flags = self.flags.split(' ').filter(|it| *it != flag).collect::<Vec<_>>().join(" ");
    }

    /// Owners and targets of the aliases in the answer section.
    fn aliases(&self) -> Vec<(&str, &str)> {
        let alias = |line: &'_ String| line.contains(" in cname ");
        let lines = self.sections[0].iter().filter(|line| alias(line));
        lines
            .map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                (words[0], words[words.len() - 1])
            })
            .collect()
    }
}

fn line(record: &Record) -> String {
    let line =
        format!("{} {} {:?} {}", record.name, record.ttl, record.dns_class, record.record_type());
    format!("{} {}", line.to_lowercase(), record.data.to_string().to_lowercase())
}

/// What one difference is, and how the answers look without it.
type Known = (&'static str, fn(&Query, &Answer, &Answer) -> bool, fn(&mut Answer));

/// The differences of `doc/dns-differences.md`, from those that explain most to those that explain least.
const KNOWN: [Known; 13] = [
    (
        "other operations",
        |_, ours, _| !ours.flags.starts_with("0 "),
        |it| {
            it.question.clear();
            it.edns = None;
            (it.rcode, it.flags) = (0, String::new());
        },
    ),
    ("other classes", |query, ours, _| query.qclass != 1 && ours.rcode == 5, |it| *it = nothing()),
    (
        "unknown versions",
        |_, ours, theirs| ours.rcode == 16 && theirs.rcode == 16,
        |it| {
            it.edns = None;
            it.clear("CD");
        },
    ),
    (
        "checking disabled",
        |_, ours, theirs| !ours.has("CD") && theirs.has("CD"),
        |it| it.clear("CD"),
    ),
    ("authentic data", |_, ours, theirs| !ours.has("AD") && theirs.has("AD"), |it| it.clear("AD")),
    ("any", |query, _, _| query.qtype == 255, |it| *it = nothing()),
    (
        "what is cut",
        |_, ours, theirs| ours.has("TC") && theirs.has("TC"),
        |it| {
            it.sections = nothing().sections;
        },
    ),
    (
        "signatures at aliases",
        |query, ours, _| query.qtype == 46 && !ours.aliases().is_empty(),
        |it| {
            *it = nothing();
        },
    ),
    // The SOA that somebody asks for does not exist.
    (
        "negative SOA",
        |query, _, _| query.qtype == 6,
        |it| {
            let without = |line: &String| line.replace(" 0 in soa ", " 300 in soa ");
            it.sections[1] = it.sections[1].iter().map(without).collect();
        },
    ),
    (
        "additional",
        |_, ours, theirs| ours.sections[2] != theirs.sections[2],
        |it| it.sections[2].clear(),
    ),
    (
        "aliases that go round",
        |_, ours, _| {
            let aliases = ours.aliases();
            aliases.iter().any(|(_, target)| aliases.iter().any(|(owner, _)| owner == target))
                && ours.sections[1].is_empty()
        },
        |it| *it = nothing(),
    ),
    (
        "aliases into other zones",
        |_, ours, theirs| {
            theirs.sections[0].is_subset(&ours.sections[0])
                && ours.aliases().iter().any(|(owner, target)| zone(owner) != zone(target))
        },
        |it| *it = nothing(),
    ),
    (
        "names between zones",
        |query, _, _| {
            let name = format!("{}.", query.name.to_lowercase());
            let between = name.ends_with("down.other.example.");
            // A DS would belong to the zone above.
            let above = name == "deep.down.other.example." && query.qtype == 43;
            between && (zone(&name) == Some("other.example.") || above)
        },
        |it| *it = nothing(),
    ),
];

/// An answer of which nothing is compared any more.
fn nothing() -> Answer {
    let sections = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    Answer {
        rcode: 0,
        flags: String::new(),
        question: Vec::new(),
        repeated: 0,
        sections,
        edns: None,
    }
}

/// The zone that a name lies in, as far as it matters here: none of ours lies deeper than this.
fn zone(name: &str) -> Option<&'static str> {
    const ZONES: [&str; 13] = [
        "kid.odd.example.",
        "odd.example.",
        "deep.down.other.example.",
        "other.example.",
        "9.9.9.e164.arpa.",
        "r0.example.",
        "r1.example.",
        "r2.example.",
        "r3.example.",
        "r4.example.",
        "r5.example.",
        "r6.example.",
        "r7.example.",
    ];
    let within = |zone: &&&str| name == **zone || name.ends_with(&format!(".{zone}"));
    ZONES.iter().find(within).copied()
}

/// What the differences between our answer and that of another server amount to, by the names of `doc/dns-differences.md`;
/// `None` when there is more to it.
pub(super) fn differences(
    query: &Query,
    ours: &Option<Answer>,
    theirs: &Option<Answer>,
) -> Option<Vec<&'static str>> {
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (Some(_), None) if query.qclass != 1 => return Some(vec!["other classes"]),
        _ => return None,
    };
    assert_eq!(ours.repeated, 0, "{query}: {ours:?}");
    let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
    let mut found = Vec::new();
    for (name, applies, without) in KNOWN {
        if ours == theirs {
            break;
        }
        if !applies(query, &ours, &theirs) {
            continue;
        }
        let (before, after) = ((ours.clone(), theirs.clone()), (&mut ours, &mut theirs));
        without(after.0);
        without(after.1);
        // It counts when it is one: when what it takes away was not the same in both.
        if before != (ours.clone(), theirs.clone()) {
            found.push(name);
        }
    }
    (ours == theirs).then_some(found)
}
