//! Who a request comes from: digest authentication.

use super::guarding::name_in;
use super::voicemail::purpose;
use super::{Engine, Fields, identity};
use crate::config::{DigestAlgorithm, DigestUri, WithoutPassword};
use crate::facts;
use ngn_daemon::wall_clock;
use ngn_model::{Account, Aor, DomainName, PeerProtocol, TrustedPeer};
use ngn_routing::{Caller, Purpose, dial};
use ngn_sip::digest::{self, Offered, Rules, Secret, UriRule, Verdict};
use ngn_sip::gruu::is_gruu;
use ngn_sip::guard::{Network, Proof};
use ngn_sip::header::{Algorithm, Authorization, HeaderName, Transport};
use ngn_sip::message::{Message, Method};
use ngn_sip::stack::{Edit, IncomingRequest};
use ngn_sip::uri::Uri;
use std::iter;
use std::net::IpAddr;

/// Who a request comes from, or the answer that it deserves instead.
pub(super) enum Admission {
    Account(Box<Account>),
    /// An account of ours by its From, for an emergency call; the settings say what else it takes.
    Claimed(Box<Account>),
    Peer(Box<TrustedPeer>),
    Stranger,
    Refused(u16, Option<&'static str>, Fields),
}

impl Admission {
    /// Who calls, as decisions know them; `None` when the request is refused.
    pub(super) fn caller(&self) -> Option<Caller<'_>> {
        match self {
            Self::Account(account) => Some(Caller::Account(account)),
            Self::Claimed(account) => Some(Caller::Claimed(account)),
            Self::Peer(peer) => Some(Caller::Peer(peer)),
            Self::Stranger => Some(Caller::Stranger),
            Self::Refused(..) => None,
        }
    }
}

impl Engine {
    /// RFC 3261 section 22.3: credentials for realms of ours end here, those for other proxies go on.
    pub(super) fn without_credentials(&self, request: &Message) -> Vec<Edit> {
        let name = HeaderName::ProxyAuthorization;
        let fields =
            request.named(name).map(|field| field.unfolded()).zip(request.authorizations(name));
        let others = fields.filter_map(|(text, read)| match read {
            Ok(Authorization::Digest(credentials)) => {
                let realm = DomainName::new(&credentials.realm);
                let is_ours = realm.is_ok_and(|realm| self.directory.serves(&realm));
                (!is_ours).then(|| Edit::Append(name.as_str().to_owned(), text.into_owned()))
            }
            _ => None,
        });
        iter::once(Edit::Remove(name.as_str().to_owned())).chain(others).collect()
    }

    /// Who calls: a trusted peer by its address (B145); else From in a domain of ours must be proved, any other proves
    /// nothing.
    pub(super) fn admit(
        &mut self,
        incoming: &IncomingRequest,
        method: &Method,
        uri: &Uri,
    ) -> Admission {
        let (request, source) = (&incoming.request, &incoming.source);
        let name = HeaderName::ProxyAuthorization;
        // A phone behind the address of a trunk shows that it has a password.
        if request.field(name).is_none()
            && let Some(peer) = self.directory.peer(source.remote.ip(), protocol(&source.transport))
        {
            return Admission::Peer(Box::new(peer.clone()));
        }
        // B154: it tells about messages, and that is all that its address is good for.
        if purpose(request) == Purpose::MailboxChanged
            && self.is_voicemail_server(source.remote.ip())
        {
            let ip = source.remote.ip().to_canonical().to_string();
            return Admission::Peer(Box::new(TrustedPeer::new(ip, PeerProtocol::Any)));
        }
        let Ok(from) = request.from_header() else {
            return Admission::Refused(400, None, Vec::new());
        };
        if ngn_routing::is_anonymous(from.uri().as_str()) {
            return self.admit_anonymous(incoming, method, uri);
        }
        let Ok(domain) = DomainName::new(from.uri().host_text()) else {
            return Admission::Stranger;
        };
        if !self.directory.serves(&domain) {
            return Admission::Stranger;
        }
        let claimed = if is_gruu(from.uri()) {
            // RFC 5627 section 3.1.2: a temporary one shows others nothing, and proves nothing.
            self.gruus.read(from.uri()).map(|gruu| gruu.aor)
        } else {
            from.uri().aor()
        };
        let owner = |engine: &Self| {
            let (owner, _) = claimed.as_ref().and_then(|aor| engine.directory.resolve(aor))?;
            Some(Box::new(owner.clone()))
        };
        let proved = self.authenticate(incoming, method, uri, &domain, name);
        if proved.is_err() {
            self.asked_for(source, &name_in(from.uri()), owner(self).is_some());
        }
        match proved {
            Ok(account) => {
                if owner(self).is_some_and(|owner| owner.aor == account.aor) {
                    Admission::Account(Box::new(account))
                } else {
                    Admission::Refused(403, Some("From Is Not Yours"), Vec::new())
                }
            }
            Err(refused) => self.unproved(incoming, uri, owner(self), refused),
        }
    }

    /// Who calls that hides who it is (RFC 3323 section 4.1.1.3): an account that shows its password, or that says to us alone
    /// who it is (RFC 3325 section 9.2), or anybody. One who calls no account of ours must be one (RFC 3325 section 5).
    fn admit_anonymous(
        &mut self,
        incoming: &IncomingRequest,
        method: &Method,
        uri: &Uri,
    ) -> Admission {
        let (request, name) = (&incoming.request, HeaderName::ProxyAuthorization);
        let claimed = identity::told_to_us(request).find(|aor| self.directory.serves(aor.domain()));
        let realms = request.authorizations(name).filter_map(|field| match field {
            Ok(Authorization::Digest(credentials)) => DomainName::new(&credentials.realm).ok(),
            _ => None,
        });
        let realm = realms.into_iter().find(|realm| self.directory.serves(realm));
        let domain = realm.or_else(|| claimed.as_ref().map(|aor| aor.domain().clone()));
        let Some(domain) = domain.or_else(|| self.domain_of_number(uri)) else {
            return Admission::Stranger;
        };
        match self.authenticate(incoming, method, uri, &domain, name) {
            Ok(account) => Admission::Account(Box::new(account)),
            Err(refused) => {
                let owner = claimed.as_ref().and_then(|aor| self.directory.resolve(aor));
                let owner = owner.map(|(owner, _)| Box::new(owner.clone()));
                if let Some(claimed) = &claimed {
                    self.asked_for(&incoming.source, &claimed.to_string(), owner.is_some());
                }
                self.unproved(incoming, uri, owner, refused)
            }
        }
    }

    /// The domain of ours in which something is called that may be a number, and is nobody's address.
    fn domain_of_number(&self, uri: &Uri) -> Option<DomainName> {
        let domain = DomainName::new(uri.host_text()).ok()?;
        let dialled = facts::dialled(uri);
        let is_number = dialled.starts_with(|c: char| c == '+' || c.is_ascii_digit());
        let names = dial::usernames(&Caller::Stranger, &dialled, Some(&domain), &self.settings);
        let is_known = |name: &String| {
            let aor = Aor::new(name, domain.as_str()).ok();
            aor.is_some_and(|aor| self.directory.resolve(&aor).is_some())
        };
        (is_number && self.directory.serves(&domain) && !names.iter().any(is_known))
            .then_some(domain)
    }

    /// What becomes of a request that did not prove who it is from. B165: nobody who is known is kept from an emergency call by
    /// a challenge.
    fn unproved(
        &self,
        incoming: &IncomingRequest,
        uri: &Uri,
        owner: Option<Box<Account>>,
        (status, fields): (u16, Fields),
    ) -> Admission {
        match owner {
            Some(owner)
                if self.is_emergency(uri)
                    && self.needs_no_password(&owner.aor, incoming.source.remote.ip()) =>
            {
                Admission::Claimed(owner)
            }
            _ => Admission::Refused(status, None, fields),
        }
    }

    /// Whether an account makes emergency calls from an address without showing a password.
    fn needs_no_password(&self, aor: &Aor, source: IpAddr) -> bool {
        match self.config.emergency.without_password {
            WithoutPassword::Known => true,
            WithoutPassword::Registered => self.is_registered_from(aor, source),
            WithoutPassword::Nobody => false,
        }
    }

    /// Whether a contact of an account is registered from an address.
    pub(super) fn is_registered_from(&self, aor: &Aor, source: IpAddr) -> bool {
        let (source, now) = (Network::of(source), wall_clock());
        self.directory.bindings(aor).iter().filter(|binding| binding.expires_at > now).any(
            |binding| {
                let uri = binding.received.as_ref().unwrap_or(&binding.contact);
                let address =
                    Uri::parse(uri).ok().and_then(|uri| uri.host()).and_then(|host| host.ip());
                address.is_some_and(|address| Network::of(address) == source)
            },
        )
    }

    /// Whether credentials, or the lack of them, are looked at.
    fn proof(
        &self,
        incoming: &IncomingRequest,
        account: Option<&Aor>,
        is_own_nonce: bool,
    ) -> Proof {
        let request = &incoming.request;
        let is_emergency = request.request_uri().is_some_and(|uri| self.is_emergency(uri));
        if is_emergency && request.method() != Some(&Method::Register) {
            return Proof::Check;
        }
        let Some(source) = self.counted(&incoming.source) else { return Proof::Check };
        let address = incoming.source.remote.ip();
        let is_registered = || account.is_some_and(|aor| self.is_registered_from(aor, address));
        let name = account.map(ToString::to_string).unwrap_or_default();
        self.guard.proof(self.now(), source, &name, is_registered, is_own_nonce)
    }

    /// The account whose password a request proves to know, or the answer to give.
    pub(super) fn authenticate(
        &mut self,
        incoming: &IncomingRequest,
        method: &Method,
        uri: &Uri,
        domain: &DomainName,
        name: HeaderName,
    ) -> Result<Account, (u16, Fields)> {
        let (now, realm) = (wall_clock(), domain.as_str());
        let (request, address) = (&incoming.request, incoming.source.remote.ip());
        let (source, moment) = (self.counted(&incoming.source), self.now());
        let network = Network::of(address).octets();
        let credentials = request.authorizations(name).find_map(|field| match field {
            Ok(Authorization::Digest(credentials)) if credentials.realm == realm => {
                Some(credentials)
            }
            _ => None,
        });
        let mut stale = false;
        if let Some(credentials) = credentials {
            let (username, host) =
                credentials.username.split_once('@').unwrap_or((&credentials.username, realm));
            let is_here = host.eq_ignore_ascii_case(realm);
            let claimed = Aor::new(username, realm).ok().filter(|_| is_here);
            let is_own_nonce = self.nonce_key.is_for(&credentials.nonce, &network);
            let name_of = claimed.as_ref().map(ToString::to_string).unwrap_or_default();
            let proof = self.proof(incoming, claimed.as_ref(), is_own_nonce);
            if proof == Proof::Refuse {
                self.metrics.guard.unproven.inc();
                return Err((403, Vec::new()));
            }
            if proof == Proof::Anew {
                return self.challenge(name, realm, true, now, network);
            }
            let account = claimed.and_then(|aor| self.directory.account(&aor));
            // B61: the digests of a user name with domain are others; of SHA-256 there is none.
            let is_long = credentials.username.contains('@');
            let secret = account.map_or(Secret::default(), |account| match is_long {
                false => Secret { md5: account.ha1.as_ref(), sha256: account.ha1_sha256.as_ref() },
                true => Secret { md5: account.ha1b.as_ref(), sha256: None },
            });
            let rules = Rules {
                nonce_lifetime: self.config.digest.nonce_milliseconds(),
                allow_without_qop: self.config.digest.allow_without_qop,
                uri: match self.config.digest.uri {
                    DigestUri::Any => UriRule::Any,
                    DigestUri::SameTarget => UriRule::SameTarget,
                    DigestUri::Equivalent => UriRule::Equivalent,
                },
                offered: Offered {
                    md5: self.config.digest.algorithms.contains(&DigestAlgorithm::Md5),
                    sha256: self.config.digest.algorithms.contains(&DigestAlgorithm::Sha256),
                },
            };
            let asked = digest::Request { method, uri, realm };
            let window = &mut self.window;
            match digest::verify(&credentials, &asked, secret, &rules, &self.nonce_key, window, now)
            {
                Verdict::Accepted => {
                    if let Some(account) = account.cloned() {
                        self.guard.succeeded(moment, Network::of(address), &name_of);
                        return Ok(account);
                    }
                }
                Verdict::Malformed(_) => return Err((400, Vec::new())),
                Verdict::Stale => stale = true,
                Verdict::Wrong => self.guessed(source, &name_of, is_own_nonce),
                Verdict::Unsuitable(_) => {}
            }
        } else {
            let whose = if name == HeaderName::Authorization {
                request.to_header().ok().and_then(|to| to.uri().aor())
            } else {
                request.from_header().ok().and_then(|from| from.uri().aor())
            };
            if source.is_some_and(|source| self.guard.is_banned(moment, source))
                && self.proof(incoming, whose.as_ref(), true) == Proof::Refuse
            {
                self.metrics.guard.unproven.inc();
                return Err((403, Vec::new()));
            }
        }
        self.challenge(name, realm, stale, now, network)
    }

    /// Asks for a password.
    fn challenge(
        &self,
        name: HeaderName,
        realm: &str,
        stale: bool,
        now: i64,
        network: [u8; 16],
    ) -> Result<Account, (u16, Fields)> {
        let mut seed = [0; 4];
        if getrandom::fill(&mut seed).is_err() {
            return Err((500, Vec::new()));
        }
        let random = self.nonce_key.random_for(&network, seed);
        let algorithms: Vec<Algorithm> = self
            .config
            .digest
            .algorithms
            .iter()
            .map(|algorithm| match algorithm {
                DigestAlgorithm::Md5 => Algorithm::Md5,
                DigestAlgorithm::Sha256 => Algorithm::Sha256,
            })
            .collect();
        let challenges =
            digest::challenges(realm, &algorithms, stale, &self.nonce_key, now, random);
        let (status, field) = if name == HeaderName::Authorization {
            (401, HeaderName::WwwAuthenticate)
        } else {
            (407, HeaderName::ProxyAuthenticate)
        };
        Err((status, challenges.iter().map(|challenge| (field, challenge.to_string())).collect()))
    }
}

/// The transport as trusted peers name it.
pub(super) const fn protocol(transport: &Transport) -> PeerProtocol {
    match transport {
        Transport::Tcp | Transport::Ws => PeerProtocol::Tcp,
        Transport::Tls | Transport::Wss => PeerProtocol::Tls,
        Transport::Udp | Transport::Sctp | Transport::Other(_) => PeerProtocol::Udp,
    }
}
