//! DNS core: names, zones, answers, ENUM; pure.
