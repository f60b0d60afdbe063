//! SIP registrar and proxy.

/// A message is some dozens of small pieces of memory: an allocator that is quick with those is felt.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    ngn_daemon::run::<ngn_sipd::Sipd>()
}
