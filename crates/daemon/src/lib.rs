//! What every daemon shares: configuration, logging, signals, admin port.
