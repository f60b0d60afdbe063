//! SIP registrar and proxy.

fn main() -> std::process::ExitCode {
    ngn_daemon::run::<ngn_sipd::Sipd>()
}
