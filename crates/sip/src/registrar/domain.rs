//! Whether a REGISTER is for this registrar (RFC 3261 section 10.3 steps 1 and 5).

use super::Reply;
use crate::uri::Uri;
use ngn_model::{Aor, DomainName};

/// Whether a registrar looks at the bindings of an address, one of its own, for whoever names it so in the
/// Request-URI; `is_own` says which names are the registrar's own, its domains among them.
///
/// An address is valid for the names of hosts in its own domain too, since phones put the name of the proxy there
/// that they were told. So it is for IP addresses, which translators change on the way, and for names without a
/// dot, which are no domain of anybody else. A registration for any other domain is not forwarded, as step 1 has
/// it for proxies: its address is not one of that domain, so that the registrar there could only refuse it.
///
/// # Errors
///
/// The refusal.
pub fn check_domain(
    uri: &Uri,
    aor: &Aor,
    is_own: impl Fn(&DomainName) -> bool,
) -> Result<(), Reply> {
    // Section 8.2.2.1: it names no domain at all.
    let Some(host) = uri.host() else {
        return Err(Reply::refusal(416, "Unsupported URI Scheme"));
    };
    if host.ip().is_some() {
        return Ok(());
    }
    let is_served = DomainName::new(uri.host_text()).is_ok_and(|name| {
        name.is_within(aor.domain()) || !name.as_str().contains('.') || is_own(&name)
    });
    is_served.then_some(()).ok_or(Reply::refusal(404, "Request-URI Is Not of This Registrar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3261_10_3_1_domains_that_are_served() {
        let aor: Aor = "alice@example.com".parse().expect("an address");
        let names = ["example.com", "example.net", "proxy.provider.example"];
        let is_own = |name: &DomainName| names.contains(&name.as_str());
        for (uri, status) in [
            ("sip:example.com", None),
            ("sips:EXAMPLE.com:5061;transport=tls", None),
            ("sip:alice@example.com", None),
            ("sip:example.com.", None),
            ("sip:proxy.example.com", None),
            ("sip:proxy.provider.example:5070", None),
            ("sip:example.net", None),
            ("sip:192.0.2.1", None),
            ("sip:[2001:db8::1]:5060", None),
            ("sip:localhost", None),
            ("sip:example.org", Some(404)),
            ("sip:notexample.com", Some(404)),
            ("sip:com.", None),
            ("sip:provider.example", Some(404)),
            ("sip:example.com.example.org", Some(404)),
            ("tel:+1", Some(416)),
            ("urn:service:sos", Some(416)),
        ] {
            let read = Uri::parse(uri).expect("a URI");
            let refused = check_domain(&read, &aor, is_own).err().map(|reply| reply.status);
            assert_eq!(refused, status, "{uri}");
        }
    }
}
