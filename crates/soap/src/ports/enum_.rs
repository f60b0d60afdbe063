//! The Enum port (contract B3).

use crate::table::operations;
use crate::types::*;

operations! {
    Enum;

    /// Adds an ENUM range.
    AddRange "addRange" { range: EnumRange } -> EnumRange
        faults [3001 5000 5003 8001 8002 8003 9001]
        rules [B9 B14 B21 B36 B37 B38 B100 B101 B102 B103 B114 B129a];
    /// Changes an ENUM range.
    UpdateRange "updateRange" { range: EnumRange } -> void
        faults [3000 5000 9001]
        rules [B9 B10 B15 B102 B103 B110 B111 B129a];
    /// Deletes an ENUM range.
    DeleteRange "deleteRange" { range: EnumRangeId } -> void
        faults [3000 3005 9001]
        rules [B10 B111];
    /// Lists ENUM ranges.
    GetRanges "getRanges" { query: EnumRangeQuery } -> EnumRanges
        faults []
        rules [B11 B12 B40 B41 B44 B45 B46];
    /// Adds an ENUM number.
    AddNumber "addNumber" { number: EnumNumber } -> EnumNumber
        faults [3003 3004 3006 3007 3008 3009 5003 8002 9001]
        rules [B13 B15 B21 B36 B37 B38 B100 B102 B103 B104 B105 B107 B108 B110 B112 B114];
    /// Changes an ENUM number; its mappings are replaced.
    UpdateNumber "updateNumber" { number: EnumNumber } -> void
        faults [3002 3008 3009 9001]
        rules [B10 B13 B103 B104 B105 B106 B107 B108 B109 B110 B114];
    /// Deletes an ENUM number.
    DeleteNumber "deleteNumber" { enum_id "enumId": EnumId } -> void
        faults [3002 9001]
        rules [B10 B108 B110];
    /// Returns an ENUM number.
    GetNumber "getNumber" { enum_id "enumId": EnumId } -> EnumNumber
        faults [3002 9001]
        rules [B11 B106 B108 B113];
    /// Lists ENUM numbers.
    GetNumbers "getNumbers" { query: EnumNumberQuery } -> EnumNumbers
        faults []
        rules [B11 B12 B40 B41 B44 B45 B46 B47 B106 B112];
}
