//! What is written about a call.

use ngn_sip::stack::IncomingRequest;
use ngn_store::Cdr;

/// What is known of a call when it begins.
pub(crate) fn call_record(incoming: &IncomingRequest, payer: String) -> Cdr {
    let request = &incoming.request;
    let text = |name: &str| {
        request.field_named(name).map(|f| f.unfolded().into_owned()).unwrap_or_default()
    };
    let from = request.from_header().ok();
    let from_aor = from.as_ref().and_then(|from| from.uri().aor());
    let uri = request.request_uri().map(ToString::to_string).unwrap_or_default();
    Cdr {
        session_id: request.call_id().unwrap_or_default().to_owned(),
        from_tag: from.as_ref().and_then(|from| from.tag()).unwrap_or_default().to_owned(),
        to_tag: String::new(),
        username: payer.clone(),
        billing_party: payer,
        realm: from_aor.as_ref().map(|aor| aor.domain().to_string()).unwrap_or_default(),
        from_uri: from_aor.map(|aor| aor.to_string()).unwrap_or_default(),
        from_header: text("From"),
        to_uri: uri.trim_start_matches("sip:").to_owned(),
        canonical_uri: String::new(),
        translated_uri: String::new(),
        method: "INVITE".to_owned(),
        status: 0,
        started_at: 0,
        stopped_at: None,
        application: "audio".to_owned(),
        codecs: String::new(),
        user_agents: text("User-Agent"),
        rpid: String::new(),
        source_ip: incoming.source.remote.ip().to_string(),
        source_port: incoming.source.remote.port(),
        proxy_ip: incoming.source.local.ip().to_string(),
        billing_id: String::new(),
        enum_tld: String::new(),
        contact: text("Contact"),
        delay: 0,
    }
}
