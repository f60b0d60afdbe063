//! SIP domains, accounts, groups and aliases (B50-B79).

mod add_account;
mod add_alias;
mod add_balance;
mod add_balance_from_voucher;
mod add_domain;
mod add_to_group;
mod add_trusted_peer;
mod delete_account;
mod delete_alias;
mod delete_domain;
mod delete_trusted_peer;
mod get_account;
mod get_accounts;
mod get_aliases;
mod get_credit_history;
mod get_domains;
mod get_prepaid_status;
mod get_trusted_peers;
mod passwords;
mod update_account;
mod update_alias;
mod update_domain;
mod update_trusted_peer;
