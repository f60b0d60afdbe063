//! Typed views of a message.

use super::head::Field;
use super::{Message, Method, StartLine};
use crate::header::{
    Authorization, CSeq, Contacts, FromHeader, Header, HeaderError, HeaderName, ListHeader,
    MaxForwards, OptionTags, PathHeader, RecordRouteHeader, RouteHeader, ToHeader, Via,
    call_id_check, split_list,
};
use crate::uri::Uri;
use bytes::Bytes;
use std::sync::Arc;

impl Message {
    /// The first line.
    #[must_use]
    pub const fn start_line(&self) -> &StartLine {
        &self.start
    }

    /// Whether this is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of a request; `None` for a response, whose method stands in CSeq.
    #[must_use]
    pub const fn method(&self) -> Option<&Method> {
        match &self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Status { .. } => None,
        }
    }

    /// The Request-URI of a request.
    #[must_use]
    pub const fn request_uri(&self) -> Option<&Uri> {
        match &self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Status { .. } => None,
        }
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Status { code, .. } => Some(*code),
        }
    }

    /// The reason phrase of a response.
    #[must_use]
    pub fn phrase(&self) -> Option<&str> {
        match &self.start {
            StartLine::Request { .. } => None,
            StartLine::Status { phrase, .. } => Some(phrase),
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// All header fields in order.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.head.fields()
    }

    /// The header fields of one name, in order.
    pub fn named(&self, name: HeaderName) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.head.named(name)
    }

    /// The first header field of one name.
    #[must_use]
    pub fn field(&self, name: HeaderName) -> Option<Field<'_>> {
        self.head.first(name)
    }

    /// The first header field of a name that need not be known to this crate.
    #[must_use]
    pub fn field_named(&self, name: &str) -> Option<Field<'_>> {
        let known = HeaderName::of(name.as_bytes());
        self.head.fields().find(|field| field.has_name(known, name))
    }

    /// Whether there is a header field of that name.
    #[must_use]
    pub fn has(&self, name: HeaderName) -> bool {
        self.head.position(name).is_some()
    }

    /// Reads a header field that stands at most once.
    pub fn header<H: Header>(&self) -> Result<Option<H>, HeaderError> {
        self.single(H::NAME)?.map(|field| H::parse(text(field)?)).transpose()
    }

    /// Reads a header field that must stand exactly once.
    pub fn required<H: Header>(&self) -> Result<H, HeaderError> {
        self.header()?.ok_or(HeaderError::new(H::NAME, HeaderError::MISSING))
    }

    /// Reads an address that must stand exactly once.
    fn address<H: Header>(&self) -> Result<H, HeaderError> {
        let field = self.single(H::NAME)?;
        H::parse(&field.ok_or(HeaderError::new(H::NAME, HeaderError::MISSING))?.address_text())
    }

    /// The header field of a name that stands at most once.
    fn single(&self, name: HeaderName) -> Result<Option<Field<'_>>, HeaderError> {
        let mut fields = self.head.named(name);
        let field = fields.next();
        match fields.next() {
            Some(_) => Err(HeaderError::new(name, HeaderError::REPEATED)),
            None => Ok(field),
        }
    }

    /// Reads all values of a header field that is a list, over all fields of that name.
    pub fn list<H: ListHeader>(&self) -> Result<Vec<H>, HeaderError> {
        let mut values = Vec::new();
        for field in self.head.named(H::NAME) {
            values.extend(H::parse_list(text(field)?)?);
        }
        Ok(values)
    }

    /// Reads the first value of a header field that is a list.
    pub fn first<H: ListHeader>(&self) -> Result<Option<H>, HeaderError> {
        let Some(field) = self.head.first(H::NAME) else { return Ok(None) };
        let value = split_list(text(field)?).next().unwrap_or("");
        H::parse_one(value).map(Some)
    }

    /// The topmost Via.
    pub fn top_via(&self) -> Result<Arc<Via>, HeaderError> {
        if let Some(via) = &self.known.via {
            return Ok(Arc::clone(via));
        }
        self.first()?.map(Arc::new).ok_or(HeaderError::new(HeaderName::Via, HeaderError::MISSING))
    }

    /// Whether there is a Via below the topmost one: a response without leads nowhere (RFC 3261 section 16.7 step 3).
    #[must_use]
    pub fn has_via_below(&self) -> bool {
        let mut fields = self.head.named(HeaderName::Via);
        let text = fields.next().and_then(|field| field.text()).unwrap_or_default();
        fields.next().is_some() || split_list(text).nth(1).is_some()
    }

    /// The Via values below the topmost one.
    pub(crate) fn vias_below(&self) -> impl Iterator<Item = Result<Via, HeaderError>> {
        let texts = self.head.named(HeaderName::Via).map(|field| field.text().unwrap_or_default());
        texts.flat_map(split_list).skip(1).map(Via::parse_one)
    }

    /// All Via values, topmost first.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list()
    }

    /// `From`.
    pub fn from_header(&self) -> Result<Arc<FromHeader>, HeaderError> {
        match &self.known.from {
            Some(from) => Ok(Arc::clone(from)),
            None => self.address().map(Arc::new),
        }
    }

    /// `To`.
    pub fn to_header(&self) -> Result<Arc<ToHeader>, HeaderError> {
        match &self.known.to {
            Some(to) => Ok(Arc::clone(to)),
            None => self.address().map(Arc::new),
        }
    }

    /// `Call-ID`.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let missing = HeaderError::new(HeaderName::CallId, HeaderError::MISSING);
        call_id_check(text(self.field(HeaderName::CallId).ok_or(missing)?)?)
    }

    /// `CSeq`.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        if let Some(cseq) = &self.known.cseq {
            return Ok(cseq.clone());
        }
        self.required()
    }

    /// `Max-Forwards`, when there is one.
    pub fn max_forwards(&self) -> Result<Option<MaxForwards>, HeaderError> {
        self.header()
    }

    /// All contacts.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let mut contacts = Vec::new();
        for field in self.head.named(HeaderName::Contact) {
            match Contacts::parse(&field.address_text())? {
                Contacts::Star => return Ok(Contacts::Star),
                Contacts::List(list) => contacts.extend(list),
            }
        }
        Ok(Contacts::List(contacts))
    }

    /// All `Route` values in order.
    pub fn routes(&self) -> Result<Vec<RouteHeader>, HeaderError> {
        self.list()
    }

    /// All `Record-Route` values in order.
    pub fn record_routes(&self) -> Result<Vec<RecordRouteHeader>, HeaderError> {
        self.list()
    }

    /// All `Path` values in order.
    pub fn paths(&self) -> Result<Vec<PathHeader>, HeaderError> {
        self.list()
    }

    /// The option tags in all fields of one name (`Require`, `Proxy-Require`, `Supported`, `Unsupported`).
    pub fn option_tags(&self, name: HeaderName) -> Result<OptionTags, HeaderError> {
        let mut tags = OptionTags::default();
        for field in self.head.named(name) {
            tags.read(name, text(field)?)?;
        }
        Ok(tags)
    }

    /// The credentials in all `Authorization` or `Proxy-Authorization` fields.
    pub fn authorizations(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<Authorization, HeaderError>> {
        self.head.named(name).map(move |field| {
            Authorization::parse(text(field)?).map_err(|reason| HeaderError::new(name, reason))
        })
    }
}

fn text(field: Field<'_>) -> Result<&str, HeaderError> {
    field.text().ok_or(HeaderError::new(field.name(), HeaderError::NOT_UTF8))
}
