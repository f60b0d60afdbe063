//! Customers, resellers and their properties (B20-B39).

mod add_account;
mod delete_account;
mod get_account;
mod get_customers;
mod get_properties;
mod get_resellers;
mod set_properties;
mod update_account;
