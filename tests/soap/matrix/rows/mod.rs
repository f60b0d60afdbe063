//! The rows, by port. The build fails when an operation of the table has none.

mod numbering;
mod pstn;
mod services;
mod sip;
mod sip_calls;

use super::row::{Row, complete};
use ngn_soap::Port;

/// The rows of a port.
pub(super) const fn of(port: Port) -> &'static [&'static [Row]] {
    match port {
        Port::Sip => &[sip::ROWS, sip_calls::ROWS, pstn::ROWS],
        Port::Voicemail => &[services::VOICEMAIL],
        Port::Enum => &[numbering::ENUM],
        Port::Dns => &[numbering::DNS],
        Port::Rating => &[services::RATING],
        Port::Customer => &[services::CUSTOMER],
        Port::Network => &[services::NETWORK],
    }
}

const _: () = {
    let mut i = 0;
    while i < Port::ALL.len() {
        complete(Port::ALL[i].operations(), of(Port::ALL[i]));
        i += 1;
    }
};
