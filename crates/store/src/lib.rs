//! MySQL and SQLite storage behind one concrete store, with the change journal.
