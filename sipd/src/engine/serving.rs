//! What the platform answers as a server, asked by the name of a domain or by its own address (RFC 3261 section 8.2).

use super::Fields;
use ngn_sip::header::{HeaderName, OptionTags};
use ngn_sip::message::{Message, Method};

/// The extensions that registrations may need.
pub(super) const EXTENSIONS: [&str; 3] = ["path", "outbound", "gruu"];
/// What accounts can be sent; other methods are forwarded to them all the same.
const FORWARDED: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, SUBSCRIBE, NOTIFY";
/// What a domain, or the platform itself, can be sent.
const SERVED: &str = "OPTIONS, REGISTER";
/// The bodies that do not disturb.
const ACCEPTED: &str = "application/sdp";

/// The answer to a request for a domain, in the order of section 8.2: dialogs, methods, extensions, bodies.
pub(super) fn answer(method: &Method, request: &Message, is_stray: bool) -> (u16, Fields) {
    let field = |name, value: &str| (name, value.to_owned());
    if *method != Method::Options {
        // There are no dialogs with a domain (section 12.2.2).
        let allowed = field(HeaderName::Allow, SERVED);
        return if is_stray { (481, Vec::new()) } else { (405, vec![allowed]) };
    }
    let required = request.option_tags(HeaderName::Require).unwrap_or_default();
    let unknown = required.unknown(&EXTENSIONS);
    if !unknown.is_empty() {
        return (420, unsupported(&unknown));
    }
    if let Some(fields) = unacceptable(request, &[ACCEPTED]) {
        return (415, fields);
    }
    // Section 11.2.
    let fields = vec![
        field(HeaderName::Allow, FORWARDED),
        field(HeaderName::Accept, ACCEPTED),
        field(HeaderName::AcceptEncoding, "identity"),
        field(HeaderName::AcceptLanguage, "en"),
        field(HeaderName::Supported, &EXTENSIONS.join(", ")),
    ];
    (200, fields)
}

/// What a 420 says (section 8.2.2.3).
pub(super) fn unsupported(unknown: &OptionTags) -> Fields {
    vec![(HeaderName::Unsupported, unknown.to_string())]
}

/// What a 415 says of a body that must be understood and is not (section 8.2.3); `None` where nothing is wrong. Registrations
/// of some phones carry bodies that are for others, without a word on it: only those count that say they are required.
pub(super) fn unacceptable(request: &Message, types: &[&str]) -> Option<Fields> {
    let text = |name| request.field(name).map(|field| field.unfolded().into_owned());
    let disposition = text(HeaderName::ContentDisposition).unwrap_or_default();
    let is_required = disposition.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("handling")
            && value.trim().eq_ignore_ascii_case("required")
    });
    if request.body().is_empty() || !is_required {
        return None;
    }
    let encoding = text(HeaderName::ContentEncoding).unwrap_or_default();
    if !encoding.trim().is_empty() && !encoding.trim().eq_ignore_ascii_case("identity") {
        return Some(vec![(HeaderName::AcceptEncoding, "identity".to_owned())]);
    }
    let kind = text(HeaderName::ContentType).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_known = types.iter().any(|known| known.eq_ignore_ascii_case(kind));
    (!is_known).then(|| vec![(HeaderName::Accept, types.join(", "))])
}
