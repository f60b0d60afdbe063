//! SIP domains, accounts, groups and aliases (B50-B79).

mod add_account;
mod add_alias;
mod add_domain;
mod add_to_group;
mod delete_account;
mod delete_alias;
mod delete_domain;
mod get_account;
mod get_accounts;
mod get_aliases;
mod get_domains;
mod passwords;
mod update_account;
mod update_alias;
mod update_domain;
