//! Very many ENUM numbers, written by hand as the operations would have.

use crate::database::Database;

/// Digits of a number behind its range's prefix.
const DIGITS: usize = 7;
/// Numbers that a range could have.
const SPAN: u64 = 10_000_000;
/// An odd number that has no factor in common with [`SPAN`], so that its multiples come by every number once.
const STRIDE: u64 = 6_180_343;
/// Mappings of each number.
pub const MAPPINGS: u64 = 3;

/// The digits of a number of a range: each place has another one, and neighbours lie far apart.
#[must_use]
pub fn digits(prefix: &str, place: u64) -> String {
    format!("{prefix}{:0DIGITS$}", place % SPAN * STRIDE % SPAN)
}

/// The name of a number, or of the zone of a prefix.
#[must_use]
pub fn name(digits: &str) -> String {
    digits.chars().rev().map(String::from).collect::<Vec<_>>().join(".") + ".e164.arpa"
}

/// Gives a range that is there, in a MariaDB, the numbers with places from 1 on, each with three mappings and their
/// records, and the server a buffer pool that holds them (1 GiB). Nothing tells daemons of it: they are to be started afterwards.
pub fn fill(database: &Database, prefix: &str, count: u64) {
    let number = format!("CONCAT('{prefix}', LPAD(seq * {STRIDE} % {SPAN}, {DIGITS}, '0'))");
    let each =
        format!("seq_1_to_{count} CROSS JOIN (SELECT seq mapping FROM seq_1_to_{MAPPINGS}) m");
    let kind = "ELT(mapping, 'sip', 'mailto', 'web:http')";
    let value = format!(
        "CONCAT(ELT(mapping, 'sip:+', 'mailto:u', 'http://www.example/'), {number}, \
                 ELT(mapping, '@gw.carrier.example', '@mail.example', ''))"
    );
    _ = database.sql(&format!(
        "SET GLOBAL innodb_buffer_pool_size = 1 << 30; SET foreign_key_checks = 0; SET unique_checks = 0; \
         SELECT id, domain_id INTO @range, @zone FROM enum_ranges WHERE prefix = '{prefix}'; \
         SELECT COALESCE(MAX(id), 0) INTO @before FROM enum_numbers; \
         INSERT INTO enum_numbers (id, range_id, number, tld) \
         SELECT @before + seq, @range, {number}, 'e164.arpa' FROM seq_1_to_{count}; \
         INSERT INTO enum_mappings (number_id, type, mapto, mapto_bare, priority) \
         SELECT @before + seq, {kind}, {value}, SUBSTRING_INDEX({value}, ':', -1), mapping FROM {each}; \
         INSERT INTO records (domain_id, name, type, content, ttl, origin) \
         SELECT @zone, CONCAT(REGEXP_REPLACE(REVERSE({number}), '(.)', '\\\\1.'), 'e164.arpa'), 'NAPTR', \
         CONCAT('100 ', mapping, ' \"u\" \"E2U+', {kind}, '\" \"!^.*$!', {value}, '!\" .'), 3600, 2 FROM {each}"
    ));
}
