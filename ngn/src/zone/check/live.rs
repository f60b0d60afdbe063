//! What the parent publishes, and what the zone's servers answer.

use super::Findings;
use super::ask::{Servers, ask, data};
use super::phones::{has_address, inside, reachable};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::RecordType;
use ngn_model::zone::ZoneRows;
use std::net::{IpAddr, SocketAddr};

/// How many servers of one zone are asked.
const MOST_SERVERS: usize = 13;

/// The names of the zone's servers, sorted.
fn name_servers(rows: &ZoneRows) -> Vec<String> {
    let apex = rows.apex.as_str();
    let own = rows.records.iter().filter(|row| row.rtype == "NS" && row.name == apex);
    let mut names: Vec<String> = own.map(|row| row.content.clone()).collect();
    names.sort();
    names
}

/// The addresses that the zone has for a name, sorted.
fn addresses(rows: &ZoneRows, name: &str) -> Vec<String> {
    let own = |rtype: &str| matches!(rtype, "A" | "AAAA");
    let here = rows.records.iter().filter(|row| row.name == name && own(&row.rtype));
    let mut found: Vec<String> = here.map(|row| row.content.clone()).collect();
    found.sort();
    found
}

/// What the parent must publish.
pub(super) fn delegation(rows: &ZoneRows, ds: &[String], found: &mut Findings) {
    let apex = rows.apex.as_str();
    let servers = name_servers(rows);
    for server in &servers {
        found.note(format!("the parent publishes: {apex}. NS {server}."));
        reachable(rows, server, &format!("the NS record of {apex}"), found);
        if inside(rows, server) && has_address(rows, server) {
            let glue = addresses(rows, server).join(", ");
            found.note(format!("the parent publishes as glue: {server}. {glue}"));
        }
    }
    for ds in ds {
        found.note(format!("the parent publishes: {ds}"));
    }
    match servers.len() {
        0 => found.wrong(format!("{apex} has no name server; name some in its attributes")),
        1 => found.doubt(format!(
            "{apex} has one name server alone; two or more go on when one fails (RFC 2182)"
        )),
        _ => {}
    }
}

/// Asks the parent's servers and the zone's own.
pub(super) async fn check(servers: &Servers, rows: &ZoneRows, ds: &[String], found: &mut Findings) {
    if let Err(error) = parent(servers, rows, ds, found).await {
        found.wrong(format!("what the parent publishes cannot be known: {error:#}"));
    }
    for server in name_servers(rows).iter().take(MOST_SERVERS) {
        let own: Vec<SocketAddr> = addresses(rows, server)
            .iter()
            .filter_map(|text| text.parse::<IpAddr>().ok())
            .map(|ip| SocketAddr::new(ip, servers.port))
            .collect();
        let known = if own.is_empty() { servers.addresses(server).await } else { Ok(own) };
        match known {
            Err(error) => {
                found.wrong(format!("the addresses of {server} cannot be known: {error:#}"))
            }
            Ok(known) if known.is_empty() => {
                found.wrong(format!("{server} has no address that the resolver knows"));
            }
            Ok(known) => {
                for address in known {
                    answers(rows, server, address, found).await;
                }
            }
        }
    }
}

/// Whether a server knows the zone as it is here.
async fn answers(rows: &ZoneRows, server: &str, address: SocketAddr, found: &mut Findings) {
    let (apex, serial) = (rows.apex.as_str(), rows.serial);
    let who = format!("{server} ({address})");
    let answer = match ask(address, apex, RecordType::SOA, false).await {
        Ok(answer) => answer,
        Err(error) => return found.wrong(format!("{who}: {error:#}")),
    };
    let soa = data(&answer.answers, Some(apex), RecordType::SOA);
    let theirs: Option<u32> = soa.first().and_then(|text| text.split(' ').nth(2)?.parse().ok());
    match theirs {
        _ if answer.metadata.response_code != ResponseCode::NoError => {
            let code = answer.metadata.response_code;
            found.wrong(format!("{who} does not serve {apex}: it answers {code}"));
        }
        None => found.wrong(format!("{who} has no SOA record of {apex}")),
        Some(_) if !answer.metadata.authoritative => {
            found.wrong(format!("{who} is no authority of {apex}: it answers from somewhere else"));
        }
        Some(theirs) if theirs != serial => {
            found.wrong(format!("{who} has serial {theirs} of {apex}, and here it is {serial}"));
        }
        Some(theirs) => found.note(format!("{who} has serial {theirs} of {apex}, as here")),
    }
}

/// Compares what the parent publishes with what it must.
async fn parent(
    servers: &Servers,
    rows: &ZoneRows,
    ds: &[String],
    found: &mut Findings,
) -> anyhow::Result<()> {
    let apex = rows.apex.as_str();
    let (above, names) = servers.parent(apex).await?;
    let mut failure = anyhow::anyhow!("no server of {above} has an address");
    for name in names.iter().take(MOST_SERVERS) {
        for address in servers.addresses(name).await? {
            let asked = async {
                let answer = ask(address, apex, RecordType::NS, false).await?;
                let signed = ask(address, apex, RecordType::DS, false).await?;
                anyhow::Ok((answer, signed))
            };
            match asked.await {
                Ok((answer, signed)) => {
                    compare(rows, ds, (&format!("{name} ({address})"), &answer, &signed), found);
                    return Ok(());
                }
                Err(error) => failure = error,
            }
        }
    }
    Err(failure)
}

fn compare(
    rows: &ZoneRows,
    ds: &[String],
    (who, answer, signed): (&str, &Message, &Message),
    found: &mut Findings,
) {
    let apex = rows.apex.as_str();
    let mut theirs = data(&answer.answers, Some(apex), RecordType::NS);
    if theirs.is_empty() {
        theirs = data(&answer.authorities, Some(apex), RecordType::NS);
    }
    let ours = name_servers(rows);
    if theirs.is_empty() {
        return found
            .wrong(format!("{who} does not lead to {apex}: have its NS records published there"));
    }
    if theirs == ours {
        found.note(format!("{who} leads to {}", theirs.join(", ")));
    } else {
        let (theirs, ours) = (theirs.join(", "), ours.join(", "));
        found.wrong(format!("{who} leads to {theirs}, and the zone says {ours}"));
    }
    for server in ours.iter().filter(|server| inside(rows, server)) {
        let mut glue = data(&answer.additionals, Some(server), RecordType::A);
        glue.extend(data(&answer.additionals, Some(server), RecordType::AAAA));
        glue.sort();
        let own = addresses(rows, server);
        if !glue.is_empty() && glue != own {
            let (glue, own) = (glue.join(", "), own.join(", "));
            found.wrong(format!("{who} has the glue {glue} of {server}, and the zone says {own}"));
        }
    }
    let published = data(&signed.answers, Some(apex), RecordType::DS);
    let mut wanted: Vec<String> = ds
        .iter()
        .filter_map(|line| Some(line.split_once(" DS ")?.1.to_ascii_lowercase()))
        .collect();
    wanted.sort();
    if published == wanted {
        return;
    }
    let list = |records: &[String]| {
        if records.is_empty() { "none".to_owned() } else { records.join(", ") }
    };
    found.wrong(format!(
        "{who} has the DS records {}, and they should be {}",
        list(&published),
        list(&wanted)
    ));
}
