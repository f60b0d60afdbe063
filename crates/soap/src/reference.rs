//! The reference of the API as JSON: what the table says, for programs and for people.

use std::fmt::Write as _;

use crate::fault::{CODES, COMMON, RESERVED};
use crate::ports::{NAMESPACE, Port};
use crate::schema::{MemberRow, OperationRow};
use crate::type_set::TypeSet;

/// The whole reference: ports with operations, types with members, fault codes.
#[must_use]
pub fn json() -> String {
    let types = TypeSet::of(Port::ALL);
    let enumerations = types.enumerations.iter().map(|row| {
        Json::Object(vec![
            ("name", row.name.into()),
            ("doc", doc(row.doc)),
            ("values", Json::List(row.values.iter().map(|value| (*value).into()).collect())),
        ])
    });
    let structs = types.structs.iter().map(|row| {
        Json::Object(vec![
            ("name", row.name.into()),
            ("doc", doc(row.doc)),
            ("members", Json::List(row.members.iter().map(member).collect())),
        ])
    });
    let lists = types.arrays.iter().map(|item| {
        Json::Object(vec![
            ("name", format!("{}Array", capitalised(&item.type_name())).into()),
            ("item", item.type_name().into()),
        ])
    });
    let faults = CODES.iter().map(|(code, condition)| {
        let mut members =
            vec![("code", Json::Number((*code).into())), ("condition", (*condition).into())];
        let marks = [("common", COMMON), ("reserved", RESERVED)];
        let marked = marks.into_iter().filter(|(_, codes)| codes.contains(code));
        members.extend(marked.map(|(mark, _)| (mark, Json::True)));
        Json::Object(members)
    });
    let reference = Json::Object(vec![
        ("namespace", NAMESPACE.into()),
        ("ports", Json::List(Port::ALL.iter().map(|p| port(*p)).collect())),
        ("types", Json::List(enumerations.chain(structs).chain(lists).collect())),
        ("faults", Json::List(faults.collect())),
    ]);
    let mut text = String::new();
    reference.write(&mut text, 0);
    text.push('\n');
    text
}

fn port(port: Port) -> Json {
    Json::Object(vec![
        ("name", port.name().into()),
        ("namespace", port.namespace().into()),
        ("doc", doc(port.doc())),
        ("operations", Json::List(port.operations().iter().map(|row| operation(row)).collect())),
    ])
}

fn operation(row: &OperationRow) -> Json {
    let mut members = vec![
        ("name", row.name.into()),
        ("doc", doc(row.doc)),
        ("parameters", Json::List(row.parameters.iter().map(parameter).collect())),
    ];
    members.extend(row.result.map(|kind| ("result", kind.type_name().into())));
    let faults = row.faults.iter().map(|code| Json::Number((*code).into()));
    members.push(("faults", Json::List(faults.collect())));
    members.push(("rules", Json::List(row.rules.iter().map(|rule| (*rule).into()).collect())));
    Json::Object(members)
}

fn parameter(row: &MemberRow) -> Json {
    let mut members = vec![("name", row.name.into()), ("type", row.kind.type_name().into())];
    members.extend(row.unlisted.then_some(("legacy", Json::True)));
    Json::Object(members)
}

fn member(row: &MemberRow) -> Json {
    let mut members = vec![
        ("name", row.name.into()),
        ("type", row.kind.type_name().into()),
        ("doc", doc(row.doc)),
    ];
    let marks = [("key", row.key), ("readOnly", row.read_only), ("secret", row.secret)];
    members.extend(marks.into_iter().filter(|(_, set)| *set).map(|(mark, _)| (mark, Json::True)));
    Json::Object(members)
}

fn doc(text: &str) -> Json {
    text.trim().into()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// As much of JSON as the reference needs.
enum Json {
    True,
    Number(u32),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl<T: Into<String>> From<T> for Json {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Json {
    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Self::True => out.push_str("true"),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => quote(text, out),
            Self::List(items) => {
                let flat = items.iter().all(|item| matches!(item, Self::Text(_) | Self::Number(_)));
                block(out, depth, ['[', ']'], flat, items.iter(), |item, out, depth| {
                    item.write(out, depth);
                });
            }
            Self::Object(members) => {
                let nested = |(_, value): &(&str, Self)| matches!(value, Self::List(list) if !list.is_empty());
                let flat = depth > 0 && !members.iter().any(nested);
                block(out, depth, ['{', '}'], flat, members.iter(), |(name, value), out, depth| {
                    quote(name, out);
                    out.push_str(": ");
                    value.write(out, depth);
                });
            }
        }
    }
}

/// Items between brackets, on one line or one line each.
fn block<T>(
    out: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    flat: bool,
    items: impl ExactSizeIterator<Item = T>,
    write: impl Fn(T, &mut String, usize),
) {
    let flat = flat || items.len() == 0;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    out.push(open);
    for (index, item) in items.enumerate() {
        match (index, flat) {
            (0, true) => {}
            (_, true) => out.push_str(", "),
            (0, false) => line(out, depth + 1),
            (_, false) => {
                out.push(',');
                line(out, depth + 1);
            }
        }
        write(item, out, depth + 1);
    }
    if !flat {
        line(out, depth);
    }
    out.push(close);
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
