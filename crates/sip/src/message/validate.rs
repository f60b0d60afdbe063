//! What makes a message fit to be processed (RFC 3261 sections 8.1.1, 16.3 and 20).
//!
//! Only fields that this element acts on are looked into. A malformed `Date` or an unknown field with an odd
//! value passes: a proxy has no business with them (section 16.3 step 1). `Contact` is looked into because
//! dialogs and the registrar depend on it; `Expires` is not, since a malformed one means the default
//! (section 10.3 step 7).

use super::fault::Reason;
use super::known::Known;
use super::{Field, Message, StartLine};
use crate::header::scan::{split_list, trim};
use crate::header::{
    CSeq, Contact, FromHeader, Header, HeaderError, HeaderName, ListHeader, MaxForwards,
    OptionTags, PathHeader, RecordRouteHeader, RouteHeader, ToHeader, Via, call_id_check,
};
use std::sync::Arc;

/// Which of the fields that may stand only once have been seen.
#[derive(Default)]
struct Seen {
    from: bool,
    to: bool,
    call_id: bool,
    cseq: bool,
    max_forwards: bool,
    content_type: bool,
    via: bool,
    star: bool,
    contact: bool,
}

impl Message {
    /// Checks the header section; gives the values that are asked for most.
    pub(super) fn validate(&self) -> Result<Known, Reason> {
        let mut seen = Seen::default();
        let mut known = Known::default();
        for field in self.head.fields() {
            match field.name() {
                HeaderName::Via => {
                    seen.via = true;
                    for value in split_list(text(field)?) {
                        let via = Via::parse_one(value)?;
                        known.via.get_or_insert_with(|| Arc::new(via));
                    }
                }
                HeaderName::From => {
                    once(&mut seen.from, field)?;
                    known.from = Some(Arc::new(FromHeader::parse(&field.address_text())?));
                }
                HeaderName::To => {
                    once(&mut seen.to, field)?;
                    known.to = Some(Arc::new(ToHeader::parse(&field.address_text())?));
                }
                HeaderName::CallId => {
                    once(&mut seen.call_id, field)?;
                    call_id_check(text(field)?)?;
                }
                HeaderName::CSeq => {
                    once(&mut seen.cseq, field)?;
                    let cseq = CSeq::parse(text(field)?)?;
                    self.check_cseq(&cseq)?;
                    known.cseq = Some(cseq);
                }
                HeaderName::MaxForwards => {
                    once(&mut seen.max_forwards, field)?;
                    MaxForwards::parse(text(field)?)?;
                }
                HeaderName::ContentType => once(&mut seen.content_type, field)?,
                HeaderName::Contact => check_contact(&mut seen, field)?,
                HeaderName::Route => check_list::<RouteHeader>(field)?,
                HeaderName::RecordRoute => check_list::<RecordRouteHeader>(field)?,
                HeaderName::Path => check_list::<PathHeader>(field)?,
                HeaderName::Require | HeaderName::ProxyRequire => {
                    OptionTags::default().read(field.name(), text(field)?)?;
                }
                _ => {}
            }
        }
        let mandatory = [
            (seen.via, HeaderName::Via),
            (seen.from, HeaderName::From),
            (seen.to, HeaderName::To),
            (seen.call_id, HeaderName::CallId),
            (seen.cseq, HeaderName::CSeq),
        ];
        match mandatory.iter().find(|(seen, _)| !seen) {
            Some((_, name)) => Err(HeaderError::new(*name, HeaderError::MISSING).into()),
            None => Ok(known),
        }
    }

    fn check_cseq(&self, cseq: &CSeq) -> Result<(), Reason> {
        match &self.start {
            StartLine::Request { method, .. } if *method != cseq.method => {
                Err(Reason::MethodMismatch)
            }
            _ => Ok(()),
        }
    }
}

/// `*` stands alone (section 20.10).
fn check_contact(seen: &mut Seen, field: Field<'_>) -> Result<(), Reason> {
    let text = field.address_text();
    let is_star = trim(&text) == "*";
    if !is_star {
        for value in split_list(&text) {
            Contact::parse_one(value)?;
        }
    }
    if seen.star || (is_star && seen.contact) {
        return Err(HeaderError::new(field.name(), "`*` does not stand alone").into());
    }
    seen.star = is_star;
    seen.contact = true;
    Ok(())
}

fn check_list<H: ListHeader>(field: Field<'_>) -> Result<(), Reason> {
    for value in split_list(text(field)?) {
        H::parse_one(value)?;
    }
    Ok(())
}

fn once(seen: &mut bool, field: Field<'_>) -> Result<(), Reason> {
    if std::mem::replace(seen, true) {
        return Err(HeaderError::new(field.name(), HeaderError::REPEATED).into());
    }
    Ok(())
}

fn text(field: Field<'_>) -> Result<&str, Reason> {
    field.text().ok_or(HeaderError::new(field.name(), HeaderError::NOT_UTF8).into())
}
