//! The Customer port (contract B5).

use crate::table::operations;
use crate::types::*;

operations! {
    Customer;

    /// Adds a customer or reseller.
    AddAccount "addAccount" { account: CustomerAccount } -> CustomerAccount;
    /// Changes a customer or reseller.
    UpdateAccount "updateAccount" { account: CustomerAccount } -> void;
    /// Deletes a customer or reseller.
    DeleteAccount "deleteAccount" { id: integer } -> void;
    /// Returns a customer or reseller.
    GetAccount "getAccount" { id: integer } -> CustomerAccount;
    /// Lists customers.
    GetCustomers "getCustomers" { query: CustomerQuery } -> CustomerAccounts;
    /// Lists resellers.
    GetResellers "getResellers" { query: CustomerQuery } -> CustomerAccounts;
    /// Sets properties of a customer by name.
    SetProperties "setProperties" {
        customer: integer,
        properties: [CustomerProperty],
    } -> void;
    /// Lists the properties of a customer.
    GetProperties "getProperties" { customer: integer } -> [CustomerProperty];
}
