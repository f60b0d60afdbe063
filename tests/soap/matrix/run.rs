//! Tries the cells and judges the answers.

use super::oracle::{Caller, Outcome, Record, Rule, expected, hides, owner};
use super::row::{Cell, Row};
use super::rows;
use super::world::{Names, World};
use ngn_soap::Port;
use ngn_tests::platform::Platform;
use ngn_tests::soap::Answer;
use ngn_tests::xml::escape;
use std::collections::HashMap;

/// Tables that the platform writes by itself.
const ITS_OWN: [&str; 8] = [
    "location_changes",
    "nodes",
    "sip_node_addresses",
    "sip_nodes",
    "ngnpro_logs",
    "ngnpro_logs_summary",
    "ngnpro_logs_functions_history",
    "zone_serials",
];

/// The number in fresh names while nothing is added.
const NOT_FRESH: u32 = 9_999;

/// The rows of the database, without what the platform writes by itself: start of authority records are brought up to
/// date some time after a change.
fn dump(p: &Platform) -> String {
    let dump = p.database.dump(&ITS_OWN);
    let rows = dump.lines().filter(|line| !(line.contains("records") && line.contains("SOA")));
    rows.collect::<Vec<_>>().join("\n")
}

/// Tries every cell.
#[track_caller]
pub(super) fn matrix(p: &Platform) {
    let world = World::build(p);
    let mut run = Run { world: &world, wrong: Vec::new(), cells: 0, fresh: NOT_FRESH };
    let before = dump(p);
    for record in [Record::Own, Record::Foreign] {
        let secret = &world.names(record).secrets[0];
        assert!(
            before.matches(secret.as_str()).count() > 20,
            "the records of the world hold {secret}"
        );
    }
    for (port, rows) in groups() {
        run.refusals_and_reads(port, rows, &before);
    }
    for side in [Record::Own, Record::Foreign] {
        for (port, rows) in groups() {
            run.writes(port, rows, side);
        }
    }
    // 103 operations by ten callers on three records, of which some come with another outcome later.
    assert!(run.cells > 103 * 10 * 3, "{} cells are too few", run.cells);
    let wrong = &run.wrong;
    let shown: Vec<&str> = wrong.iter().take(100).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), run.cells, shown.join("\n"));
}

fn groups() -> impl Iterator<Item = (Port, &'static [Row])> {
    Port::ALL.iter().flat_map(|port| rows::of(*port).iter().map(|rows| (*port, *rows)))
}

fn cells(row: &Row) -> Vec<(Caller, Record)> {
    let records = Record::ALL.into_iter().filter(|it| row.inside || *it != Record::AbsentInForeign);
    let records: Vec<Record> = match row.rule {
        Rule::None => vec![Record::Absent],
        _ => records.collect(),
    };
    let callers = Caller::ALL.into_iter().filter(|caller| (row.callers)(*caller));
    callers.flat_map(|caller| records.iter().map(move |record| (caller, *record))).collect()
}

struct Run<'a> {
    world: &'a World<'a>,
    wrong: Vec<String>,
    cells: usize,
    fresh: u32,
}

/// Where an answer stands in the matrix.
#[derive(Clone, Copy)]
struct Place<'a> {
    port: Port,
    row: &'a Row,
    caller: Caller,
    record: Record,
}

impl<'a> Run<'a> {
    /// Everything that must be refused, and everything that only reads: the database stays as it is.
    fn refusals_and_reads(&mut self, port: Port, rows: &[Row], before: &str) {
        for row in rows {
            // The first of the answers that a caller must not be able to tell from each other.
            let mut alike: HashMap<Caller, (Record, String)> = HashMap::new();
            for (caller, record) in cells(row) {
                let done = expected(row.need, row.rule, caller, record) == Outcome::Done;
                if done && row.writes {
                    continue;
                }
                let place = Place { port, row, caller, record };
                let cell = self.cell(place, NOT_FRESH);
                let Some(answer) = self.judge(place, &cell) else { continue };
                if answer.position.is_some() {
                    self.complain(place, "has a journal position");
                }
                if hides(row.rule, caller, record) {
                    let request = self.request(place, &cell);
                    let body = without_names(&answer, &request, cell.target);
                    let (like, first) = alike.entry(caller).or_insert((record, body.clone()));
                    if *first != body {
                        let text = format!("can be told from {like:?}:\n{first}\n{body}");
                        self.complain(place, &text);
                    }
                }
            }
        }
        let after = dump(self.world.p);
        if after != before {
            let changed = difference(before, &after);
            let text = format!("what must be refused or reads changed {changed}");
            self.wrong.push(format!("{} from {}: {text}", port.name(), rows[0].operation));
        }
    }

    /// Everything that is allowed to change one customer's records: what is the other's stays as it is.
    fn writes(&mut self, port: Port, rows: &[Row], side: Record) {
        let other = if side == Record::Own { Record::Foreign } else { Record::Own };
        let before = self.rows_of(other, side);
        for row in rows.iter().filter(|row| row.writes) {
            for (caller, record) in cells(row) {
                let touched = if row.at_home { caller.home() } else { record };
                let done = expected(row.need, row.rule, caller, record) == Outcome::Done;
                if touched != side || !done {
                    continue;
                }
                self.fresh += 1;
                let place = Place { port, row, caller, record };
                let cell = self.cell(place, self.fresh);
                let made = row.before.map_or(0, |before| before(self.world, &cell));
                let cell = Cell { made, ..cell };
                let Some(answer) = self.judge(place, &cell) else { continue };
                self.check_owner(place, &cell, &answer);
            }
        }
        let after = self.rows_of(other, side);
        if before != after {
            let changed = difference(&before, &after);
            let text = format!("what changes {side:?} records changed {other:?} ones: {changed}");
            self.wrong.push(format!("{} from {}: {text}", port.name(), rows[0].operation));
        }
    }

    fn cell(&self, place: Place, fresh: u32) -> Cell<'a> {
        let world = self.world;
        let (target, home) = (world.names(place.record), world.names(place.caller.home()));
        Cell { target, home, fresh, made: 0 }
    }

    fn request(&self, place: Place, cell: &Cell) -> String {
        let Place { port, row, caller, .. } = place;
        self.world.client(caller).envelope(port.name(), row.operation, &(row.request)(cell))
    }

    /// Tries a cell; the answer, unless it is wrong already.
    fn judge(&mut self, place: Place, cell: &Cell) -> Option<Answer> {
        let Place { port, row, caller, record } = place;
        self.cells += 1;
        let operation = format!("{}.{}", port.name(), row.operation);
        let client = self.world.client(caller);
        let answer = match client.try_call(&operation, &(row.request)(cell)) {
            Ok(answer) => answer,
            Err(error) => {
                self.complain(place, &format!("breaks a rule: {error:#}"));
                return None;
            }
        };
        let came = match &answer.outcome {
            Ok(_) => Outcome::Done,
            Err(fault) => Outcome::Fault(fault.code),
        };
        let wanted = expected(row.need, row.rule, caller, record);
        if came != wanted {
            let text = answer.outcome.as_ref().err().map_or("", |fault| &fault.text);
            self.complain(place, &format!("is {came:?}, not {wanted:?}: {text}"));
            return None;
        }
        let request = self.request(place, cell);
        for side in [Record::Own, Record::Foreign] {
            if caller.reaches(side) {
                continue;
            }
            for text in revealing(self.world.names(side)) {
                if answer.body.contains(text) && !request.contains(text) {
                    self.complain(place, &format!("reveals `{text}`: {}", answer.body));
                }
            }
        }
        if let (Some(shows), Ok(node)) = (row.shows, &answer.outcome) {
            let wanted = (shows.count)(caller, record);
            let listed = i64::try_from(node.at(shows.list).children.len()).unwrap_or(-1);
            let total = node.int_at("total");
            if (listed, total) != (wanted, wanted) {
                let text = format!("shows {listed} of {total}, not {wanted}: {}", answer.body);
                self.complain(place, &text);
            }
        }
        Some(answer)
    }

    fn check_owner(&mut self, place: Place, cell: &Cell, answer: &Answer) {
        let Place { row, caller, record, .. } = place;
        let (Some(read), Ok(node)) = (row.owner, &answer.outcome) else { return };
        let (customer, reseller) = read(self.world, cell, node);
        let named = (cell.target.customer, cell.target.reseller);
        let wanted = owner(caller, record, named, self.world.itself(caller));
        if (customer.unwrap_or(wanted.0), reseller) != wanted {
            let text = format!("belongs to {customer:?}, {reseller}, not to {wanted:?}");
            self.complain(place, &text);
        }
    }

    /// The rows of the database that tell of somebody's records and of nobody else's, but for the journal.
    fn rows_of(&self, record: Record, but: Record) -> String {
        let dump = dump(self.world.p);
        let journal = |line: &str| line.trim_start_matches(['(', '\'']).starts_with("journal");
        let tells =
            |line: &str, of| revealing(self.world.names(of)).any(|text| line.contains(text));
        let theirs: Vec<&str> = dump
            .lines()
            .filter(|line| !journal(line) && tells(line, record) && !tells(line, but))
            .collect();
        assert!(theirs.len() > 20, "the database tells of the records of {record:?}");
        theirs.join("\n")
    }

    fn complain(&mut self, place: Place, text: &str) {
        let Place { port, row, caller, record } = place;
        let (port, operation, about) = (port.name(), row.operation, row.about);
        self.wrong.push(format!("{port}.{operation} ({about}) by {caller:?} on {record:?} {text}"));
    }
}

/// What only one customer's records say.
fn revealing(names: &Names) -> impl Iterator<Item = &str> {
    names.texts().into_iter().chain(names.secrets.iter().map(String::as_str))
}

/// An answer without the names of the record in question, as far as the request held them.
fn without_names(answer: &Answer, request: &str, names: &Names) -> String {
    let mut body = answer.body.clone();
    let fault = answer.outcome.as_ref().err().map_or("", |fault| fault.text.as_str());
    let mut text = fault.to_owned();
    for name in names.texts().into_iter().filter(|name| request.contains(name)) {
        text = text.replace(name, "(name)");
    }
    if request.contains(&names.prefix) {
        text = text.replace(&names.apex(), "(name)");
    }
    let ids: Vec<String> = names.ids().iter().map(i64::to_string).collect();
    let asked: Vec<&str> = words(request).collect();
    let known = |word: &str| ids.iter().any(|id| id == word) && asked.contains(&word);
    let text: String = words(&text).map(|word| if known(word) { "(id)" } else { word }).collect();
    if !fault.is_empty() {
        body = body.replace(&escape(fault), &text);
    }
    for name in names.texts().into_iter().filter(|name| request.contains(name)) {
        body = body.replace(name, "(name)");
    }
    body
}

/// A text in runs of digits and runs of anything else.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let digit = |byte: u8| byte.is_ascii_digit();
    let cuts: Vec<usize> = text
        .as_bytes()
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| digit(pair[0]) != digit(pair[1]))
        .map(|(at, _)| at + 1)
        .collect();
    let from = std::iter::once(0).chain(cuts.clone());
    let to = cuts.into_iter().chain(std::iter::once(text.len()));
    from.zip(to).map(|(from, to)| &text[from..to])
}

/// The lines that only one of two texts has.
fn difference(before: &str, after: &str) -> String {
    let only = |these: &str, others: &str, sign: &str| -> String {
        let others: Vec<&str> = others.lines().collect();
        let missing = these.lines().filter(|line| !others.contains(line));
        missing.take(5).map(|line| format!("\n{sign} {line}")).collect()
    };
    only(before, after, "-") + &only(after, before, "+")
}
