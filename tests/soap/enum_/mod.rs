//! ENUM ranges and numbers (B100-B114).

mod add_number;
mod add_range;
mod delete_number;
mod delete_range;
mod get_number;
mod get_numbers;
mod get_ranges;
mod update_number;
mod update_range;
mod zones;
