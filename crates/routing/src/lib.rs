//! Call decisions; pure.
