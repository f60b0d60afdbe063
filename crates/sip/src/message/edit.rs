//! Edits. Each touches the fields it names and nothing else.

use super::known::Known;
use super::{Message, StartLine};
use crate::header::scan::split_list;
use crate::header::{
    CSeq, ContentType, Header, HeaderError, HeaderName, ListHeader, MaxForwards, RecordRouteHeader,
    RouteHeader, Via,
};
use crate::uri::Uri;
use bytes::Bytes;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

/// What became of Max-Forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decremented {
    /// It was lowered to this.
    To(u8),
    /// It was missing and has been set to 70.
    Added,
    /// It was zero: the request must not be forwarded (RFC 3261 section 16.3 step 3).
    Exhausted,
}

impl Message {
    /// Sets the Request-URI; does nothing to a response. Header components and the parameter `method` are left out, since a
    /// Request-URI holds none (RFC 3261 sections 16.6 step 2 and 19.1.1).
    pub fn set_request_uri(&mut self, new: &Uri) {
        if let StartLine::Request { uri, .. } = &mut self.start {
            *uri = if new.headers_text().is_some() { new.without_headers() } else { new.clone() };
            if uri.has_param("method") {
                *uri = uri.without_param("method");
            }
            self.start_length = 0;
            self.whole_length = 0;
        }
    }

    /// Puts a Via on top, in a field of its own.
    pub fn push_via(&mut self, via: &Via) {
        let at = self.head.position(HeaderName::Via).unwrap_or(0);
        self.insert_at(at, HeaderName::Via, &via.to_text());
    }

    /// Takes the topmost Via off.
    pub fn pop_via(&mut self) -> Result<Option<Via>, HeaderError> {
        self.pop_first()
    }

    /// Replaces the topmost Via.
    pub fn replace_top_via(&mut self, via: &Via) -> Result<(), HeaderError> {
        self.rewrite_first(HeaderName::Via, Some(&via.to_text()))
    }

    /// Writes into the topmost Via where the request came from (section 18.2.1, RFC 3581 section 4).
    pub fn record_source(&mut self, address: IpAddr, port: u16) -> Result<(), HeaderError> {
        let mut via = self.top_via()?;
        self.known.via = None;
        if Arc::make_mut(&mut via).record_source(address, port) {
            self.replace_top_via(&via)?;
        }
        self.known.via = Some(via);
        Ok(())
    }

    /// Puts a Record-Route before the others; when there is none, after the Via fields.
    pub fn push_record_route(&mut self, route: &RecordRouteHeader) {
        self.push_before(HeaderName::RecordRoute, &route.to_string());
    }

    /// Puts a Route before the others; when there is none, after the Via fields.
    pub fn push_route(&mut self, route: &RouteHeader) {
        self.push_before(HeaderName::Route, &route.to_string());
    }

    /// Puts a value into a field of its own before all fields of that name; when there is none, after the
    /// Via fields.
    pub fn push_before(&mut self, name: HeaderName, value: &str) {
        let after_via = || self.head.position_after(HeaderName::Via).unwrap_or(0);
        let at = self.head.position(name).unwrap_or_else(after_via);
        self.insert_at(at, name, value);
    }

    /// Takes the first value of a list off.
    pub fn pop_first<H: ListHeader>(&mut self) -> Result<Option<H>, HeaderError> {
        let first = self.first()?;
        if first.is_some() {
            self.rewrite_first(H::NAME, None)?;
        }
        Ok(first)
    }

    /// Takes the last value of a list off, as a strict router's Request-URI is restored from the last Route
    /// (section 16.4).
    pub fn pop_last<H: ListHeader>(&mut self) -> Result<Option<H>, HeaderError> {
        let Some(after) = self.head.position_after(H::NAME) else { return Ok(None) };
        let at = after - 1;
        let wrong = HeaderError::new(H::NAME, HeaderError::NOT_UTF8);
        let field = self.head.named(H::NAME).next_back();
        let text = field.and_then(|field| field.text()).ok_or(wrong)?;
        let mut values: Vec<&str> = split_list(text).collect();
        let last = H::parse_one(values.pop().unwrap_or(""))?;
        let rest = values.join(", ");
        self.touch(H::NAME);
        if rest.is_empty() {
            self.head.remove(at);
        } else {
            self.head.rewrite(at, &rest);
        }
        Ok(Some(last))
    }

    /// Lowers Max-Forwards by one, or adds it (section 16.6 step 3).
    pub fn decrement_max_forwards(&mut self) -> Result<Decremented, HeaderError> {
        let Some(MaxForwards(left)) = self.max_forwards()? else {
            let at = self.head.position_after(HeaderName::Via).unwrap_or(0);
            self.insert_at(at, HeaderName::MaxForwards, &MaxForwards::DEFAULT.to_string());
            return Ok(Decremented::Added);
        };
        let Some(left) = left.checked_sub(1) else { return Ok(Decremented::Exhausted) };
        self.set(HeaderName::MaxForwards, &left.to_string());
        Ok(Decremented::To(left))
    }

    /// Adds a field at the end.
    pub fn append(&mut self, name: HeaderName, value: &str) {
        self.touch(name);
        self.head.push(name, value);
    }

    /// Adds a field at the end, of a name that need not be known to this crate.
    pub fn append_named(&mut self, name: &str, value: &str) {
        self.touch(HeaderName::of(name.as_bytes()));
        self.head.push_named(name, value);
    }

    /// Sets a field: in the place of the first one, the others of that name are removed; or at the end.
    pub fn set(&mut self, name: HeaderName, value: &str) {
        self.touch(name);
        let Some(at) = self.head.position(name) else {
            self.head.push(name, value);
            return;
        };
        self.head.rewrite(at, value);
        while let Some(last) = self.head.position_after(name).filter(|last| *last > at + 1) {
            self.head.remove(last - 1);
        }
    }

    /// Sets a header field that stands at most once.
    pub fn set_header<H: Header + std::fmt::Display>(&mut self, header: &H) {
        self.set(H::NAME, &header.to_string());
    }

    /// Removes all fields of a name; how many there were.
    pub fn remove(&mut self, name: HeaderName) -> usize {
        self.without(name, |field| field.name() != name)
    }

    /// Removes all fields of a name that need not be known to this crate; how many there were.
    pub fn remove_named(&mut self, name: &str) -> usize {
        let known = HeaderName::of(name.as_bytes());
        self.without(known, |field| !field.has_name(known, name))
    }

    /// Keeps the fields that pass; how many did not.
    pub fn retain(&mut self, keep: impl Fn(super::Field<'_>) -> bool) -> usize {
        let removed = self.head.retain(keep);
        if removed > 0 {
            self.whole_length = 0;
            self.known = Known::default();
        }
        removed
    }

    /// Adds all fields of a name from another message, octet by octet.
    pub fn copy(&mut self, name: HeaderName, from: &Self) {
        self.touch(name);
        self.head.copy_from(from.head.named(name));
    }

    /// Sets the tag of `To`, unless it has one.
    pub fn set_to_tag(&mut self, tag: &str) -> Result<(), HeaderError> {
        let mut to = self.to_header()?;
        if to.tag().is_none() {
            Arc::make_mut(&mut to).set_tag(tag);
            self.set_header(&*to);
        }
        Ok(())
    }

    /// Sets the number in `CSeq`, keeping its method.
    pub fn set_cseq_number(&mut self, number: u32) -> Result<(), HeaderError> {
        let cseq = CSeq { number, ..self.cseq()? };
        self.set_header(&cseq);
        Ok(())
    }

    /// Sets the body, with Content-Type and Content-Length.
    pub fn set_body(&mut self, content_type: &ContentType, body: Bytes) {
        self.set_header(content_type);
        self.set(HeaderName::ContentLength, &body.len().to_string());
        self.body = body;
    }

    /// Removes the body and what describes it.
    pub fn remove_body(&mut self) {
        self.retain(|field| {
            !matches!(
                field.name(),
                HeaderName::ContentType
                    | HeaderName::ContentDisposition
                    | HeaderName::ContentEncoding
                    | HeaderName::ContentLanguage
            )
        });
        self.set(HeaderName::ContentLength, "0");
        self.body = Bytes::new();
    }

    /// Adds Content-Length when it is missing, as a message that goes out over a stream must have it
    /// (section 18.3).
    pub fn ensure_content_length(&mut self) {
        if !self.has(HeaderName::ContentLength) {
            self.append(HeaderName::ContentLength, &self.body.len().to_string());
        }
    }

    /// Keeps the fields that pass; those that do not are all of this name.
    fn without(&mut self, name: HeaderName, keep: impl Fn(super::Field<'_>) -> bool) -> usize {
        let removed = self.head.retain(keep);
        if removed > 0 {
            self.touch(name);
        }
        removed
    }

    /// Says that a field of this name is edited.
    fn touch(&mut self, name: HeaderName) {
        self.whole_length = 0;
        self.known.forget(name);
    }

    fn insert_at(&mut self, at: usize, name: HeaderName, value: &str) {
        self.touch(name);
        self.head.insert(at, name, value);
    }

    /// Replaces the first value of the first field of a name, or takes it off; a field that becomes empty
    /// goes. What follows the first value in that field is kept as written.
    fn rewrite_first(&mut self, name: HeaderName, new: Option<&str>) -> Result<(), HeaderError> {
        let wrong = HeaderError::new(name, HeaderError::NOT_UTF8);
        let Some(at) = self.head.position(name) else {
            return Err(HeaderError::new(name, HeaderError::MISSING));
        };
        let text = self.head.first(name).and_then(|field| field.text()).ok_or(wrong)?;
        let mut values = split_list(text);
        values.next();
        let rest = values.rest().map(crate::header::scan::trim);
        let value = match (new, rest) {
            (Some(new), Some(rest)) => Some(Cow::Owned(format!("{new}, {rest}"))),
            (Some(new), None) => Some(Cow::Borrowed(new)),
            (None, rest) => rest.map(|rest| Cow::Owned(rest.to_owned())),
        };
        self.touch(name);
        match value {
            Some(value) => self.head.rewrite(at, &value),
            None => self.head.remove(at),
        }
        Ok(())
    }
}
