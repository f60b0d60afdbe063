//! `ngn demo`: starts a platform, provisions it through its own SOAP API, lets phones call one another and asks DNS,
//! with a transcript of what happens.

mod dns;
mod phone;
mod soap;

use crate::platform::{Addresses, Platform};
use crate::{emergency, explain, say};
use anyhow::{Context as _, ensure};
use hickory_proto::rr::RecordType;
use ngn_daemon::{logging, shutdown_signal};
use ngn_model::Position;
use phone::{Manner, Phone};
use soap::{
    Account, AccountOf, AddAlias, AddDomain, AddNumber, AddRange, Alias, Client, Diversions,
    Domain, EnumId, Mapping, Mappings, Number, Operation, Range, RangeId, SetCallDiversions, SipId,
};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;
use tokio::task::JoinSet;

/// The SIP domain of the demonstration (RFC 2606).
const DOMAIN: &str = "demo.example";
/// Where its numbers are published: not below e164.arpa, which others delegate.
const TLD: &str = "e164.demo.example";
/// Its block of numbers.
const PREFIX: &str = "31201234";
/// The number that is asked for.
const NUMBER: &str = "31201234567";

/// The emergency number that is called.
const EMERGENCY: &str = "112";

/// Where the demonstration runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where the platform keeps its files.
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    data: PathBuf,
    /// Where SOAP is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9200")]
    soap: SocketAddr,
    /// Where SIP is served, UDP and TCP.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5060")]
    sip: SocketAddr,
    /// Where DNS is served, UDP and TCP.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5300")]
    dns: SocketAddr,
    /// Where the admin port is served.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9280")]
    admin: SocketAddr,
    /// Ends after the transcript instead of staying up until Ctrl-C.
    #[arg(long)]
    once: bool,
}

/// Runs it.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    logging::start("warn").map_err(anyhow::Error::msg)?;
    let Options { soap, sip, dns, admin, .. } = options;
    let addresses = Addresses { soap, sip, dns, admin };
    let mut platform = Platform::start(&options.data, None, addresses).await?;
    let mut phones = JoinSet::new();
    let told = tell(&platform, &mut phones).await;
    if told.is_ok() && !options.once {
        say(&platform.ready_line());
        tokio::select! {
            failure = platform.failure() => return Err(failure),
            () = shutdown_signal() => say("stopping"),
        }
    }
    phones.shutdown().await;
    platform.stop().await?;
    told
}

/// The whole story; every step that does not end as it should is an error.
async fn tell(platform: &Platform, phones: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let Addresses { soap, sip, dns, admin } = platform.addresses;
    say(&format!(
        "The platform runs. Administrator: admin, password in {}",
        platform.password_file.display()
    ));

    say(&format!("\n1. Provision over SOAP, http://{soap}/"));
    let password = fs::read_to_string(&platform.password_file)?.trim().to_owned();
    let client = Client { server: soap, password };
    let secret = phone::token()?;
    let position = provision(&client, &secret).await?;
    let began = Instant::now();
    platform.wait_position(position).await?;
    say(&format!(
        "   SIP and DNS show everything up to change {position}, {} ms after the last reply",
        began.elapsed().as_millis()
    ));

    say(&format!("\n2. Phones register, sip:{sip}"));
    let mut ready = Vec::new();
    for user in ["alice", "bob", "carol"] {
        let phone = Phone::new(sip, user, DOMAIN, &secret).await?;
        let story = phone.register().await?;
        ensure!(story.outcome() == 200, "{} was not registered: {story}", phone.address());
        say(&format!("   {:24} REGISTER: {story}", phone.address()));
        ready.push(phone);
    }
    let [alice, bob, carol]: [Phone; 3] =
        ready.try_into().ok().context("three phones were made")?;
    phones.spawn(bob.serve(Manner::Answer));
    phones.spawn(carol.serve(Manner::Busy));

    say("\n3. Calls");
    for (callee, diverts_to, note, expected) in [
        ("bob", None, "rings, is answered, and hangs up", 200),
        ("desk", None, "an alias of bob", 200),
        ("nobody", None, "is no account", 404),
        ("carol", None, "is busy", 486),
        ("carol", Some("bob"), "is busy, and now diverts to bob", 200),
    ] {
        if let Some(target) = diverts_to {
            let position = divert(&client, callee, Some(target)).await?;
            platform.wait_position(position).await?;
        }
        let callee = format!("sip:{callee}@{DOMAIN}");
        let story = alice.call(&callee).await?;
        ensure!(story.outcome() == expected, "the call to {callee} ended with {story}");
        say(&format!("   alice calls {callee:24} INVITE: {story}  ({note})"));
    }

    let dispatcher = format!("sip:bob@{DOMAIN}");
    let mapped = emergency::map(&platform.store, "demo", (EMERGENCY, DOMAIN), &dispatcher).await?;
    if let Some(Position(position)) = mapped {
        platform.wait_position(position).await?;
    }
    let callee = format!("sip:{EMERGENCY}@{DOMAIN}");
    let story = alice.call(&callee).await?;
    ensure!(story.outcome() == 200, "the emergency call ended with {story}");
    say(&format!("   alice calls {callee:24} INVITE: {story}  (emergency; bob takes these calls)"));

    say(&format!("\n   Why? ngn explain --admin {admin} --from alice@{DOMAIN} --to {callee}"));
    let call = [("from", format!("alice@{DOMAIN}")), ("to", callee)];
    for line in explain::text(&explain::ask(admin, &call).await?).lines() {
        say(&format!("   {line}"));
    }

    say(&format!("\n4. DNS, {dns}"));
    let apex = enum_name(PREFIX);
    for (name, kind) in [(enum_name(NUMBER), RecordType::NAPTR), (apex, RecordType::SOA)] {
        let answers = dns::ask(dns, &name, kind).await?;
        ensure!(!answers.is_empty(), "DNS has no {kind} for {name}");
        for answer in answers {
            say(&format!("   {name} {kind} {answer}"));
        }
    }

    say(&format!(
        "\nTry next:\n   dig @{} -p {} {} NAPTR\n   curl http://{soap}/wsdl\n   \
         NGN_URL=http://{soap}/ NGN_PASSWORD=$(cat {}) sh examples/curl/provision.sh\n   \
         any SIP phone: user alice, domain {DOMAIN}, password {secret}, outbound proxy {sip}\n",
        dns.ip(),
        dns.port(),
        enum_name(NUMBER),
        platform.password_file.display(),
    ));
    Ok(())
}

/// Adds everything; what an earlier demonstration left is taken over. Gives the last change's position.
async fn provision(client: &Client, secret: &str) -> anyhow::Result<u64> {
    let id = |user: &str| SipId { username: user.to_owned(), domain: DOMAIN.to_owned() };
    let mut position = 0;
    let domain = Domain { domain: DOMAIN.to_owned() };
    let operation = Operation { add_domain: Some(AddDomain { domain }), ..Operation::default() };
    position = add(client, &format!("addDomain   {DOMAIN}"), operation).await?.unwrap_or(position);
    for (user, first_name) in [("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol")] {
        let account = Account {
            id: id(user),
            password: secret.to_owned(),
            first_name: first_name.to_owned(),
            last_name: "Demo".to_owned(),
        };
        let account = AccountOf { account };
        let operation = Operation { add_account: Some(account.clone()), ..Operation::default() };
        let what = format!("addAccount  {user}@{DOMAIN}");
        position = match add(client, &what, operation).await? {
            Some(position) => position,
            None => {
                let again = Operation { update_account: Some(account), ..Operation::default() };
                client.call(again).await?.map_err(|refused| {
                    anyhow::anyhow!("updateAccount was refused: {} {}", refused.code, refused.text)
                })?
            }
        };
    }
    let number = Number {
        id: EnumId { number: NUMBER.to_owned(), tld: TLD.to_owned() },
        mappings: Mappings {
            item: vec![Mapping { kind: "sip".to_owned(), mapto: format!("sip:alice@{DOMAIN}") }],
        },
    };
    let range = Range {
        id: RangeId { prefix: PREFIX.to_owned(), tld: TLD.to_owned() },
        min_digits: 11,
        max_digits: 11,
        size: 1000,
    };
    let alias = Alias { id: id("desk"), target: id("bob") };
    for (what, operation) in [
        (
            format!("addAlias    desk@{DOMAIN}, another address of bob"),
            Operation { add_alias: Some(AddAlias { alias }), ..Operation::default() },
        ),
        (
            format!("addRange    +{PREFIX}xxx in {TLD}"),
            Operation { add_range: Some(AddRange { range }), ..Operation::default() },
        ),
        (
            format!("addNumber   +{NUMBER} for sip:alice@{DOMAIN}"),
            Operation { add_number: Some(AddNumber { number }), ..Operation::default() },
        ),
    ] {
        position = add(client, &what, operation).await?.unwrap_or(position);
    }
    Ok(position.max(divert(client, "carol", None).await?))
}

/// Sets where calls go while an account is busy. Gives the change's position.
async fn divert(client: &Client, user: &str, to: Option<&str>) -> anyhow::Result<u64> {
    let diversions = Diversions { busy: to.map(|to| format!("sip:{to}@{DOMAIN}")) };
    let sip_id = SipId { username: user.to_owned(), domain: DOMAIN.to_owned() };
    let set_call_diversions = Some(SetCallDiversions { sip_id, diversions });
    let operation = Operation { set_call_diversions, ..Operation::default() };
    client.call(operation).await?.map_err(|refused| {
        anyhow::anyhow!("setCallDiversions was refused: {} {}", refused.code, refused.text)
    })
}

/// Adds one thing; `None` when it is there already.
async fn add(client: &Client, what: &str, operation: Operation) -> anyhow::Result<Option<u64>> {
    /// "Exists already", of domain, account, alias, range, number (contract D2).
    const EXISTS: [u16; 5] = [1001, 1011, 1021, 3001, 3003];
    match client.call(operation).await? {
        Ok(position) => {
            say(&format!("   {what}"));
            Ok(Some(position))
        }
        Err(refused) if EXISTS.contains(&refused.code) => {
            say(&format!("   {what} (there already)"));
            Ok(None)
        }
        Err(refused) => anyhow::bail!("{what} was refused: {} {}", refused.code, refused.text),
    }
}

/// The name of a number in DNS (RFC 6116 section 3.2).
fn enum_name(number: &str) -> String {
    let digits: Vec<String> = number.chars().rev().map(String::from).collect();
    format!("{}.{TLD}", digits.join("."))
}
