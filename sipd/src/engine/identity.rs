//! What a request says about who sends it: privacy, and earlier diversions.

use super::Engine;
use super::admission::protocol;
use ngn_model::Aor;
use ngn_routing::Asks;
use ngn_routing::history::{Before, diversions_in};
use ngn_sip::header::{HeaderName, split_list};
use ngn_sip::message::Message;
use ngn_sip::stack::Source;
use ngn_sip::uri::Uri;

/// The option tag of privacy (RFC 3323 section 4.3), the only one that Proxy-Require may have.
pub(crate) const PRIVACY: &str = "privacy";
/// [`ngn_routing::ASSERTIONS`] as names, which each message is searched for.
const ASSERTED: [HeaderName; 3] =
    [HeaderName::PAssertedIdentity, HeaderName::PPreferredIdentity, HeaderName::RemotePartyId];
/// How many entries of a kind are read.
const MOST: usize = 64;

/// RFC 3323 section 4.2, RFC 3325 section 9.3: whether the caller asks not to be shown.
pub(super) fn wants_privacy(request: &Message) -> bool {
    asks_for(request, &["id", "header", "user"])
}

/// Who a request says to the proxy alone that it is from (RFC 3325 sections 9.1 and 9.2). It proves nothing.
pub(super) fn told_to_us(request: &Message) -> impl Iterator<Item = Aor> {
    let names = [HeaderName::PPreferredIdentity, HeaderName::PAssertedIdentity];
    let values = names.into_iter().flat_map(|name| entries(request, name));
    values.filter_map(|value| {
        let within = value.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next());
        Uri::parse(within.unwrap_or(&value).trim()).ok()?.aor()
    })
}

impl Engine {
    /// RFC 3325 section 5: what phones and foreign domains assert within a dialog, or in an answer, is taken off. What begins
    /// something is decided about with everything else.
    pub(super) fn drop_assertions(&self, source: &Source, message: &mut Message) {
        let begins =
            || message.is_request() && message.to_header().is_ok_and(|to| to.tag().is_none());
        let asserts = message.fields().any(|field| ASSERTED.contains(&field.name()));
        if !asserts || begins() || self.is_believed(source) {
            return;
        }
        for name in ASSERTED {
            message.remove(name);
        }
    }

    /// Whether a message comes from within the domain of trust: a trunk, a gateway, a voicemail server or another node.
    fn is_believed(&self, source: &Source) -> bool {
        let address = source.remote.ip();
        self.directory.peer(address, protocol(&source.transport)).is_some()
            || self.gateways.is_at(address)
            || self.is_voicemail_server(address)
            || self.is_node(address)
    }
}

/// What else it says about privacy and diversions.
pub(super) fn asks(request: &Message) -> Asks {
    Asks {
        header_privacy: asks_for(request, &["header", "user"]),
        is_critical: asks_for(request, &["critical"]),
        diversions_before: diversions_in(&entries(request, HeaderName::Diversion)),
    }
}

/// Whether all privacy that is asked for is given here: who calls is not told. A proxy cannot hide all that a header says.
pub(super) fn is_done_here(request: &Message) -> bool {
    !asks_for(request, &["header", "session"])
}

fn asks_for(request: &Message, values: &[&str]) -> bool {
    request.named(HeaderName::Privacy).filter_map(|field| field.text()).any(|text| {
        let mut words = text.split([';', ',']).map(str::trim);
        words.any(|word| values.iter().any(|value| word.eq_ignore_ascii_case(value)))
    })
}

/// What a request says about earlier diversions.
pub(super) struct Told {
    /// Its Request-URI.
    pub(super) called: String,
    diversions: Vec<String>,
    history: Vec<String>,
}

impl Told {
    /// What counts of it: nothing of what those say who are not trusted.
    pub(super) fn of(request: &Message, is_trusted: bool) -> Self {
        let read = |name| if is_trusted { entries(request, name) } else { Vec::new() };
        Self {
            called: request.request_uri().map(ToString::to_string).unwrap_or_default(),
            diversions: read(HeaderName::Diversion),
            history: read(HeaderName::HistoryInfo),
        }
    }

    pub(super) fn before(&self) -> Before<'_> {
        Before { diversions: &self.diversions, history: &self.history }
    }
}

/// The entries of all fields of a name.
fn entries(request: &Message, name: HeaderName) -> Vec<String> {
    // A display name that is not UTF-8 hides nobody.
    let fields = request.named(name).map(|field| field.unfolded());
    let parts = fields
        .flat_map(|text| -> Vec<_> { split_list(&text).take(MOST).map(str::to_owned).collect() });
    parts.filter(|part| !part.is_empty()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_sip::message::Limits;

    fn request(fields: &str) -> Message {
        let text = format!(
            "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{fields}\
             From: <sip:a@example.com>;tag=f\r\nTo: <sip:b@example.com>\r\nCall-ID: c1\r\n\
             CSeq: 2 INVITE\r\n\r\n"
        );
        Message::parse(text.into(), &Limits::default()).expect("a request")
    }

    #[test]
    fn assertions_are_known_by_their_names() {
        assert_eq!(ASSERTED.map(HeaderName::as_str), ngn_routing::ASSERTIONS);
    }

    #[test]
    fn privacy_values() {
        for (fields, wants, header, critical) in [
            ("", false, false, false),
            ("Privacy: none\r\n", false, false, false),
            ("Privacy: id\r\n", true, false, false),
            ("Privacy: ID;critical\r\n", true, false, true),
            ("Privacy: header\r\n", true, true, false),
            ("Privacy: user; critical\r\n", true, true, true),
            ("Privacy: identity\r\n", false, false, false),
        ] {
            let (request, asks) = (request(fields), asks(&request(fields)));
            let told = (wants_privacy(&request), asks.header_privacy, asks.is_critical);
            assert_eq!(told, (wants, header, critical), "{fields}");
        }
    }

    #[test]
    fn entries_of_those_who_are_trusted() {
        let request = request(
            "Diversion: \"x, \\\"y<\" <sip:a@b?c=1,2>;reason=unknown;counter=3, <sip:d@e>;counter=99999999999\r\n\
             Diversion: <sip:f@g>\r\nHistory-Info: <sip:b@example.com>;index=1\r\n",
        );
        let told = Told::of(&request, true);
        assert_eq!(told.before().diversions.len(), 3);
        assert_eq!(told.before().diversions.last().map(String::as_str), Some("<sip:f@g>"));
        assert_eq!(told.before().history, ["<sip:b@example.com>;index=1"]);
        assert_eq!(told.called, "sip:b@example.com");
        // What nobody believes counts as a thousand.
        assert_eq!(asks(&request).diversions_before, 3 + 1000 + 1);
        assert!(Told::of(&request, false).before().diversions.is_empty());
    }
}
