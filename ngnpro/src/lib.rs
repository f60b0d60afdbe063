//! SOAP provisioning server.

pub mod rules;
