//! What comes to a SIP port and may be STUN: an answer is short, for the request that came, and never for an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ngn_sip::stun::{answer, may_be_stun};
use std::net::{Ipv6Addr, SocketAddr};

fuzz_target!(|octets: &[u8]| {
    for remote in
        [SocketAddr::from(([192, 0, 2, 1], 1)), SocketAddr::from((Ipv6Addr::LOCALHOST, 65_535))]
    {
        let Some(answered) = answer(octets, remote) else { continue };
        assert!(may_be_stun(octets) && may_be_stun(&answered));
        assert!(answered.len() <= 48, "{} octets", answered.len());
        assert_eq!(answered.get(4..20), octets.get(4..20));
        assert_eq!(answer(&answered, remote), None, "two of these could answer each other for ever");
    }
});
