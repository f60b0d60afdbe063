//! Does what a request asks for: plainly, once under a key, or only to see what it would do (doc/safe-writes.md).

use crate::dispatch::dispatch;
use crate::fault::OpError;
use crate::ops::Call;
use crate::wishes::{Fingerprint, Wishes};
use ngn_model::Position;
use ngn_soap::fault::code;
use ngn_soap::{Fault, Request, Style};
use ngn_store::{Claim, FirstAnswer, IDEMPOTENCY_HOURS, JournalEntry, StoreError};
use serde_json::{Value, json};

/// How often a write under a key is tried when others are in its way.
const ATTEMPTS: u32 = 3;
/// How many journal rows a dry run shows.
const SHOWN: usize = 1000;

/// What was done.
#[derive(Debug)]
pub struct Performed {
    /// The reply's body.
    pub body: Vec<u8>,
    /// The position of the change in the journal.
    pub position: Option<Position>,
    /// Whether this is the answer to an earlier request.
    pub replayed: bool,
    /// After a dry run: how many journal rows it would have written.
    pub dry_run: Option<usize>,
}

/// Serves a request as its header wishes.
///
/// # Errors
///
/// Why it was refused.
pub async fn perform(
    call: &Call<'_>,
    request: Request,
    style: Style,
    wishes: &Wishes,
) -> Result<Performed, OpError> {
    match &wishes.key {
        _ if wishes.dry_run => try_only(call, request, style).await,
        Some(key) => once(call, &request, style, key).await,
        None => {
            let reply = dispatch(call, request, style).await?;
            let (body, position) = (reply.body, reply.position);
            Ok(Performed { body, position, replayed: false, dry_run: None })
        }
    }
}

async fn try_only(call: &Call<'_>, request: Request, style: Style) -> Result<Performed, OpError> {
    let (store, held) = call.store.holding(None);
    let reply = dispatch(&call.on(&store), request, style).await?;
    let entries = held.entries();
    held.roll_back().await;
    let mut body = reply.body;
    body.extend_from_slice(comment(&entries).as_bytes());
    Ok(Performed { body, position: None, replayed: false, dry_run: Some(entries.len()) })
}

/// The rows as a comment behind the envelope, where XML allows one (XML 1.0 §2.8) and nobody looks for more.
fn comment(entries: &[JournalEntry]) -> String {
    let record = |text: &Option<String>| {
        text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok())
    };
    let rows = entries.iter().take(SHOWN).map(|entry| {
        json!({
            "entity": entry.entity.as_str(), "key": entry.key, "zone": entry.zone,
            "before": record(&entry.before), "after": record(&entry.after),
        })
    });
    // Two hyphens would end the comment (XML 1.0 §2.5); in JSON they stand in texts only.
    let rows = Value::Array(rows.collect()).to_string().replace("--", "-\\u002d");
    let rows = rows.replace("--", "-\\u002d");
    format!("\n<!-- dry run, nothing was changed; journal: {rows} -->\n")
}

async fn once(
    call: &Call<'_>,
    request: &Request,
    style: Style,
    key: &str,
) -> Result<Performed, OpError> {
    let who = &call.principal;
    let fingerprint = Fingerprint::new(key, who, request, style);
    let kind = if who.administrator_login { "administrator" } else { "customer" };
    // Both tables of logins may hold the same name (B3).
    let login: String = format!("{kind} {}", who.login).chars().take(255).collect();
    let claim = Claim { login, key: key.to_owned(), digest: fingerprint.digest() };
    let mut attempt = 1;
    loop {
        if let Some(first) = call.store.first_answer(&claim.login, key).await? {
            return replay(&fingerprint, &claim, first);
        }
        let (store, held) = call.store.holding(Some(claim.clone()));
        let last = attempt == ATTEMPTS;
        attempt += 1;
        let reply = match dispatch(&call.on(&store), request.clone(), style).await {
            Ok(reply) => reply,
            // Somebody else was first, and is answered by now.
            Err(_) if held.repeated() && !last => continue,
            Err(error) => return Err(error),
        };
        match held.commit(Some(&fingerprint.seal(&reply.body)?)).await {
            Ok(position) => {
                return Ok(Performed {
                    body: reply.body,
                    position,
                    replayed: false,
                    dry_run: None,
                });
            }
            Err(StoreError::Contention(_)) if !last => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn replay(
    fingerprint: &Fingerprint,
    claim: &Claim,
    first: FirstAnswer,
) -> Result<Performed, OpError> {
    if first.digest != claim.digest {
        let text = format!(
            "the Idempotency-Key `{}` was used for another request of this login within the last \
             {IDEMPOTENCY_HOURS} hours, and nothing was changed now; send the same request to get its answer \
             again, or a new key for a new change",
            claim.key
        );
        return Err(Fault::client(code::INVALID_ARGUMENT, text).into());
    }
    let body = fingerprint.open(&first.response).ok_or_else(|| {
        StoreError::corrupt("an answer under a key", "it was not sealed by this request")
    })?;
    Ok(Performed { body, position: first.position, replayed: true, dry_run: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::Entity;

    #[test]
    fn a_comment_stays_one() {
        let entry = JournalEntry {
            entity: Entity::DnsRecord,
            key: "a---b-->".to_owned(),
            zone: None,
            before: None,
            after: Some(r#"{"value":"-->----"}"#.to_owned()),
        };
        let text = comment(&[entry]);
        let inner = text.trim().strip_prefix("<!--").unwrap().strip_suffix("-->").unwrap();
        assert!(!inner.contains("--"), "{inner}");
        let rows = inner.split_once("journal: ").unwrap().1;
        let rows: Value = serde_json::from_str(rows.trim()).unwrap();
        assert_eq!(rows[0]["key"], "a---b-->");
        assert_eq!(rows[0]["after"]["value"], "-->----");
    }
}
