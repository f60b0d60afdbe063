//! RFC 3261 messages, transactions, digest, registrar and proxy core; pure.
