//! What the stack gives to its owner.

use super::arena::Key;
use super::client::ClientTransaction;
use super::forwarding::Context;
use super::server::ServerTransaction;
use crate::message::Message;
use crate::proxy::{Destination, Source};
use crate::uri::Uri;
use bytes::Bytes;
use ngn_model::Removal;
use std::sync::Arc;
use std::time::Duration;

/// A request that came in and is being handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTransactionId(pub(super) Key<ServerTransaction>);

/// A request of our own that went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientTransactionId(pub(super) Key<ClientTransaction>);

/// A look-up that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub(super) Lookup);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lookup {
    Branch(Key<Context>, usize),
    Ack(u64),
}

/// A redirection that is to be decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedirectionId(pub(super) Key<Context>, pub(super) usize);

/// What was to be sent, for saying that it could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub(super) Sent);

impl SendId {
    /// Whether it is a request that was sent, and no response.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self.0, Sent::Client(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sent {
    Client(Key<ClientTransaction>),
    Server(Key<ServerTransaction>),
}

/// What the owner has to do, or is told.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send these octets. When that fails and there is an id, tell
    /// [`Stack::send_failed`](super::Stack::send_failed).
    Send {
        /// Where to.
        to: Destination,
        /// One whole message.
        octets: Bytes,
        /// Whose octets these are; `None` when nobody cares.
        id: Option<SendId>,
    },
    /// A new request, once. Answer it with [`respond`](super::Stack::respond) or
    /// [`reply`](super::Stack::reply), or [`forward`](super::Stack::forward) it.
    Request(Box<IncomingRequest>),
    /// A request that another node asks us to send on, once: [`relay`](super::Stack::relay) it to where that node says,
    /// or [`reply`](super::Stack::reply).
    Relay {
        /// The request.
        incoming: Box<IncomingRequest>,
        /// Where it goes. With `only_flow`, over a connection that is open to there, and over no other.
        to: Destination,
    },
    /// A request that was given up but not yet answered nor forwarded has been cancelled and answered 487;
    /// there is nothing left to do about it.
    Cancelled(ServerTransactionId),
    /// Look the next hops of a URI up (RFC 3263) and tell [`Stack::resolved`](super::Stack::resolved).
    Resolve {
        /// Which look-up.
        id: LookupId,
        /// For which URI.
        uri: Uri,
        /// The connection by which this contact was reached is gone. Its host may be an address that only a NAT
        /// knows: look for a newer binding of the same contact before anything else.
        is_fallback: bool,
    },
    /// A target redirects the call; tell [`Stack::redirected`](super::Stack::redirected) where it shall go.
    Redirected {
        /// Which redirection.
        id: RedirectionId,
        /// Which request.
        request: ServerTransactionId,
        /// The 3xx response, with its Contacts.
        response: Box<Message>,
    },
    /// What came back for a request of our own. More than one when there are provisional responses.
    Answer {
        /// Which request.
        id: ClientTransactionId,
        /// What came back.
        result: AnswerResult,
    },
    /// Something that call detail records are made of.
    Call(Box<CallEvent>),
    /// A request inside a dialog that was set up through us, other than BYE, has its final answer.
    Dialog(Box<DialogEvent>),
    /// What a place said to which a request was forwarded: by this, places that fail can be left alone for a while.
    Tried(Box<Tried>),
}

/// What came of sending a forwarded request to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The request as it came.
    pub request: ServerTransactionId,
    /// The step of the plan.
    pub step: usize,
    /// The target in that step.
    pub target: usize,
    /// Where it was sent.
    pub to: Destination,
    /// What came of it.
    pub result: TriedResult,
    /// The binding that is void, since its flow is gone: see [`ForwardTarget`](super::ForwardTarget).
    pub flow_lost: Option<Removal>,
}

/// What came of sending a request to one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriedResult {
    /// A final response with this status.
    Final(u16),
    /// Nothing at all so far, for as long as it is waited for; a final response may follow all the same.
    Silent,
    /// The transport failed.
    Failed,
}

/// A request for the application.
#[derive(Debug, Clone)]
pub struct IncomingRequest {
    /// How to answer it.
    pub id: ServerTransactionId,
    /// The request: Via filled in (`received`, `rport`), Route entries of ours taken off.
    pub request: Arc<Message>,
    /// Where it came from.
    pub source: Source,
    /// Another copy of it is being handled that came another way. A user agent server answers 482
    /// (RFC 3261 section 8.2.2.2), a proxy forwards it.
    pub is_merged: bool,
    /// It has a To tag, but nothing proves that its dialog was set up through us: no Route, or one that we did
    /// not sign. It may be for us (a subscription), or come from a phone that lost its route set.
    pub is_stray: bool,
}

/// What came back for a request of our own.
#[derive(Debug, Clone)]
pub enum AnswerResult {
    /// A response.
    Response(Box<Message>),
    /// Nothing, in time.
    TimedOut,
    /// The transport failed.
    TransportFailed,
}

/// Something that happened to a call that is forwarded.
#[derive(Debug, Clone)]
pub struct CallEvent {
    /// The INVITE, or the BYE.
    pub id: ServerTransactionId,
    /// Call-ID.
    pub call_id: String,
    /// The tag of From, which is the caller's in an INVITE and that of whoever hung up in a BYE.
    pub from_tag: String,
    /// The tag of To, as far as known; when a call was answered or failed, that of the final response which the
    /// caller got.
    pub to_tag: Option<String>,
    /// The INVITE, or the BYE, as it came; Route entries of ours are taken off.
    pub request: Arc<Message>,
    /// The response by which a call was answered.
    pub response: Option<Arc<Message>>,
    /// What that response says of the session (RFC 4028).
    pub session: Option<Session>,
    /// How long ago it happened: a call is over when its BYE comes, whenever that is answered (RFC 3261 section 15.1.1).
    pub ago: Duration,
    /// What happened.
    pub kind: CallEventKind,
}

/// A session that ends unless it is refreshed (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The session interval in seconds.
    pub seconds: u32,
    /// The callee gave it, who then ends the session when nobody refreshes it. Otherwise this stack did in its place
    /// (section 8.2), and the caller alone knows of it.
    pub is_enforced: bool,
}

/// A request inside a dialog that was set up through us.
#[derive(Debug, Clone)]
pub struct DialogEvent {
    /// The request as it came; Route entries of ours are taken off.
    pub request: Arc<Message>,
    /// The answer when it is a 2xx to INVITE or UPDATE, which refresh the session and the remote targets.
    pub response: Option<Arc<Message>>,
    /// The status of the answer.
    pub status: u16,
    /// The answer came from there, and this stack did not make it.
    pub is_received: bool,
    /// What a 2xx says of the session.
    pub session: Option<Session>,
}

/// What happened to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEventKind {
    /// The first 101 to 199 was relayed.
    Ringing {
        /// Its status.
        status: u16,
        /// The step of the plan that it came from.
        step: usize,
        /// The target in that step.
        target: usize,
    },
    /// The first 2xx was relayed.
    Answered {
        /// Its status.
        status: u16,
        /// The step of the plan that it came from.
        step: usize,
        /// The target in that step.
        target: usize,
    },
    /// The call was not answered.
    Failed {
        /// The status that the caller got.
        status: u16,
    },
    /// A BYE went through: the session is over.
    Ended,
}
