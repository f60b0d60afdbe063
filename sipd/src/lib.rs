//! SIP registrar and proxy.
