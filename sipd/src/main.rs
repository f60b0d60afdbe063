//! SIP registrar and proxy.

/// A message is some dozens of small pieces of memory: an allocator that is quick with those is felt.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // The allocator asks for huge pages, of which the kernel keeps 2 MiB where a burst of requests left a few octets. Where
    // it cannot be told otherwise there is more memory, and nothing else is different.
    let _ = nix::sys::prctl::set_thp_disable(true);
    ngn_daemon::run::<ngn_sipd::Sipd>()
}
