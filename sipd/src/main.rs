//! SIP registrar and proxy.

fn main() {}
