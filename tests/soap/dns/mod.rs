//! DNS zones, records and fancy records (B115-B129c).

mod add_fancy_record;
mod add_record;
mod add_zone;
mod delete_record;
mod delete_zone;
mod get_records;
mod get_zones;
mod parallel;
mod update_record;
mod update_zone;
mod values;
