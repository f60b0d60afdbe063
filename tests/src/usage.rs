//! Processor time and memory of processes with their children, out of `/proc`.

use std::fs;

/// Processor time in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Of the server.
    pub server: f64,
    /// Of the database.
    pub database: f64,
}

impl Usage {
    /// Until now.
    #[must_use]
    pub fn now(server: u32, database: u32) -> Self {
        Self { server: cpu(server), database: cpu(database) }
    }

    /// From another moment until this one.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { server: self.server - before.server, database: self.database - before.database }
    }
}

/// A process and all below it.
#[must_use]
pub fn family(id: u32) -> Vec<u32> {
    let mut all = vec![id];
    let mut at = 0;
    while let Some(parent) = all.get(at).copied() {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        at += 1;
    }
    all
}

/// Processor time of a process and all below it, in seconds, to a hundredth.
#[must_use]
pub fn cpu(id: u32) -> f64 {
    let one = |id: &u32| -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        // The clock of /proc ticks 100 times a second on Linux.
        let ticks: f64 =
            fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    };
    family(id).iter().filter_map(one).sum()
}

/// Memory in KiB, pages that several processes share counted once.
#[must_use]
pub fn memory(id: u32) -> u64 {
    let one = |id: &u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    };
    family(id).iter().filter_map(one).sum()
}
