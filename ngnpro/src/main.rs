//! SOAP provisioning server.

fn main() -> std::process::ExitCode {
    ngn_daemon::run::<ngn_ngnpro::Ngnpro>()
}
