//! The records by which telephones find the servers of a SIP domain (RFC 3263 section 4).

use super::Findings;
use ngn_model::zone::{RecordRow, ZoneRows};

/// A way by which telephones reach us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    service: &'static str,
    srv: &'static str,
    port: u16,
}

pub(super) const UDP: Way = Way { service: "SIP+D2U", srv: "_sip._udp", port: 5060 };
pub(super) const TCP: Way = Way { service: "SIP+D2T", srv: "_sip._tcp", port: 5060 };
pub(super) const TLS: Way = Way { service: "SIPS+D2T", srv: "_sips._tcp", port: 5061 };

/// What is wrong with the records of a SIP domain in its zone, and the lines of a master file that it lacks.
pub(super) fn check(
    rows: &ZoneRows,
    domain: &str,
    ways: &[Way],
    sip_server: Option<&str>,
) -> (Findings, String) {
    let mut found = Findings::default();
    let mut lines = String::new();
    let target = sip_server
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .or_else(|| {
            ways.iter().find_map(|way| targets(rows, domain, way).next().map(str::to_owned))
        })
        .or_else(|| has_address(rows, domain).then(|| domain.to_owned()));
    for (index, way) in ways.iter().enumerate() {
        let Way { service, srv, port } = way;
        let quoted = format!("\"{}\"", service.to_ascii_lowercase());
        let named =
            at(rows, domain, "NAPTR").any(|row| row.content.to_ascii_lowercase().contains(&quoted));
        if !named {
            found.doubt(format!(
                "the SIP domain {domain} has no NAPTR record of {service}; --fix adds it"
            ));
            let preference = (index + 1) * 10;
            lines.push_str(&format!(
                "{domain}. 3600 IN NAPTR 10 {preference} \"s\" \"{service}\" \"\" {srv}.{domain}.\n"
            ));
        }
        let mut count = 0;
        for host in targets(rows, domain, way) {
            count += 1;
            reachable(rows, host, &format!("{srv}.{domain}"), &mut found);
        }
        if count > 0 {
            continue;
        }
        let what = format!("the SIP domain {domain} has no SRV record at {srv}.{domain}");
        match &target {
            Some(target) => {
                lines.push_str(&format!("{srv}.{domain}. 3600 IN SRV 10 0 {port} {target}.\n"));
                let what = format!("{what}; --fix adds one that leads to {target}");
                // Without NAPTR and SRV, telephones ask for the domain's own address (RFC 3263 section 4.2).
                if has_address(rows, domain) { found.doubt(what) } else { found.wrong(what) }
            }
            None => found.wrong(format!("{what}; --fix --sip-server NAME adds it")),
        }
    }
    (found, lines)
}

fn at<'r>(
    rows: &'r ZoneRows,
    name: &'r str,
    rtype: &'r str,
) -> impl Iterator<Item = &'r RecordRow> {
    rows.records.iter().filter(move |row| row.name == name && row.rtype == rtype)
}

/// Where the SRV records of a way lead.
fn targets<'r>(rows: &'r ZoneRows, domain: &str, way: &Way) -> impl Iterator<Item = &'r str> {
    let name = format!("{}.{domain}", way.srv);
    let here = rows.records.iter().filter(move |row| row.name == name && row.rtype == "SRV");
    here.filter_map(|row| row.content.rsplit(' ').next())
}

/// Whether a name of the zone has an address.
pub(super) fn has_address(rows: &ZoneRows, name: &str) -> bool {
    at(rows, name, "A").chain(at(rows, name, "AAAA")).next().is_some()
}

/// Whether a name lies in the zone.
pub(super) fn inside(rows: &ZoneRows, name: &str) -> bool {
    let head = name.strip_suffix(rows.apex.as_str());
    head.is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// A name of the zone that another record leads to has an address, and is no alias (RFC 2181 section 10.3, RFC 2782).
pub(super) fn reachable(rows: &ZoneRows, host: &str, by: &str, found: &mut Findings) {
    if host == "." || !inside(rows, host) {
        return;
    }
    if at(rows, host, "CNAME").next().is_some() {
        found.wrong(format!(
            "{by} leads to {host}, which is an alias; let it lead to a name with addresses"
        ));
    } else if !has_address(rows, host) {
        found.wrong(format!("{by} leads to {host}, which has no address; add an A or AAAA record"));
    }
}
