//! What goes back to whoever sent a request that is forwarded, and what is told of it.

use super::Context;
use crate::header::{HeaderName, SessionExpires};
use crate::message::{Message, Method};
use crate::proxy::answer::Answer;
use crate::proxy::session_timer;
use crate::stack::Stack;
use crate::stack::arena::Key;
use crate::stack::output::{
    CallEvent, CallEventKind, DialogEvent, Output, ServerTransactionId, Session,
};
use crate::stack::server::ServerTransaction;
use crate::stack::tag::Tag;
use crate::transaction::Moment;
use std::sync::Arc;
use std::time::Duration;

impl Stack {
    /// Sends a 1xx or 2xx upstream (section 16.7 steps 3, 8 and 9).
    pub(super) fn relay_response(
        &mut self,
        now: Moment,
        id: Key<Context>,
        index: usize,
        mut response: Message,
    ) {
        let Some(server) = self.contexts.get(id).map(|context| context.server) else { return };
        let asked = self.asked_of_server(server);
        let Some(context) = self.contexts.get_mut(id) else { return };
        let status = response.status().unwrap_or(0);
        let is_theirs = response.has(HeaderName::SessionExpires);
        session_timer::complete(asked, &mut response);
        let (step, target) = context.proxy.place(index).unwrap_or_default();
        let kind = if status < 200 {
            let kind = CallEventKind::Ringing { status, step, target };
            (!std::mem::replace(&mut context.has_rung, true)).then_some(kind)
        } else {
            let kind = CallEventKind::Answered { status, step, target };
            (!std::mem::replace(&mut context.is_answered, true)).then_some(kind)
        };
        let event = kind.filter(|_| context.is_call).and_then(|kind| {
            let answer = (status >= 200).then(|| Arc::new(response.clone()));
            let event = call_event(server, &context.request, to_tag(&response), answer, kind);
            event.map(|event| CallEvent { session: session_of(&response, is_theirs), ..event })
        });
        if status >= 200
            && let Some(event) = ended(server, &context.request, now.since(context.begun))
        {
            self.outputs.push_back(event);
        }
        let session = session_of(&response, is_theirs);
        let went_on =
            (status >= 200).then(|| context.went_on(status, true, Some((&response, session))));
        let went_on = went_on.flatten();
        self.outputs.extend(went_on);
        if response.pop_via().is_err() {
            return;
        }
        if self.servers.has(server) {
            // A 2xx after another final response cannot be sent any more (RFC 6026 section 8.5).
            if !self.send_response(now, server, response) {
                self.counters.stray_responses += 1;
                return;
            }
        } else {
            self.relay_statelessly(response);
        }
        self.outputs.extend(event.map(|event| Output::Call(Box::new(event))));
    }

    /// Relays a 2xx whose context is gone.
    pub(super) fn relay_late(
        &mut self,
        now: Moment,
        server: Key<ServerTransaction>,
        mut response: Message,
    ) {
        if response.pop_via().is_err() {
            return;
        }
        if self.servers.has(server) {
            session_timer::complete(self.asked_of_server(server), &mut response);
            self.send_response(now, server, response);
        } else {
            self.relay_statelessly(response);
        }
    }

    /// Sends the answer (section 16.7 steps 6 to 9).
    pub(super) fn finish(&mut self, now: Moment, id: Key<Context>, answer: Answer) {
        let Some(context) = self.contexts.get(id) else { return };
        let (server, request) = (context.server, context.request.clone());
        let (is_call, is_invite) = (context.is_call, context.is_invite);
        let ago = now.since(context.begun);
        let answer = match answer {
            // RFC 5626 section 5.3.1.
            Answer::Own(500) if context.is_flow_lost || context.is_for_node => Answer::Own(430),
            answer => answer,
        };
        let status = match &answer {
            Answer::Received(response) => response.status().unwrap_or(500),
            Answer::Own(status) => *status,
            Answer::Redirect(_) => 302,
            Answer::Silence => 408,
        };
        if is_call {
            let kind = CallEventKind::Failed { status };
            let tag = match &answer {
                Answer::Received(response) => to_tag(response),
                Answer::Own(_) | Answer::Redirect(_) | Answer::Silence => None,
            };
            let tag = tag.or_else(|| self.tag_of_server(server).map(Tag::to_text));
            let event = call_event(server, &request, tag, None, kind);
            self.outputs.extend(event.map(|event| Output::Call(Box::new(event))));
        } else if !is_invite && !matches!(status, 401 | 407) {
            self.outputs.extend(ended(server, &request, ago));
        }
        let is_received = matches!(answer, Answer::Received(_));
        let context = self.contexts.get(id);
        self.outputs.extend(context.and_then(|context| context.went_on(status, is_received, None)));
        match answer {
            Answer::Received(mut response) => {
                if response.pop_via().is_ok() {
                    self.send_response(now, server, *response);
                }
            }
            Answer::Own(status) => {
                self.reply_own(now, server, status, &[]);
            }
            Answer::Redirect(uri) => {
                self.reply_own(now, server, 302, &[(HeaderName::Contact, format!("<{uri}>"))]);
            }
            Answer::Silence => self.fall_silent(now, server),
        }
    }
}

impl Context {
    /// What is told of a request inside a dialog that has its final answer.
    pub(super) fn went_on(
        &self,
        status: u16,
        is_received: bool,
        success: Option<(&Message, Option<Session>)>,
    ) -> Option<Output> {
        if !self.is_in_dialog {
            return None;
        }
        let session = success.and_then(|(_, session)| session);
        let refreshes = matches!(self.request.method(), Some(Method::Invite | Method::Update));
        let success = success.filter(|_| refreshes && status < 300);
        let response = success.map(|(response, _)| Arc::new(response.clone()));
        let request = Arc::clone(&self.request);
        let event = DialogEvent { request, response, status, is_received, session };
        Some(Output::Dialog(Box::new(event)))
    }
}

pub(super) fn to_tag(message: &Message) -> Option<String> {
    message.to_header().ok()?.tag().map(ToOwned::to_owned)
}

pub(super) fn call_event(
    server: Key<ServerTransaction>,
    request: &Arc<Message>,
    to_tag: Option<String>,
    response: Option<Arc<Message>>,
    kind: CallEventKind,
) -> Option<CallEvent> {
    Some(CallEvent {
        id: ServerTransactionId(server),
        call_id: request.call_id().ok()?.to_owned(),
        from_tag: request.from_header().ok()?.tag().unwrap_or("").to_owned(),
        to_tag,
        request: Arc::clone(request),
        response,
        session: None,
        ago: Duration::ZERO,
        kind,
    })
}

/// The event of a BYE that was answered so long after it came; nothing for other requests.
pub(super) fn ended(
    server: Key<ServerTransaction>,
    request: &Arc<Message>,
    ago: Duration,
) -> Option<Output> {
    if request.method() != Some(&Method::Bye) {
        return None;
    }
    let event = call_event(server, request, to_tag(request), None, CallEventKind::Ended);
    event.map(|event| Output::Call(Box::new(CallEvent { ago, ..event })))
}

/// What a final response to a request that begins or refreshes a session says of it; `is_theirs`: as it came.
pub(super) fn session_of(response: &Message, is_theirs: bool) -> Option<Session> {
    let is_success = response.status().is_some_and(|status| (200..300).contains(&status));
    let SessionExpires(seconds) = response.header().ok().flatten().filter(|_| is_success)?;
    Some(Session { seconds, is_enforced: is_theirs })
}
