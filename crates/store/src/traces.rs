//! `sip_trace` and `media_sessions`: messages that sipd recorded, and sessions of media relays.

use crate::error::StoreError;
use crate::store::Store;
use crate::time::utc;
use crate::tx::{Actor, Tx, on};
use sqlx::QueryBuilder;

/// Rows of one INSERT: 16 values each, below SQLite's limit of 32766.
const ROWS: usize = 200;
/// Rows that one pruning statement removes, so that it holds no lock for long.
const PRUNED: i64 = 5_000;
/// The most messages, or sessions, that one answer holds.
const MOST: i64 = 2_000;
/// How far back a media session may have begun that still lasts, in milliseconds.
const LONGEST_SESSION: i64 = 86_400_000;

/// One message as it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct SipTraceRow {
    /// Its row; 0 before it is written.
    pub id: i64,
    /// When, in microseconds since 1970 UTC.
    pub time_us: i64,
    /// Call-ID, at most 255 characters.
    pub callid: String,
    /// The SIP domains it concerns, separated by blanks, at most 255 characters.
    pub trace_attrs: String,
    /// The message, credentials masked.
    pub msg: String,
    /// Method; of a response, that of its CSeq.
    pub method: String,
    /// Status code of a response, else empty.
    pub status: String,
    /// Protocol of the sender, such as `udp`.
    pub from_proto: String,
    /// Address of the sender.
    pub from_ip: String,
    /// Port of the sender.
    pub from_port: i64,
    /// Protocol of the receiver.
    pub to_proto: String,
    /// Address of the receiver.
    pub to_ip: String,
    /// Port of the receiver.
    pub to_port: i64,
    /// Tag of the From header, at most 128 characters.
    pub fromtag: String,
    /// Tag of the To header, at most 128 characters.
    pub totag: String,
    /// `in` or `out`, as our node sees it.
    pub direction: String,
}

/// A session of a media relay: what it is about, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MediaSessionRow {
    /// Call-ID.
    pub call_id: String,
    /// The relay's JSON.
    pub info: String,
}

impl Store {
    /// Writes recorded messages in one transaction.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn insert_sip_trace(&self, rows: &[SipTraceRow]) -> Result<(), StoreError> {
        self.write(&Actor::system("insert_sip_trace"), |tx| {
            Box::pin(async move {
                for chunk in rows.chunks(ROWS) {
                    insert(tx, chunk).await?;
                }
                Ok(())
            })
        })
        .await
        .map(drop)
    }

    /// Removes recorded messages of before `oldest_us` (microseconds since 1970 UTC) and all but the newest `keep`;
    /// gives how many are gone.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn prune_sip_trace(&self, oldest_us: i64, keep: u64) -> Result<u64, StoreError> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        let mut gone = 0;
        loop {
            let (removed, _) = self
                .write(&Actor::system("prune_sip_trace"), |tx| {
                    Box::pin(async move { prune(tx, oldest_us, keep).await })
                })
                .await?;
            gone += removed;
            if removed == 0 {
                return Ok(gone);
            }
        }
    }
}

async fn prune(tx: &mut Tx<'_>, oldest_us: i64, keep: i64) -> Result<u64, StoreError> {
    on!(tx, c => {
        // The row below the newest `keep`: it and all older ones go.
        let newest: Option<i64> =
            sqlx::query_scalar::<DB, i64>("SELECT id FROM sip_trace ORDER BY id DESC LIMIT 1 OFFSET ?")
                .bind(keep)
                .fetch_optional(&mut *c)
                .await?;
        let ids: Vec<i64> = sqlx::query_scalar::<DB, i64>(
            "SELECT id FROM sip_trace WHERE time_us < ? OR id <= ? ORDER BY id LIMIT ?",
        )
        .bind(oldest_us)
        .bind(newest.unwrap_or(0))
        .bind(PRUNED)
        .fetch_all(&mut *c)
        .await?;
        for part in ids.chunks(500) {
            let mut query = QueryBuilder::<DB>::new("DELETE FROM sip_trace WHERE id IN (");
            let mut list = query.separated(", ");
            for id in part {
                list.push_bind(*id);
            }
            query.push(")");
            query.build().execute(&mut *c).await?;
        }
        Ok(ids.len() as u64)
    })
}

async fn insert(tx: &mut Tx<'_>, rows: &[SipTraceRow]) -> Result<(), StoreError> {
    on!(tx, c => {
        let mut query = QueryBuilder::<DB>::new(
            "INSERT INTO sip_trace (time_stamp, time_us, callid, trace_attrs, msg, method, status, from_proto, \
             from_ip, from_port, to_proto, to_ip, to_port, fromtag, totag, direction) ",
        );
        query.push_values(rows, |mut tuple, row| {
            tuple
                .push_bind(utc(row.time_us / 1000))
                .push_bind(row.time_us)
                .push_bind(row.callid.as_str())
                .push_bind(row.trace_attrs.as_str())
                .push_bind(row.msg.as_str())
                .push_bind(row.method.as_str())
                .push_bind(row.status.as_str())
                .push_bind(row.from_proto.as_str())
                .push_bind(row.from_ip.as_str())
                .push_bind(row.from_port)
                .push_bind(row.to_proto.as_str())
                .push_bind(row.to_ip.as_str())
                .push_bind(row.to_port)
                .push_bind(row.fromtag.as_str())
                .push_bind(row.totag.as_str())
                .push_bind(row.direction.as_str());
        });
        query.build().execute(&mut *c).await.map(drop)
    })
}

impl Tx<'_> {
    /// The recorded messages of a call in their order, at most 2000. With a From tag only those of the dialogs that
    /// carry it, whichever end sent them.
    pub async fn sip_trace(
        &mut self,
        call_id: &str,
        from_tag: &str,
    ) -> Result<Vec<SipTraceRow>, StoreError> {
        on!(self, c => {
            sqlx::query_as::<DB, SipTraceRow>(
                "SELECT id, time_us, callid, COALESCE(trace_attrs, '') AS trace_attrs, msg, method, \
                 COALESCE(status, '') AS status, from_proto, from_ip, CAST(from_port AS SIGNED) AS from_port, \
                 to_proto, to_ip, CAST(to_port AS SIGNED) AS to_port, fromtag, totag, direction \
                 FROM sip_trace WHERE callid = ? AND (? = '' OR fromtag = ? OR totag = ?) \
                 ORDER BY time_us, id LIMIT ?",
            )
            .bind(call_id)
            .bind(from_tag)
            .bind(from_tag)
            .bind(from_tag)
            .bind(MOST)
            .fetch_all(&mut *c)
            .await
        })
    }

    /// What media relays noted of a call, newest first; with tags only of that dialog.
    pub async fn media_of_call(
        &mut self,
        call_id: &str,
        from_tag: &str,
        to_tag: &str,
    ) -> Result<Vec<MediaSessionRow>, StoreError> {
        on!(self, c => {
            sqlx::query_as::<DB, MediaSessionRow>(
                "SELECT call_id, info FROM media_sessions WHERE call_id = ? AND info IS NOT NULL \
                 AND (? = '' OR from_tag = ?) AND (? = '' OR to_tag = ?) ORDER BY id DESC LIMIT ?",
            )
            .bind(call_id)
            .bind(from_tag)
            .bind(from_tag)
            .bind(to_tag)
            .bind(to_tag)
            .bind(MOST)
            .fetch_all(&mut *c)
            .await
        })
    }

    /// The media sessions that began within the last day, newest first, at most 2000.
    pub async fn recent_media_sessions(&mut self) -> Result<Vec<MediaSessionRow>, StoreError> {
        let since = utc(self.now() - LONGEST_SESSION);
        on!(self, c => {
            sqlx::query_as::<DB, MediaSessionRow>(
                "SELECT call_id, info FROM media_sessions WHERE start_time >= ? AND info IS NOT NULL \
                 ORDER BY id DESC LIMIT ?",
            )
            .bind(&since)
            .bind(MOST)
            .fetch_all(&mut *c)
            .await
        })
    }

    /// The SIP domains of caller and callee of a call, from its records.
    pub async fn domains_of_call(&mut self, call_id: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(Option<String>, String)> = on!(self, c => {
            sqlx::query_as::<DB, (Option<String>, String)>(
                "SELECT Realm, CanonicalURI FROM radacct WHERE AcctSessionId = ? LIMIT 100",
            )
            .bind(call_id)
            .fetch_all(&mut *c)
            .await
        })?;
        let callee = |uri: &str| uri.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        Ok(rows.into_iter().flat_map(|(realm, uri)| [realm, callee(&uri)]).flatten().collect())
    }
}
