//! What tests of the engine's parts need.

use ngn_sip::stack::ServerTransactionId;

/// Ids of requests, as the stack gives them.
pub(crate) fn ids(count: usize) -> Vec<ServerTransactionId> {
    use ngn_sip::header::Transport;
    use ngn_sip::message::{Limits, Message};
    use ngn_sip::stack::{Config, Interface, Moment, Output, Secret, Source, Stack};
    let local = std::net::SocketAddr::from(([192, 0, 2, 1], 5060));
    let host = ngn_sip::uri::Host::from(local.ip());
    let udp = Interface { transport: Transport::Udp, local, host, port: 5060 };
    let mut stack = Stack::new(Config::new(Secret::from_bytes([1; 32]), vec![udp]), [2; 32]);
    for n in 0..count {
        let text = format!(
            "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n}\r\n\
             From: <sip:a@example.com>;tag=1\r\nTo: <sip:192.0.2.1>\r\nCall-ID: {n}\r\n\
             CSeq: 1 OPTIONS\r\n\r\n"
        );
        let message = Message::parse(text.into(), &Limits::default()).expect("a request");
        let source = Source { transport: Transport::Udp, local, remote: local, flow: None };
        stack.receive(Moment::ZERO, source, message);
    }
    let outputs = std::iter::from_fn(|| stack.poll_output());
    let id = |output| match output {
        Output::Request(request) => Some(request.id),
        _ => None,
    };
    outputs.filter_map(id).collect()
}
