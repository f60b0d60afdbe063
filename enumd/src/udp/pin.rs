//! Threads that stay on one processor.

use std::io;

/// Lets the calling thread run on one processor only, numbered as the system does.
///
/// # Errors
///
/// When there is no such processor, or this process may not use it or not choose.
#[cfg(target_os = "linux")]
pub(super) fn stay_on(processor: usize) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};

    if processor >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut only = CpuSet::new();
    only.set(processor);
    Ok(sched_setaffinity(None, &only)?)
}

/// Not possible here.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub(super) fn stay_on(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
