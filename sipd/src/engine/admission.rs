//! Who a request comes from: digest authentication.

use super::{Engine, Fields};
use crate::config::{DigestAlgorithm, DigestUri};
use crate::wall_clock;
use ngn_model::{Account, Aor, DomainName};
use ngn_sip::digest::{self, Rules, Secret, UriRule, Verdict};
use ngn_sip::header::{Algorithm, Authorization, HeaderName};
use ngn_sip::message::{Message, Method};
use ngn_sip::uri::Uri;

/// Who a request comes from, or the answer that it deserves instead.
pub(super) enum Admission {
    Account(Box<Account>),
    Stranger,
    Refused(u16, Option<&'static str>, Fields),
}

impl Engine {
    /// Who calls: From in a domain of ours must be proved, any other proves nothing.
    pub(super) fn admit(&mut self, request: &Message, method: &Method, uri: &Uri) -> Admission {
        let Ok(from) = request.from_header() else {
            return Admission::Refused(400, None, Vec::new());
        };
        let Ok(domain) = DomainName::new(from.uri().host_text()) else {
            return Admission::Stranger;
        };
        if !self.directory.serves(&domain) {
            return Admission::Stranger;
        }
        match self.authenticate(request, method, uri, &domain, HeaderName::ProxyAuthorization) {
            Ok(account) => {
                let claimed = from.uri().aor();
                let resolved = claimed.as_ref().and_then(|aor| self.directory.resolve(aor));
                if resolved.is_some_and(|(owner, _)| owner.aor == account.aor) {
                    Admission::Account(Box::new(account))
                } else {
                    Admission::Refused(403, Some("From Is Not Yours"), Vec::new())
                }
            }
            Err((status, fields)) => Admission::Refused(status, None, fields),
        }
    }

    /// The account whose password a request proves to know, or the answer to give.
    pub(super) fn authenticate(
        &mut self,
        request: &Message,
        method: &Method,
        uri: &Uri,
        domain: &DomainName,
        name: HeaderName,
    ) -> Result<Account, (u16, Fields)> {
        let (now, realm) = (wall_clock(), domain.as_str());
        let credentials = request.authorizations(name).find_map(|field| match field {
            Ok(Authorization::Digest(credentials)) if credentials.realm == realm => {
                Some(credentials)
            }
            _ => None,
        });
        let mut stale = false;
        if let Some(credentials) = credentials {
            let username = credentials.username.split('@').next().unwrap_or_default();
            let account = Aor::new(username, realm).ok();
            let account = account.and_then(|aor| self.directory.account(&aor));
            let secret = account.map_or(Secret::default(), |account| Secret {
                md5: account.ha1.as_ref(),
                sha256: account.ha1_sha256.as_ref(),
            });
            let rules = Rules {
                nonce_lifetime: i64::try_from(self.config.digest.nonce_seconds).unwrap_or(300)
                    * 1000,
                allow_without_qop: self.config.digest.allow_without_qop,
                uri: match self.config.digest.uri {
                    DigestUri::Any => UriRule::Any,
                    DigestUri::SameTarget => UriRule::SameTarget,
                    DigestUri::Equivalent => UriRule::Equivalent,
                },
            };
            let asked = digest::Request { method, uri, realm };
            let window = &mut self.window;
            match digest::verify(&credentials, &asked, secret, &rules, &self.nonce_key, window, now)
            {
                Verdict::Accepted => {
                    if let Some(account) = account {
                        return Ok(account.clone());
                    }
                }
                Verdict::Malformed(_) => return Err((400, Vec::new())),
                Verdict::Stale => stale = true,
                Verdict::Wrong | Verdict::Unsuitable(_) => {}
            }
        }
        let mut random = [0; 8];
        if getrandom::fill(&mut random).is_err() {
            return Err((500, Vec::new()));
        }
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
