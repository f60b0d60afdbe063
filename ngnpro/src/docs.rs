//! The reference for integrators, made of the table of types and operations and of recorded calls: pages of Markdown
//! in doc/reference, and one page of HTML at `/docs`.

use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// Calls that tests/published/reference.rs makes and compares.
const EXAMPLES: &str = include_str!("../../doc/reference/examples.json");
/// What holds for every operation.
const RULES: &str = include_str!("docs/rules.md");
/// What the page looks like.
const STYLE: &str = include_str!("docs/style.css");

/// The reference as data.
struct Reference {
    api: Value,
    examples: Value,
}

impl Reference {
    fn read() -> Self {
        let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        Self { api: read(&ngn_soap::reference::json()), examples: read(EXAMPLES) }
    }

    fn list(&self, name: &str) -> &[Value] {
        list(&self.api, name)
    }

    fn example(&self, operation: &str) -> Option<(&str, &str)> {
        let examples = self.examples.as_array()?;
        let found = examples.iter().find(|example| text(example, "operation") == operation)?;
        Some((text(found, "request"), text(found, "response")))
    }

    /// The faults of which something is so, by code, with their conditions.
    fn faults(&self, which: impl Fn(&Value) -> bool) -> Vec<(u64, &str)> {
        let rows = self.list("faults").iter().filter(|row| which(row));
        rows.filter_map(|row| Some((row.get("code")?.as_u64()?, text(row, "condition")))).collect()
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// One block of a page, for either form.
enum Block {
    Heading(u8, String, String),
    Text(String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
    Code(String),
    /// Written as Markdown of the simple kind of `docs/rules.md`.
    Prose(&'static str),
}

fn operation(reference: &Reference, port: &str, row: &Value, out: &mut Vec<Block>) {
    let name = text(row, "name");
    let full = format!("{port}.{name}");
    out.push(Block::Heading(2, name.to_owned(), full.clone()));
    out.push(Block::Text(text(row, "doc").to_owned()));
    let parameter = |row: &Value| {
        let legacy = if flag(row, "legacy") { "not in the WSDL; old clients send it" } else { "" };
        vec![text(row, "name").to_owned(), text(row, "type").to_owned(), legacy.to_owned()]
    };
    let parameters: Vec<_> = list(row, "parameters").iter().map(parameter).collect();
    if !parameters.is_empty() {
        out.push(Block::Table(vec!["parameter", "type", "note"], parameters));
    }
    let result = text(row, "result");
    out.push(Block::Text(if result.is_empty() {
        "Returns nothing.".to_owned()
    } else {
        format!("Returns {result}.")
    }));
    let own = list(row, "faults");
    let raised = reference.faults(|fault| fault.get("code").is_some_and(|code| own.contains(code)));
    if raised.is_empty() {
        out.push(Block::Text("It raises only the faults that any operation may raise.".to_owned()));
    } else {
        out.push(faults(raised));
    }
    let rules: Vec<&str> = list(row, "rules").iter().filter_map(Value::as_str).collect();
    out.push(Block::Text(format!("Rules: {}.", rules.join(", "))));
    match reference.example(&full) {
        Some((request, response)) => {
            out.push(Block::Text("Request:".to_owned()));
            out.push(Block::Code(request.to_owned()));
            out.push(Block::Text("Response:".to_owned()));
            out.push(Block::Code(response.to_owned()));
        }
        None => out.push(Block::Text("There is no recorded call of this operation.".to_owned())),
    }
}

fn faults(rows: Vec<(u64, &str)>) -> Block {
    let row = |(code, condition): (u64, &str)| vec![code.to_string(), condition.to_owned()];
    Block::Table(vec!["fault", "when"], rows.into_iter().map(row).collect())
}

fn port(reference: &Reference, row: &Value) -> Vec<Block> {
    let name = text(row, "name");
    let mut out = vec![
        Block::Heading(1, format!("Port {name}"), name.to_owned()),
        Block::Text(format!("{} Namespace: {}", text(row, "doc"), text(row, "namespace"))),
    ];
    for row in list(row, "operations") {
        operation(reference, name, row, &mut out);
    }
    out
}

fn types(reference: &Reference) -> Vec<Block> {
    let mut out = vec![Block::Heading(1, "Types".to_owned(), "types".to_owned())];
    for row in reference.list("types") {
        let name = text(row, "name");
        out.push(Block::Heading(2, name.to_owned(), name.to_owned()));
        let about = text(row, "doc");
        if !about.is_empty() {
            out.push(Block::Text(about.to_owned()));
        }
        let words: Vec<&str> = list(row, "values").iter().filter_map(Value::as_str).collect();
        if !words.is_empty() {
            out.push(Block::Text(format!("One of {}.", words.join(", "))));
        }
        let item = text(row, "item");
        if !item.is_empty() {
            out.push(Block::Text(format!("A list of {item}.")));
        }
        let member = |row: &Value| {
            let marks = [("key", "key"), ("readOnly", "read only"), ("secret", "secret")];
            let marks: Vec<_> =
                marks.iter().filter(|(mark, _)| flag(row, mark)).map(|(_, shown)| *shown).collect();
            let named = |name| text(row, name).to_owned();
            vec![named("name"), named("type"), named("doc"), marks.join(", ")]
        };
        let members: Vec<_> = list(row, "members").iter().map(member).collect();
        if !members.is_empty() {
            out.push(Block::Table(vec!["member", "type", "meaning", "note"], members));
        }
    }
    out
}

fn start(reference: &Reference) -> Vec<Block> {
    vec![
        Block::Prose(RULES),
        Block::Heading(2, "Faults that any operation may raise".to_owned(), "faults".to_owned()),
        faults(reference.faults(|fault| flag(fault, "common"))),
        Block::Text(
            "Each operation lists those that it raises beside these, and the numbers of the rules that hold for it, \
             which the tests name. No operation raises these codes:"
                .to_owned(),
        ),
        faults(reference.faults(|fault| flag(fault, "reserved"))),
    ]
}

/// The pages of doc/reference: file name and content.
#[must_use]
pub fn markdown() -> Vec<(String, String)> {
    let reference = Reference::read();
    let ports = reference.list("ports");
    let mut index = as_markdown(&start(&reference));
    index.push_str("## Pages\n\n");
    for row in ports {
        let name = text(row, "name");
        // Writing to a String cannot fail.
        let _infallible = writeln!(index, "- [{name}]({name}.md): {}", text(row, "doc"));
    }
    index.push_str("- [Types](types.md)\n");
    let mut pages = vec![("README.md".to_owned(), index)];
    for row in ports {
        pages.push((format!("{}.md", text(row, "name")), as_markdown(&port(&reference, row))));
    }
    pages.push(("types.md".to_owned(), as_markdown(&types(&reference))));
    pages
}

/// The whole reference on one page.
#[must_use]
pub fn html() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let reference = Reference::read();
        let ports = reference.list("ports");
        let mut body = String::from("<nav><b>NGNPro API</b> <a href=\"#types\">Types</a>");
        for row in ports {
            let name = text(row, "name");
            let _infallible =
                write!(body, "<details><summary><a href=\"#{name}\">{name}</a></summary>");
            for row in list(row, "operations") {
                let operation = text(row, "name");
                let _infallible = write!(body, "<a href=\"#{name}.{operation}\">{operation}</a>");
            }
            body.push_str("</details>");
        }
        body.push_str("</nav><main>");
        as_html(&start(&reference), &mut body);
        for row in ports {
            as_html(&port(&reference, row), &mut body);
        }
        as_html(&types(&reference), &mut body);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>NGNPro API</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head>\n\
             <body>{body}</main></body></html>\n"
        )
    });
    PAGE.as_str()
}

fn as_markdown(blocks: &[Block]) -> String {
    let cell = |text: &String| escaped(&text.replace('|', "\\|"));
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Heading(level, text, _) => {
                out.push_str(&"#".repeat(usize::from(*level)));
                out.push(' ');
                out.push_str(text);
            }
            Block::Text(text) => out.push_str(&escaped(text)),
            Block::Table(names, rows) => {
                out.push_str(&format!(
                    "| {} |\n|{}",
                    names.join(" | "),
                    "---|".repeat(names.len())
                ));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(cell).collect();
                    out.push_str(&format!("\n| {} |", cells.join(" | ")));
                }
            }
            Block::Code(text) => out.push_str(&format!("```xml\n{}\n```", text.trim_end())),
            Block::Prose(text) => out.push_str(text.trim_end()),
        }
        out.push_str("\n\n");
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push_str("\n\n");
    out
}

fn as_html(blocks: &[Block], out: &mut String) {
    for block in blocks {
        match block {
            Block::Heading(level, text, anchor) => out.push_str(&format!(
                "<h{level} id=\"{}\">{}</h{level}>\n",
                escaped(anchor),
                escaped(text)
            )),
            Block::Text(text) => out.push_str(&format!("<p>{}</p>\n", escaped(text))),
            Block::Table(names, rows) => {
                let cells = |cells: &mut dyn Iterator<Item = &str>, tag: &str| {
                    cells
                        .map(|text| format!("<{tag}>{}</{tag}>", escaped(text)))
                        .collect::<String>()
                };
                let head = cells(&mut names.iter().copied(), "th");
                out.push_str(&format!("<table><tr>{head}</tr>\n"));
                for row in rows {
                    let row = cells(&mut row.iter().map(String::as_str), "td");
                    out.push_str(&format!("<tr>{row}</tr>\n"));
                }
                out.push_str("</table>\n");
            }
            Block::Code(text) => out.push_str(&format!("<pre>{}</pre>\n", escaped(text))),
            Block::Prose(text) => prose(text, out),
        }
    }
}

/// Headings, lists and paragraphs; no more is used.
fn prose(text: &str, out: &mut String) {
    for part in text.split("\n\n").map(str::trim).filter(|part| !part.is_empty()) {
        if let Some(heading) = part.strip_prefix("# ") {
            out.push_str(&format!("<h1>{}</h1>\n", escaped(heading)));
        } else if let Some(heading) = part.strip_prefix("## ") {
            out.push_str(&format!("<h2>{}</h2>\n", escaped(heading)));
        } else if part.starts_with("- ") {
            let items = part.split("\n- ").map(|item| item.trim_start_matches("- "));
            let items: String = items.map(|item| format!("<li>{}</li>", escaped(item))).collect();
            out.push_str(&format!("<ul>{items}</ul>\n"));
        } else {
            out.push_str(&format!("<p>{}</p>\n", escaped(part)));
        }
    }
}

/// As it may stand in HTML, and in Markdown outside of code.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_committed_pages_are_these() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../doc/reference");
        let write = std::env::var_os("NGN_WRITE_REFERENCE").is_some();
        for (name, page) in markdown() {
            let file = directory.join(&name);
            if write {
                fs::write(&file, &page).unwrap();
            }
            let committed = fs::read_to_string(&file).unwrap_or_default();
            assert!(committed == page, "doc/reference/{name} is out of date: run `make reference`");
        }
    }

    #[test]
    fn every_operation_and_every_type_is_there() {
        let pages: String = markdown().into_iter().map(|(_, page)| page).collect();
        for port in ngn_soap::Port::ALL {
            for row in port.operations() {
                assert!(pages.contains(&format!("## {}\n", row.name)), "{}", row.name);
                assert!(html().contains(&format!("id=\"{}.{}\"", port.name(), row.name)));
            }
        }
        for (code, condition) in ngn_soap::fault::CODES {
            assert!(pages.contains(&format!("| {code} | {} |", escaped(condition))), "{code}");
        }
    }
}
