//! The Customer port (contract B5).

use crate::table::operations;
use crate::types::*;

operations! {
    Customer;

    /// Adds a customer or reseller.
    AddAccount "addAccount" { account: CustomerAccount } -> CustomerAccount
        faults [5001 5003 8003 9001]
        rules [B8 B20 B21 B22 B23 B28 B30 B33 B34 B35 B190];
    /// Changes a customer or reseller.
    UpdateAccount "updateAccount" { account: CustomerAccount } -> void
        faults [5000 5001 5003 9001]
        rules [B8 B10 B23 B26 B27 B28 B32 B33 B34 B35];
    /// Deletes a customer or reseller.
    DeleteAccount "deleteAccount" { id: integer } -> void
        faults [5000 5002 8001 9001]
        rules [B10 B29 B30];
    /// Returns a customer or reseller.
    GetAccount "getAccount" { id: integer } -> CustomerAccount
        faults [5000 9001]
        rules [B8 B10 B11];
    /// Lists customers.
    GetCustomers "getCustomers" { query: CustomerQuery } -> CustomerAccounts
        faults []
        rules [B8 B11 B12 B24 B25 B40 B41 B44 B45 B46];
    /// Lists resellers.
    GetResellers "getResellers" { query: CustomerQuery } -> CustomerAccounts
        faults []
        rules [B8 B11 B12 B24 B25 B40 B41 B44 B45 B46];
    /// Sets properties of a customer by name.
    SetProperties "setProperties" {
        customer: integer,
        properties: [CustomerProperty],
    } -> void
        faults [5000 5004 9001]
        rules [B10 B31 B33 B34 B35 B39];
    /// Lists the properties of a customer.
    GetProperties "getProperties" { customer: integer } -> [CustomerProperty]
        faults [5000 9001]
        rules [B10 B11 B39];
}
