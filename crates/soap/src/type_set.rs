//! Which types a description must define: those that operations need, and those that these need.

use std::collections::BTreeSet;

use crate::ports::Port;
use crate::schema::{EnumerationRow, Kind, StructRow};
use crate::types::{Auth, NGNProException};

/// Types in the order in which they are first needed, each once.
#[derive(Default)]
pub(crate) struct TypeSet {
    names: BTreeSet<String>,
    /// Simple types.
    pub(crate) enumerations: Vec<&'static EnumerationRow>,
    /// Complex types with members.
    pub(crate) structs: Vec<&'static StructRow>,
    /// Lists, by the kind of their items.
    pub(crate) arrays: Vec<&'static Kind>,
}

impl TypeSet {
    /// What the operations of some ports need, with the header and the fault that all have.
    pub(crate) fn of(ports: &[Port]) -> Self {
        let mut types = Self::default();
        types.add(Auth::KIND);
        types.add(NGNProException::KIND);
        for operation in ports.iter().flat_map(|port| port.operations()) {
            for parameter in operation.listed() {
                types.add(parameter.kind);
            }
            operation.result.into_iter().for_each(|kind| types.add(kind));
        }
        if ports.len() == Port::ALL.len() {
            // Part of the API's vocabulary, though no operation takes one (contract C1).
            types.add(Kind::Array(&Kind::Integer));
        }
        types
    }

    fn add(&mut self, kind: Kind) {
        if kind.is_builtin() || !self.names.insert(kind.type_name()) {
            return;
        }
        match kind {
            Kind::Enumeration(row) => self.enumerations.push(row),
            Kind::Struct(row) => {
                self.structs.push(row);
                row.members.iter().filter(|m| !m.unlisted).for_each(|m| self.add(m.kind));
            }
            Kind::Array(item) => {
                self.arrays.push(item);
                self.add(*item);
            }
            _ => {}
        }
    }
}
