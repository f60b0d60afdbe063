//! Registered contacts: the `location` table in OpenSIPS's layout.
//!
//! The registrar keeps its bindings in memory and saves them in groups: one transaction for all REGISTERs that
//! came within a few milliseconds. Bindings are not journalled; `location_changes` tells other nodes whose changed.
//!
//! A row says what the last accepted request made of a binding, whatever order nodes write in: a node may write late what
//! it accepted while it had no database. So the row of a binding that was removed stays for an hour, as one that has ended
//! ([`ENDED_KEPT`]), and gives way like any other only to a request that is newer:
//!
//! - of the same Call-ID by a higher CSeq (RFC 3261 section 10.3 step 7); a row that had ended when the request was accepted
//!   gives way to one that came later, too, since a phone may begin to count anew then;
//! - elsewise by the time at which it was accepted, on the clock of the node that did. Clocks that differ decide wrongly
//!   between requests of different Call-IDs that are less apart than the clocks are: one that was removed may stay until it ends, or
//!   one that was registered may be missing until its next refresh. Phones keep their Call-ID as long as they run
//!   (section 10.2), so that this concerns phones that start again and go to another node within that time.

use crate::dialect::{Dialect, Spelling};
use crate::directory::{push_addresses, readable};
use crate::error::StoreError;
use crate::location_changes::{self, Noted};
use crate::pieces::pieces;
use crate::radacct::cut;
use crate::store::Store;
use crate::time::utc;
use crate::tx::{Actor, Tx, on};
use futures::TryStreamExt;
use ngn_model::Aor;
use ngn_model::binding::{Binding, BindingKey, Removal};
use sha2::{Digest, Sha256};
use sqlx::QueryBuilder;
use std::collections::{BTreeSet, HashMap};

/// Addresses of one SELECT.
const KEYS: usize = 100;
/// For how long it is known that a binding was removed, in milliseconds: longer than any outage for which a node keeps what it
/// accepted. Its row says that it ended as long before, so that every clock finds it ended.
pub const ENDED_KEPT: i64 = 3_600_000;

impl Store {
    /// Saves bindings and removes others in one transaction; `node`, which may be empty, says who does. What a newer request
    /// made of a binding stays, be it saved or removed; a binding that is to be removed and is not there is no error. When a
    /// key stands in both lists it is saved. Other nodes are told; what tells them comes back, for
    /// [`BindingFollower::wrote`](crate::BindingFollower::wrote).
    pub async fn save_bindings(
        &self,
        node: &str,
        upserts: &[Binding],
        deletes: &[Removal],
    ) -> Result<Noted, StoreError> {
        if upserts.is_empty() && deletes.is_empty() {
            return Ok(Noted::default());
        }
        let ended: Vec<Binding> = deletes.iter().map(ended).collect();
        // The last one of a key wins; and all nodes touch rows in the same order, or they would deadlock.
        let both = ended.iter().chain(upserts);
        let mut rows: Vec<(String, &Binding)> =
            both.map(|binding| (ruid(&binding.key()), binding)).collect();
        rows.reverse();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.dedup_by(|a, b| a.0 == b.0);
        let changed: BTreeSet<&Aor> = rows.iter().map(|(_, binding)| &binding.aor).collect();
        let (rows, changed) = (&rows, &changed);
        let (noted, _) = self
            .write(&Actor::system("save_bindings"), |tx| {
                Box::pin(async move {
                    upsert(tx, rows).await?;
                    location_changes::note(tx, node, changed).await
                })
            })
            .await?;
        for id in noted.ids() {
            self.wrote_bindings(id);
        }
        Ok(noted)
    }

    /// The bindings of some addresses that had not ended at `now`; every address comes back.
    pub async fn bindings(
        &self,
        aors: &[Aor],
        now: i64,
    ) -> Result<Vec<(Aor, Vec<Binding>)>, StoreError> {
        let mut found: HashMap<Aor, Vec<Binding>> = HashMap::new();
        let loaded = self.read(|tx| Box::pin(async move { at(tx, aors).await })).await?;
        for binding in loaded.into_iter().filter(|binding| binding.expires_at > now) {
            found.entry(binding.aor.clone()).or_default().push(binding);
        }
        Ok(aors.iter().map(|aor| (aor.clone(), found.remove(aor).unwrap_or_default())).collect())
    }

    /// The bindings behind a row, oldest row first, that had not ended at `now`: at most `limit` rows are read. With them
    /// comes the row to go on behind; `None` when there are no more.
    pub async fn bindings_after(
        &self,
        row: i64,
        now: i64,
        limit: u32,
    ) -> Result<(Vec<Binding>, Option<i64>), StoreError> {
        let rows: Vec<NumberedSql> = self
            .read(|tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        let columns = COLUMNS.replacen("SELECT ", "SELECT contact_id, ", 1);
                        let mut query = QueryBuilder::<DB>::new(columns);
                        query.push(" WHERE contact_id > ").push_bind(row);
                        query.push(" ORDER BY contact_id LIMIT ").push_bind(i64::from(limit));
                        query.build_query_as::<NumberedSql>().fetch_all(&mut *c).await
                    })
                })
            })
            .await?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
        let next = rows.last().map(|row| row.contact_id).filter(|_| is_full);
        let bindings = rows.into_iter().filter_map(|row| row.binding.read());
        Ok((bindings.filter(|binding| binding.expires_at > now).collect(), next))
    }

    /// Looks at the rows behind a row id, at most `limit`, and drops those of bindings that ended before a time. Tells how many, and
    /// the row id to go on behind; `None` when there are no more rows. What is written late and was accepted before they were removed
    /// is not known as such afterwards: `before` should be two [`ENDED_KEPT`] ago.
    pub async fn delete_expired_bindings(
        &self,
        before: i64,
        after: &str,
        limit: u32,
    ) -> Result<(u64, Option<String>), StoreError> {
        let mut rows: Vec<(String, i64)> = self
            .read(|tx| {
                Box::pin(async move {
                    on!(tx, c => {
                        sqlx::query_as::<DB, (String, i64)>(
                            "SELECT ruid, expires_at FROM location WHERE ruid > ? ORDER BY ruid LIMIT ?",
                        )
                        .bind(after)
                        .bind(i64::from(limit))
                        .fetch_all(&mut *c)
                        .await
                    })
                })
            })
            .await?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
        let next = rows.last().map(|(ruid, _)| ruid.clone()).filter(|_| is_full);
        rows.retain(|(_, expires_at)| *expires_at < before);
        if rows.is_empty() {
            return Ok((0, next));
        }
        let expired: &Vec<String> = &rows.into_iter().map(|(ruid, _)| ruid).collect();
        // One that was refreshed meanwhile stays.
        let (count, _) = self
            .write(&Actor::system("delete_expired_bindings"), |tx| {
                Box::pin(async move { delete_ended(tx, expired, before).await })
            })
            .await?;
        Ok((count, next))
    }
}

/// The row id of a binding: a digest, since a contact may be longer than an index takes.
fn ruid(key: &BindingKey) -> String {
    let mut digest = Sha256::new();
    let mut part = |text: &str| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    match key {
        BindingKey::Contact { aor, contact } => {
            part(aor.username());
            part(aor.domain().as_str());
            part("contact");
            part(contact);
        }
        BindingKey::Instance { aor, instance, reg_id } => {
            part(aor.username());
            part(aor.domain().as_str());
            part("instance");
            part(instance);
            part(&reg_id.to_string());
        }
    }
    digest.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What is written of a binding that is removed: nothing about the phone, but by which request it was.
fn ended(removal: &Removal) -> Binding {
    let key = removal.key.clone();
    let (aor, contact, instance, reg_id) = match key {
        BindingKey::Contact { aor, contact } => (aor, contact, None, 0),
        BindingKey::Instance { aor, instance, reg_id } => {
            (aor, String::new(), Some(instance), reg_id)
        }
    };
    Binding {
        instance,
        reg_id,
        call_id: removal.call_id.clone(),
        cseq: removal.cseq,
        last_modified: removal.until,
        ..Binding::new(aor, contact, removal.until.saturating_sub(ENDED_KEPT))
    }
}

/// What a newer request changes. MySQL assigns one after the other, and looks at what was assigned already: with these two
/// in front, a request that is newer is so for all of them.
const UPDATED: &[&str] = &[
    "changed_at",
    "cseq",
    "contact",
    "received",
    "path",
    "expires",
    "q",
    "last_modified",
    "user_agent",
    "socket",
    "sip_instance",
    "expires_at",
    "q_milli",
    "reg_id",
    "node",
    "callid",
];

/// Ends the INSERT: the proposed values take the place of older ones only.
fn push_newer<DB: Spelling>(query: &mut QueryBuilder<DB>) {
    let [changed_at, callid, cseq, expires_at] =
        ["changed_at", "callid", "cseq", "expires_at"].map(DB::proposed);
    // Numbers first: mostly no text is compared.
    let is_newer = format!(
        "((location.changed_at <= {changed_at} AND NOT (location.cseq > {cseq} AND location.expires_at > {changed_at} \
         AND location.callid = {callid})) OR (location.cseq < {cseq} AND {expires_at} > {changed_at} \
         AND location.callid = {callid}))"
    );
    query.push(DB::on_conflict("ruid"));
    for (i, column) in UPDATED.iter().enumerate() {
        let proposed = DB::proposed(column);
        query.push(if i > 0 { ", " } else { "" }).push(*column).push(" = ");
        match DB::DIALECT {
            Dialect::MySql => query.push(format!("IF({is_newer}, {proposed}, location.{column})")),
            Dialect::Sqlite => query.push(proposed),
        };
    }
    if DB::DIALECT == Dialect::Sqlite {
        query.push(" WHERE ").push(is_newer);
    }
}

async fn upsert(tx: &mut Tx<'_>, rows: &[(String, &Binding)]) -> Result<(), StoreError> {
    for chunk in pieces(rows) {
        on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(
                "INSERT INTO location (ruid, username, domain, contact, received, path, expires, q, callid, \
                 cseq, last_modified, user_agent, socket, sip_instance, expires_at, q_milli, reg_id, node, \
                 changed_at) ",
            );
            query.push_values(chunk, |mut tuple, (ruid, binding)| {
                tuple
                    .push_bind(ruid.as_str())
                    .push_bind(binding.aor.username())
                    .push_bind(binding.aor.domain().as_str())
                    .push_bind(binding.contact.as_str())
                    .push_bind(binding.received.as_deref())
                    .push_bind(Some(binding.path.as_str()).filter(|path| !path.is_empty()))
                    // Whole seconds, rounded up: nobody who reads them sees a contact end early.
                    .push_bind(binding.expires_at.saturating_add(999).div_euclid(1000))
                    .push_bind(f64::from(binding.q) / 1000.0)
                    .push_bind(cut(&binding.call_id, 255))
                    .push_bind(i64::from(binding.cseq))
                    .push_bind(utc(binding.last_modified))
                    .push_bind(cut(&binding.user_agent, 255))
                    .push_bind(cut(&binding.socket, 128))
                    .push_bind(binding.instance.as_deref())
                    .push_bind(binding.expires_at)
                    .push_bind(i64::from(binding.q))
                    .push_bind(i64::from(binding.reg_id))
                    .push_bind(cut(&binding.node, 128))
                    .push_bind(binding.last_modified);
            });
            push_newer(&mut query);
            query.build().execute(&mut *c).await.map(drop)
        })?;
    }
    Ok(())
}

async fn delete_ended(tx: &mut Tx<'_>, ruids: &[String], before: i64) -> Result<u64, StoreError> {
    let mut count = 0;
    for chunk in pieces(ruids) {
        count += on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new("DELETE FROM location WHERE ruid IN (");
            let mut list = query.separated(", ");
            for ruid in chunk {
                list.push_bind(ruid.as_str());
            }
            query.push(") AND expires_at < ").push_bind(before);
            query.build().execute(&mut *c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(count)
}

const COLUMNS: &str = "SELECT username, domain, contact, received, path, callid, cseq, user_agent, socket, \
                       sip_instance, expires_at, q_milli, reg_id, node, changed_at FROM location";

#[derive(sqlx::FromRow)]
struct BindingSql {
    username: String,
    domain: String,
    contact: String,
    received: Option<String>,
    path: Option<String>,
    callid: String,
    cseq: i64,
    user_agent: String,
    socket: Option<String>,
    sip_instance: Option<String>,
    expires_at: i64,
    q_milli: i64,
    reg_id: i64,
    node: String,
    changed_at: i64,
}

#[derive(sqlx::FromRow)]
struct NumberedSql {
    contact_id: i64,
    #[sqlx(flatten)]
    binding: BindingSql,
}

impl BindingSql {
    fn read(self) -> Option<Binding> {
        let aor = readable("binding", &self.username, Aor::new(&self.username, &self.domain))?;
        Some(Binding {
            aor,
            contact: self.contact,
            received: self.received,
            path: self.path.unwrap_or_default(),
            expires_at: self.expires_at,
            q: u16::try_from(self.q_milli.clamp(0, 1000)).unwrap_or(1000),
            call_id: self.callid,
            cseq: u32::try_from(self.cseq).unwrap_or(0),
            user_agent: self.user_agent,
            socket: self.socket.unwrap_or_default(),
            instance: self.sip_instance,
            reg_id: u32::try_from(self.reg_id).unwrap_or(0),
            node: self.node,
            last_modified: self.changed_at,
        })
    }
}

/// All bindings that have not ended, oldest row first.
pub(crate) async fn load(tx: &mut Tx<'_>) -> Result<Vec<Binding>, StoreError> {
    let mut bindings = Vec::new();
    let now = tx.now();
    on!(tx, c => {
        let columns = COLUMNS.replacen("SELECT ", "SELECT contact_id, ", 1);
        let mut query = QueryBuilder::<DB>::new(columns);
        query.push(" WHERE expires_at > ").push_bind(now);
        let mut rows = query.build_query_as::<NumberedSql>().fetch(&mut *c);
        while let Some(row) = rows.try_next().await? {
            let number = row.contact_id;
            bindings.extend(row.binding.read().map(|binding| (number, binding)));
        }
        Ok(())
    })?;
    // Here, since the rows are not kept in that order.
    bindings.sort_unstable_by_key(|(number, _)| *number);
    Ok(bindings.into_iter().map(|(_, binding)| binding).collect())
}

async fn at(tx: &mut Tx<'_>, aors: &[Aor]) -> Result<Vec<Binding>, StoreError> {
    let mut bindings = Vec::new();
    for chunk in aors.chunks(KEYS) {
        let rows: Vec<BindingSql> = on!(tx, c => {
            let mut query = QueryBuilder::<DB>::new(COLUMNS);
            push_addresses(&mut query, "username", "domain", chunk);
            query.push(" ORDER BY contact_id");
            query.build_query_as::<BindingSql>().fetch_all(&mut *c).await
        })?;
        bindings.extend(rows.into_iter().filter_map(BindingSql::read));
    }
    Ok(bindings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_ids_do_not_run_into_each_other() {
        let aor = Aor::new("a", "example.com").expect("an address");
        let contact = |contact: &str| {
            ruid(&BindingKey::Contact { aor: aor.clone(), contact: contact.to_owned() })
        };
        let instance = |instance: &str, reg_id| {
            let instance = instance.to_owned();
            ruid(&BindingKey::Instance { aor: aor.clone(), instance, reg_id })
        };
        assert_eq!(contact("sip:a@192.0.2.1").len(), 64);
        assert_eq!(contact("x"), contact("x"));
        assert_ne!(contact("x"), contact("y"));
        assert_ne!(instance("x", 1), instance("x", 2));
        assert_ne!(instance("x1", 1), instance("x", 11));
    }
}
