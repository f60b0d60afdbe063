//! Authoritative DNS server for SIP domains and ENUM zones.

fn main() -> std::process::ExitCode {
    ngn_daemon::run::<ngn_enumd::Enumd>()
}
