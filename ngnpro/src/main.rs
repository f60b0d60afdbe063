//! SOAP provisioning server.

fn main() {}
