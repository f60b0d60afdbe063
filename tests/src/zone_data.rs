//! Zones of records that are written by hand, at once for our database and as master files for the servers of others.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::database::Database;

/// The serial of every zone.
pub const SERIAL: u32 = 7;

/// The SOA of a zone that gives negative answers five minutes.
#[must_use]
pub fn soa(zone: &str) -> String {
    format!("ns1.{zone}. hostmaster.{zone}. {SERIAL} 3600 600 604800 300")
}

/// Zones in the making.
#[derive(Debug)]
pub struct ZoneData {
    directory: PathBuf,
    /// Each zone's number and master file.
    zones: BTreeMap<String, usize>,
    /// The master file that was written to last.
    current: Option<(usize, BufWriter<File>)>,
    /// The rows of our table, and of the table of zones.
    rows: BufWriter<File>,
    records: usize,
}

impl ZoneData {
    /// Nothing yet; files go into a directory of their own.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory).expect("a directory");
        let rows = BufWriter::new(File::create(directory.join("records.tsv")).expect("a file"));
        Self {
            directory: directory.to_owned(),
            zones: BTreeMap::new(),
            current: None,
            rows,
            records: 0,
        }
    }

    /// How many records there are.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.records
    }

    /// Each zone with its master file.
    #[must_use]
    pub fn master_files(&self) -> Vec<(String, PathBuf)> {
        self.zones.iter().map(|(zone, number)| (zone.clone(), self.file(*number))).collect()
    }

    fn file(&self, number: usize) -> PathBuf {
        self.directory.join(format!("{number}.zone"))
    }

    /// Adds a record: owner and names in its data are absolute, the owner without final dot, names in data with it.
    pub fn add(&mut self, zone: &str, owner: &str, kind: &str, ttl: u32, data: &str) {
        let next = self.zones.len() + 1;
        let number = match self.zones.get(zone) {
            Some(number) => *number,
            None => *self.zones.entry(zone.to_owned()).or_insert(next),
        };
        if self.current.as_ref().is_none_or(|(current, _)| *current != number) {
            if let Some((_, mut file)) = self.current.take() {
                file.flush().expect("a master file");
            }
            let file = File::options().create(true).append(true).open(self.file(number));
            self.current = Some((number, BufWriter::new(file.expect("a master file"))));
        }
        if let Some((_, file)) = &mut self.current {
            writeln!(file, "{owner}. {ttl} IN {kind} {data}").expect("a master file");
        }
        let (priority, content) = match kind {
            "MX" | "SRV" => data.split_once(' ').expect("a priority"),
            _ => ("0", data),
        };
        writeln!(self.rows, "{number}\t{owner}\t{kind}\t{content}\t{ttl}\t{priority}")
            .expect("a row");
        self.records += 1;
    }

    /// Ends all files and puts the rows into a database of MariaDB that has our tables.
    pub fn finish(&mut self, database: &Database) {
        if let Some((_, mut file)) = self.current.take() {
            file.flush().expect("a master file");
        }
        self.rows.flush().expect("the rows");
        let path = self.directory.join("domains.tsv");
        let text: String =
            self.zones.iter().map(|(zone, number)| format!("{number}\t{zone}\n")).collect();
        fs::write(&path, text).expect("the zones");
        let load = |file: &str, table: &str| {
            let path = self.directory.join(file);
            format!(
                "LOAD DATA INFILE '{}' INTO TABLE {table} FIELDS TERMINATED BY '\\t' ESCAPED BY ''",
                path.display()
            )
        };
        _ = database.sql(&format!(
            "SET foreign_key_checks = 0; SET unique_checks = 0; {} (id, name) SET type = 'NATIVE'; \
             INSERT INTO zone_serials (zone, base) SELECT name, {SERIAL} FROM domains; \
             {} (domain_id, name, type, content, ttl, prio)",
            load("domains.tsv", "domains"),
            load("records.tsv", "records"),
        ));
    }
}
