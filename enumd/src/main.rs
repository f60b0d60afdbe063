//! Authoritative DNS server for SIP domains and ENUM zones.

/// A zone is millions of small pieces of memory: an allocator that is quick with those is felt while it is loaded.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ngn_daemon::run::<ngn_enumd::Enumd>()
}
