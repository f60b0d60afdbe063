//! What is written about a call.
//!
//! Texts are quoted-printable, as RADIUS accounting left them in this table: its readers decode them.

use crate::facts::Called;
use ngn_model::Aor;
use ngn_model::escapes::unescape;
use ngn_sip::message::Message;
use ngn_sip::stack::{IncomingRequest, Source};
use ngn_sip::uri::Uri;
use ngn_store::{Cdr, CdrMove, CdrStop};
use std::fmt::Write as _;
use std::time::Instant;

/// A call that is being set up.
#[derive(Debug)]
pub(crate) struct Attempt {
    cdr: Cdr,
    begun: Instant,
    /// What the caller's phone offered.
    offer: Media,
    /// The targets of each step, as URIs.
    targets: Vec<Vec<String>>,
}

/// Who has part in a call, as far as known when it begins.
#[derive(Debug, Default)]
pub(crate) struct Parties {
    /// The account that calls and pays; empty for none of ours.
    pub(crate) payer: String,
    /// The domain of the account that calls; `None`: that of From.
    pub(crate) realm: Option<String>,
    /// The payer's caller id towards the PSTN.
    pub(crate) rpid: String,
    /// Who was called.
    pub(crate) called: Called,
    /// Our address, as others see it.
    pub(crate) proxy: String,
    /// This node.
    pub(crate) node: String,
}

impl Attempt {
    /// Begins.
    pub(crate) fn new(request: &Message, source: &Source, parties: Parties) -> Self {
        let Parties { payer, realm, rpid, called, proxy, node } = parties;
        let from = request.from_header().ok();
        let from_aor = from.as_ref().and_then(|from| from.uri().aor());
        let cdr = Cdr {
            session_id: quoted(request.call_id().unwrap_or_default()),
            from_tag: quoted(from.as_ref().and_then(|from| from.tag()).unwrap_or_default()),
            username: payer.clone(),
            billing_party: payer,
            realm: realm
                .or_else(|| from_aor.as_ref().map(|aor| aor.domain().to_string()))
                .unwrap_or_default(),
            from_uri: from_aor.map(|aor| quoted(&aor.to_string())).unwrap_or_default(),
            from_header: quoted(&text(request, "From")),
            to_uri: request.request_uri().map(dialled).unwrap_or_default(),
            canonical_uri: quoted(&called.canonical),
            enum_tld: called.enum_tree,
            method: "INVITE".to_owned(),
            user_agents: quoted(&text(request, "User-Agent")),
            rpid: quoted(&rpid),
            source_ip: source.remote.ip().to_canonical().to_string(),
            source_port: source.remote.port(),
            proxy_ip: proxy,
            node,
            contact: quoted(&text(request, "Contact")),
            ..Cdr::default()
        };
        Self { cdr, begun: Instant::now(), offer: Media::of(request), targets: Vec::new() }
    }

    /// The same for a request that came up.
    pub(crate) fn of(incoming: &IncomingRequest, parties: Parties) -> Self {
        Self::new(&incoming.request, &incoming.source, parties)
    }

    /// Notes where the call may go.
    pub(crate) fn set_targets(&mut self, targets: Vec<Vec<String>>) {
        self.targets = targets;
    }

    /// The call was answered by a target; `now` is in milliseconds since 1970 UTC.
    pub(crate) fn answered(
        self,
        place: (usize, usize),
        response: Option<&Message>,
        (status, to_tag): (u16, &str),
        now: i64,
    ) -> Cdr {
        let chosen = response.map(Media::of).filter(|media| !media.kinds.is_empty());
        let agent = response.map(|response| match text(response, "User-Agent") {
            none if none.is_empty() => text(response, "Server"),
            agent => agent,
        });
        let agent = agent.map(|agent| quoted(&agent)).filter(|agent| !agent.is_empty());
        let mut cdr = self.finish(chosen, place, (status, to_tag), now);
        if let Some(agent) = agent {
            let separator = if cdr.user_agents.is_empty() { "" } else { " + " };
            cdr.user_agents = format!("{}{separator}{agent}", cdr.user_agents);
        }
        cdr
    }

    /// The call failed; it is over.
    pub(crate) fn failed(self, status: u16, to_tag: &str, now: i64) -> Cdr {
        Cdr { stopped_at: Some(now), ..self.finish(None, (0, 0), (status, to_tag), now) }
    }

    fn finish(
        self,
        chosen: Option<Media>,
        (step, target): (usize, usize),
        (status, to_tag): (u16, &str),
        now: i64,
    ) -> Cdr {
        let media = chosen.unwrap_or(self.offer);
        let uri = self.targets.get(step).and_then(|targets| targets.get(target));
        Cdr {
            to_tag: quoted(to_tag),
            status,
            started_at: now,
            delay: u32::try_from(self.begun.elapsed().as_secs()).unwrap_or(u32::MAX),
            translated_uri: uri.map(|uri| quoted(uri)).unwrap_or_default(),
            application: media.kinds.join(","),
            codecs: media.codecs.join(","),
            ..self.cdr
        }
    }
}

/// The call is paid by another account than the one that made it: one that diverts to a number.
pub(crate) fn paid_by(cdr: &mut Cdr, payer: &Aor, rpid: &str) {
    cdr.billing_party = payer.to_string();
    cdr.rpid = quoted(rpid);
}

/// The end of a call, by the identifiers of the BYE.
pub(crate) fn stop(call_id: &str, from_tag: &str, to_tag: &str, now: i64) -> CdrStop {
    CdrStop {
        session_id: quoted(call_id),
        from_tag: quoted(from_tag),
        to_tag: quoted(to_tag),
        stopped_at: now,
        cause: "User-Request".to_owned(),
        counted: false,
    }
}

/// What is kept of a call whose sides are elsewhere now.
pub(crate) fn moved(call_id: &str, one: &str, other: &str, dialog: String) -> CdrMove {
    CdrMove { session_id: quoted(call_id), from_tag: quoted(one), to_tag: quoted(other), dialog }
}

/// What was dialled: `user@domain` where there is such a thing.
fn dialled(uri: &Uri) -> String {
    let address: Option<Aor> = uri.aor();
    quoted(&address.map_or_else(|| uri.as_str().to_owned(), |aor| aor.to_string()))
}

fn text(message: &Message, name: &str) -> String {
    message.field_named(name).map(|field| field.unfolded().into_owned()).unwrap_or_default()
}

/// RFC 2045 section 6.7 without line breaks: `=`, controls and what is not ASCII become `=XX`.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet == b'=' || !(b' '..=b'~').contains(&octet) {
            // Writing to a text cannot fail.
            let _ = write!(quoted, "={octet:02X}");
        } else {
            quoted.push(char::from(octet));
        }
    }
    quoted
}

/// What [`quoted`] wrote, as it was; what it cannot have written stays as it is.
pub(crate) fn unquoted(text: &str) -> String {
    String::from_utf8_lossy(&unescape(text, b'=')).into_owned()
}

/// What a session description names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Media {
    /// `audio`, `video`, …, each once.
    kinds: Vec<String>,
    /// Names of codecs, each once.
    codecs: Vec<String>,
}

/// How many lines, kinds and codecs are looked at.
const MOST: (usize, usize) = (1_000, 8);

impl Media {
    /// Reads SDP (RFC 8866); media that are refused (port 0) do not count. A message without a description is
    /// taken for audio, which an INVITE without offer mostly asks for.
    fn of(message: &Message) -> Self {
        let kind = text(message, "Content-Type").to_ascii_lowercase();
        let body = message.body();
        if body.is_empty() || !(kind.contains("application/sdp") || kind.contains("multipart/")) {
            let kinds = if message.is_request() { vec!["audio".to_owned()] } else { Vec::new() };
            return Self { kinds, codecs: Vec::new() };
        }
        Self::read(&String::from_utf8_lossy(body))
    }

    fn read(sdp: &str) -> Self {
        let mut media = Self::default();
        let lines = || sdp.lines().take(MOST.0);
        let mut formats: Vec<(&str, bool)> = Vec::new();
        for line in lines().filter_map(|line| line.strip_prefix("m=")) {
            let mut words = line.split_ascii_whitespace();
            let (kind, port) = (words.next().unwrap_or(""), words.next().unwrap_or("0"));
            let is_plain = kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
            if port.split('/').next() == Some("0") || kind.is_empty() || !is_plain {
                continue;
            }
            add(&mut media.kinds, &kind.to_ascii_lowercase());
            let is_rtp = words.next().is_some_and(|protocol| protocol.contains("RTP/"));
            formats.extend(words.take(MOST.1).map(|format| (format, is_rtp)));
        }
        for (format, is_rtp) in formats {
            let mapped = lines().find_map(|line| {
                let rest = line.strip_prefix("a=rtpmap:")?.strip_prefix(format)?;
                rest.strip_prefix(' ')?.trim().split('/').next()
            });
            let name = match mapped {
                _ if !is_rtp => format,
                Some(name) => name,
                None => static_codec(format).unwrap_or(format),
            };
            if !name.eq_ignore_ascii_case("telephone-event") {
                add(&mut media.codecs, &quoted(name));
            }
        }
        media
    }
}

fn add(list: &mut Vec<String>, text: &str) {
    if list.len() < MOST.1 && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

/// Payload types that need no name (RFC 3551 section 6).
fn static_codec(format: &str) -> Option<&'static str> {
    Some(match format {
        "0" => "PCMU",
        "3" => "GSM",
        "4" => "G723",
        "8" => "PCMA",
        "9" => "G722",
        "13" => "CN",
        "15" => "G728",
        "18" => "G729",
        "26" => "JPEG",
        "31" => "H261",
        "34" => "H263",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc2045_6_7_texts_are_quoted() {
        assert_eq!(quoted("a@example.com"), "a@example.com");
        for text in ["a=b", "Zoë\t=", "", "=3D"] {
            assert_eq!(unquoted(&quoted(text)), text);
        }
        assert_eq!(unquoted("="), "=");
        assert_eq!(unquoted("=4=zz"), "=4=zz");
        assert_eq!(quoted("\"Zoë\" <sip:a=b@c>;tag=1\t"), "\"Zo=C3=AB\" <sip:a=3Db@c>;tag=3D1=09");
    }

    #[test]
    fn rfc8866_media_and_codecs_are_named() {
        let media = Media::read(
            "v=0\r\nm=audio 4000 RTP/AVP 8 0 96 101\r\na=rtpmap:96 opus/48000/2\r\n\
             a=rtpmap:101 telephone-event/8000\r\nm=video 4002 RTP/AVP 97\r\n\
             a=rtpmap:97 H264/90000\r\nm=image 0 udptl t38\r\nm=audio 4004 RTP/AVP 8\r\n",
        );
        assert_eq!(media.kinds, ["audio", "video"]);
        assert_eq!(media.codecs, ["PCMA", "PCMU", "opus", "H264"]);
        assert_eq!(Media::read("m=image 5000 udptl t38\r\n").codecs, ["t38"]);
        // What a hostile phone sends is neither kept whole nor believed.
        let many: String = (0..5_000).map(|n| format!("m=x{n} 1 RTP/AVP {n}\r\n")).collect();
        let media = Media::read(&many);
        assert!(media.kinds.len() <= 8 && media.codecs.len() <= 8);
        assert_eq!(Media::read("m=\r\nm=a'b 1 x\r\nm=audio\r\n"), Media::default());
    }
}
