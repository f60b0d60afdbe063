//! SOAP provisioning server.
