//! URIs in messages: sip, sips, tel and others (RFC 3261 section 19.1, RFC 3966).

mod compare;
mod host;

pub use host::Host;
pub(crate) use host::read_v6;

use crate::header::scan::{Octets, find};
use ngn_model::Aor;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The scheme of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel` (RFC 3966).
    Tel,
    /// Any other, for instance `urn` (`urn:service:sos`, RFC 5031).
    Other,
}

/// Why a text is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No scheme before the first `:`.
    #[error("the URI has no scheme")]
    Scheme,
    /// An octet that no URI holds, or a `%` without two hexadecimal digits.
    #[error("the URI holds a character that must be escaped")]
    Character,
    /// The user part is empty or holds a second `@`.
    #[error("the user part of the URI is malformed")]
    User,
    /// The host is neither a name nor an address.
    #[error("the host of the URI is malformed")]
    Host,
    /// The port is not a number of at most 65535.
    #[error("the port of the URI is malformed")]
    Port,
    /// A parameter is empty or malformed.
    #[error("a parameter of the URI is malformed")]
    Parameter,
    /// A header component is malformed.
    #[error("a header of the URI is malformed")]
    Header,
    /// The telephone number is malformed.
    #[error("the telephone number of the URI is malformed")]
    Number,
}

/// A URI. It prints exactly as it was read; its parts are slices of that text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    text: String,
    scheme: Scheme,
    /// End of the scheme, at the `:`.
    colon: usize,
    user: Option<Span>,
    password: Option<Span>,
    host: Span,
    port: Option<u16>,
    params: Span,
    headers: Option<Span>,
}

// Each message holds some.
const _: () = assert!(size_of::<Uri>() <= 96);

/// Octet offsets into the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        // A text is never longer than this.
        let [start, end] = [start, end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        Self { start, end }
    }

    const fn start(self) -> usize {
        self.start as usize
    }

    const fn end(self) -> usize {
        self.end as usize
    }
}

impl Uri {
    /// Reads a URI, without white space around it.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if u32::try_from(text.len()).is_err() {
            return Err(UriError::Character);
        }
        let colon = find(text, b':').ok_or(UriError::Scheme)?;
        let name = text.get(..colon).unwrap_or("");
        let scheme = read_scheme(name)?;
        let mut uri = Self {
            text: text.to_owned(),
            scheme,
            colon,
            user: None,
            password: None,
            host: Span::default(),
            port: None,
            params: Span::new(text.len(), text.len()),
            headers: None,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip()?,
            Scheme::Tel => uri.read_tel()?,
            Scheme::Other => uri.read_opaque()?,
        }
        Ok(uri)
    }

    /// Makes a SIP URI; what the user part may not hold is escaped.
    pub fn sip(user: Option<&str>, host: &Host, port: Option<u16>) -> Self {
        let mut text = String::from("sip:");
        if let Some(user) = user.filter(|user| !user.is_empty()) {
            escape_user(user, &mut text);
            text.push('@');
        }
        let start = text.len();
        text.push_str(&host.to_string());
        let host = Span::new(start, text.len());
        if let Some(port) = port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        let end = Span::new(text.len(), text.len());
        let user = (start > 4).then(|| Span::new(4, start.saturating_sub(1)));
        Self {
            text,
            scheme: Scheme::Sip,
            colon: 3,
            user,
            password: None,
            host,
            port,
            params: end,
            headers: None,
        }
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The scheme as it was written.
    #[must_use]
    pub fn scheme_text(&self) -> &str {
        self.text.get(..self.colon).unwrap_or("")
    }

    /// Whether the URI is a SIP or SIPS URI.
    #[must_use]
    pub const fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// What follows the scheme and `:`, as written.
    #[must_use]
    pub fn after_scheme(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or("")
    }

    /// The user part as written, without password; the number of a `tel` URI.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.map(|span| self.slice(span))
    }

    /// The user part with escapes resolved, for look-ups: `%61lice` is `alice`.
    ///
    /// `None` also when the octets are not UTF-8.
    #[must_use]
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        unescape(self.user()?)
    }

    /// The password part, as written.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.map(|span| self.slice(span))
    }

    /// The host as written, IPv6 addresses in brackets; empty unless the URI is a SIP or SIPS URI.
    #[must_use]
    pub fn host_text(&self) -> &str {
        self.slice(self.host)
    }

    /// The host; `None` unless the URI is a SIP or SIPS URI.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        Host::parse(self.host_text())
    }

    /// The address that the host is; `None` also when it is a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        Host::read_address(self.host_text())
    }

    /// The port, when one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters as text, empty or beginning with `;`.
    #[must_use]
    pub fn params_text(&self) -> &str {
        self.slice(self.params)
    }

    /// Names and values of the parameters, as written.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.params_text().split(';').skip(1).map(split_pair)
    }

    /// Whether a parameter is there, with or without a value.
    #[must_use]
    pub fn has_param(&self, name: &str) -> bool {
        self.params().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    /// The value of a parameter as written; `None` when it is absent or has none.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(n, _)| n.eq_ignore_ascii_case(name))?.1
    }

    /// The header components as text, without `?`.
    #[must_use]
    pub fn headers_text(&self) -> Option<&str> {
        self.headers.map(|span| self.slice(span))
    }

    /// Names and values of the header components, as written.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.headers_text().into_iter().flat_map(|text| text.split('&')).map(split_pair)
    }

    /// Whether the URI marks a loose router (parameter `lr`, RFC 3261 section 16.12).
    #[must_use]
    pub fn is_loose(&self) -> bool {
        self.has_param("lr")
    }

    /// The address of record that the URI names: canonical user and host (section 10.3 step 5).
    ///
    /// All parameters are left out, those inside the user part of a telephone subscriber too. `None` when
    /// it is no SIP URI, has no user, or names nothing that can be an account.
    #[must_use]
    pub fn aor(&self) -> Option<Aor> {
        if !self.is_sip() {
            return None;
        }
        let user = self.user_unescaped()?;
        let user = user.split(';').next().unwrap_or("");
        Aor::new(user, self.host_text()).ok()
    }

    /// The telephone number of a `tel` URI or of a SIP URI whose user part is one: digits, `*`, `#` and a
    /// leading `+`, without visual separators (RFC 3966 section 5.1.1).
    #[must_use]
    pub fn telephone_number(&self) -> Option<String> {
        let user = self.user_unescaped()?;
        let number = user.split(';').next().unwrap_or("");
        let digits: String =
            number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).collect();
        let (plus, rest) = digits.strip_prefix('+').map_or((false, &*digits), |rest| (true, rest));
        let fits = |b: u8| b.is_ascii_digit() || (!plus && matches!(b, b'*' | b'#'));
        (!rest.is_empty() && rest.bytes().all(fits)).then_some(digits)
    }

    /// The URI with a parameter set, in its place when it is there and at the end when it is not.
    pub fn with_param(&self, name: &str, value: Option<&str>) -> Result<Self, UriError> {
        let pair = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
        let mut found = false;
        let mut params = String::new();
        for part in self.params_text().split(';').skip(1) {
            params.push(';');
            if !found && split_pair(part).0.eq_ignore_ascii_case(name) {
                found = true;
                params.push_str(&pair);
            } else {
                params.push_str(part);
            }
        }
        if !found {
            params.push(';');
            params.push_str(&pair);
        }
        self.with_params_text(&params)
    }

    /// The URI without a parameter.
    #[must_use]
    pub fn without_param(&self, name: &str) -> Self {
        let mut params = String::new();
        for part in self.params_text().split(';').skip(1) {
            if !split_pair(part).0.eq_ignore_ascii_case(name) {
                params.push(';');
                params.push_str(part);
            }
        }
        self.with_params_text(&params).unwrap_or_else(|_| self.clone())
    }

    /// The URI without its header components, as it must be before it becomes a Request-URI (table 1 of
    /// section 19.1.1).
    #[must_use]
    pub fn without_headers(&self) -> Self {
        let end = self.headers.map_or(self.text.len(), |span| span.start().saturating_sub(1));
        let text = self.text.get(..end).unwrap_or("");
        Self::parse(text).unwrap_or_else(|_| self.clone())
    }

    fn with_params_text(&self, params: &str) -> Result<Self, UriError> {
        let before = self.text.get(..self.params.start()).unwrap_or("");
        let after = self.text.get(self.params.end()..).unwrap_or("");
        Self::parse(&format!("{before}{params}{after}"))
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start()..span.end()).unwrap_or("")
    }

    /// `[userinfo "@"] hostport *(";" param) ["?" headers]`
    fn read_sip(&mut self) -> Result<(), UriError> {
        let text = self.text.as_str();
        let mut at = self.colon + 1;
        // `@` stands in no other component unescaped, so the first one ends the user part, which itself may
        // hold `;`, `?` and `/`.
        let rest = text.get(at..).unwrap_or("");
        if let Some(length) = find(rest, b'@') {
            let (user, password) = read_userinfo(rest.get(..length).unwrap_or(""), at)?;
            self.user = Some(user);
            self.password = password;
            at += length + 1;
        }
        let rest = text.get(at..).unwrap_or("");
        let ends = |b: u8| matches!(b, b';' | b'?');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        let hostport = rest.get(..length).unwrap_or("");
        let host_length = host_length(hostport);
        if !Host::is_host(hostport.get(..host_length).unwrap_or("")) {
            return Err(UriError::Host);
        }
        self.host = Span::new(at, at + host_length);
        self.port = read_port(hostport.get(host_length..).unwrap_or(""))?;
        at += length;
        self.read_params_and_headers(at)
    }

    fn read_params_and_headers(&mut self, start: usize) -> Result<(), UriError> {
        let rest = self.text.get(start..).unwrap_or("");
        let length = find(rest, b'?').unwrap_or(rest.len());
        let params = rest.get(..length).unwrap_or("");
        check_params(params)?;
        let headers = rest.get(length + 1..);
        if let Some(headers) = headers {
            check_headers(headers)?;
            self.headers = Some(Span::new(start + length + 1, self.text.len()));
        }
        self.params = Span::new(start, start + length);
        Ok(())
    }

    /// `telephone-subscriber` of RFC 3966 section 3.
    fn read_tel(&mut self) -> Result<(), UriError> {
        let start = self.colon + 1;
        let rest = self.text.get(start..).unwrap_or("");
        let length = find(rest, b';').unwrap_or(rest.len());
        let number = rest.get(..length).unwrap_or("");
        let local = |b: u8| b.is_ascii_hexdigit() || b"*#-.()".contains(&b);
        let global = |b: u8| b.is_ascii_digit() || b"-.()".contains(&b);
        let fits = match number.strip_prefix('+') {
            Some(digits) => {
                digits.bytes().any(|b| b.is_ascii_digit()) && digits.bytes().all(global)
            }
            None => !number.is_empty() && number.bytes().all(local),
        };
        if !fits {
            return Err(UriError::Number);
        }
        let params = rest.get(length..).unwrap_or("");
        check_params(params)?;
        self.user = Some(Span::new(start, start + length));
        self.params = Span::new(start + length, self.text.len());
        Ok(())
    }

    /// `absoluteURI`: any scheme, opaque to us, but of URI characters.
    fn read_opaque(&self) -> Result<(), UriError> {
        let rest = self.after_scheme();
        if rest.is_empty() {
            return Err(UriError::Character);
        }
        check(rest, &OPAQUE, UriError::Character)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl FromStr for Uri {
    type Err = UriError;
    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

/// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`
fn read_scheme(name: &str) -> Result<Scheme, UriError> {
    // As it is mostly written.
    if name == "sip" {
        return Ok(Scheme::Sip);
    }
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return Err(UriError::Scheme);
    }
    Ok(if name.eq_ignore_ascii_case("sip") {
        Scheme::Sip
    } else if name.eq_ignore_ascii_case("sips") {
        Scheme::Sips
    } else if name.eq_ignore_ascii_case("tel") {
        Scheme::Tel
    } else {
        Scheme::Other
    })
}

/// `user [ ":" password ]`; returns where they stand, the text beginning at `start`.
fn read_userinfo(text: &str, start: usize) -> Result<(Span, Option<Span>), UriError> {
    let length = find(text, b':').unwrap_or(text.len());
    let user = text.get(..length).unwrap_or("");
    if user.is_empty() {
        return Err(UriError::User);
    }
    // `#` is sent unescaped by telephones that dial it; it is not in the grammar, but cannot be mistaken.
    check(user, &USER, UriError::Character)?;
    let password = match text.get(length + 1..) {
        None => None,
        Some(password) => {
            check(password, &PASSWORD, UriError::Character)?;
            Some(Span::new(start + length + 1, start + text.len()))
        }
    };
    Ok((Span::new(start, start + length), password))
}

/// Where the host of `host [":" port]` ends.
pub(crate) fn host_length(hostport: &str) -> usize {
    if hostport.starts_with('[') {
        find(hostport, b']').map_or(hostport.len(), |end| end + 1)
    } else {
        find(hostport, b':').unwrap_or(hostport.len())
    }
}

/// Reads what follows the host: nothing, or `:` and a port.
pub(crate) fn read_port(text: &str) -> Result<Option<u16>, UriError> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix(':').ok_or(UriError::Port)?;
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(UriError::Port);
    }
    digits.parse().map(Some).map_err(|_| UriError::Port)
}

fn check_params(text: &str) -> Result<(), UriError> {
    if text.is_empty() {
        return Ok(());
    }
    for part in text.split(';').skip(1) {
        let (name, value) = split_pair(part);
        if name.is_empty() || value.is_some_and(str::is_empty) {
            return Err(UriError::Parameter);
        }
        check(name, &PARAMETER, UriError::Parameter)?;
        check(value.unwrap_or(""), &PARAMETER_VALUE, UriError::Parameter)?;
    }
    Ok(())
}

fn check_headers(text: &str) -> Result<(), UriError> {
    for part in text.split('&') {
        let (name, value) = split_pair(part);
        if name.is_empty() || value.is_none() {
            return Err(UriError::Header);
        }
        check(name, &HEADER, UriError::Header)?;
        check(value.unwrap_or(""), &HEADER_VALUE, UriError::Header)?;
    }
    Ok(())
}

/// Checks octets and escapes.
fn check(text: &str, fits: &Octets, error: UriError) -> Result<(), UriError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let ok = match byte {
            b'%' => {
                let mut hex = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
                hex() && hex()
            }
            byte => fits.has(byte),
        };
        if !ok {
            return Err(error);
        }
    }
    Ok(())
}

/// What stands in the parts of a URI beside letters and digits: `mark`, and what else each part may hold.
macro_rules! octets {
    ($($(#[$doc:meta])* $name:ident $others:literal;)*) => {
        $($(#[$doc])* static $name: Octets =
            Octets::alphanumeric_and(concat!("-_.!~*'()", $others).as_bytes());)*
    };
}

octets! {
    USER "&=+$,;?/#";
    /// What is not escaped when a user part is made.
    MADE_USER "&=+$,;?/";
    PASSWORD "&=+$,";
    PARAMETER "[]/:&+$";
    PARAMETER_VALUE "[]/:&+$=";
    HEADER "[]/?:+$";
    HEADER_VALUE "[]/?:+$=;";
    OPAQUE ";/?:@&=+$,[]#";
}

fn split_pair(text: &str) -> (&str, Option<&str>) {
    let Some(at) = find(text, b'=') else { return (text, None) };
    (text.get(..at).unwrap_or(""), text.get(at + 1..))
}

/// Resolves `%HH`; `None` when the result is not UTF-8.
pub(crate) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    String::from_utf8(ngn_model::escapes::unescape(text, b'%')).ok().map(Cow::Owned)
}

fn escape_user(user: &str, text: &mut String) {
    use fmt::Write as _;
    for byte in user.bytes() {
        if MADE_USER.has(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
