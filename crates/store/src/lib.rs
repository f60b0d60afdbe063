//! MySQL and SQLite storage behind one concrete store, with the change journal.
//!
//! A provisioning operation is one [`Store::write`]: it loads facts, changes rows and notes what it changed
//! with [`Tx::journal`], and everything becomes visible together. Servers load what they serve in one snapshot
//! ([`Store::load_zones`], [`Store::load_directory`]) which comes with a [`Follower`]; it tells which records
//! changed since, and they re-read those by key. SQL and its names stay in this crate.
//!
//! To add a table: a file of its own with a private row struct (`#[derive(sqlx::FromRow)]`), methods on [`Tx`] that
//! run statements through the `on!` macro of `tx`, and lists by [`Listing`] with a [`Filter`]. Whatever a write
//! changes that servers hold in memory is noted by [`Tx::journal`] with the key that
//! [`ngn_model::Entity`] documents, in the same transaction.
//!
//! Layout: `store` opens, `tx` runs transactions, `journal`, `seen` and `follower` are the change feed,
//! `filter` builds list queries, `dialect` holds what differs between the databases, and each of the other
//! modules is about one table or one family of tables.

mod account_lists;
mod account_options;
mod addresses;
mod appended;
mod audit;
mod call_options;
mod calls;
mod counts;
mod customers;
mod dialect;
mod dialogs;
mod directory;
mod dns_records;
mod dns_zones;
mod emergency;
mod enum_numbers;
mod enum_ranges;
mod error;
mod fancy;
mod filter;
mod follower;
mod held;
mod idempotency;
mod journal;
mod keyring;
mod lasting_calls;
mod location;
mod location_changes;
mod migrate;
mod nodes;
mod phonebook;
mod pieces;
mod prepaid;
mod progress;
mod pstn;
mod radacct;
mod rating_profiles;
mod routes;
mod sealed_passwords;
mod secrets;
mod seen;
mod sip_accounts;
mod sip_aliases;
mod sip_domains;
mod sip_peers;
mod soa;
mod store;
mod tails;
mod time;
mod traces;
mod trusted_peers;
mod tx;
mod voicemail;
mod zone_keys;
mod zone_list;
mod zone_rows;
mod zones;

pub use account_lists::AccountQuery;
pub use addresses::AddressKind;
pub use audit::{AuditQuery, AuditRow};
pub use calls::{CallRow, CallSide, CallSums, CallWindow};
pub use counts::{Counts, CreditFacts};
pub use customers::{Customer, CustomerFilter, CustomerPropertyRow};
pub use dialect::Dialect;
pub use dialogs::CdrMove;
pub use directory::{Directory, DomainTls, EnumKey, EnumTargets, PagedAccount, SipDomainRow};
pub use dns_records::{DnsRecordRow, RecordAtName};
pub use dns_zones::DnsZoneRow;
pub use enum_numbers::{EnumMappingRow, EnumNumberRow};
pub use enum_ranges::{EnumRangeRow, RangeHold};
pub use error::{Cause, StoreError};
pub use fancy::{FancyRecord, ZoneName};
pub use filter::{Filter, Listing, Order, Page, Range, SqlRow};
pub use follower::{Follower, Resume};
pub use held::Held;
pub use idempotency::{Claim, FirstAnswer, IDEMPOTENCY_HOURS};
pub use journal::JournalEntry;
pub use keyring::{Keyring, KeyringError};
pub use lasting_calls::LastingCall;
pub use location::ENDED_KEPT;
pub use location_changes::{BindingChanges, BindingFollower, Noted};
pub use migrate::MigrationReport;
pub use nodes::{ByDomain, DomainCounts, NodeIdentity, NodeRow, SipLoad};
pub use phonebook::PhonebookRow;
pub use prepaid::{PrepaidCardRow, PrepaidHistoryRow, PrepaidRow};
pub use pstn::{CarrierRow, GatewayRow, GatewayRuleRow};
pub use radacct::{Cdr, CdrStop, INTERRUPTED};
pub use rating_profiles::RatingProfilesRow;
pub use routes::{RouteKey, RouteRow};
pub use sealed_passwords::Resealed;
pub use seen::Seen;
pub use sip_accounts::{NewSipAccount, SipAccountRow};
pub use sip_aliases::SipAliasRow;
pub use sip_domains::SipDomainRecord;
pub use soa::SoaWriter;
pub use store::Store;
pub use time::{date, parse_utc, utc};
pub use traces::{MediaSessionRow, SipTraceRow};
pub use trusted_peers::TrustedPeerRow;
pub use tx::{Actor, Tx};
pub use voicemail::{Announcement, VoicemailRow};
pub use zone_keys::{NewZoneKey, zone_key_pkcs8};
pub use zone_list::{ZoneKind, ZoneSummary};
pub use zone_rows::{NewRecord, RecordOrigin};
pub use zones::Loaded;

/// The result of what the store does.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
