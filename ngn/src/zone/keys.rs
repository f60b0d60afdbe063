//! Signed zones: `sign`, `unsign`, `keys`, `roll` (RFC 6781 section 4.1, RFC 7344, RFC 8078).

use super::named;
use crate::say;
use anyhow::{anyhow, bail, ensure};
use ngn_dns::dnssec::{DNSKEY_TTL, Key, KeyState};
use ngn_dns::name::Name;
use ngn_model::zone::ZoneSigning;
use ngn_model::{DomainName, Entity};
use ngn_store::{Actor, NewZoneKey, Store, Tx};
use serde_json::{Value, json};

/// Which zone is to be signed, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The zone.
    #[arg(value_name = "ZONE")]
    zone: String,
    /// Denies names by their hashes, so that the zone's names cannot be listed by asking (RFC 5155, RFC 9276).
    #[arg(long, conflicts_with = "nsec")]
    nsec3: bool,
    /// Denies names by the names around them, which is smaller and faster.
    #[arg(long)]
    nsec: bool,
}

/// Which zone is to be signed no more.
#[derive(Debug, clap::Args)]
pub(super) struct Unsign {
    /// The zone.
    #[arg(value_name = "ZONE")]
    zone: String,
    /// The parent has no DS records any more, and nobody has them in memory: takes signatures and keys away now.
    #[arg(long)]
    no_ds: bool,
}

/// Whose keys.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The zone.
    #[arg(value_name = "ZONE")]
    zone: String,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Which key is to be replaced.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(super) struct Roll {
    /// The zone.
    #[arg(value_name = "ZONE")]
    zone: String,
    /// The zone signing key: the new one is published, signs when everybody can know it, and then the old one goes.
    #[arg(long, group = "which")]
    zsk: bool,
    /// The key signing key: both sign, the parent is told of the new one, and the old one stays until --ds-seen.
    #[arg(long, group = "which")]
    ksk: bool,
    /// The parent has the DS record of the new key signing key: the old key goes when nobody has the old DS any more.
    #[arg(long, requires = "ksk", conflicts_with = "now")]
    ds_seen: bool,
    /// Does not wait, as when a private key is known to others; who has the old keys in memory fails until they end.
    #[arg(long)]
    now: bool,
    /// How long secondaries take to have a change, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32))]
    propagation: u32,
    /// The TTL of the parent's DS records, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32))]
    ds_ttl: u32,
}

/// Seconds since 1970 UTC.
fn now() -> i64 {
    ngn_daemon::wall_clock() / 1000
}

/// What to do with the keys of a zone.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Whether it is signed then, by hashes, and about to end; `None` takes everything away.
    signed: Option<(bool, bool)>,
    new: Vec<NewZoneKey>,
    /// Keys with when they retire and are removed.
    ends: Vec<(i64, Option<i64>, Option<i64>)>,
}

impl Plan {
    fn keeping(signing: &ZoneSigning) -> Self {
        Self { signed: Some((signing.nsec3, signing.withdrawn)), ..Self::default() }
    }
}

const NOT_SIGNED: &str = "the zone is not signed; `ngn zone sign` signs it";

/// A zone that is signed with a key of each kind.
fn to_sign(nsec3: bool, before: Option<&ZoneSigning>, now: i64) -> Plan {
    let keys = before.map(|signing| signing.keys.as_slice()).unwrap_or_default();
    let missing = |ksk: &bool| !keys.iter().any(|key| key.ksk == *ksk && key.retire_at.is_none());
    let new = |ksk| NewZoneKey { ksk, publish_at: now, active_at: now };
    let new = [true, false].into_iter().filter(missing).map(new).collect();
    Plan { signed: Some((nsec3, false)), new, ends: Vec::new() }
}

/// A new key, and when those before it end.
fn to_roll(
    options: &Roll,
    before: Option<&ZoneSigning>,
    now: i64,
    highest_ttl: i64,
) -> anyhow::Result<Plan> {
    let before = before.ok_or_else(|| anyhow!(NOT_SIGNED))?;
    let (propagation, ds_ttl) = (i64::from(options.propagation), i64::from(options.ds_ttl));
    let known = if options.now { now } else { now + i64::from(DNSKEY_TTL) + propagation };
    let keys = || before.keys.iter().filter(|key| key.ksk == options.ksk);
    let mut plan = Plan::keeping(before);
    if options.ds_seen {
        for key in keys().filter(|key| key.remove_at.is_none()) {
            let Some(retire_at) = key.retire_at else { continue };
            ensure!(
                retire_at <= now,
                "the parent is told of the new key from {} on",
                shown(retire_at)
            );
            plan.ends.push((key.id, Some(retire_at), Some(now + ds_ttl + propagation)));
        }
        ensure!(!plan.ends.is_empty(), "no key signing key is being replaced");
        return Ok(plan);
    }
    if let Some(key) = keys().find(|key| key.active_at > now) {
        bail!(
            "a key is being replaced already; the new one is active from {} on",
            shown(key.active_at)
        );
    }
    ensure!(
        !keys().any(|key| options.ksk && key.retire_at.is_some() && key.remove_at.is_none()),
        "a key signing key is being replaced already; when the parent has the DS record of the new one, say so with \
         --ds-seen"
    );
    plan.new.push(NewZoneKey { ksk: options.ksk, publish_at: now, active_at: known });
    for key in keys().filter(|key| key.retire_at.is_none()) {
        // Until nobody has its signatures any more; a key signing key until the parent was seen to have the new one.
        let remove_at = (!options.ksk).then_some(known + highest_ttl + propagation);
        plan.ends.push((key.id, Some(known), remove_at));
    }
    Ok(plan)
}

/// Carries a plan out in one transaction and gives what the zone is then.
async fn change(
    store: &Store,
    zone: &DomainName,
    (login, operation): (&str, &str),
    decide: impl Fn(Option<&ZoneSigning>, i64, i64) -> anyhow::Result<Plan> + Send + Sync,
) -> anyhow::Result<Option<ZoneSigning>> {
    let actor = Actor {
        login: login.to_owned(),
        impersonated: None,
        source: "ngn".to_owned(),
        operation: operation.to_owned(),
    };
    let decide = &decide;
    let write = store.write::<_, anyhow::Error, _>(&actor, |tx| {
        Box::pin(async move {
            let id = zone_id(tx, zone).await?;
            let before = tx.zone_signing(id).await?;
            let (ttl, now) = (tx.highest_ttl(id).await?, now());
            let plan = decide(before.as_ref(), now, ttl)?;
            let Some((nsec3, withdrawn)) = plan.signed else {
                tx.delete_zone_signing(id).await?;
                let before = before.as_ref().map(|signing| snapshot(signing, now));
                tx.journal(Entity::ZoneKeys, zone, Some(zone.as_str()), before, None);
                return Ok(None);
            };
            tx.set_zone_signing(id, nsec3, withdrawn).await?;
            for key in plan.new {
                tx.insert_zone_key(id, key).await?;
            }
            for (key, retire_at, remove_at) in plan.ends {
                tx.retire_zone_key(key, retire_at, remove_at).await?;
            }
            tx.delete_removed_zone_keys(id, now).await?;
            let after = tx.zone_signing(id).await?;
            let shown = |signing: &Option<ZoneSigning>| signing.as_ref().map(|s| snapshot(s, now));
            let (before, after_shown) = (shown(&before), shown(&after));
            tx.journal(Entity::ZoneKeys, zone, Some(zone.as_str()), before, after_shown);
            Ok(after)
        })
    });
    Ok(write.await?.0)
}

async fn zone_id(tx: &mut Tx<'_>, zone: &DomainName) -> anyhow::Result<i64> {
    tx.zone_id(zone).await?.ok_or_else(|| anyhow!("there is no zone {zone}"))
}

pub(super) async fn sign(store: &Store, options: Sign, login: &str) -> anyhow::Result<()> {
    let zone = named(&options.zone)?;
    let decide = |before: Option<&ZoneSigning>, now, _| {
        // Without a word a zone that is signed stays as it is.
        let nsec3 = options.nsec3 || (!options.nsec && before.is_some_and(|signing| signing.nsec3));
        Ok(to_sign(nsec3, before, now))
    };
    let signing = change(store, &zone, (login, "zone:sign"), decide).await?;
    say(&format!("{zone} is signed; its parent needs one of these, and until then nobody checks:"));
    for line in signing.iter().flat_map(|signing| parents(&zone, signing, now())) {
        say(&line);
    }
    Ok(())
}

pub(super) async fn unsign(store: &Store, options: Unsign, login: &str) -> anyhow::Result<()> {
    let zone = named(&options.zone)?;
    let decide = |before: Option<&ZoneSigning>, _, _| {
        let before = before.ok_or_else(|| anyhow!(NOT_SIGNED))?;
        let signed = (!options.no_ds).then_some((before.nsec3, true));
        Ok(Plan { signed, ..Plan::default() })
    };
    change(store, &zone, (login, "zone:unsign"), decide).await?;
    say(&if options.no_ds {
        format!("{zone} is not signed any more, and its keys are gone")
    } else {
        format!(
            "{zone} asks its parent to remove its DS records (CDS and CDNSKEY, RFC 8078); when they are gone, and their TTL \
             is over, run this again with --no-ds"
        )
    });
    Ok(())
}

pub(super) async fn roll(store: &Store, options: Roll, login: &str) -> anyhow::Result<()> {
    let zone = named(&options.zone)?;
    let decide = |before: Option<&ZoneSigning>, now, ttl| to_roll(&options, before, now, ttl);
    let signing = change(store, &zone, (login, "zone:roll"), decide).await?;
    let Some(signing) = signing else { return Ok(()) };
    for line in listed(&signing, now()) {
        say(&line);
    }
    if options.ksk && !options.ds_seen {
        say("the parent needs one of these instead of what it has; then run this with --ds-seen:");
        for line in parents(&zone, &signing, i64::MAX - 1) {
            say(&line);
        }
    }
    Ok(())
}

pub(super) async fn show(store: &Store, options: Show) -> anyhow::Result<()> {
    let zone = named(&options.zone)?;
    let read = store.read::<_, anyhow::Error, _>(|tx| {
        let zone = &zone;
        Box::pin(async move {
            let id = zone_id(tx, zone).await?;
            Ok(tx.zone_signing(id).await?)
        })
    });
    let signing = read.await?.ok_or_else(|| anyhow!(NOT_SIGNED))?;
    let now = now();
    if options.json {
        let mut shown = snapshot(&signing, now);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("zone".to_owned(), json!(zone.as_str()));
            shown.insert("ds".to_owned(), json!(parents(&zone, &signing, now)));
        }
        say(&shown.to_string());
        return Ok(());
    }
    let denial = if signing.nsec3 { "NSEC3" } else { "NSEC" };
    let ending = if signing.withdrawn { ", asks its parent to remove its DS records" } else { "" };
    say(&format!("{zone}: ECDSA P-256 with SHA-256, {denial}{ending}"));
    for line in listed(&signing, now).into_iter().chain(parents(&zone, &signing, now)) {
        say(&line);
    }
    Ok(())
}

fn keys(signing: &ZoneSigning) -> impl Iterator<Item = Key> {
    signing.keys.iter().cloned().filter_map(Key::new)
}

/// The DS records that a zone's parent shall have, in presentation form; none when the zone is not signed.
pub(super) async fn ds_of(store: &Store, zone: &DomainName) -> anyhow::Result<Vec<String>> {
    let read = store.zone_signings(std::slice::from_ref(zone)).await?;
    let signing = read.into_iter().find_map(|(_, signing)| signing);
    let signing = signing.filter(|signing| !signing.withdrawn);
    Ok(signing.map(|signing| parents(zone, &signing, now())).unwrap_or_default())
}

/// The DS records of the keys that the parent shall vouch for, in presentation form.
fn parents(zone: &DomainName, signing: &ZoneSigning, now: i64) -> Vec<String> {
    let apex = Name::from(zone);
    let active = |key: &Key| key.row().ksk && key.state(now) == KeyState::Active;
    let ds = |key: Key| {
        let rdata = key.ds(apex.as_wire());
        let digest: String = rdata.iter().skip(4).map(|octet| format!("{octet:02X}")).collect();
        format!("{zone}. IN DS {} 13 2 {digest}", key.tag())
    };
    keys(signing).filter(active).map(ds).collect()
}

/// A line for each key.
fn listed(signing: &ZoneSigning, now: i64) -> Vec<String> {
    let line = |key: Key| {
        let role = if key.row().ksk { "KSK" } else { "ZSK" };
        let row = key.row();
        let mut line = format!("{:>5} {role} {:<9}", key.tag(), key.state(now).as_str());
        let times = [
            ("published", Some(row.publish_at)),
            ("active", Some(row.active_at)),
            ("retires", row.retire_at),
            ("goes", row.remove_at),
        ];
        for (what, at) in times {
            if let Some(at) = at {
                line.push_str(&format!("  {what} {}", shown(at)));
            }
        }
        line
    };
    keys(signing).map(line).collect()
}

fn shown(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}

/// What the journal and `--json` say: no private key.
fn snapshot(signing: &ZoneSigning, now: i64) -> Value {
    let key = |key: Key| {
        let row = key.row();
        json!({
            "tag": key.tag(), "role": if row.ksk { "KSK" } else { "ZSK" }, "state": key.state(now).as_str(),
            "publish_at": row.publish_at, "active_at": row.active_at,
            "retire_at": row.retire_at, "remove_at": row.remove_at,
        })
    };
    let denial = if signing.nsec3 { "nsec3" } else { "nsec" };
    json!({ "denial": denial, "withdrawn": signing.withdrawn, "keys": keys(signing).map(key).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ngn_model::zone::ZoneKey;

    fn key(id: i64, ksk: bool, active_at: i64, ends: (Option<i64>, Option<i64>)) -> ZoneKey {
        let (retire_at, remove_at) = ends;
        let public = vec![0; 64];
        ZoneKey {
            id,
            ksk,
            public,
            secret: String::new(),
            publish_at: 0,
            active_at,
            retire_at,
            remove_at,
        }
    }

    fn signing(keys: Vec<ZoneKey>) -> ZoneSigning {
        ZoneSigning { nsec3: true, withdrawn: false, renewed: 0, keys }
    }

    fn options(ksk: bool, ds_seen: bool) -> Roll {
        let zone = "a.example".to_owned();
        Roll { zone, zsk: !ksk, ksk, ds_seen, now: false, propagation: 100, ds_ttl: 1000 }
    }

    const NEVER: (Option<i64>, Option<i64>) = (None, None);

    #[test]
    fn signing_makes_the_keys_that_are_missing() {
        let plan = to_sign(false, None, 50);
        assert_eq!(plan.new.iter().map(|key| key.ksk).collect::<Vec<_>>(), [true, false]);
        let before = signing(vec![key(1, true, 0, NEVER), key(2, false, 0, NEVER)]);
        assert_eq!(to_sign(true, Some(&before), 50).new, []);
    }

    // RFC 6781 section 4.1.1.1: published for a TTL before it signs; the old one stays for the highest TTL after it signed.
    #[test]
    fn a_zone_signing_key_is_published_before_it_signs() {
        let before = signing(vec![key(1, true, 0, NEVER), key(2, false, 0, NEVER)]);
        let plan = to_roll(&options(false, false), Some(&before), 50, 7200).unwrap();
        assert_eq!(plan.new, [NewZoneKey { ksk: false, publish_at: 50, active_at: 3750 }]);
        assert_eq!(plan.ends, [(2, Some(3750), Some(3750 + 7300))]);
        let during =
            signing(vec![key(2, false, 0, (Some(3750), Some(9))), key(3, false, 3750, NEVER)]);
        assert!(to_roll(&options(false, false), Some(&during), 60, 7200).is_err());
        assert!(to_roll(&options(false, false), None, 60, 7200).is_err());
    }

    // RFC 6781 section 4.1.2: both sign until the parent has the new one and nobody has the old DS.
    #[test]
    fn a_key_signing_key_stays_until_the_parent_was_seen() {
        let before = signing(vec![key(1, true, 0, NEVER), key(2, false, 0, NEVER)]);
        assert!(to_roll(&options(true, true), Some(&before), 50, 0).is_err());
        let plan = to_roll(&options(true, false), Some(&before), 50, 0).unwrap();
        assert_eq!(plan.new, [NewZoneKey { ksk: true, publish_at: 50, active_at: 3750 }]);
        assert_eq!(plan.ends, [(1, Some(3750), None)]);
        let during = signing(vec![key(1, true, 0, (Some(3750), None)), key(3, true, 3750, NEVER)]);
        assert!(to_roll(&options(true, true), Some(&during), 3700, 0).is_err(), "not told yet");
        assert!(to_roll(&options(true, false), Some(&during), 4000, 0).is_err(), "not ended yet");
        let plan = to_roll(&options(true, true), Some(&during), 4000, 0).unwrap();
        assert_eq!(plan.ends, [(1, Some(3750), Some(4000 + 1100))]);
    }
}
