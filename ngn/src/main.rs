//! The operator's command, and the launcher of the whole platform on one machine.

mod admin;
mod bans;
mod calls;
mod check_config;
mod database;
mod demo;
mod emergency;
mod explain;
mod journal;
mod migrate;
mod platform;
mod registrations;
mod rotate_key;
mod table;
mod test_routes;
mod trace;
mod undo;
mod up;
mod voicemail;
mod zone;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// As in the daemons, which `ngn up` runs in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The operator's command of the ngn platform.
#[derive(Debug, Parser)]
#[command(name = "ngn", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the platform in one process.
    #[command(after_help = "Example:\n  ngn up --data /var/lib/ngn\n  \
                            ngn up --database mysql://ngn:secret@127.0.0.1:3306/ngn --soap 127.0.0.1:0")]
    Up(up::Options),
    /// Starts a platform, provisions it, lets phones call and asks DNS, with a transcript.
    #[command(
        after_help = "Example:\n  ngn demo --once --soap 127.0.0.1:0 --sip 127.0.0.1:0 --dns 127.0.0.1:0 --admin 127.0.0.1:0"
    )]
    Demo(demo::Options),
    /// Brings a database to the schema that this program needs.
    #[command(after_help = "Example:\n  ngn migrate --database sqlite:data/ngn.sqlite --check")]
    Migrate(migrate::Options),
    /// Encrypts all passwords with a new key; the platform may run meanwhile.
    #[command(
        after_help = "Example:\n  ngn rotate-key --data /var/lib/ngn\n  ngn rotate-key --config /etc/ngn/ngnpro.toml"
    )]
    RotateKey(rotate_key::Options),
    /// Reads configuration files as their daemons would, and starts nothing.
    #[command(after_help = "Example:\n  ngn check-config etc/*.toml")]
    CheckConfig(check_config::Options),
    /// Lists who changed what, newest first.
    #[command(after_help = "Examples:\n  ngn journal --since 2h --login admin\n  \
                            ngn journal --entity sip_account --key alice@example.net\n  \
                            ngn journal --customer 12 --limit 0 --json --database mysql://ngn:secret@127.0.0.1/ngn\n  \
                            ngn journal 4711")]
    Journal(journal::Options),
    /// Takes a change back, by the same rules and as a new change, when nothing newer touched the record.
    #[command(
        after_help = "What was removed with its secrets or with other records does not come back whole; that \
                            is said, and nothing is changed without --partial.\n\n\
                            Examples:\n  ngn undo 4711 --dry-run\n  ngn undo 4711 --data /var/lib/ngn\n  \
                            ngn undo 4711 --partial\n  ngn undo 4711 --whole"
    )]
    Undo(undo::Options),
    /// Says where a call goes, or went, and why.
    #[command(
        after_help = "Examples:\n  ngn explain --from alice@example.net --to 0031201234567\n  \
                            ngn explain --from alice@example.net --to bob@example.net --at 2026-11-21T03:00 --timezone Europe/Vienna\n  \
                            ngn explain --from +31201234567@192.0.2.80 --to 4311234567 --source 192.0.2.80\n  \
                            ngn explain --call-id 4711@192.0.2.1 --admin 127.0.0.1:9281 --json"
    )]
    Explain(explain::Options),
    /// Lists the calls of a running sipd as they stand; ends none of them.
    #[command(
        after_help = "Of the calls from before a restart of sipd it knows those that count for a limit.\n\n\
                            Examples:\n  ngn calls\n  ngn calls --account alice@example.net --watch\n  \
                            ngn calls --number 0031201234567 --json"
    )]
    Calls(calls::Options),
    /// Lists the registered phones of a running sipd.
    #[command(after_help = "Examples:\n  ngn registrations --account alice@example.net\n  \
                            ngn registrations --address 192.0.2.0/24 --json\n  \
                            ngn registrations --count\n  \
                            ngn registrations --account alice@example.net --database mysql://ngn:secret@127.0.0.1/ngn")]
    Registrations(registrations::Options),
    /// Lists whom a running sipd keeps out, and lets them in again.
    #[command(
        after_help = "Each node keeps its own list; one that is let in again counts as new.\n\n\
                            Examples:\n  ngn bans\n  ngn bans --address 192.0.2.7 --json\n  \
                            ngn bans lift 192.0.2.7\n  ngn bans lift alice@example.net"
    )]
    Bans(bans::Options),
    /// Shows SIP messages as they come to a running sipd and go from it, credentials masked; TLS and WebSocket as plain text.
    #[command(
        after_help = "At most four watch at one time. Who reads too slowly loses messages, and is told how many.\n\n\
                            Examples:\n  ngn trace --account alice@example.net\n  \
                            ngn trace --address 192.0.2.7:5060 --method REGISTER --seconds 60\n  \
                            ngn trace --call-id 4711@192.0.2.1 --count 20 --json\n  \
                            ngn trace --hep homer.example.net:9060:2001"
    )]
    Trace(trace::Options),
    /// Maintains where calls to emergency numbers go.
    #[command(
        after_help = "Examples:\n  ngn emergency add 112 sip:112@psap.example.net --region vienna\n  \
                            ngn emergency list\n  ngn emergency import emergency.csv --replace\n  \
                            ngn emergency check\n  \
                            ngn emergency check 112 --domain example.net --region vienna"
    )]
    Emergency(emergency::Options),
    /// Maintains zones: lists them, reads and writes master files, signs them (DNSSEC) and replaces their keys.
    #[command(
        after_help = "Examples:\n  ngn zone list '*.example'\n  ngn zone export example.net example.net.zone\n  \
                            ngn zone import example.net.zone --replace --dry-run\n  \
                            ngn zone check example.net\n  ngn zone check --all --fix --sip-server sip.example.net\n  \
                            ngn zone aliases --out /etc/postfix/virtual --watch\n  \
                            ngn zone sign example.net\n  ngn zone sign 1.3.e164.arpa --nsec3\n  \
                            ngn zone keys example.net\n  ngn zone roll example.net --zsk\n  \
                            ngn zone roll example.net --ksk\n  ngn zone roll example.net --ksk --ds-seen\n  \
                            ngn zone unsign example.net"
    )]
    Zone(zone::Options),
    /// Writes configuration for the voicemail server.
    #[command(
        after_help = "Examples:\n  ngn voicemail asterisk --out asterisk --database mysql://ngn:secret@127.0.0.1/ngn \\\n      \
                            --from voicemail@example.net --company 'Example Telecom' --timezone Europe/Vienna\n  \
                            ngn voicemail asterisk --out mine --write-templates      # change them, and then\n  \
                            ngn voicemail asterisk --out asterisk --templates mine --replace"
    )]
    Voicemail(voicemail::Options),
    /// Runs routing cases kept as data: platforms, calls, and what must become of them.
    #[command(
        after_help = "Exit code: 0 when every case passes, 1 when one fails, 2 when a file cannot be read.\n\
                            The format: doc/routing-cases.md.\n\n\
                            Examples:\n  ngn test-routes examples/routes/*.toml\n  \
                            ngn test-routes --quiet --only emergency office.toml"
    )]
    TestRoutes(test_routes::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = |()| ExitCode::SUCCESS;
    let result = runtime.block_on(async {
        match arguments.command {
            Command::TestRoutes(options) => return test_routes::run(&options),
            Command::Up(options) => up::run(options).await,
            Command::Demo(options) => demo::run(options).await,
            Command::Migrate(options) => migrate::run(options).await,
            Command::RotateKey(options) => rotate_key::run(options).await,
            Command::Journal(options) => journal::run(options).await,
            Command::Explain(options) => explain::run(options).await,
            Command::Calls(options) => calls::run(options).await,
            Command::Bans(options) => bans::run(options).await,
            Command::Registrations(options) => registrations::run(options).await,
            Command::Trace(options) => trace::run(options).await,
            Command::Emergency(options) => emergency::run(options).await,
            Command::Undo(options) => undo::run(options).await,
            Command::Zone(options) => zone::run(options).await,
            Command::Voicemail(options) => voicemail::run(&options),
            Command::CheckConfig(options) => check_config::run(&options),
        }
        .map(done)
    });
    result.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    complain(error);
    ExitCode::FAILURE
}

#[allow(clippy::print_stderr, reason = "a command's complaint goes to its user")]
fn complain(error: &anyhow::Error) {
    eprintln!("ngn: {error:#}");
}

/// Prints a line of the command's own output.
#[allow(clippy::print_stdout, reason = "a command's output goes to its user")]
fn say(text: &str) {
    println!("{text}");
}
