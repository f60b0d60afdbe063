//! The Enum port (contract B3).

use crate::table::operations;
use crate::types::*;

operations! {
    Enum;

    /// Adds an ENUM range.
    AddRange "addRange" { range: EnumRange } -> EnumRange;
    /// Changes an ENUM range.
    UpdateRange "updateRange" { range: EnumRange } -> void;
    /// Deletes an ENUM range.
    DeleteRange "deleteRange" { range: EnumRangeId } -> void;
    /// Lists ENUM ranges.
    GetRanges "getRanges" { query: EnumRangeQuery } -> EnumRanges;
    /// Adds an ENUM number.
    AddNumber "addNumber" { number: EnumNumber } -> EnumNumber;
    /// Changes an ENUM number; its mappings are replaced.
    UpdateNumber "updateNumber" { number: EnumNumber } -> void;
    /// Deletes an ENUM number.
    DeleteNumber "deleteNumber" { enum_id "enumId": EnumId } -> void;
    /// Returns an ENUM number.
    GetNumber "getNumber" { enum_id "enumId": EnumId } -> EnumNumber;
    /// Lists ENUM numbers.
    GetNumbers "getNumbers" { query: EnumNumberQuery } -> EnumNumbers;
}
