//! Announcements for the voicemail server: `GET /voicemail/announcements/MAILBOX.wav`.
//!
//! The server logs in by HTTP Basic (RFC 7617) with a login of the SOAP API: the administrator, or any customer that may
//! see the account. `ETag` and `If-None-Match` (RFC 9110 section 13) spare it what it has already.

use crate::auth::authenticate;
use crate::fault::OpError;
use crate::http::App;
use crate::ops::voicemail::may_hear;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ngn_soap::Auth;
use ngn_store::Announcement;
use std::time::Duration;

/// Where the announcements lie, beneath any of the server's bases.
const FOLDER: &str = "/voicemail/announcements/";

/// The mailbox that a path names; `None` for other paths.
#[must_use]
pub fn mailbox(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/ngnpro").unwrap_or(path);
    let name = path.strip_prefix(FOLDER)?;
    let name = name.strip_suffix(".wav").unwrap_or(name);
    (!name.is_empty() && name.len() <= 32 && name.bytes().all(|b| b.is_ascii_digit()))
        .then_some(name)
}

/// Answers a GET or HEAD for the announcement of a mailbox.
pub async fn serve(app: &App, mailbox: &str, headers: &HeaderMap) -> Response {
    let limit = Duration::from_secs(app.config.limits.call_seconds);
    match tokio::time::timeout(limit, find(app, mailbox, headers)).await {
        Ok(Ok(Some(announcement))) => file(announcement, headers),
        Ok(Ok(None)) => {
            (StatusCode::NOT_FOUND, "this mailbox has no announcement\n").into_response()
        }
        Ok(Err(OpError::Refused(_))) => {
            let challenge =
                [(header::WWW_AUTHENTICATE, "Basic realm=\"ngnpro\", charset=\"UTF-8\"")];
            (StatusCode::UNAUTHORIZED, challenge, "log in as for SOAP\n").into_response()
        }
        Ok(Err(error @ OpError::Store(_))) => {
            // Logs it.
            drop(error.into_fault());
            (StatusCode::SERVICE_UNAVAILABLE, "the database failed\n").into_response()
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is slow\n").into_response(),
    }
}

async fn find(
    app: &App,
    mailbox: &str,
    headers: &HeaderMap,
) -> Result<Option<Announcement>, OpError> {
    let auth = basic(headers);
    let (auth, standalone) = (auth.as_ref(), app.config.provisioning.standalone_voicemail);
    app.store
        .read(|tx| {
            Box::pin(async move {
                let who = authenticate(tx, &app.administrator, auth).await?;
                let found = tx.announcement(mailbox).await?;
                Ok(found.filter(|found| may_hear(&who, standalone, found)))
            })
        })
        .await
}

/// The login of an `Authorization` field.
fn basic(headers: &HeaderMap) -> Option<Auth> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    let decoded = BASE64.decode(credentials.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (username, password) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| Auth {
        username: Some(username.to_owned()),
        password: Some(password.to_owned()),
        ..Auth::default()
    })
}

fn file(announcement: Announcement, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:x}-{:x}\"", announcement.change_date, announcement.message.len());
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| {
            candidate.trim().trim_start_matches("W/") == tag || candidate.trim() == "*"
        });
    let about = [
        (header::ETAG, tag),
        // Whether a login may hear it is asked each time.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "audio/wav")];
    (about, kind, Body::from(announcement.message)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn paths_name_mailboxes() {
        for (path, expected) in [
            ("/voicemail/announcements/1000000.wav", Some("1000000")),
            ("/ngnpro/voicemail/announcements/1000000", Some("1000000")),
            ("/voicemail/announcements/", None),
            ("/voicemail/announcements/.wav", None),
            ("/voicemail/announcements/../x", None),
            ("/voicemail/announcements/1%20", None),
            ("/voicemail", None),
        ] {
            assert_eq!(mailbox(path), expected, "{path}");
        }
    }

    #[test]
    fn rfc7617_2_logins() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            basic(&headers).and_then(|auth| Some((auth.username?, auth.password?)))
        };
        // The example of RFC 7617 section 2.
        let login = Some(("Aladdin".to_owned(), "open sesame".to_owned()));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), login);
        assert_eq!(read("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), login);
        for bad in ["Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic", "Basic !", "Basic QWxhZGRpbg=="]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(basic(&HeaderMap::new()).is_none());
    }
}
