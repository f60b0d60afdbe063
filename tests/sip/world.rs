//! A platform that serves every transport, and phones on each of them.

use std::net::SocketAddr;
use std::thread;

use ngn_tests::certificates::Authority;
use ngn_tests::database::Backend;
use ngn_tests::fixture::{domain, subscriber};
use ngn_tests::net::free_port;
use ngn_tests::platform::Platform;
use ngn_tests::record;
use ngn_tests::sip::{Message, Phone, Request, response, unique};
use ngn_tests::wire::Wire;

use crate::fixture::DOMAIN;
use crate::pstn::call;

/// What a phone speaks over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
    Tls,
    Ws,
}

pub(crate) use Over::{Tcp, Tls, Udp, Ws};

/// All four.
pub(crate) const ALL: &[Over] = &[Udp, Tcp, Tls, Ws];

/// A platform that serves all four.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) p: Platform,
    pub(crate) authority: Authority,
    pub(crate) tls: SocketAddr,
    pub(crate) ws: SocketAddr,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With more settings of sipd, of other sections than `[listen]` and `[tls]`.
    pub(crate) fn with(settings: &str) -> Self {
        let authority = Authority::new().unwrap();
        let own = authority.issue("own", "DNS:localhost,IP:127.0.0.1").unwrap();
        let [tls, ws] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let settings = format!(
            "[listen]\ntls = [\"{tls}\"]\nws = [\"{ws}\"]\n[tls]\ncertificate = {:?}\nprivate_key = {:?}\n\
             authorities = {:?}\n{settings}",
            own.certificate,
            own.key,
            authority.file()
        );
        let p = Platform::start_with(Backend::Sqlite, &[("sipd", &settings)]);
        domain(&p.admin(), DOMAIN);
        Self { p, authority, tls, ws }
    }

    /// A way to the platform.
    pub(crate) fn wire(&self, over: Over) -> Wire {
        match over {
            Udp => Wire::udp("127.0.0.1", self.p.sip_address()),
            Tcp => Wire::tcp(self.p.sip_address()),
            Tls => Wire::tls(self.tls, "localhost", &self.authority.file()),
            Ws => Wire::ws(self.ws),
        }
        .unwrap()
    }

    /// A phone of an account that may not be there.
    pub(crate) fn phone(&self, user: &str, over: Over) -> Phone {
        Phone::over(self.wire(over), &format!("{user}@{DOMAIN}"), "secret")
    }

    /// Adds an account whose name begins so, and is used by nobody else; gives its name.
    pub(crate) fn account(&self, name: &str) -> String {
        let user = unique(name);
        let account = subscriber(&format!("{user}@{DOMAIN}"));
        self.p.admin().ok("Sip.addAccount", record! { account: account });
        self.p.settle();
        user
    }

    /// The phone of a new account, which is not registered.
    pub(crate) fn offline(&self, name: &str, over: Over) -> Phone {
        self.phone(&self.account(name), over)
    }

    /// The phone of a new account, which is registered.
    pub(crate) fn online(&self, name: &str, over: Over) -> Phone {
        let mut phone = self.offline(name, over);
        let registered = phone.register(300).unwrap();
        assert_eq!(registered.status(), 200, "{}", registered.start);
        phone
    }
}

/// Runs a scenario over each of the transports, at the same time on one platform.
#[track_caller]
pub(crate) fn over(transports: &[Over], scenario: impl Fn(&World, Over) + Sync) {
    over_in(&World::new(), transports, scenario);
}

/// Runs a scenario over each of the transports, at the same time.
#[track_caller]
pub(crate) fn over_in(world: &World, transports: &[Over], scenario: impl Fn(&World, Over) + Sync) {
    let scenario = &scenario;
    let failed: Vec<_> = thread::scope(|scope| {
        let start = |over: &Over| {
            let over = *over;
            let run = move || scenario(world, over);
            (over, thread::Builder::new().name(format!("{over:?}")).spawn_scoped(scope, run))
        };
        let running: Vec<_> = transports.iter().map(start).collect();
        let ended = running.into_iter().map(|(over, thread)| (over, thread.unwrap().join()));
        ended.filter(|(_, result)| result.is_err()).map(|(over, _)| over).collect()
    });
    assert!(failed.is_empty(), "failed over {failed:?}");
}

/// One side of a dialog (RFC 3261 section 12).
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    call_id: String,
    own: String,
    own_tag: String,
    other: String,
    other_tag: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
}

impl Dialog {
    /// The caller's side, from what it sent and was answered.
    pub(crate) fn caller(invite: &Request, answer: &Message) -> Self {
        Self {
            call_id: invite.call_id.clone(),
            own: invite.from.clone(),
            own_tag: invite.from_tag.clone(),
            other: invite.to.clone(),
            other_tag: tag(answer, "to"),
            target: uri_of(answer.header("contact").unwrap_or_default()),
            routes: answer.all("record-route").into_iter().rev().map(str::to_owned).collect(),
            cseq: invite.cseq,
        }
    }

    /// The callee's side, from what it got; `own_tag` is what it answered with.
    pub(crate) fn callee(invite: &Message, own_tag: &str) -> Self {
        Self {
            call_id: invite.header("call-id").unwrap_or_default().to_owned(),
            own: uri_of(invite.header("to").unwrap_or_default()),
            own_tag: own_tag.to_owned(),
            other: uri_of(invite.header("from").unwrap_or_default()),
            other_tag: tag(invite, "from"),
            target: uri_of(invite.header("contact").unwrap_or_default()),
            routes: invite.all("record-route").into_iter().map(str::to_owned).collect(),
            cseq: 0,
        }
    }

    /// The next request.
    pub(crate) fn request(&mut self, method: &str) -> Request {
        // An ACK has the number of its INVITE (section 13.2.2.4).
        self.cseq += u32::from(method != "ACK");
        let mut request = Request::new(method, &self.target, &self.own, &self.other);
        request.call_id = self.call_id.clone();
        request.from_tag = self.own_tag.clone();
        request.to_parameters = format!(";tag={}", self.other_tag);
        request.cseq = self.cseq;
        self.routes.iter().fold(request, |request, route| request.with("Route", route))
    }

    /// What `Replaces` says of it at the other side (RFC 3891 section 6.1).
    pub(crate) fn replaces(&self) -> String {
        format!("{};to-tag={};from-tag={}", self.call_id, self.other_tag, self.own_tag)
    }

    /// The routes that were recorded.
    pub(crate) fn routes(&self) -> &[String] {
        &self.routes
    }
}

/// The URI in angle brackets.
pub(crate) fn uri_of(value: &str) -> String {
    let (_, rest) = value.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}

/// The tag of From or To.
pub(crate) fn tag(message: &Message, name: &str) -> String {
    let (_, rest) =
        message.header(name).unwrap_or_default().split_once(";tag=").unwrap_or_default();
    rest.split(';').next().unwrap_or_default().to_owned()
}

/// The next request of that method.
#[track_caller]
pub(crate) fn take(phone: &Phone, method: &str) -> Message {
    phone.receive_where(|message| message.method() == method).unwrap()
}

/// The next response with that status.
#[track_caller]
pub(crate) fn told(phone: &Phone, status: u16) -> Message {
    phone.receive_where(|message| message.status() == status).unwrap()
}

/// Answers a request so, as the side of a dialog that has this tag.
#[track_caller]
pub(crate) fn reply(phone: &Phone, request: &Message, status: &str, tag: &str) {
    reply_with(phone, request, status, tag, &[]);
}

/// Answers a request so, with further header fields.
#[track_caller]
pub(crate) fn reply_with(
    phone: &Phone,
    request: &Message,
    status: &str,
    tag: &str,
    more: &[(&str, &str)],
) {
    let contact = format!("<{}>", phone.contact());
    let fields = [&[("Contact", contact.as_str())], more].concat();
    phone.send(&response(request, status, tag, &fields)).unwrap();
}

/// A call that is answered and acknowledged: both sides of it.
#[track_caller]
pub(crate) fn talk(caller: &Phone, callee: &Phone) -> (Dialog, Dialog) {
    let invite = call(caller, &callee.aor(), &[]);
    let arrived = take(callee, "INVITE");
    reply(callee, &arrived, "180 Ringing", "callee");
    reply(callee, &arrived, "200 OK", "callee");
    let answered = told(caller, 200);
    let mut ours = Dialog::caller(&invite, &answered);
    caller.send(&ours.request("ACK").bytes(caller)).unwrap();
    take(callee, "ACK");
    (ours, Dialog::callee(&arrived, "callee"))
}

/// A request that the other side answers so: what came there, and what came back.
#[track_caller]
pub(crate) fn pass(
    from: &Phone,
    to: &Phone,
    request: &Request,
    status: &str,
    tag: &str,
) -> (Message, Message) {
    from.send(&request.bytes(from)).unwrap();
    let arrived = take(to, &request.method);
    reply(to, &arrived, status, tag);
    let cseq = format!("{} {}", request.cseq, request.method);
    let ours = |m: &Message| m.status() >= 200 && m.header("cseq") == Some(&cseq);
    (arrived, from.receive_where(ours).unwrap())
}

/// Either side hangs up.
#[track_caller]
pub(crate) fn hang_up(from: &Phone, to: &Phone, dialog: &mut Dialog) {
    let (_, answer) = pass(from, to, &dialog.request("BYE"), "200 OK", "");
    assert_eq!(answer.status(), 200, "{}", answer.start);
}

/// The status of the only final response to a request.
#[track_caller]
pub(crate) fn outcome(phone: &Phone, request: &Request) -> Message {
    let of_it = |m: &Message| m.header("call-id") == Some(&request.call_id) && m.status() >= 200;
    phone.receive_where(of_it).unwrap()
}
